//! What it costs a sender that its receiver sleeps: the kernel wakes another core within the sender's own system call, and
//! whatever else is due meanwhile is sent late.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use crate::observation::Distribution;
use crate::testbed::machine::pin_thread;
use crate::units::Stamp;

/// Sends after which a quantile is the 99th percentile of more than a few.
const SENDS: u32 = 300;
/// Long enough for a core with nothing to do to fall asleep.
const IDLE: Duration = Duration::from_millis(1);
/// About what a request with a token takes.
const MESSAGE: [u8; 800] = [b'.'; 800];

/// How long a send over loopback takes that wakes its receiver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waking {
    /// The median.
    pub p50: Duration,
    /// The 99th percentile.
    pub p99: Duration,
}

impl Waking {
    /// Sends from one core to a thread that sleeps on the other, for about 300 ms; on any cores where there is none to choose.
    pub fn of(sender: Option<u32>, receiver: Option<u32>) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let stream = TcpStream::connect(listener.local_addr()?)?;
        stream.set_nodelay(true)?;
        let (mut receiving, _) = listener.accept()?;
        let took = thread::scope(|scope| {
            scope.spawn(move || {
                stay_on(receiver);
                let mut buffer = [0; MESSAGE.len()];
                while receiving.read(&mut buffer).is_ok_and(|bytes| bytes > 0) {}
            });
            let sending = scope.spawn(move || {
                stay_on(sender);
                send(stream)
            });
            sending.join().expect("it only sends and reads the clock")
        })?;
        let quantile = |q| Duration::from_nanos(took.quantile(q).unwrap_or(0));
        Ok(Self { p50: quantile(0.5), p99: quantile(0.99) })
    }
}

/// Where the core is not ours to choose, any will do.
fn stay_on(core: Option<u32>) {
    let _ = core.map(|core| pin_thread(&[core]));
}

fn send(mut stream: TcpStream) -> io::Result<Distribution> {
    let mut took = Distribution::default();
    for _ in 0..SENDS {
        // The sender's own core stays awake, as a generator's that spins does.
        let idle = Stamp::now();
        while idle.elapsed() < IDLE {
            std::hint::spin_loop();
        }
        let begun = Stamp::now();
        stream.write_all(&MESSAGE)?;
        took.record(Stamp::now().nanos() - begun.nanos());
    }
    Ok(took)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_send_takes_some_time_and_less_than_the_trial() {
        let waking = Waking::of(None, None).unwrap();
        assert!(waking.p50 > Duration::ZERO && waking.p50 <= waking.p99, "{waking:?}");
        assert!(waking.p50 < Duration::from_millis(100), "{waking:?}");
    }
}
