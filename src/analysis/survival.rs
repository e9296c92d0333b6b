//! P(a revoked token is still accepted t after the acknowledgement), by Kaplan & Meier (JASA 1958).
//!
//! A token that was accepted until probing ended leaves the count there: it is neither forgotten nor taken
//! for refused.

use crate::analysis::Observation;

/// The curve between its two ends: refusal at the last acceptance, or only when it was seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Survival {
    /// If every token had been refused right after its last acceptance.
    pub earliest: Vec<SurvivalStep>,
    /// If every token had been accepted until the refusal that was seen.
    pub latest: Vec<SurvivalStep>,
    /// Seconds after which nothing was observed any more.
    pub until: f64,
}

/// From this time on the share holds, until the next step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SurvivalStep {
    /// Seconds after the acknowledgement.
    pub after: f64,
    /// Share of tokens and resource servers that still accept.
    pub share: f64,
}

impl Survival {
    /// The curve over every observation.
    pub(super) fn of(observations: &[Observation]) -> Self {
        let ends = |of: fn(&Observation) -> f64| {
            let times: Vec<(f64, bool)> =
                observations.iter().map(|observation| (of(observation), observation.gap.is_some())).collect();
            product_limit(times)
        };
        Self {
            earliest: ends(|observation| observation.last_acceptance),
            latest: ends(|observation| observation.upper().unwrap_or(observation.last_acceptance)),
            until: observations
                .iter()
                .map(|observation| observation.upper().unwrap_or(observation.last_acceptance))
                .fold(0.0, f64::max),
        }
    }

    /// The earliest and the latest share at an instant.
    pub fn at(&self, after: f64) -> (f64, f64) {
        let share = |steps: &[SurvivalStep]| {
            steps.iter().rev().find(|step| step.after <= after).map_or(1.0, |step| step.share)
        };
        (share(&self.earliest), share(&self.latest))
    }
}

/// Times with whether they ended in a refusal.
fn product_limit(mut times: Vec<(f64, bool)>) -> Vec<SurvivalStep> {
    times.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let mut steps = vec![SurvivalStep { after: 0.0, share: 1.0 }];
    let (mut share, mut index) = (1.0, 0);
    while let Some((after, _)) = times.get(index).copied() {
        let at_risk = times.len() - index;
        let now = times[index..].iter().take_while(|(time, _)| *time <= after);
        let (count, refused) =
            now.fold((0, 0_u32), |(count, refused), (_, seen)| (count + 1, refused + u32::from(*seen)));
        if refused > 0 {
            share *= 1.0 - f64::from(refused) / at_risk as f64;
            steps.push(SurvivalStep { after, share });
        }
        index += count;
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_censoring_the_curve_is_the_share_that_is_left() {
        let steps = product_limit(vec![(3.0, true), (1.0, true), (1.0, true), (2.0, true)]);
        let shares: Vec<_> = steps.iter().map(|step| (step.after, step.share)).collect();
        assert_eq!(shares, [(0.0, 1.0), (1.0, 0.5), (2.0, 0.25), (3.0, 0.0)]);
    }

    #[test]
    fn a_token_that_was_never_refused_leaves_the_count_but_not_the_curve() {
        let steps = product_limit(vec![(1.0, true), (2.0, false), (3.0, true), (4.0, false)]);
        let shares: Vec<_> = steps.iter().map(|step| (step.after, step.share)).collect();
        assert_eq!(shares, [(0.0, 1.0), (1.0, 0.75), (3.0, 0.375)]);
    }
}
