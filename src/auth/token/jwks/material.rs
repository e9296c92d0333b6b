//! The members of a key that differ by its type.

use serde::Serialize;

use crate::auth::token::base64url::{Base64Url, Secret};

/// What verifies, by key type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kty")]
pub enum KeyMaterial {
    /// An elliptic curve point (RFC 7518 section 6.2).
    #[serde(rename = "EC")]
    EllipticCurve {
        /// The curve, like `P-256`.
        crv: String,
        /// The x coordinate, as long as the curve's field.
        x: Base64Url,
        /// The y coordinate, as long as the curve's field.
        y: Base64Url,
    },
    /// An octet key pair (RFC 8037 section 2).
    #[serde(rename = "OKP")]
    OctetKeyPair {
        /// The curve, `Ed25519`.
        crv: String,
        /// The public key.
        x: Base64Url,
    },
    /// RSA (RFC 7518 section 6.3).
    #[serde(rename = "RSA")]
    Rsa {
        /// The modulus, big-endian without leading zeros.
        n: Base64Url,
        /// The public exponent, big-endian without leading zeros.
        e: Base64Url,
    },
    /// A key whose form its algorithm alone defines (RFC 9964 section 3).
    #[serde(rename = "AKP")]
    AlgorithmKeyPair {
        /// The public key.
        #[serde(rename = "pub")]
        public: Base64Url,
    },
    /// A secret that whoever verifies shares with whoever signs (RFC 7518 section 6.4).
    #[serde(rename = "oct")]
    Octets {
        /// The secret.
        k: Secret,
    },
    /// No key at all, for the control `none`. Not a type that any standard knows.
    #[serde(rename = "none")]
    Nothing,
}

impl KeyMaterial {
    /// Its type, as `kty` calls it.
    pub fn kty(&self) -> &'static str {
        match self {
            Self::EllipticCurve { .. } => "EC",
            Self::OctetKeyPair { .. } => "OKP",
            Self::Rsa { .. } => "RSA",
            Self::AlgorithmKeyPair { .. } => "AKP",
            Self::Octets { .. } => "oct",
            Self::Nothing => "none",
        }
    }

    /// Whether everybody may know it.
    pub fn is_public(&self) -> bool {
        !matches!(self, Self::Octets { .. } | Self::Nothing)
    }
}
