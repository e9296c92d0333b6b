//! `DPoP` (RFC 9449): proof of possession at the application layer.

use std::num::NonZeroU64;

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::auth::sender::{SenderConstraint, SenderEvidence};
use crate::auth::token::dpop::ProofRules;
use crate::auth::token::signature::{SignatureScheme, Status};
use crate::registry::Part;
use crate::units::Period;

/// Binds tokens to a key of the client, who signs a proof for every request with it.
///
/// * Data flow: the client asks for a token with a proof, a JWT that it signs for this one request and that holds its public key. The
///   authorization server puts the hash of the key into the token, and into what introspection answers about it (`cnf` with `jkt`). The client
///   sends the token with a new proof that names method and URI of the request, the hash of the token and the time. The resource server
///   verifies the proof and that it is new, then compares the hash of its key with that of the token. Behind a gateway nobody asks.
/// * Specification: RFC 9449.
/// * A stolen token is worth nothing without the key. A proof that was stolen with it counts for the same request alone, and once: a server
///   remembers each for as long as it counts.
/// * The cost is that of every request: a header of half a kilobyte, a signature by the client, its verification with a key that comes along,
///   and a place among the proofs that are remembered.
/// * Nothing of it is in the connection: proxies that end TLS may stand before whoever decides on tokens.
/// * Proofs are signed ahead for the tokens that there are when the load begins: not with `jwt-refresh` nor `tokens.churn`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Dpop {
    /// How proofs are signed: an asymmetric algorithm of a published standard.
    #[serde(default = "es256", deserialize_with = "registered")]
    algorithm: Part<dyn SignatureScheme>,
    /// How old a proof may be: whole seconds, 5 s or more. The server remembers each for as long, so that none is used twice.
    #[serde(default = "a_minute", deserialize_with = "whole_seconds")]
    max_age: Period,
    /// Whether a proof must carry a nonce of the server (RFC 9449 section 9), of which there is a new one every `max_age`.
    #[serde(default)]
    nonce: bool,
    /// How many proofs a server remembers at most; the oldest are forgotten first, and counted if they could be used again.
    #[serde(default = "a_million")]
    replay_cache: NonZeroU64,
}

impl SenderConstraint for Dpop {
    fn evidence(&self) -> SenderEvidence {
        SenderEvidence::Proofs(ProofRules {
            algorithm: self.algorithm.clone(),
            max_age: self.max_age.duration(),
            nonce: self.nonce,
            replay_cache: self.replay_cache.get(),
        })
    }
}

fn es256() -> Part<dyn SignatureScheme> {
    Part::named("ES256").expect("a row of the registry")
}

fn a_minute() -> Period {
    Period::from_secs(60)
}

fn a_million() -> NonZeroU64 {
    const { NonZeroU64::new(1_000_000).expect("it is not zero") }
}

/// RFC 9449 section 4.2: an algorithm of the IANA registry of JOSE that is not symmetric.
fn registered<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Part<dyn SignatureScheme>, D::Error> {
    let scheme = Part::<dyn SignatureScheme>::deserialize(deserializer)?;
    let facts = scheme.facts();
    if matches!(facts.status, Status::Standard(_)) && facts.public_key_bytes > 0 {
        return Ok(scheme);
    }
    let name = scheme.kind();
    Err(D::Error::custom(format!(
        "{name} is no asymmetric algorithm of a standard (RFC 9449 section 4.2); expected one like \"ES256\" or \"Ed25519\""
    )))
}

/// The shortest time for which proofs may be signed ahead of their requests.
const SHORTEST_SECONDS: u64 = 5;

fn whole_seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Period, D::Error> {
    let period = Period::deserialize(deserializer)?;
    let length = period.duration();
    if length.subsec_nanos() == 0 && length.as_secs() >= SHORTEST_SECONDS {
        return Ok(period);
    }
    Err(D::Error::custom(format!(
        "a proof may be {period} old, expected whole seconds, {SHORTEST_SECONDS} s or more, like \"60s\""
    )))
}
