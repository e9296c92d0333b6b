//! JSON objects in tokens, read in one pass and strictly: UTF-8, no member twice, nothing behind the end.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::auth::token::{Rejection, Section};

/// What is kept of an object.
pub(super) trait Members<'de>: Default {
    /// Where the object stands.
    const SECTION: Section;
    /// The members that are looked at, at most 32.
    const NAMES: &'static [&'static str];

    /// Reads the value of the member at this place among the names.
    fn read<A: MapAccess<'de>>(&mut self, name: usize, map: &mut A) -> Result<(), A::Error>;
}

/// Why an object cannot be read.
#[derive(Debug)]
pub(super) struct ObjectFault {
    pub(super) rejection: Rejection,
    /// How and where, in words that may repeat what stands there.
    error: Option<serde_json::Error>,
}

/// The members of the object that is the whole of `json`.
pub(super) fn read<'de, M: Members<'de>>(json: &'de [u8]) -> Result<M, ObjectFault> {
    let not_json = Rejection::NotJson(M::SECTION);
    let broken = |error| ObjectFault { rejection: not_json, error };
    // Once for the whole: the parser then need not look at every string, nor skip any unlooked at.
    let text = str::from_utf8(json).map_err(|_| broken(None))?;
    let noted = Cell::new(None);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let members = Object::<M>::noting(&noted).deserialize(&mut deserializer);
    let members = members.map_err(|error| match noted.get() {
        Some(rejection) if error.is_data() => ObjectFault { rejection, error: Some(error) },
        _ => broken(Some(error)),
    })?;
    deserializer.end().map_err(|error| broken(Some(error)))?;
    Ok(members)
}

impl From<ObjectFault> for Rejection {
    fn from(fault: ObjectFault) -> Self {
        fault.rejection
    }
}

impl fmt::Display for ObjectFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.error {
            Some(error) => write!(f, "{}: {error}", self.rejection),
            None => write!(f, "{}: no UTF-8", self.rejection),
        }
    }
}

/// Reads one object. What is wrong with it is noted apart, since an error of serde is but a text.
pub(super) struct Object<'n, M> {
    fault: &'n Cell<Option<Rejection>>,
    members: PhantomData<M>,
}

impl<'n, M> Object<'n, M> {
    pub(super) fn noting(fault: &'n Cell<Option<Rejection>>) -> Self {
        Self { fault, members: PhantomData }
    }
}

impl<'de, M: Members<'de>> DeserializeSeed<'de> for Object<'_, M> {
    type Value = M;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<M, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, M: Members<'de>> Visitor<'de> for Object<'_, M> {
    type Value = M;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<M, A::Error> {
        let mut members = M::default();
        let (mut seen, mut others) = (0_u32, Others::default());
        while let Some(Text(name)) = map.next_key()? {
            let known = M::NAMES.iter().position(|known| **known == *name);
            let first = match known {
                Some(place) => {
                    let before = seen;
                    seen |= 1 << place;
                    seen != before
                }
                None => others.add(name),
            };
            if !first {
                self.fault.set(Some(Rejection::Twice(M::SECTION)));
                return Err(A::Error::custom("a member stands there twice"));
            }
            match known {
                Some(place) => {
                    self.fault.set(Some(Rejection::WrongForm(M::SECTION, M::NAMES[place])));
                    members.read(place, &mut map)?;
                    self.fault.set(None);
                }
                None => {
                    map.next_value::<Skipped>()?;
                }
            }
        }
        Ok(members)
    }
}

/// The names of members that are not looked at.
#[derive(Default)]
struct Others<'de> {
    few: Vec<Cow<'de, str>>,
    many: HashSet<Cow<'de, str>>,
}

/// So few are compared one by one, which is quicker than hashing.
const FEW: usize = 16;

impl<'de> Others<'de> {
    /// Whether it is new. A hash table keeps this linear however many there are.
    fn add(&mut self, name: Cow<'de, str>) -> bool {
        if self.few.contains(&name) {
            return false;
        }
        if self.few.len() < FEW {
            self.few.push(name);
            return true;
        }
        self.many.insert(name)
    }
}

/// A text, borrowed unless it holds escapes.
pub(super) struct Text<'de>(pub(super) Cow<'de, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

/// A value that is not looked at, but must be JSON all the same: `serde::de::IgnoredAny` lets broken escapes, numbers
/// beyond all range and nesting of any depth pass.
pub(super) struct Skipped;

impl<'de> Deserialize<'de> for Skipped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SkippedVisitor)
    }
}

struct SkippedVisitor;

impl<'de> Visitor<'de> for SkippedVisitor {
    type Value = Skipped;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Skipped, E> {
        Ok(Skipped)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Skipped, E> {
        Ok(Skipped)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Skipped, E> {
        Ok(Skipped)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Skipped, E> {
        Ok(Skipped)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Skipped, E> {
        Ok(Skipped)
    }

    fn visit_str<E>(self, _: &str) -> Result<Skipped, E> {
        Ok(Skipped)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Skipped, A::Error> {
        while values.next_element::<Skipped>()?.is_some() {}
        Ok(Skipped)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Skipped, A::Error> {
        // A name is parsed as text whoever asks for it.
        while map.next_key::<IgnoredAny>()?.is_some() {
            map.next_value::<Skipped>()?;
        }
        Ok(Skipped)
    }
}
