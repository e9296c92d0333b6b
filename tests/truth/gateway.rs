//! What stands behind a gateway is measured through it.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bearerbench::load::{Driven, Feed, drive};
use bearerbench::observation::Distribution;
use bearerbench::selftest::{Behaviour, Bench, Law, Sending, Server, outcomes};

use crate::{PATIENCE, alone, beside_others, program, requests, steady};

/// A gateway that checks nothing; it ends when this is dropped.
struct Gateway(Child, SocketAddr);

impl Gateway {
    fn before(server: &Server) -> Self {
        let mut child = Command::new(program())
            .args(["serve", "resource-server", "--listen", "127.0.0.1:0", "--architecture", "none"])
            .args(["--upstream", &format!("http://{}", server.address())])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program can be started");
        let mut said = String::new();
        let stdout = child.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut said).expect("it speaks UTF-8");
        let address =
            said.trim().strip_prefix("resource=http://").and_then(|url| url.strip_suffix("/resource"));
        Self(child, address.expect("the resource").parse().expect("an address"))
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the load generator sees of a server through a gateway before it.
fn through_gateway(server: &Server, sending: &Sending<'_>) -> Driven {
    let gateway = Gateway::before(server);
    let mut target = Bench::default().target(&[gateway.1], sending).expect("plain HTTP needs nothing");
    target.timeout = PATIENCE;
    "/resource".clone_into(&mut target.servers[0].path);
    let feed = |_| Feed::open(requests(sending).into_iter());
    drive(&target, feed, |_| {}, &AtomicBool::new(false)).expect("the servers run")
}

/// The shortest latency through a gateway before a server that takes so long.
fn shortest(delay: Duration) -> Duration {
    let server = Bench::default()
        .serve(Behaviour::Asleep { law: Law::Constant(delay), seed: 0 })
        .expect("a port is free");
    let driven = through_gateway(&server, &steady(20.0, 10, Duration::from_secs(2)));
    assert_eq!(outcomes(&driven.load).accepted(), 40);
    assert_eq!(server.end().served.len(), 40, "every request came to the server behind, once");
    let seconds = driven.load.seconds.iter();
    let latency = seconds.fold(Distribution::default(), |mut sum, second| {
        sum.add(&second.latency.open());
        sum
    });
    Duration::from_nanos(latency.min().expect("40 answers"))
}

#[test]
fn a_known_delay_behind_a_gateway_is_read_back_through_it() {
    let _alone = alone();
    let delay = Duration::from_millis(50);
    // Others on this machine hold up what they want, but nobody makes an answer come early, and a gateway takes no 10 ms.
    let is_read_back = |_| {
        let shortest = shortest(delay);
        // A bucket of the histogram is a thousandth wide.
        assert!(shortest.as_secs_f64() > 0.999 * delay.as_secs_f64(), "{shortest:?}");
        shortest < delay + Duration::from_millis(10)
    };
    assert!((0..5).any(is_read_back), "no request of 200 was as quick as it must be");
}

#[test]
fn a_server_that_dies_behind_a_gateway_fails_every_later_request_with_502() {
    let _held = beside_others();
    let server = Bench::default().serve(Behaviour::DieAfter(100)).unwrap();
    let driven = through_gateway(&server, &steady(400.0, 8, Duration::from_secs(1)));
    let sum = outcomes(&driven.load);
    assert_eq!((sum.planned(), sum.ended()), (400, 400), "{sum:?}");
    assert_eq!((sum.accepted(), sum.errors()["status 502"]), (100, 300), "{sum:?}");
}
