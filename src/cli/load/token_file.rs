//! Tokens from a file or standard input: one on each line.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use serde::Deserialize;

use crate::auth::token::base64url;
use crate::cli::output;
use crate::load::{Filling, TokenPool};
use crate::units::Stamp;

/// The tokens of a file, or of standard input for `-`.
pub(super) fn read(path: &Path) -> anyhow::Result<TokenPool> {
    let name = name(path);
    let lines: Box<dyn BufRead> = if path == Path::new(STDIN) {
        Box::new(io::stdin().lock())
    } else {
        let file = File::open(path);
        Box::new(BufReader::new(file.with_context(|| format!("cannot read the tokens in {name}"))?))
    };
    let mut tokens = TokenPool::filling([]);
    let holds_some = fill(&name, lines, &mut tokens)?;
    anyhow::ensure!(holds_some, "{name} holds no token; expected one on each line");
    Ok(tokens.full())
}

const STDIN: &str = "-";

fn name(path: &Path) -> String {
    if path == Path::new(STDIN) { "standard input".to_owned() } else { path.display().to_string() }
}

fn fill(name: &str, lines: impl BufRead, tokens: &mut Filling) -> anyhow::Result<bool> {
    let clock = Clock::read();
    let mut holds_some = false;
    for (line, number) in lines.lines().zip(1..) {
        let line = line.with_context(|| format!("cannot read line {number} of {name}"))?;
        let token = line.trim_start_matches('\u{feff}').trim();
        if token.is_empty() {
            continue;
        }
        let token = checked(token)
            .map_err(|problem| anyhow::anyhow!("{name}:{number}: {problem}, a token on each line"))?;
        tokens.add_valid(token, clock.expiry_of(token));
        holds_some = true;
    }
    Ok(holds_some)
}

/// A file may hold expired tokens on purpose, and a server may not look at their date.
pub(super) fn tell_of_expiry(path: &Path, pool: &TokenPool, end: Stamp) {
    let expired = pool.expiring_before(end).len();
    if expired > 0 {
        output::tell(&format!(
            "note: {}: {expired} of {} tokens expire before the load ends, as their claim exp says; refusals of them are \
             counted as \"{}\"",
            name(path),
            pool.live_count(),
            crate::observation::TOKEN_EXPIRED
        ));
    }
}

/// The two clocks at one instant.
pub(super) struct Clock {
    stamp: Stamp,
    /// Since 1970.
    date: Duration,
}

impl Clock {
    pub(super) fn read() -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Self { stamp: Stamp::now(), date: since.expect("the system clock is set to a year after 1970") }
    }

    /// When a token expires that is a JWT and says so.
    pub(super) fn expiry_of(&self, token: &str) -> Option<Stamp> {
        let exp = exp(token)?;
        let past = u64::try_from(self.date.saturating_sub(exp).as_nanos()).unwrap_or(u64::MAX);
        let stamp = Stamp::from_nanos(self.stamp.nanos().saturating_sub(past));
        Some(stamp + exp.saturating_sub(self.date))
    }
}

/// The claim `exp` of a JWT (RFC 7519 section 4.1.4), whoever signed it.
fn exp(token: &str) -> Option<Duration> {
    #[derive(Deserialize)]
    struct Claims {
        exp: f64,
    }
    // Every JWT begins so: `{"`.
    let (_, rest) = token.strip_prefix("eyJ")?.split_once('.')?;
    let (payload, signature) = rest.split_once('.')?;
    if signature.contains('.') {
        return None;
    }
    let Claims { exp } = serde_json::from_slice(&base64url::decode(payload).ok()?).ok()?;
    Some(Duration::try_from_secs_f64(exp.max(0.0)).unwrap_or(Duration::MAX))
}

/// By byte, so that gigabytes of tokens are looked through without a branch for each.
static IS_TOKEN_BYTE: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte: u8 = 0;
    while byte < 128 {
        table[byte as usize] =
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=');
        byte += 1;
    }
    table
};

/// A text that may stand behind `Bearer `: anything else would end the header, or the request.
pub(super) fn checked(token: &str) -> Result<&str, String> {
    if token.is_empty() {
        return Err("a bearer token cannot be empty".to_owned());
    }
    if token.bytes().fold(true, |good, byte| good & IS_TOKEN_BYTE[usize::from(byte)]) {
        return Ok(token);
    }
    let mut foreign = token.chars().filter(|found| !found.is_ascii() || !IS_TOKEN_BYTE[*found as usize]);
    let found = foreign.next().expect("a byte of it is foreign");
    Err(format!(
        "{found:?} cannot stand in a bearer token; expected letters, digits and -._~+/= (RFC 6750 section 2.1)"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> anyhow::Result<Vec<String>> {
        let mut tokens = TokenPool::filling([]);
        fill("tokens", text.as_bytes(), &mut tokens)?;
        Ok(tokens.full().valid().map(str::to_owned).collect())
    }

    #[test]
    fn a_file_has_a_token_on_each_line_and_what_is_none_is_named_with_its_line() {
        assert_eq!(read_text("\u{feff}a.b-c\r\n\nZ9~+/==\n").unwrap(), ["a.b-c", "Z9~+/=="]);
        assert_eq!(read_text("\n \n").unwrap(), [""; 0]);
        for (text, expected) in
            [("good\nbad one\n", "tokens:2: ' ' cannot stand"), ("sch\u{f6}n", "'\u{f6}' cannot stand")]
        {
            let message = read_text(text).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn a_jwt_says_when_it_expires_and_nothing_else_does() {
        let clock = Clock { stamp: Stamp::from_nanos(5_000_000_000), date: Duration::from_millis(1_000_500) };
        let jwt =
            |claims: &str| format!("{}.{}.c2ln", base64url::encode("{\"alg\":1}"), base64url::encode(claims));
        for (token, expiry) in [
            (jwt("{\"exp\":1002}"), Some(6_500_000_000)),
            (jwt("{\"exp\":998.75,\"a\":{}}"), Some(3_250_000_000)),
            (jwt("{\"exp\":1}"), Some(0)),
            (jwt("{\"exp\":1e300}"), Some(u64::MAX)),
            (jwt("{}"), None),
            (jwt("{\"exp\":\"soon\"}"), None),
            (format!("{}.d.e", jwt("{\"exp\":1}")), None),
            ("eyJ.eyJ".to_owned(), None),
            ("opaque.with.dots".to_owned(), None),
        ] {
            assert_eq!(clock.expiry_of(&token).map(Stamp::nanos), expiry, "{token}");
        }
    }
}
