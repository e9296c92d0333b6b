//! The answer to the question of a scenario, in a few short sentences.

use crate::analysis::{Analysis, Summary};
use crate::metric::MetricId;
use crate::report::findings::names::{called, list};
use crate::report::findings::{of, show};

/// Who is fastest and by how much, what a revocation costs, and what the authorization server bears.
pub(super) fn sentences(analysis: &Analysis) -> Option<String> {
    // Rates are not to be ranked by latency: what was reached answers a search.
    if !analysis.ladders.is_empty() {
        return None;
    }
    let sentences: Vec<String> =
        [speed(analysis), revocation(analysis), burden(analysis)].into_iter().flatten().collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

/// True if subjects differ by their signature and by little else: one architecture, and most of them sign.
pub(super) fn is_about_signatures(analysis: &Analysis) -> bool {
    let signed = analysis.subjects.iter().filter(|summary| summary.subject.signature.is_some()).count();
    let others = analysis.subjects.iter().filter(|summary| !summary.is_control).count();
    signed >= 3 && signed >= others
}

/// Everyone whose figures are compared, fastest first, with the median.
fn ranked(analysis: &Analysis) -> Vec<(&Summary, f64)> {
    let compared =
        analysis.subjects.iter().filter(|summary| !summary.is_control && summary.subject.is_trusted());
    let value = |summary| {
        let p50 = of(summary, MetricId::LatencyP50).filter(|p50| !p50.standing.is_lost())?;
        Some((summary, p50.point))
    };
    let mut ranked: Vec<(&Summary, f64)> = compared.filter_map(value).collect();
    ranked.sort_by(|a, b| a.1.total_cmp(&b.1));
    ranked
}

fn speed(analysis: &Analysis) -> Option<String> {
    let ranked = ranked(analysis);
    let (first, fastest) = *ranked.first()?;
    let p50 =
        |summary: &Summary| of(summary, MetricId::LatencyP50).map(|p50| show(MetricId::LatencyP50, p50));
    let control = analysis.control().filter(|control| control.is_control).and_then(p50);
    let checks = control.map_or_else(String::new, |p50| format!("; checking nothing takes {p50}"));
    let Some((last, slowest)) = ranked.last().copied().filter(|_| ranked.len() > 1) else {
        return Some(format!("{} answers in {} at the median{checks}.", called(first), p50(first)?));
    };
    Some(format!(
        "{} is fastest, {} at the median; {} takes {}, {:.1} times as long{checks}.",
        called(first),
        p50(first)?,
        called(last),
        p50(last)?,
        slowest / fastest.max(f64::MIN_POSITIVE)
    ))
}

fn revocation(analysis: &Analysis) -> Option<String> {
    let (mut at_once, mut in_time, mut never) = (Vec::new(), Vec::new(), Vec::new());
    for summary in analysis.subjects.iter().filter(|summary| !summary.is_control) {
        let Some(longest) = of(summary, MetricId::PropagationMax) else { continue };
        match (longest.high, summary.propagation.unsafe_acceptances()) {
            (None, _) => never.push(called(summary)),
            (Some(_), 0) => at_once.push(called(summary)),
            (Some(_), _) => in_time.push(format!(
                "with {} after {}",
                called(summary),
                MetricId::PropagationMax.show(longest.point)
            )),
        }
    }
    let mut clauses = Vec::new();
    if !at_once.is_empty() {
        clauses.push(format!("at once with {}", list(&at_once)));
    }
    clauses.extend(in_time);
    if !never.is_empty() {
        clauses.push(format!("not before the token expires with {}", list(&never)));
    }
    (!clauses.is_empty()).then(|| format!("A revoked token stops working {}.", list(&clauses)))
}

fn burden(analysis: &Analysis) -> Option<String> {
    let asking = analysis.subjects.iter().filter(|summary| !summary.is_control).filter_map(|summary| {
        let calls = of(summary, MetricId::Amplification).filter(|calls| calls.point >= 0.005)?;
        Some((MetricId::Amplification.show(calls.point), called(summary)))
    });
    let mut each: Vec<String> = Vec::new();
    for (calls, name) in asking {
        let what = if each.is_empty() { " calls" } else { "" };
        each.push(format!("{calls}{what} with {name}"));
    }
    (!each.is_empty())
        .then(|| format!("Per API request the authorization server answers {}; otherwise none.", list(&each)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{Standing, analyse, synthetic};
    use crate::report::findings::findings;

    #[test]
    fn the_answer_comes_first_and_names_the_fastest_the_revocation_and_the_burden() {
        let analysis = analyse(&synthetic::recordings());
        let found = findings(&analysis);
        assert_eq!(found[0].topic, "In short");
        assert_eq!(found.last().unwrap().topic, "Signature schemes");
        let text = &found[0].text;
        assert!(text.contains(" is fastest, ") && text.contains("; checking nothing takes "), "{text}");
        assert!(
            text.contains(
                "A revoked token stops working at once with introspection, with introspection-cached after 4."
            ),
            "{text}"
        );
        assert!(text.contains("not before the token expires with jwt ES256 and jwt ML-DSA-65."), "{text}");
        assert!(
            text.contains("the authorization server answers 1.00 calls with introspection and 0."),
            "{text}"
        );
    }

    #[test]
    fn a_scenario_about_signatures_tells_them_right_after_the_answer() {
        let topics: Vec<_> =
            findings(&analyse(synthetic::signatures())).iter().map(|found| found.topic).collect();
        assert_eq!(topics[..2], ["In short", "Signing and verifying"]);
    }

    #[test]
    fn what_is_lost_is_told_as_no_number() {
        let mut analysis = analyse(&synthetic::recordings());
        for summary in &mut analysis.subjects {
            let p50 = summary.estimates.get_mut(&MetricId::LatencyP50).unwrap();
            p50.standing = Standing::Lost { least: None, most: Some(p50.point) };
        }
        let text = sentences(&analysis).unwrap();
        assert!(!text.contains("fastest"), "{text}");
    }
}
