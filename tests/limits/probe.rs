//! Ordinary requests with ever larger tokens, until one is refused.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use bearerbench::header_limit::ORDINARY_REQUEST;

/// Ends a test that would hang; no limit on speed, since the machine may be busy.
pub(crate) const PATIENCE: Duration = Duration::from_mins(20);

/// More than every limit that is searched for.
const TOO_LARGE: u32 = 100_000;

/// The largest token that is let through, and what becomes of one that is a character longer.
pub(crate) struct Sought {
    pub(crate) largest: u32,
    pub(crate) refusal: String,
}

/// Halves the range between a token that is let through and one that is not.
pub(crate) fn largest_token(server: SocketAddr) -> Sought {
    is_let_through(server, 43).expect("an opaque token is let through");
    let (mut largest, mut refused) = (43, TOO_LARGE);
    let mut refusal = is_let_through(server, refused).expect_err("there is a limit");
    while refused - largest > 1 {
        let middle = largest.midpoint(refused);
        match is_let_through(server, middle) {
            Ok(()) => largest = middle,
            Err(reason) => (refused, refusal) = (middle, reason),
        }
    }
    Sought { largest, refusal }
}

/// Sends an ordinary request with a token of so many characters; if the answer is not 200, what it is.
pub(crate) fn is_let_through(server: SocketAddr, characters: u32) -> Result<(), String> {
    let [before, after] = ORDINARY_REQUEST;
    let request = format!("{before}{}{after}", "a".repeat(characters as usize));
    let mut stream = TcpStream::connect(server).expect("the server listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("not zero");
    stream.set_write_timeout(Some(PATIENCE)).expect("not zero");
    // A server that has seen enough answers and closes while the rest is still being sent.
    let sent = stream.write_all(request.as_bytes());
    let mut answer = [0; "HTTP/1.1 200".len()];
    match stream.read_exact(&mut answer) {
        Ok(()) if answer.ends_with(b" 200") => Ok(()),
        Ok(()) => Err(String::from_utf8_lossy(&answer).into_owned()),
        Err(error) => Err(format!("closed ({})", sent.err().unwrap_or(error))),
    }
}
