//! The shortest and the longest latency: exact, and moved by the bench as every latency is.

use std::collections::BTreeMap;

use crate::analysis::followed::{FollowedSeconds, From, Reach};
use crate::analysis::latency::{left_out, merge};
use crate::analysis::standing::Bracket;
use crate::analysis::trials::Trials;
use crate::analysis::{Estimate, Standing};
use crate::metric::MetricId;
use crate::observation::{Distribution, Second};

/// Both; nothing without an answer. They have no interval: that of resampled seconds says nothing about an end of a distribution.
pub(super) fn estimates(trials: &Trials<'_>) -> BTreeMap<MetricId, Estimate> {
    let seconds = trials.seconds();
    let shortest = shortest(&seconds).map(|estimate| (MetricId::LatencyMin, estimate));
    let longest = longest(&seconds).map(|estimate| (MetricId::LatencyMax, estimate));
    shortest.into_iter().chain(longest).collect()
}

/// A gap can only lengthen: the shortest of all requests is that of those that were left alone, if there are any.
fn shortest(seconds: &[&Second]) -> Option<Estimate> {
    let all = of_all(seconds).min()? as f64 / 1e9;
    let without_lag = merge(seconds.iter().map(|second| second.served().open())).min()? as f64 / 1e9;
    Some(within(without_lag, all))
}

/// A request that got no answer may have taken longer than the longest.
fn longest(seconds: &[&Second]) -> Option<Estimate> {
    let all = of_all(seconds).max()? as f64 / 1e9;
    let followed = |from| FollowedSeconds::of(seconds, from).whole(1.0);
    let without_lag = followed(From::TakenUp).map_or(0.0, Reach::seconds);
    let estimate = match followed(From::Due) {
        Some(Reach::At(undisturbed)) => Estimate { of_all: Some(all), ..within(without_lag, undisturbed) },
        // The longest met a gap: it took at least until then, and at most what it took with the gap.
        Some(Reach::Beyond(_)) => Estimate { of_all: Some(all), ..within(without_lag, all) },
        None => Estimate { of_all: Some(all), ..within(0.0, all) },
    };
    let unanswered = left_out(seconds, |second| second.outcomes.answered());
    Some(Estimate { high: estimate.high.filter(|_| unanswered <= 0.0), ..estimate })
}

fn of_all(seconds: &[&Second]) -> Distribution {
    merge(seconds.iter().map(|second| second.latency.open()))
}

/// A time that the bench may have lengthened from `least` to `most`.
fn within(least: f64, most: f64) -> Estimate {
    let bracket = Bracket::Within { least: least.min(most), most, scale: most };
    Estimate { standing: Standing::of(bracket, 0.0), bias: bracket.width(), ..Estimate::counted(most) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{analyse, synthetic};
    use crate::observation::{Load, OpenDisturbed, OpenFollowed, OpenSecond, Recording};

    fn of(recording: Recording) -> [Estimate; 2] {
        let estimates = analyse(&[recording]).subjects.remove(0).estimates;
        [MetricId::LatencyMin, MetricId::LatencyMax].map(|metric| estimates[&metric])
    }

    fn load(recording: &mut Recording) -> &mut Load {
        recording.load.as_mut().unwrap()
    }

    #[test]
    fn both_are_exact_and_the_longest_is_only_known_from_below_where_a_request_got_no_answer() {
        let mut recording = synthetic::recording(1);
        let all = of_all(&load(&mut recording).seconds.iter().collect::<Vec<_>>());
        let [shortest, longest] = of(recording.clone());
        let seconds = |nanos: Option<u64>| nanos.unwrap() as f64 / 1e9;
        assert_eq!((shortest.point, longest.point), (seconds(all.min()), seconds(all.max())));
        assert_eq!(longest.high, Some(longest.point));
        assert_eq!([shortest, longest].map(|estimate| estimate.standing), [Standing::Sound; 2]);
        load(&mut recording).seconds[0].outcomes.class_mut("valid").accepted -= 1;
        let [shortest, longest] = of(recording);
        assert!(shortest.high.is_some() && longest.high.is_none());
    }

    /// One second of requests that took so many nanoseconds, `lag` of them before they were taken up; a gap hid those in `lost`.
    fn second(took: &[u64], lag: u64, lost: &[u64]) -> Recording {
        let distribution = |values: &mut dyn Iterator<Item = u64>| {
            let mut distribution = Distribution::default();
            values.for_each(|value| distribution.record(value));
            distribution
        };
        let all = || took.iter().chain(lost).copied();
        let ended = |less: u64| distribution(&mut took.iter().map(|value| value - less));
        let censored = |less: u64| distribution(&mut lost.iter().map(|value| (value - less) / 2));
        let followed = |less| OpenFollowed { ended: ended(less), censored: censored(less) };
        let disturbed = OpenDisturbed {
            latency: followed(0),
            served: followed(lag),
            service: followed(lag),
            ..OpenDisturbed::default()
        };
        let open = OpenSecond {
            latency: distribution(&mut all()),
            service: distribution(&mut all().map(|value| value - lag)),
            disturbed: (!lost.is_empty()).then_some(disturbed),
            ..OpenSecond::default()
        };
        let mut recording = synthetic::recording(1);
        load(&mut recording).seconds = vec![open.seal()];
        recording
    }

    #[test]
    fn lag_and_gaps_leave_them_as_uncertain_as_every_latency() {
        let [shortest, longest] = of(second(&[1_000_000, 9_000_000], 200_000, &[]));
        assert_eq!(shortest.standing, Standing::Bounded { least: 0.000_8, most: 0.001 });
        assert_eq!((longest.standing, longest.of_all), (Standing::Sound, Some(0.009)), "200 us of 9 ms");
        let [shortest, longest] = of(second(&[1_000_000, 9_000_000], 0, &[80_000_000]));
        assert_eq!((shortest.standing, shortest.point), (Standing::Sound, 0.001));
        let Standing::Bounded { least, most } = longest.standing else { panic!("{longest:?}") };
        assert!((least - 0.04).abs() < 1e-4 && (most - 0.08).abs() < 1e-9, "hidden after 40 ms: {longest:?}");
        let [_, longest] = of(second(&[1_000_000, 9_000_000], 0, &[12_000_000]));
        assert_eq!(
            (longest.point, longest.of_all),
            (0.009, Some(0.012)),
            "6 ms of it were seen, 9 ms are longer"
        );
    }
}
