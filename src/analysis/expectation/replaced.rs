//! What caches miss of tokens that are replaced while they are in use: closed forms.

use crate::analysis::oracle::misses;
use crate::analysis::population::Population;
use crate::design::Caching;
use crate::observation::{Recording, Workload};

/// The workload as it was: as many tokens were replaced as there were issued in time, and until the load ended.
pub(in crate::analysis) fn as_replaced(recording: &Recording) -> Workload {
    let mut workload = recording.workload.clone();
    if let (Some(churn), Some(load)) = (&recording.churn, &recording.load) {
        let seconds = workload.warmup_seconds + load.measured_seconds;
        workload.churn_per_second = if seconds > 0.0 { churn.replaced as f64 / seconds } else { 0.0 };
    }
    workload
}

/// Misses of live tokens that are replaced. An answer ends with its lifetime T, or before with its token, which has an exponential time left
/// whatever happened: at a rate ρ of replacements for each token after (1 - exp(-ρT)) / ρ on average. `None` for tokens that do not come at one
/// rate all the time, and for a cache that asks ahead.
pub(super) fn of_replaced(
    workload: &Workload,
    live: &Population,
    caching: &Caching,
    time: f64,
) -> Option<f64> {
    if caching.refresh_ahead_seconds.is_some() {
        return None;
    }
    let each = workload.churn_per_second / workload.live_tokens as f64;
    let kept = -(-each * caching.cache_lifetime_seconds).exp_m1() / each;
    live.sum(time, |rate| misses(rate, kept, time))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rand::{RngExt as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::analysis::{analyse, synthetic};
    use crate::metric::MetricId;
    use crate::observation::{Reuse, TokenChurn};
    use crate::registry::Choice;

    fn caching(ttl: f64) -> Caching {
        Caching::for_a_while(Duration::from_secs_f64(ttl))
    }

    /// Misses of one token at one gateway from an empty cache on, of which the token is replaced now and then.
    fn play_replaced(rate: f64, each: f64, ttl: f64, time: f64, random: &mut ChaCha8Rng) -> f64 {
        let mut after = |rate: f64| -(1.0 - random.random::<f64>()).ln() / rate;
        let (mut now, mut fresh_until, mut replaced, mut misses) = (0.0, 0.0, after(each), 0.0);
        loop {
            now += after(rate);
            if now >= time {
                return misses;
            }
            while replaced <= now {
                fresh_until = replaced;
                replaced += after(each);
            }
            if now >= fresh_until {
                fresh_until = now + ttl;
                misses += 1.0;
            }
        }
    }

    #[test]
    fn what_was_really_replaced_in_the_time_that_passed_is_what_caches_are_held_to() {
        let mut recording = synthetic::recording(2);
        (recording.workload.churn_per_second, recording.workload.warmup_seconds) = (40.0, 2.0);
        assert!((as_replaced(&recording).churn_per_second - 40.0).abs() < 1e-9, "nobody counted");
        recording.churn = Some(TokenChurn { due: 400, replaced: 90, ..TokenChurn::default() });
        recording.load.as_mut().unwrap().measured_seconds = 4.0;
        assert!((as_replaced(&recording).churn_per_second - 15.0).abs() < 1e-9);
        let churn = &analyse(&[recording]).subjects[0].estimates[&MetricId::Churn];
        assert!((churn.point - 15.0).abs() < 1e-9, "{churn:?}");
    }

    #[test]
    fn a_played_cache_of_tokens_that_are_replaced_agrees_with_the_closed_form() {
        let mut random = ChaCha8Rng::seed_from_u64(11);
        let mut workload = synthetic::recording(2).workload;
        workload.arrival_process = Some(Choice::named("poisson"));
        (workload.bad_fraction, workload.resource_servers, workload.reuse) = (0.0, 1, Reuse::Uniform {});
        (workload.live_tokens, workload.rate) = (50, 100.0);
        // From tokens that outlive many answers to those that end before their answers do.
        for (churn, ttl, time) in
            [(0.5, 1.0, 30.0), (5.0, 1.0, 6.0), (5.0, 10.0, 30.0), (25.0, 2.0, 12.0), (50.0, 60.0, 20.0)]
        {
            workload.churn_per_second = churn;
            let live = Population::of(&workload).unwrap();
            let expected = of_replaced(&workload, &live, &caching(ttl), time).unwrap();
            let runs = 20_000;
            let played: f64 =
                (0..runs).map(|_| play_replaced(2.0, churn / 50.0, ttl, time, &mut random)).sum();
            let played = 50.0 * played / f64::from(runs);
            // Answers end at instants that scatter, which the form leaves out: that is some percent where few end.
            assert!((expected / played - 1.0).abs() < 0.04, "{churn}, {ttl} s: {expected}, played {played}");
        }
        let live = Population::of(&workload).unwrap();
        let ahead = Caching { refresh_ahead_seconds: Some(0.5), ..caching(2.0) };
        assert!(of_replaced(&workload, &live, &ahead, 9.0).is_none(), "no closed form speaks of it");
        workload.reuse = Reuse::RoundRobin {};
        let in_turn = Population::of(&workload).unwrap();
        assert!(of_replaced(&workload, &in_turn, &caching(2.0), 9.0).is_none());
    }
}
