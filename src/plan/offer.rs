//! Which rates a scenario asks for: one, several, those of a search, or those that users in a closed loop bring about.

use crate::metric::{Comparison, MetricId, Threshold};
use crate::plan::search::{LONGEST_WINDOW, Search};
use crate::plan::{Pace, RateStep};
use crate::scenario::{InvalidScenario, ScenarioFile};
use crate::units::{Period, Rate};

/// What is sent to each subject.
pub(super) enum Offer {
    /// The same to all, once a repetition.
    Fixed(Pace),
    /// Each of these rates, once a repetition.
    Sweep(Vec<Pace>),
    /// Rates that follow from what was seen.
    Search(Pace, Search),
}

/// Where a search begins if nothing is said.
const BEGINNING: f64 = 500.0;
/// Enough for an interval.
const ROUNDS: u32 = 3;
/// More rates than that are a typing error.
const MOST_RATES: usize = 100;

impl Offer {
    /// Decides what a scenario asks for, which must be one of them.
    pub(super) fn decide(file: &ScenarioFile) -> Result<Self, InvalidScenario> {
        ensure_alone(file)?;
        ensure_counted_alone(file)?;
        let load = &file.scenario.load;
        ensure_adjustable(file)?;
        let open = |rate| Pace::Open {
            // A trace as it was recorded has a rate of its own.
            rate: load.arrivals.own_rate().unwrap_or(rate),
            arrivals: load.arrivals.clone(),
        };
        if let Some(threshold) = &load.search {
            let beginning = || Rate::try_from(BEGINNING).expect("above 0");
            let pace = open(load.rate.unwrap_or_else(beginning));
            return Ok(Self::Search(pace, search(file, threshold)?));
        }
        if let Some(rates) = &load.sweep {
            ensure_different(file, rates)?;
            return Ok(Self::Sweep(rates.iter().copied().map(open).collect()));
        }
        Ok(Self::Fixed(match (load.rate, load.closed) {
            (Some(rate), _) => open(rate),
            (None, Some(closed)) => Pace::Closed { think: closed.think },
            (None, None) => return Err(file.key_error("load", NOTHING)),
        }))
    }

    /// In how many rounds all of it is measured unless something else is written: several, of which intervals can be told, and
    /// whose disturbances are not those of one subject; steps are many as they are.
    pub(super) fn rounds(&self) -> u32 {
        match self {
            Self::Fixed(_) => ROUNDS,
            Self::Sweep(_) | Self::Search(..) => 1,
        }
    }

    /// What a repetition begins with for each subject: how it is sent, for how long, as which step.
    pub(super) fn beginnings(&self, window: Period) -> Vec<(Pace, Period, Option<RateStep>)> {
        match self {
            Self::Fixed(pace) => vec![(pace.clone(), window, None)],
            Self::Sweep(paces) => {
                paces.iter().map(|pace| (pace.clone(), window, Some(RateStep::Sweep))).collect()
            }
            Self::Search(pace, search) => {
                let window = pace.rate().map_or(window, |rate| search.window(rate));
                vec![(pace.clone(), window, Some(search.first_step()))]
            }
        }
    }
}

const NOTHING: &str =
    "no rate; add `rate = 1000`, or several with `sweep`, a limit with `search`, or users with `closed`";

/// A rate, a sweep and a closed loop exclude each other; a search has a rate to begin at.
fn ensure_alone(file: &ScenarioFile) -> Result<(), InvalidScenario> {
    let load = &file.scenario.load;
    let written = [
        ("rate", load.rate.is_some()),
        ("sweep", load.sweep.is_some()),
        ("closed", load.closed.is_some()),
        ("search", load.search.is_some()),
    ];
    let names: Vec<&str> = written.iter().filter(|(_, is_there)| *is_there).map(|(name, _)| *name).collect();
    match names[..] {
        [_] | [] | ["rate", "search"] => Ok(()),
        [first, second, ..] => {
            let problem = format!(
                "`{first}` and `{second}` exclude each other; keep one of `rate`, `sweep`, `search` and `closed` (a \
                 search may have a `rate` to begin at)"
            );
            Err(file.key_error(&format!("load.{second}"), problem))
        }
    }
}

/// Several rates need arrivals that come at any rate.
fn ensure_adjustable(file: &ScenarioFile) -> Result<(), InvalidScenario> {
    let load = &file.scenario.load;
    let key = match (&load.search, &load.sweep) {
        (Some(_), _) => "search",
        (None, Some(_)) => "sweep",
        (None, None) => return Ok(()),
    };
    let Some(own) = load.arrivals.own_rate() else { return Ok(()) };
    let problem = format!(
        "`{key}` tries several rates, but `arrivals` come at their own, {own}; have the trace follow the rate, or leave \
         `{key}` away"
    );
    Err(file.key_error(&format!("load.{key}"), problem))
}

/// A load that ends by count ends before a search could know its window, and before tokens are revoked.
fn ensure_counted_alone(file: &ScenarioFile) -> Result<(), InvalidScenario> {
    let (load, revocation) = (&file.scenario.load, &file.scenario.revocation);
    if load.requests.is_none() {
        return Ok(());
    }
    let problem = if load.search.is_some() {
        "a search decides by itself how long a step is; leave `requests` away"
    } else if revocation.tokens > 0 {
        "a load that ends by count may end before tokens are revoked; set `tokens = 0` in [revocation], or leave \
         `requests` away"
    } else {
        return Ok(());
    };
    Err(file.key_error("load.requests", problem))
}

fn ensure_different(file: &ScenarioFile, rates: &[Rate]) -> Result<(), InvalidScenario> {
    let fault = |problem: String| Err(file.key_error("load.sweep", problem));
    if rates.is_empty() || rates.len() > MOST_RATES {
        return fault(format!("expected 1 to {MOST_RATES} rates, not {}", rates.len()));
    }
    let again = (1..rates.len()).find(|index| rates[..*index].contains(&rates[*index]));
    again.map_or(Ok(()), |index| fault(format!("{} stands there twice; leave one away", rates[index])))
}

fn search(file: &ScenarioFile, threshold: &Threshold) -> Result<Search, InvalidScenario> {
    let (metric, load) = (threshold.metric, &file.scenario.load);
    let is_above = !matches!(threshold.comparison, Comparison::Below | Comparison::AtMost);
    if is_above || (metric.quantile().is_none() && metric != MetricId::LatencyMean) {
        let problem = format!(
            "{threshold} is nothing that a higher rate makes worse step by step; expected an upper limit on latency, like \
             \"p(99)<5ms\""
        );
        return Err(file.key_error("load.search", problem));
    }
    if load.duration > LONGEST_WINDOW {
        let problem = format!("a step of a search lasts at most {LONGEST_WINDOW}, not {}", load.duration);
        return Err(file.key_error("load.duration", problem));
    }
    Ok(Search::new(threshold.clone(), load.warmup, load.duration))
}
