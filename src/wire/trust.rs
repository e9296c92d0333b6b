//! Which certificates of a server are believed.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, RootCertStore, SignatureScheme};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

use crate::wire::ConnectorError;
use crate::wire::certificate::AcceptAny;

/// Which certificates of a server are believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// These, as DER, and those that they signed.
    Certificates(Vec<Vec<u8>>),
    /// Those that the system believes.
    System,
    /// Any, whoever it belongs to: nobody is authenticated.
    Nothing,
}

impl Trust {
    pub(super) fn verifier(
        self,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Arc<dyn ServerCertVerifier>, ConnectorError> {
        match self {
            Self::Certificates(given) => {
                let given: Vec<_> = given.into_iter().map(CertificateDer::from).collect();
                Ok(Arc::new(Given { issued: issued(&given, provider)?, given }))
            }
            Self::System => {
                let mut roots = RootCertStore::empty();
                let found = rustls_native_certs::load_native_certs();
                roots.add_parsable_certificates(found.certs);
                if roots.is_empty() {
                    let problems: Vec<_> = found.errors.iter().map(ToString::to_string).collect();
                    let problems =
                        if problems.is_empty() { "it names none".to_owned() } else { problems.join("; ") };
                    return Err(ConnectorError::System { problems });
                }
                Ok(by(roots, provider))
            }
            Self::Nothing => Ok(Arc::new(AcceptAny(Arc::clone(provider)))),
        }
    }
}

fn issued(
    given: &[CertificateDer<'static>],
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, ConnectorError> {
    let mut roots = RootCertStore::empty();
    let mut problem = None;
    for certificate in given {
        // One of a bundle that can sign nothing is no reason to do without the others.
        problem = roots.add(certificate.clone()).err().or(problem);
    }
    match problem {
        Some(problem) if roots.is_empty() => Err(ConnectorError::Certificate(problem)),
        _ if roots.is_empty() => Err(ConnectorError::NoTrust),
        _ => Ok(by(roots, provider)),
    }
}

fn by(roots: RootCertStore, provider: &Arc<CryptoProvider>) -> Arc<WebPkiServerVerifier> {
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build();
    verifier.expect("it has a root, and no list of revoked certificates that could be broken")
}

/// Believes certificates that were given, and those that they signed. One that was given is believed where a server
/// presents that very certificate, as OpenSSL and curl have it, even if it says that it is there to sign others: that is
/// what `openssl req -x509` makes.
#[derive(Debug)]
struct Given {
    given: Vec<CertificateDer<'static>>,
    issued: Arc<WebPkiServerVerifier>,
}

impl ServerCertVerifier for Given {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified =
            self.issued.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        if verified.is_err() && self.given.contains(end_entity) {
            return verify_itself(end_entity, server_name, now);
        }
        verified
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.issued.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.issued.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.issued.supported_verify_schemes()
    }
}

/// What is left to ask of a certificate that is believed as it is: whether it is for this server, and for today.
fn verify_itself(
    certificate: &CertificateDer<'_>,
    server_name: &ServerName<'_>,
    now: UnixTime,
) -> Result<ServerCertVerified, rustls::Error> {
    let (_, parsed) = X509Certificate::from_der(certificate)
        .map_err(|_| rustls::Error::from(CertificateError::BadEncoding))?;
    let seconds = |time: x509_parser::time::ASN1Time| {
        UnixTime::since_unix_epoch(std::time::Duration::from_secs(
            u64::try_from(time.timestamp()).unwrap_or_default(),
        ))
    };
    let (not_before, not_after) =
        (seconds(parsed.validity().not_before), seconds(parsed.validity().not_after));
    if now < not_before {
        return Err(CertificateError::NotValidYetContext { time: now, not_before }.into());
    }
    if now > not_after {
        return Err(CertificateError::ExpiredContext { time: now, not_after }.into());
    }
    if !is_named_by_subject_alone(&parsed, server_name) {
        verify_server_name(&ParsedCertificate::try_from(certificate)?, server_name)?;
    }
    Ok(ServerCertVerified::assertion())
}

/// `-subj /CN=localhost` without a `subjectAltName`: RFC 9110 section 4.3.4 has clients look no further than the latter,
/// OpenSSL and curl look at the former where it is the only name.
fn is_named_by_subject_alone(certificate: &X509Certificate<'_>, server_name: &ServerName<'_>) -> bool {
    let has_names = certificate.subject_alternative_name().ok().flatten().is_some();
    let mut names = certificate.subject().iter_common_name().filter_map(|name| name.as_str().ok());
    !has_names && names.any(|name| name.eq_ignore_ascii_case(&server_name.to_str()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair};

    use super::*;
    use crate::wire::{KeyExchange, tls};

    /// A certificate that signs itself and says that it signs others, for these names, and for the day after 2030 began.
    fn of_openssl(names: &[&str], common_name: &str) -> CertificateDer<'static> {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut parameters = CertificateParams::new(names).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.distinguished_name.push(DnType::CommonName, common_name);
        parameters.not_before = rcgen::date_time_ymd(2030, 1, 1);
        parameters.not_after = rcgen::date_time_ymd(2030, 1, 2);
        parameters.self_signed(&KeyPair::generate().unwrap()).unwrap().into()
    }

    fn verified(
        given: &[&CertificateDer<'_>],
        presented: &CertificateDer<'_>,
        name: &str,
        day: f64,
    ) -> Result<(), String> {
        let trust = Trust::Certificates(given.iter().map(|certificate| certificate.to_vec()).collect());
        let trusting = trust.verifier(&tls::provider(KeyExchange::X25519)).unwrap();
        // 2030-01-01T00:00:00Z.
        let now = Duration::from_secs_f64(1_893_456_000.0 + day * 86_400.0);
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let verified =
            trusting.verify_server_cert(presented, &[], &name, &[], UnixTime::since_unix_epoch(now));
        verified.map(drop).map_err(|error| format!("{error:?}"))
    }

    #[test]
    fn a_given_certificate_is_believed_where_it_is_presented_itself_for_its_name_and_time() {
        let own = of_openssl(&["localhost", "127.0.0.1"], "somebody");
        let other = of_openssl(&["localhost"], "somebody");
        for name in ["localhost", "127.0.0.1"] {
            assert_eq!(verified(&[&other, &own], &own, name, 0.5), Ok(()));
        }
        for (given, presented, name, day, fault) in [
            (&other, &own, "localhost", 0.5, ""),
            (&own, &own, "somebody", 0.5, "NotValidForName"),
            (&own, &own, "localhost", -0.5, "NotValidYet"),
            (&own, &own, "localhost", 1.5, "Expired"),
        ] {
            let refused = verified(&[given], presented, name, day).unwrap_err();
            assert!(refused.contains(fault), "{refused}");
        }
    }

    #[test]
    fn the_common_name_counts_where_there_is_no_other() {
        let bare = of_openssl(&[], "LOCALHOST");
        assert_eq!(verified(&[&bare], &bare, "localhost", 0.5), Ok(()));
        assert!(verified(&[&bare], &bare, "127.0.0.1", 0.5).is_err());
        let by_address = of_openssl(&[], "127.0.0.1");
        assert_eq!(verified(&[&by_address], &by_address, "127.0.0.1", 0.5), Ok(()));
    }
}
