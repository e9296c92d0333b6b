//! What a made-up recording keeps of the whole window: parts of a latency, and latency by class.

use std::collections::BTreeMap;

use crate::observation::{ClassLatency, Distribution, Generator, Parts, Sealed};

#[derive(Default)]
pub(super) struct OpenParts {
    first_byte: Distribution,
    response: Distribution,
    classes: BTreeMap<(String, &'static str), Distribution>,
}

impl OpenParts {
    /// A request was answered: one answer in four comes in two pieces.
    pub(super) fn record(&mut self, class: &str, status: &'static str, latency: u64, service: u64) {
        let response = if service.is_multiple_of(4) { service / 20 } else { 0 };
        self.first_byte.record(service - response);
        self.response.record(response);
        self.classes.entry((class.to_owned(), status)).or_default().record(latency);
    }

    pub(super) fn seal(self) -> Parts {
        let mut connect = Distribution::default();
        (0..32).for_each(|connection| connect.record(90_000 + 1_000 * connection));
        let sealed = self.classes.into_iter().map(|((class, status), latency)| ClassLatency {
            class,
            status: status.to_owned(),
            latency: Sealed::from(&latency),
        });
        Parts {
            first_byte: Sealed::from(&self.first_byte),
            response: Sealed::from(&self.response),
            connect: Sealed::from(&connect),
            resumed: 0,
            classes: sealed.collect(),
        }
    }
}

/// A thread that sleeps while it waits, on a core of its own.
pub(super) fn generator(cpu_nanos: u64) -> Generator {
    Generator {
        core: Some(0),
        precision: "hybrid".to_owned(),
        polls: false,
        spin_nanos: 30_000,
        timer_late_nanos: [12_000, 25_000],
        cpu_nanos,
        delayed_nanos: Some(4_000_000),
    }
}
