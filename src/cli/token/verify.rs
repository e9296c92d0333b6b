//! `bearerbench token verify`: what an API decides on a token, and by which check.

use std::time::Duration;

use anyhow::Context as _;
use clap::Args;

use crate::auth::token::UnixTime;
use crate::auth::token::jwks::Jwk;
use crate::auth::token::signature::SignatureScheme;
use crate::cli::token::input::{self, STDIN, Unusable};
use crate::cli::token::key::{Key, Keys};
use crate::cli::token::verdict::{Verdict, kid};
use crate::cli::token::walk::Expectation;
use crate::cli::{Exit, output, part};
use crate::registry::Part;

/// Verify an access token, and say which check failed: exit code 0 if it is accepted, 1 if it is refused
#[derive(Debug, Args)]
pub(super) struct Verify {
    /// Key of the issuer: JWK, JWK Set or PEM; - is standard input
    #[arg(long, value_name = "FILE")]
    key: String,
    /// What the key is for, where it does not say so itself (an RSA key in PEM), or the library that verifies
    #[arg(long, value_parser = part::signature)]
    alg: Option<Part<dyn SignatureScheme>>,
    /// Issuer that it must come from
    #[arg(long, visible_alias = "iss")]
    issuer: Option<String>,
    /// Audience that it must be for
    #[arg(long, visible_alias = "aud")]
    audience: Option<String>,
    /// Scope that it must have
    #[arg(long)]
    scope: Option<String>,
    /// Grace for clocks that disagree
    #[arg(long, default_value = "0s", value_parser = humantime::parse_duration)]
    leeway: Duration,
    /// Another date than now: seconds since 1970, or a date like 2026-07-01T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = input::date)]
    now: Option<UnixTime>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// The token; without it, or for -, it is read from standard input
    token: Option<String>,
}

impl Verify {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        let stdin_twice = self.key == STDIN && self.token.as_deref().is_none_or(|token| token == STDIN);
        if stdin_twice {
            return Err(anyhow::anyhow!("the key is read from there; give the token as an argument"))
                .context(Unusable("standard input for the token".to_owned()));
        }
        let keys = Keys::read(&self.key, self.alg.as_ref())?;
        let token = input::token(self.token.as_deref())?;
        let keys = self.usable(keys, &token).with_context(|| Unusable(format!("the key in {}", self.key)))?;
        let verdict = self.decide(&token, &keys);
        output::print(&if self.json { verdict.json() } else { verdict.text() })?;
        Ok(if verdict.decision.is_ok() { Exit::Success } else { Exit::Failed })
    }

    /// The keys that their schemes can use, each with the name that the token has to call it by.
    ///
    /// A secret counts only when it is the one key given: among several, the token itself would choose whether it is
    /// verified with a published key or with a secret that anybody who holds it can sign with (RFC 8725 section 2.1).
    fn usable(&self, keys: Keys, token: &str) -> anyhow::Result<Vec<Jwk>> {
        let is_usable = |key: &Key| -> anyhow::Result<()> {
            key.scheme(self.alg.as_ref())?.verifier(&key.public)?;
            Ok(())
        };
        match keys {
            Keys::One(mut key) => {
                is_usable(&key)?;
                if !key.named
                    && let Some(kid) = kid(token)
                {
                    // It was chosen by hand; without a name of its own it is the one that is meant.
                    key.public.kid = kid;
                }
                Ok(vec![key.public])
            }
            Keys::Set(keys) => {
                let usable = keys.into_iter().filter(|key| is_usable(key).is_ok()).map(|key| key.public);
                let usable: Vec<Jwk> = usable.filter(|key| key.material.is_public()).collect();
                anyhow::ensure!(
                    !usable.is_empty(),
                    "no key of the set can be used; a secret counts only where it is the one key given"
                );
                Ok(usable)
            }
        }
    }

    fn decide(&self, token: &str, keys: &[Jwk]) -> Verdict {
        let now = input::now(self.now);
        let expected = Expectation {
            keys,
            scheme: self.alg.as_ref(),
            issuer: self.issuer.as_deref(),
            audience: self.audience.as_deref(),
            scope: self.scope.as_deref(),
            now,
            leeway: self.leeway,
        };
        Verdict::on(token, &expected)
    }
}
