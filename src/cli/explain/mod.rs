//! `bearerbench explain`: what a metric means, and what becomes of a token on its way.

mod claims;
mod size;
mod text;
mod token_size;

use std::fmt::Write as _;
use std::str::FromStr;

use clap::Args;

use crate::cli::{Exit, output};
use crate::metric::{Better, MetricId};
use crate::registry::nearest;

use claims::ClaimsSize;

/// Explain a metric, or whether tokens fit the headers of real servers (token-size)
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// token-size, or the id of a metric like latency.p99; without it every topic is listed
    topic: Option<Topic>,
    /// Sizes of the claims to compare, like 400B,2KB (with token-size)
    #[arg(long, value_name = "SIZE", value_delimiter = ',', num_args = 1..)]
    claims: Vec<ClaimsSize>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug)]
enum Topic {
    TokenSize,
    Metric(MetricId),
}

const TOKEN_SIZE: &str = "token-size";
const ABOUT_TOKEN_SIZE: &str =
    "characters of a token by signature scheme, and whose default header limit refuses it";

/// A word that nothing is explained by.
#[derive(Debug, thiserror::Error)]
#[error("unknown topic {found:?}{}; \"bearerbench explain\" lists every topic", .nearest.map(|id| format!("; did you mean {id:?}?")).unwrap_or_default())]
struct UnknownTopic {
    found: String,
    nearest: Option<&'static str>,
}

impl FromStr for Topic {
    type Err = UnknownTopic;

    fn from_str(found: &str) -> Result<Self, UnknownTopic> {
        if found == TOKEN_SIZE {
            return Ok(Self::TokenSize);
        }
        found.parse().map(Self::Metric).map_err(|_| {
            let topics = std::iter::once(TOKEN_SIZE).chain(MetricId::ALL.iter().map(|metric| metric.id()));
            UnknownTopic { found: found.to_owned(), nearest: nearest(found, topics) }
        })
    }
}

impl Explain {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        if !self.claims.is_empty() && !matches!(self.topic, Some(Topic::TokenSize)) {
            output::tell("bearerbench: --claims belongs to \"bearerbench explain token-size\"");
            return Ok(Exit::Usage);
        }
        output::print(&match self.topic {
            None if self.json => topics_json(),
            None => topics(),
            Some(Topic::Metric(metric)) if self.json => metric_json(metric).to_string(),
            Some(Topic::Metric(metric)) => explained(metric),
            Some(Topic::TokenSize) => token_size::explain(&self.claims, self.json),
        })?;
        Ok(Exit::Success)
    }
}

fn topics() -> String {
    let rows = || {
        let metrics = MetricId::ALL.iter().map(|metric| (metric.id(), metric.meaning()));
        std::iter::once((TOKEN_SIZE, ABOUT_TOKEN_SIZE)).chain(metrics)
    };
    let width = rows().map(|(name, _)| name.len()).max().unwrap_or(0);
    rows().fold(String::new(), |mut text, (name, about)| {
        writeln!(text, "{name:width$}  {about}").expect("a string takes every text");
        text
    })
}

fn topics_json() -> String {
    let metrics: Vec<_> = MetricId::ALL.iter().map(|metric| metric_json(*metric)).collect();
    let token_size = serde_json::json!({ "name": TOKEN_SIZE, "meaning": ABOUT_TOKEN_SIZE });
    serde_json::json!({ "topics": [token_size], "metrics": metrics }).to_string()
}

fn metric_json(metric: MetricId) -> serde_json::Value {
    serde_json::json!({
        "name": metric.id(), "meaning": metric.meaning(), "unit": metric.unit().symbol(), "better": better(metric),
    })
}

fn better(metric: MetricId) -> &'static str {
    match metric.better() {
        Better::Lower => "lower",
        Better::Higher => "higher",
        Better::Neither => "neither",
    }
}

fn explained(metric: MetricId) -> String {
    let better = match metric.better() {
        Better::Neither => "neither less nor more is better".to_owned(),
        direction => format!("{} is better", if direction == Better::Lower { "less" } else { "more" }),
    };
    let unit = match metric.unit().symbol() {
        "1" => "a plain number".to_owned(),
        symbol => symbol.to_owned(),
    };
    format!("{metric}: {}.\nUnit in summary.json: {unit}; {better}.\n", metric.meaning())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_and_topic_is_explained_by_its_name() {
        let listed = topics();
        for metric in MetricId::ALL {
            assert!(matches!(metric.id().parse(), Ok(Topic::Metric(found)) if found == *metric));
            assert!(listed.contains(metric.id()) && explained(*metric).contains(metric.meaning()));
            assert!(topics_json().contains(metric.id()));
        }
        assert!(matches!(TOKEN_SIZE.parse(), Ok(Topic::TokenSize)));
        assert!(listed.contains(TOKEN_SIZE));
    }

    #[test]
    fn a_slip_of_the_pen_is_told_with_the_nearest_topic() {
        let message = "token-sizes".parse::<Topic>().unwrap_err().to_string();
        assert!(message.contains("unknown topic \"token-sizes\"; did you mean \"token-size\"?"), "{message}");
        assert!("latency.p9".parse::<Topic>().unwrap_err().to_string().contains("latency.p9"));
    }
}
