//! Closed forms of what a cache does, to hold against what was measured.
//!
//! A token is asked for by a Poisson process of `rate` per second at one gateway, and an answer is kept for
//! `ttl` seconds: a renewal process whose cycles last `ttl + 1 / rate` on average.

use std::ops::Range;

/// Share of the requests of a token that are answered from the cache: λT / (1 + λT).
pub fn hit_ratio(rate: f64, ttl: f64) -> f64 {
    rate * ttl / (1.0 + rate * ttl)
}

/// Introspections per second over tokens of these rates, each spread over that many gateways: Σ λ / (1 + λT/G).
pub fn introspections_per_second(rates: impl IntoIterator<Item = f64>, ttl: f64, gateways: f64) -> f64 {
    rates.into_iter().map(|rate| rate / (1.0 + rate * ttl / gateways)).sum()
}

/// Unsafe acceptances of a revocation at one gateway: (λT)² / (2 (1 + λT)).
pub fn unsafe_acceptances(rate: f64, ttl: f64) -> f64 {
    (rate * ttl).powi(2) / (2.0 * (1.0 + rate * ttl))
}

/// Expected misses of a token from an empty cache until `time` seconds later.
///
/// The n-th miss comes when n gaps have passed on top of n-1 lifetimes of an answer, so it has come by
/// `time` if a Poisson count of mean λ (time - (n-1) T) is at least n. A short run is far from the
/// long-run rate λ / (1 + λT): every token is missed once at its beginning.
pub(super) fn misses(rate: f64, ttl: f64, time: f64) -> f64 {
    /// After so many cycles the long-run rate is exact to a thousandth.
    const CYCLES: u32 = 60;
    let mut sum = 0.0;
    for n in 1..=CYCLES {
        let left = time - f64::from(n - 1) * ttl;
        let arrived = if left > 0.0 { at_least(n, rate * left) } else { 0.0 };
        if arrived < 1e-12 {
            return sum;
        }
        sum += arrived;
    }
    // A renewal process has m(t) = t / cycle + (variance / cycle² - 1) / 2 in the long run (Cox 1962, section 4.2),
    // and the first cycle here is short of the lifetime of an answer.
    let cycle = ttl + 1.0 / rate;
    (time + ttl) / cycle + ((1.0 / rate / cycle).powi(2) - 1.0) / 2.0
}

/// A cache that asks again ahead, of a token that it asks about again from `begins` seconds after a question on, and of which it drops the
/// answer `ahead` seconds later.
///
/// Requests have no memory, so the first one after `begins` comes 1 / rate later whether it meets an answer or not, and either way it
/// causes the one question of its cycle: questions come as from a plain cache that keeps answers for `begins`. Those that come later
/// than `ahead` are misses: a part exp(-λ ahead) of them, and every first one.
#[derive(Clone, Copy, Debug)]
pub(super) struct AskedAhead {
    pub(super) begins: f64,
    pub(super) ahead: f64,
}

impl AskedAhead {
    /// Expected questions from an empty cache until `time` seconds later.
    pub(super) fn questions(self, rate: f64, time: f64) -> f64 {
        misses(rate, self.begins, time)
    }

    /// Those of them that a request waits for: its n-th cycle ends after `ahead` with a miss, as a new one begins.
    pub(super) fn misses(self, rate: f64, time: f64) -> f64 {
        let first = |time: f64| 1.0 - (-rate * time.max(0.0)).exp();
        let late = time - self.ahead;
        first(time) + self.is_late(rate) * (misses(rate, self.begins, late) - first(late)).max(0.0)
    }

    /// P(no request comes while an answer is asked for ahead).
    fn is_late(self, rate: f64) -> f64 {
        (-rate * self.ahead).exp()
    }

