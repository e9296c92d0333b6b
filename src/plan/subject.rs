//! One combination under comparison, with everything decided.

use crate::auth::architecture::Architecture;
use crate::auth::store::Store;
use crate::auth::token::signature::{SignatureScheme, Status};
use crate::design::{Checks, TokenFormat};
use crate::metric::Threshold;
use crate::registry::Part;
use crate::scenario;
use crate::wire::Wire;

/// Architecture, signature scheme, store and wire.
#[derive(Clone, Debug)]
pub struct Subject {
    /// What reports call it.
    pub name: String,
    /// Its place in the scenario, from 0.
    pub position: u32,
    /// How resource servers decide on tokens.
    pub architecture: Part<dyn Architecture>,
    /// How JWTs are signed; without it there are opaque tokens only.
    pub signature: Option<Part<dyn SignatureScheme>>,
    /// Where the authorization server keeps tokens.
    pub store: Part<dyn Store>,
    /// How requests travel to its resource servers.
    pub wire: Wire,
    /// What must hold for this subject.
    pub thresholds: Vec<Threshold>,
}

impl Subject {
    /// Decides what was left open, or says what does not go together.
    pub(super) fn decide(
        written: &scenario::Subject,
        position: u32,
        load: &scenario::Load,
    ) -> Result<Self, String> {
        if written.name.as_ref().is_some_and(|name| name.trim().is_empty() || name.contains(char::is_control))
        {
            return Err("a `name` is a line of text; leave it away to have one made".to_owned());
        }
        let (architecture, signature) = (written.architecture.clone(), written.signature.clone());
        if architecture.tokens().need_signature() && signature.is_none() {
            let kind = architecture.kind();
            return Err(format!(
                "architecture {kind:?} verifies signatures; add a signature scheme, like signature = \"ES256\""
            ));
        }
        if let Some(scheme) = &signature {
            architecture.accepts(&**scheme)?;
        }
        Ok(Self {
            name: written.label(),
            position,
            architecture,
            signature,
            store: match &written.store {
                Some(store) => store.clone(),
                None => Part::named("memory").map_err(|error| error.to_string())?,
            },
            wire: written.wire.unwrap_or(load.wire),
            thresholds: written.thresholds.clone(),
        })
    }

    /// What its clients hold.
    pub fn token_format(&self) -> TokenFormat {
        self.architecture.tokens().format(self.signature.is_some())
    }

    /// Whether it only shows what everything else costs: it checks nothing, or tokens that nobody signed.
    pub fn is_control(&self) -> bool {
        let unsigned = self.signature.as_ref().is_some_and(|scheme| scheme.facts().status == Status::Control);
        unsigned || self.architecture.design().checks == Checks::Nothing
    }
}
