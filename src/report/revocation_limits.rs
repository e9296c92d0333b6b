//! Which designs meet a limit on how long a revoked token may work, and what each costs: a table, where subjects are too many for sentences.

use std::iter;

use crate::analysis::{Analysis, Basis, Standing, Summary};
use crate::design::{Checks, Design, OnTop};
use crate::metric::{MetricId, Unit};
use crate::report::cell::Cell;
use crate::report::findings::names::{MANY, called};

/// Limits that are asked for, in seconds: hardly any delay, that of usual caches, that of a token that lives shortly.
const LIMITS: [f64; 3] = [1.0, 10.0, 60.0];

/// What stands in a row.
pub(super) const HEADINGS: [&str; 6] = [
    "design",
    "revoked token works, by design",
    "measured",
    "p50, control = 1",
    "calls per request",
    "CPU s per 10⁶ requests",
];

/// The same for a terminal.
pub(super) const SHORT_HEADINGS: [&str; 6] =
    ["design", "by design", "measured", "p50/control", "calls/req.", "CPU s/10⁶"];

/// Designs that meet a limit and no shorter one, the least processor time first.
pub(super) struct RevocationLimit {
    pub(super) heading: String,
    pub(super) designs: Vec<DesignRow>,
}

/// A design, and what it costs.
pub(super) struct DesignRow {
    pub(super) cells: [String; 6],
}

/// Every limit that somebody meets, the shortest first, and then those who meet none. Nothing where sentences tell it: of few subjects, of
/// several rates, and where nothing was revoked.
pub(super) fn revocation_limits(analysis: &Analysis) -> Vec<RevocationLimit> {
    if !are_told_by_a_table(analysis) {
        return Vec::new();
    }
    let mut left = designs(analysis);
    let point = |summary: &Summary| Cpu::of(summary).map_or(f64::INFINITY, |cpu| cpu.point);
    left.sort_by(|a, b| point(a).total_cmp(&point(b)));
    let mut groups = Vec::new();
    for (number, limit) in LIMITS.iter().enumerate() {
        let (meeting, others) = left.into_iter().partition(|summary| meets(analysis, summary, *limit));
        left = others;
        let shorter = number.checked_sub(1).map(|number| LIMITS[number]);
        let unless = shorter.map_or_else(String::new, |shorter| format!(", not {shorter} s"));
        groups.push((format!("within {limit} s{unless}"), meeting));
    }
    groups.push((format!("not within {} s", LIMITS[LIMITS.len() - 1]), left));
    groups.retain(|(_, designs): &(String, Vec<&Summary>)| !designs.is_empty());
    let row = |summary| DesignRow::of(analysis, summary);
    groups
        .into_iter()
        .map(|(heading, designs)| RevocationLimit {
            heading,
            designs: designs.into_iter().map(row).collect(),
        })
        .collect()
}

/// Whether subjects are too many to be told one by one.
pub(super) fn are_told_by_a_table(analysis: &Analysis) -> bool {
    let is_observed = |summary: &&Summary| !summary.propagation.observations.is_empty();
    let observed = designs(analysis).into_iter().filter(is_observed).count();
    analysis.ladders.is_empty() && analysis.subjects.len() > MANY && observed > 1
}

/// How many designs meet each limit, and which of them costs the least, where this run tells; `None` where there is no table.
pub(super) fn sentence(analysis: &Analysis) -> Option<String> {
    if !are_told_by_a_table(analysis) {
        return None;
    }
    let all = designs(analysis);
    let each: Vec<String> = LIMITS
        .iter()
        .map(|limit| {
            let meeting: Vec<_> =
                all.iter().copied().filter(|summary| meets(analysis, summary, *limit)).collect();
            format!("{limit} s: {} of {} designs{}", meeting.len(), all.len(), cheapest(&meeting))
        })
        .collect();
    let what = "who meets them, and the one with the least processor time per million requests";
    Some(format!("Revocation limits, {what}: {}.", each.join("; ")))
}

/// Which of them costs the least, and what: only one that may be used, and that is told apart from the next.
fn cheapest(designs: &[&Summary]) -> String {
    let trusted = designs.iter().filter(|summary| summary.subject.is_trusted());
    let mut costs: Vec<_> = trusted.filter_map(|summary| Some((*summary, Cpu::of(summary)?))).collect();
    costs.sort_by(|a, b| a.1.point.total_cmp(&b.1.point));
    let Some(((first, cpu), others)) = costs.split_first() else { return String::new() };
    if others.iter().any(|(_, other)| other.low <= cpu.high) {
        return " (the cheapest are not told apart)".to_owned();
    }
    format!(" ({}, {})", called(first), Unit::CpuPerMillion.show(cpu.point))
}

