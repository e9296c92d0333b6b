//! The server's end of TLS.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::Ticketer;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::NoServerSessionStorage;
use tokio_rustls::TlsAcceptor;

use crate::wire::{Http, Identity, Tls, tls};

/// The identity cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("TLS cannot be set up with the certificate and key of the server")]
pub struct AcceptorError(#[from] rustls::Error);

/// Accepts TLS 1.3 connections for `http` by `identity`.
pub fn acceptor(tls: &Tls, http: Http, identity: &Identity) -> Result<TlsAcceptor, AcceptorError> {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(identity.key.to_vec()));
    let mut config = ServerConfig::builder_with_provider(tls::provider(tls.key_exchange))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(identity.certificate.clone())], key)?;
    config.alpn_protocols = vec![tls::protocol(http).to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    if tls.resumption {
        // Tickets hold the session, encrypted: the server keeps nothing, as servers behind a balancer do.
        config.ticketer = Ticketer::new()?;
    } else {
        config.send_tls13_tickets = 0;
    }
    Ok(TlsAcceptor::from(Arc::new(config)))
}
