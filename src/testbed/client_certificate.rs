//! The certificate that the tokens of a trial are bound to, and the connections on which its owner presents it.

use hyper::Uri;
use rustls::ClientConfig;

use crate::auth::token::Confirmation;
use crate::testbed::TestbedError;
use crate::testbed::client::{Client, SecureClient, uri};
use crate::testbed::tokens::GOOD;
use crate::wire::{CertificateKey, ClientIdentity, Tls, Trust, client_config, client_identity};

/// The certificate of the one client that the load is.
#[derive(Debug)]
pub struct ClientCertificate {
    identity: ClientIdentity,
    /// How it connects with the authorization server.
    config: ClientConfig,
    tokens: Uri,
}

impl ClientCertificate {
    /// A fresh certificate, for an authorization server that is reached by `tls` at `base`.
    pub(super) fn generate(
        key: CertificateKey,
        tls: Tls,
        trust: Trust,
        base: &str,
    ) -> Result<Self, TestbedError> {
        let identity = client_identity(GOOD.id, key)?;
        let config = client_config(tls, trust, Some(&identity))?;
        Ok(Self { identity, config, tokens: uri(base, "/token").expect("an address makes a URL") })
    }

    /// What is presented.
    pub fn identity(&self) -> &ClientIdentity {
        &self.identity
    }

    /// What binds a token to it.
    pub fn confirmation(&self) -> Confirmation {
        Confirmation::of_certificate(self.identity.certificate())
    }

    /// Where tokens are issued that are bound to it.
    pub(super) fn tokens(&self) -> &Uri {
        &self.tokens
    }

    /// Connections of their own that present it.
    pub(super) fn client(&self) -> SecureClient {
        Client::secure(self.config.clone())
    }
}
