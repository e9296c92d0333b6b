//! Requests and answers of the measured window.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::observation::{CoreGaps, OpenSecond, Outcomes, Sealed, Second, Side};

/// What the load generator saw. Probes of tokens under revocation test are not in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Load {
    /// The measured window, a second each; the last one may be shorter.
    pub seconds: Vec<Second>,
    /// How many seconds of the window were measured: all of them, unless the plan was cut short.
    pub measured_seconds: f64,
    /// The most requests that were due but had no idle connection, at any instant.
    pub backlog_peak: u64,
    /// Requests that were due but not sent when the window ended: a server that kept up leaves none.
    pub backlog_end: u64,
    /// Nanoseconds of CPU time the generator's threads used from the window's beginning to its end.
    pub generator_cpu_nanos: u64,
    /// Every thread of the generator; none in recordings before version 3.
    pub generators: Vec<Generator>,
    /// Gaps by core: which cores were watched, and what was taken from them. None in recordings before version 4.
    pub gaps: Vec<CoreGaps>,
    /// What a latency is made of, over the whole window; absent in recordings before version 3.
    pub parts: Option<Parts>,
    /// True if the plan was cut short by an interrupt or a failure.
    pub cut_short: bool,
    /// Requests that were due and of which the generator itself cannot say what became: none, or it is at fault.
    pub lost: u64,
}

/// A thread of the load generator.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Generator {
    /// The core it was bound to; absent if it shared all of them.
    pub core: Option<u32>,
    /// What it did while it waited, in words: sleep, hybrid, busy or spin.
    pub precision: String,
    /// Whether it is meant to fill its core: it never sleeps, or not for long.
    pub polls: bool,
    /// How many nanoseconds before a due instant it began to spin at first; earlier after an awakening that was late.
    pub spin_nanos: u64,
    /// How late its timer woke it before the run, in nanoseconds: median and 99th percentile.
    pub timer_late_nanos: [u64; 2],
    /// Nanoseconds of CPU time from the window's beginning to its end.
    pub cpu_nanos: u64,
    /// Nanoseconds it was ready to run but had no core, from the window's beginning to its end: somebody else was on its
    /// core. Absent where the kernel does not tell.
    pub delayed_nanos: Option<u64>,
}

/// What happened between the instant a request was sent and the end of its answer, and on new connections.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parts {
    /// first byte of the answer - sent.
    pub first_byte: Sealed,
    /// answered - first byte of the answer.
    pub response: Sealed,
    /// How long connections took to open, TLS handshake included, those of the beginning among them.
    pub connect: Sealed,
    /// Connections that were opened and resumed a TLS session.
    pub resumed: u64,
    /// Latency by what kind of token was sent and how it was answered.
    pub classes: Vec<ClassLatency>,
}

/// answered - due of the requests with one class of token and one class of status.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClassLatency {
    /// The class of the tokens: "valid", or what is bad about them.
    pub class: String,
    /// The first digit of the HTTP status, like "2xx".
    pub status: String,
    /// Their latencies.
    pub latency: Sealed,
}

impl Load {
    /// How long each of the seconds really was, in seconds.
    pub fn lengths(&self) -> impl Iterator<Item = f64> {
        (0..self.seconds.len()).map(|index| (self.measured_seconds - index as f64).min(1.0))
    }
}

impl Load {
    /// How many requests do not add up: each that was due has ended in exactly one way, and each answer stands both with
    /// the second in which its request was due and with its class.
    pub fn unaccounted(&self) -> u64 {
        let sum =
            |of: fn(&Outcomes) -> u64| self.seconds.iter().map(|second| of(&second.outcomes)).sum::<u64>();
        let ended = sum(Outcomes::ended).abs_diff(sum(Outcomes::planned));
        let classes = self.parts.iter().flat_map(|parts| &parts.classes).map(|class| class.latency.count());
        let answered = if self.parts.is_some() { sum(Outcomes::with_status) } else { 0 };
        ended + answered.abs_diff(classes.sum())
    }

    /// Each thread has a core of its own, but all hear the same of those of the servers.
    fn add_gaps(&mut self, others: Vec<CoreGaps>) {
        for other in others {
            let is_of = |seen: &&mut CoreGaps| (seen.side, seen.core) == (Side::Servers, other.core);
            match self.gaps.iter_mut().find(is_of).filter(|_| other.side == Side::Servers) {
                Some(seen) => {
                    let unseen_seconds = seen.unseen_seconds.max(other.unseen_seconds);
                    *seen =
                        CoreGaps { unseen_seconds, ..if seen.nanos < other.nanos { other } else { *seen } };
                }
                None => self.gaps.push(other),
            }
        }
    }

    /// Puts together what two threads saw of one run.
    pub fn add(&mut self, other: Self) {
        let (mut longer, mut shorter) = (std::mem::take(&mut self.seconds), other.seconds);
        if longer.len() < shorter.len() {
            std::mem::swap(&mut longer, &mut shorter);
        }
        for (second, other) in longer.iter_mut().zip(shorter) {
            let mut open = OpenSecond::default();
            open.add(second);
            open.add(&other);
            *second = open.seal();
        }
        self.seconds = longer;
        self.measured_seconds = self.measured_seconds.max(other.measured_seconds);
        // The peaks need not have been at the same instant: the sum is the most it can have been.
        self.backlog_peak += other.backlog_peak;
        self.backlog_end += other.backlog_end;
        self.generator_cpu_nanos += other.generator_cpu_nanos;
        self.generators.extend(other.generators);
        self.add_gaps(other.gaps);
        self.cut_short |= other.cut_short;
        self.lost += other.lost;
        match (&mut self.parts, other.parts) {
            (Some(parts), Some(other)) => parts.add(other),
            (parts @ None, other) => *parts = other,
            (Some(_), None) => {}
        }
    }
}

impl Parts {
    fn add(&mut self, other: Self) {
        add(&mut self.first_byte, &other.first_byte);
        add(&mut self.response, &other.response);
        add(&mut self.connect, &other.connect);
        self.resumed += other.resumed;
        for class in other.classes {
            let same = |known: &&mut ClassLatency| known.class == class.class && known.status == class.status;
            match self.classes.iter_mut().find(same) {
                Some(known) => add(&mut known.latency, &class.latency),
                None => self.classes.push(class),
            }
        }
    }
}

fn add(sealed: &mut Sealed, other: &Sealed) {
    let mut open = sealed.open();
    open.add(&other.open());
    *sealed = Sealed::from(&open);
}
