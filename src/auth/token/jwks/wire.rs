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
    oth: Option<IgnoredAny>,
    #[serde(rename = "priv")]
    akp: Option<P>,
}

/// What a key is wanted for (RFC 7517 section 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// To make signatures.
    Sign,
    /// To look at them.
    Verify,
}

/// The curves of the schemes here, by key type, each with the one algorithm that a key on it is for.
const CURVES: [(&str, &str, &str); 3] =
    [("EC", "P-256", "ES256"), ("EC", "P-384", "ES384"), ("OKP", "Ed25519", "Ed25519")];

/// A key as somebody wrote it, perhaps without name or algorithm, perhaps without a private half.
#[derive(Deserialize)]
pub struct WrittenJwk(Members<Secret>);

/// Why a key is not one for signatures. Tells names, and no member that may be a secret.
#[derive(Debug, thiserror::Error)]
pub enum UnfitKey {
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
    /// A curve that no scheme here uses.
    #[error("a key of type {kty:?} on the curve {crv:?}, which is not supported; supported: {known}")]
    Curve {
        /// Its type.
        kty: String,
        /// Its curve.
        crv: String,
        /// Those of its type.
        known: String,
    },
    /// RFC 7518 section 6.3.2.7.
    #[error("an RSA key of more than two primes (\"oth\"), which is not supported")]
    ManyPrimes,
    /// `use` is there, and not `sig` (RFC 7517 section 4.2).
    #[error("a key for another use than signatures (\"use\" {0:?}, expected \"sig\")")]
    Use(String),
    /// `key_ops` is there, without what the key is wanted for (RFC 7517 section 4.3).
    #[error("a key for other operations (\"key_ops\" {found:?}, expected {expected:?})")]
    Operations {
        /// What it is for.
        found: Vec<String>,
        /// What it is wanted for.
        expected: &'static str,
    },
}

impl WrittenJwk {
    /// The name of its own, if it has one.
    pub fn kid(&self) -> Option<&str> {
        self.0.kid.as_deref()
    }

    /// The key, whose private half is empty if none was written. `fallback` is its algorithm where it says nothing
    /// itself and where its curve says nothing either.
    pub fn into_key(mut self, operation: Operation, fallback: Option<&str>) -> Result<PrivateJwk, UnfitKey> {
        let public = self.0.public(operation, fallback)?;
        if self.0.oth.is_some() {
            return Err(UnfitKey::ManyPrimes);
        }
        let Members { d, p, q, dp, dq, qi, akp, .. } = self.0;
        Ok(PrivateJwk { public, private: PrivateMembers { d, p, q, dp, dq, qi, akp } })
    }
}

impl<P> Members<P> {
    fn public(&mut self, operation: Operation, fallback: Option<&str>) -> Result<Jwk, UnfitKey> {
        self.must_be_for(operation)?;
        let material = self.material()?;
        let curve = algorithm_of_curve(&self.kty, &material)?;
        let implied = || curve.or(fallback).or_else(|| usual_algorithm(&material));
        let alg = self.alg.take().or_else(|| implied().map(str::to_owned));
        let alg = alg.ok_or_else(|| UnfitKey::NoAlgorithm(self.kty.clone()))?;
        let mut key = Jwk::new(&alg, material);
        if let Some(kid) = self.kid.take() {
            key.kid = kid;
        }
        Ok(key)
    }

    fn must_be_for(&mut self, operation: Operation) -> Result<(), UnfitKey> {
        if let Some(usage) = self.usage.take().filter(|usage| usage != "sig") {
            return Err(UnfitKey::Use(told(&usage)));
        }
        let Some(found) = self.key_ops.take() else { return Ok(()) };
        let is_for = |operation: &str| found.iter().any(|found| found == operation);
        // A key pair that signs says nothing of its public half, which verifies. A shared secret has none.
        let is_pair = self.d.is_some() || self.akp.is_some();
        let expected = match operation {
            Operation::Sign => "sign",
            Operation::Verify => "verify",
        };
        if is_for(expected) || operation == Operation::Verify && is_pair && is_for("sign") {
            return Ok(());
        }
        Err(UnfitKey::Operations { found: found.iter().map(|found| told(found)).collect(), expected })
    }

    fn material(&mut self) -> Result<KeyMaterial, UnfitKey> {
        let kty = &self.kty;
        let lacks = |member| UnfitKey::Lacks { kty: kty.clone(), member };
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
            _ => return Err(UnfitKey::Type(told(kty))),
        })
    }
}

/// The one algorithm that a key on its curve is for, if it has one.
fn algorithm_of_curve(kty: &str, material: &KeyMaterial) -> Result<Option<&'static str>, UnfitKey> {
    let (KeyMaterial::EllipticCurve { crv, .. } | KeyMaterial::OctetKeyPair { crv, .. }) = material else {
        return Ok(None);
    };
    let of_type = || CURVES.iter().filter(|(known, ..)| *known == kty);
    if let Some((.., alg)) = of_type().find(|(_, known, _)| known == crv) {
        return Ok(Some(alg));
    }
    let known: Vec<_> = of_type().map(|(_, crv, _)| *crv).collect();
    Err(UnfitKey::Curve { kty: kty.to_owned(), crv: told(crv), known: known.join(", ") })
}

/// A name as messages repeat it. What is longer than any of them may be a secret in the wrong place.
fn told(name: &str) -> String {
    if name.len() > 24 { "...".to_owned() } else { name.to_owned() }
}

/// RSA keys fit several algorithms: RS256 is what every verifier knows and what key sets that say nothing mean. The forms
/// of `AKP` and `oct` tell nothing.
fn usual_algorithm(material: &KeyMaterial) -> Option<&'static str> {
    matches!(material, KeyMaterial::Rsa { .. }).then_some("RS256")
}

impl<'de> Deserialize<'de> for Jwk {
    /// Private members are not even looked at.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut members = Members::<IgnoredAny>::deserialize(deserializer)?;
        members.public(Operation::Verify, None).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for PrivateJwk {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = WrittenJwk::deserialize(deserializer)?;
        written.into_key(Operation::Sign, None).map_err(D::Error::custom)
    }
}
