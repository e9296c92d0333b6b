//! Tokens from a file or standard input: one on each line, or a table of them with weights.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::Context as _;

use crate::auth::token::jwt;
use crate::cli::load::weights;
use crate::cli::output;
use crate::load::{Filling, TokenPool};
use crate::units::Stamp;

/// The tokens of a file.
#[derive(Debug)]
pub(super) struct FileTokens {
    pub(super) pool: TokenPool,
    /// The order in which they are sent, over and over, where the file gives them different weights.
    pub(super) round: Option<Arc<[u32]>>,
}

/// The tokens of a file, or of standard input for `-`.
pub(super) fn read(path: &Path) -> anyhow::Result<FileTokens> {
    let name = name(path);
    let mut lines: Box<dyn BufRead> = if path == Path::new(STDIN) {
        Box::new(io::stdin().lock())
    } else {
        let file = File::open(path);
        Box::new(BufReader::new(file.with_context(|| format!("cannot read the tokens in {name}"))?))
    };
    let mut first = String::new();
    lines.read_line(&mut first).with_context(|| format!("cannot read line 1 of {name}"))?;
    let is_table = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"))
        || columns(&first).is_some_and(|columns| columns.weight.is_some());
    let lines = first.as_bytes().chain(lines);
    if is_table { table(&name, lines) } else { list(&name, lines) }
}

fn list(name: &str, lines: impl BufRead) -> anyhow::Result<FileTokens> {
    let mut tokens = TokenPool::filling([]);
    let holds_some = fill(name, lines, &mut tokens)?;
    anyhow::ensure!(holds_some, "{name} holds no token; expected one on each line");
    Ok(FileTokens { pool: tokens.full(), round: None })
}

/// Which columns of a table are used.
struct Columns {
    token: usize,
    weight: Option<usize>,
}

/// Those that this first line of a table names.
fn columns(line: &str) -> Option<Columns> {
    let named = |wanted: &str| {
        let mut names = line.trim_start_matches('\u{feff}').trim().split(',');
        names.position(|name| name.trim().trim_matches('"').eq_ignore_ascii_case(wanted))
    };
    Some(Columns { token: named("token")?, weight: named("weight") })
}

/// A table as spreadsheets write it (RFC 4180), with a column `token` and perhaps one `weight`.
fn table(name: &str, lines: impl Read) -> anyhow::Result<FileTokens> {
    let clock = Clock::read();
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(lines);
    let header = reader.headers().with_context(|| format!("cannot read line 1 of {name}"))?;
    let header = header.iter().collect::<Vec<_>>().join(",");
    let columns = columns(&header).with_context(|| {
        format!("{name}:1: no column is called token; expected a first line like user,token,weight")
    })?;
    let (mut tokens, mut weights) = (TokenPool::filling([]), Vec::new());
    let mut row = csv::StringRecord::new();
    while reader
        .read_record(&mut row)
        .with_context(|| format!("{name} is no table of comma-separated values"))?
    {
        let line = row.position().map_or(0, csv::Position::line);
        let token = checked(row.get(columns.token).unwrap_or_default())
            .map_err(|problem| anyhow::anyhow!("{name}:{line}: {problem}"))?;
        let weight =
            columns.weight.map_or(Ok(1), |column| weights::parse(row.get(column).unwrap_or_default()));
        weights.push(weight.map_err(|problem| anyhow::anyhow!("{name}:{line}: {problem}"))?);
        tokens.add_valid(token, clock.expiry_of(token));
    }
    anyhow::ensure!(!weights.is_empty(), "{name} holds no token; expected one on each line behind the first");
    let round = weights::round(&weights).with_context(|| name.to_owned())?;
    Ok(FileTokens { pool: tokens.full(), round: round.map(Into::into) })
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

/// What a user is told where some of the tokens are the same.
pub(super) fn repeated(pool: &TokenPool, different: u32) -> Option<String> {
    let count = pool.live_count();
    (different < count).then(|| {
        format!(
            "note: only {different} of the {count} tokens differ, since the file or the authorization server repeats them; caches hit \
             more often than with {count} users"
        )
    })
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
        let exp = Duration::from_secs(jwt::stated_expiry(token)?.secs());
        let past = u64::try_from(self.date.saturating_sub(exp).as_nanos()).unwrap_or(u64::MAX);
        let stamp = Stamp::from_nanos(self.stamp.nanos().saturating_sub(past));
        Some(stamp + exp.saturating_sub(self.date))
    }
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
    use crate::auth::token::base64url;

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
    fn a_table_has_tokens_with_weights_and_what_is_none_is_named_with_its_line() {
        let read = |text: &str| table("users.csv", text.as_bytes());
        let FileTokens { pool, round } =
            read("\u{feff}user,Token,weight\r\n\"Doe, Jane\",a.b,3\r\njohn, c ,1\r\n").unwrap();
        assert_eq!(pool.valid().collect::<Vec<_>>(), ["a.b", "c"]);
        assert_eq!(round.as_deref(), Some(&[0, 0, 1, 0][..]));
        for text in ["token\na\nb\n", "weight,token\n2,a\n2,b\n"] {
            let FileTokens { pool, round } = read(text).unwrap();
            assert_eq!((pool.live_count(), round), (2, None), "{text}");
        }
        for (text, words) in [
            ("user,secret\nme,a\n", "users.csv:1: no column is called token"),
            ("token,weight\na,1\nb c,1\n", "users.csv:3: ' ' cannot stand"),
            ("token,weight\na,0\n", "users.csv:2: \"0\" is no weight"),
            ("token,weight\na\n", "users.csv"),
            ("token,weight\n", "holds no token"),
        ] {
            let message = format!("{:#}", read(text).unwrap_err());
            assert!(message.contains(words), "{message}");
        }
    }

    #[test]
    fn a_jwt_says_when_it_expires_and_nothing_else_does() {
        let clock = Clock { stamp: Stamp::from_nanos(5_000_000_000), date: Duration::from_millis(1_000_500) };
        let jwt =
            |claims: &str| format!("{}.{}.c2ln", base64url::encode("{\"alg\":1}"), base64url::encode(claims));
        for (token, expiry) in [
            (jwt("{\"exp\":1002}"), Some(6_500_000_000)),
            // A server takes whole seconds, and of a fraction the earlier one.
            (jwt("{\"exp\":998.75,\"a\":{}}"), Some(2_500_000_000)),
            (jwt("{\"exp\":1}"), Some(0)),
            (jwt("{\"exp\":18446744073709551615}"), Some(u64::MAX)),
            // No server reads such a date, nor does `token inspect`.
            (jwt("{\"exp\":1e300}"), None),
            (jwt("{\"exp\":-1}"), None),
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
