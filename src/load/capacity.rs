//! What this machine's load generator can do, measured before anything is started.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::load::pacing::{Calibrated, Precision};
use crate::observation::Distribution;
use crate::units::Rate;

/// A request with an ML-DSA-65 token, the largest of a usual comparison.
const REQUEST_BYTES: usize = 5 * 1024;
/// An answer of a protected resource.
const ANSWER_BYTES: usize = 200;
/// Long enough for some thousand exchanges.
const CAPACITY_TIME: Duration = Duration::from_millis(50);

/// Requests per second that one core of this machine can exchange over loopback, both sides on it, by the CPU time that they take: what
/// else runs now says nothing about what the machine can do. Takes 50 ms where nothing else runs. A plan above it cannot be sent.
pub fn capacity() -> io::Result<Rate> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let mut client = TcpStream::connect(listener.local_addr()?)?;
    let (mut server, _) = listener.accept()?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (request, answer) = ([b'x'; REQUEST_BYTES], [b'x'; ANSWER_BYTES]);
    let mut received = [0; REQUEST_BYTES];
    let (start, mut exchanges) = (cpu_time(), 0_u32);
    while cpu_time().saturating_sub(start) < CAPACITY_TIME {
        client.write_all(&request)?;
        server.read_exact(&mut received)?;
        server.write_all(&answer)?;
        client.read_exact(&mut received[..ANSWER_BYTES])?;
        exchanges += 1;
    }
    let per_second = f64::from(exchanges) / cpu_time().saturating_sub(start).as_secs_f64();
    Ok(Rate::try_from(per_second).expect("an exchange takes less than a day"))
}

/// CPU time of this thread.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).expect("CPU time is not negative")
}

/// How late the generator's timer wakes it.
pub fn timer_error() -> io::Result<Distribution> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(Calibrated::new(Precision::Hybrid))?.late)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_that_runs_tests_can_send_a_thousand_requests_a_second() {
        assert!(capacity().unwrap().per_second() > 1_000.0);
    }

    #[test]
    fn the_timer_is_tried_often_enough_for_its_99th_percentile() {
        assert!(timer_error().unwrap().count() >= 300);
    }
}