/// Everyone who decides on tokens.
fn designs(analysis: &Analysis) -> Vec<&Summary> {
    let decides = |summary: &&Summary| !summary.is_control && summary.subject.design.checks == Checks::Tokens;
    analysis.subjects.iter().filter(decides).collect()
}

/// Whether a revoked token stops working within so many seconds, by design and as far as the run does not contradict that.
fn meets(analysis: &Analysis, summary: &Summary, limit: f64) -> bool {
    let design = &summary.subject.design;
    let Some(bound) = design.accepts_revoked_for(analysis.workload.token_lifetime_seconds) else {
        return false;
    };
    let contradicted = summary.checks.iter().any(|check| {
        check.metric == MetricId::PropagationMax
            && check.agreement.is_contradiction()
            && check.measured > limit
    });
    // Where something comes on top of the bound, that must fit into the limit too.
    let within = if design.on_top_of(bound).is_some() { bound < limit } else { bound <= limit };
    within && !contradicted
}

/// Processor time of all servers, in seconds per million requests, and what bounds it.
struct Cpu {
    low: f64,
    point: f64,
    high: f64,
}

impl Cpu {
    /// `None` if it was not measured.
    fn of(summary: &Summary) -> Option<Self> {
        let [mut low, mut point, mut high] = [0.0; 3];
        let resource_server = summary.estimates.get(&MetricId::CpuResourceServer)?;
        let authorization_server = summary.estimates.get(&MetricId::CpuAuthorizationServer);
        for estimate in iter::once(resource_server).chain(authorization_server) {
            if estimate.standing.is_lost() {
                return None;
            }
            let is_bounded = estimate.basis != Basis::TooFew;
            low += if is_bounded { estimate.low } else { 0.0 };
            point += estimate.point;
            high += estimate.high.filter(|_| is_bounded).unwrap_or(f64::INFINITY);
        }
        Some(Self { low, point, high })
    }
}

impl DesignRow {
    fn of(analysis: &Analysis, summary: &Summary) -> Self {
        let cpu = Cpu::of(summary).map_or_else(|| "–".to_owned(), |cpu| Unit::CpuPerMillion.show(cpu.point));
        Self {
            cells: [
                called(summary),
                works_for(&summary.subject.design, analysis.workload.token_lifetime_seconds),
                Cell::of(summary, MetricId::PropagationMax).value,
                beside_the_control(analysis, summary),
                Cell::of(summary, MetricId::Amplification).value,
                cpu,
            ],
        }
    }
}

fn works_for(design: &Design, lifetime: f64) -> String {
    let Some(seconds) = design.accepts_revoked_for(lifetime) else { return "without end".to_owned() };
    if seconds == 0.0 {
        return "not at all".to_owned();
    }
    let expires_first = design.learns_within().is_none_or(|learns| learns > seconds);
    let why = match design.on_top_of(seconds) {
        Some(OnTop::Fetch) => " + fetch",
        Some(OnTop::Reconnect) => " + reconnect",
        None if expires_first => " (expiry)",
        None => "",
    };
    format!("{}{why}", Unit::Seconds.show(seconds))
}

/// The median as a multiple of that of the control; as it is where there is none, or where it is not known to the end.
fn beside_the_control(analysis: &Analysis, summary: &Summary) -> String {
    let sound = |summary: &Summary| {
        let p50 = summary.estimates.get(&MetricId::LatencyP50)?;
        (p50.standing == Standing::Sound && p50.point > 0.0).then_some(p50.point)
    };
    match analysis.control().filter(|control| control.is_control).and_then(sound).zip(sound(summary)) {
        Some((control, p50)) => format!("{:.2}", p50 / control),
        None => Cell::of(summary, MetricId::LatencyP50).value,
    }
}

#[cfg(test)]
mod tests {
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
        for analysis in [untrusted, lost] {
            let told = sentence(&analysis).unwrap();
            assert!(told.contains(": 1 s: 1 of 9 designs; "), "{told}");
        }
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
        assert!(
            in_short.contains("per million requests: 1 s: 1 of 9 designs (introspection, "),
            "{in_short}"
        );
        assert!(in_short.len() < 700, "a glance: {in_short}");
        for row in revocation_limits(&many).iter().flat_map(|limit| &limit.designs) {
            let ratio: f64 = row.cells[3].parse().unwrap();
            assert!(ratio > 1.0 && row.cells.iter().all(|cell| !cell.is_empty()), "{:?}", row.cells);
        }
    }

    #[test]
    fn where_nothing_was_revoked_there_is_no_limit_to_meet() {
        assert!(revocation_limits(&analyse(synthetic::signatures())).is_empty());
    }
}