    /// Requests after a revocation at one gateway that are accepted, and questions that they cause by then. The revocation meets a cycle
    /// before it asks ahead, or while it waits for the request that does; that one is accepted, and those after it are not.
    pub(super) fn unsafe_acceptances(self, rate: f64) -> (f64, f64) {
        let (before, late) = (rate * self.begins, self.is_late(rate));
        let waits = 1.0 / (1.0 + before);
        let asked = (1.0 - waits) * (1.0 - late) + waits * (1.0 - late * (1.0 + rate * self.ahead));
        ((1.0 - waits) * before / 2.0 + asked, asked)
    }
}

/// P(a Poisson count of that mean is at least `n`).
pub(super) fn at_least(n: u32, mean: f64) -> f64 {
    let mut term = (-mean).exp();
    let mut below = 0.0;
    for k in 0..n {
        below += term;
        term *= mean / f64::from(k + 1);
    }
    (1.0 - below).max(0.0)
}

/// Shares of tokens by Zipf's law, as (share, how many tokens have about that share).
///
/// Neighbouring ranks of the long tail are put together, a tenth of a percent of the rank at a time.
pub(super) fn zipf(tokens: u64, exponent: f64) -> Vec<(f64, f64)> {
    zipf_among(0..tokens, tokens, exponent)
}

/// The same of those of the tokens that have these ranks, from 0.
pub(super) fn zipf_among(ranks: Range<u64>, tokens: u64, exponent: f64) -> Vec<(f64, f64)> {
    let total: f64 = zipf_weights(0..tokens, exponent).iter().map(|(weight, size)| weight * size).sum();
    let groups = zipf_weights(ranks, exponent).into_iter();
    groups.map(|(weight, size)| (weight / total, size)).collect()
}

