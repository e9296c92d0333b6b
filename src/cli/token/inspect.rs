//! `bearerbench token inspect`: what a client, or a thief, reads in a token without any key.

use std::fmt::Write as _;

use clap::Args;
use serde_json::{Value, json};

use crate::auth::token::UnixTime;
use crate::auth::token::signature::{SIGNATURE_SCHEMES, SignatureScheme};
use crate::cli::token::decoded::{Object, Part as TokenPart, seconds};
use crate::cli::token::input;
use crate::cli::token::shown::{self, quoted};
use crate::cli::{Exit, output};
use crate::registry::Part;

/// Show what anybody can read in a token; nothing is verified
#[derive(Debug, Args)]
pub(super) struct Inspect {
    /// Another date than now to tell ages by: seconds since 1970, or a date like 2026-07-01T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = input::date)]
    now: Option<UnixTime>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// The token; without it, or for -, it is read from standard input
    token: Option<String>,
}

const UNVERIFIED: &str =
    "nothing was verified: anybody can write such a token, see `bearerbench token verify`";

/// A token taken apart.
struct Reading<'a> {
    token: &'a str,
    parts: Vec<TokenPart<'a>>,
    header: Option<Object>,
    claims: Option<Object>,
    now: UnixTime,
}

impl Inspect {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        let token = input::token(self.token.as_deref())?;
        let reading = Reading::of(&token, input::now(self.now));
        output::print(&if self.json { reading.json() } else { reading.text() })?;
        Ok(Exit::Success)
    }
}

impl<'a> Reading<'a> {
    fn of(token: &'a str, now: UnixTime) -> Self {
        let parts: Vec<TokenPart<'_>> = token.split('.').map(TokenPart::new).collect();
        let header = parts[0].object();
        // Of an encrypted token (RFC 7516) the second part is a key, and nothing behind it can be read.
        let claims = if parts.len() == 5 { None } else { parts.get(1).and_then(TokenPart::object) };
        Self { token, parts, header, claims, now }
    }

    fn kind(&self) -> String {
        let parts = self.parts.len();
        match (&self.header, &self.claims) {
            (None, None) => "opaque: nothing can be read".to_owned(),
            (Some(_), _) if parts == 5 => "encrypted (JWE): only its header can be read".to_owned(),
            (Some(_), Some(_)) if parts == 3 => {
                "signed, not encrypted (JWS): all of it can be read".to_owned()
            }
            _ => {
                format!("malformed: {parts} parts, where a signed token has 3; this can be read all the same")
            }
        }
    }

    fn text(&self) -> String {
        let mut text = format!("{}\n{} characters", self.kind(), self.token.chars().count());
        if self.header.is_none() && self.claims.is_none() {
            return text + "\n";
        }
        for (name, part) in self.names().zip(&self.parts) {
            write!(text, "\n  {name:<9} {}", part_size(part)).expect("a string takes every text");
        }
        for (name, object) in [("header", &self.header), ("claims", &self.claims)] {
            match object {
                Some(object) => write!(text, "\n\n{name} {}", shown::json(object)),
                None => write!(text, "\n\n{name}: cannot be read"),
            }
            .expect("a string takes every text");
        }
        text.push('\n');
        for line in self.remarks() {
            write!(text, "\n{line}").expect("a string takes every text");
        }
        text + "\n"
    }

    fn names(&self) -> impl Iterator<Item = &'static str> {
        let encrypted: &[&str] = &["header", "key", "vector", "claims", "tag"];
        let signed: &[&str] = &["header", "claims", "signature"];
        let names = if self.parts.len() == 5 { encrypted } else { signed };
        names.iter().copied().chain(std::iter::repeat("more"))
    }

    fn remarks(&self) -> Vec<String> {
        let mut remarks: Vec<String> = self.header.iter().map(algorithm).collect();
        if let Some(claims) = &self.claims {
            let bytes = self.parts[1].bytes.as_ref().map_or(0, Vec::len);
            remarks.push(format!(
                "{} claims, {bytes} bytes, readable by whoever holds the token",
                claims.0.len()
            ));
        }
        for (name, object) in [("header", &self.header), ("claims", &self.claims)] {
            if let Some(member) = object.as_ref().and_then(Object::repeated) {
                remarks.push(format!(
                    "member {} stands twice in the {name}: readers may disagree",
                    quoted(member)
                ));
            }
        }
        remarks.extend(self.times().into_iter().map(|(_, line)| line));
        remarks.push(UNVERIFIED.to_owned());
        remarks
    }

    /// Claims that are dates, in words.
    fn times(&self) -> Vec<(&'static str, String)> {
        let words = [
            ("auth_time", "logged in", "logs in"),
            ("iat", "issued", "issued in the future"),
            ("nbf", "valid since", "not valid yet, valid"),
            ("exp", "expired", "expires"),
        ];
        let times = words.iter().filter_map(|(name, past, future)| {
            let written = self.claims.as_ref()?.member(name)?;
            let line = match seconds(written, f64::floor) {
                Some(date) => {
                    let word = if date <= self.now { past } else { future };
                    format!("{name}: {word} {} ({})", shown::distance(date, self.now), shown::day(date))
                }
                None => format!("{name}: no date: {}", shown::line(written)),
            };
            Some((*name, line))
        });
        times.collect()
    }

    fn json(&self) -> String {
        let parts = self.names().zip(&self.parts).map(|(name, part)| {
            json!({
                "part": name,
                "characters": part.text.chars().count(),
                "bytes": part.bytes.as_ref().map(Vec::len),
                "base64url": part.strict,
            })
        });
        shown::json(&json!({
            "kind": self.kind(),
            "verified": false,
            "characters": self.token.chars().count(),
            "parts": parts.collect::<Vec<_>>(),
            "algorithm": self.header.as_ref().map(algorithm),
            "header": self.header,
            "claims": self.claims,
            "times": self.times().into_iter().map(|(name, line)| (name.to_owned(), line.into())).collect::<serde_json::Map<_, Value>>(),
        }))
    }
}

fn part_size(part: &TokenPart<'_>) -> String {
    let characters = part.text.chars().count();
    match &part.bytes {
        Some(bytes) if part.strict => format!("{} bytes in {characters} characters", bytes.len()),
        Some(bytes) => format!(
            "{} bytes in {characters} characters, not base64url without padding: strict readers refuse it",
            bytes.len()
        ),
        None => format!("{characters} characters that are no base64url"),
    }
}

/// The algorithm that a header names, and who stands behind it.
fn algorithm(header: &Object) -> String {
    let Some(alg) = header.member("alg") else { return "no algorithm is named".to_owned() };
    let Some(alg) = alg.as_str() else { return format!("alg is no name: {}", shown::line(alg)) };
    let schemes = SIGNATURE_SCHEMES.entries.iter();
    let mut schemes = schemes.filter_map(|entry| Part::<dyn SignatureScheme>::named(entry.name).ok());
    if alg.eq_ignore_ascii_case("none") {
        return format!("alg {}: not signed at all", quoted(alg));
    }
    match schemes.find(|scheme| scheme.answers_to(alg)).map(|scheme| scheme.facts()) {
        Some(facts) => {
            let quantum = if facts.post_quantum { "withstands" } else { "does not withstand" };
            format!("alg {}: {}, {quantum} a quantum computer as far as is known", quoted(alg), facts.status)
        }
        None => format!("alg {}: not known here", quoted(alg)),
    }
}
