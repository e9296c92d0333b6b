//! The answer to the question of a scenario, in a few short sentences.

use crate::analysis::{Analysis, Summary, groups};
use crate::metric::MetricId;
use crate::report::cell::between;
use crate::report::findings::names::{called, list, some};
use crate::report::findings::{of, show};
use crate::report::phases::disturbances;
use crate::report::revocation_limits;

/// More places after the first are no longer a sentence.
const MOST_PLACES: usize = 3;

/// Who is fastest and by how much, what a revocation costs, and what the authorization server bears.
pub(super) fn sentences(analysis: &Analysis) -> Option<String> {
    // Rates are not to be ranked by latency: what was reached answers a search.
    if !analysis.ladders.is_empty() {
        return None;
    }
    // Of many, a table tells the rest.
    let sentences = match revocation_limits::sentence(analysis) {
        Some(limits) => vec![outage(analysis), Some(limits), speed(analysis)],
        None if !disturbances(analysis).is_empty() => vec![outage(analysis)],
        None => vec![speed(analysis), revocation(analysis), burden(analysis)],
    };
    let sentences: Vec<String> = sentences.into_iter().flatten().collect();
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
    let places =
        groups(MetricId::LatencyP50, &ranked.iter().map(|(summary, _)| *summary).collect::<Vec<_>>());
    if let [everybody] = &places[..] {
        return Some(format!(
            "{} take {} at the median: this run does not tell the fastest from the slowest{checks}.",
            names(everybody),
            median(&ranked)
        ));
    }
    let mut rest = &ranked[..];
    let mut place = |group: &Vec<&Summary>| {
        let (own, after) = rest.split_at(group.len());
        rest = after;
        let tie = if own.len() > 1 { ", not told apart" } else { "" };
        (names(group), median(own), tie, own.len())
    };
    let places: Vec<_> = places.iter().map(&mut place).collect();
    let (fastest, slower) = (&places[0], &places[1..]);
    // Of many, only who is first and who is last.
    let slower = if slower.len() > MOST_PLACES { &slower[slower.len() - 1..] } else { slower };
    let then =
        slower.iter().map(|(names, median, tie, _)| format!("{names} ({median}{tie})")).collect::<Vec<_>>();
    let is = if fastest.3 > 1 { "are" } else { "is" };
    let then = if slower.len() < places.len() - 1 {
        format!("last {}", then[0])
    } else {
        format!("then {}", then.join(", then "))
    };
    let up_to = if fastest.3 + slower[slower.len() - 1].3 > 2 { "up to " } else { "" };
    Some(format!(
        "{} {is} fastest ({} at the median{}), {then}, {up_to}{:.1} times as long{checks}.",
        fastest.0,
        fastest.1,
        fastest.2,
        last.1 / first.1.max(f64::MIN_POSITIVE)
    ))
}

/// Who went on while servers were disturbed, and what that let pass.
fn outage(analysis: &Analysis) -> Option<String> {
    let told = |summary: &Summary| {
        let available = of(summary, MetricId::AvailabilityDisturbed)?;
        let accepted = of(summary, MetricId::UnsafeDisturbed)?;
        Some(format!(
            "{} {} and {}",
            called(summary),
            show(MetricId::AvailabilityDisturbed, available),
            show(MetricId::UnsafeDisturbed, accepted)
        ))
    };
    let each: Vec<String> =
        analysis.subjects.iter().filter(|summary| !summary.is_control).filter_map(told).collect();
    let by = disturbances(analysis).join("; ");
    (!each.is_empty()).then(|| {
        format!(
            "While servers were disturbed ({by}), requests with a valid token that were accepted, and unsafe acceptances of revoked ones: {}.",
            list(&each)
        )
    })
}

fn names(group: &[&Summary]) -> String {
    some(&group.iter().map(|summary| called(summary)).collect::<Vec<_>>())
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

fn revocation(analysis: &Analysis) -> Option<String> {
    let (mut at_once, mut in_time, mut never) = (Vec::new(), Vec::new(), Vec::new());
    for summary in analysis.subjects.iter().filter(|summary| !summary.is_control) {
        let Some(longest) = of(summary, MetricId::PropagationMax) else { continue };
        match (longest.high, summary.propagation.unsafe_acceptances()) {
            (None, _) if summary.subject.design.ignores_revocations() => never.push(called(summary)),
            // It would have been refused some time, but probing ended first.
            (None, _) => in_time.push(format!(
                "with {} after at least {}",
                called(summary),
                MetricId::PropagationMax.show(longest.point)
            )),
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
    fn who_was_not_probed_for_long_enough_is_not_said_to_accept_until_the_token_expires() {
        let mut analysis = analyse(&synthetic::recordings());
        let cached = &mut analysis.subjects[2];
        assert!(!cached.subject.design.ignores_revocations());
        cached.estimates.get_mut(&MetricId::PropagationMax).unwrap().high = None;
        let text = revocation(&analysis).unwrap();
        assert!(text.contains("with introspection-cached after at least 4."), "{text}");
        assert!(text.ends_with("not before the token expires with jwt ES256 and jwt ML-DSA-65."), "{text}");
    }

    #[test]
    fn the_answer_comes_first_and_names_the_fastest_the_revocation_and_the_burden() {
        let analysis = analyse(&synthetic::recordings());
        let found = findings(&analysis);
        assert_eq!(found[0].topic, "In short");
        assert_eq!(found.last().unwrap().topic, "Signature schemes");
        let text = &found[0].text;
        assert!(text.contains(" is fastest (") && text.contains("; checking nothing takes "), "{text}");
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
        let told = |rounds: [[f64; 3]; 4]| {
            let mut analysis = analyse(&synthetic::recordings());
            let compared = analysis.subjects.iter_mut().filter(|summary| !summary.is_control);
            for (summary, rounds) in compared.zip(rounds) {
                summary.estimates.get_mut(&MetricId::LatencyP50).unwrap().point = rounds[0] * 1e-6;
                summary.by_round.insert(MetricId::LatencyP50, (0..).zip(rounds).collect());
            }
            speed(&analysis).unwrap()
        };
        let [a, b, c, d] = ["introspection", "introspection-cached", "jwt ES256", "jwt ML-DSA-65"];
        let quick = [100.0, 101.0, 99.0];
        let text = told([quick, [200.0, 199.0, 203.0], [300.0, 310.0, 290.0], [400.0, 404.0, 405.0]]);
        let alone = format!(
            "{a} is fastest (100 µs at the median), then {b} (200 µs), then {c} (300 µs), then {d} (400 µs), 4.0 times as long; "
        );
        assert!(text.starts_with(&alone), "{text}");
        let text = told([quick, [102.0, 98.0, 100.0], [300.0, 310.0, 290.0], [303.0, 309.0, 288.0]]);
        let groups = format!(
            "{a} and {b} are fastest (100–102 µs at the median, not told apart), then {c} and {d} (300–303 µs, not told apart), up to 3.0 times as long; "
        );
        assert!(text.starts_with(&groups), "{text}");
        let text = told([quick, [101.0, 180.0, 90.0], [102.0, 60.0, 150.0], [110.0, 100.0, 90.0]]);
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
