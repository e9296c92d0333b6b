//! Who stands within which limit, and what the first sentence says of the cheapest.

use std::time::Duration;

use super::*;
use crate::analysis::{Agreement, analyse, synthetic};
use crate::observation::{Conformance, Recording, Signature};
use crate::report::charts;
use crate::report::findings::findings;
use crate::report::page::{html, markdown};
use crate::report::terminal::table;

/// Those of the quickstart, and caches with one lifetime after the other.
fn many() -> Vec<Recording> {
    let lifetimes = [0.5, 1.0, 2.0, 10.0, 30.0];
    let cache = synthetic::recording(2);
    let caches = (5..).zip(lifetimes).map(|(position, lifetime)| {
        let mut recording = cache.clone();
        recording.subject.name = format!("cache {lifetime} s");
        recording.subject.position = position;
        recording.subject.design = Design::caching(Duration::from_secs_f64(lifetime));
        recording
    });
    synthetic::recordings().into_iter().chain(caches).collect()
}

fn grouped(analysis: &Analysis) -> Vec<(String, Vec<String>)> {
    let limits = revocation_limits(analysis).into_iter();
    limits
        .map(|limit| {
            let mut names: Vec<_> = limit.designs.iter().map(|row| row.cells[0].clone()).collect();
            names.sort();
            (limit.heading, names)
        })
        .collect()
}

#[test]
fn designs_stand_at_the_shortest_limit_that_they_meet_by_design_and_in_fact() {
    let mut analysis = analyse(&many());
    // The recordings of the shorter ones are those of a cache of 5 s, which is seen.
    let contradicted = ["cache 0.5 s", "cache 1 s", "cache 2 s"];
    for summary in &analysis.subjects {
        let exceeds = summary.checks.iter().any(|check| check.agreement == Agreement::Exceeds);
        assert_eq!(exceeds, contradicted.contains(&&*summary.subject.name), "{}", summary.subject.name);
    }
    let named = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let caches = ["cache 0.5 s", "cache 1 s", "cache 10 s", "cache 2 s", "introspection-cached"];
    let expected = [
        ("within 1 s".to_owned(), named(&["introspection"])),
        ("within 10 s, not 1 s".to_owned(), named(&caches)),
        ("within 60 s, not 10 s".to_owned(), named(&["cache 30 s"])),
        ("not within 60 s".to_owned(), named(&["jwt ES256", "jwt ML-DSA-65"])),
    ];
    assert_eq!(grouped(&analysis), expected);
    for summary in &mut analysis.subjects {
        summary.checks.clear();
    }
    assert_eq!(grouped(&analysis)[0].1, named(&["cache 0.5 s", "cache 1 s", "introspection"]));
}

#[test]
fn a_poll_meets_only_a_limit_that_leaves_time_for_a_fetch() {
    let mut recordings = many();
    let polling = |seconds| {
        Design::verifying(Duration::ZERO, Duration::from_mins(5)).polling(Duration::from_secs(seconds))
    };
    for (index, seconds) in [(3, 10), (4, 9)] {
        recordings[index].subject.design = polling(seconds);
    }
    let mut analysis = analyse(&recordings);
    for summary in &mut analysis.subjects {
        summary.checks.clear();
    }
    let found = grouped(&analysis);
    assert!(found[1].1.contains(&"jwt ML-DSA-65".to_owned()), "{found:?}");
    assert!(found[2].1.contains(&"jwt ES256".to_owned()), "{found:?}");
    let limits = revocation_limits(&analysis);
    let mut rows = limits.iter().flat_map(|limit| &limit.designs);
    let row = rows.find(|row| row.cells[0] == "jwt ES256").unwrap();
    assert!(row.cells[1].starts_with("10") && row.cells[1].ends_with(" s + fetch"), "{:?}", row.cells);
}

#[test]
fn a_push_meets_only_a_limit_that_leaves_time_to_connect_again() {
    let pushed = |seconds| {
        let jwt = Design::verifying(Duration::ZERO, Duration::from_mins(5));
        jwt.pushed_to(Duration::from_secs(seconds), None)
    };
    let mut analysis = analyse(&many());
    let of = |analysis: &Analysis, limit| meets(analysis, &analysis.subjects[3], limit);
    analysis.subjects[3].checks.clear();
    for (seconds, meets_it) in [(9, true), (10, false)] {
        analysis.subjects[3].subject.design = pushed(seconds);
        assert_eq!(of(&analysis, 10.0), meets_it, "{seconds}");
    }
    let words = works_for(&pushed(3), 600.0);
    assert!(words.starts_with('3') && words.ends_with(" s + reconnect"), "{words}");
    let words = works_for(&pushed(3), 2.0);
    assert!(words.ends_with(" s (expiry)"), "{words}");
}

