//! The answers in sentences; every number in them comes from the data.

mod answer;
mod latency;
pub(in crate::report) mod names;
mod revocation;
mod signatures;
mod throughput;

use crate::analysis::{Analysis, Estimate, Standing, Summary, Warning};
use crate::metric::{MetricId, Unit};
use crate::report::cell::between;
use crate::report::findings::names::{MANY, called, list, some};
use crate::report::revocation_limits::are_told_by_a_table;

/// A sentence or two on one topic.
#[derive(Debug)]
pub(super) struct TopicFinding {
    pub(super) topic: &'static str,
    pub(super) text: String,
}

type Sentences = fn(&Analysis) -> Option<String>;

/// What was found, topic by topic, the answer to the question first; a topic without figures is left out.
pub(super) fn findings(analysis: &Analysis) -> Vec<TopicFinding> {
    let signatures: [(&'static str, Sentences); 3] = [
        ("Signing and verifying", signatures::quickest),
        ("Post-quantum", signatures::against_classical),
        ("Signature schemes", signatures::status),
    ];
    let topics: [(&'static str, Sentences); 7] = [
        ("In short", answer::sentences),
        ("Throughput", throughput::reached),
        ("Latency", latency::added),
        ("Revocation", revocation::ends),
        ("Load on the authorization server", calls),
        ("Processor time", cost),
        ("Token size", size),
    ];
    let order: Vec<_> = if answer::is_about_signatures(analysis) {
        topics[..1].iter().chain(&signatures).chain(&topics[1..]).collect()
    } else {
        topics.iter().chain(&signatures).collect()
    };
    // What a table tells of each, sentences need not.
    let is_told = |topic: &str| {
        ["Revocation", "Load on the authorization server"].contains(&topic) && are_told_by_a_table(analysis)
    };
    order
        .into_iter()
        .filter(|(topic, _)| !is_told(topic))
        .filter_map(|(topic, text)| Some(TopicFinding { topic, text: text(analysis)? }))
        .collect()
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
        parts.push(format!("{} did not call it during the load.", some(&names)));
    }
    (!parts.is_empty()).then(|| parts.join(" "))
}

fn cost(analysis: &Analysis) -> Option<String> {
    let mut costs: Vec<(&Summary, f64, f64)> = analysis
        .subjects
        .iter()
        .filter_map(|summary| {
            let resource = of(summary, MetricId::CpuResourceServer)?.point;
            let point = |metric| of(summary, metric).map_or(0.0, |cpu| cpu.point);
            let authorization = point(MetricId::CpuAuthorizationServer) + point(MetricId::StoreCpu);
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
                let store = if of(summary, MetricId::StoreCpu).is_some() { " and its store" } else { "" };
                format!(
                    " ({} of it at the authorization server{store})",
                    Unit::CpuPerMillion.show(authorization)
                )
            } else {
                String::new()
            };
            format!("{name} {total}{share}")
        })
        .collect();
    let stolen = |warning: &Warning| matches!(warning, Warning::MachineBusy { steal_percent: Some(_), .. });
    let caveat = if analysis.subjects.iter().any(|summary| summary.warnings.iter().any(stolen)) {
        " They include time that the hypervisor took, so they are too high and cannot be ranked."
    } else {
        ""
    };
    let has_stores = analysis.subjects.iter().any(|summary| of(summary, MetricId::StoreCpu).is_some());
    let servers = if has_stores {
        "of the resource servers, the authorization server and its store"
    } else {
        "of the resource servers and the authorization server"
    };
    (!each.is_empty()).then(|| {
        format!("CPU seconds per million requests, {servers} together{between}: {}.{caveat}", list(&each))
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
        assert!(
            revocation
                .contains("none, jwt ES256 and jwt ML-DSA-65 did not refuse revoked tokens for good before")
        );
        let calls = text("Load on the authorization server", &analysis);
        assert!(calls.contains("1.00 with introspection"), "{calls}");
        assert!(calls.contains("none, jwt ES256 and jwt ML-DSA-65 did not call it"), "{calls}");
    }

    #[test]
    fn cpu_time_of_a_machine_that_was_taken_away_is_told_with_a_caveat() {
        let mut recordings = synthetic::recordings();
        assert!(!text("Processor time", &analyse(&recordings)).contains("hypervisor"));
        recordings[2].conditions.steal_percent = Some(20.0);
        assert!(text("Processor time", &analyse(&recordings)).contains("too high"));
    }
}
