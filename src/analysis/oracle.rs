//! Closed forms of what a cache does, to hold against what was measured.
//!
//! A token is asked for by a Poisson process of `rate` per second at one gateway, and an answer is kept for
//! `ttl` seconds: a renewal process whose cycles last `ttl + 1 / rate` on average.

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
    let mut groups = Vec::new();
    let mut rank = 1;
    while rank <= tokens {
        let size = (rank / 64).max(1).min(tokens - rank + 1);
        let middle = rank as f64 + (size as f64 - 1.0) / 2.0;
        groups.push((middle.powf(-exponent), size as f64));
        rank += size;
    }
    let total: f64 = groups.iter().map(|(weight, size)| weight * size).sum();
    groups.into_iter().map(|(weight, size)| (weight / total, size)).collect()
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
