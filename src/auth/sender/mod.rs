//! Sender constraints: what a client must show beside a token, so that a stolen one is worth nothing. One file each.

mod dpop;
mod mtls;

use std::fmt::Debug;

use crate::auth::token::dpop::ProofRules;
use crate::registry::{Registry, Role, entry};
use crate::wire::CertificateKey;

/// A way to bind tokens to those whom they are issued to, with its settings.
pub trait SenderConstraint: Debug + Send + Sync {
    /// What shows that a token is the sender's.
    fn evidence(&self) -> SenderEvidence;
}

/// What shows that a token is the sender's.
#[derive(Clone, Debug)]
pub enum SenderEvidence {
    /// A proof that is signed for each request, of which this is asked (RFC 9449).
    Proofs(ProofRules),
    /// The certificate of the connection, with a key like this one (RFC 8705).
    Certificate(CertificateKey),
}

/// Every sender constraint.
pub static SENDER_CONSTRAINTS: Registry<dyn SenderConstraint> = Registry {
    role: "sender constraint",
    entries: &[
        entry!(
            "dpop",
            dpop::Dpop,
            "clients sign a proof for every request with the key that their tokens are bound to (RFC 9449)"
        ),
        entry!(
            "mtls",
            mtls::MutualTls,
            "clients present the certificate that their tokens are bound to in every TLS handshake (RFC 8705)"
        ),
    ],
};

impl Role for dyn SenderConstraint {
    fn registry() -> &'static Registry<Self> {
        &SENDER_CONSTRAINTS
    }

    /// Token Binding and HTTP Message Signatures.
    const ELSEWHERE: &'static [&'static str] = &["token-binding", "http-signatures"];
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Choice;

    fn evidence(kind: &str, settings: &str) -> Result<SenderEvidence, String> {
        let choice = Choice { kind: kind.to_owned(), settings: settings.parse().unwrap() };
        let part = SENDER_CONSTRAINTS.resolve(choice).map_err(|error| error.to_string())?;
        Ok(part.evidence())
    }

    fn resolve(settings: &str) -> Result<ProofRules, String> {
        match evidence("dpop", settings)? {
            SenderEvidence::Proofs(rules) => Ok(rules),
            SenderEvidence::Certificate(key) => panic!("{key:?}"),
        }
    }

    #[test]
    fn by_default_certificates_are_es256() {
        for (settings, expected) in [("", "ES256"), ("algorithm = \"RS256\"", "RS256")] {
            let Ok(SenderEvidence::Certificate(key)) = evidence("mtls", settings) else {
                panic!("{settings}")
            };
            assert_eq!(format!("{key:?}"), expected);
        }
        let problem = evidence("mtls", "algorithm = \"ML-DSA-65\"").unwrap_err();
        assert!(problem.contains("expected one of `ES256`, `ES384`, `Ed25519`, `RS256`"), "{problem}");
    }

    #[test]
    fn by_default_proofs_are_es256_and_a_minute_old_at_most() {
        let rules = resolve("").unwrap();
        assert_eq!((rules.algorithm.alg(), rules.max_age.as_secs(), rules.nonce), ("ES256", 60, false));
        let rules =
            resolve("algorithm = \"Ed25519\"\nmax_age = \"5s\"\nnonce = true\nreplay_cache = 7").unwrap();
        assert_eq!((rules.algorithm.alg(), rules.max_age.as_secs(), rules.nonce), ("Ed25519", 5, true));
        assert_eq!(rules.replay_cache, 7);
    }

    #[test]
    fn what_is_no_setting_of_proofs_is_told_with_what_is() {
        for (settings, expected) in [
            (
                "algorithm = \"HS256\"",
                "HS256 is no asymmetric algorithm of a standard (RFC 9449 section 4.2)",
            ),
            ("algorithm = \"none\"", "none is no asymmetric algorithm"),
            ("algorithm = \"FN-DSA-512\"", "FN-DSA-512 is no asymmetric algorithm of a standard"),
            ("algorithm = \"ES257\"", "did you mean \"ES256\"?"),
            ("max_age = \"1500ms\"", "expected whole seconds, 5 s or more, like \"60s\""),
            ("max_age = \"4s\"", "expected whole seconds, 5 s or more, like \"60s\""),
            ("replay_cache = 0", "nonzero"),
            ("nonces = true", "unknown field `nonces`, expected one of `algorithm`, `max_age`, `nonce`"),
        ] {
            let problem = resolve(settings).unwrap_err();
            assert!(problem.contains(expected), "{settings}: {problem}");
        }
    }
}
