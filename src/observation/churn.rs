//! Tokens that were issued under the load, in the place of others.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::observation::Distribution;

/// How the live tokens of a trial were replaced while its load ran, its warm-up included.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenChurn {
    /// How many tokens were to be replaced by the end of the load.
    pub due: u64,
    /// How many were.
    pub replaced: u64,
    /// How many were not, as the authorization server issued none.
    pub failed: u64,
    /// Why the first of those was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// How long a client waited for a new token.
    pub issuing: Distribution,
}
