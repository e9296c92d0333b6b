//! The signature scheme of a trial by itself: its key, what is known of it, and how long it takes in a process of its own.

mod facts;
mod workbench;

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::auth::architecture::Validation;
use crate::auth::token::jwks::PrivateJwk;
use crate::auth::token::signature::{KeyError, SignatureScheme};
use crate::observation::{Signature, SignatureTimes};
use crate::plan::{Placement, Trial};
use crate::registry::Part;
use crate::testbed::process::{self, ProcessError};

pub use workbench::{WorkbenchError, times};

/// The key that signs the tokens of a trial.
pub struct TrialKey {
    /// How it signs.
    pub(super) scheme: Part<dyn SignatureScheme>,
    /// The key.
    pub(super) key: PrivateJwk,
    /// What decides on its tokens at the resource servers.
    validation: Validation,
    extra_claims: u32,
}

/// What a process is told that times a signature scheme.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Task {
    /// The cores it may use.
    pub cores: Vec<u32>,
    /// The scheme.
    pub scheme: Part<dyn SignatureScheme>,
    /// The key to sign with.
    pub key: PrivateJwk,
    /// What decides on a token under the load: its whole path is timed, and none where somebody else decides.
    pub validation: Validation,
    /// Bytes by which groups make the claims larger that are signed.
    #[serde(default)]
    pub extra_claims: u32,
}

/// The subcommand of this program that does the task.
pub const COMMAND: &str = "time-signature";

/// Much longer than the budget of every operation together, even for a key that takes seconds to make.
const LIMIT: Duration = Duration::from_mins(2);

impl TrialKey {
    /// A fresh key for `trial`; none if its tokens are opaque. A large RSA key takes seconds, so a thread of its own
    /// looks for it.
    pub async fn generate(trial: &Trial) -> Result<Option<Self>, KeyError> {
        let Some(scheme) = trial.subject.signature.clone() else { return Ok(None) };
        let validation = trial.subject.architecture.validation();
        let extra_claims = trial.subject.extra_claims.bytes();
        let generation = tokio::task::spawn_blocking(move || {
            let key = scheme.generate()?;
            Ok(Self { scheme, key, validation, extra_claims })
        });
        generation.await.expect("a library that makes no key says so").map(Some)
    }

    /// What is known of its scheme.
    pub fn facts(&self) -> Signature {
        facts::of(&*self.scheme, &self.key.public)
    }

    /// How long its operations take on a core of the servers, in a process of `program` beside which nothing runs.
    pub async fn time(&self, program: &Path, placement: &Placement) -> Result<SignatureTimes, ProcessError> {
        let task = Task {
            cores: placement.servers.clone(),
            scheme: self.scheme.clone(),
            key: self.key.clone(),
            validation: self.validation,
            extra_claims: self.extra_claims,
        };
        process::errand(program, "timing of the signature", COMMAND, &task, LIMIT).await
    }
}
