//! Keys in whatever form they come: JWK, JWKS or PEM.

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::auth::token::jwks::{Jwk, PrivateJwk, PrivateMembers};
use crate::auth::token::pem::{self, PemKey};
use crate::auth::token::signature::{SignatureScheme, scheme_of};
use crate::cli::part::must_sign;
use crate::cli::token::input::{self, Unusable};
use crate::cli::token::jwk;
use crate::registry::Part;

/// A key, with its private half if that was given.
#[derive(Debug)]
pub(super) struct Key {
    /// What verifies.
    pub(super) public: Jwk,
    /// What signs; empty in a public key.
    pub(super) private: PrivateMembers,
    /// Whether it came with a name. PEM has none.
    pub(super) named: bool,
}

/// What a file held.
#[derive(Debug)]
pub(super) enum Keys {
    /// A JWK, PEM, or a JWK Set with one key.
    One(Box<Key>),
    /// A JWK Set with several keys: those of them that are understood.
    Set(Vec<Key>),
}

/// Tells a set from a key.
#[derive(Deserialize)]
struct Kind {
    keys: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Set<'a> {
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

impl Keys {
    /// Reads a file, or standard input for `-`.
    pub(super) fn read(source: &str, scheme: Option<&Part<dyn SignatureScheme>>) -> anyhow::Result<Self> {
        let text = input::text(source)?;
        parse(text.trim(), scheme).with_context(|| Unusable(format!("the key in {}", input_name(source))))
    }
}

/// How messages name a source.
fn input_name(source: &str) -> &str {
    if source == input::STDIN { "standard input" } else { source }
}

fn parse(text: &str, scheme: Option<&Part<dyn SignatureScheme>>) -> anyhow::Result<Keys> {
    if text.contains("-----BEGIN") {
        let key = match pem::read(text, scheme.map(|scheme| scheme.alg()))? {
            PemKey::Private(PrivateJwk { public, private }) => Key { public, private, named: false },
            PemKey::Public(public) => Key { public, private: PrivateMembers::default(), named: false },
        };
        return Ok(Keys::One(Box::new(key)));
    }
    anyhow::ensure!(text.starts_with('{'), "it is neither a JWK, nor a JWK Set, nor PEM");
    if jwk::from_json::<Kind>(text)?.keys.is_none() {
        return jwk::read(text, scheme).map(Box::new).map(Keys::One);
    }
    let set: Set<'_> = jwk::from_json(text)?;
    let mut good = understood(set.keys.iter().map(|key| jwk::read(key.get(), scheme)).collect())?;
    if set.keys.len() == 1 {
        return Ok(Keys::One(Box::new(good.remove(0))));
    }
    Ok(Keys::Set(good))
}

/// RFC 7517 section 5: keys of a set that are not understood are ignored; but one must be left.
fn understood(read: Vec<anyhow::Result<Key>>) -> anyhow::Result<Vec<Key>> {
    anyhow::ensure!(!read.is_empty(), "the set holds no key");
    let (good, bad): (Vec<_>, Vec<_>) = read.into_iter().partition(Result::is_ok);
    match bad.into_iter().find_map(Result::err) {
        Some(error) if good.is_empty() => Err(error.context("no key of the set is understood")),
        _ => Ok(good.into_iter().filter_map(Result::ok).collect()),
    }
}

impl Key {
    /// Whether it signs.
    pub(super) fn is_private(&self) -> bool {
        self.private != PrivateMembers::default() || !self.public.material.is_public()
    }

    /// The form of its scheme that was asked for, or the default one. No key is for a control of the bench.
    pub(super) fn scheme(
        &self,
        wanted: Option<&Part<dyn SignatureScheme>>,
    ) -> anyhow::Result<Part<dyn SignatureScheme>> {
        let wanted = wanted.filter(|scheme| scheme.answers_to(&self.public.alg)).cloned();
        let unknown =
            || format!("no signature scheme is called {:?}; see `bearerbench list`", self.public.alg);
        let scheme = wanted.or_else(|| scheme_of(&self.public)).with_context(unknown)?;
        must_sign(&scheme).map_err(anyhow::Error::msg)?;
        Ok(scheme)
    }
}
