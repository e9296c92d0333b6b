//! Every check of a token with its outcome, by the very functions with which [`KeyRing::verify`] decides; that one stops at
//! the first check that fails, and writes nothing down.

use std::fmt;
use std::time::Duration;

use crate::auth::token::claims::{check_audience, check_beginning, check_expiry, check_issuer, check_scope};
use crate::auth::token::jwt::check::{CHECKS, CheckOutcome, CheckReport, TokenCheck, expected_key};
use crate::auth::token::jwt::header::Header;
use crate::auth::token::jwt::key_ring::{KeyRing, TokenParts, check_size};
use crate::auth::token::jwt::keys::fitting;
use crate::auth::token::jwt::{MAX_CHARACTERS, TYPE};
use crate::auth::token::object::ObjectFault;
use crate::auth::token::{Rejection, Section, StatedClaims, UnixTime, WrittenObject};

/// What a token is examined for.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Its type, where that is not `at+jwt`; empty for a token that has none. RFC 9068 says what claims an access token must
    /// have; of another one none is required but `exp`.
    pub typ: Option<&'a str>,
    /// Its issuer.
    pub issuer: Option<&'a str>,
    /// Somebody whom it is meant for.
    pub audience: Option<&'a str>,
    /// A scope that it must have.
    pub scope: Option<&'a str>,
    /// The date.
    pub now: UnixTime,
    /// Grace for the dates in it.
    pub leeway: Duration,
}

/// What was found.
#[derive(Debug)]
pub struct Examination {
    /// Every check, in order.
    pub checks: Vec<CheckReport>,
    /// The payload, if it is a JSON object.
    pub payload: Option<WrittenObject>,
}

impl Examination {
    /// The first check that failed: what [`KeyRing::verify`] says of a token of which everything is asked.
    pub fn rejection(&self) -> Option<Rejection> {
        self.checks.iter().find_map(|report| match report.outcome {
            CheckOutcome::Failed(rejection) => Some(rejection),
            _ => None,
        })
    }

    fn new() -> Self {
        let unreached = |check| CheckReport { check, outcome: CheckOutcome::NotReached, seen: String::new() };
        Self { checks: CHECKS.map(unreached).into(), payload: None }
    }

    fn note(&mut self, check: TokenCheck, outcome: CheckOutcome, seen: String) {
        let report = &mut self.checks[check as usize];
        (report.outcome, report.seen) = (outcome, seen);
    }

    fn failed(&mut self, check: TokenCheck, rejection: Rejection, seen: String) {
        self.note(check, CheckOutcome::Failed(rejection), seen);
    }

    /// Notes how a check ended, and what was expected if it failed.
    fn made<T>(
        &mut self,
        check: TokenCheck,
        result: Result<T, Rejection>,
        seen: impl fmt::Display,
        expected: impl fmt::Display,
    ) -> Option<T> {
        match result {
            Ok(value) => {
                self.note(check, CheckOutcome::Passed, seen.to_string());
                Some(value)
            }
            Err(rejection) => {
                self.failed(check, rejection, format!("{seen}, where {expected}"));
                None
            }
        }
    }

    /// A claim that is checked only if `asked`.
    fn claim<C: ?Sized>(
        &mut self,
        (check, name): (TokenCheck, &'static str),
        claim: Option<&C>,
        asked: Option<&str>,
        words: impl Fn(&C) -> String,
        fits: impl Fn(&C, &str) -> Result<(), Rejection>,
    ) {
        let seen = claim.map_or_else(|| format!("no {name}"), words);
        let Some(asked) = asked else { return self.note(check, CheckOutcome::NotAsked, seen) };
        let result =
            claim.ok_or(Rejection::Lacks(Section::Claims, name)).and_then(|claim| fits(claim, asked));
        self.made(check, result, seen, format_args!("{} is expected", quoted(asked)));
    }
}

impl KeyRing {
    /// Makes every check that can be made, whatever became of those before.
    pub fn examine(&self, token: &str, asked: &Asked<'_>) -> Examination {
        let mut found = Examination::new();
        self.look(token, asked, &mut found);
        found
    }

