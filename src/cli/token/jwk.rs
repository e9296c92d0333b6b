//! One JWK as other tools write it: often without name, algorithm or use. No error repeats a value that may be a secret.

use serde::Deserialize;

use crate::auth::token::jwks::{Operation, PrivateJwk, UnfitKey, WrittenJwk};
use crate::auth::token::signature::SignatureScheme;
use crate::registry::Part;

/// Reads a JWK, public or private. `wanted` is what it is meant for, where it does not say so itself.
pub(super) fn read(
    text: &str,
    operation: Operation,
    wanted: Option<&Part<dyn SignatureScheme>>,
) -> anyhow::Result<PrivateJwk> {
    let written: WrittenJwk = from_json(text)?;
    let key = written.into_key(operation, wanted.map(|scheme| scheme.alg()));
    let key = key.map_err(|unfit| match unfit {
        UnfitKey::NoAlgorithm(kty) => {
            anyhow::anyhow!("a key of type {kty:?} without \"alg\" may be for several; say which: --alg")
        }
        unfit => unfit.into(),
    })?;
    if let Some(wanted) = wanted.filter(|scheme| !scheme.answers_to(&key.public.alg)) {
        anyhow::bail!("the key is for {:?}, not for {:?}", key.public.alg, wanted.alg());
    }
    Ok(key)
}

/// What `text` holds, or where it does not.
pub(in crate::cli) fn from_json<'a, T: Deserialize<'a>>(text: &'a str) -> anyhow::Result<T> {
    let mut json = serde_json::Deserializer::from_str(text);
    let read = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let (path, inner) = (error.path().to_string(), error.inner());
        let place = format!("line {} column {}", inner.line(), inner.column());
        if inner.classify() != serde_json::error::Category::Data {
            return anyhow::anyhow!("not JSON: broken at {place}");
        }
        match (why(&inner.to_string()), path.as_str()) {
            (why, ".") => anyhow::anyhow!("no JSON Web Key: {why} ({place})"),
            (why, path) => anyhow::anyhow!("member {path} at {place}: {why}"),
        }
    })?;
    json.end().map_err(|_| anyhow::anyhow!("more stands behind the JSON object"))?;
    Ok(read)
}

/// Serde's words without what they repeat of the value.
fn why(words: &str) -> String {
    let words = words.rsplit_once(" at line ").map_or(words, |(words, _)| words);
    match words.rsplit_once(", expected ").filter(|_| words.starts_with("invalid ")) {
        Some((_, expected)) => format!("wrong type, expected {expected}"),
        // No values: `missing field`, `duplicate field`, no base64url, and what makes a key unfit.
        None => words.to_owned(),
    }
}
