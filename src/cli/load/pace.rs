//! When a load sends: at a rate, or as soon as users are answered.

use clap::Args;

use crate::arrival::ArrivalProcess;
use crate::cli::part::part;
use crate::plan::Pace;
use crate::registry::Part;
use crate::units::{Rate, Span};

#[derive(Debug, Args)]
pub(super) struct PaceArgs {
    #[command(flatten)]
    way: WayArgs,
    /// Arrival process of an open loop (see `bearerbench list`), like poisson or '{ kind = "bursts", size = 10 }'
    #[arg(long, default_value = "poisson", value_parser = part::<dyn ArrivalProcess>, conflicts_with = "closed")]
    arrivals: Part<dyn ArrivalProcess>,
    /// Think time of a user in a closed loop, from an answer to the next request
    #[arg(long, default_value = "0s", conflicts_with = "rate")]
    think: Span,
    /// Seed of the schedule: the same seed gives the same due instants
    #[arg(long, default_value = "1")]
    pub(super) seed: u64,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct WayArgs {
    /// Open loop: requests per second, sent on schedule whether or not earlier ones were answered
    #[arg(long, value_parser = rate)]
    rate: Option<Rate>,
    /// Closed loop: each connection sends again as soon as it is answered
    #[arg(long)]
    closed: bool,
}

fn rate(text: &str) -> Result<Rate, String> {
    let number: f64 = text.parse().map_err(|_| format!("{text:?} is no number of requests per second"))?;
    if number > FASTEST {
        return Err(format!("expected at most {FASTEST}, which is more than a machine can send"));
    }
    Rate::try_from(number).map_err(|error| error.to_string())
}

/// In requests per second.
const FASTEST: f64 = 10_000_000.0;

impl PaceArgs {
    pub(super) fn pace(&self) -> Pace {
        match self.way.rate {
            Some(rate) => {
                let arrivals = self.arrivals.clone();
                Pace::Open { rate: arrivals.own_rate().unwrap_or(rate), arrivals }
            }
            None => Pace::Closed { think: self.think },
        }
    }
}
