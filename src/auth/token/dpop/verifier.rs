//! Decides on proofs (RFC 9449 section 4.3): all that costs little first, then the signature, then whether the proof was used before.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::auth::token::dpop::nonces::{NonceAge, Nonces};
use crate::auth::token::dpop::proof::{Decoded, ProofClaims, ProofHeader};
use crate::auth::token::dpop::replays::Replays;
use crate::auth::token::dpop::uri::normal;
use crate::auth::token::dpop::{ProofFault, TYPE};
use crate::auth::token::signature::SignatureScheme;
use crate::auth::token::{TokenId, UnixTime};
use crate::registry::Part;

/// What a server asks of proofs.
#[derive(Clone, Debug)]
pub struct ProofRules {
    /// The one algorithm that is accepted, which must not be symmetric.
    pub algorithm: Part<dyn SignatureScheme>,
    /// How old a proof may be, in whole seconds.
    pub max_age: Duration,
    /// Whether a proof must carry a nonce of the server.
    pub nonce: bool,
    /// How many proofs are remembered, so that none is used twice.
    pub replay_cache: u64,
}

/// Decides on the proofs for one resource.
pub struct ProofVerifier {
    rules: ProofRules,
    /// In the form in which it is compared.
    resource: String,
    replays: Replays,
    nonces: Option<Nonces>,
    accepted: AtomicU64,
    refused: AtomicU64,
}

/// What a proof has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedProof {
    /// The RFC 7638 thumbprint of the key that the sender has.
    pub thumbprint: String,
    /// Whether there is a newer nonce, which the sender is to be told.
    pub has_former_nonce: bool,
}

/// How proofs were decided on, so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProofCounts {
    /// Believed.
    pub accepted: u64,
    /// Not believed.
    pub refused: u64,
    /// Forgotten for want of room while they still counted: they could have been used again.
    pub forgotten: u64,
}

/// How far a proof may be ahead of the server's clock (RFC 9449 section 11.1: on the order of seconds).
const AHEAD: Duration = Duration::from_secs(5);

/// Whether a proof of this date counts now.
fn is_in_time(iat: UnixTime, now: UnixTime, max_age: Duration) -> bool {
    iat <= now + AHEAD && now <= iat + max_age
}

/// How long a proof may count, from when it first does: dates are whole seconds, and the last one counts to its end.
fn counts_for(max_age: Duration) -> Duration {
    AHEAD + max_age + Duration::from_secs(1)
}

impl ProofVerifier {
    /// Decides on proofs for what is at this URI; `None` if that is no URI with a host.
    pub fn new(rules: ProofRules, resource: &str) -> Option<Self> {
        let resource = normal(resource)?;
        let replays = Replays::new(rules.replay_cache, counts_for(rules.max_age));
        let nonces = rules.nonce.then(|| Nonces::new(rules.max_age));
        let [accepted, refused] = [0; 2].map(AtomicU64::new);
        Some(Self { rules, resource, replays, nonces, accepted, refused })
    }

