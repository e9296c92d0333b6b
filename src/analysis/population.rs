//! What the caches of a population of tokens miss, by the law by which the tokens are used again: closed forms.

use std::ops::Range;

use crate::analysis::oracle::{at_least, misses, zipf, zipf_among};
use crate::observation::{Reuse, Workload};

/// How far around its due instant a decision falls, in seconds: a revisit just then is a hit or not by chance.
const JITTER: f64 = 1e-3;
/// Where a token comes back so often while its answer is kept, its visits are as good as random.
const MANY: f64 = 200.0;
/// So many revisits and more do not come while an answer is kept, where fewer than [`MANY`] are expected.
const KEPT: u32 = 500;
/// After so many rounds over the pool the long-run rate is exact enough.
const ROUNDS: usize = 4_096;
/// Into so many groups the stays of a working set are put.
const GROUPS: f64 = 1_000.0;

/// Live tokens under load.
pub(super) struct Population {
    law: Reuse,
    tokens: u64,
    /// Requests per second with any of them, to all gateways.
    rate: f64,
    /// Each request goes to one of them by chance.
    gateways: f64,
    /// Variance of the number of requests in some time, for each that is expected: 1 for a Poisson process.
    variance: f64,
}

impl Population {
    /// The live tokens of a workload. `None` if its arrivals change their rate or come in bunches, or by a law that is not
    /// known here: no closed form speaks of those.
    pub(super) fn of(workload: &Workload) -> Option<Self> {
        let variance = match workload.arrival_process.as_ref()?.kind.as_str() {
            "poisson" => 1.0,
            // Which of the requests carry a bad token is drawn for each: what is left of a metronome is binomial.
            "constant" => workload.bad_fraction,
            _ => return None,
        };
        Some(Self {
            law: workload.reuse,
            tokens: workload.live_tokens,
            rate: workload.rate * (1.0 - workload.bad_fraction),
            gateways: f64::from(workload.resource_servers),
            variance,
        })
    }

    /// Expected misses of caches that keep answers for `ttl` seconds, from empty ones until `time` seconds later.
    pub(super) fn misses(&self, ttl: f64, time: f64) -> Option<f64> {
        match self.law {
            Reuse::RoundRobin {} => Some(self.in_turn(ttl, time)),
            Reuse::WorkingSet { size, churn } => {
                let spread = |rate: f64, time: f64| self.gateways * misses(rate / self.gateways, ttl, time);
                self.working_set(size, churn, ttl, time, spread)
            }
            Reuse::Zipf { .. } | Reuse::Uniform {} | Reuse::Unique {} => {
                self.sum(time, |rate| misses(rate, ttl, time))
            }
        }
    }

    /// The sum over tokens and gateways of what is expected of one in `time` seconds from an empty cache on, by the rate of its requests. `None`
    /// if tokens do not come at one rate all the time, and by chance.
    pub(super) fn sum(&self, time: f64, expected: impl Fn(f64) -> f64) -> Option<f64> {
        let spread = |rate: f64| self.gateways * expected(rate / self.gateways);
        match self.law {
            Reuse::Zipf { exponent } => {
                let groups = zipf(self.tokens, exponent).into_iter();
                Some(groups.map(|(share, tokens)| tokens * spread(self.rate * share)).sum())
            }
            Reuse::Uniform {} => {
                let tokens = self.tokens as f64;
                Some(tokens * spread(self.rate / tokens))
            }
            // Whatever is done for its first request is done for each.
            Reuse::Unique {} => Some(self.rate * time),
            Reuse::RoundRobin {} | Reuse::WorkingSet { .. } => None,
        }
    }

    /// The same of the tokens of these ranks alone, from 0 for the most popular one. `None` if none is more popular than another.
    pub(super) fn sum_of(&self, ranks: Range<u64>, expected: impl Fn(f64) -> f64) -> Option<f64> {
        let spread = |rate: f64| self.gateways * expected(rate / self.gateways);
        let Reuse::Zipf { exponent } = self.law else { return None };
        let groups = zipf_among(ranks, self.tokens, exponent).into_iter();
        Some(groups.map(|(share, tokens)| tokens * spread(self.rate * share)).sum())
    }

