//! The signature of a subject's tokens: what is known of it, and how long it takes by itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::observation::Distribution;

/// What is known of a signature scheme, as it was when the trial was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// The JOSE name.
    pub alg: String,
    /// The library that signs and verifies.
    pub library: String,
    /// Whether it withstands a quantum computer, as far as is known.
    pub post_quantum: bool,
    /// Who stands behind it.
    pub status: Status,
    /// What the status rests on, like the number of an RFC; empty for a control.
    pub source: String,
    /// How the library answers the vectors of its peers.
    pub conformance: Conformance,
    /// The same in words.
    pub conformance_in_words: String,
    /// The public key in bytes; 0 where there is none.
    pub public_key_bytes: u32,
    /// The signature in bytes, before base64url.
    pub signature_bytes: u32,
    /// The entry of the key in a key set, as JSON without spaces, in bytes; absent if the key is not published.
    pub key_set_entry_bytes: Option<u64>,
}

/// Who stands behind a scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// A published standard names it for JOSE.
    Standard,
    /// A draft names it; both may change.
    Draft,
    /// Something else took its place.
    Superseded,
    /// A control of the bench, never for use.
    Control,
}

/// How an implementation answers published vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Conformance {
    /// Every one is decided rightly.
    Conforming,
    /// Some are not.
    NonConforming,
    /// Nobody publishes any for this form.
    Unverified,
}

impl Signature {
    /// False if the implementation is known to decide wrongly: its figures are no limit and win nothing.
    pub fn is_trusted(&self) -> bool {
        self.conformance != Conformance::NonConforming
    }
}

/// How long the operations of a scheme took, each by itself, on one core on which nothing else was started.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignatureTimes {
    /// How many of each were timed together.
    pub batches: Batches,
    /// One after the other. Within a round every operation has a slice of time, so that what disturbs one of them
    /// disturbs all.
    pub rounds: Vec<Round>,
}

/// How many operations were timed together: more than one where reading the clock would be a part of the figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Batches {
    /// Key generations.
    pub generate: u32,
    /// Signatures.
    pub sign: u32,
    /// Verifications.
    pub verify: u32,
    /// Validations of a token.
    pub validate: u32,
}

impl Default for Batches {
    fn default() -> Self {
        Self { generate: 1, sign: 1, verify: 1, validate: 1 }
    }
}

/// What was timed in one round: how long each **batch** took.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Round {
    /// Generations of a key. Empty in the later rounds of a scheme whose keys take long, and in all of them if another
    /// library makes its keys.
    pub generate: Distribution,
    /// Signatures of different messages with one key.
    pub sign: Distribution,
    /// Verifications of different signatures with one key, prepared as far as the library lets it be.
    pub verify: Distribution,
    /// Whole validations of different tokens, as the resource servers of the subject do them: parse, verify, check the
    /// claims. Empty if they leave the decision to somebody else.
    pub validate: Distribution,
}
