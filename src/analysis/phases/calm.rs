//! What is left of a recording without its disturbances: figures, warnings and closed forms are about that.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::Duration;

use crate::analysis::phases::{PhaseState, Phases};
use crate::analysis::trials::Trials;
use crate::observation::{Event, Load, Look, Node, Recording, Role, Second};
use crate::units::Offset;

/// Trials as if nothing had been seen of them while servers were disturbed or recovered: whole seconds, the probes that were sent and the
/// revocations that began in undisturbed time, and of what nodes used and counted what lies between two looks in it.
pub(in crate::analysis) fn undisturbed<'a>(trials: &Trials<'a>) -> Vec<Cow<'a, Recording>> {
    trials.recordings.iter().map(|recording| calm(recording)).collect()
}

/// Trials as if they had ended with the last look at all nodes before the first disturbance: closed forms speak of servers that begin
/// at the beginning, and of nothing that happens to them.
pub(in crate::analysis) fn until_disturbed<'a>(trials: &Trials<'a>) -> Vec<Cow<'a, Recording>> {
    trials.recordings.iter().map(|recording| early(recording)).collect()
}

fn calm(recording: &Recording) -> Cow<'_, Recording> {
    let phases = Phases::of(recording);
    if !phases.are_disturbed() {
        return Cow::Borrowed(recording);
    }
    let is_calm = |from: Offset, to: Offset| *phases.state([from, to]) == PhaseState::Undisturbed;
    let mut calm = recording.clone();
    if let Some(load) = &mut calm.load {
        let ends_calmly = phases.phases.last().is_none_or(|last| last.state == PhaseState::Undisturbed);
        // Somebody else's backlog is of the disturbance.
        load.backlog_end = if ends_calmly { load.backlog_end } else { 0 };
        let kept = kept(recording);
        keep_seconds(load, |index| kept.contains(&index));
    }
    calm.learned.clear();
    keep_events(&mut calm.events, |instant| *phases.at(instant) == PhaseState::Undisturbed);
    let spans: Vec<[Offset; 2]> = spans(&recording.nodes);
    let kept: Vec<[Offset; 2]> = spans.into_iter().filter(|[from, to]| is_calm(*from, *to)).collect();
    for node in &mut calm.nodes {
        *node = between(node, &kept);
    }
    Cow::Owned(calm)
}

/// The numbers of the seconds of a trial that are left without its disturbances.
pub(in crate::analysis) fn kept(recording: &Recording) -> Vec<u32> {
    let (phases, begin) = (Phases::of(recording), begin(recording));
    let is_calm = |number: u32| {
        let from = begin + Duration::from_secs(number.into());
        *phases.state([from, from + Duration::from_secs(1)]) == PhaseState::Undisturbed
    };
    let lengths = recording.load.iter().flat_map(Load::lengths);
    let whole = |(number, length): (u32, f64)| {
        (!phases.are_disturbed() || length > 0.999 && is_calm(number)).then_some(number)
    };
    (0..).zip(lengths).filter_map(whole).collect()
}

fn early(recording: &Recording) -> Cow<'_, Recording> {
    let phases = Phases::of(recording);
    let Some(first) = phases.first_disturbance() else { return Cow::Borrowed(recording) };
    let begin = begin(recording);
    let mut early = recording.clone();
    let spans: Vec<[Offset; 2]> =
        spans(&recording.nodes).into_iter().filter(|[_, to]| *to <= first).collect();
    let end = spans.last().map_or(begin, |[_, to]| *to);
    let seconds = end.since(begin).as_secs_f64();
    early.workload.window_seconds = seconds;
    if let Some(load) = &mut early.load {
        let warmup = recording.workload.warmup_seconds;
        if let Some(churn) = &mut early.churn {
            churn.replaced = part(churn.replaced, (warmup + seconds) / (warmup + load.measured_seconds));
        }
        keep_seconds(load, |index| f64::from(index) + 1.0 <= seconds + 0.5);
        load.measured_seconds = seconds;
    }
    for node in &mut early.nodes {
        node.looks.retain(|look| look.at <= end);
    }
    early.learned.clear();
    early.events.retain(|event| event.revocation().is_some());
    for event in &mut early.events {
        // Its token is probed like the others, as one that nobody has revoked yet.
        event.ended = event.ended.filter(|ended| *ended < end);
        if let Some(revocation) = event.revocation_mut() {
            revocation.probes.retain(|probe| probe.sent < end);
            revocation.probed_until = revocation.probed_until.min(end);
        }
    }
    Cow::Owned(early)
}

/// About as many as came in a part of the time.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of a count")]
fn part(count: u64, share: f64) -> u64 {
    (count as f64 * share.clamp(0.0, 1.0)).round() as u64
}

fn begin(recording: &Recording) -> Offset {
    Offset::from(Duration::from_secs_f64(recording.workload.warmup_seconds))
}

/// Keeps the seconds of the window with these numbers that were whole.
fn keep_seconds(load: &mut Load, is_kept: impl Fn(u32) -> bool) {
    let lengths: Vec<f64> = load.lengths().collect();
    let numbered = (0..).zip(std::mem::take(&mut load.seconds)).zip(lengths);
    let kept = numbered.filter(|((index, _), length)| *length > 0.999 && is_kept(*index));
    load.seconds = kept.map(|((_, second), _)| second).collect::<Vec<Second>>();
}

/// Keeps the revocations that began, and the probes that were sent, at such instants, and nothing that was done to servers.
fn keep_events(events: &mut Vec<Event>, is_kept: impl Fn(Offset) -> bool) {
    events.retain(|event| event.revocation().is_some() && is_kept(event.began));
    for revocation in events.iter_mut().filter_map(Event::revocation_mut) {
        revocation.probes.retain(|probe| is_kept(probe.sent));
    }
}

/// From each instant at which all servers were looked at to the next.
fn spans(nodes: &[Node]) -> Vec<[Offset; 2]> {
    let servers = nodes.iter().filter(|node| node.role != Role::Client);
    let instants = |node: &Node| node.looks.iter().map(|look| look.at).collect::<BTreeSet<Offset>>();
    let common = servers.map(instants).reduce(|common, of| &common & &of).unwrap_or_default();
    let common: Vec<Offset> = common.into_iter().collect();
    common.windows(2).map(|pair| [pair[0], pair[1]]).collect()
}

/// A node that used and counted nothing but between these instants.
fn between(node: &Node, kept: &[[Offset; 2]]) -> Node {
    let most = node.looks.iter().map(|look| look.peak_bytes).max().unwrap_or(0);
    let mut looks: Vec<Look> = Vec::new();
    for [from, to] in kept {
        let within: Vec<&Look> = node.looks.iter().filter(|look| (*from..=*to).contains(&look.at)).collect();
        let (Some(first), true) = (within.first(), within.len() > 1) else { continue };
        let mut now = looks.last().cloned().unwrap_or_else(|| Look {
            cpu_nanos: 0,
            peak_bytes: most,
            counters: first.counters.keys().map(|name| (name.clone(), 0)).collect(),
            ..(*first).clone()
        });
        if looks.last().is_none_or(|last| last.at < *from) {
            looks.push(Look { at: *from, ..now.clone() });
        }
        for pair in within.windows(2) {
            now.cpu_nanos += pair[1].since(pair[0], |look| look.cpu_nanos);
            for name in pair[1].counters.keys() {
                *now.counters.entry(name.clone()).or_default() +=
                    pair[1].since(pair[0], |look| look.counter(name));
            }
        }
        looks.push(Look { at: *to, ..now });
    }
    Node { looks, ..node.clone() }
}