fn zipf_weights(ranks: Range<u64>, exponent: f64) -> Vec<(f64, f64)> {
    let mut groups = Vec::new();
    let mut rank = ranks.start + 1;
    while rank <= ranks.end {
        let size = (rank / 64).max(1).min(ranks.end - rank + 1);
        let middle = rank as f64 + (size as f64 - 1.0) / 2.0;
        groups.push((middle.powf(-exponent), size as f64));
        rank += size;
    }
    groups
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn near(found: f64, expected: f64, relative: f64) {
        assert!((found / expected - 1.0).abs() < relative, "{found}, not {expected}");
    }

    #[test]
    fn the_worked_values_of_the_design_hold() {
        near(hit_ratio(1.0, 10.0), 0.909, 1e-3);
        near(unsafe_acceptances(1.0, 10.0), 4.55, 1e-3);
        for (gateways, expected) in [(1.0, 932.0), (10.0, 2_604.0), (50.0, 3_942.0)] {
            let exact: f64 = (1..=100_000).map(|rank| f64::from(rank).powf(-0.99)).sum();
            let rates = (1..=100_000).map(|rank| 10_000.0 * f64::from(rank).powf(-0.99) / exact);
            near(introspections_per_second(rates, 60.0, gateways), expected, 1e-3);
        }
    }

    #[test]
    fn grouped_ranks_have_the_shares_of_the_exact_law() {
        let sum: f64 = zipf(100_000, 0.99)
            .into_iter()
            .map(|(share, size)| size * introspections_per_second([10_000.0 * share], 60.0, 1.0))
            .sum();
        near(sum, 932.0, 2e-3);
        near(zipf(10_000, 0.0)[0].0, 1e-4, 1e-9);
        let share = |first: u64, last: u64| -> f64 {
            zipf_among(first..last, 100_000, 0.99).iter().map(|(share, size)| share * size).sum()
        };
        near((0..10).map(|tenth| share(tenth * 10_000, (tenth + 1) * 10_000)).sum(), 1.0, 1e-3);
        near(share(0, 1) / share(9, 10), 10_f64.powf(0.99), 1e-9);
    }

    /// Plays a cache for `time` seconds: hits, misses, and acceptances after a revocation at its end.
    fn play(rate: f64, ttl: f64, time: f64, random: &mut ChaCha8Rng) -> (f64, f64, f64) {
        let (mut now, mut fresh_until) = (0.0, 0.0);
        let (mut hits, mut misses, mut accepted) = (0.0, 0.0, 0.0);
        loop {
            now -= random.random::<f64>().ln() / rate;
            match (now < time, now < fresh_until) {
                (true, true) => hits += 1.0,
                (true, false) => {
                    misses += 1.0;
                    fresh_until = now + ttl;
                }
                (false, true) => accepted += 1.0,
                (false, false) => return (hits, misses, accepted),
            }
        }
    }

    #[test]
    fn a_played_cache_agrees_with_the_closed_forms() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let (rate, ttl, time, runs) = (1.0, 10.0, 400.0, 4_000);
        let mut sum = (0.0, 0.0, 0.0);
        for _ in 0..runs {
            let (hits, misses, accepted) = play(rate, ttl, time, &mut random);
            sum = (sum.0 + hits, sum.1 + misses, sum.2 + accepted);
        }
        near(sum.0 / (sum.0 + sum.1), hit_ratio(rate, ttl), 0.01);
        near(sum.1 / f64::from(runs) / time, introspections_per_second([rate], ttl, 1.0), 0.02);
        near(sum.2 / f64::from(runs), unsafe_acceptances(rate, ttl), 0.05);
    }

    /// Plays a cache that asks ahead for `time` seconds: questions, misses, and acceptances after a revocation at its end.
    fn play_ahead(cache: AskedAhead, rate: f64, time: f64, random: &mut ChaCha8Rng) -> (f64, f64, f64) {
        let (mut now, mut asked) = (0.0, f64::NEG_INFINITY);
        let (mut questions, mut misses, mut accepted) = (0.0, 0.0, 0.0);
        loop {
            now -= random.random::<f64>().ln() / rate;
            let (is_due, is_miss) = (now >= asked + cache.begins, now >= asked + cache.begins + cache.ahead);
            if now >= time {
                accepted += f64::from(u8::from(!is_miss));
                // The answer to a question of now is that the token is not active.
                if is_due {
                    return (questions, misses, accepted);
                }
                continue;
            }
            if is_due {
                asked = now;
                questions += 1.0;
                misses += f64::from(u8::from(is_miss));
            }
        }
    }

    #[test]
    fn a_played_cache_that_asks_ahead_agrees_with_the_closed_forms() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        for (rate, begins, ahead, time) in
            [(0.5, 6.0, 4.0, 13.0), (0.5, 6.0, 4.0, 200.0), (3.0, 5.0, 0.2, 30.0), (1.0, 10.0, 0.0, 40.0)]
        {
            let (cache, runs) = (AskedAhead { begins, ahead }, 20_000);
            let mut sum = (0.0, 0.0, 0.0);
            for _ in 0..runs {
                let (questions, misses, accepted) = play_ahead(cache, rate, time, &mut random);
                sum = (sum.0 + questions, sum.1 + misses, sum.2 + accepted);
            }
            let each = |sum: f64| sum / f64::from(runs);
            near(cache.questions(rate, time), each(sum.0), 0.03);
            near(cache.misses(rate, time), each(sum.1), 0.03);
            // A young cache has forgotten how it began only after a while.
            if time > 100.0 {
                near(cache.unsafe_acceptances(rate).0, each(sum.2), 0.03);
            }
        }
        let plain = AskedAhead { begins: 10.0, ahead: 0.0 };
        near(plain.unsafe_acceptances(1.0).0, unsafe_acceptances(1.0, 10.0), 1e-9);
    }

    #[test]
    fn misses_of_a_young_cache_agree_with_a_played_one() {
        let mut random = ChaCha8Rng::seed_from_u64(2);
        for (rate, ttl, time) in
            [(0.05, 10.0, 13.0), (2.0, 10.0, 13.0), (1.0, 1.0, 30.0), (5.0, 0.1, 60.0), (0.3, 0.0, 20.0)]
        {
            let runs = 20_000;
            let played: f64 = (0..runs).map(|_| play(rate, ttl, time, &mut random).1).sum();
            near(misses(rate, ttl, time), played / f64::from(runs), 0.03);
        }
    }
}
