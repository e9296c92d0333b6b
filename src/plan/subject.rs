//! One combination under comparison, with everything decided.

use crate::auth::architecture::Architecture;
use crate::auth::sender::SenderConstraint;
use crate::auth::store::Store;
use crate::auth::token::jwt::MAX_CHARACTERS;
use crate::auth::token::jwt::size::token_characters;
use crate::auth::token::signature::{SignatureScheme, Status};
use crate::design::{Checks, TokenFormat};
use crate::metric::Threshold;
use crate::plan::NeededService;
use crate::registry::Part;
use crate::scenario;
use crate::units::ClaimsSize;
use crate::wire::Wire;

/// Architecture, signature scheme, store, sender constraint, wire, and how many resource servers there are.
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
    /// The program that keeps them there, if another one does.
    pub service: Option<NeededService>,
    /// What clients must show beside a token, if anything.
    pub sender: Option<Part<dyn SenderConstraint>>,
    /// How requests travel to its resource servers.
    pub wire: Wire,
    /// Bytes of groups in the claims of its tokens.
    pub extra_claims: ClaimsSize,
    /// How many resource servers share the load; each request goes to one of them by chance.
    pub resource_servers: u32,
    /// What must hold for this subject.
    pub thresholds: Vec<Threshold>,
}

impl Subject {
    /// Decides what was left open, or says what does not go together.
    pub(super) fn decide(
        written: &scenario::Subject,
        position: u32,
        scenario: &scenario::Scenario,
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
        let extra_claims = written.extra_claims.unwrap_or(scenario.tokens.extra_claims);
        let on_tokens = signature.as_ref().filter(|_| architecture.tokens().signs_tokens());
        ensure_readable(extra_claims, on_tokens)?;
        let store = match &written.store {
            Some(store) => store.clone(),
            None => Part::named("memory").map_err(|error| error.to_string())?,
        };
        Ok(Self {
            name: written.label(),
            position,
            architecture,
            signature,
            service: NeededService::of(&store, &scenario.services)?,
            store,
            sender: written.sender.clone(),
            wire: written.wire.unwrap_or(scenario.load.wire),
            extra_claims,
            resource_servers: written.resource_servers.unwrap_or(scenario.load.resource_servers).get(),
            thresholds: written.thresholds.clone(),
        })
    }

    /// What its clients hold.
    pub fn token_format(&self) -> TokenFormat {
        self.architecture.tokens().format(self.signature.is_some())
    }

    /// About how many characters its JWTs have, wherever they are sent as tokens; `None` if there are none.
    pub fn jwt_characters(&self) -> Option<usize> {
        let on_tokens = self.signature.as_ref().filter(|_| self.architecture.tokens().signs_tokens());
        on_tokens.map(|scheme| jwt_characters(self.extra_claims, scheme))
    }

    /// Whether it only shows what everything else costs: it checks nothing, or tokens that nobody signed.
    pub fn is_control(&self) -> bool {
        let unsigned = self.signature.as_ref().is_some_and(|scheme| scheme.facts().status == Status::Control);
        unsigned || self.architecture.design().checks == Checks::Nothing
    }
}

/// Bytes of claims that tokens of the test bed have without groups, at the most: those with a place in a status list.
const BARE_CLAIMS: usize = 300;

fn jwt_characters(extra_claims: ClaimsSize, scheme: &Part<dyn SignatureScheme>) -> usize {
    token_characters(&**scheme, BARE_CLAIMS + extra_claims.bytes() as usize)
}

/// Refuses claims that make a JWT longer than our servers read. Whoever keeps claims at the authorization server may have as many bytes.
fn ensure_readable(
    extra_claims: ClaimsSize,
    signature: Option<&Part<dyn SignatureScheme>>,
) -> Result<(), String> {
    let bytes = extra_claims.bytes() as usize;
    let characters = signature.map_or(bytes, |scheme| jwt_characters(extra_claims, scheme));
    if bytes == 0 || characters <= MAX_CHARACTERS {
        return Ok(());
    }
    let Some(scheme) = signature else {
        return Err(format!("extra_claims: expected at most {MAX_CHARACTERS} bytes, not {bytes}"));
    };
    // Three bytes make four characters.
    let most = bytes.saturating_sub((characters - MAX_CHARACTERS) * 3 / 4 + 3);
    let remedy = if most < 1_000 {
        "set extra_claims = \"0B\", or choose a smaller signature".to_owned()
    } else {
        format!("set extra_claims = \"{}KB\" or less", most / 1_000)
    };
    Err(format!(
        "{extra_claims} of groups make its {scheme} tokens some {characters} characters long, and our servers read at most \
         {MAX_CHARACTERS}; {remedy}"
    ))
}
