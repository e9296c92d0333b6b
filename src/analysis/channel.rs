//! How long the news of a revocation is under way that is pushed to those who decide.

use std::collections::BTreeMap;

use crate::analysis::Estimate;
use crate::analysis::latency::few_samples;
use crate::analysis::sparse::rank;
use crate::analysis::trials::Trials;
use crate::metric::MetricId;
use crate::observation::{Learned, Recording};

/// Both quantiles, over every revocation at every node that heard of it; nothing where nobody was told.
pub(super) fn estimates(trials: &Trials<'_>) -> BTreeMap<MetricId, Estimate> {
    let mut delays: Vec<f64> = trials.recordings.iter().copied().flat_map(delays).collect();
    delays.sort_unstable_by(f64::total_cmp);
    let count = delays.len() as u64;
    let quantile = |(metric, q)| {
        let index = usize::try_from(rank(q, count)).expect("a rank is at most the count").checked_sub(1)?;
        let few_samples = few_samples(count, q);
        Some((metric, Estimate { few_samples, ..Estimate::counted(*delays.get(index)?) }))
    };
    let quantiles = [(MetricId::ChannelDelayP50, 0.5), (MetricId::ChannelDelayP99, 0.99)];
    quantiles.into_iter().filter(|_| count > 0).filter_map(quantile).collect()
}

/// Seconds from each acknowledgement to the instant at which a node had heard of it; 0 if that was before.
fn delays(recording: &Recording) -> impl Iterator<Item = f64> {
    recording.learned.iter().filter_map(|Learned { event, at, .. }| {
        let event = recording.events.get(usize::try_from(*event).ok()?)?;
        event.revocation()?;
        Some(at.since(event.ended?).as_secs_f64())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{analyse, synthetic};
    use crate::units::Offset;

    #[test]
    fn delays_count_from_the_acknowledgement_and_old_recordings_have_none() {
        let mut recording = synthetic::recording(3);
        let of = |recording: &Recording| {
            let estimates = analyse(std::slice::from_ref(recording)).subjects.remove(0).estimates;
            [MetricId::ChannelDelayP50, MetricId::ChannelDelayP99]
                .map(|metric| estimates.get(&metric).copied())
        };
        assert_eq!(of(&recording), [None; 2]);
        let learned = |node: u32, event: u32, millis: u64, recording: &Recording| {
            let acknowledged = recording.events[event as usize].ended.unwrap();
            Learned { node, event, at: Offset::from_nanos(acknowledged.nanos() + millis * 1_000_000) }
        };
        recording.learned = [(2, 0, 3), (3, 0, 1), (2, 1, 2), (3, 1, 40), (2, 2, 5)]
            .map(|(node, event, millis)| learned(node, event, millis, &recording))
            .to_vec();
        let point = |estimate: Option<Estimate>| format!("{:.0} ms", estimate.unwrap().point * 1e3);
        let [median, p99] = of(&recording);
        assert_eq!([point(median), point(p99)], ["3 ms", "40 ms"]);
        assert!(p99.unwrap().few_samples);
        // One who was told before the acknowledgement was written.
        let acknowledged = recording.events[3].ended.unwrap();
        recording.learned =
            vec![Learned { node: 2, event: 3, at: Offset::from_nanos(acknowledged.nanos() - 1) }];
        assert_eq!(point(of(&recording)[0]), "0 ms");
        // Nobody knows when that was.
        recording.events[3].ended = None;
        assert_eq!(of(&recording), [None; 2]);
    }
}