    fn look(&self, token: &str, asked: &Asked<'_>, found: &mut Examination) -> Option<()> {
        let (length, dots) = (token.len(), token.matches('.').count());
        found.made(
            TokenCheck::Size,
            check_size(token),
            format_args!("{length} characters"),
            format_args!("at most {MAX_CHARACTERS} are read"),
        )?;
        let parts = TokenParts::split(token).and_then(|parts| parts.check_number().map(|()| parts));
        let number = dots + 1;
        let seen = format!("{number} part{}", if number == 1 { "" } else { "s" });
        let parts = found.made(
            TokenCheck::Parts,
            parts,
            seen,
            "a signed token (compact JWS) has 3: header, payload and signature",
        )?;
        let decoded = [Section::Header, Section::Claims, Section::Signature].map(|section| {
            let mut bytes = Vec::new();
            parts.decode(section, &mut bytes).map(|()| bytes)
        });
        let spoiled = decoded.iter().find_map(|part| part.as_ref().err());
        let lengths = decoded.iter().flatten().map(|bytes| bytes.len().to_string());
        let lengths = lengths.collect::<Vec<_>>().join(" + ");
        match spoiled.copied() {
            Some(rejection) => found.failed(TokenCheck::Base64url, rejection, rejection.to_string()),
            None => found.note(TokenCheck::Base64url, CheckOutcome::Passed, format!("{lengths} bytes")),
        }
        let [header, payload, signature] = decoded.map(Result::ok);
        if let Some(header) = header {
            self.look_at_header(&header, parts.message, signature.as_deref(), asked, found);
        }
        look_at_claims(&payload?, asked, found)
    }

