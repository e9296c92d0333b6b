//! What is read from files, from standard input and from arguments.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;
use zeroize::Zeroizing;

use crate::auth::token::{UnixTime, WallClock};

/// Something that was given cannot be used: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("cannot use {0}")]
pub(in crate::cli) struct Unusable(pub(in crate::cli) String);

/// Stands for standard input where a file is asked for.
pub(super) const STDIN: &str = "-";

/// No key set or token comes near it, and no slip of the hand fills the memory.
const MAX_BYTES: u64 = 4 << 20;

/// The text of a file or of standard input, which may be a secret.
pub(super) fn text(source: &str) -> anyhow::Result<Zeroizing<String>> {
    let read = match source {
        STDIN => read(io::stdin().lock()),
        url if url.starts_with("https://") || url.starts_with("http://") => {
            Err(anyhow::anyhow!("it is a URL, and files alone are read; fetch it: curl -fsS {url} > FILE"))
        }
        file => of_file(file.as_ref()),
    };
    read.with_context(|| Unusable(name(source).to_owned()))
}

/// The text of a file, which may be a secret.
pub(in crate::cli) fn of_file(path: &Path) -> anyhow::Result<Zeroizing<String>> {
    read(File::open(path)?)
}

/// How messages name a source.
pub(super) fn name(source: &str) -> &str {
    if source == STDIN { "standard input" } else { source }
}

fn read(source: impl Read) -> anyhow::Result<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(Vec::new());
    source.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    anyhow::ensure!(bytes.len() as u64 <= MAX_BYTES, "it is larger than {} MiB", MAX_BYTES >> 20);
    // The bytes are not told: they may be a key.
    let text = std::str::from_utf8(&bytes);
    let text = text.map_err(|_| anyhow::anyhow!("it is not text in UTF-8{}", advice(&bytes)))?;
    let text = without_mark(text);
    anyhow::ensure!(!text.trim().is_empty(), "it is empty");
    Ok(Zeroizing::new(text.to_owned()))
}

/// Some editors put the byte order mark U+FEFF before a text.
fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

fn advice(bytes: &[u8]) -> &'static str {
    match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => ", but in UTF-16; convert it: iconv -f UTF-16 -t UTF-8",
        _ if X509Certificate::from_der(bytes).is_ok() => {
            ", but an X.509 certificate as DER; take the key out of it: openssl x509 -inform der -pubkey -noout -in FILE"
        }
        // A SEQUENCE, with which every key begins.
        [0x30, ..] => {
            ", but looks like DER; convert a key to PEM: openssl pkey -inform DER -in FILE (with -pubin if it is \
             public), or openssl pkcs12 -nodes -nocerts -in FILE"
        }
        _ => "",
    }
}

/// The token that was given, or the one on standard input.
pub(super) fn token(argument: Option<&str>) -> anyhow::Result<String> {
    let text = match argument {
        Some(token) if token != STDIN => Zeroizing::new(token.to_owned()),
        _ => text(STDIN).context("no token was given, and none stands on standard input")?,
    };
    let token = without_mark(&text).trim().to_owned();
    anyhow::ensure!(!token.is_empty(), Unusable("the token: it is empty".to_owned()));
    Ok(token)
}

/// How long a token lives. Its dates count seconds, and all who read them take whole ones.
pub(super) fn lifetime(written: &str) -> Result<Duration, String> {
    let lifetime = humantime::parse_duration(written).map_err(|error| error.to_string())?;
    if lifetime.subsec_nanos() > 0 || lifetime.is_zero() {
        return Err(
            "expected whole seconds, one at least: tokens tell no less (RFC 7519 section 2)".to_owned()
        );
    }
    Ok(lifetime)
}

/// A date as people or tokens write it.
pub(super) fn date(written: &str) -> Result<UnixTime, String> {
    if let Ok(seconds) = written.parse() {
        return Ok(UnixTime::from_secs(seconds));
    }
    let date = humantime::parse_rfc3339_weak(written)
        .map_err(|_| "expected seconds since 1970, or a date like 2026-07-01T12:00:00Z".to_owned())?;
    let since = date.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    Ok(UnixTime::from_secs(since.as_secs()))
}

/// The date that was given, or now.
pub(super) fn now(given: Option<UnixTime>) -> UnixTime {
    given.unwrap_or_else(|| WallClock::system().now())
}
