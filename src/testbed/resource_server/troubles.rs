//! What a server says of others that were of no use to it.

use std::error::Error;
use std::io::{self, Write as _};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use std::{fmt, iter};

/// Says why somebody who was asked was of no use: clients hear of a 503, a 502 or a 504 only.
#[derive(Default)]
pub(super) struct Troubles {
    /// Held for a line at most, and only in trouble.
    untold: Mutex<Untold>,
}

/// What was not said since the last line.
#[derive(Default)]
struct Untold {
    since: Option<Instant>,
    number: u64,
}

/// One line a second: a server that is down fails thousands of requests meanwhile.
const SILENCE: Duration = Duration::from_secs(1);

/// The most characters of a line: another server may answer with a page.
const LONGEST: usize = 500;

impl Troubles {
    /// A line on standard error, unless the last one is too young.
    pub(super) fn tell(&self, why: &dyn fmt::Display) {
        let mut untold = self.untold.lock().expect("no holder of this lock panics");
        let is_silent = untold.since.is_some_and(|since| since.elapsed() < SILENCE);
        if is_silent {
            untold.number += 1;
            return;
        }
        // What others wrote: no line of its own, and no flood.
        let why: String = why.to_string().chars().take(LONGEST).collect();
        let why = why.replace(char::is_control, " ");
        let more =
            if untold.number > 0 { format!(" ({} more before)", untold.number) } else { String::new() };
        *untold = Untold { since: Some(Instant::now()), number: 0 };
        drop(untold);
        // Nobody may be there to read it.
        let _ = writeln!(io::stderr(), "{why}{more}");
    }
}

/// An error with its causes, in a line.
pub(super) fn chain(error: &dyn Error) -> String {
    let causes = iter::successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
