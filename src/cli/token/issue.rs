//! `bearerbench token issue`: an access token of RFC 9068.

use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use serde_json::{Map, Value};

use crate::auth::token::UnixTime;
use crate::auth::token::jwks::PrivateJwk;
use crate::auth::token::jwt::SigningKey;
use crate::auth::token::opaque;
use crate::auth::token::signature::SignatureScheme;
use crate::cli::token::decoded::Object;
use crate::cli::token::input::{self, Unusable};
use crate::cli::token::key::{Key, Keys};
use crate::cli::{Exit, output, part};
use crate::registry::Part;

/// Sign an access token (RFC 9068) and print it
#[derive(Debug, Args)]
pub(super) struct Issue {
    /// Private key: JWK, JWK Set with one private key, or PEM; - is standard input
    #[arg(long, value_name = "FILE")]
    key: String,
    /// What the key is for, where it does not say so itself (an RSA key in PEM), or the library that signs
    #[arg(long, value_parser = part::signature)]
    alg: Option<Part<dyn SignatureScheme>>,
    /// Issuer: the authorization server
    #[arg(long, visible_alias = "issuer")]
    iss: String,
    /// Audience: the API it is for; may be repeated
    #[arg(long, required = true, visible_alias = "audience")]
    aud: Vec<String>,
    /// Subject: whom it speaks for [default: the client]
    #[arg(long, visible_alias = "subject")]
    sub: Option<String>,
    /// Client that asked for it
    #[arg(long, default_value = "bench")]
    client_id: String,
    /// What it allows, separated by spaces
    #[arg(long, default_value = "read")]
    scope: String,
    /// How long it lives
    #[arg(long, default_value = "10m", value_parser = humantime::parse_duration)]
    lifetime: Duration,
    /// When it is issued, instead of now: seconds since 1970, or a date like 2026-07-01T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = input::date)]
    now: Option<UnixTime>,
    /// A date before which it must not be accepted
    #[arg(long, value_name = "TIME", value_parser = input::date)]
    not_before: Option<UnixTime>,
    /// One more claim: JSON, or else a string; may be repeated
    #[arg(long = "claim", value_name = "NAME=VALUE")]
    claim: Vec<String>,
    /// A file with more claims: a JSON object
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
        let payload = Value::from(self.payload()?).to_string();
        let key = private_key(Keys::read(&self.key, self.alg.as_ref())?)
            .with_context(|| Unusable(format!("the key in {}", self.key)))?;
        let scheme = key.scheme(self.alg.as_ref()).with_context(|| Unusable("the key".to_owned()))?;
        let key = PrivateJwk { public: key.public, private: key.private };
        let key = SigningKey::new(&*scheme, key).with_context(|| Unusable("the key".to_owned()))?;
        output::print(&key.sign_payload(payload.as_bytes())?)?;
        Ok(Exit::Success)
    }

    fn payload(&self) -> anyhow::Result<Map<String, Value>> {
        let now = input::now(self.now);
        let mut payload = Map::new();
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
            [one] => Value::from(one.clone()),
            several => several.into(),
        };
        let subject = self.sub.as_ref().unwrap_or(&self.client_id);
        payload.insert("iss".to_owned(), self.iss.clone().into());
        payload.insert("sub".to_owned(), subject.clone().into());
        payload.insert("aud".to_owned(), audience);
        payload.insert("client_id".to_owned(), self.client_id.clone().into());
        payload.insert("scope".to_owned(), self.scope.clone().into());
        payload.insert("iat".to_owned(), now.secs().into());
        payload.insert("exp".to_owned(), (now + self.lifetime).secs().into());
        payload.insert("jti".to_owned(), opaque::mint().into());
        if let Some(not_before) = self.not_before {
            payload.insert("nbf".to_owned(), not_before.secs().into());
        }
        Ok(payload)
    }

    /// The claims of `--claims` and `--claim`.
    fn further(&self) -> anyhow::Result<Vec<(String, Value)>> {
        let mut further = Vec::new();
        if let Some(file) = &self.claims {
            let text = input::text(file)?;
            let claims: Object = serde_json::from_str(&text)
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
            let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
            further.push((name.to_owned(), value));
        }
        Ok(further)
    }
}

fn private_key(keys: Keys) -> anyhow::Result<Key> {
    let mut keys = match keys {
        Keys::One(key) => vec![*key],
        Keys::Set(keys) => keys,
    };
    keys.retain(Key::is_private);
    anyhow::ensure!(!keys.is_empty(), "it is a public key, which verifies; signing needs the private one");
    anyhow::ensure!(keys.len() == 1, "the set holds {} private keys; give one alone", keys.len());
    Ok(keys.remove(0))
}
