//! What is told of servers that were disturbed, from recordings whose truth is known.

use std::time::Duration;

use super::*;
use crate::analysis::synthetic::{self, KILLED, RECOVERED, STARTED};
use crate::analysis::{Gravity, PhaseFigures, Summary, Warning, analyse};
use crate::metric::MetricId;
use crate::observation::{AffectedServers, Probe, VALID};

fn at(seconds: f64) -> Offset {
    Offset::from(Duration::from_secs_f64(seconds))
}

fn summary(recording: Recording) -> Summary {
    analyse(&[recording]).subjects.remove(0)
}

fn point(summary: &Summary, metric: MetricId) -> f64 {
    summary.estimates[&metric].point
}

fn down() -> PhaseState {
    PhaseState::Disturbed { by: "authorization-server down".to_owned() }
}

fn phase<'a>(summary: &'a Summary, state: &PhaseState) -> &'a PhaseFigures {
    summary.phases.iter().find(|phase| phase.state == *state).unwrap()
}

/// What was done, when it began and when it was done.
type Done = (fn(AffectedServers) -> Action, f64, f64);

/// What was done to the authorization server, which is the second node.
fn done(events: &[Done]) -> Vec<Event> {
    let event = |(what, began, ended): &Done| Event {
        due: at(*began),
        began: at(*began),
        ended: Some(at(*ended)),
        what: what(AffectedServers { target: "authorization-server".to_owned(), nodes: vec![1] }),
        failure: None,
    };
    events.iter().map(event).collect()
}

/// The phases of introspection with these events, from and to in seconds of the load.
fn phases(events: Vec<Event>) -> Vec<(f64, f64, PhaseState)> {
    let mut recording = synthetic::outage(3);
    recording.events = events;
    let phases = Phases::of(&recording).phases.into_iter();
    phases.map(|phase| (phase.from.seconds(), phase.to.seconds(), phase.state)).collect()
}

#[test]
fn a_known_outage_has_its_availability_and_its_time_to_recover() {
    let recording = synthetic::outage(1);
    let (mut valid, mut lost) = (0.0, 0.0);
    for second in &recording.load.as_ref().unwrap().seconds {
        let of = second.outcomes.of(VALID).unwrap();
        valid += of.planned as f64;
        lost += of.errors.get("status 503").copied().unwrap_or(0) as f64;
    }
    let summary = summary(recording);
    let told: Vec<(PhaseState, f64)> = summary
        .phases
        .iter()
        .map(|phase| (phase.state.clone(), (phase.seconds * 1e3).round() / 1e3))
        .collect();
    let after = PhaseState::Recovering { from: "authorization-server down".to_owned() };
    assert_eq!(told, [(PhaseState::Undisturbed, 6.9), (down(), 2.1), (after.clone(), 1.0)]);
    assert_eq!(phase(&summary, &PhaseState::Undisturbed).availability, Some(1.0));
    assert_eq!(phase(&summary, &down()).availability, Some(0.0));
    assert_eq!(phase(&summary, &after).availability, Some(0.0));
    assert!((point(&summary, MetricId::Availability) - (1.0 - lost / valid)).abs() < 1e-9);
    assert!(point(&summary, MetricId::AvailabilityDisturbed).abs() < 1e-9);
    let recovery = summary.estimates[&MetricId::Recovery];
    assert!((recovery.point - (RECOVERED - STARTED)).abs() < 1e-6 && recovery.high.is_some(), "{recovery:?}");
    assert!(phase(&summary, &down()).failures["status 503"] > 2_000);
}

