//! The search for the highest rate at which a limit holds: which rate is tried next. No clock, no server, no request.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use crate::metric::Threshold;
use crate::plan::{Pace, RateStep, Trial, revocation_times};
use crate::units::{Period, Rate, Span};

/// What is sought, and how long a step lasts.
#[derive(Clone, Debug)]
pub struct Search {
    /// The limit.
    pub threshold: Threshold,
    warmup: Span,
    /// A step is no shorter.
    shortest: Period,
}

/// What a step showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// The limit held.
    Passed,
    /// It did not, and the servers are the reason.
    Failed,
    /// Nothing about the servers: the generator, or what else went on, is the reason.
    Spoiled,
}

/// Why a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The highest rate that passed and the lowest that failed are close.
    Found,
    /// A rate was spoiled once too often: the servers do at least what passed before.
    Spoiled,
    /// The limit did not hold at the lowest rate that can be told.
    NeverHeld,
    /// There was no room left for another step.
    UsedUp,
}

/// A search under way, for one subject in one repetition.
#[derive(Clone, Debug)]
pub struct Walk {
    search: Search,
    /// The rate of the next step, or why there is none.
    next: Result<f64, Ending>,
    passed: Option<f64>,
    failed: Option<f64>,
    /// By which factor the next step leaves what is known.
    reach: f64,
    spoiled: u32,
    steps: u32,
    spent: Duration,
}

/// The highest rate that passed and the lowest that failed may differ by that factor.
pub(super) const CLOSE: f64 = 1.05;
/// A search that knows nothing doubles or halves.
const FAR: f64 = 2.0;
/// One that knows what an earlier one found begins with less: within [`CLOSE`] when rounded.
const NEAR: f64 = 1.04;
/// A step that was spoiled is repeated so often.
const REPEATS: u32 = 2;
/// From 1 to a million requests a second it takes 20 doublings and 4 steps of bisection.
const MOST_STEPS: u32 = 24;
/// And no more load than that, all steps together: a search whose steps are long is not worth more.
const MOST_LOAD: Duration = Duration::from_mins(10);
/// A step lasts no longer, however few requests that leaves beyond the quantile.
pub(super) const LONGEST_WINDOW: Period = Period::from_secs(60);
/// So many requests beyond the quantile are enough to compare it ...
const BEYOND: f64 = 100.0;
/// ... and with fewer than that it is nobody's quantile.
const LEAST_BEYOND: f64 = 10.0;

impl Search {
    pub(super) fn new(threshold: Threshold, warmup: Span, shortest: Period) -> Self {
        Self { threshold, warmup, shortest }
    }

    /// How long a step at a rate is measured: as long as its quantile needs.
    pub fn window(&self, rate: Rate) -> Period {
        let needed = self.needed(BEYOND);
        // Poisson arrivals: four standard deviations more, so that hardly ever too few come.
        let seconds = (needed + 4.0 * needed.sqrt()) / rate.per_second();
        if seconds <= self.shortest.duration().as_secs_f64() {
            return self.shortest;
        }
        let longest = LONGEST_WINDOW.duration().as_secs();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "saturates, and has a bound"
        )]
        let whole = (seconds.ceil() as u64).clamp(1, longest);
        Period::from_secs(whole)
    }

    /// A step with everything around it that is load.
    fn length(&self, rate: Rate) -> Duration {
        self.warmup.duration() + self.window(rate).duration()
    }

    /// The longest that a step can be.
    pub(super) fn longest(&self) -> Duration {
        self.length(self.lowest())
    }

    /// No lower rate is tried: too few requests would lie beyond the quantile.
    fn lowest(&self) -> Rate {
        let longest = LONGEST_WINDOW.duration().as_secs_f64();
        Rate::try_from(self.needed(LEAST_BEYOND) / longest).expect("above 0")
    }

    /// How many requests it takes to have so many beyond the quantile; a mean has no quantile, and moves about as much as
    /// the 90th percentile.
    fn needed(&self, beyond: f64) -> f64 {
        beyond / (1.0 - self.threshold.metric.quantile().unwrap_or(0.9))
    }

    /// Begins at `rate`, or around what an earlier repetition found.
    pub fn walk(&self, rate: Rate, found: Option<Rate>) -> Walk {
        Walk {
            search: self.clone(),
            next: Ok(found.unwrap_or(rate).per_second()),
            passed: None,
            failed: None,
            reach: if found.is_some() { NEAR } else { FAR },
            spoiled: 0,
            steps: 0,
            spent: Duration::ZERO,
        }
    }

    /// How long the load of one search lasts at most, and of how many steps it is.
    pub fn at_most(&self) -> (u32, Duration) {
        (MOST_STEPS, MOST_LOAD.max(self.longest()))
    }

    /// How many steps a search from `rate` takes that finds `limit`, and how long their load lasts.
    pub fn example(&self, rate: Rate, limit: f64) -> (u32, Duration) {
        let mut walk = self.walk(rate, None);
        while let Some(tried) = walk.next() {
            let holds = tried.per_second() <= limit;
            walk.judged(if holds { Judgement::Passed } else { Judgement::Failed });
        }
        (walk.steps, walk.spent)
    }

    pub(super) fn first_step(&self) -> RateStep {
        RateStep::Search { threshold: self.threshold.clone(), number: 0 }
    }
}

