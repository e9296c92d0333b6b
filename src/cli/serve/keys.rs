//! Key files for the servers. Errors never show what is in a file: it may be a secret.

use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::auth::token::jwks::{Jwk, PrivateJwk};
use crate::auth::token::signature::{SignatureScheme, scheme_of};
use crate::cli::part::must_sign;
use crate::cli::token::{Unusable, from_json, of_file};
use crate::registry::Part;

/// The key that signs, and its scheme: the one wanted, or the one that the key names.
pub(super) fn signing(
    path: &Path,
    wanted: Option<Part<dyn SignatureScheme>>,
) -> anyhow::Result<(PrivateJwk, Part<dyn SignatureScheme>)> {
    of(path, || {
        let key: PrivateJwk = read(path, "a private key as a JWK (RFC 7517)")?;
        let scheme = fitting(&key.public, wanted)?;
        scheme.signer(&key).with_context(|| format!("it cannot sign with {scheme}"))?;
        Ok((key, scheme))
    })
}

/// The key that a resource server shares with its authorization server, or knows beforehand.
pub(super) fn shared(path: &Path, wanted: Option<Part<dyn SignatureScheme>>) -> anyhow::Result<Jwk> {
    of(path, || {
        let key: Jwk = read(path, "a key as a JWK (RFC 7517)")?;
        let scheme = fitting(&key, wanted)?;
        scheme.verifier(&key).with_context(|| format!("it cannot verify with {scheme}"))?;
        Ok(key)
    })
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
    of(path, || {
        let keys = match read::<Kind>(path, WHAT)?.keys {
            Some(_) => read::<Set>(path, WHAT)?.keys,
            None => vec![read::<Jwk>(path, WHAT)?],
        };
        for key in &keys {
            let scheme = fitting(key, None)?;
            anyhow::ensure!(
                key.material.is_public(),
                "it holds a secret that cannot be published; give public keys, or key pairs of which the public half is \
                 published"
            );
            scheme.verifier(key).with_context(|| format!("key {:?}", key.kid))?;
        }
        Ok(keys)
    })
}

/// What comes of reading a file; an error names it, and means exit code 2.
fn of<T>(path: &Path, read: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    read().with_context(|| Unusable(format!("the key in {}", path.display())))
}

fn fitting(
    key: &Jwk,
    wanted: Option<Part<dyn SignatureScheme>>,
) -> anyhow::Result<Part<dyn SignatureScheme>> {
    let scheme = match wanted {
        Some(scheme) if scheme.answers_to(&key.alg) => scheme,
        Some(scheme) => anyhow::bail!("it is a key for {:?}, expected one for {scheme}", key.alg),
        None => scheme_of(key).with_context(|| {
            format!("it is a key for {:?}, which no scheme here uses; see `bearerbench list`", key.alg)
        })?,
    };
    must_sign(&scheme).map_err(anyhow::Error::msg)?;
    Ok(scheme)
}

fn read<T: DeserializeOwned>(path: &Path, what: &'static str) -> anyhow::Result<T> {
    let text = of_file(path)?;
    from_json(text.trim()).with_context(|| format!("it is not {what}"))
}
