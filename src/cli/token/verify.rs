//! `bearerbench token verify`: what an API decides on a token, and every check that it makes.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;
use serde_json::{Value, json};

use crate::auth::token::jwks::{Jwk, JwkSet, Operation};
use crate::auth::token::jwt::{
    Asked, CheckOutcome, CheckReport, Examination, KeyRing, TokenCheck, Trust, named_key,
};
use crate::auth::token::signature::SignatureScheme;
use crate::auth::token::{UnixTime, WrittenObject};
use crate::cli::token::decoded::{TokenPart, undressed};
use crate::cli::token::input::{self, STDIN, Unusable};
use crate::cli::token::key::{GivenKey, GivenKeys, why_left_out};
use crate::cli::token::shown::{self, quoted};
use crate::cli::{Exit, output, part};
use crate::registry::Part;

/// Verify an access token, and show every check: exit code 0 if it is accepted, 1 if it is refused
#[derive(Debug, Args)]
pub(super) struct Verify {
    /// Key of the issuer: JWK, JWK Set or PEM; - is standard input
    #[arg(long, value_name = "FILE")]
    key: String,
    /// Signature scheme of the key, if the key does not name it (an RSA key in PEM), or the library that verifies
    #[arg(long, value_parser = part::signature)]
    alg: Option<Part<dyn SignatureScheme>>,
    /// Issuer that the token must have (iss)
    #[arg(long, visible_alias = "iss")]
    issuer: Option<String>,
    /// Audience that the token must have (aud)
    #[arg(long, visible_alias = "aud")]
    audience: Option<String>,
    /// Scope that the token must have
    #[arg(long)]
    scope: Option<String>,
    /// Type (typ) that the token must have instead of at+jwt, like JWT, or "" for none. Of the claims that RFC 9068 requires,
    /// only `exp` is then required
    #[arg(long, value_name = "TYPE")]
    typ: Option<String>,
    /// Tolerance for exp and nbf, where clocks differ
    #[arg(long, default_value = "0s", value_parser = humantime::parse_duration)]
    leeway: Duration,
    /// Time at which to verify, instead of now: seconds since 1970, or a date like 2026-07-01T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = input::date)]
    now: Option<UnixTime>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Token, or - for standard input [default: -]
    token: Option<String>,
}

impl Verify {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        let stdin_twice = self.key == STDIN && self.token.as_deref().is_none_or(|token| token == STDIN);
        if stdin_twice {
            return Err(anyhow::anyhow!("the key is read from there; give the token as an argument"))
                .context(Unusable("standard input for the token".to_owned()));
        }
        let GivenKeys { usable, left_out } =
            GivenKeys::read(&self.key, Operation::Verify, self.alg.as_ref())?;
        let token = input::token(self.token.as_deref())?;
        let kid = named_key(&token);
        let is_alone = usable.len() == 1 && left_out.is_empty();
        let keys = called(usable, kid.as_deref().filter(|_| is_alone));
        let asked = Asked {
            typ: self.typ.as_deref(),
            issuer: self.issuer.as_deref(),
            audience: self.audience.as_deref(),
            scope: self.scope.as_deref(),
            now: input::now(self.now),
            leeway: self.leeway,
        };
        let mut examination = self.ring(&keys).examine(&token, &asked);
        let why = kid.and_then(|kid| Some(format!("{} {}", quoted(&kid), why_left_out(&left_out, &kid)?)));
        explain_key(&mut examination, why);
        let hint = self.hint(&token, &examination);
        let hint = hint.as_deref();
        output::print(&if self.json { json(&examination, hint) } else { text(&examination, hint) })?;
        Ok(if examination.rejection().is_none() { Exit::Success } else { Exit::Failed })
    }

    /// The keys as a resource server has them: published, or one that was agreed on. The token has no say in it.
    fn ring(&self, keys: &[Jwk]) -> KeyRing {
        let shared_key = match keys {
            [only] if !only.material.is_public() => Some(only.clone()),
            _ => None,
        };
        KeyRing::new(&JwkSet::of(keys), &Trust { shared_key, scheme: self.alg.clone() })
    }

    /// What to do about a refusal, where a slip of the hand or a habit of identity providers is likely.
    fn hint(&self, token: &str, examination: &Examination) -> Option<String> {
        examination.rejection()?;
        let ended = |check: TokenCheck| examination.checks[check as usize].outcome;
        let failed = |check| matches!(ended(check), CheckOutcome::Failed(_));
        let header = TokenPart::new(token.split('.').next()?).object();
        let scopes = examination.payload.as_ref().and_then(|payload| payload.member("scp"));
        match (undressed(token).1, header, scopes) {
            (Some(around), ..) if ended(TokenCheck::Base64url) != CheckOutcome::Passed => {
                Some(around.to_owned())
            }
            _ if token.matches('.').count() == 4 => {
                Some("5 parts are those of an encrypted token (JWE)".to_owned())
            }
            (_, Err(_), _) if failed(TokenCheck::Parts) => Some(OPAQUE.to_owned()),
            (_, Ok(header), _) if self.typ.is_none() && failed(TokenCheck::Typ) => {
                Some(of_another_type(&header))
            }
            (.., Some(scopes)) if failed(TokenCheck::Scope) => Some(format!(
                "its scopes stand in \"scp\", as Okta and Microsoft Entra ID have it and RFC 9068 does not: {}",
                shown::line(scopes)
            )),
            _ => None,
        }
    }
}

