//! Keys in whatever form they come: JWK, JWKS or PEM.

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::auth::token::jwks::{Operation, PrivateJwk, PrivateMembers};
use crate::auth::token::pem;
use crate::auth::token::signature::{SignatureScheme, scheme_of};
use crate::cli::part::must_sign;
use crate::cli::token::input::{self, Unusable};
use crate::cli::token::jwk;
use crate::registry::Part;

type Scheme = Part<dyn SignatureScheme>;

/// A key that can do what it is wanted for.
#[derive(Debug)]
pub(super) struct GivenKey {
    /// What verifies, with what signs; the latter is empty in a public key.
    pub(super) jwk: PrivateJwk,
    /// The form of its scheme that was asked for, or the default one.
    pub(super) scheme: Scheme,
    /// Whether it came with a name. PEM has none.
    pub(super) named: bool,
}

/// What a file held.
#[derive(Debug)]
pub(super) struct GivenKeys {
    /// One at least. No two of them have the same name and the same algorithm.
    pub(super) usable: Vec<GivenKey>,
    /// Those beside them that cannot be used (RFC 7517 section 5).
    pub(super) left_out: Vec<LeftOut>,
}

/// A key of a set that cannot be used.
#[derive(Debug)]
pub(super) struct LeftOut {
    /// Its name, if it has one.
    pub(super) kid: Option<String>,
    /// What is wrong with it.
    pub(super) why: String,
}

/// A key as it stood in the file.
struct Written {
    kid: Option<String>,
    jwk: anyhow::Result<PrivateJwk>,
}

/// A key or a set of keys, as far as it must be known before each is read by itself.
#[derive(Default, Deserialize)]
struct Outline<'a> {
    kid: Option<String>,
    #[serde(borrow)]
    keys: Option<Vec<&'a RawValue>>,
}

impl GivenKeys {
    /// Reads a file, or standard input for `-`.
    pub(super) fn read(source: &str, operation: Operation, wanted: Option<&Scheme>) -> anyhow::Result<Self> {
        let text = input::text(source)?;
        let keys = written(text.trim(), operation, wanted).and_then(|keys| Self::of(keys, operation, wanted));
        keys.with_context(|| Unusable(format!("the key in {}", input::name(source))))
    }

    fn of(written: Vec<Written>, operation: Operation, wanted: Option<&Scheme>) -> anyhow::Result<Self> {
        let is_alone = written.len() == 1;
        let mut keys = Self { usable: Vec::new(), left_out: Vec::new() };
        for Written { kid, jwk } in written {
            let named = kid.is_some();
            match jwk.and_then(|jwk| usable(jwk, named, operation, wanted, is_alone)) {
                Ok(key) => keys.add(key)?,
                Err(error) if is_alone => return Err(error),
                Err(error) => keys.left_out.push(LeftOut { kid, why: format!("{error:#}") }),
            }
        }
        let why = keys.left_out.iter().map(|LeftOut { kid, why }| match kid {
            Some(kid) => format!("{kid:?}: {why}"),
            None => why.clone(),
        });
        let why = why.collect::<Vec<_>>().join("; ");
        anyhow::ensure!(!keys.usable.is_empty(), "no key of the set can be used: {why}");
        Ok(keys)
    }

    /// RFC 7517 section 4.5: a name tells keys apart, or name and algorithm do.
    fn add(&mut self, key: GivenKey) -> anyhow::Result<()> {
        let (new, alg) = (&key.jwk.public, key.scheme.alg());
        let same = |known: &&GivenKey| known.jwk.public.kid == new.kid && known.scheme.alg() == alg;
        match self.usable.iter().find(same) {
            None => self.usable.push(key),
            Some(known) => anyhow::ensure!(
                known.jwk.public.material == new.material,
                "two keys of the set are called {:?} and are for {alg:?}, and a token cannot say which it means; give \
                 each a name of its own (RFC 7517 section 4.5)",
                new.kid
            ),
        }
        Ok(())
    }
}

/// What can be said of a name that no usable key has: one of those left out may have it.
pub(super) fn why_left_out(keys: &[LeftOut], kid: &str) -> Option<String> {
    if let Some(key) = keys.iter().find(|key| key.kid.as_deref() == Some(kid)) {
        return Some(format!("is in the set, but cannot be used: {}", key.why));
    }
    let nameless = keys.iter().find(|key| key.kid.is_none())?;
    Some(format!("is not among those that can be used; one without a name cannot: {}", nameless.why))
}

/// The keys of a text.
fn written(text: &str, operation: Operation, wanted: Option<&Scheme>) -> anyhow::Result<Vec<Written>> {
    if text.contains("-----BEGIN") {
        let keys = pem::read(text, wanted.map(|scheme| scheme.alg()))?;
        return Ok(keys.into_iter().map(|jwk| Written { kid: None, jwk: Ok(jwk) }).collect());
    }
    anyhow::ensure!(text.starts_with('{'), "it is neither a JWK, nor a JWK Set, nor PEM{}", advice(text));
    let keys = jwk::from_json::<Outline<'_>>(text)?.keys;
    let keys = keys.map_or_else(|| vec![text], |keys| keys.into_iter().map(RawValue::get).collect());
    anyhow::ensure!(!keys.is_empty(), "the set holds no key");
    let keys = keys.into_iter().map(|key| {
        let Outline { kid, .. } = serde_json::from_str(key).unwrap_or_default();
        Written { kid, jwk: jwk::read(key, operation, wanted) }
    });
    Ok(keys.collect())
}

/// What to do with forms of keys that are not read.
fn advice(text: &str) -> &'static str {
    if text.starts_with("ssh-") || text.starts_with("ecdsa-sha2-") {
        "; a public key of OpenSSH, unless it is for Ed25519, becomes PEM by ssh-keygen -e -m PKCS8 -f FILE"
    } else if text.starts_with("MI") || text.starts_with("MC") {
        "; if it is the base64 of PEM, the lines -----BEGIN ...----- and -----END ...----- around it are missing"
    } else {
        ""
    }
}

/// The key, if it can do what it is wanted for.
///
/// A secret verifies only where it is the one key given: among several, the token itself would choose whether it is
/// verified with a published key or with a secret that anybody who holds it can sign with (RFC 8725 section 2.1).
fn usable(
    jwk: PrivateJwk,
    named: bool,
    operation: Operation,
    wanted: Option<&Scheme>,
    is_alone: bool,
) -> anyhow::Result<GivenKey> {
    let alg = &jwk.public.alg;
    let scheme = wanted.filter(|scheme| scheme.answers_to(alg)).cloned().or_else(|| scheme_of(&jwk.public));
    let unknown = || format!("no signature scheme is called {alg:?}; see `bearerbench list`");
    let scheme = scheme.with_context(unknown)?;
    // No key is for a control of the bench.
    must_sign(&scheme).map_err(anyhow::Error::msg)?;
    let is_public = jwk.public.material.is_public();
    match operation {
        Operation::Sign => {
            let is_private = !is_public || jwk.private != PrivateMembers::default();
            anyhow::ensure!(is_private, "it is a public key, which verifies; signing needs the private one");
            scheme.signer(&jwk)?;
        }
        Operation::Verify => {
            anyhow::ensure!(is_alone || is_public, "a secret counts only where it is the one key given");
            scheme.verifier(&jwk.public)?;
        }
    }
    Ok(GivenKey { jwk, scheme, named })
}
