//! What is estimated of a run, and what is absent.

use std::time::Duration;

use super::*;
use crate::analysis::{Agreement, Basis, synthetic};
use crate::design::Design;
use crate::observation::{Event, Probe, TrialFailure};
use crate::units::Offset;

#[test]
fn a_run_without_flaws_gives_every_figure_and_no_reason_to_doubt_it() {
    let analysis = analyse(&synthetic::recordings());
    let names: Vec<_> = analysis.subjects.iter().map(|summary| summary.subject.name.as_str()).collect();
    assert_eq!(names, ["none", "introspection", "introspection-cached", "jwt ES256", "jwt ML-DSA-65"]);
    assert_eq!(analysis.gravity(), None, "{analysis:#?}");
    assert!(!analysis.is_crossed());
    for summary in &analysis.subjects {
        for check in &summary.checks {
            assert!(!check.agreement.is_contradiction(), "{}: {check:?}", summary.subject.name);
        }
        for metric in MetricId::ALL {
            let absent = match metric {
                MetricId::AddedP50 | MetricId::AddedP99 => summary.is_control,
                MetricId::SignatureBytes => summary.subject.signature.is_none(),
                metric if metric.is_of_operations() => summary.subject.signature.is_none(),
                // Nothing was revoked before the load, no rate was searched for, no connection closed, no token was replaced, nothing was pushed,
                // no token is bound to its sender, nothing was done to servers, all tokens are kept in memory, and nothing travels by TLS.
                MetricId::StaleAcceptances
                | MetricId::ThroughputAtSlo
                | MetricId::SentAgain
                | MetricId::Churn
                | MetricId::IssueP50
                | MetricId::IssueP99
                | MetricId::ChannelDelayP50
                | MetricId::ChannelDelayP99
                | MetricId::StoreCpu
                | MetricId::StoreMemory
                | MetricId::ProofBytes
                | MetricId::ConnectBytes
                | MetricId::ConnectResumedBytes
                | MetricId::CertificateBytes
                | MetricId::AvailabilityDisturbed
                | MetricId::UnsafeDisturbed
                | MetricId::Recovery => true,
                MetricId::HitRatio => summary.subject.name != "introspection-cached",
                _ => false,
            };
            assert_eq!(summary.estimates.contains_key(metric), !absent, "{metric}");
        }
    }
}

#[test]
fn every_estimate_lies_in_its_interval() {
    for summary in analyse(&synthetic::recordings()).subjects {
        for (metric, estimate) in summary.estimates {
            assert!(estimate.low <= estimate.point, "{metric}: {estimate:?}");
            assert!(estimate.high.is_none_or(|high| high >= estimate.point), "{metric}: {estimate:?}");
        }
    }
}

#[test]
fn a_cache_that_keeps_answers_longer_than_it_says_contradicts_the_oracle() {
    let mut recording = synthetic::recording(2);
    recording.subject.design = Design::caching(Duration::from_secs(1));
    let analysis = analyse(&[recording]);
    let found: Vec<_> = analysis.subjects[0].checks.iter().map(|check| check.agreement).collect();
    assert_eq!(found, [Agreement::Disagrees, Agreement::Disagrees, Agreement::Disagrees, Agreement::Exceeds]);
    assert_eq!(analysis.gravity(), Some(Gravity::Doubtful));
    assert!(analysis.warnings.contains(&Warning::NoControl));
}

#[test]
fn a_load_that_was_cut_short_is_held_against_no_closed_form() {
    let mut recording = synthetic::recording(2);
    recording.load.as_mut().unwrap().cut_short = true;
    assert_eq!(analyse(&[recording]).subjects[0].checks, []);
}

/// The propagation bound and the unsafe acceptances of JWTs that expire so many seconds after the last of
/// them was accepted.
fn expiring(after: f64) -> [Agreement; 2] {
    let mut recording = synthetic::recording(3);
    let last = recording.revocations().flat_map(|(_, revocation)| &revocation.probes);
    let last = last.map(Probe::decided).max().unwrap().seconds();
    for revocation in recording.events.iter_mut().filter_map(Event::revocation_mut) {
        revocation.expires_seconds = last + after;
    }
    let checks = analyse(&[recording]).subjects.remove(0).checks;
    [checks[1].agreement, checks[2].agreement]
}

