//! Durations that several distributions count alike are recorded once, and counted in each when their second is over.

use crate::load::flight::{Flight, nanos};
use crate::observation::{Distribution, OpenSecond};
use crate::units::Offset;

/// The durations of usual requests: such as had a valid token and an idle connection, and were accepted by an answer that came at once.
/// What a user waited is then the latency of their class too, and the time since they were sent is the one since they were taken up
/// and the one to the first byte.
#[derive(Debug, Default)]
pub(super) struct Usual {
    /// answered - due.
    pub(super) latency: Distribution,
    /// answered - sent.
    pub(super) service: Distribution,
}

impl Usual {
    /// None, with room to record them.
    pub(super) fn with_room() -> Self {
        Self { latency: Distribution::with_room(), service: Distribution::with_room() }
    }

    /// Whether a request that was accepted is a usual one. Valid tokens are the first class, probes a later one.
    pub(super) fn includes(flight: &Flight, class: usize, first_byte: Offset, answered: Offset) -> bool {
        class == 0 && flight.taken_up == flight.sent && first_byte == answered
    }

    /// Counts a usual request.
    pub(super) fn record(&mut self, flight: &Flight, answered: Offset) {
        self.latency.record(nanos(answered, flight.request.due));
        self.service.record(nanos(answered, flight.sent));
    }

    /// Counts those of a second that is over in its facts, which have all others, and in `whole`, and forgets them.
    pub(super) fn settle(&mut self, facts: &mut OpenSecond, whole: &mut Self) {
        whole.latency.add(&self.latency);
        whole.service.add(&self.service);
        // Where nothing waited, nobody asks for it.
        if facts.wait.count() > 0 {
            facts.served.add(&self.service);
        }
        let each = [(&mut facts.latency, &mut self.latency), (&mut facts.service, &mut self.service)];
        for (all, usual) in each {
            if all.count() == 0 {
                std::mem::swap(all, usual);
            } else {
                all.add(usual);
                usual.reset();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::schedule::{Request, Token};
    use crate::units::Stamp;

    #[test]
    fn a_usual_request_counts_as_if_it_had_been_recorded_wherever_it_belongs() {
        let instant = Offset::from_nanos;
        let flight = |due, sent| Flight {
            request: Request { due: instant(due), place: 0, token: Token::Live(0) },
            taken_up: instant(sent),
            sent: instant(sent),
            probe: None,
            expires: Stamp::from_nanos(u64::MAX),
        };
        let (mut usual, mut whole) = (Usual::with_room(), Usual::default());
        let mut expected_whole = Usual::default();
        // Nothing else; others that did not wait; others of which one did: again with the same room.
        for (others, waits) in [(0, false), (3, false), (3, true), (0, false)] {
            let (mut facts, mut expected) = (OpenSecond::with_room(&[]), OpenSecond::with_room(&[]));
            for number in 0..others {
                for facts in [&mut facts, &mut expected] {
                    facts.latency.record(900 + number);
                    facts.service.record(700 + number);
                    facts.served.record(800 + number);
                }
            }
            if waits {
                facts.wait.record(100);
                expected.wait.record(100);
            }
            for (due, sent, answered) in [(10, 12, 112), (20, 20, 5_000_020)] {
                let flight = flight(due, sent);
                assert!(Usual::includes(&flight, 0, instant(answered), instant(answered)));
                usual.record(&flight, instant(answered));
                for distribution in [&mut expected.latency, &mut expected_whole.latency] {
                    distribution.record(answered - due);
                }
                for distribution in [&mut expected.service, &mut expected.served, &mut expected_whole.service]
                {
                    distribution.record(answered - sent);
                }
            }
            usual.settle(&mut facts, &mut whole);
            assert_eq!(facts.seal(), expected.seal(), "{others} {waits}");
        }
        assert_eq!((whole.latency, whole.service), (expected_whole.latency, expected_whole.service));
    }

    #[test]
    fn a_request_that_waited_was_refused_or_was_answered_in_pieces_is_not_usual() {
        let instant = Offset::from_nanos;
        let idle = Flight {
            request: Request { due: instant(1), place: 0, token: Token::Live(0) },
            taken_up: instant(2),
            sent: instant(2),
            probe: None,
            expires: Stamp::from_nanos(u64::MAX),
        };
        let waited = Flight { sent: instant(3), ..idle };
        assert!(Usual::includes(&idle, 0, instant(9), instant(9)));
        assert!(!Usual::includes(&waited, 0, instant(9), instant(9)));
        assert!(!Usual::includes(&idle, 1, instant(9), instant(9)), "another class");
        assert!(!Usual::includes(&idle, 0, instant(8), instant(9)));
    }
}