    /// Every token comes back after all the others, each time to a gateway by chance.
    ///
    /// A visit is a miss unless its gateway has missed this token within the last `ttl`. No two of those misses can be at
    /// one gateway, so with q(k) = P(the k-th visit from here comes within `ttl`) the i-th visit is a miss by probability
    /// u(i) = 1 - Σ u(i-k) q(k) / G, and in the long run by 1 / (1 + Σ q(k) / G).
    fn in_turn(&self, ttl: f64, time: f64) -> f64 {
        let (tokens, requests) = (self.tokens as f64, self.rate * time);
        if self.rate * ttl / tokens > MANY {
            return tokens * self.gateways * misses(self.rate / tokens / self.gateways, ttl, time);
        }
        let kept: Vec<f64> = (1..=KEPT)
            .map(|round| self.within(f64::from(round) * tokens, ttl))
            .take_while(|p| *p > 1e-9)
            .collect();
        let long_run = 1.0 / (1.0 + kept.iter().sum::<f64>() / self.gateways);
        let mut missed: Vec<f64> = Vec::new();
        let mut sum = 0.0;
        while missed.len() < ROUNDS {
            let left = requests - missed.len() as f64 * tokens;
            if left <= 0.0 {
                return sum;
            }
            let earlier = missed.iter().rev().zip(&kept);
            let miss = 1.0 - earlier.map(|(missed, kept)| missed * kept).sum::<f64>() / self.gateways;
            missed.push(miss);
            sum += miss * left.min(tokens);
        }
        sum + long_run * (requests - missed.len() as f64 * tokens).max(0.0)
    }

    /// P(at least so many requests come within `ttl` of one).
    fn within(&self, count: f64, ttl: f64) -> f64 {
        let mean = self.rate * ttl;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and small")]
        if self.variance >= 1.0 && mean < 500.0 && count < 2_000.0 {
            return at_least(count as u32, mean);
        }
        let deviation = (mean * self.variance + (self.rate * JITTER).powi(2)).sqrt();
        normal_below((mean - count + 0.5) / deviation)
    }

    /// A token stays for size / churn seconds, in which its caches start out empty. `None` if it is back before they have
    /// forgotten it.
    fn working_set(
        &self,
        size: u64,
        churn: f64,
        ttl: f64,
        time: f64,
        spread: impl Fn(f64, f64) -> f64,
    ) -> Option<f64> {
        let size = size.min(self.tokens) as f64;
        let each = self.rate / size;
        if churn == 0.0 {
            return Some(size * spread(each, time));
        }
        let replaced = (churn * time).floor();
        let comes_back = replaced + size > self.tokens as f64;
        if comes_back && (self.tokens as f64 - size) / churn < ttl {
            return None;
        }
        // Stay s, from 0, ends at (s + 1) / churn; those of the first set all begin at 0.
        let stays = size + replaced;
        let group = (stays / GROUPS).floor().max(1.0);
        let (mut first, mut sum) = (0.0, 0.0);
        while first < stays {
            let count = group.min(stays - first);
            let end = (first + (count - 1.0) / 2.0 + 1.0) / churn;
            let begin = (end - size / churn).max(0.0);
            sum += count * spread(each, (end.min(time) - begin).max(0.0));
            first += count;
        }
        Some(sum)
    }
}