#[test]
fn a_token_may_be_accepted_until_the_whole_second_of_its_expiry() {
    assert_eq!(expiring(0.5), [Agreement::Agrees, Agreement::Unfinished]);
    assert_eq!(expiring(-0.9), [Agreement::Agrees, Agreement::Unfinished]);
    assert_eq!(expiring(-3.0), [Agreement::Disagrees, Agreement::Exceeds]);
}

#[test]
fn a_slow_probe_before_the_revocation_excuses_no_late_acceptance() {
    let mut recording = synthetic::recording(2);
    recording.subject.design = Design::caching(Duration::from_secs(1));
    for event in &mut recording.events {
        let (sent, first) = (event.began, Offset::default());
        let earlier =
            event.revocation_mut().unwrap().probes.iter_mut().filter(|probe| probe.decided() < sent);
        earlier.last().unwrap().sent = first;
    }
    let checks = analyse(&[recording]).subjects.remove(0).checks;
    assert_eq!(checks[3].agreement, Agreement::Exceeds);
}

#[test]
fn unsigned_tokens_are_a_control_but_the_base_only_where_nothing_else_checks_nothing() {
    let unsigned = synthetic::signatures()[0].clone();
    let base = |recordings: &[Recording]| {
        let analysis = analyse(recordings);
        let controls: Vec<bool> = analysis.subjects.iter().map(|summary| summary.is_control).collect();
        (analysis.control().unwrap().subject.name.clone(), controls, analysis)
    };
    let signed = synthetic::signatures()[1].clone();
    let (name, controls, analysis) = base(&[unsigned.clone(), signed]);
    assert_eq!((name.as_str(), controls), ("none", vec![true, false]));
    let wrong = |summary: &Summary| {
        summary.warnings.iter().any(|found| matches!(found, Warning::WrongAnswers { .. }))
    };
    assert!(analysis.subjects[0].estimates[&MetricId::WrongAnswers].point > 0.0);
    assert!(!wrong(&analysis.subjects[0]) && !analysis.is_crossed(), "by design");
    let mut unchecked = synthetic::recording(0);
    unchecked.subject.name = "checks nothing".to_owned();
    unchecked.subject.position = 9;
    let (name, controls, analysis) = base(&[unsigned, unchecked]);
    assert_eq!((name.as_str(), controls), ("checks nothing", vec![true, true]));
    assert!(analysis.subjects[0].estimates.contains_key(&MetricId::AddedP50));
}

#[test]
fn repetitions_are_merged_and_say_so() {
    let mut recordings = synthetic::recordings();
    let again: Vec<Recording> =
        recordings.iter().map(|recording| Recording { repetition: 1, ..recording.clone() }).collect();
    recordings.extend(again);
    let analysis = analyse(&recordings);
    assert_eq!(analysis.subjects.len(), 5);
    let p99 = analysis.subjects[1].estimates[&MetricId::LatencyP99];
    assert_eq!((p99.basis, p99.few_samples), (Basis::AcrossRuns, false));
}

#[test]
fn a_trial_that_never_began_has_no_figures_but_its_reason() {
    let mut recording = synthetic::recording(1);
    (recording.load, recording.failure) = (None, Some(TrialFailure::error("the server did not start")));
    recording.nodes.clear();
    recording.events.clear();
    let analysis = analyse(&[recording]);
    let summary = &analysis.subjects[0];
    let of_tokens = [MetricId::TokenBytes, MetricId::ClaimsReadableMembers, MetricId::ClaimsReadableBytes];
    assert_eq!(summary.estimates.keys().copied().collect::<Vec<_>>(), of_tokens);
    assert!(matches!(summary.warnings[..], [Warning::Failed { .. }]), "{:?}", summary.warnings);
    assert!(analysis.is_crossed(), "what was not measured does not hold");
}
