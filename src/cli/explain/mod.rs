//! `bearerbench explain`: what a validation architecture or a sender constraint does, what a metric means, and what becomes of a token on
//! its way.

mod architecture;
mod description;
mod paragraph;
mod sender;
mod setting;
mod text;
mod token_size;

use std::borrow::Cow;
use std::fmt::Write as _;
use std::str::FromStr;

use clap::Args;

use crate::auth::architecture::{ARCHITECTURES, Architecture};
use crate::auth::sender::{SENDER_CONSTRAINTS, SenderConstraint};
use crate::cli::{Exit, output};
use crate::metric::{Better, MetricId, UnknownMetric};
use crate::registry::{Entry, nearest};
use crate::units::ClaimsSize;

use architecture::Explained;
use sender::ExplainedSender;

/// Explain a validation architecture, a sender constraint, a metric, or which servers' header limits a token exceeds (token-size)
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// token-size, an architecture like jwt-deny-list, a sender constraint like mtls, or a metric like latency.p99 or p(95)
    /// [default: list every topic]
    topic: Option<String>,
    /// Sizes of claims to compare, like 400B,2KB (for token-size)
    #[arg(long, value_name = "SIZE", value_delimiter = ',', num_args = 1..)]
    claims: Vec<ClaimsSize>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy)]
