//! Quantiles of requests that were followed to their answer, or only to a gap (Kaplan & Meier, JASA 1958), of any mixture of
//! seconds.
//!
//! Assumes that gaps come whatever a request does. Then one that was lost from sight after so long stands for all that took
//! at least so long.

use std::collections::BTreeMap;

use crate::analysis::sparse::Seconds;
use crate::observation::{Distribution, Sealed, Second};

/// From which instant of a request on it was followed to its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum From {
    /// It was due.
    Due,
    /// The generator took it up: the wait for a connection and the service, without the generator's lag.
    TakenUp,
    /// It was sent.
    Sent,
}

/// How far an estimate reaches, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Reach {
    /// The quantile.
    At(f64),
    /// Everything that could still be followed ended here, before the quantile was reached.
    Beyond(f64),
}

/// Requests of several seconds.
pub(super) struct FollowedSeconds {
    /// Those that ended, exactly.
    ended: Distribution,
    sparse: Seconds,
    /// Absent if every request was followed to its end.
    lost: Option<Lost>,
}

/// What ended and what was lost from sight, bucket by bucket.
struct Lost {
    /// In nanoseconds, ascending.
    values: Vec<u64>,
    /// Row after row: of second `s`, how many ended and how many were lost in bucket `b`.
    counts: Vec<[u32; 2]>,
    seconds: usize,
    /// The exact longest, in nanoseconds: a bucket reaches beyond it.
    longest: u64,
}

impl Reach {
    pub(super) fn seconds(self) -> f64 {
        match self {
            Self::At(seconds) | Self::Beyond(seconds) => seconds,
        }
    }
}

impl From {
    /// Requests of a second that ended, and those that were lost in a gap.
    fn of(self, second: &Second) -> (&Sealed, Option<&Sealed>) {
        match &second.disturbed {
            Some(disturbed) => {
                let followed = match self {
                    Self::Due => &disturbed.latency,
                    Self::TakenUp => disturbed.served(),
                    Self::Sent => &disturbed.service,
                };
                (&followed.ended, Some(&followed.censored))
            }
            None => match self {
                Self::Due => (&second.latency, None),
                // In recordings before version 4 it is the service, which is a part of it, so that a bound stays one.
                Self::TakenUp => (second.served(), None),
                Self::Sent => (&second.service, None),
            },
        }
    }
}

impl FollowedSeconds {
    pub(super) fn of(seconds: &[&Second], from: From) -> Self {
        let mut ended = Distribution::default();
        let sparse = Seconds::new(seconds.iter().map(|second| {
            let one = from.of(second).0.open();
            ended.add(&one);
            one
        }));
        let is_lost = |second: &&Second| from.of(second).1.is_some_and(|lost| lost.count() > 0);
        let lost = seconds.iter().any(is_lost).then(|| Lost::of(seconds, from));
        Self { ended, sparse, lost }
    }

    /// How many requests were followed, if only for a while.
    pub(super) fn count(&self) -> u64 {
        let lost = self.lost.iter().flat_map(|lost| &lost.counts).map(|count| u64::from(count[1]));
        self.ended.count() + lost.sum::<u64>()
    }

    /// The quantile `q` of all of them; `None` if nothing ended.
    pub(super) fn whole(&self, q: f64) -> Option<Reach> {
        match &self.lost {
            None => Some(Reach::At(self.ended.quantile(q)? as f64 / 1e9)),
            Some(lost) => lost.quantile(&vec![1; lost.seconds], q),
        }
    }

    /// The same of the mixture in which second `s` occurs `weights[s]` times.
    pub(super) fn quantile(&self, weights: &[u32], q: f64) -> Option<Reach> {
        match &self.lost {
            None => self.sparse.quantile(weights, q).map(Reach::At),
            Some(lost) => lost.quantile(weights, q),
        }
    }

    /// The mean of that mixture in seconds, as if the longest that were lost had ended there.
    pub(super) fn mean(&self, weights: &[u32]) -> Option<f64> {
        match &self.lost {
            None => self.sparse.mean(weights),
            Some(lost) => lost.mean(weights),
        }
    }
}

impl Lost {
    fn of(seconds: &[&Second], from: From) -> Self {
        let mut longest = 0;
        let buckets: Vec<BTreeMap<u64, [u32; 2]>> = seconds
            .iter()
            .map(|second| {
                let (ended, lost) = from.of(second);
                let mut counts = BTreeMap::<u64, [u32; 2]>::new();
                for (part, sealed) in [Some(ended), lost].into_iter().enumerate() {
                    let Some(sealed) = sealed else { continue };
                    let open = sealed.open();
                    longest = longest.max(open.max().unwrap_or(0));
                    for (value, count) in open.buckets() {
                        counts.entry(value).or_default()[part] += u32::try_from(count).unwrap_or(u32::MAX);
                    }
                }
                counts
            })
            .collect();
        let mut values: Vec<u64> = buckets.iter().flat_map(BTreeMap::keys).copied().collect();
        values.sort_unstable();
        values.dedup();
        let row = |second: &BTreeMap<u64, [u32; 2]>| {
            values.iter().map(|value| second.get(value).copied().unwrap_or_default()).collect::<Vec<_>>()
        };
        let counts = buckets.iter().flat_map(row).collect();
        Self { values, counts, seconds: seconds.len(), longest }
    }

