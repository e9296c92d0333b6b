//! What a process says: read all the time, its last words kept.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How many bytes of what a stream says are kept.
const LAST_WORDS: usize = 8 << 10;

/// The streams of a process that somebody listens to.
#[derive(Debug, Default)]
pub(in crate::testbed) struct Output {
    streams: Vec<Stream>,
    /// Told once when a stream has said what was waited for.
    said_it: Arc<Notify>,
}

#[derive(Debug)]
struct Stream {
    said: Arc<Mutex<Vec<u8>>>,
    reading: JoinHandle<()>,
}

impl Output {
    /// Listens to one more stream, for `text` if something is waited for.
    pub(super) fn listen(&mut self, stream: impl AsyncRead + Unpin + Send + 'static, text: Option<&str>) {
        let said = Arc::default();
        let text = text.map(|text| text.as_bytes().to_vec());
        let reading = tokio::spawn(read(stream, Arc::clone(&said), text, Arc::clone(&self.said_it)));
        self.streams.push(Stream { said, reading });
    }

    /// Waits until a stream has said what was waited for.
    pub(super) async fn said_it(&self) {
        self.said_it.notified().await;
    }

    /// What a process said last that has ended. One that goes on living is not waited for.
    pub(in crate::testbed) async fn last_words(&mut self) -> String {
        for stream in self.streams.iter_mut().filter(|stream| !stream.reading.is_finished()) {
            let _ = timeout(Duration::from_secs(1), &mut stream.reading).await;
        }
        self.words()
    }

    /// What was said last until now.
    pub(super) fn words(&self) -> String {
        let texts = self.streams.iter().map(|stream| {
            let said = stream.said.lock().unwrap_or_else(PoisonError::into_inner);
            String::from_utf8_lossy(&said).trim().to_owned()
        });
        let texts: Vec<String> = texts.filter(|text| !text.is_empty()).collect();
        if texts.is_empty() { "it said nothing".to_owned() } else { texts.join("\n") }
    }
}

/// Reads all the time: a process that nobody listens to would stand still once the pipe is full.
async fn read(
    mut stream: impl AsyncRead + Unpin,
    said: Arc<Mutex<Vec<u8>>>,
    mut text: Option<Vec<u8>>,
    said_it: Arc<Notify>,
) {
    let mut chunk = Vec::with_capacity(LAST_WORDS);
    while let Ok(1..) = stream.read_buf(&mut chunk).await {
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        said.append(&mut chunk);
        // Before anything is forgotten: the text may have begun in the chunk before.
        if text.as_ref().is_some_and(|text| contains(&said, text)) {
            said_it.notify_one();
            text = None;
        }
        let superfluous = said.len().saturating_sub(LAST_WORDS);
        said.drain(..superfluous);
    }
}

fn contains(said: &[u8], text: &[u8]) -> bool {
    said.windows(text.len()).any(|window| window == text)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncWriteExt as _, duplex};

    use super::*;

    #[tokio::test]
    async fn a_text_is_heard_in_two_pieces_and_behind_more_than_is_kept() {
        for before in [0, LAST_WORDS - 3, 3 * LAST_WORDS] {
            let (mut process, stream) = duplex(64);
            let mut output = Output::default();
            output.listen(stream, Some("ready to accept"));
            process.write_all(&vec![b'x'; before]).await.unwrap();
            process.write_all(b" ready to").await.unwrap();
            process.write_all(b" accept connections\n").await.unwrap();
            timeout(Duration::from_secs(5), output.said_it()).await.expect("it was said");
        }
    }

    #[tokio::test]
    async fn the_last_words_are_the_end_of_every_stream_and_silence_is_told() {
        let mut output = Output::default();
        assert_eq!(output.last_words().await, "it said nothing");
        for text in ["first\n", "", "second\n"] {
            let (mut process, stream) = duplex(64);
            output.listen(stream, None);
            process.write_all(text.as_bytes()).await.unwrap();
        }
        assert_eq!(output.last_words().await, "first\nsecond");
        let (mut process, stream) = duplex(64);
        output.listen(stream, None);
        process.write_all(&vec![b'x'; 2 * LAST_WORDS]).await.unwrap();
        process.write_all(b"the end").await.unwrap();
        drop(process);
        let words = output.last_words().await;
        assert!(words.ends_with("xthe end") && words.len() < LAST_WORDS + 20, "{} bytes", words.len());
    }
}