impl Walk {
    /// The rate to be tried next; `None` when the search has ended.
    pub fn next(&self) -> Option<Rate> {
        self.next.ok().map(rate)
    }

    /// Why it ended; `None` while it has not.
    pub fn ending(&self) -> Option<Ending> {
        self.next.err()
    }

    /// The highest rate that passed.
    pub fn passed(&self) -> Option<Rate> {
        self.passed.map(rate)
    }

    /// The next step as a trial: `trial` at the rate to be tried.
    pub fn step(&self, trial: &Trial) -> Option<Trial> {
        let rate = self.next()?;
        let mut workload = (*trial.workload).clone();
        if let Pace::Open { rate: offered, .. } = &mut workload.pace {
            *offered = rate;
        }
        workload.window = self.search.window(rate);
        let revoked =
            u32::try_from(workload.timeline.revocation_count()).expect("a scenario says it in a u32");
        let revoked = revocation_times(&workload, revoked, trial.seed);
        workload.timeline.revoke_at(revoked);
        let step = RateStep::Search { threshold: self.search.threshold.clone(), number: self.steps };
        Some(Trial { workload: Arc::new(workload), step: Some(step), ..trial.clone() })
    }

    /// Takes note of what the step at [`next`](Self::next) showed.
    pub fn judged(&mut self, judgement: Judgement) {
        let Ok(tried) = self.next else { return };
        self.steps += 1;
        self.spent += self.search.length(rate(tried));
        match judgement {
            Judgement::Passed => (self.passed, self.spoiled) = (Some(tried), 0),
            Judgement::Failed => (self.failed, self.spoiled) = (Some(tried), 0),
            Judgement::Spoiled => self.spoiled += 1,
        }
        let next = if self.spoiled == 0 { self.further() } else { self.again(tried) };
        self.next = next.and_then(|next| self.affordable(next));
    }

    fn again(&self, tried: f64) -> Result<f64, Ending> {
        if self.spoiled > REPEATS { Err(Ending::Spoiled) } else { Ok(tried) }
    }

    fn further(&mut self) -> Result<f64, Ending> {
        let lowest = self.search.lowest().per_second();
        match (self.passed, self.failed) {
            (Some(low), Some(high)) if high / low <= CLOSE => Err(Ending::Found),
            (Some(low), Some(high)) => Ok(round((low * high).sqrt())),
            (Some(low), None) => Ok(round(low * self.reach())),
            (None, Some(high)) if high <= lowest => Err(Ending::NeverHeld),
            (None, Some(high)) => Ok(round(high / self.reach()).max(lowest)),
            (None, None) => unreachable!("what is not spoiled passed or failed"),
        }
    }

    /// Each factor is the square of the one before, up to a doubling.
    fn reach(&mut self) -> f64 {
        let reach = self.reach;
        self.reach = (reach * reach).min(FAR);
        reach
    }

    fn affordable(&self, next: f64) -> Result<f64, Ending> {
        let enough = self.steps < MOST_STEPS && self.spent + self.search.length(rate(next)) <= MOST_LOAD;
        if enough { Ok(next) } else { Err(Ending::UsedUp) }
    }
}

/// Three digits are as much as a step can tell.
fn round(rate: f64) -> f64 {
    format!("{rate:.2e}").parse().expect("a number that was written")
}

fn rate(per_second: f64) -> Rate {
    // Halving ends far above the smallest rate, doubling far below the largest number.
    Rate::try_from(per_second).expect("a rate that was rounded")
}