/// P(a standard normal number is below `x`), to 1e-7 (Abramowitz and Stegun 26.2.17).
fn normal_below(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * x.abs());
    let polynomial = [1.330_274_429, -1.821_255_978, 1.781_477_937, -0.356_563_782, 0.319_381_530]
        .into_iter()
        .fold(0.0, |sum, coefficient| (sum + coefficient) * t);
    let above = (-x * x / 2.0).exp() / std::f64::consts::TAU.sqrt() * polynomial;
    if x >= 0.0 { 1.0 - above } else { above }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::load::{Token, schedule};
    use crate::plan;
    use crate::registry::{Choice, Role};
    use crate::reuse::ReuseLaw;
    use crate::units::{Period, Rate, Span};

    const BAD: f64 = 0.05;

    fn workload(live: u32, reuse: &str, arrivals: &str) -> plan::Workload {
        let mut settings: toml::Table = toml::from_str(reuse).unwrap();
        let kind = settings.remove("kind").unwrap().as_str().unwrap().to_owned();
        plan::Workload {
            pace: plan::Pace::Open {
                rate: Rate::try_from(1_000.0).unwrap(),
                arrivals: crate::registry::Part::named(arrivals).unwrap(),
            },
            requests: None,
            streams: 1.try_into().unwrap(),
            requests_per_connection: None,
            warmup: Span::from_secs(3),
            window: Period::from_secs(17),
            connections: 8.try_into().unwrap(),
            pool: plan::Pool {
                live,
                churn: None,
                reuse: <dyn ReuseLaw>::registry().resolve(Choice { kind, settings }).unwrap(),
                bad_fraction: BAD,
                mix: vec![(plan::BadKind::Garbage, 1)],
                bad_per_kind: 5,
            },
            timeline: plan::Timeline::default(),
            probe_rate: Rate::try_from(1.0).unwrap(),
        }
    }

    /// Misses of live tokens within the window of two ideal caches.
    fn play(workload: &plan::Workload, ttl: f64, seed: u64) -> f64 {
        let mut fresh_until: HashMap<(u32, usize), f64> = HashMap::new();
        let mut misses = 0;
        for request in schedule(workload, seed) {
            let Token::Live(token) = request.token else { continue };
            let (now, until) =
                (request.due.seconds(), fresh_until.entry((token, request.server(2))).or_default());
            if now >= *until {
                *until = now + ttl;
                misses += u32::from(request.due >= workload.window_start());
            }
        }
        f64::from(misses)
    }

    #[test]
    fn the_misses_of_played_caches_agree_with_the_closed_form_of_every_law() {
        let (poisson, constant) = ("poisson", "constant");
        for (live, reuse, ttl, arrivals) in [
            (2_000, "kind = \"zipf\"", 2.0, poisson),
            (2_000, "kind = \"zipf\"", 2.0, constant),
            (2_000, "kind = \"uniform\"", 2.0, poisson),
            (30_000, "kind = \"unique\"", 2.0, poisson),
            // Back after 2.1 s, 1.05 s and 0.5 s; after 3 ms; and very often before it is forgotten.
            (2_000, "kind = \"round-robin\"", 2.0, poisson),
            (1_000, "kind = \"round-robin\"", 2.0, poisson),
            (1_000, "kind = \"round-robin\"", 2.0, constant),
            (500, "kind = \"round-robin\"", 2.0, constant),
            (3, "kind = \"round-robin\"", 0.01, poisson),
            (3, "kind = \"round-robin\"", 2.0, constant),
            (1_000, "kind = \"working-set\"\nsize = 200\nchurn = 0", 2.0, poisson),
            (9_000, "kind = \"working-set\"\nsize = 200\nchurn = 50", 2.0, poisson),
            (9_000, "kind = \"working-set\"\nsize = 1000\nchurn = 400", 2.0, constant),
            // The pool is gone around three times.
            (2_000, "kind = \"working-set\"\nsize = 200\nchurn = 300", 2.0, poisson),
        ] {
            let workload = workload(live, reuse, arrivals);
            let population = Population {
                law: workload.pool.reuse.facts(),
                tokens: live.into(),
                rate: 1_000.0 * (1.0 - BAD),
                gateways: 2.0,
                variance: if arrivals == "poisson" { 1.0 } else { BAD },
            };
            let expected = population.misses(ttl, 20.0).unwrap() - population.misses(ttl, 3.0).unwrap();
            let runs: u32 = 6;
            let played: Vec<f64> = (0..runs).map(|seed| play(&workload, ttl, seed.into())).collect();
            let mean = played.iter().sum::<f64>() / f64::from(runs);
            let variance =
                played.iter().map(|misses| (misses - mean).powi(2)).sum::<f64>() / f64::from(runs - 1);
            // Four standard errors, and what grouping and the normal law may round.
            let margin = 4.0 * (variance / f64::from(runs)).sqrt() + 2e-3 * expected;
            assert!(
                (mean - expected).abs() < margin,
                "{reuse} of {live}, {arrivals}: {mean}, not {expected} +- {margin}"
            );
        }
    }

    #[test]
    fn nothing_is_expected_of_a_working_set_that_comes_back_too_soon() {
        let population = Population {
            law: Reuse::WorkingSet { size: 100, churn: 100.0 },
            tokens: 150,
            rate: 1_000.0,
            gateways: 1.0,
            variance: 1.0,
        };
        assert!(population.misses(0.4, 10.0).is_some());
        assert!(population.misses(2.0, 10.0).is_none());
    }

    #[test]
    fn the_normal_law_has_its_known_values() {
        for (x, expected) in [(0.0, 0.5), (1.0, 0.841_344_75), (-1.959_964, 0.025), (6.0, 1.0)] {
            assert!((normal_below(x) - expected).abs() < 1e-6, "{x}");
        }
    }
}