    /// Bucket by bucket, what ended and what was lost in the mixture.
    fn mixture(&self, weights: &[u32]) -> Vec<[f64; 2]> {
        let mut mixture = vec![[0.0; 2]; self.values.len()];
        for (row, weight) in
            self.counts.chunks(self.values.len()).zip(weights).filter(|(_, weight)| **weight > 0)
        {
            for (sum, count) in mixture.iter_mut().zip(row) {
                sum[0] += f64::from(*weight) * f64::from(count[0]);
                sum[1] += f64::from(*weight) * f64::from(count[1]);
            }
        }
        mixture
    }

    /// The share of requests that take longer than each bucket.
    fn survival(&self, weights: &[u32]) -> Vec<(u64, f64)> {
        let mixture = self.mixture(weights);
        let mut at_risk: f64 = mixture.iter().flatten().sum();
        let mut share = 1.0;
        let left = |(value, [ended, lost]): (&u64, &[f64; 2])| {
            // What was lost at an instant was still there when others ended at it.
            if *ended > 0.0 {
                share *= 1.0 - ended / at_risk;
            }
            at_risk -= ended + lost;
            (*value, share)
        };
        self.values.iter().zip(&mixture).map(left).collect()
    }

    fn quantile(&self, weights: &[u32], q: f64) -> Option<Reach> {
        let survival = self.survival(weights);
        let reached = survival.iter().find(|(_, share)| *share <= 1.0 - q + 1e-9);
        let seconds = |value: u64| value.min(self.longest) as f64 / 1e9;
        match reached {
            Some((value, _)) => Some(Reach::At(seconds(*value))),
            None => survival.last().map(|(value, _)| Reach::Beyond(seconds(*value))),
        }
    }

    fn mean(&self, weights: &[u32]) -> Option<f64> {
        let survival = self.survival(weights);
        let (last, rest) = survival.last().copied()?;
        let mut before = 1.0;
        let sum: f64 = survival
            .iter()
            .map(|(value, share)| {
                let ended = before - share;
                before = *share;
                ended * *value as f64
            })
            .sum();
        Some((sum + rest * last as f64) / 1e9)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::{OpenDisturbed, OpenFollowed, OpenSecond};

    fn second(ended: &[u64], lost: &[u64]) -> Second {
        let of = |values: &[u64]| {
            let mut distribution = Distribution::default();
            for value in values {
                distribution.record(*value);
            }
            distribution
        };
        let latency = OpenFollowed { ended: of(ended), censored: of(lost) };
        let disturbed = Some(OpenDisturbed { latency, ..OpenDisturbed::default() });
        OpenSecond { disturbed, ..OpenSecond::default() }.seal()
    }

    fn at(seconds: &[&Second], q: f64) -> Option<Reach> {
        let followed = FollowedSeconds::of(seconds, From::Due);
        let whole = followed.whole(q);
        assert_eq!(whole, followed.quantile(&vec![1; seconds.len()], q));
        whole
    }

    /// The example of Kaplan and Meier's paper: deaths at 0.8, 3.1, 5.4 and 9.2 months, losses at 1.0, 2.7, 7.0 and 12.1. P(t)
    /// after each death is 7/8, 7/10, 21/40, 21/80.
    #[test]
    fn the_estimate_is_that_of_the_paper() {
        let seconds = second(&[800, 3_100, 5_400, 9_200], &[1_000, 2_700, 7_000, 12_100]);
        let lost = Lost::of(&[&seconds], From::Due);
        let shares: Vec<f64> =
            lost.survival(&[1]).into_iter().map(|(_, share)| (share * 1e4).round() / 1e4).collect();
        assert_eq!(shares, [0.875, 0.875, 0.875, 0.7, 0.525, 0.525, 0.2625, 0.2625]);
        let reached = |q| at(&[&seconds], q).map(|reach| (reach.seconds() * 1e9 / 10.0).round() * 10.0);
        assert_eq!((reached(0.1), reached(0.3), reached(0.4)), (Some(800.0), Some(3_100.0), Some(5_400.0)));
        assert_eq!(at(&[&seconds], 0.9), Some(Reach::Beyond(12_100e-9)), "12.1 months were not enough");
    }

    #[test]
    fn without_anything_lost_it_is_the_quantile_of_what_ended() {
        let (first, other) = (second(&[100, 200], &[]), second(&[300], &[]));
        assert_eq!(at(&[&first, &other], 0.5), Some(Reach::At(200e-9)));
        assert_eq!(at(&[&first, &other], 0.99), Some(Reach::At(300e-9)));
        assert_eq!(at(&[], 0.5), None);
    }

    #[test]
    fn what_a_gap_hid_is_neither_short_nor_left_out() {
        // Half take 1,000, half 2,000; a gap at 1,500 hides all but one of the long ones.
        let seconds = second(&[1_000, 1_000, 1_000, 1_000, 2_000], &[1_500, 1_500, 1_500]);
        let followed = FollowedSeconds::of(&[&seconds], From::Due);
        assert!((followed.mean(&[1]).unwrap() * 1e9 - 1_500.0).abs() < 5.0);
        let long = at(&[&seconds], 0.75).unwrap().seconds();
        assert!(followed.count() == 8 && (long * 1e9 - 2_000.0).abs() < 2.0, "{long}");
    }
}
