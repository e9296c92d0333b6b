//! Keys as other people write them (RFC 7517 section 4): hardly a member is required, and unknown ones are ignored.

use serde::de::{Error as _, IgnoredAny};
use serde::{Deserialize, Deserializer};

use crate::auth::token::base64url::{Base64Url, Secret};
use crate::auth::token::jwks::{Jwk, KeyMaterial, PrivateJwk, PrivateMembers};

/// Every member that some key type has. `P` is what a private member is read as: a secret, or nothing at all.
///
/// No `flatten` of serde here: it would keep secrets in buffers that nobody overwrites.
#[derive(Deserialize)]
#[serde(bound = "P: Deserialize<'de>")]
struct Members<P> {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    x: Option<Base64Url>,
    y: Option<Base64Url>,
    n: Option<Base64Url>,
    e: Option<Base64Url>,
    #[serde(rename = "pub")]
    public: Option<Base64Url>,
    k: Option<Secret>,
    d: Option<P>,
    p: Option<P>,
    q: Option<P>,
    dp: Option<P>,
    dq: Option<P>,
    qi: Option<P>,
    #[serde(rename = "priv")]
    akp: Option<P>,
}

/// A key as somebody wrote it, perhaps without name or algorithm, perhaps without a private half.
#[derive(Deserialize)]
pub struct WrittenJwk(Members<Secret>);

/// Why a key is not one for signatures. Tells no member but `kty` and `use`.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// A member that its type requires (RFC 7518 section 6, RFC 8037 section 2, RFC 9964 section 3) is not there.
    #[error("a key of type {kty:?} lacks {member:?}")]
    Lacks {
        /// Its type.
        kty: String,
        /// The member.
        member: &'static str,
    },
    /// `kty` is of another registry.
    #[error("unknown key type {0:?}; known: EC, OKP, RSA, AKP, oct")]
    Type(String),
    /// Nothing says which algorithm it is for.
    #[error("a key of type {0:?} lacks \"alg\", and its form allows more than one")]
    NoAlgorithm(String),
    /// `use` is there, and not `sig` (RFC 7517 section 4.2).
    #[error("a key for another use than signatures (\"use\" {0:?}, expected \"sig\")")]
    Use(String),
    /// `key_ops` is there, with neither `sign` nor `verify` (RFC 7517 section 4.3).
    #[error("a key for other operations than signatures (\"key_ops\", expected \"verify\" or \"sign\")")]
    Operations,
}

impl WrittenJwk {
    /// Whether it has a name of its own, rather than its thumbprint.
    pub fn is_named(&self) -> bool {
        self.0.kid.is_some()
    }

    /// The key, whose private half is empty if none was written. `fallback` is its algorithm where it says nothing
    /// itself and where its curve says nothing either.
    pub fn into_key(mut self, fallback: Option<&str>) -> Result<PrivateJwk, Unfit> {
        let public = self.0.public(fallback)?;
        let Members { d, p, q, dp, dq, qi, akp, .. } = self.0;
        Ok(PrivateJwk { public, private: PrivateMembers { d, p, q, dp, dq, qi, akp } })
    }
}

impl<P> Members<P> {
    fn public(&mut self, fallback: Option<&str>) -> Result<Jwk, Unfit> {
        if let Some(usage) = self.usage.take().filter(|usage| usage != "sig") {
            return Err(Unfit::Use(usage));
        }
        // RFC 7517 section 4.3. A private key may say that it signs, and leave the rest to its public half.
        let for_signatures = |operation: &String| operation == "verify" || operation == "sign";
        if self.key_ops.take().is_some_and(|operations| !operations.iter().any(for_signatures)) {
            return Err(Unfit::Operations);
        }
        let material = self.material()?;
        let implied = || algorithm_of_curve(&material).or(fallback).or_else(|| usual_algorithm(&material));
        let alg = self.alg.take().or_else(|| implied().map(str::to_owned));
        let alg = alg.ok_or_else(|| Unfit::NoAlgorithm(self.kty.clone()))?;
        let mut key = Jwk::new(&alg, material);
        if let Some(kid) = self.kid.take() {
            key.kid = kid;
        }
        Ok(key)
    }

    fn material(&mut self) -> Result<KeyMaterial, Unfit> {
        let kty = &self.kty;
        let lacks = |member| Unfit::Lacks { kty: kty.clone(), member };
        Ok(match kty.as_str() {
            "EC" => KeyMaterial::EllipticCurve {
                crv: self.crv.take().ok_or_else(|| lacks("crv"))?,
                x: self.x.take().ok_or_else(|| lacks("x"))?,
                y: self.y.take().ok_or_else(|| lacks("y"))?,
            },
            "OKP" => KeyMaterial::OctetKeyPair {
                crv: self.crv.take().ok_or_else(|| lacks("crv"))?,
                x: self.x.take().ok_or_else(|| lacks("x"))?,
            },
            "RSA" => KeyMaterial::Rsa {
                n: self.n.take().ok_or_else(|| lacks("n"))?,
                e: self.e.take().ok_or_else(|| lacks("e"))?,
            },
            "AKP" => {
                KeyMaterial::AlgorithmKeyPair { public: self.public.take().ok_or_else(|| lacks("pub"))? }
            }
            "oct" => KeyMaterial::Octets { k: self.k.take().ok_or_else(|| lacks("k"))? },
            "none" => KeyMaterial::Nothing,
            _ => return Err(Unfit::Type(kty.clone())),
        })
    }
}

/// The one algorithm that a key on this curve is for.
fn algorithm_of_curve(material: &KeyMaterial) -> Option<&'static str> {
    match material {
        KeyMaterial::EllipticCurve { crv, .. } if crv == "P-256" => Some("ES256"),
        KeyMaterial::EllipticCurve { crv, .. } if crv == "P-384" => Some("ES384"),
        KeyMaterial::OctetKeyPair { crv, .. } if crv == "Ed25519" => Some("Ed25519"),
        _ => None,
    }
}

/// RSA keys fit several algorithms: RS256 is what every verifier knows and what key sets that say nothing mean. The forms
/// of `AKP` and `oct` tell nothing.
fn usual_algorithm(material: &KeyMaterial) -> Option<&'static str> {
    matches!(material, KeyMaterial::Rsa { .. }).then_some("RS256")
}

impl<'de> Deserialize<'de> for Jwk {
    /// Private members are not even looked at.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Members::<IgnoredAny>::deserialize(deserializer)?.public(None).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for PrivateJwk {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        WrittenJwk::deserialize(deserializer)?.into_key(None).map_err(D::Error::custom)
    }
}
