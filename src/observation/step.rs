//! Why a trial has the rate that it has, where a subject is measured at several.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One of the rates at which a subject was measured. Trials at different rates are never merged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// The scenario names the rate, among others.
    Sweep,
    /// The rate was tried to find the highest at which a limit holds.
    Search {
        /// The limit, in k6's grammar.
        threshold: String,
        /// Which step of the search of this subject and repetition it is, from 0.
        number: u32,
    },
}
