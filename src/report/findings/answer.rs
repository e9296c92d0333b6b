//! The answer to the question of a scenario, in a few short sentences.

use crate::analysis::{Analysis, Basis, Estimate, Summary};
use crate::metric::MetricId;
use crate::report::cell::between;
use crate::report::findings::names::{called, list, some};
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
    let (first, last) = (ranked.first()?, ranked.last()?);
    let control = analysis.control().filter(|control| control.is_control);
    let control = control.and_then(|control| of(control, MetricId::LatencyP50));
    let checks = control.map_or_else(String::new, |p50| {
        format!("; checking nothing takes {}", show(MetricId::LatencyP50, p50))
    });
    if ranked.len() == 1 {
        return Some(format!("{} answers in {} at the median{checks}.", called(first.0), median(&ranked)));
    }
    if !are_told_apart(first.0, last.0) {
        return Some(format!(
            "{} take {} at the median: this run does not tell the fastest from the slowest{checks}.",
            names(&ranked),
            median(&ranked)
        ));
    }
    let quick = ranked.iter().take_while(|one| !are_told_apart(first.0, one.0)).count();
    let slow = ranked.iter().rev().take_while(|one| !are_told_apart(one.0, last.0)).count();
    // Whoever is told apart from neither end stands between them.
    let (quick, slow) = (&ranked[..quick], &ranked[quick.max(ranked.len() - slow)..]);
    let (is, tie) = if quick.len() > 1 { ("are", ", not told apart") } else { ("is", "") };
    let (takes, up_to) = (if slow.len() > 1 { "take" } else { "takes" }, quick.len() + slow.len() > 2);
    Some(format!(
        "{} {is} fastest, {} at the median{tie}; {} {takes} {}, {}{:.1} times as long{checks}.",
        names(quick),
        median(quick),
        names(slow),
        median(slow),
        if up_to { "up to " } else { "" },
        last.1 / first.1.max(f64::MIN_POSITIVE)
    ))
}

fn names(ranked: &[(&Summary, f64)]) -> String {
    some(&ranked.iter().map(|(summary, _)| called(summary)).collect::<Vec<_>>())
}

/// The median of one, or from that of the first to that of the last.
fn median(ranked: &[(&Summary, f64)]) -> String {
    let metric = MetricId::LatencyP50;
    match ranked {
        [(_, least), .., (_, most)] if metric.show(*least) == metric.show(*most) => metric.show(*most),
        [(_, least), .., (_, most)] => between(metric, *least, *most),
        [(one, _)] => of(one, metric).map_or_else(String::new, |p50| show(metric, p50)),
        [] => String::new(),
    }
}

/// Whether the median of `quick` is shorter by more than chance: by what each adds to the control, since the machine may run at
/// another speed in each round.
fn are_told_apart(quick: &Summary, slow: &Summary) -> bool {
    let both = |metric| of(quick, metric).zip(of(slow, metric));
    let Some((quick, slow)) = both(MetricId::AddedP50).or_else(|| both(MetricId::LatencyP50)) else {
        return false;
    };
    let is_known = |estimate: &Estimate| estimate.basis != Basis::TooFew;
    is_known(&quick) && is_known(&slow) && quick.high.is_some_and(|high| high < slow.low)
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
    fn whoever_is_not_told_apart_is_not_called_faster() {
        let told = |added: [(f64, f64); 4]| {
            let mut analysis = analyse(&synthetic::recordings());
            let compared = analysis.subjects.iter_mut().filter(|summary| !summary.is_control);
            for (number, (summary, (low, high))) in compared.zip(added).enumerate() {
                let p50 = summary.estimates.get_mut(&MetricId::LatencyP50).unwrap();
                p50.point = 100e-6 * (number + 1) as f64;
                let added = summary.estimates.get_mut(&MetricId::AddedP50).unwrap();
                (added.low, added.high, added.basis) = (low, Some(high), Basis::AcrossRuns);
            }
            speed(&analysis).unwrap()
        };
        let names = ["introspection", "introspection-cached", "jwt ES256", "jwt ML-DSA-65"];
        let [a, b, c, d] = names;
        let text = told([(1.0, 2.0), (3.0, 4.0), (5.0, 6.0), (7.0, 8.0)]);
        let alone = format!("{a} is fastest, 100 µs at the median; {d} takes 400 µs, 4.0 times as long; ");
        assert!(text.starts_with(&alone), "{text}");
        let text = told([(1.0, 3.5), (3.0, 4.0), (5.0, 7.5), (7.0, 8.0)]);
        let groups = format!(
            "{a} and {b} are fastest, 100–200 µs at the median, not told apart; {c} and {d} take 300–400 µs, up to 4.0 times as long; "
        );
        assert!(text.starts_with(&groups), "{text}");
        let text = told([(1.0, 2.0), (3.0, 4.0), (5.0, 6.0), (1.5, 8.0)]);
        assert!(text.contains("does not tell the fastest from the slowest"), "{text}");
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
