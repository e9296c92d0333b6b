//! The claims of a token, read as RFC 9068 section 2.2 demands them.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed as _, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::auth::token::object::{self, Members, Object};
use crate::auth::token::{Audience, Claims, Rejection, Section, UnixTime};

/// The claims that are the whole of `json`.
pub(super) fn read(json: &[u8]) -> Result<Claims, Rejection> {
    object::read::<Written>(json)?.complete()
}

/// The same for a library that asks serde for claims.
pub(super) struct StrictClaims(pub(super) Claims);

impl<'de> Deserialize<'de> for StrictClaims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Object::<Written>::noting(&Cell::new(None)).deserialize(deserializer)?;
        written.complete().map(Self).map_err(D::Error::custom)
    }
}

#[derive(Default)]
struct Written {
    iss: Option<String>,
    sub: Option<String>,
    aud: Option<Audience>,
    client_id: Option<String>,
    scope: Option<String>,
    iat: Option<UnixTime>,
    nbf: Option<UnixTime>,
    exp: Option<UnixTime>,
    jti: Option<String>,
}

impl Written {
    /// All that RFC 9068 requires is there.
    fn complete(self) -> Result<Claims, Rejection> {
        Ok(Claims {
            iss: required(self.iss, "iss")?,
            sub: required(self.sub, "sub")?,
            aud: required(self.aud, "aud")?,
            client_id: required(self.client_id, "client_id")?,
            scope: self.scope.unwrap_or_default(),
            iat: required(self.iat, "iat")?,
            nbf: self.nbf,
            exp: required(self.exp, "exp")?,
            jti: required(self.jti, "jti")?,
        })
    }
}

fn required<T>(claim: Option<T>, name: &'static str) -> Result<T, Rejection> {
    claim.ok_or(Rejection::Lacks(Section::Claims, name))
}

impl<'de> Members<'de> for Written {
    const SECTION: Section = Section::Claims;
    const NAMES: &'static [&'static str] =
        &["iss", "sub", "aud", "client_id", "scope", "iat", "nbf", "exp", "jti"];

    fn read<A: MapAccess<'de>>(&mut self, name: usize, map: &mut A) -> Result<(), A::Error> {
        match Self::NAMES[name] {
            "iss" => self.iss = Some(map.next_value()?),
            "sub" => self.sub = Some(map.next_value()?),
            "aud" => self.aud = Some(map.next_value()?),
            "client_id" => self.client_id = Some(map.next_value()?),
            "scope" => self.scope = Some(map.next_value()?),
            "iat" => self.iat = Some(map.next_value::<NumericDate>()?.begun()),
            // In doubt against the token: the latter second to begin with, the former to end with.
            "nbf" => self.nbf = Some(map.next_value::<NumericDate>()?.ended()),
            "exp" => self.exp = Some(map.next_value::<NumericDate>()?.begun()),
            _ => self.jti = Some(map.next_value()?),
        }
        Ok(())
    }
}

/// Seconds since 1970, which may have a fraction (RFC 7519 section 2).
enum NumericDate {
    Whole(u64),
    Fractional(f64),
}

/// Beyond this a `f64` does not tell seconds apart.
const LARGEST: f64 = 9_007_199_254_740_992.0;

impl NumericDate {
    /// The whole second that it lies in.
    fn begun(self) -> UnixTime {
        self.rounded(f64::floor)
    }

    /// The first whole second not before it.
    fn ended(self) -> UnixTime {
        self.rounded(f64::ceil)
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked when it was read")]
    fn rounded(self, round: fn(f64) -> f64) -> UnixTime {
        UnixTime::from_secs(match self {
            Self::Whole(seconds) => seconds,
            Self::Fractional(seconds) => round(seconds) as u64,
        })
    }
}

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DateVisitor;
        impl Visitor<'_> for DateVisitor {
            type Value = NumericDate;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("seconds since 1970")
            }

            fn visit_u64<E>(self, seconds: u64) -> Result<NumericDate, E> {
                Ok(NumericDate::Whole(seconds))
            }

            fn visit_f64<E: serde::de::Error>(self, seconds: f64) -> Result<NumericDate, E> {
                if (0.0..=LARGEST).contains(&seconds) {
                    Ok(NumericDate::Fractional(seconds))
                } else {
                    Err(E::invalid_value(serde::de::Unexpected::Float(seconds), &self))
                }
            }
        }
        deserializer.deserialize_any(DateVisitor)
    }
}
