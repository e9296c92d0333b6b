//! The answers in sentences; every number in them comes from the data.

mod answer;
pub(in crate::report) mod names;
mod signatures;
mod throughput;

use crate::analysis::{Analysis, Basis, Estimate, Standing, Summary, Warning};
use crate::metric::{MetricId, Unit};
use crate::observation::Staleness;
use crate::report::cell::between;
use crate::report::findings::names::{MANY, called, list, marked, some};

/// A sentence or two on one topic.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) topic: &'static str,
    pub(super) text: String,
}

type Sentences = fn(&Analysis) -> Option<String>;

/// What was found, topic by topic, the answer to the question first; a topic without figures is left out.
pub(super) fn findings(analysis: &Analysis) -> Vec<Finding> {
    let signatures: [(&'static str, Sentences); 3] = [
        ("Signing and verifying", signatures::quickest),
        ("Post-quantum", signatures::against_classical),
        ("Signature schemes", signatures::status),
    ];
    let topics: [(&'static str, Sentences); 7] = [
        ("In short", answer::sentences),
        ("Throughput", throughput::reached),
        ("Latency", latency),
        ("Revocation", revocation),
        ("Load on the authorization server", calls),
        ("Processor time", cost),
        ("Token size", size),
    ];
    let order: Vec<_> = if answer::is_about_signatures(analysis) {
        topics[..1].iter().chain(&signatures).chain(&topics[1..]).collect()
    } else {
        topics.iter().chain(&signatures).collect()
    };
    order.into_iter().filter_map(|(topic, text)| Some(Finding { topic, text: text(analysis)? })).collect()
}

/// The answer alone, for a terminal.
pub(super) fn answer(analysis: &Analysis) -> Option<String> {
    answer::sentences(analysis)
}

fn of(summary: &Summary, metric: MetricId) -> Option<Estimate> {
    summary.estimates.get(&metric).copied()
}

/// A value in a sentence; only an end of it where no more is known.
fn show(metric: MetricId, estimate: Estimate) -> String {
    match estimate.standing {
        Standing::Lost { most: Some(most), .. } => format!("at most {}", metric.show(most)),
        Standing::Lost { least, .. } => format!("at least {}", metric.show(least.unwrap_or(0.0))),
        Standing::Bounded { least, most } => between(metric, least, most),
        Standing::Sound if estimate.high.is_none() => format!("at least {}", metric.show(estimate.point)),
        Standing::Sound => metric.show(estimate.point),
    }
}

/// Subjects with a value, smallest first.
fn ranked(analysis: &Analysis, metric: MetricId) -> Vec<(&str, Estimate)> {
    let mut ranked: Vec<(&str, Estimate)> = analysis
        .subjects
        .iter()
        .filter_map(|summary| Some((summary.subject.name.as_str(), of(summary, metric)?)))
        // What is lost has no place in an order.
        .filter(|(_, estimate)| !estimate.standing.is_lost())
        .collect();
    ranked.sort_by(|a, b| a.1.point.total_cmp(&b.1.point));
    ranked
}

/// The ends of a ranking that is too long for a sentence, of subjects that may be an end of it.
fn ends(analysis: &Analysis, metric: MetricId, ranked: &[(&str, Estimate)]) -> Option<String> {
    if ranked.len() <= MANY {
        return None;
    }
    let trusted = |name: &str| {
        let found = analysis.subjects.iter().find(|summary| summary.subject.name == name);
        found.is_some_and(|summary| summary.subject.is_trusted() && !summary.is_control)
    };
    let mut trusted = ranked.iter().filter(|(name, _)| trusted(name));
    let (least, most) = (trusted.next()?, trusted.next_back()?);
    Some(format!("from {} ({}) to {} ({})", show(metric, least.1), least.0, show(metric, most.1), most.0))
}

fn latency(analysis: &Analysis) -> Option<String> {
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
            let tie = if spans_zero { ", not told from 0" } else { "" };
            format!("{} {}{p50}{tie}", marked(analysis, name), show(MetricId::AddedP99, *p99))
        })
        .collect();
    let each = ends(analysis, MetricId::AddedP99, &added).unwrap_or_else(|| list(&each));
    let checks = match control.subject.staleness {
        Staleness::Unchecked => "checks nothing",
        _ => "verifies tokens that nobody signed",
    };
    Some(format!(
        "The control, which {checks}, takes {} at the median and {} at p99. Added at p99: {}.{}",
        show(MetricId::LatencyP50, p50),
        show(MetricId::LatencyP99, p99),
        each,
        ties(&added)
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
    (!each.is_empty()).then(|| format!("99 % of the requests were answered within: {told}.{}", ties(&ranked)))
}

/// Neighbours in the ranking whose intervals overlap are not told apart.
fn ties(ranked: &[(&str, Estimate)]) -> String {
    let overlap = |pair: &[(&str, Estimate)]| {
        let unknown = pair.iter().any(|(_, estimate)| estimate.basis == Basis::TooFew);
        unknown || pair[0].1.high.is_none_or(|high| high >= pair[1].1.low)
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
            " The intervals of {} of the {} pairs of neighbours in that order overlap or are unknown, so this run does \
             not tell them apart.",
            pairs.len(),
            ranked.len() - 1
        );
    }
    format!(
        " Their intervals overlap or are unknown, so this run does not tell {} apart.",
        list(&pairs).replace(" from ", " and ")
    )
}

fn revocation(analysis: &Analysis) -> Option<String> {
    let (mut at_once, mut in_time, mut never) = (Vec::new(), Vec::new(), Vec::new());
    for summary in &analysis.subjects {
        let Some(longest) = of(summary, MetricId::PropagationMax) else { continue };
        let name = summary.subject.name.clone();
        match (longest.high, summary.propagation.unsafe_acceptances()) {
            (None, _) => never.push((
                name,
                summary.propagation.observations.len(),
                summary.propagation.unbounded(),
                longest.point,
            )),
            (Some(_), 0) => at_once.push(name),
            (Some(_), count) => in_time.push(format!(
                "{name} went on accepting a revoked token for up to {} ({count} unsafe acceptances)",
                MetricId::PropagationMax.show(longest.point)
            )),
        }
    }
    let mut sentences = Vec::new();
    if !at_once.is_empty() {
        sentences.push(format!(
            "{} accepted no request sent after a revocation was acknowledged.",
            some(&at_once)
        ));
    }
    sentences.extend(in_time.into_iter().map(|sentence| format!("{sentence}.")));
    sentences.extend(still_accepting(&never));
    sentences.extend(until_expiry(analysis));
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

fn still_accepting(never: &[(String, usize, usize, f64)]) -> Option<String> {
    let longest = never.iter().map(|subject| subject.3).reduce(f64::max)?;
    let each: Vec<String> =
        never
            .iter()
            .map(|(name, all, unbounded, _)| {
                if all == unbounded {
                    name.clone()
                } else {
                    format!("{name} (in {unbounded} of {all} cases)")
                }
            })
            .collect();
    Some(format!(
        "{} still accepted revoked tokens when the trial ended, up to {} after the acknowledgement: how much longer, \
         this run cannot tell.",
        some(&each),
        Unit::Seconds.show(longest)
    ))
}

/// What a run that ends before its tokens cannot show.
fn until_expiry(analysis: &Analysis) -> Option<String> {
    let leeways = analysis.subjects.iter().filter_map(|summary| match summary.subject.staleness {
        Staleness::UntilExpiry { leeway_seconds } => Some((summary.subject.name.clone(), leeway_seconds)),
        _ => None,
    });
    let (names, leeways): (Vec<String>, Vec<f64>) = leeways.unzip();
    let longest = analysis.workload.token_lifetime_seconds + leeways.into_iter().reduce(f64::max)?;
    Some(format!(
        "By design {} go{} on until the token expires: up to {} after it was issued.",
        some(&names),
        if names.len() == 1 { "es" } else { "" },
        Unit::Seconds.show(longest)
    ))
}

fn calls(analysis: &Analysis) -> Option<String> {
    let ranked = ranked(analysis, MetricId::Amplification);
    let (never, asked): (Vec<_>, Vec<_>) = ranked.into_iter().partition(|(_, calls)| calls.point == 0.0);
    let mut parts = Vec::new();
    if !asked.is_empty() {
        let each: Vec<String> = asked
            .iter()
            .map(|(name, calls)| format!("{} with {name}", MetricId::Amplification.show(calls.point)))
            .collect();
        parts.push(format!("Calls per API request: {}.", list(&each)));
    }
    if !never.is_empty() {
        let names: Vec<String> = never.iter().map(|(name, _)| (*name).to_owned()).collect();
        parts.push(format!("{} did not ask it at all while the load ran.", some(&names)));
    }
    (!parts.is_empty()).then(|| parts.join(" "))
}

fn cost(analysis: &Analysis) -> Option<String> {
    let mut costs: Vec<(&Summary, f64, f64)> = analysis
        .subjects
        .iter()
        .filter_map(|summary| {
            let resource = of(summary, MetricId::CpuResourceServer)?.point;
            let authorization = of(summary, MetricId::CpuAuthorizationServer).map_or(0.0, |cpu| cpu.point);
            Some((summary, resource, authorization))
        })
        .collect();
    costs.sort_by(|a, b| (a.1 + a.2).total_cmp(&(b.1 + b.2)));
    let trusted = |cost: &&(&Summary, f64, f64)| cost.0.subject.is_trusted() && !cost.0.is_control;
    let ends = costs.iter().find(trusted).zip(costs.iter().rfind(trusted)).filter(|_| costs.len() > MANY);
    let told: Vec<(&Summary, f64, f64)> = ends.map_or(costs.clone(), |(least, most)| vec![*least, *most]);
    let between = if ends.is_some() { " at the ends of the range" } else { "" };
    let each: Vec<String> = told
        .into_iter()
        .map(|(summary, resource, authorization)| {
            let name = called(summary);
            let total = Unit::CpuPerMillion.show(resource + authorization);
            let share = if authorization > 0.01 * resource {
                format!(" ({} of it at the authorization server)", Unit::CpuPerMillion.show(authorization))
            } else {
                String::new()
            };
            format!("{name} {total}{share}")
        })
        .collect();
    let stolen = |warning: &Warning| matches!(warning, Warning::MachineBusy { steal_percent: Some(_), .. });
    let caveat = if analysis.subjects.iter().any(|summary| summary.warnings.iter().any(stolen)) {
        " What the hypervisor took meanwhile is counted in, so they are too high, and not to be ranked."
    } else {
        ""
    };
    (!each.is_empty()).then(|| {
        format!(
            "Seconds of CPU time per million requests, both kinds of servers together{between}: {}.{caveat}",
            list(&each)
        )
    })
}

fn size(analysis: &Analysis) -> Option<String> {
    let mut sizes: Vec<(String, Vec<String>)> = Vec::new();
    let ranked = ranked(analysis, MetricId::TokenBytes);
    if let Some(ends) = ends(analysis, MetricId::TokenBytes, &ranked) {
        return Some(format!("Every request carries its token: {ends}."));
    }
    for (name, size) in ranked {
        let size = MetricId::TokenBytes.show(size.point);
        match sizes.last_mut().filter(|(last, _)| *last == size) {
            Some((_, names)) => names.push(name.to_owned()),
            None => sizes.push((size, vec![name.to_owned()])),
        }
    }
    let each: Vec<String> = sizes.iter().map(|(size, names)| format!("{size} for {}", list(names))).collect();
    (!each.is_empty()).then(|| format!("Every request carries its token: {}.", list(&each)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{analyse, synthetic};

    fn text(topic: &str, analysis: &Analysis) -> String {
        findings(analysis).into_iter().find(|finding| finding.topic == topic).unwrap().text
    }

    #[test]
    fn answers_name_every_subject_by_what_its_data_says() {
        let analysis = analyse(&synthetic::recordings());
        let revocation = text("Revocation", &analysis);
        assert!(revocation.starts_with("introspection accepted no request sent after"), "{revocation}");
        assert!(revocation.contains("introspection-cached went on accepting a revoked token for up to 4."));
        assert!(revocation.contains("none, jwt ES256 and jwt ML-DSA-65 still accepted revoked tokens when"));
        let calls = text("Load on the authorization server", &analysis);
        assert!(calls.contains("1.00 with introspection"), "{calls}");
        assert!(calls.contains("none, jwt ES256 and jwt ML-DSA-65 did not ask it"), "{calls}");
    }

    #[test]
    fn cpu_time_of_a_machine_that_was_taken_away_is_told_with_a_caveat() {
        let mut recordings = synthetic::recordings();
        assert!(!text("Processor time", &analyse(&recordings)).contains("hypervisor"));
        recordings[2].conditions.steal_percent = Some(20.0);
        assert!(text("Processor time", &analyse(&recordings)).contains("too high"));
    }

    #[test]
    fn a_latency_that_failed_requests_lie_beyond_is_at_least_that() {
        let mut recordings = synthetic::recordings();
        let outcomes = &mut recordings[3].load.as_mut().unwrap().seconds[0].outcomes;
        outcomes.good_accepted -= 300;
        let latency = text("Latency", &analyse(&recordings));
        assert!(latency.contains("jwt ES256 at least +"), "{latency}");
        assert_eq!(latency.matches("at least").count(), 1, "{latency}");
    }

    #[test]
    fn without_a_control_latency_stands_by_itself() {
        let analysis = analyse(&synthetic::recordings()[1..]);
        let latency = text("Latency", &analysis);
        assert!(latency.starts_with("99 % of the requests were answered within: "), "{latency}");
    }
}
