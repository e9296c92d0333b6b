//! One JWK as other tools write it: often without name, algorithm or use. No error repeats a value, which may be a secret.

use serde::Deserialize;

use crate::auth::token::jwks::{PrivateJwk, Unfit, WrittenJwk};
use crate::auth::token::signature::SignatureScheme;
use crate::cli::token::key::Key;
use crate::registry::Part;

/// Reads a JWK, public or private. `scheme` is what it is meant for, where it does not say so itself.
pub(super) fn read(text: &str, scheme: Option<&Part<dyn SignatureScheme>>) -> anyhow::Result<Key> {
    let written: WrittenJwk = from_json(text)?;
    let named = written.is_named();
    let key = written.into_key(scheme.map(|scheme| scheme.alg())).map_err(|unfit| match unfit {
        Unfit::NoAlgorithm(kty) => {
            anyhow::anyhow!("a key of type {kty:?} without \"alg\" may be for several; say which: --alg")
        }
        unfit => unfit.into(),
    })?;
    let PrivateJwk { public, private } = key;
    if let Some(scheme) = scheme.filter(|scheme| !scheme.answers_to(&public.alg)) {
        anyhow::bail!("the key is for {:?}, not for {:?}", public.alg, scheme.alg());
    }
    Ok(Key { public, private, named })
}

/// What `text` holds, or where it does not.
pub(super) fn from_json<'a, T: Deserialize<'a>>(text: &'a str) -> anyhow::Result<T> {
    let mut json = serde_json::Deserializer::from_str(text);
    let read = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let (path, inner) = (error.path().to_string(), error.inner());
        let place = format!("line {} column {}", inner.line(), inner.column());
        match inner.classify() {
            serde_json::error::Category::Data if path != "." => {
                anyhow::anyhow!("member {path} at {place} has the wrong type, stands twice or is no base64url")
            }
            serde_json::error::Category::Data => anyhow::anyhow!(
                "no JSON Web Key: a member such as \"kty\" is missing, stands twice or has the wrong type ({place})"
            ),
            _ => anyhow::anyhow!("not JSON: broken at {place}"),
        }
    })?;
    json.end().map_err(|_| anyhow::anyhow!("more stands behind the JSON object"))?;
    Ok(read)
}
