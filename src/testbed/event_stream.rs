//! Reads a stream of server-sent events (WHATWG HTML section 9.2.6). What libraries there are keep comments to themselves, by which a stream is
//! known to live, and take lines of any length.

use std::mem;

/// What stands in a stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum StreamItem {
    /// An event.
    Event {
        /// Its type: `message` if it names none.
        kind: String,
        /// The last id of the stream so far.
        id: Option<String>,
        /// Its data.
        data: String,
    },
    /// A line for nobody.
    Comment,
}

/// An event is longer than any is that revokes a token.
#[derive(Debug, thiserror::Error)]
#[error("expected events of at most {MOST_BYTES} bytes")]
pub(super) struct EventTooLong;

/// The longest event that is read, in bytes.
const MOST_BYTES: usize = 64 * 1024;

/// What was read so far of a stream.
#[derive(Default)]
pub(super) struct StreamReader {
    line: Vec<u8>,
    /// Whether the last line ended with CR, so that LF ends no other one.
    after_cr: bool,
    has_begun: bool,
    kind: String,
    data: String,
    id: Option<String>,
}

impl StreamReader {
    /// Takes the next bytes of the stream, and gives what they complete.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<Vec<StreamItem>, EventTooLong> {
        let mut items = Vec::new();
        for &byte in bytes {
            let ends_cr_lf = mem::replace(&mut self.after_cr, byte == b'\r') && byte == b'\n';
            if ends_cr_lf {
                continue;
            }
            if byte == b'\r' || byte == b'\n' {
                let line = mem::take(&mut self.line);
                items.extend(self.end_line(&String::from_utf8_lossy(&line)));
            } else {
                self.line.push(byte);
            }
            if self.line.len() + self.data.len() > MOST_BYTES {
                return Err(EventTooLong);
            }
        }
        Ok(items)
    }

    fn end_line(&mut self, line: &str) -> Option<StreamItem> {
        let is_first = !mem::replace(&mut self.has_begun, true);
        let line = line.strip_prefix('\u{feff}').filter(|_| is_first).unwrap_or(line);
        if line.is_empty() {
            return self.end_event();
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "" => return Some(StreamItem::Comment),
            "event" => value.clone_into(&mut self.kind),
            "data" => {
                self.data.push_str(value);
                self.data.push('\n');
            }
            "id" if !value.contains('\0') => self.id = Some(value.to_owned()),
            // When to come back is for whoever follows to say; others are unknown, and left aside.
            _ => {}
        }
        None
    }

    /// One without data is none.
    fn end_event(&mut self) -> Option<StreamItem> {
        let (kind, mut data) = (mem::take(&mut self.kind), mem::take(&mut self.data));
        data.pop()?;
        let kind = if kind.is_empty() { "message".to_owned() } else { kind };
        Some(StreamItem::Event { kind, id: self.id.clone(), data })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn event(kind: &str, id: Option<&str>, data: &str) -> StreamItem {
        StreamItem::Event { kind: kind.to_owned(), id: id.map(str::to_owned), data: data.to_owned() }
    }

    fn read(stream: &str) -> Vec<StreamItem> {
        StreamReader::default().read(stream.as_bytes()).unwrap()
    }

    #[test]
    fn the_examples_of_the_specification_are_read_as_it_says() {
        let stocks = "data: YHOO\ndata: +2\ndata: 10\n\n";
        assert_eq!(read(stocks), [event("message", None, "YHOO\n+2\n10")]);
        let blocks =
            ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n";
        let expected = [
            StreamItem::Comment,
            event("message", Some("1"), "first event"),
            event("message", Some(""), "second event"),
        ];
        assert_eq!(read(blocks), expected, "the third one is not complete");
        assert_eq!(read(&format!("{blocks}\n")).last(), Some(&event("message", Some(""), " third event")));
        let empty = "data\n\ndata\ndata\n\ndata:";
        assert_eq!(read(empty), [event("message", None, ""), event("message", None, "\n")]);
        assert_eq!(read("data:test\n\ndata: test\n\n"), [(); 2].map(|()| event("message", None, "test")));
        let typed = "event: add\ndata: 73857293\n\nevent: none\n\nid: 7\n\ndata: x\n\n";
        assert_eq!(read(typed), [event("add", None, "73857293"), event("message", Some("7"), "x")]);
        assert_eq!(read("\u{feff}data: a\nid: b\0\nretry: 9\nother\n\n"), [event("message", None, "a")]);
    }

    #[test]
    fn an_event_without_end_is_refused() {
        for line in ["data: 1234567890\n", "x"] {
            let mut reader = StreamReader::default();
            let read = (0..=MOST_BYTES).try_for_each(|_| reader.read(line.as_bytes()).map(drop));
            assert!(read.is_err(), "{line}");
        }
    }

    proptest! {
        #[test]
        fn how_lines_end_and_where_a_stream_is_cut_make_no_difference(
            lines in prop::collection::vec("(data|event|id|:|other)?:? ?[a-zü\u{feff}]{0,3}", 0..20),
            ends in prop::collection::vec(0_usize..3, 20),
            cut in 0_usize..300,
        ) {
            let expected = read(&(lines.join("\n") + "\n"));
            let end = |number: usize| ["\n", "\r\n", "\r"][ends[number]];
            // After CR alone an empty line must not begin with LF: that would be its second half.
            let written = lines.iter().enumerate().map(|(number, line)| {
                let is_lone = end(number) == "\r" && lines.get(number + 1).is_some_and(String::is_empty);
                format!("{line}{}", if is_lone { "\n" } else { end(number) })
            });
            let text = written.collect::<Vec<_>>().concat();
            let (begin, rest) = text.as_bytes().split_at(cut.min(text.len()));
            let mut reader = StreamReader::default();
            let mut found = reader.read(begin).unwrap();
            found.extend(reader.read(rest).unwrap());
            prop_assert_eq!(found, expected);
        }
    }
}
