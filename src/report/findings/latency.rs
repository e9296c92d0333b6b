//! How long requests take, the quickest first, and who is not told apart.

use crate::analysis::{Analysis, Estimate, is_faster};
use crate::design::Checks;
use crate::metric::MetricId;
use crate::report::findings::names::{MANY, list, marked};
use crate::report::findings::{ends, of, ranked, show};

/// What each subject adds to the control; without one, what it takes.
pub(super) fn added(analysis: &Analysis) -> Option<String> {
    if !analysis.ladders.is_empty() {
        // At different rates latencies are not to be ranked: the chart against offered load shows them.
        return None;
    }
    let Some(control) = analysis.control() else { return plain_latency(analysis) };
    let (p50, p99) = (of(control, MetricId::LatencyP50)?, of(control, MetricId::LatencyP99)?);
    let added = ranked(analysis, MetricId::AddedP99);
    if added.is_empty() {
        return None;
    }
    let each: Vec<String> = added
        .iter()
        .map(|(name, p99)| {
            let summary = analysis.subjects.iter().find(|summary| summary.subject.name == *name);
            let p50 = summary.and_then(|summary| of(summary, MetricId::AddedP50));
            let p50 = p50.map_or_else(String::new, |p50| {
                format!(" ({} at the median)", show(MetricId::AddedP50, p50))
            });
            let spans_zero = p99.low <= 0.0 && p99.high.is_none_or(|high| high >= 0.0);
            let tie = if spans_zero { ", not distinguishable from 0" } else { "" };
            format!("{} {}{p50}{tie}", marked(analysis, name), show(MetricId::AddedP99, *p99))
        })
        .collect();
    let each = ends(analysis, MetricId::AddedP99, &added).unwrap_or_else(|| list(&each));
    let checks = match control.subject.design.checks {
        Checks::Nothing => "checks nothing",
        Checks::Tokens | Checks::Unknown => "verifies tokens that nobody signed",
    };
    Some(format!(
        "The control, which {checks}, takes {} at the median and {} at p99. Added at p99: {}.{}",
        show(MetricId::LatencyP50, p50),
        show(MetricId::LatencyP99, p99),
        each,
        ties(analysis, &added)
    ))
}

/// Without a control there is nothing to hold latencies against.
fn plain_latency(analysis: &Analysis) -> Option<String> {
    let ranked = ranked(analysis, MetricId::LatencyP99);
    let each: Vec<String> = ranked
        .iter()
        .map(|(name, p99)| format!("{} {}", marked(analysis, name), show(MetricId::LatencyP99, *p99)))
        .collect();
    let told = ends(analysis, MetricId::LatencyP99, &ranked).unwrap_or_else(|| list(&each));
    (!each.is_empty())
        .then(|| format!("99 % of the requests were answered within: {told}.{}", ties(analysis, &ranked)))
}

/// Neighbours in a ranking by the 99th percentile that the run does not tell apart.
fn ties(analysis: &Analysis, ranked: &[(&str, Estimate)]) -> String {
    let of = |name: &str| analysis.subjects.iter().find(|summary| summary.subject.name == name);
    let overlap = |pair: &[(&str, Estimate)]| {
        let pair = of(pair[0].0).zip(of(pair[1].0));
        !pair.is_some_and(|(quick, slow)| is_faster(MetricId::LatencyP99, quick, slow))
    };
    let pairs: Vec<String> = ranked
        .windows(2)
        .filter(|pair| overlap(pair))
        .map(|pair| format!("{} from {}", pair[0].0, pair[1].0))
        .collect();
    if pairs.is_empty() {
        return String::new();
    }
    if pairs.len() > MANY {
        return format!(
            " Of the {1} pairs of neighbours in that order this run does not tell {0} apart.",
            pairs.len(),
            ranked.len() - 1
        );
    }
    format!(" This run does not tell {}.", list(&pairs))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{analyse, synthetic};

    #[test]
    fn a_latency_that_failed_requests_lie_beyond_is_at_least_that() {
        let mut recordings = synthetic::recordings();
        let outcomes = &mut recordings[3].load.as_mut().unwrap().seconds[0].outcomes;
        outcomes.class_mut("valid").accepted -= 300;
        let latency = added(&analyse(&recordings)).unwrap();
        assert!(latency.contains("jwt ES256 at least +"), "{latency}");
        assert_eq!(latency.matches("at least").count(), 1, "{latency}");
    }

    #[test]
    fn without_a_control_latency_stands_by_itself() {
        let analysis = analyse(&synthetic::recordings()[1..]);
        let latency = added(&analysis).unwrap();
        assert!(latency.starts_with("99 % of the requests were answered within: "), "{latency}");
    }
}
