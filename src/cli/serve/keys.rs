//! Key files for the servers. Errors never show what is in a file: it may be a secret.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use zeroize::Zeroizing;

use crate::auth::token::jwks::{Jwk, PrivateJwk};
use crate::auth::token::signature::{SignatureScheme, scheme_of};
use crate::cli::part::must_sign;
use crate::cli::token::{from_json, without_mark};
use crate::registry::Part;

/// The key that signs, and its scheme: the one wanted, or the one that the key names.
pub(super) fn signing(
    path: &Path,
    wanted: Option<Part<dyn SignatureScheme>>,
) -> anyhow::Result<(PrivateJwk, Part<dyn SignatureScheme>)> {
    let key: PrivateJwk = read(path, "a private key as a JWK (RFC 7517)")?;
    let scheme = fitting(path, &key.public, wanted)?;
    scheme.signer(&key).with_context(|| format!("{} cannot sign with {scheme}", path.display()))?;
    Ok((key, scheme))
}

/// The key that a resource server shares with its authorization server, or knows beforehand.
pub(super) fn shared(path: &Path, wanted: Option<Part<dyn SignatureScheme>>) -> anyhow::Result<Jwk> {
    let key: Jwk = read(path, "a key as a JWK (RFC 7517)")?;
    let scheme = fitting(path, &key, wanted)?;
    scheme.verifier(&key).with_context(|| format!("{} cannot verify with {scheme}", path.display()))?;
    Ok(key)
}

/// Keys as a set holds them. Not the type for sets of strangers: here every key must be understood.
#[derive(Deserialize)]
struct Set {
    keys: Vec<Jwk>,
}

/// Tells a set from a key.
#[derive(Deserialize)]
struct Kind {
    keys: Option<IgnoredAny>,
}

/// The public halves of the keys to publish: those of a set, or of one key.
pub(super) fn published(path: &Path) -> anyhow::Result<Vec<Jwk>> {
    const WHAT: &str = "a key or a set of keys as JSON (RFC 7517)";
    let keys = match read::<Kind>(path, WHAT)?.keys {
        Some(_) => read::<Set>(path, WHAT)?.keys,
        None => vec![read::<Jwk>(path, WHAT)?],
    };
    for key in &keys {
        let scheme = fitting(path, key, None)?;
        anyhow::ensure!(
            key.material.is_public(),
            "{} holds a secret that cannot be published; give public keys, or key pairs of which the public half is \
             published",
            path.display()
        );
        scheme.verifier(key).with_context(|| format!("{}: key {:?}", path.display(), key.kid))?;
    }
    Ok(keys)
}

fn fitting(
    path: &Path,
    key: &Jwk,
    wanted: Option<Part<dyn SignatureScheme>>,
) -> anyhow::Result<Part<dyn SignatureScheme>> {
    let path = path.display();
    let scheme = match wanted {
        Some(scheme) if scheme.answers_to(&key.alg) => scheme,
        Some(scheme) => anyhow::bail!("{path} holds a key for {:?}, expected one for {scheme}", key.alg),
        None => scheme_of(key).with_context(|| {
            format!("{path} holds a key for {:?}, which no scheme here uses; see `bearerbench list`", key.alg)
        })?,
    };
    must_sign(&scheme).map_err(|why| anyhow::anyhow!("cannot use the key in {path}: {why}"))?;
    Ok(scheme)
}

fn read<T: DeserializeOwned>(path: &Path, what: &'static str) -> anyhow::Result<T> {
    let text = fs::read(path).map(Zeroizing::new);
    let text = text.with_context(|| format!("cannot read the key file {}", path.display()))?;
    let read = std::str::from_utf8(&text).context("not text in UTF-8");
    read.and_then(|text| from_json(without_mark(text).trim()))
        .with_context(|| format!("{} is not {what}", path.display()))
}
