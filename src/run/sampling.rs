//! Looks at every node of a trial beside its load, and when one that answers no more ends the trial.

use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;

use crate::observation::Node;
use crate::plan::Trial;
use crate::testbed::{Testbed, TestbedError};
use crate::units::Stamp;

const INTERVAL: Duration = Duration::from_secs(1);

/// A server that has not answered for so long might as well have ended.
const LONGEST_SILENCE: Duration = Duration::from_secs(10);

/// Samples when the window begins, every second, and when it ends, or the load by count; whom that misses last is waited for.
pub(super) async fn sample(
    testbed: &Testbed,
    trial: &Trial,
    start: Stamp,
    ended: &Notify,
    nodes: &mut [Node],
) -> Result<(), TestbedError> {
    let end = trial.workload.end();
    let mut due = trial.workload.window_start();
    let mut silences = vec![Silence::default(); nodes.len()];
    let mut is_last = false;
    loop {
        is_last |= tokio::select! {
            () = sleep(due.since(Stamp::now().offset(start))) => due >= end,
            () = ended.notified(), if trial.workload.requests.is_some() => true,
        };
        for (silence, looked) in silences.iter_mut().zip(testbed.look(start, nodes).await) {
            silence.judge(looked, Stamp::now())?;
        }
        if is_last && silences.iter().all(|silence| silence.since.is_none()) {
            return Ok(());
        }
        due = if is_last { Stamp::now().offset(start) + INTERVAL } else { (due + INTERVAL).min(end) };
    }
}

/// Since when a node has not been seen.
#[derive(Clone, Debug, Default)]
struct Silence {
    since: Option<Stamp>,
}

impl Silence {
    /// One look that is missed on a busy machine is left out, and so are those at a server that stands still for a while. Any other
    /// that fails twice has ended; so has, or might as well have, one that gives no answer any more.
    fn judge(&mut self, looked: Result<(), TestbedError>, now: Stamp) -> Result<(), TestbedError> {
        let Err(error) = looked else {
            self.since = None;
            return Ok(());
        };
        let Some(since) = self.since else {
            self.since = Some(now);
            return Ok(());
        };
        match error {
            TestbedError::Silent { .. } if now < since + LONGEST_SILENCE => Ok(()),
            TestbedError::Silent { name, .. } => Err(TestbedError::Silent { name, limit: LONGEST_SILENCE }),
            ended => Err(ended),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn silent() -> Result<(), TestbedError> {
        Err(TestbedError::Silent { name: "server".to_owned(), limit: Duration::from_millis(500) })
    }

    fn gone() -> Result<(), TestbedError> {
        let source = io::ErrorKind::NotFound.into();
        Err(TestbedError::Usage { name: "server".to_owned(), source })
    }

    fn at(second: u64) -> Stamp {
        Stamp::from_nanos(0) + Duration::from_secs(second)
    }

    #[test]
    fn a_server_that_stands_still_for_nine_seconds_is_missed_and_one_that_does_for_ten_ends_the_trial() {
        let mut silence = Silence::default();
        for second in 0..10 {
            silence.judge(silent(), at(second)).unwrap();
        }
        silence.judge(Ok(()), at(10)).unwrap();
        for second in 11..21 {
            silence.judge(silent(), at(second)).unwrap();
        }
        let error = silence.judge(silent(), at(21)).unwrap_err();
        assert_eq!(error.to_string(), "the server gave no answer within 10 s");
    }

    #[test]
    fn a_look_that_fails_is_left_out_and_two_in_a_row_end_the_trial() {
        let mut silence = Silence::default();
        for second in [0, 2, 4] {
            silence.judge(gone(), at(second)).unwrap();
            silence.judge(Ok(()), at(second + 1)).unwrap();
        }
        silence.judge(gone(), at(6)).unwrap();
        silence.judge(gone(), at(7)).unwrap_err();
    }
}
