//! The server's end of TLS.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::Ticketer;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoClientAuth, NoServerSessionStorage};
use tokio_rustls::TlsAcceptor;

use crate::wire::certificate::AcceptAny;
use crate::wire::{Http, Identity, Tls, tls};

/// The identity cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("TLS cannot be set up with the certificate and key of the server")]
pub struct AcceptorError(#[from] rustls::Error);

/// What a server wants to know of who connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientCertificates {
    /// Nothing.
    NotAsked,
    /// The certificate, if there is one: any, whoever signed it. That the client has its key is verified (RFC 8446 section 4.4.3).
    Asked,
}

/// Accepts TLS 1.3 connections for `http` by `identity`.
pub fn acceptor(
    tls: &Tls,
    http: Http,
    identity: &Identity,
    clients: ClientCertificates,
) -> Result<TlsAcceptor, AcceptorError> {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(identity.key.to_vec()));
    let provider = tls::provider(tls.key_exchange);
    let verifier: Arc<dyn ClientCertVerifier> = match clients {
        ClientCertificates::NotAsked => Arc::new(NoClientAuth),
        ClientCertificates::Asked => Arc::new(AcceptAny(Arc::clone(&provider))),
    };
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![CertificateDer::from(identity.certificate.clone())], key)?;
    config.alpn_protocols = vec![tls::protocol(http).to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    if tls.resumption {
        // Tickets hold the session, encrypted: the server keeps nothing, as servers behind a balancer do. The certificate of a client is in
        // them too.
        config.ticketer = Ticketer::new()?;
        config.send_tls13_tickets = tls::TICKETS as usize;
    } else {
        config.send_tls13_tickets = 0;
    }
    Ok(TlsAcceptor::from(Arc::new(config)))
}
