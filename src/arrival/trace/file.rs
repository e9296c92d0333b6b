//! Reading a trace from its file, which may have millions of lines.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::Path;

use crate::arrival::trace::seconds;
use crate::units::Rate;

/// A file that is no trace: which, on which line, what was expected.
#[derive(Debug, thiserror::Error)]
#[error("{file}{}: {problem}", .line.map_or_else(String::new, |line| format!(":{line}")))]
pub(super) struct InvalidTrace {
    file: String,
    line: Option<usize>,
    problem: String,
}

/// What a line says.
enum Line {
    Nothing,
    /// The names of a CSV's columns.
    Names,
    Instant(u64),
}

/// As many instants as fit into 800 MB. A longer trace would rather end the machine's memory than the run.
const MOST: usize = 100_000_000;
/// A line of a CSV is shorter; what is longer is no text.
const LONGEST_LINE: u64 = 65_536;

/// Some editors put it before a text in UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The instants of a file in nanoseconds since its first, eight bytes each.
pub(super) fn read(path: &Path) -> Result<Vec<u64>, InvalidTrace> {
    let file = path.display().to_string();
    let failed = |line, problem: String| InvalidTrace { file: file.clone(), line, problem };
    let unreadable = |error: io::Error| {
        failed(None, format!("cannot be read ({error}); give the path of a file of instants"))
    };
    let mut reader = BufReader::new(File::open(path).map_err(unreadable)?);
    let (mut nanos, mut first) = (Vec::new(), None);
    let (mut line, mut number, mut begun) = (Vec::new(), 0, false);
    loop {
        line.clear();
        if reader.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line).map_err(unreadable)? == 0 {
            break;
        }
        number += 1;
        let text = line.strip_prefix(BYTE_ORDER_MARK).filter(|_| number == 1).unwrap_or(&line);
        let meaning = meaning(text, begun).map_err(|problem| failed(Some(number), problem))?;
        begun |= !matches!(meaning, Line::Nothing);
        if let Line::Instant(instant) = meaning {
            let since_first = instant.checked_sub(*first.get_or_insert(instant));
            let since_first = since_first.filter(|since| nanos.last().is_none_or(|last| since >= last));
            nanos.push(since_first.ok_or_else(|| {
                failed(Some(number), "lies before the instant above it; sort the file by time".to_owned())
            })?);
        }
        if nanos.len() > MOST {
            return Err(failed(Some(number), format!("expected at most {MOST} instants; cut the file")));
        }
    }
    nanos.shrink_to_fit();
    ensure_rate(&nanos).map_err(|problem| failed(None, problem))?;
    Ok(nanos)
}

/// Names of columns stand above everything else, so not where the file has `begun`.
fn meaning(line: &[u8], begun: bool) -> Result<Line, String> {
    if line.len() as u64 == LONGEST_LINE {
        return Err(format!("the line is longer than {LONGEST_LINE} bytes; expected an instant in seconds"));
    }
    let text = line.trim_ascii();
    if text.is_empty() || text.starts_with(b"#") {
        return Ok(Line::Nothing);
    }
    let column = text.split(|byte| matches!(byte, b',' | b'#')).next().unwrap_or_default().trim_ascii();
    if let Some(nanos) = seconds::nanos(column) {
        return Ok(Line::Instant(nanos));
    }
    if !begun && text.contains(&b',') && column.first().is_some_and(u8::is_ascii_alphabetic) {
        return Ok(Line::Names);
    }
    let column = String::from_utf8_lossy(&column[..column.len().min(40)]);
    Err(format!("expected an instant in seconds, like 12.000514977, not {column:?}"))
}

/// Without two different instants there is no rate.
fn ensure_rate(nanos: &[u64]) -> Result<(), String> {
    let length = nanos.last().copied().unwrap_or_default();
    if length == 0 {
        let found = if nanos.is_empty() { "none" } else { "one" };
        return Err(format!("expected at least two different instants, has {found}"));
    }
    match Rate::try_from((nanos.len() - 1) as f64 * 1e9 / length as f64) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("its mean rate is too low: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn read_text(text: &[u8]) -> Result<Vec<u64>, String> {
        let mut file = tempfile::Builder::new().prefix("trace").tempfile().unwrap();
        file.write_all(text).unwrap();
        read(file.path()).map_err(|error| error.to_string())
    }

    #[track_caller]
    fn refused(text: &[u8], words: &str) {
        let problem = read_text(text).unwrap_err();
        assert!(problem.contains(words), "{problem}");
    }

    #[test]
    fn instants_are_read_from_lines_and_csv_and_shifted_to_begin_at_zero() {
        let expected = Ok(vec![0, 500_000_000, 500_000_000, 2_000_000_000]);
        assert_eq!(read_text(b"10\n10.5\n10.5\n12"), expected);
        assert_eq!(read_text("\u{feff}10\n10.5\n10.5\n12".as_bytes()), expected, "a byte order mark");
        assert_eq!(read_text("\u{feff}at,x\n10,\n10.5,\n10.5,\n12,".as_bytes()), expected);
        assert_eq!(read_text(b"# mine\r\n10 # first\r\n\r\n  10.5\r\n1.05e1\r\n12\r\n"), expected);
        assert_eq!(read_text(b"# mine\ntime,user\n10,a\n10.5,b\n10.5,\"c,d\"\n12,\n"), expected);
    }

    #[test]
    fn an_epoch_in_nanoseconds_is_kept_to_the_last_digit() {
        assert_eq!(read_text(b"1700000000.000000001\n1700000000.000000009\n"), Ok(vec![0, 8]));
    }

    #[test]
    fn what_is_no_trace_is_refused_with_its_line() {
        refused(b"1\n2\nthree\n", ":3: expected an instant in seconds, like 12.000514977, not \"three\"");
        refused(b"time\n1\n2\n", ":1: expected an instant in seconds");
        refused(b"time,user\ntime,user\n1,a\n", ":2: expected an instant");
        refused(b"1\n-2\n", ":2: expected an instant");
        refused(b"1\n\n3\n2\n", ":4: lies before the instant above it; sort");
        refused(b"2\n1\n", ":2: lies before");
        refused(b"", "at least two different instants, has none");
        refused(b"5\n5\n5\n", "at least two different instants, has one");
        refused(b"0\n900000\n", "its mean rate is too low");
        refused(&vec![b'7'; 100_000], ":1: the line is longer than 65536 bytes");
        refused(&[0xff, 0xfe, b'\n'], ":1: expected an instant");
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let problem = read(Path::new("no/such/trace.csv")).unwrap_err().to_string();
        assert!(problem.starts_with("no/such/trace.csv: cannot be read (No such file"), "{problem}");
        assert!(problem.ends_with("give the path of a file of instants"), "{problem}");
        assert!(read(Path::new("src")).unwrap_err().to_string().contains("Is a directory"));
    }
}