#[test]
fn who_asks_nobody_is_there_all_the_time_and_accepts_what_was_revoked() {
    let recording = synthetic::outage(3);
    let is_unsafe = |(event, probe): (&Event, &crate::observation::Probe)| {
        let meanwhile = (at(KILLED)..at(STARTED)).contains(&probe.sent);
        probe.accepted && meanwhile && event.ended.is_some_and(|ended| probe.sent > ended)
    };
    let probes = recording
        .revocations()
        .flat_map(|(event, revocation)| revocation.probes.iter().map(move |probe| (event, probe)));
    let expected = probes.filter(|probe| is_unsafe(*probe)).count() as f64;
    let summary = summary(recording);
    assert!((point(&summary, MetricId::AvailabilityDisturbed) - 1.0).abs() < 1e-9);
    assert!(expected > 50.0 && (point(&summary, MetricId::UnsafeDisturbed) - expected).abs() < 1e-9);
    assert!(point(&summary, MetricId::Recovery).abs() < 1e-9, "nothing had to recover");
}

#[test]
fn what_was_done_on_purpose_is_no_reason_to_doubt_a_figure() {
    let usual = analyse(&synthetic::recordings());
    let disturbed: Vec<Recording> = (0..5).map(synthetic::outage).collect();
    let analysis = analyse(&disturbed);
    for (summary, usual) in analysis.subjects.iter().zip(&usual.subjects) {
        let name = &summary.subject.name;
        let doubts: Vec<&Warning> =
            summary.warnings.iter().filter(|warning| warning.gravity() > Gravity::Note).collect();
        assert!(doubts.is_empty(), "{name}: {doubts:?}");
        assert!(!summary.checks.is_empty(), "{name} is held against the closed forms of its first 4 s");
        for check in &summary.checks {
            assert!(!check.agreement.is_contradiction(), "{name}: {check:?}");
        }
        // What is left of the other seconds is told, and nothing of the outage.
        for metric in [MetricId::LatencyP50, MetricId::Throughput, MetricId::CpuResourceServer] {
            let ratio = point(summary, metric) / point(usual, metric);
            assert!((ratio - 1.0).abs() < 0.05, "{name}: {metric} {ratio}");
        }
    }
    let asked = point(&analysis.subjects[1], MetricId::Amplification);
    assert!((asked - 1.0).abs() < 1e-9, "every request but those of the outage is a call: {asked}");
}

#[test]
fn closed_forms_know_the_probes_of_tokens_that_are_revoked_later() {
    let (recording, usual) = (synthetic::outage(2), synthetic::recording(2));
    let early = calm::until_disturbed(&Trials::group(&[&recording])[0]).remove(0);
    let sent = |recording: &Recording| -> usize {
        let before = |probe: &&Probe| probe.sent < at(KILLED);
        recording.revocations().map(|(_, revocation)| revocation.probes.iter().filter(before).count()).sum()
    };
    assert_eq!(sent(&early), sent(&usual));
    let acknowledged = early.revocations().filter(|(event, _)| event.ended.is_some()).count();
    let later = usual.revocations().filter(|(event, _)| event.began >= at(KILLED)).count();
    assert!(later > 0 && acknowledged + later <= usual.revocations().count(), "{acknowledged} and {later}");
}

#[test]
fn figures_of_whole_runs_are_as_they_were_where_nothing_was_done() {
    let mut recording = synthetic::recording(1);
    let plain = summary(recording.clone());
    // A subject without a gateway is not disturbed by what is done to gateways.
    let mut events = done(&[(Action::Kill, 6.0, 6.0)]);
    if let Action::Kill(servers) = &mut events[0].what {
        servers.nodes.clear();
    }
    recording.events.extend(events);
    let summary = summary(recording);
    assert!(summary.phases.is_empty());
    assert_eq!(summary.estimates, plain.estimates);
}

#[test]
fn good_tokens_that_are_refused_in_an_outage_are_unavailable_and_no_wrong_answers() {
    let mut recording = synthetic::outage(1);
    for second in &mut recording.load.as_mut().unwrap().seconds {
        let valid = second.outcomes.class_mut(VALID);
        valid.refused = valid.errors.remove("status 503").unwrap_or(0);
    }
    let told = summary(recording.clone());
    assert!(point(&told, MetricId::WrongAnswers).abs() < 1e-9);
    assert!(point(&told, MetricId::AvailabilityDisturbed).abs() < 1e-9);
    assert!(phase(&told, &down()).failures["refused"] > 2_000);
    // A forged token that is accepted meanwhile is wrong all the same.
    let outcomes = &mut recording.load.as_mut().unwrap().seconds[5].outcomes;
    outcomes.class_mut("tampered").accepted = 2;
    assert!((point(&summary(recording), MetricId::WrongAnswers) - 2.0).abs() < 1e-9);
}

