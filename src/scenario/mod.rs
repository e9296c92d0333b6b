//! What a person wrote: one question, the subjects to compare, the workload, the thresholds.

mod event;
mod file;
mod invalid;
mod line;
mod mix;
mod services;
mod workload;

use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::auth::architecture::Architecture;
use crate::auth::sender::SenderConstraint;
use crate::auth::store::Store;
use crate::auth::token::signature::SignatureScheme;
use crate::metric::Threshold;
use crate::registry::Part;
use crate::units::ClaimsSize;
use crate::wire::Wire;

pub use event::{EventTarget, Intervention, InvalidTarget, ScenarioEvent, TargetRole};
pub use file::{Override, ScenarioFile};
pub use invalid::InvalidScenario;
pub use mix::{InvalidWeight, Mix, Weight};
pub use services::{ServiceAddress, Services};
pub use workload::{Closed, Load, Revocation, Tokens};

/// A scenario file.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The one question that the scenario answers.
    pub question: String,
    /// Decides every random choice: the same seed gives the same requests.
    #[serde(default = "default_seed")]
    pub seed: u64,
    /// In how many rounds each subject is measured, on freshly started processes; in each of them all subjects take turns, in an
    /// order of its own. By default 3, and 1 for a `sweep` or a `search`.
    pub repetitions: Option<NonZeroU32>,
    /// What must hold for every subject except controls, like `"p(99)<5ms"`.
    #[serde(default)]
    pub thresholds: Vec<Threshold>,
    /// The requests.
    pub load: Load,
    /// The tokens that they carry.
    #[serde(default)]
    pub tokens: Tokens,
    /// The tokens that are revoked while they are in use.
    #[serde(default)]
    pub revocation: Revocation,
    /// What is done to servers while they are measured: the same in every trial.
    #[serde(default, rename = "event")]
    pub events: Vec<ScenarioEvent>,
    /// Where the programs are that keep tokens for an authorization server, if any do.
    #[serde(default)]
    pub services: Services,
    /// What is compared.
    #[serde(rename = "subject")]
    #[schemars(length(min = 1))]
    pub subjects: Vec<Subject>,
}

/// One combination under comparison.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct Subject {
    /// What reports call it; by default the architecture, the signature scheme, the sender constraint, and store, wire, extra claims and the number of
    /// resource servers if it has some of its own.
    pub name: Option<String>,
    /// How resource servers decide on tokens.
    pub architecture: Part<dyn Architecture>,
    /// How JWTs are signed; without it there are opaque tokens only.
    pub signature: Option<Part<dyn SignatureScheme>>,
    /// Where the authorization server keeps tokens; by default in memory.
    pub store: Option<Part<dyn Store>>,
    /// What clients must show beside a token, which is bound to it; without it a token is anybody's who has it.
    pub sender: Option<Part<dyn SenderConstraint>>,
    /// How requests travel to its resource servers; by default as the load says.
    pub wire: Option<Wire>,
    /// Bytes of `groups` in the claims of its tokens; by default as the tokens say.
    pub extra_claims: Option<ClaimsSize>,
    /// How many resource servers share the load, each with gateways of its own where the architecture has them; by default as the load says. The
    /// requests are those of the other subjects whatever it is: the same instants and tokens, probes of revoked ones too.
    pub resource_servers: Option<NonZeroU32>,
    /// What must hold for this subject, beside the thresholds of the scenario.
    #[serde(default)]
    pub thresholds: Vec<Threshold>,
}

impl Subject {
    /// What reports call it.
    pub fn label(&self) -> String {
        if let Some(name) = &self.name {
            return name.clone();
        }
        let mut label = self.architecture.to_string();
        if let Some(signature) = &self.signature {
            label = format!("{label} {signature}");
        }
        if let Some(sender) = &self.sender {
            label = format!("{label}, {sender}");
        }
        if let Some(store) = self.store.as_ref().filter(|store| store.service().is_some()) {
            label = format!("{label}, {store}");
        }
        if let Some(wire) = &self.wire {
            label = format!("{label}, {wire}");
        }
        if let Some(size) = self.extra_claims {
            label = format!("{label}, {size} of groups");
        }
        match self.resource_servers.map(NonZeroU32::get) {
            Some(1) => format!("{label}, 1 resource server"),
            Some(servers) => format!("{label}, {servers} resource servers"),
            None => label,
        }
    }
}

fn default_seed() -> u64 {
    1
}