#[test]
fn the_cheapest_is_named_where_it_may_be_used_was_measured_and_is_told_apart() {
    let analysis = analyse(&many());
    let told = sentence(&analysis).unwrap();
    // Caches that are one recording.
    assert!(told.contains("; 10 s: 6 of 9 designs (the cheapest are not told apart); "), "{told}");
    let broken = Signature {
        conformance: Conformance::NonConforming,
        ..synthetic::signatures()[1].subject.scheme.clone().unwrap()
    };
    let mut untrusted = analysis.clone();
    let mut lost = analysis.clone();
    let introspection = analysis.subjects.iter().position(|one| one.subject.name == "introspection");
    let introspection = introspection.unwrap();
    untrusted.subjects[introspection].subject.scheme = Some(broken);
    let cpu = lost.subjects[introspection].estimates.get_mut(&MetricId::CpuResourceServer).unwrap();
    cpu.standing = Standing::Lost { least: None, most: None };
    let told = sentence(&untrusted).unwrap();
    assert!(told.contains(": 1 s: 1 of 9 designs; "), "{told}");
    // It may be the cheapest.
    let told = sentence(&lost).unwrap();
    assert!(told.contains("; 10 s: 6 of 9 designs (not all were measured); "), "{told}");
}

#[test]
fn every_report_of_many_subjects_begins_with_the_table_and_none_of_few_has_one() {
    let recordings = many();
    let (few, many) = (analyse(&recordings[..5]), analyse(&recordings));
    for (analysis, has_one) in [(&few, false), (&many, true)] {
        let drawn = charts::draw(analysis);
        for text in [html(analysis, &drawn), markdown(analysis, &drawn), table(analysis)] {
            assert_eq!(text.contains("within 10 s, not 1 s"), has_one, "{text}");
            assert!(!has_one || text.find("within 1 s") < text.find("every number").or(Some(text.len())));
        }
        let topics: Vec<_> = findings(analysis).iter().map(|finding| finding.topic).collect();
        assert_eq!(topics.contains(&"Revocation"), !has_one, "{topics:?}");
    }
    let in_short = &findings(&many)[0].text;
    assert!(in_short.contains("per million requests: 1 s: 1 of 9 designs (introspection, "), "{in_short}");
    assert!(in_short.len() < 700, "a glance: {in_short}");
    for row in revocation_limits(&many).iter().flat_map(|limit| &limit.designs) {
        let ratio: f64 = row.cells[3].parse().unwrap();
        assert!(ratio > 1.0 && row.cells.iter().all(|cell| !cell.is_empty()), "{:?}", row.cells);
    }
}

#[test]
fn before_the_table_stands_who_costs_the_least_and_who_is_the_quickest_at_each_limit() {
    let recordings = many();
    let mut analysis = analyse(&recordings);
    let answers = limit_answers(&analysis);
    let limits: Vec<_> = answers.iter().map(|answer| answer.limit.as_str()).collect();
    assert_eq!(limits, ["within 1 s", "within 10 s", "within 60 s"]);
    let one = &answers[0].text;
    assert!(
        one.starts_with("1 of 9 designs. Least CPU: introspection (") && one.ends_with(", control = 1)."),
        "{one}"
    );
    assert!(one.contains(" per 10⁶ requests). Quickest: introspection (p50 "), "{one}");
    // Caches that are one recording.
    let six = &answers[1].text;
    assert!(six.starts_with("6 of 9 designs.") && six.matches("; not told apart)").count() == 2, "{six}");
    let page = html(&analysis, &charts::draw(&analysis));
    assert!(page.find(&answers[2].text) < page.find("within 10 s, not 1 s"), "before the table");
    let introspection = analysis.subjects.iter_mut().find(|one| one.subject.name == "introspection").unwrap();
    for metric in [MetricId::CpuResourceServer, MetricId::LatencyP50] {
        introspection.estimates.get_mut(&metric).unwrap().standing =
            Standing::Lost { least: None, most: None };
    }
    assert_eq!(limit_answers(&analysis)[0].text, "1 of 9 designs.", "nobody knows what it costs");
    assert!(limit_answers(&analyse(&recordings[..5])).is_empty());
}

#[test]
fn where_nothing_was_revoked_there_is_no_limit_to_meet() {
    assert!(revocation_limits(&analyse(synthetic::signatures())).is_empty());
}