#[test]
fn a_server_that_does_not_come_back_has_not_recovered_when_the_time_is_over() {
    let mut recording = synthetic::outage(1);
    recording.events.retain(|event| !matches!(event.what, Action::Start(_)));
    let summary = summary(recording);
    let recovery = summary.estimates[&MetricId::Recovery];
    assert_eq!((recovery.point, recovery.high), (0.0, None), "{recovery:?}");
    assert!(phase(&summary, &down()).recovery.is_some_and(|recovery| recovery.is_cut_off));
    assert!((phase(&summary, &down()).seconds - 6.0).abs() < 1e-6);
}

#[test]
fn disturbances_that_overlap_are_one_and_others_are_apart() {
    let one = phases(done(&[(Action::Pause, 4.0, 4.0), (Action::Kill, 5.0, 5.0), (Action::Start, 6.0, 6.2)]));
    let by = "authorization-server hangs, authorization-server down".to_owned();
    let rest = (6.2, 12.0, PhaseState::Undisturbed);
    assert_eq!(one, [(2.0, 4.0, PhaseState::Undisturbed), (4.0, 6.2, PhaseState::Disturbed { by }), rest]);
    let two = phases(done(&[
        (Action::Kill, 4.0, 4.0),
        (Action::Start, 5.0, 5.2),
        (Action::Kill, 8.0, 8.0),
        (Action::Start, 9.0, 9.2),
    ]));
    let states: Vec<&PhaseState> = two.iter().map(|(.., state)| state).collect();
    let calm = PhaseState::Undisturbed;
    assert_eq!(states, [&calm, &down(), &calm, &down(), &calm]);
}

#[test]
fn a_queue_that_is_worked_off_after_a_pause_is_recovery_although_nothing_is_lost() {
    let mut recording = synthetic::outage(3);
    recording.events = done(&[(Action::Pause, 6.0, 6.0), (Action::Resume, 7.0, 7.0)]);
    let seconds = &mut recording.load.as_mut().unwrap().seconds;
    // Nothing is answered in the fifth second, and twice as much as is due in the sixth.
    seconds[4].slices.as_mut().unwrap().answered = [0; 10];
    seconds[5].slices.as_mut().unwrap().answered = [200; 10];
    let summary = summary(recording);
    let recovery = point(&summary, MetricId::Recovery);
    assert!((recovery - 0.9).abs() < 1e-6, "{recovery}: at the end of the tenth tenth none is under way");
    assert!((point(&summary, MetricId::AvailabilityDisturbed) - 1.0).abs() < 1e-9);
}

#[test]
fn who_was_often_refused_before_has_recovered_when_it_is_as_often_again() {
    let mut recording = synthetic::outage(1);
    for second in &mut recording.load.as_mut().unwrap().seconds {
        let slices = second.slices.as_mut().unwrap();
        // One of a hundred was never accepted.
        slices.accepted.iter_mut().for_each(|accepted| *accepted = accepted.saturating_sub(1));
    }
    assert!((point(&summary(recording), MetricId::Recovery) - 1.0).abs() < 1e-6);
}

#[test]
fn tokens_are_lost_with_the_memory_of_an_authorization_server_that_is_killed() {
    let loses = |kind: &str, recording: Recording| {
        let mut recording = recording;
        let store = crate::registry::Choice::named(kind);
        recording.subject.parts.insert("store".to_owned(), store);
        summary(recording).loses_tokens
    };
    assert!(loses("memory", synthetic::outage(1)));
    assert!(!loses("redis", synthetic::outage(1)) && !loses("memory", synthetic::recording(1)));
}
