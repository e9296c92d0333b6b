//! A proof taken apart: what its header and its claims say (RFC 9449 section 4.2), read with the strictness of tokens.

use std::borrow::Cow;

use serde::de::MapAccess;
use serde_json::value::RawValue;

use crate::auth::token::dpop::ProofFault;
use crate::auth::token::jwks::{Jwk, Operation, PrivateMembers, WrittenJwk};
use crate::auth::token::jwt::TokenParts;
use crate::auth::token::object::{self, Members, Skipped, Text};
use crate::auth::token::time::NumericDate;
use crate::auth::token::{Rejection, Section, UnixTime};

/// The three parts, decoded.
pub(super) struct Decoded<'a> {
    /// What is signed.
    pub(super) message: &'a str,
    pub(super) header: Vec<u8>,
    pub(super) claims: Vec<u8>,
    pub(super) signature: Vec<u8>,
}

impl<'a> Decoded<'a> {
    pub(super) fn of(proof: &'a str) -> Result<Self, ProofFault> {
        let malformed = |_: Rejection| ProofFault::Malformed;
        let parts = TokenParts::of(proof).map_err(malformed)?;
        let [mut header, mut claims, mut signature] = [const { Vec::new() }; 3];
        parts.decode(Section::Header, &mut header).map_err(malformed)?;
        parts.decode(Section::Claims, &mut claims).map_err(malformed)?;
        parts.decode(Section::Signature, &mut signature).map_err(malformed)?;
        Ok(Self { message: parts.message, header, claims, signature })
    }
}

/// The header of a proof.
#[derive(Default)]
pub(super) struct ProofHeader<'a> {
    pub(super) typ: Option<Cow<'a, str>>,
    pub(super) alg: Option<Cow<'a, str>>,
    jwk: Option<&'a RawValue>,
    critical: bool,
}

impl<'a> ProofHeader<'a> {
    pub(super) fn read(json: &'a [u8]) -> Result<Self, ProofFault> {
        let header: Self = object::read(json).map_err(|_| ProofFault::Malformed)?;
        if header.critical { Err(ProofFault::Malformed) } else { Ok(header) }
    }

    /// The public key that is said to have signed, for the algorithm that is named.
    pub(super) fn key(&self) -> Result<Jwk, ProofFault> {
        let written = self.jwk.ok_or(ProofFault::Key)?.get();
        let written: WrittenJwk = serde_json::from_str(written).map_err(|_| ProofFault::Key)?;
        let key = written.into_key(Operation::Verify, self.alg.as_deref()).map_err(|_| ProofFault::Key)?;
        if key.private != PrivateMembers::default() || !key.public.material.is_public() {
            return Err(ProofFault::SecretKey);
        }
        Ok(key.public)
    }
}

impl<'de> Members<'de> for ProofHeader<'de> {
    const SECTION: Section = Section::Header;
    const NAMES: &'static [&'static str] = &["typ", "alg", "jwk", "crit"];

    fn read<A: MapAccess<'de>>(&mut self, name: usize, map: &mut A) -> Result<(), A::Error> {
        match Self::NAMES[name] {
            "typ" => self.typ = Some(map.next_value::<Text>()?.0),
            "alg" => self.alg = Some(map.next_value::<Text>()?.0),
            "jwk" => self.jwk = Some(map.next_value()?),
            _ => {
                map.next_value::<Skipped>()?;
                self.critical = true;
            }
        }
        Ok(())
    }
}

/// The claims of a proof.
#[derive(Default)]
pub(super) struct ProofClaims<'a> {
    pub(super) jti: Option<Cow<'a, str>>,
    pub(super) htm: Option<Cow<'a, str>>,
    pub(super) htu: Option<Cow<'a, str>>,
    pub(super) iat: Option<UnixTime>,
    pub(super) ath: Option<Cow<'a, str>>,
    pub(super) nonce: Option<Cow<'a, str>>,
}

impl<'a> ProofClaims<'a> {
    pub(super) fn read(json: &'a [u8]) -> Result<Self, ProofFault> {
        object::read(json).map_err(|_| ProofFault::Malformed)
    }
}

impl<'de> Members<'de> for ProofClaims<'de> {
    const SECTION: Section = Section::Claims;
    const NAMES: &'static [&'static str] = &["jti", "htm", "htu", "iat", "ath", "nonce"];

    fn read<A: MapAccess<'de>>(&mut self, name: usize, map: &mut A) -> Result<(), A::Error> {
        if Self::NAMES[name] == "iat" {
            self.iat = Some(map.next_value::<NumericDate>()?.begun());
            return Ok(());
        }
        let text = Some(map.next_value::<Text>()?.0);
        match Self::NAMES[name] {
            "jti" => self.jti = text,
            "htm" => self.htm = text,
            "htu" => self.htu = text,
            "ath" => self.ath = text,
            _ => self.nonce = text,
        }
        Ok(())
    }
}
