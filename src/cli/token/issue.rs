//! `bearerbench token issue`: an access token of RFC 9068.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::auth::token::jwks::{Operation, PrivateJwk};
use crate::auth::token::jwt::SigningKey;
use crate::auth::token::opaque;
use crate::auth::token::signature::SignatureScheme;
use crate::auth::token::{UnixTime, WrittenObject};
use crate::cli::token::input::{self, Unusable};
use crate::cli::token::key::{GivenKey, GivenKeys};
use crate::cli::token::shown;
use crate::cli::{Exit, output, part};
use crate::registry::Part;

/// Sign an access token (RFC 9068) and print it
#[derive(Debug, Args)]
pub(super) struct Issue {
    /// Private key: JWK, JWK Set with one private key, or PEM; - is standard input
    #[arg(long, value_name = "FILE")]
    key: String,
    /// Signature scheme of the key, if the key does not name it (an RSA key in PEM), or the library that signs
    #[arg(long, value_parser = part::signature)]
    alg: Option<Part<dyn SignatureScheme>>,
    /// Issuer: the authorization server
    #[arg(long, visible_alias = "issuer")]
    iss: String,
    /// Audience: the API that the token is for (may be given several times)
    #[arg(long, required = true, visible_alias = "audience")]
    aud: Vec<String>,
    /// Subject: the user or client that the token stands for [default: the client]
    #[arg(long, visible_alias = "subject")]
    sub: Option<String>,
    /// Client that the token is issued to
    #[arg(long, default_value = "bench")]
    client_id: String,
    /// Scopes of the token, separated by spaces
    #[arg(long, default_value = "read")]
    scope: String,
    /// Lifetime of the token
    #[arg(long, default_value = "10m", value_parser = input::lifetime)]
    lifetime: Duration,
    /// Time of issue instead of now: seconds since 1970, or a date like 2026-07-01T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = input::date)]
    now: Option<UnixTime>,
    /// Time before which the token must not be accepted (nbf)
    #[arg(long, value_name = "TIME", value_parser = input::date)]
    not_before: Option<UnixTime>,
    /// Another claim: a value that is not JSON is a string (may be given several times)
    #[arg(long = "claim", value_name = "NAME=VALUE")]
    claim: Vec<String>,
    /// File with more claims: a JSON object
    #[arg(long, value_name = "FILE")]
    claims: Option<String>,
}

/// Claims that have an option of their own, or that are made anew for every token.
const OWN: &[(&str, &str)] = &[
    ("iss", "--iss"),
    ("sub", "--sub"),
    ("aud", "--aud"),
    ("client_id", "--client-id"),
    ("scope", "--scope"),
    ("iat", "--now"),
    ("exp", "--lifetime"),
    ("nbf", "--not-before"),
    ("jti", "no option, since it is random"),
];

impl Issue {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        let payload = serde_json::to_string(&self.payload()?).expect("it came out of JSON");
        let payload = shown::compact(&payload);
        let (scheme, key, _) = signing_key(&self.key, self.alg.as_ref())?;
        let key = SigningKey::new(&*scheme, key)
            .with_context(|| Unusable(format!("the key in {}", input::name(&self.key))))?;
        output::print(&key.sign_payload(payload.as_bytes())?)?;
        Ok(Exit::Success)
    }

    fn payload(&self) -> anyhow::Result<BTreeMap<String, Box<RawValue>>> {
        let now = input::now(self.now);
        let mut payload = BTreeMap::new();
        for (name, value) in self.further()? {
            let own = OWN.iter().find(|(own, _)| *own == name);
            let unusable = || Unusable(format!("claim {name:?}"));
            if let Some((_, option)) = own {
                return Err(anyhow::anyhow!("it has its own option: {option}")).with_context(unusable);
            }
            if payload.insert(name.clone(), value).is_some() {
                return Err(anyhow::anyhow!("it is given twice")).with_context(unusable);
            }
        }
        let audience = match self.aud.as_slice() {
            [one] => json!(one),
            several => json!(several),
        };
        let mut own = |name: &str, value: Value| {
            let value = serde_json::value::to_raw_value(&value).expect("a value is JSON");
            payload.insert(name.to_owned(), value);
        };
        let expiry = now + self.lifetime;
        own("iss", json!(self.iss));
        own("sub", json!(self.sub.as_ref().unwrap_or(&self.client_id)));
        own("aud", audience);
        own("client_id", json!(self.client_id));
        own("scope", json!(self.scope));
        own("iat", json!(now));
        own("exp", json!(expiry));
        own("jti", json!(opaque::mint()));
        if let Some(not_before) = self.not_before {
            if not_before >= expiry {
                return Err(anyhow::anyhow!("the token expires by then, and would never be valid"))
                    .context(Unusable("--not-before".to_owned()));
            }
            own("nbf", json!(not_before));
        }
        Ok(payload)
    }

    /// The claims of `--claims` and `--claim`, in the digits in which they are written.
    fn further(&self) -> anyhow::Result<Vec<(String, Box<RawValue>)>> {
        let mut further = Vec::new();
        if let Some(file) = &self.claims {
            let text = input::text(file)?;
            let claims: WrittenObject = serde_json::from_str(&text)
                .context("expected a JSON object of claims")
                .with_context(|| Unusable(file.clone()))?;
            further.extend(claims.0);
        }
        for written in &self.claim {
            let (name, value) = written
                .split_once('=')
                .filter(|(name, _)| !name.is_empty())
                .context("expected NAME=VALUE")
                .with_context(|| Unusable(format!("--claim {written:?}")))?;
            let value = match serde_json::from_str::<Box<RawValue>>(value) {
                Ok(value) => value,
                Err(_) => serde_json::value::to_raw_value(value).expect("a text is JSON"),
            };
            further.push((name.to_owned(), value));
        }
        Ok(further)
    }
}

/// A private key, what it signs by, and whether it came with a name.
pub(in crate::cli) fn signing_key(
    file: &str,
    scheme: Option<&Part<dyn SignatureScheme>>,
) -> anyhow::Result<(Part<dyn SignatureScheme>, PrivateJwk, bool)> {
    let mut keys = GivenKeys::read(file, Operation::Sign, scheme)?.usable;
    if keys.len() > 1 {
        return Err(anyhow::anyhow!("the set holds {} private keys; give one alone", keys.len()))
            .with_context(|| Unusable(format!("the key in {}", input::name(file))));
    }
    let GivenKey { jwk, scheme, named } = keys.remove(0);
    Ok((scheme, jwk, named))
}
