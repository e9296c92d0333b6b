//! What happened to the requests that were due within one second: while it is recorded, and at rest.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::observation::gap::{OpenDisturbed, OpenFollowed};
use crate::observation::{Distribution, Disturbed, Outcomes, Sealed, Slices};

/// Requests **due** within one second, and the answers that arrived in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Second {
    /// answered - due: what a user would have waited. Every answer, accepted or refused.
    pub latency: Sealed,
    /// taken up - due of every request: the generator's own lag.
    pub lag: Sealed,
    /// sent - taken up of requests that found no idle connection; of one that was sent again, once more for that.
    pub wait: Sealed,
    /// answered - sent.
    pub service: Sealed,
    /// answered - taken up: wait and service, without the generator's lag. Empty where no request waited, and in recordings
    /// before version 4: see [`Second::served`].
    served: Sealed,
    /// How the requests ended.
    pub outcomes: Outcomes,
    /// Answers, yes or no, that arrived within this second, whenever their requests were due.
    pub answers: u64,
    /// Counts of every tenth of it; absent in recordings before version 4.
    pub slices: Option<Slices>,
    /// What gaps left of its requests; absent if none touched them, so that `latency`, `served` and `service` are undisturbed,
    /// and in recordings before version 4, which did not look for gaps.
    pub disturbed: Option<Disturbed>,
}

impl Second {
    /// How long every request waited for a connection: those that found an idle one did not wait.
    pub fn wait_of_all(&self) -> Distribution {
        let mut wait = self.wait.open();
        wait.record_many(0, self.outcomes.sent().saturating_sub(wait.count()));
        wait
    }

    /// answered - taken up: wait and service, without the generator's lag. It is the service where no request waited; in recordings
    /// before version 4 it is at least the service.
    pub fn served(&self) -> &Sealed {
        if self.served.count() > 0 { &self.served } else { &self.service }
    }
}

/// A second while it is being recorded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OpenSecond {
    /// See [`Second::latency`].
    pub latency: Distribution,
    /// See [`Second::lag`].
    pub lag: Distribution,
    /// See [`Second::wait`].
    pub wait: Distribution,
    /// See [`Second::service`].
    pub service: Distribution,
    /// See [`Second::served()`].
    pub served: Distribution,
    /// See [`Second::outcomes`].
    pub outcomes: Outcomes,
    /// See [`Second::answers`].
    pub answers: u64,
    /// See [`Second::slices`].
    pub slices: Slices,
    /// See [`Second::disturbed`].
    pub disturbed: Option<OpenDisturbed>,
}

impl OpenSecond {
    /// One in which recording does not ask for memory, for requests with these classes of tokens.
    pub fn with_room(classes: &[Arc<str>]) -> Self {
        let [latency, lag, wait, service, served] = std::array::from_fn(|_| Distribution::with_room());
        Self {
            latency,
            lag,
            wait,
            service,
            served,
            outcomes: Outcomes::of_classes(classes),
            ..Self::default()
        }
    }

    /// Its facts at rest.
    pub fn seal(&self) -> Second {
        // A second at rest is what a long run fills memory with: nothing is kept twice.
        let has_waited = self.wait.count() > 0;
        Second {
            latency: Sealed::from(&self.latency),
            lag: Sealed::from(&self.lag),
            wait: Sealed::from(&self.wait),
            service: Sealed::from(&self.service),
            served: if has_waited { Sealed::from(&self.served) } else { Sealed::default() },
            outcomes: self.outcomes.at_rest(),
            answers: self.answers,
            slices: Some(self.slices),
            disturbed: self.disturbed.as_ref().map(|disturbed| disturbed.seal(has_waited)),
        }
    }

    /// Forgets everything, but keeps the room for it.
    pub fn reset(&mut self) {
        let Self { latency, lag, wait, service, served, .. } = self;
        for distribution in [latency, lag, wait, service, served] {
            distribution.reset();
        }
        self.outcomes.reset();
        (self.answers, self.slices, self.disturbed) = (0, Slices::default(), None);
    }

    /// Counts everything that `other` counted.
    pub fn add(&mut self, other: &Second) {
        // First: of whoever was not disturbed, what was seen until now is undisturbed.
        if self.disturbed.is_some() || other.disturbed.is_some() {
            let own = self.disturbed.take().unwrap_or_else(|| self.undisturbed());
            self.disturbed = Some(own.with(other));
        }
        self.latency.add(&other.latency.open());
        self.lag.add(&other.lag.open());
        self.wait.add(&other.wait.open());
        self.service.add(&other.service.open());
        self.served.add(&other.served().open());
        self.outcomes.add(&other.outcomes);
        self.answers += other.answers;
        other.slices.iter().for_each(|slices| self.slices.add(slices));
    }

    /// Everything that was seen, as followed to its end.
    fn undisturbed(&self) -> OpenDisturbed {
        let ended = |all: &Distribution| OpenFollowed { ended: all.clone(), ..OpenFollowed::default() };
        OpenDisturbed {
            latency: ended(&self.latency),
            served: ended(&self.served),
            service: ended(&self.service),
            ..OpenDisturbed::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A second of one request that was sent after a wait, and took 100 ns from then on.
    fn second(wait: Option<u64>) -> Second {
        let mut second = OpenSecond::default();
        if let Some(wait) = wait {
            second.wait.record(wait);
        }
        let served = 100 + wait.unwrap_or(0);
        second.service.record(100);
        second.served.record(served);
        let disturbed = second.disturbed.insert(OpenDisturbed::default());
        disturbed.service.censored.record(100);
        disturbed.served.censored.record(served);
        second.seal()
    }

    #[test]
    fn what_no_wait_tells_apart_is_kept_once_and_read_and_merged_all_the_same() {
        let (idle, waited) = (second(None), second(Some(50)));
        let kept = |second: &Second| serde_json::to_value(second).unwrap()["served"]["count"].clone();
        assert_eq!((kept(&idle), kept(&waited)), (0.into(), 1.into()));
        let mut both = OpenSecond::default();
        for (second, longest) in [(&idle, 100), (&waited, 150)] {
            let censored = &second.disturbed.as_ref().unwrap().served().censored;
            assert_eq!([second.served(), censored].map(|sealed| sealed.open().max()), [Some(longest); 2]);
            both.add(second);
        }
        let both = both.seal();
        let served = &both.disturbed.as_ref().unwrap().served().censored;
        assert_eq!([both.served(), served].map(Sealed::count), [2, 2]);
    }
}
