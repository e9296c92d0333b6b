//! Public keys as an authorization server publishes them (RFC 7517).

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

/// A JWK Set (RFC 7517 section 5). Keys that are not understood are kept as they are and left unused.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct JwkSet {
    /// The keys.
    pub keys: Vec<serde_json::Value>,
}

/// A public key that is understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwk {
    /// The name that tokens call it by: its RFC 7638 thumbprint.
    pub kid: String,
    /// The one algorithm it may be used with.
    pub alg: String,
    /// What it is for: `sig`.
    #[serde(rename = "use")]
    pub usage: String,
    /// The key itself.
    #[serde(flatten)]
    pub material: KeyMaterial,
}

/// The members that differ by key type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kty")]
pub enum KeyMaterial {
    /// An elliptic curve point (RFC 7518 section 6.2), coordinates in base64url.
    #[serde(rename = "EC")]
    EllipticCurve {
        /// The curve, `P-256`.
        crv: String,
        /// The x coordinate.
        x: String,
        /// The y coordinate.
        y: String,
    },
    /// A key whose form its algorithm alone defines (RFC 9964 section 3).
    #[serde(rename = "AKP")]
    AlgorithmKeyPair {
        /// The public key in base64url.
        #[serde(rename = "pub")]
        public: String,
    },
}

impl Jwk {
    /// A signing key of this algorithm, named by its thumbprint.
    pub fn new(alg: &str, material: KeyMaterial) -> Self {
        Self { kid: thumbprint(alg, &material), alg: alg.to_owned(), usage: "sig".to_owned(), material }
    }
}

impl JwkSet {
    /// A set of one key.
    pub fn of(key: &Jwk) -> Self {
        Self { keys: vec![serde_json::to_value(key).expect("a key is plain data")] }
    }
}

/// The RFC 7638 thumbprint: SHA-256 over the required members in the order of their names, no white space.
/// For `AKP` the algorithm is one of them (RFC 9964 section 6).
fn thumbprint(alg: &str, material: &KeyMaterial) -> String {
    let members = match material {
        KeyMaterial::EllipticCurve { crv, x, y } => {
            format!(r#"{{"crv":"{crv}","kty":"EC","x":"{x}","y":"{y}"}}"#)
        }
        KeyMaterial::AlgorithmKeyPair { public } => {
            format!(r#"{{"alg":"{alg}","kty":"AKP","pub":"{public}"}}"#)
        }
    };
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, members.as_bytes()))
}