    fn look_at_header(
        &self,
        json: &[u8],
        message: &str,
        signature: Option<&[u8]>,
        asked: &Asked<'_>,
        found: &mut Examination,
    ) -> Option<()> {
        let header = match Header::from_json(json) {
            Ok(header) => header,
            Err(fault) => {
                found.failed(TokenCheck::Header, fault.rejection, words(&fault, json));
                return None;
            }
        };
        match header.alg() {
            Ok(alg) => found.note(TokenCheck::Header, CheckOutcome::Passed, format!("alg {}", quoted(alg))),
            Err(missing) => found.failed(TokenCheck::Header, missing, missing.to_string()),
        }
        found.made(
            TokenCheck::Crit,
            header.check_critical(),
            if header.check_critical().is_ok() {
                "no extension is asked for"
            } else {
                "extensions are asked for"
            },
            "none is understood",
        );
        let typ = asked.typ.unwrap_or(TYPE);
        found.made(
            TokenCheck::Typ,
            header.check_type(typ),
            header.typ.as_deref().map_or_else(|| "none".to_owned(), quoted),
            match asked.typ {
                None => format!("{} is expected (RFC 9068 section 4)", quoted(typ)),
                Some("") => "none is expected".to_owned(),
                Some(typ) => format!("{} is expected", quoted(typ)),
            },
        );
        let number = self.keys.all().count();
        let kid = header.kid.as_deref().map_or_else(|| "none named (kid)".to_owned(), quoted);
        let candidates = self.keys.named(header.kid.as_deref());
        let algs = candidates.iter().copied().flatten().map(|key| quoted(key.scheme.alg()));
        let algs = algs.collect::<Vec<_>>().join(" and ");
        let seen = match (algs.as_str(), &header.kid) {
            ("", _) => kid,
            (_, Some(_)) => format!("{kid} of {number}, for {algs}"),
            (_, None) => format!("{kid}; the only one is for {algs}"),
        };
        let candidates = found.made(TokenCheck::Key, candidates, seen, expected_key(&self.keys.names()))?;
        let alg = header.alg().ok()?;
        let keys = fitting(candidates, alg);
        let mut keys =
            found.made(TokenCheck::Algorithm, keys, quoted(alg), format!("the key is for {algs}"))?;
        let signature = signature?;
        let key = keys.find(|key| key.prepared.verifier.verifies(message.as_bytes(), signature));
        let library = key.map(|key| format!(", verified by {}", key.scheme.facts().library));
        found.made(
            TokenCheck::Signature,
            key.map(|_| ()).ok_or(Rejection::BadSignature),
            format!("{} bytes{}", signature.len(), library.unwrap_or_default()),
            "a signature of this header and payload by the key is expected",
        )
    }
}

fn look_at_claims(json: &[u8], asked: &Asked<'_>, found: &mut Examination) -> Option<()> {
    found.payload = serde_json::from_slice(json).ok();
    let claims = match StatedClaims::from_json(json) {
        Ok(claims) => {
            let number = found.payload.as_ref().map_or(0, |payload| payload.0.len()).to_string();
            let complete = match asked.typ {
                None => claims.clone().complete().map(|_| number + ", those of RFC 9068 among them"),
                Some(_) => Ok(number),
            };
            let seen = complete.clone().unwrap_or_else(|missing| missing.to_string());
            found.made(TokenCheck::Claims, complete, seen, "RFC 9068 section 2.2 requires it");
            claims
        }
        Err(fault) => {
            found.failed(TokenCheck::Claims, fault.rejection, words(&fault, json));
            StatedClaims::readable(found.payload.as_ref()?)
        }
    };
    // A claim that spoiled the whole is neither known nor missing.
    let payload = found.payload.as_ref();
    let [no_iss, no_aud, no_exp, no_nbf, no_scope] = ["iss", "aud", "exp", "nbf", "scope"]
        .map(|name| payload.is_some_and(|payload| payload.member(name).is_none()));
    if no_iss || claims.iss.is_some() {
        found.claim((TokenCheck::Issuer, "iss"), claims.iss.as_deref(), asked.issuer, quoted, check_issuer);
    }
    match &claims.aud {
        Some(nobody) if nobody.is_nobody() && asked.audience.is_none() => {
            found.made(
                TokenCheck::Audience,
                Err::<(), _>(Rejection::WrongAudience),
                "[]",
                "somebody must be meant",
            );
        }
        None if !no_aud => {}
        audience => {
            let words = |aud: &_| serde_json::to_string(aud).expect("names are plain data");
            found.claim(
                (TokenCheck::Audience, "aud"),
                audience.as_ref(),
                asked.audience,
                words,
                check_audience,
            );
        }
    }
    let date = |date: UnixTime| format!("{date}, {}", date.distance(asked.now));
    let expected = format!("{} is now", asked.now);
    if let Some(exp) = claims.exp {
        let result = check_expiry(exp, asked.now, asked.leeway);
        found.made(TokenCheck::Expiry, result, date(exp), &expected);
    } else if no_exp {
        let lacks = Err::<(), _>(Rejection::Lacks(Section::Claims, "exp"));
        found.made(TokenCheck::Expiry, lacks, "no exp", "a token must expire");
    }
    if let Some(nbf) = claims.nbf {
        let result = check_beginning(nbf, asked.now, asked.leeway);
        found.made(TokenCheck::NotBefore, result, date(nbf), &expected);
    } else if no_nbf {
        found.note(TokenCheck::NotBefore, CheckOutcome::Passed, "no nbf".to_owned());
    }
    if no_scope || claims.scope.is_some() {
        // A token without the claim allows nothing.
        let allows = claims.scope.as_deref().unwrap_or_default();
        let words =
            |scope: &str| claims.scope.as_ref().map_or_else(|| "no scope".to_owned(), |_| quoted(scope));
        found.claim((TokenCheck::Scope, "scope"), Some(allows), asked.scope, words, check_scope);
    }
    Some(())
}

/// The name of the key in the header of a token that nobody has verified.
pub fn named_key(token: &str) -> Option<String> {
    let mut json = Vec::new();
    TokenParts::of(token).ok()?.decode(Section::Header, &mut json).ok()?;
    Some(Header::from_json(&json).ok()?.kid?.into_owned())
}

/// What anybody who holds a token can read of its claims: how many members they have, and their bytes. Nothing of what is no signed JWT.
pub fn readable_claims(token: &str) -> (u64, u64) {
    let payload = || {
        let mut json = Vec::new();
        let parts = TokenParts::split(token).ok()?;
        parts.check_number().ok()?;
        parts.decode(Section::Claims, &mut json).ok()?;
        let claims: WrittenObject = serde_json::from_slice(&json).ok()?;
        Some((claims.0.len() as u64, json.len() as u64))
    };
    payload().unwrap_or_default()
}

/// When a token expires that nobody has verified, by its claim `exp` (RFC 7519 section 4.1.4).
pub fn stated_expiry(token: &str) -> Option<UnixTime> {
    let mut json = Vec::new();
    let parts = TokenParts::of(token).ok()?;
    parts.check_number().ok()?;
    parts.decode(Section::Claims, &mut json).ok()?;
    let claims: WrittenObject = serde_json::from_slice(&json).ok()?;
    UnixTime::of_json(claims.member("exp")?.get())
}

/// What a token says, in the form that is asked of one that is verified; its signature is not looked at.
pub fn stated_claims(token: &str) -> Result<StatedClaims, Rejection> {
    let parts = TokenParts::of(token)?;
    let mut bytes = Vec::new();
    for section in [Section::Header, Section::Signature] {
        parts.decode(section, &mut bytes)?;
    }
    bytes.clear();
    parts.decode(Section::Claims, &mut bytes)?;
    Ok(StatedClaims::from_json(&bytes)?)
}

/// What is wrong with an object.
fn words(fault: &ObjectFault, json: &[u8]) -> String {
    let written = serde_json::from_slice::<WrittenObject>(json).unwrap_or_default();
    match (fault.rejection, written.repeated()) {
        (Rejection::Twice(_), Some(name)) => format!("{}: {}", fault.rejection, quoted(name)),
        _ => fault.to_string(),
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