const OPAQUE: &str = "it is opaque, so that nothing in it can be checked: whoever issued it is asked (introspection, RFC 7662)";

/// How a token is checked that has another type than RFC 9068 asks for.
fn of_another_type(header: &WrittenObject) -> String {
    let typ = header.member("typ").map(|typ| typ.get().trim_matches('"'));
    let plain = |typ: &&str| typ.chars().all(|found| found.is_ascii_alphanumeric() || "+-./".contains(found));
    let (kind, option) = match typ {
        None => ("without a type".to_owned(), "\"\""),
        Some(typ) => (format!("of type {}", quoted(typ)), Some(typ).filter(plain).unwrap_or("TYPE")),
    };
    format!(
        "RFC 9068 is what is checked, and many identity providers issue tokens {kind}: --typ {option} checks one of those, of whose \
         claims exp alone is required"
    )
}

/// The keys, with the names that tokens have to call them by. One that was chosen by hand and has no name of its own is the
/// one that the token means by `kid`.
fn called(keys: Vec<GivenKey>, kid: Option<&str>) -> Vec<Jwk> {
    let called = keys.into_iter().map(|GivenKey { jwk, named, .. }| {
        let mut public = jwk.public;
        if let Some(kid) = kid.filter(|_| !named) {
            kid.clone_into(&mut public.kid);
        }
        public
    });
    called.collect()
}

/// If no key has the name that the token gives its own, says `why`.
fn explain_key(examination: &mut Examination, why: Option<String>) {
    let key = &mut examination.checks[TokenCheck::Key as usize];
    if let (CheckOutcome::Failed(_), Some(why)) = (&key.outcome, why) {
        key.seen = why;
    }
}

fn verdict(examination: &Examination) -> String {
    examination.rejection().map_or_else(|| "accepted".to_owned(), |rejection| format!("refused: {rejection}"))
}

fn text(examination: &Examination, hint: Option<&str>) -> String {
    let mut text = verdict(examination) + "\n";
    for CheckReport { check, outcome, seen } in &examination.checks {
        let result = match outcome {
            CheckOutcome::Passed => "ok",
            CheckOutcome::Failed(_) => "FAILED:",
            CheckOutcome::NotAsked => "not checked:",
            CheckOutcome::NotReached => "not reached",
        };
        let line = format!("  {check:<11} {result} {seen}");
        writeln!(text, "{}", line.trim_end()).expect("a string takes every text");
    }
    if let Some(hint) = hint {
        writeln!(text, "hint: {hint}").expect("a string takes every text");
    }
    shown::printable(&text)
}

/// The answer as JSON.
#[derive(Serialize)]
struct Answer<'a> {
    accepted: bool,
    verdict: String,
    checks: Vec<Value>,
    /// As they are written, if the token is accepted.
    claims: Option<&'a WrittenObject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
}

fn json(examination: &Examination, hint: Option<&str>) -> String {
    let checks = examination.checks.iter().map(|CheckReport { check, outcome, seen }| {
        let result = match outcome {
            CheckOutcome::Passed => "ok",
            CheckOutcome::Failed(_) => "failed",
            CheckOutcome::NotAsked => "not-checked",
            CheckOutcome::NotReached => "not-reached",
        };
        json!({ "check": check, "result": result, "detail": seen })
    });
    let accepted = examination.rejection().is_none();
    shown::json(&Answer {
        accepted,
        verdict: verdict(examination),
        checks: checks.collect(),
        claims: examination.payload.as_ref().filter(|_| accepted),
        hint,
    })
}
