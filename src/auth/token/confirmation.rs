//! To whose key a token is bound: the claim `cnf` (RFC 7800 section 3.1).

use serde::de::MapAccess;
use serde::{Deserialize, Serialize};

use crate::auth::token::Section;
use crate::auth::token::object::Members;

/// What a sender must show that it has. Where none of the known members is there, nobody can show it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Confirmation {
    /// The RFC 7638 thumbprint of a public key (RFC 9449 section 6.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jkt: Option<String>,
}

impl Confirmation {
    /// The key with this RFC 7638 thumbprint.
    pub fn of_key(thumbprint: impl Into<String>) -> Self {
        Self { jkt: Some(thumbprint.into()) }
    }
}

impl<'de> Members<'de> for Confirmation {
    const SECTION: Section = Section::Claims;
    const NAMES: &'static [&'static str] = &["jkt"];

    fn read<A: MapAccess<'de>>(&mut self, _: usize, map: &mut A) -> Result<(), A::Error> {
        self.jkt = Some(map.next_value()?);
        Ok(())
    }
}
