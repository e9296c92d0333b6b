//! What a request must show beside its token, so that the token counts as the sender's.

use std::sync::atomic::{AtomicU64, Ordering};

use hyper::Request;
use rustls::pki_types::CertificateDer;

use crate::auth::architecture::{NotReady, Verified};
use crate::auth::sender::SenderEvidence;
use crate::auth::token::dpop::{self, AcceptedProof, PROOF_HEADER, ProofFault, ProofVerifier};
use crate::auth::token::{CertificateFault, Confirmation, SenderFault, WallClock};
use crate::testbed::spec::{ResourceServerSpec, SenderSpec};

/// Whose requests a token counts for.
pub(super) enum Senders {
    /// Those of whoever has it, unless it is bound to a key.
    Anybody,
    /// Those that the gateway in front has let through.
    BehindGateway,
    /// Those of whoever proves to have the key that it is bound to.
    Owner(Box<ProofVerifier>, WallClock),
    /// Those that come by a connection on which the certificate was presented that it is bound to.
    Presenter(Certificates),
}

/// What is told of the certificates of clients.
#[derive(Default)]
pub(super) struct Certificates {
    /// Connections on which one was presented.
    presented: AtomicU64,
    /// Requests that came by others.
    missing: AtomicU64,
}

/// What a request has shown beside its token.
#[derive(Clone, Copy)]
pub(super) enum Shown<'a> {
    /// Nothing, and nothing was asked for.
    Nothing,
    /// That its sender has a key.
    Proof(&'a AcceptedProof),
    /// The certificate of its connection.
    Certificate(&'a Confirmation),
}

impl Senders {
    pub(super) fn of(spec: &ResourceServerSpec, clock: WallClock) -> Result<Self, NotReady> {
        match &spec.sender {
            _ if spec.hop > 0 => Ok(Self::BehindGateway),
            None => Ok(Self::Anybody),
            Some(SenderSpec { constraint, resource }) => match constraint.evidence() {
                SenderEvidence::Proofs(rules) => {
                    let verifier = ProofVerifier::new(rules, resource);
                    let verifier = verifier.ok_or_else(|| NotReady::Resource(resource.clone()))?;
                    Ok(Self::Owner(Box::new(verifier), clock))
                }
                SenderEvidence::Certificate(_) => Ok(Self::Presenter(Certificates::default())),
            },
        }
    }

    /// What tokens are bound to that may come by a connection on which these certificates were presented, that of the client first.
    pub(super) fn of_connection(&self, certificates: Option<&[CertificateDer<'_>]>) -> Option<Confirmation> {
        let (Self::Presenter(told), Some([certificate, ..])) = (self, certificates) else { return None };
        told.presented.fetch_add(1, Ordering::Relaxed);
        Some(Confirmation::of_certificate(certificate))
    }

    /// How a challenge begins (RFC 6750 section 3, RFC 9449 section 7.1).
    pub(super) fn challenge(&self) -> String {
        match self {
            Self::Anybody | Self::BehindGateway | Self::Presenter(_) => {
                "Bearer realm=\"bearerbench\"".to_owned()
            }
            Self::Owner(verifier, _) => {
                format!("{} realm=\"bearerbench\", algs=\"{}\"", dpop::SCHEME, verifier.algorithm())
            }
        }
    }

    /// The token of an `Authorization` header (RFC 6750 section 2.1, RFC 9449 section 7.1); `None` if it is of another scheme.
    pub(super) fn token<'r>(&self, value: &'r str) -> Option<&'r str> {
        let expected: &[&str] = match self {
            Self::Anybody | Self::Presenter(_) => &["Bearer"],
            // As it came, or another token in its place.
            Self::BehindGateway => &["Bearer", dpop::SCHEME],
            Self::Owner(..) => &[dpop::SCHEME],
        };
        let (scheme, token) = value.split_once(' ')?;
        let is_expected = expected.iter().any(|expected| scheme.eq_ignore_ascii_case(expected));
        is_expected.then(|| token.trim_start_matches(' '))
    }

    /// What the proof of a request shows; `None` where none is asked for. Fails too where its connection must show a certificate and shows none.
    pub(super) fn proof<B>(
        &self,
        request: &Request<B>,
        token: &str,
        certificate: Option<&Confirmation>,
    ) -> Result<Option<AcceptedProof>, SenderFault> {
        let (verifier, clock) = match self {
            Self::Owner(verifier, clock) => (verifier, clock),
            Self::Presenter(told) if certificate.is_none() => {
                told.missing.fetch_add(1, Ordering::Relaxed);
                return Err(CertificateFault::Missing.into());
            }
            Self::Anybody | Self::BehindGateway | Self::Presenter(_) => return Ok(None),
        };
        let proofs = request.headers().get_all(PROOF_HEADER).iter();
        // What is no text is no proof either, but one of those that came.
        let proofs = proofs.map(|proof| proof.to_str().unwrap_or_default());
        Ok(Some(verifier.verify(request.method().as_str(), proofs, Some(token), clock.now())?))
    }

    /// Whether a good token is the sender's.
    pub(super) fn check_owner(&self, verified: &Verified, shown: Shown<'_>) -> Result<(), SenderFault> {
        let cnf = match verified {
            Verified::Claims(claims) => claims.cnf.as_ref(),
            Verified::Stated(claims) => claims.cnf.as_ref(),
            Verified::Unchecked => return Ok(()),
        };
        match (self, cnf) {
            (Self::BehindGateway, _) | (Self::Anybody, None) => Ok(()),
            (Self::Anybody, Some(_)) => Err(ProofFault::Unproven.into()),
            (Self::Owner(..), cnf) => {
                let Shown::Proof(proof) = shown else { return Err(ProofFault::Unproven.into()) };
                let cnf = cnf.ok_or(ProofFault::Unbound)?;
                if cnf.is_key(&proof.thumbprint) { Ok(()) } else { Err(ProofFault::OtherKey.into()) }
            }
            (Self::Presenter(_), cnf) => {
                let Shown::Certificate(certificate) = shown else {
                    return Err(CertificateFault::Missing.into());
                };
                let cnf = cnf.ok_or(CertificateFault::Unbound)?;
                if cnf == certificate { Ok(()) } else { Err(CertificateFault::Other.into()) }
            }
        }
    }

    /// The nonce that clients are told now, if there are any.
    pub(super) fn nonce(&self) -> Option<String> {
        let Self::Owner(verifier, clock) = self else { return None };
        verifier.nonce(clock.now())
    }

    /// What it counts, with a name for each.
    pub(super) fn counters(&self) -> Vec<(&'static str, u64)> {
        match self {
            Self::Anybody | Self::BehindGateway => Vec::new(),
            Self::Owner(verifier, _) => {
                let counts = verifier.counts();
                vec![
                    ("accepted_proofs", counts.accepted),
                    ("refused_proofs", counts.refused),
                    ("forgotten_proofs", counts.forgotten),
                ]
            }
            Self::Presenter(Certificates { presented, missing }) => vec![
                ("presented_certificates", presented.load(Ordering::Relaxed)),
                ("requests_without_certificate", missing.load(Ordering::Relaxed)),
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::auth::sender::SenderConstraint;
    use crate::auth::token::{Confirmation, StatedClaims};
    use crate::registry::Part;

    fn verified(cnf: Option<Confirmation>) -> Verified {
        Verified::Stated(Arc::new(StatedClaims { cnf, ..StatedClaims::default() }))
    }

    #[test]
    fn a_bound_token_is_its_owners_alone_and_an_unbound_one_is_nobodys_where_proofs_are_asked_for() {
        let constraint = Part::<dyn SenderConstraint>::named("dpop").unwrap();
        let SenderEvidence::Proofs(rules) = constraint.evidence() else { panic!("{constraint:?}") };
        let verifier = ProofVerifier::new(rules, "http://a/").unwrap();
        let owner = Senders::Owner(Box::new(verifier), WallClock::system());
        let proof = AcceptedProof { thumbprint: "mine".to_owned(), has_former_nonce: false };
        let proof = Shown::Proof(&proof);
        let certificate = Confirmation::of_certificate(b"mine");
        let (unbound, mine) = (verified(None), verified(Some(Confirmation::of_key("mine"))));
        let (others, unknown) =
            (verified(Some(Confirmation::of_key("yours"))), verified(Some(Confirmation::default())));
        let to_both = verified(Some(Confirmation { jkt: Some("mine".to_owned()), ..certificate.clone() }));
        let to_certificate = verified(Some(certificate));
        for (senders, token, shown, expected) in [
            (&owner, &mine, proof, Ok(())),
            (&owner, &others, proof, Err(ProofFault::OtherKey)),
            (&owner, &unknown, proof, Err(ProofFault::OtherKey)),
            (&owner, &to_certificate, proof, Err(ProofFault::OtherKey)),
            (&owner, &to_both, proof, Err(ProofFault::OtherKey)),
            (&owner, &unbound, proof, Err(ProofFault::Unbound)),
            (&owner, &mine, Shown::Nothing, Err(ProofFault::Unproven)),
            (&owner, &Verified::Unchecked, proof, Ok(())),
            (&Senders::Anybody, &unbound, Shown::Nothing, Ok(())),
            (&Senders::Anybody, &mine, Shown::Nothing, Err(ProofFault::Unproven)),
            (&Senders::Anybody, &unknown, Shown::Nothing, Err(ProofFault::Unproven)),
            (&Senders::Anybody, &to_certificate, Shown::Nothing, Err(ProofFault::Unproven)),
            (&Senders::BehindGateway, &mine, Shown::Nothing, Ok(())),
            (&Senders::BehindGateway, &to_certificate, Shown::Nothing, Ok(())),
        ] {
            assert_eq!(senders.check_owner(token, shown), expected.map_err(SenderFault::from), "{token:?}");
        }
    }

    #[test]
    fn a_token_that_is_bound_to_a_certificate_is_good_where_that_was_presented_and_nowhere_else() {
        let presenter = Senders::Presenter(Certificates::default());
        let of = |certificate: &'static [u8]| {
            presenter.of_connection(Some(&[certificate.into(), b"issuer".as_slice().into()]))
        };
        let (own, another) = (of(b"mine").unwrap(), of(b"yours").unwrap());
        assert_eq!((presenter.of_connection(None), presenter.of_connection(Some(&[]))), (None, None));
        assert_eq!(presenter.counters()[0], ("presented_certificates", 2));
        assert_eq!(Senders::Anybody.of_connection(Some(&[b"mine".as_slice().into()])), None, "nobody asked");
        let (unbound, mine) = (verified(None), verified(Some(own.clone())));
        let (to_key, unknown) =
            (verified(Some(Confirmation::of_key("mine"))), verified(Some(Confirmation::default())));
        let to_both = verified(Some(Confirmation { jkt: Some("mine".to_owned()), ..own.clone() }));
        for (token, shown, expected) in [
            (&mine, Shown::Certificate(&own), Ok(())),
            (&mine, Shown::Certificate(&another), Err(CertificateFault::Other)),
            (&mine, Shown::Nothing, Err(CertificateFault::Missing)),
            (&unbound, Shown::Certificate(&own), Err(CertificateFault::Unbound)),
            (&to_key, Shown::Certificate(&own), Err(CertificateFault::Other)),
            (&to_both, Shown::Certificate(&own), Err(CertificateFault::Other)),
            (&unknown, Shown::Certificate(&own), Err(CertificateFault::Other)),
            (&Verified::Unchecked, Shown::Certificate(&own), Ok(())),
        ] {
            assert_eq!(presenter.check_owner(token, shown), expected.map_err(SenderFault::from), "{token:?}");
        }
    }
}
