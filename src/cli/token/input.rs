//! What is read from files, from standard input and from arguments.

use std::fs::File;
use std::io::{self, Read};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use zeroize::Zeroizing;

use crate::auth::token::{UnixTime, WallClock};

/// Something that was given cannot be used: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("cannot use {0}")]
pub(in crate::cli) struct Unusable(pub(super) String);

/// Stands for standard input where a file is asked for.
pub(super) const STDIN: &str = "-";

/// No key set or token comes near it, and no slip of the hand fills the memory.
const MAX_BYTES: u64 = 4 << 20;

/// The text of a file or of standard input, which may be a secret.
pub(super) fn text(source: &str) -> anyhow::Result<Zeroizing<String>> {
    let read = if source == STDIN {
        read(io::stdin().lock())
    } else {
        File::open(source).map_err(anyhow::Error::from).and_then(read)
    };
    let named = if source == STDIN { "standard input" } else { source };
    read.with_context(|| Unusable(named.to_owned()))
}

fn read(source: impl Read) -> anyhow::Result<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(Vec::new());
    source.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    anyhow::ensure!(bytes.len() as u64 <= MAX_BYTES, "it is larger than {} MiB", MAX_BYTES >> 20);
    // The bytes are not told: they may be a key.
    let text = std::str::from_utf8(&bytes).map_err(|_| anyhow::anyhow!("it is not text in UTF-8"))?;
    anyhow::ensure!(!text.trim().is_empty(), "it is empty");
    Ok(Zeroizing::new(text.to_owned()))
}

/// The token that was given, or the one on standard input.
pub(super) fn token(argument: Option<&str>) -> anyhow::Result<String> {
    let text = match argument {
        Some(token) if token != STDIN => Zeroizing::new(token.to_owned()),
        _ => text(STDIN).context("no token was given, and none stands on standard input")?,
    };
    let token = text.trim().to_owned();
    anyhow::ensure!(!token.is_empty(), Unusable("the token: it is empty".to_owned()));
    Ok(token)
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
