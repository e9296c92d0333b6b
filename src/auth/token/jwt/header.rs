//! What of a header is looked at (RFC 7515 section 4.1). Keys and links in a header are never followed.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::auth::token::jwt::TYPE;
use crate::auth::token::object::{self, Members, ObjectFault, Skipped, Text};
use crate::auth::token::{Rejection, Section};

/// A header as it is written.
#[derive(Default)]
pub(super) struct Header<'a> {
    alg: Option<Cow<'a, str>>,
    pub(super) kid: Option<Cow<'a, str>>,
    pub(super) typ: Option<Cow<'a, str>>,
    critical: bool,
}

impl<'a> Header<'a> {
    /// Reads the form alone.
    pub(super) fn from_json(json: &'a [u8]) -> Result<Self, ObjectFault> {
        object::read(json)
    }

    /// Reads and checks: form, `alg` there, no `crit`, `typ`.
    pub(super) fn of_access_token(json: &'a [u8]) -> Result<Self, Rejection> {
        Self::of_type(json, TYPE)
    }

    /// The same for a JWT of another type.
    pub(super) fn of_type(json: &'a [u8], typ: &str) -> Result<Self, Rejection> {
        let header = Self::from_json(json)?;
        header.alg()?;
        header.check_critical()?;
        header.check_type(typ)?;
        Ok(header)
    }

    pub(super) fn alg(&self) -> Result<&str, Rejection> {
        self.alg.as_deref().ok_or(Rejection::Lacks(Section::Header, "alg"))
    }

    pub(super) fn check_critical(&self) -> Result<(), Rejection> {
        if self.critical { Err(Rejection::Critical) } else { Ok(()) }
    }

    /// RFC 9068 section 4, RFC 7515 section 4.1.9: with or without `application/`, in any case of letters. A header without
    /// a type has an empty one.
    pub(super) fn check_type(&self, expected: &str) -> Result<(), Rejection> {
        let typ = self.typ.as_deref().unwrap_or_default();
        let fits = subtype(typ).eq_ignore_ascii_case(subtype(expected));
        if fits { Ok(()) } else { Err(Rejection::WrongType) }
    }
}

fn subtype(typ: &str) -> &str {
    const TREE: &str = "application/";
    match typ.get(..TREE.len()) {
        Some(tree) if tree.eq_ignore_ascii_case(TREE) => &typ[TREE.len()..],
        _ => typ,
    }
}

impl<'de> Members<'de> for Header<'de> {
    const SECTION: Section = Section::Header;
    /// Beside those used, the registered ones that must be texts (RFC 7515, RFC 7516, RFC 8555), a list of texts and an
    /// object. Every other member is ignored, as RFC 7515 section 4 asks: also `b64`, which means something only in `crit`.
    const NAMES: &'static [&'static str] = &[
        "alg", "typ", "kid", "crit", "x5c", "jwk", "cty", "enc", "jku", "nonce", "url", "x5t", "x5t#S256",
        "x5u", "zip",
    ];

    fn read<A: MapAccess<'de>>(&mut self, name: usize, map: &mut A) -> Result<(), A::Error> {
        match Self::NAMES[name] {
            "alg" => self.alg = Some(map.next_value::<Text>()?.0),
            "typ" => self.typ = Some(map.next_value::<Text>()?.0),
            "kid" => self.kid = Some(map.next_value::<Text>()?.0),
            "crit" => {
                map.next_value::<Skipped>()?;
                self.critical = true;
            }
            "x5c" => drop(map.next_value::<Vec<Text>>()?),
            "jwk" => {
                map.next_value::<EmbeddedKey>()?;
            }
            _ => drop(map.next_value::<Text>()?),
        }
        Ok(())
    }
}

/// An object with a `kty`, whatever else is in it.
struct EmbeddedKey;

impl<'de> Deserialize<'de> for EmbeddedKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = EmbeddedKey;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<EmbeddedKey, A::Error> {
                let mut has_kind = false;
                while let Some(Text(name)) = map.next_key()? {
                    has_kind |= name == "kty";
                    map.next_value::<Skipped>()?;
                }
                if has_kind { Ok(EmbeddedKey) } else { Err(A::Error::missing_field("kty")) }
            }
        }
        deserializer.deserialize_map(KeyVisitor)
    }
}
