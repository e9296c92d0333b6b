//! Keys as JSON (RFC 7517): what an authorization server publishes, and what it keeps to itself.

mod material;
mod private;
#[cfg(test)]
mod tests;
mod thumbprint;
mod wire;

use serde::{Deserialize, Serialize};

pub use material::KeyMaterial;
pub use private::{PrivateJwk, PrivateMembers};
pub use wire::{Operation, UnfitKey, WrittenJwk};

/// A JWK Set (RFC 7517 section 5). Keys that are not understood are kept as they are and left unused.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct JwkSet {
    /// The keys.
    pub keys: Vec<serde_json::Value>,
}

/// A key that verifies. One of an HMAC is a secret and never published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Jwk {
    /// The name that tokens call it by: its RFC 7638 thumbprint, unless somebody else chose another.
    pub kid: String,
    /// The one algorithm it may be used with.
    pub alg: String,
    /// What it is for; keys for anything else are none here.
    #[serde(rename = "use")]
    usage: Usage,
    /// The key itself.
    #[serde(flatten)]
    pub material: KeyMaterial,
}

/// What a key is for (RFC 7517 section 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
enum Usage {
    #[serde(rename = "sig")]
    Signatures,
}

impl Jwk {
    /// A key of this algorithm, named by its thumbprint.
    pub fn new(alg: &str, material: KeyMaterial) -> Self {
        let kid = thumbprint::thumbprint(alg, &material);
        Self { kid, alg: alg.to_owned(), usage: Usage::Signatures, material }
    }

    /// Its RFC 7638 thumbprint, whatever it is called.
    pub fn thumbprint(&self) -> String {
        thumbprint::thumbprint(&self.alg, &self.material)
    }
}

impl JwkSet {
    /// Those of the keys that may be published.
    pub fn of<'a>(keys: impl IntoIterator<Item = &'a Jwk>) -> Self {
        let public = keys.into_iter().filter(|key| key.material.is_public());
        Self { keys: public.map(|key| serde_json::to_value(key).expect("a key is plain data")).collect() }
    }
}
