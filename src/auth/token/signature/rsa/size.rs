//! The lengths of RSA keys that are worth comparing.

use std::borrow::Cow;

use aws_lc_rs::rsa;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// The length of a modulus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub(super) enum KeySize {
    #[default]
    Bits2048,
    Bits3072,
    Bits4096,
}

/// A length that is not offered.
#[derive(Debug, thiserror::Error)]
#[error("an RSA key of {0} bits; expected 2048, 3072 or 4096")]
pub(super) struct UnknownSize(u32);

impl KeySize {
    /// Of the modulus, and so of a signature.
    pub(super) fn bytes(self) -> u32 {
        u32::from(self) / 8
    }

    /// Of an `RSAPublicKey` (RFC 8017 appendix A.1.1) with the exponent 65537: the modulus with a leading zero, the
    /// exponent of 3, and 10 of tags and lengths.
    pub(super) fn public_key_bytes(self) -> u32 {
        self.bytes() + 1 + 3 + 10
    }
}

impl From<KeySize> for u32 {
    fn from(size: KeySize) -> Self {
        match size {
            KeySize::Bits2048 => 2048,
            KeySize::Bits3072 => 3072,
            KeySize::Bits4096 => 4096,
        }
    }
}

impl TryFrom<u32> for KeySize {
    type Error = UnknownSize;

    fn try_from(bits: u32) -> Result<Self, UnknownSize> {
        let sizes = [Self::Bits2048, Self::Bits3072, Self::Bits4096];
        sizes.into_iter().find(|size| u32::from(*size) == bits).ok_or(UnknownSize(bits))
    }
}

impl From<KeySize> for rsa::KeySize {
    fn from(size: KeySize) -> Self {
        match size {
            KeySize::Bits2048 => Self::Rsa2048,
            KeySize::Bits3072 => Self::Rsa3072,
            KeySize::Bits4096 => Self::Rsa4096,
        }
    }
}

impl JsonSchema for KeySize {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "rsa-key-size".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": [2048, 3072, 4096] })
    }
}
