//! Keys by name, each bound to one algorithm.

use std::collections::HashMap;

use serde::Deserialize as _;

use crate::auth::token::Rejection;
use crate::auth::token::jwks::{Jwk, JwkSet};
use crate::auth::token::jwt::header::Header;
use crate::auth::token::signature::{SignatureScheme, scheme_of};
use crate::registry::Part;

/// What is trusted beside the published keys.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// A key that was agreed on in another way: an HMAC's is never published.
    pub shared_key: Option<Jwk>,
    /// The form of its scheme that verifies, where another than the default is wanted.
    pub scheme: Option<Part<dyn SignatureScheme>>,
}

/// Keys in the form that does the verification.
pub(super) struct Keys<K> {
    by_name: HashMap<String, Vec<Key<K>>>,
    have_twins: bool,
}

/// A key and what it is for.
pub(super) struct Key<K> {
    pub(super) scheme: Part<dyn SignatureScheme>,
    pub(super) prepared: K,
}

impl<K> Keys<K> {
    /// Takes up every published key that `prepare` understands; the others are ignored (RFC 7517 section 5).
    pub(super) fn new(
        published: &JwkSet,
        trust: &Trust,
        prepare: impl Fn(&dyn SignatureScheme, &Jwk) -> Option<K>,
    ) -> Self {
        let published = published.keys.iter().filter_map(|key| Jwk::deserialize(key).ok());
        // A secret that was published is none.
        let published = published.filter(|key| key.material.is_public());
        let mut by_name: HashMap<String, Vec<Key<K>>> = HashMap::new();
        let mut have_twins = false;
        let shared = trust.shared_key.as_ref();
        // No published key of its name takes the place of the shared one.
        let rivals = |key: &Jwk| {
            let same_name = shared.filter(|shared| shared.kid == key.kid);
            same_name
                .is_some_and(|shared| scheme_of(shared).is_some_and(|scheme| scheme.answers_to(&key.alg)))
        };
        let published = published.filter(|key| !rivals(key));
        let mut taken: Vec<Jwk> = Vec::new();
        for key in shared.cloned().into_iter().chain(published) {
            // One that is listed twice is one.
            if taken.contains(&key) {
                continue;
            }
            taken.push(key.clone());
            let wanted = trust.scheme.clone().filter(|scheme| scheme.answers_to(&key.alg));
            let Some(scheme) = wanted.or_else(|| scheme_of(&key)) else { continue };
            let Some(prepared) = prepare(&*scheme, &key) else { continue };
            let of_name: &mut Vec<Key<K>> = by_name.entry(key.kid).or_default();
            have_twins |= of_name.iter().any(|known| known.scheme.alg() == scheme.alg());
            of_name.push(Key { scheme, prepared });
        }
        Self { by_name, have_twins }
    }

    /// The keys that the header may mean, one at least. Keys of one name (RFC 7517 section 4.5) are told apart by their algorithm;
    /// of one name and one algorithm each is to be tried.
    pub(super) fn select(&self, header: &Header<'_>) -> Result<impl Iterator<Item = &K>, Rejection> {
        let candidates = self.named(header.kid.as_deref())?;
        Ok(fitting(candidates, header.alg()?)?.map(|key| &key.prepared))
    }

    /// Whether two keys have one name and one algorithm, so that a header may mean either.
    pub(super) fn have_twins(&self) -> bool {
        self.have_twins
    }

    /// The keys of this name, or the one that a token without `kid` can mean.
    pub(super) fn named(&self, kid: Option<&str>) -> Result<&[Key<K>], Rejection> {
        match kid {
            Some(name) => self.by_name.get(name).map(Vec::as_slice).ok_or(Rejection::UnknownKey),
            None => self.only(),
        }
    }

    /// All of them, always in the same order.
    pub(super) fn all(&self) -> impl Iterator<Item = &K> {
        self.by_name.values().flatten().map(|key| &key.prepared)
    }

    /// What they are called, in the order of the alphabet.
    pub(super) fn names(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.by_name.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    fn only(&self) -> Result<&[Key<K>], Rejection> {
        let mut all = self.by_name.values();
        match (all.next(), all.next()) {
            (None, _) => Err(Rejection::UnknownKey),
            (Some(keys), None) if keys.len() == 1 => Ok(keys),
            _ => Err(Rejection::UnnamedKey),
        }
    }
}

/// Those of them for this algorithm, one at least: it is bound to the key (RFC 8725 section 3.1).
pub(super) fn fitting<'k, K>(
    candidates: &'k [Key<K>],
    alg: &str,
) -> Result<impl Iterator<Item = &'k Key<K>>, Rejection> {
    let mut fitting = candidates.iter().filter(move |key| key.scheme.answers_to(alg));
    let first = fitting.next().ok_or(Rejection::WrongAlgorithm)?;
    Ok(std::iter::once(first).chain(fitting))
}

impl<K> Default for Keys<K> {
    fn default() -> Self {
        Self { by_name: HashMap::new(), have_twins: false }
    }
}
