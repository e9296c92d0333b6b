//! `bearerbench token inspect`: what a client, or a thief, reads in a token without any key.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use clap::Args;
use serde::Serialize;
use serde_json::{Value, json};

use crate::auth::token::signature::{SIGNATURE_SCHEMES, SignatureScheme};
use crate::auth::token::{UnixTime, WrittenObject};
use crate::cli::token::decoded::{TokenPart, undressed};
use crate::cli::token::input;
use crate::cli::token::shown::{self, quoted};
use crate::cli::{Exit, output};
use crate::registry::Part;

/// Show what anybody can read in a token, without verifying it
#[derive(Debug, Args)]
pub(super) struct Inspect {
    /// Time that ages are counted from, instead of now: seconds since 1970, or a date like 2026-07-01T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = input::date)]
    now: Option<UnixTime>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Token, or - for standard input [default: -]
    token: Option<String>,
}

const UNVERIFIED: &str =
    "nothing was verified: anybody can make such a token; `bearerbench token verify` checks one";

/// A token taken apart.
struct Reading<'a> {
    token: &'a str,
    /// What stood around it.
    around: Option<&'static str>,
    parts: Vec<TokenPart<'a>>,
    header: Result<WrittenObject, String>,
    claims: Result<WrittenObject, String>,
    now: UnixTime,
}

impl Inspect {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        let (token, around) = undressed(&input::token(self.token.as_deref())?);
        let reading = Reading::of(&token, around, input::now(self.now));
        output::print(&if self.json { reading.json() } else { reading.text() })?;
        Ok(Exit::Success)
    }
}

impl<'a> Reading<'a> {
    fn of(token: &'a str, around: Option<&'static str>, now: UnixTime) -> Self {
        let parts: Vec<TokenPart<'_>> = token.split('.').map(TokenPart::new).collect();
        let header = parts[0].object();
        let claims = match parts.as_slice() {
            // Of an encrypted token (RFC 7516) the second part is a key, and nothing behind it can be read.
            [_, _, _, _, _] => Err("encrypted".to_owned()),
            [_, claims, ..] => claims.object(),
            _ => Err("not there".to_owned()),
        };
        Self { token, around, parts, header, claims, now }
    }

    fn kind(&self) -> String {
        match (self.parts.len(), &self.header, &self.claims) {
            (_, Err(_), Err(_)) => "opaque: nothing can be read".to_owned(),
            (5, Ok(_), _) => "encrypted (JWE): only its header can be read".to_owned(),
            (3, Ok(_), Ok(_)) => "signed, not encrypted (JWS): all of it can be read".to_owned(),
            (3, Ok(_), Err(why)) => format!("signed (JWS), but no JWT: its payload is {why}"),
            (3, Err(why), Ok(_)) => format!("malformed: its header is {why}"),
            (parts, _, _) => {
                let parts = if parts == 1 { "1 part".to_owned() } else { format!("{parts} parts") };
                format!("malformed: {parts}, where a signed token has 3; this can be read all the same")
            }
        }
    }

    fn text(&self) -> String {
        let mut text = format!("{}\n{} characters", self.kind(), self.token.chars().count());
        if let Some(around) = self.around {
            write!(text, "\nnote: {around}").expect("a string takes every text");
        }
        if self.header.is_err() && self.claims.is_err() {
            return shown::printable(&text) + "\n";
        }
        for (name, part) in self.names().zip(&self.parts) {
            write!(text, "\n  {name:<9} {}", part_size(part)).expect("a string takes every text");
        }
        for (name, object) in [("header", &self.header), ("claims", &self.claims)] {
            match object {
                Ok(object) => write!(text, "\n\n{name} {}", shown::json(object)),
                Err(why) => write!(text, "\n\n{name}: cannot be read: {why}"),
            }
            .expect("a string takes every text");
        }
        text.push('\n');
        for line in self.remarks() {
            write!(text, "\n{line}").expect("a string takes every text");
        }
        shown::printable(&text) + "\n"
    }

    fn names(&self) -> impl Iterator<Item = &'static str> {
        let encrypted: &[&str] = &["header", "key", "vector", "claims", "tag"];
        let signed: &[&str] = &["header", "claims", "signature"];
        let names = if self.parts.len() == 5 { encrypted } else { signed };
        names.iter().copied().chain(std::iter::repeat("more"))
    }

    fn remarks(&self) -> Vec<String> {
        let mut remarks: Vec<String> = self.header.iter().map(algorithm).collect();
        if let Ok(claims) = &self.claims {
            let bytes = self.parts[1].bytes.as_ref().map_or(0, Vec::len);
            remarks.push(format!(
                "{} claims, {bytes} bytes, readable by whoever holds the token",
                claims.0.len()
            ));
        }
        for (name, object) in [("header", &self.header), ("claims", &self.claims)] {
            if let Some(member) = object.as_ref().ok().and_then(WrittenObject::repeated) {
                remarks.push(format!(
                    "member {} appears twice in the {name}: parsers may disagree on its value",
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
            let written = self.claims.as_ref().ok()?.member(name)?;
            let line = match UnixTime::of_json(written.get()) {
                Some(date) => {
                    let word = if date <= self.now { past } else { future };
                    format!("{name}: {word} {} ({date})", date.distance(self.now))
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
        shown::json(&Answer {
            kind: self.kind(),
            note: self.around,
            verified: false,
            characters: self.token.chars().count(),
            parts: parts.collect(),
            algorithm: self.header.as_ref().ok().map(algorithm),
            header: self.header.as_ref().ok(),
            claims: self.claims.as_ref().ok(),
            times: self.times().into_iter().collect(),
        })
    }
}

/// The reading as JSON.
#[derive(Serialize)]
struct Answer<'a> {
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
    verified: bool,
    characters: usize,
    parts: Vec<Value>,
    algorithm: Option<String>,
    header: Option<&'a WrittenObject>,
    claims: Option<&'a WrittenObject>,
    times: BTreeMap<&'static str, String>,
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
fn algorithm(header: &WrittenObject) -> String {
    let Some(written) = header.member("alg") else { return "no algorithm is named".to_owned() };
    let Ok(alg) = serde_json::from_str::<String>(written.get()) else {
        return format!("alg is no name: {}", shown::line(written));
    };
    let schemes = SIGNATURE_SCHEMES.entries.iter();
    let mut schemes = schemes.filter_map(|entry| Part::<dyn SignatureScheme>::named(entry.name).ok());
    if alg.eq_ignore_ascii_case("none") {
        return format!("alg {}: not signed at all", quoted(&alg));
    }
    match schemes.find(|scheme| scheme.answers_to(&alg)).map(|scheme| scheme.facts()) {
        Some(facts) => {
            let quantum = if facts.post_quantum { "post-quantum" } else { "not post-quantum" };
            format!("alg {}: {}, {quantum}", quoted(&alg), facts.status)
        }
        None => format!("alg {}: not supported here", quoted(&alg)),
    }
}