    /// The JOSE name of the algorithm that is accepted.
    pub fn algorithm(&self) -> &'static str {
        self.rules.algorithm.alg()
    }

    /// The nonce that clients are told now, if there are any.
    pub fn nonce(&self, now: UnixTime) -> Option<String> {
        self.nonces.as_ref().map(|nonces| nonces.current(now))
    }

    /// Decides on the one of `proofs`, all that came with a request; the token is that of the request, if it needs one. What is accepted
    /// is accepted once.
    pub fn verify<'a>(
        &self,
        method: &str,
        proofs: impl IntoIterator<Item = &'a str>,
        token: Option<&str>,
        now: UnixTime,
    ) -> Result<AcceptedProof, ProofFault> {
        let mut proofs = proofs.into_iter();
        let proof = match (proofs.next(), proofs.next()) {
            (None, _) => Err(ProofFault::Missing),
            (Some(_), Some(_)) => Err(ProofFault::Several),
            (Some(proof), None) => self.decide(method, proof, token, now),
        };
        let count = if proof.is_ok() { &self.accepted } else { &self.refused };
        count.fetch_add(1, Ordering::Relaxed);
        proof
    }

    /// How proofs were decided on.
    pub fn counts(&self) -> ProofCounts {
        ProofCounts {
            accepted: self.accepted.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
            forgotten: self.replays.forgotten(),
        }
    }

    fn decide(
        &self,
        method: &str,
        proof: &str,
        token: Option<&str>,
        now: UnixTime,
    ) -> Result<AcceptedProof, ProofFault> {
        let decoded = Decoded::of(proof)?;
        let header = ProofHeader::read(&decoded.header)?;
        if !header.typ.as_deref().is_some_and(|typ| typ.eq_ignore_ascii_case(TYPE)) {
            return Err(ProofFault::Type);
        }
        if !header.alg.as_deref().is_some_and(|alg| self.rules.algorithm.answers_to(alg)) {
            return Err(ProofFault::Algorithm);
        }
        let key = header.key()?;
        let claims = ProofClaims::read(&decoded.claims)?;
        let jti = claims.jti.as_deref().ok_or(ProofFault::Lacks("jti"))?;
        let age = self.check(&claims, method, token, now)?;
        let verifier = self.rules.algorithm.verifier(&key).map_err(|_| ProofFault::Key)?;
        if !verifier.verifies(decoded.message.as_bytes(), &decoded.signature) {
            return Err(ProofFault::Signature);
        }
        let thumbprint = key.thumbprint();
        // Last, so that nobody but the owner of a key can use up its proofs, or the room for them.
        if !self.replays.take(&thumbprint, jti) {
            return Err(ProofFault::Replayed);
        }
        Ok(AcceptedProof { thumbprint, has_former_nonce: age == NonceAge::Former })
    }

    /// What the claims alone tell, and whether their nonce is the newest.
    fn check(
        &self,
        claims: &ProofClaims<'_>,
        method: &str,
        token: Option<&str>,
        now: UnixTime,
    ) -> Result<NonceAge, ProofFault> {
        if claims.htm.as_deref().ok_or(ProofFault::Lacks("htm"))? != method {
            return Err(ProofFault::Method);
        }
        let htu = claims.htu.as_deref().ok_or(ProofFault::Lacks("htu"))?;
        if htu != self.resource && normal(htu).as_ref() != Some(&self.resource) {
            return Err(ProofFault::Resource);
        }
        let iat = claims.iat.ok_or(ProofFault::Lacks("iat"))?;
        if !is_in_time(iat, now, self.rules.max_age) {
            return Err(ProofFault::Date);
        }
        if let Some(token) = token {
            let ath = claims.ath.as_deref().ok_or(ProofFault::Lacks("ath"))?;
            if ath != TokenId::of(token).to_base64url() {
                return Err(ProofFault::Token);
            }
        }
        let Some(nonces) = &self.nonces else { return Ok(NonceAge::Current) };
        match claims.nonce.as_deref().map_or(NonceAge::Unknown, |nonce| nonces.age(nonce, now)) {
            NonceAge::Unknown => Err(ProofFault::Nonce),
            age => Ok(age),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_is_remembered_until_the_end_of_the_last_second_in_which_it_counts() {
        let iat = UnixTime::from_secs(1_000);
        for seconds in [1, 60] {
            let max_age = Duration::from_secs(seconds);
            let in_time = |now: &u64| is_in_time(iat, UnixTime::from_secs(*now), max_age);
            let counting: Vec<u64> = (0..2_000).filter(in_time).collect();
            let [first, last] = [counting.first(), counting.last()].map(|second| *second.unwrap());
            assert_eq!((first, last), (995, 1_000 + seconds));
            // From the first instant of the first second to the last of the last.
            assert_eq!(counts_for(max_age), Duration::from_secs(last + 1 - first));
        }
    }
}
