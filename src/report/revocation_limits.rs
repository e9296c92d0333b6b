//! Which designs meet a limit on how long a revoked token may work, and what each costs: a table, where subjects are too many for sentences.

use std::iter;

use crate::analysis::{self, Analysis, Basis, Standing, Summary};
use crate::design::{Checks, Design, OnTop};
use crate::metric::{MetricId, Unit};
use crate::report::cell::{Cell, between};
use crate::report::findings::names::{MANY, called, list};

/// Limits that are asked for, in seconds: hardly any delay, that of usual caches, that of a token that lives shortly.
const LIMITS: [f64; 3] = [1.0, 10.0, 60.0];

/// What stands in a row.
pub(super) const HEADINGS: [&str; 6] = [
    "design",
    "revoked token works, by design",
    "last accepted, measured",
    "p50, control = 1",
    "calls per request",
    "CPU s per 10⁶ requests",
];

/// How to read the table.
pub(super) const ABOUT: &str = "Designs stand by their computed bound, the sum of what may delay the news of a revocation, unless this run contradicts it. \
    Measured is the latest instant at which a probe saw a revoked token accepted; ≥ where probing ended first, so that such a bound was not put to the \
    test. CPU is that of all servers, the authorization server and its store included. This table has no intervals: they stand below, at every subject.";

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

/// Headings of cells on a phone, where each stands above its cell.
pub(super) const PHONE_HEADINGS: [&str; 6] =
    ["", "works, by design", "measured", "p50, control = 1", "calls/request", "CPU s per 10⁶"];

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

/// A limit, and what is to be said of those who meet it.
pub(super) struct LimitAnswer {
    pub(super) limit: String,
    pub(super) text: String,
}

/// What to read before the table: how many meet each limit, who of them costs the least and who is the quickest. Nothing where there is no table.
pub(super) fn limit_answers(analysis: &Analysis) -> Vec<LimitAnswer> {
    if !are_told_by_a_table(analysis) {
        return Vec::new();
    }
    let all = designs(analysis);
    let mut before = 0;
    let answer = |limit: &f64| {
        let meeting: Vec<_> =
            all.iter().copied().filter(|summary| meets(analysis, summary, *limit)).collect();
        let limit = format!("within {limit} s");
        // Whoever meets a limit meets a longer one.
        if before > 0 && before == meeting.len() {
            return LimitAnswer { limit, text: "The same designs.".to_owned() };
        }
        before = meeting.len();
        let mut text = format!("{} of {} designs.", meeting.len(), all.len());
        for (what, who) in [("Least CPU", least(&meeting)), ("Quickest", quickest(analysis, &meeting))] {
            text.extend(who.map(|who| format!(" {what}: {who}.")));
        }
        LimitAnswer { limit, text }
    };
    LIMITS.iter().map(answer).collect()
}

/// Who has the shortest median of them, beside the control.
fn quickest(run: &Analysis, designs: &[&Summary]) -> Option<String> {
    let p50 = |summary: &&Summary| {
        let p50 = summary.estimates.get(&MetricId::LatencyP50).filter(|p50| !p50.standing.is_lost())?;
        Some(p50.point)
    };
    let mut ranked: Vec<&Summary> = designs
        .iter()
        .copied()
        .filter(|summary| summary.subject.is_trusted() && p50(summary).is_some())
        .collect();
    ranked.sort_by(|a, b| p50(a).unwrap_or_default().total_cmp(&p50(b).unwrap_or_default()));
    let first = analysis::groups(MetricId::LatencyP50, &ranked).into_iter().next()?;
    let times = |summary: &Summary| beside_the_control(run, summary);
    let (quick, slow) = (times(first.first()?), times(first.last()?));
    let range = if quick == slow { quick } else { format!("{quick}–{slow}") };
    Some(format!("{} (p50 {range}, control = 1{})", named_together(&first), not_told_apart(&first)))
}

/// `a`, or `a, b and c`; of more only how many.
fn named_together(designs: &[&Summary]) -> String {
    let names: Vec<String> = designs.iter().map(|summary| called(summary)).collect();
    if names.len() <= NAMED { list(&names) } else { format!("{} and {} others", names[0], names.len() - 1) }
}

fn not_told_apart(designs: &[&Summary]) -> &'static str {
    if designs.len() > 1 { "; not told apart" } else { "" }
}

/// So many names are a glance.
const NAMED: usize = 3;

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
    let what = "who meets them by design, and the one with the least processor time per million requests";
    Some(format!("Revocation limits, {what}: {}.", each.join("; ")))
}

/// Which of them costs the least, and what: only one that may be used, and that is told apart from the next.
fn cheapest(designs: &[&Summary]) -> String {
    let Some(costs) = by_cost(designs) else { return " (not all were measured)".to_owned() };
    match &costs[..] {
        [] => String::new(),
        [(first, cpu)] => format!(" ({}, {})", called(first), Unit::CpuPerMillion.show(cpu.point)),
        _ => " (the cheapest are not told apart)".to_owned(),
    }
}

/// Those that may cost the least, in a word.
fn least(designs: &[&Summary]) -> Option<String> {
    let costs = by_cost(designs)?;
    let (least, most) = (&costs.first()?.1, &costs.last()?.1);
    let designs: Vec<&Summary> = costs.iter().map(|(summary, _)| *summary).collect();
    let range = match designs.len() {
        1 => Unit::CpuPerMillion.show(least.point),
        _ => between(MetricId::CpuResourceServer, least.point, most.point),
    };
    let (names, apart) = (named_together(&designs), not_told_apart(&designs));
    Some(format!("{names} ({range} per 10⁶ requests{apart})"))
}

/// The one with the least processor time that may be used, and those that are not told apart from it, by what they took; `None` if not all
/// were measured: one of them may be the cheapest.
fn by_cost<'a>(designs: &[&'a Summary]) -> Option<Vec<(&'a Summary, Cpu)>> {
    let trusted = designs.iter().filter(|summary| summary.subject.is_trusted());
    let costs: Option<Vec<_>> = trusted.map(|summary| Some((*summary, Cpu::of(summary)?))).collect();
    let mut costs = costs?;
    costs.sort_by(|a, b| a.1.point.total_cmp(&b.1.point));
    let highest = costs.first().map_or(f64::INFINITY, |(_, cpu)| cpu.high);
    let mut place = 0;
    costs.retain(|(_, cpu)| {
        place += 1;
        place == 1 || cpu.low <= highest
    });
    Some(costs)
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
        let store = summary.estimates.get(&MetricId::StoreCpu);
        for estimate in iter::once(resource_server).chain(authorization_server).chain(store) {
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
mod tests;
