//! The parts of a token as anybody can decode them.

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::auth::token::{UnixTime, base64url};

/// A JSON object as it is written: in its order, with members that stand twice.
#[derive(Debug, Default)]
pub(super) struct Object(pub(super) Vec<(String, Value)>);

/// One part of a token, as far as it can be read.
#[derive(Debug)]
pub(super) struct Part<'a> {
    /// As it stands in the token.
    pub(super) text: &'a str,
    /// Its bytes, if it is some base64.
    pub(super) bytes: Option<Vec<u8>>,
    /// Whether it is the one base64url that JWS allows.
    pub(super) strict: bool,
}

/// Takes what a careless reader takes: padding, the other alphabet, stray bits.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

impl<'a> Part<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        if let Ok(bytes) = base64url::decode(text) {
            return Self { text, bytes: Some(bytes), strict: true };
        }
        let bytes = LENIENT.decode(text.replace('+', "-").replace('/', "_")).ok();
        Self { text, bytes, strict: false }
    }

    /// The JSON object in it.
    pub(super) fn object(&self) -> Option<Object> {
        serde_json::from_slice(self.bytes.as_ref()?).ok()
    }
}

impl Object {
    /// The first member of this name.
    pub(super) fn member(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(member, _)| member == name).map(|(_, value)| value)
    }

    /// A name that two members have.
    pub(super) fn repeated(&self) -> Option<&str> {
        let names = self.0.iter().enumerate();
        let repeated = |at: usize, name: &str| self.0[..at].iter().any(|(earlier, _)| earlier == name);
        names
            .map(|(at, (name, _))| (at, name))
            .find(|(at, name)| repeated(*at, name))
            .map(|(_, name)| &**name)
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor)
    }
}

/// A `NumericDate`, which may have a fraction (RFC 7519 section 2).
pub(super) fn seconds(written: &Value, round: fn(f64) -> f64) -> Option<UnixTime> {
    let fraction = || written.as_f64().filter(|seconds| (0.0..9e15).contains(seconds));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range was checked")]
    let whole = || fraction().map(|seconds| round(seconds) as u64);
    written.as_u64().or_else(whole).map(UnixTime::from_secs)
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Object, M::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Object(members))
    }
}