enum Topic {
    TokenSize,
    Architecture(&'static Entry<dyn Architecture>),
    Sender(&'static Entry<dyn SenderConstraint>),
    Metric(MetricId),
}

const TOKEN_SIZE: &str = "token-size";
const ABOUT_TOKEN_SIZE: &str =
    "length of a token by signature scheme, and which servers' default header limits it exceeds";

/// How the percentiles are listed that have no line of their own.
const ANY_PERCENTILE: &str = "p(x)";
const ABOUT_ANY_PERCENTILE: &str =
    "any other percentile of latency, like p(75); of another metric like generator.lag(p(75))";

/// A word that nothing is explained by.
#[derive(Debug, thiserror::Error)]
enum UnknownTopic {
    /// It is neither an architecture nor a sender constraint nor a metric.
    #[error("unknown topic {found:?}{}", suggestion(.nearest.as_deref()))]
    Name { found: String, nearest: Option<String> },
    /// It is that of a metric that there cannot be.
    #[error(transparent)]
    Metric(UnknownMetric),
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest.map_or_else(
        || "; \"bearerbench explain\" lists every topic".to_owned(),
        |topic| format!("; did you mean {topic:?}?"),
    )
}

impl FromStr for Topic {
    type Err = UnknownTopic;

    fn from_str(found: &str) -> Result<Self, UnknownTopic> {
        if found == TOKEN_SIZE {
            return Ok(Self::TokenSize);
        }
        if let Some(entry) = ARCHITECTURES.entries.iter().find(|entry| entry.name == found) {
            return Ok(Self::Architecture(entry));
        }
        if let Some(entry) = SENDER_CONSTRAINTS.entries.iter().find(|entry| entry.name == found) {
            return Ok(Self::Sender(entry));
        }
        found.parse().map(Self::Metric).map_err(|error| match error {
            UnknownMetric::Name { nearest: metric, .. } => {
                let mut names: Vec<&str> =
                    architecture::names().chain(sender::names()).chain([TOKEN_SIZE]).collect();
                names.extend(metric.as_deref());
                let nearest = nearest(found, names).map(str::to_owned).or(metric);
                UnknownTopic::Name { found: found.to_owned(), nearest }
            }
            other => UnknownTopic::Metric(other),
        })
    }
}

impl Explain {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        let topic = match self.topic.as_deref().map(str::parse).transpose() {
            Ok(topic) => topic,
            Err(error) => {
                let error: UnknownTopic = error;
                output::tell(&format!("bearerbench: {error}"));
                return Ok(Exit::Usage);
            }
        };
        if !self.claims.is_empty() && !matches!(topic, Some(Topic::TokenSize)) {
            output::tell("bearerbench: --claims belongs to \"bearerbench explain token-size\"");
            return Ok(Exit::Usage);
        }
        output::print(&match topic {
            None if self.json => topics_json(),
            None => topics(),
            Some(Topic::Architecture(entry)) if self.json => serde_json::to_string(&Explained::of(entry))?,
            Some(Topic::Architecture(entry)) => Explained::of(entry).text(),
            Some(Topic::Sender(entry)) if self.json => serde_json::to_string(&ExplainedSender::of(entry))?,
            Some(Topic::Sender(entry)) => ExplainedSender::of(entry).text(),
            Some(Topic::Metric(metric)) if self.json => metric_json(metric).to_string(),
            Some(Topic::Metric(metric)) => explained(metric),
            Some(Topic::TokenSize) => token_size::explain(&self.claims, self.json),
        })?;
        Ok(Exit::Success)
    }
}

fn topics() -> String {
    let rows = || -> Vec<(Cow<'static, str>, Cow<'static, str>)> {
        let architectures = ARCHITECTURES.entries.iter();
        let architectures = architectures.map(|entry| (entry.name.into(), entry.summary.into()));
        let senders = SENDER_CONSTRAINTS.entries.iter();
        let senders = senders.map(|entry| (entry.name.into(), entry.summary.into()));
        let metrics = MetricId::ALL.iter().map(|metric| (metric.id(), metric.meaning()));
        let [token_size, percentile] =
            [(TOKEN_SIZE, ABOUT_TOKEN_SIZE), (ANY_PERCENTILE, ABOUT_ANY_PERCENTILE)]
                .map(|(name, about)| (name.into(), about.into()));
        let parts = std::iter::once(token_size).chain(architectures).chain(senders);
        parts.chain(metrics).chain([percentile]).collect()
    };
    let width = rows().iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    rows().into_iter().fold(String::new(), |mut text, (name, about)| {
        writeln!(text, "{name:width$}  {about}").expect("a string takes every text");
        text
    })
}

fn topics_json() -> String {
    let metrics: Vec<_> = MetricId::ALL.iter().map(|metric| metric_json(*metric)).collect();
    let topic = |name: &str, meaning: &str| serde_json::json!({ "name": name, "meaning": meaning });
    let architectures = ARCHITECTURES.entries.iter().map(|entry| topic(entry.name, entry.summary));
    let senders = SENDER_CONSTRAINTS.entries.iter().map(|entry| topic(entry.name, entry.summary));
    serde_json::json!({
        "topics": [topic(TOKEN_SIZE, ABOUT_TOKEN_SIZE)],
        "architectures": architectures.collect::<Vec<_>>(),
        "senders": senders.collect::<Vec<_>>(),
        "metrics": metrics,
    })
    .to_string()
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
            assert!(listed.contains(&*metric.id()) && explained(*metric).contains(&*metric.meaning()));
            assert!(topics_json().contains(&*metric.id()));
        }
        for name in architecture::names() {
            assert!(matches!(name.parse(), Ok(Topic::Architecture(entry)) if entry.name == name));
            assert!(listed.contains(&format!("\n{name} ")) && topics_json().contains(&format!("{name:?}")));
        }
        for name in sender::names() {
            assert!(matches!(name.parse(), Ok(Topic::Sender(entry)) if entry.name == name));
            assert!(listed.contains(&format!("\n{name} ")) && topics_json().contains(&format!("{name:?}")));
        }
        assert!(matches!(TOKEN_SIZE.parse(), Ok(Topic::TokenSize)));
        assert!(listed.contains(TOKEN_SIZE));
    }

    #[test]
    fn a_slip_of_the_pen_is_told_with_the_nearest_topic() {
        for (written, expected) in [
            ("token-sizes", "unknown topic \"token-sizes\"; did you mean \"token-size\"?"),
            ("introspecton", "unknown topic \"introspecton\"; did you mean \"introspection\"?"),
            ("jwt_deny_list", "did you mean \"jwt-deny-list\"?"),
            ("mtsl", "did you mean \"mtls\"?"),
            ("latency.p9", "unknown topic \"latency.p9\"; did you mean \"latency.p9"),
            ("http_req_duration", "unknown topic \"http_req_duration\"; did you mean \"latency"),
            ("p(101)", "\"p(101)\" is no percentile; expected a number from 0 to 100"),
            ("xyz", "unknown topic \"xyz\"; \"bearerbench explain\" lists every topic"),
        ] {
            let Err(message) = written.parse::<Topic>().map_err(|error| error.to_string()) else {
                panic!("{written} is a topic")
            };
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn any_percentile_is_explained_in_the_spelling_of_a_threshold() {
        for (written, expected) in [
            ("p(95)", "latency.p95: 95 % of the requests were answered within"),
            ("p(99.99)", "latency.p9999: 99.99 % of the requests were answered within"),
            ("latency.service(p(75))", "latency.service.p75: 75 % of the requests were answered within"),
            ("med", "latency.p50: half of the requests"),
        ] {
            let Ok(Topic::Metric(metric)) = written.parse() else { panic!("{written}") };
            assert!(explained(metric).starts_with(expected), "{}", explained(metric));
        }
        assert!(topics().lines().any(|line| line.starts_with("p(x) ")));
    }
}
