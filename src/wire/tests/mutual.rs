//! What a client shows of itself, and what a server sees of it.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::{Server, greeted, over};
use crate::wire::certificate::AcceptAny;
use crate::wire::{
    CertificateKey, ClientCertificates, Connector, Endpoint, KeyExchange, Trust, client_identity, tls,
};

#[tokio::test]
async fn a_server_that_asks_sees_the_certificate_of_a_client_in_resumed_sessions_too_and_one_that_does_not_sees_none()
 {
    let wire = over(KeyExchange::X25519);
    for key in [CertificateKey::ES256, CertificateKey::ES384, CertificateKey::Ed25519, CertificateKey::RS256]
    {
        let own = client_identity("somebody", key).unwrap();
        for clients in [ClientCertificates::Asked, ClientCertificates::NotAsked] {
            let server = Server::asking(wire, 4, clients).await;
            let trust = || Some(Trust::Certificates(vec![server.certificate.clone()]));
            let connector = |identity| {
                Connector::presenting(server.endpoint.clone(), &wire, trust(), "localhost", identity).unwrap()
            };
            let (presenting, silent) = (connector(Some(&own)), connector(None));
            for expected in [false, true] {
                assert_eq!(greeted(&presenting).await.is_resumed(), Some(expected));
                assert_eq!(greeted(&silent).await.is_resumed(), Some(expected));
            }
            let asked = clients == ClientCertificates::Asked;
            let chain = asked.then(|| own.chain.clone());
            let seen: Vec<_> =
                server.serving.await.unwrap().into_iter().map(|seen| seen.unwrap().chain).collect();
            assert_eq!(seen, [chain.clone(), None, chain, None], "{key:?}");
        }
    }
}

#[tokio::test]
async fn a_certificate_without_its_key_ends_the_handshake() {
    let wire = over(KeyExchange::X25519);
    let server = Server::asking(wire, 1, ClientCertificates::Asked).await;
    let [own, other] = [(); 2].map(|()| client_identity("somebody", CertificateKey::ES256).unwrap());
    let provider = tls::provider(KeyExchange::X25519);
    let key = PrivateKeyDer::try_from(other.key.to_vec()).unwrap();
    let key = provider.key_provider.load_private_key(key).unwrap();
    let stolen = CertifiedKey::new(vec![CertificateDer::from(own.certificate().to_vec())], key);
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AcceptAny(provider)))
        .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(stolen)));
    let Endpoint::Tcp(address) = &server.endpoint else { panic!("{:?}", server.endpoint) };
    let socket = TcpStream::connect(address).await.unwrap();
    let name = "localhost".try_into().unwrap();
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, socket).await.unwrap();
    // The client has done its part before the server has seen the signature.
    let heard = stream.read_u8().await.unwrap_err();
    assert!(heard.to_string().contains("DecryptError"), "{heard}");
    assert!(server.serving.await.unwrap().pop().unwrap().is_err());
}
