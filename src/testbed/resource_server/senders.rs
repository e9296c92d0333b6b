//! What a request must show beside its token, so that the token counts as the sender's.

use hyper::Request;

use crate::auth::architecture::{NotReady, Verified};
use crate::auth::token::WallClock;
use crate::auth::token::dpop::{self, AcceptedProof, PROOF_HEADER, ProofFault, ProofVerifier};
use crate::testbed::spec::{ResourceServerSpec, SenderSpec};

/// Whose requests a token counts for.
pub(super) enum Senders {
    /// Those of whoever has it, unless it is bound to a key.
    Anybody,
    /// Those that the gateway in front has let through.
    BehindGateway,
    /// Those of whoever proves to have the key that it is bound to.
    Owner(Box<ProofVerifier>, WallClock),
}

impl Senders {
    pub(super) fn of(spec: &ResourceServerSpec, clock: WallClock) -> Result<Self, NotReady> {
        match &spec.sender {
            _ if spec.hop > 0 => Ok(Self::BehindGateway),
            None => Ok(Self::Anybody),
            Some(SenderSpec { constraint, resource }) => {
                let verifier = ProofVerifier::new(constraint.proofs(), resource);
                let verifier = verifier.ok_or_else(|| NotReady::Resource(resource.clone()))?;
                Ok(Self::Owner(Box::new(verifier), clock))
            }
        }
    }

    /// How a challenge begins (RFC 6750 section 3, RFC 9449 section 7.1).
    pub(super) fn challenge(&self) -> String {
        match self {
            Self::Anybody | Self::BehindGateway => "Bearer realm=\"bearerbench\"".to_owned(),
            Self::Owner(verifier, _) => {
                format!("{} realm=\"bearerbench\", algs=\"{}\"", dpop::SCHEME, verifier.algorithm())
            }
        }
    }

    /// The token of an `Authorization` header (RFC 6750 section 2.1, RFC 9449 section 7.1); `None` if it is of another scheme.
    pub(super) fn token<'r>(&self, value: &'r str) -> Option<&'r str> {
        let expected: &[&str] = match self {
            Self::Anybody => &["Bearer"],
            // As it came, or another token in its place.
            Self::BehindGateway => &["Bearer", dpop::SCHEME],
            Self::Owner(..) => &[dpop::SCHEME],
        };
        let (scheme, token) = value.split_once(' ')?;
        let is_expected = expected.iter().any(|expected| scheme.eq_ignore_ascii_case(expected));
        is_expected.then(|| token.trim_start_matches(' '))
    }

    /// What the proof of a request shows; `None` where none is asked for.
    pub(super) fn proof<B>(
        &self,
        request: &Request<B>,
        token: &str,
    ) -> Result<Option<AcceptedProof>, ProofFault> {
        let Self::Owner(verifier, clock) = self else { return Ok(None) };
        let proofs = request.headers().get_all(PROOF_HEADER).iter();
        // What is no text is no proof either, but one of those that came.
        let proofs = proofs.map(|proof| proof.to_str().unwrap_or_default());
        verifier.verify(request.method().as_str(), proofs, Some(token), clock.now()).map(Some)
    }

    /// Whether a good token is the sender's.
    pub(super) fn check_owner(
        &self,
        verified: &Verified,
        proof: Option<&AcceptedProof>,
    ) -> Result<(), ProofFault> {
        let cnf = match verified {
            Verified::Claims(claims) => claims.cnf.as_ref(),
            Verified::Stated(claims) => claims.cnf.as_ref(),
            Verified::Unchecked => return Ok(()),
        };
        match (self, cnf, proof) {
            (Self::BehindGateway, ..) | (Self::Anybody, None, _) => Ok(()),
            (Self::Anybody, Some(_), _) | (Self::Owner(..), _, None) => Err(ProofFault::Unproven),
            (Self::Owner(..), None, Some(_)) => Err(ProofFault::Unbound),
            (Self::Owner(..), Some(cnf), Some(proof)) if cnf.jkt.as_ref() == Some(&proof.thumbprint) => {
                Ok(())
            }
            (Self::Owner(..), Some(_), Some(_)) => Err(ProofFault::OtherKey),
        }
    }

    /// The nonce that clients are told now, if there are any.
    pub(super) fn nonce(&self) -> Option<String> {
        let Self::Owner(verifier, clock) = self else { return None };
        verifier.nonce(clock.now())
    }

    /// What it counts, with a name for each.
    pub(super) fn counters(&self) -> Vec<(&'static str, u64)> {
        let Self::Owner(verifier, _) = self else { return Vec::new() };
        let counts = verifier.counts();
        vec![
            ("accepted_proofs", counts.accepted),
            ("refused_proofs", counts.refused),
            ("forgotten_proofs", counts.forgotten),
        ]
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
        let verifier = ProofVerifier::new(constraint.proofs(), "http://a/").unwrap();
        let owner = Senders::Owner(Box::new(verifier), WallClock::system());
        let proof = AcceptedProof { thumbprint: "mine".to_owned(), has_former_nonce: false };
        let (unbound, mine) = (verified(None), verified(Some(Confirmation::of_key("mine"))));
        let (others, unknown) =
            (verified(Some(Confirmation::of_key("yours"))), verified(Some(Confirmation::default())));
        for (senders, token, proof, expected) in [
            (&owner, &mine, Some(&proof), Ok(())),
            (&owner, &others, Some(&proof), Err(ProofFault::OtherKey)),
            (&owner, &unknown, Some(&proof), Err(ProofFault::OtherKey)),
            (&owner, &unbound, Some(&proof), Err(ProofFault::Unbound)),
            (&owner, &mine, None, Err(ProofFault::Unproven)),
            (&owner, &Verified::Unchecked, Some(&proof), Ok(())),
            (&Senders::Anybody, &unbound, None, Ok(())),
            (&Senders::Anybody, &mine, None, Err(ProofFault::Unproven)),
            (&Senders::Anybody, &unknown, None, Err(ProofFault::Unproven)),
            (&Senders::BehindGateway, &mine, None, Ok(())),
        ] {
            assert_eq!(senders.check_owner(token, proof), expected, "{token:?}");
        }
    }
}
