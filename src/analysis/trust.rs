//! Looks for reasons to doubt the figures of a subject.

use std::collections::BTreeMap;

use crate::analysis::header_table::hpack_flatters;
use crate::analysis::propagation::Propagation;
use crate::analysis::trials::Trials;
use crate::analysis::usage::{PRESSURE_PERCENT, STEAL_PERCENT};
use crate::analysis::{Check, Estimate, Moment, Warning, gaps, generator, outcome, steady, validity};
use crate::metric::MetricId;
use crate::observation::{Load, Recording, Role, Side, TokenChurn};

/// A longer wait for a connection, as a share of the median service time, is a part of the latency that would be
/// another with more connections.
const WAIT_OF_SERVICE: f64 = 0.10;
/// A larger share of the planned requests without an answer, or waiting at the end, is worth a doubt.
const ERRORS: f64 = 0.001;
/// Fewer requests sent again do not reach the 99th percentile of the wait.
const FEW_AGAIN: f64 = 0.01;
/// At least this share of the planned requests must have been sent: with less it was another load.
const ENOUGH: f64 = 0.999;

/// Every reason to doubt a subject, the trials in order, in what is left of `whole` ones without what was done to their servers.
pub(super) fn warnings(
    trials: &Trials<'_>,
    whole: &Trials<'_>,
    estimates: &BTreeMap<MetricId, Estimate>,
    moments: &[Moment],
    propagation: &Propagation,
    checks: &[Check],
) -> Vec<Warning> {
    let mut warnings: Vec<Warning> = trials.recordings.iter().copied().flat_map(of_trial).collect();
    warnings.extend(gaps::warnings(trials));
    warnings.extend(lost(trials, estimates));
    warnings.extend(of_load(trials, whole, estimates));
    warnings.extend(drift(trials, moments).map(|change| Warning::NotSteady { change }));
    if propagation.false_refusals > 0 {
        warnings.push(Warning::FalseRefusals { count: propagation.false_refusals });
    }
    if propagation.not_acknowledged > 0 {
        let reason = propagation.failures.iter().max_by_key(|(_, count)| **count);
        warnings.push(Warning::NotAcknowledged {
            revocations: propagation.not_acknowledged,
            reason: reason.map(|(reason, _)| reason.clone()),
        });
    }
    warnings.extend(churn(trials));
    warnings.extend(
        checks
            .iter()
            .filter(|check| check.agreement.is_contradiction())
            .map(|check| Warning::OracleDisagrees { quantity: check.quantity.to_owned() }),
    );
    warnings
}

/// A smaller part of the tokens that were to be replaced is another load: caches know more of those in use than they would.
const ENOUGH_REPLACED: f64 = 0.95;
/// So many may be under way when the load ends.
const UNDER_WAY: u64 = 64;

/// Whether fewer tokens were replaced than were to be.
fn churn(trials: &Trials<'_>) -> Option<Warning> {
    let all = || trials.recordings.iter().filter_map(|recording| recording.churn.as_ref());
    let sum = |of: fn(&TokenChurn) -> u64| all().map(of).sum::<u64>();
    let [replaced, due, failed] =
        [sum(|churn| churn.replaced), sum(|churn| churn.due), sum(|churn| churn.failed)];
    let is_short = (replaced as f64) < ENOUGH_REPLACED * due as f64
        && (failed > 0 || due.saturating_sub(replaced) > UNDER_WAY * all().count() as u64);
    let failure = || all().find_map(|churn| churn.failure.clone());
    is_short.then(|| Warning::ChurnShort { replaced, due, failed, failure: failure() })
}

/// The largest drift within a trial: what differs between rounds is in their interval.
fn drift(trials: &Trials<'_>, moments: &[Moment]) -> Option<f64> {
    let mut begin = 0;
    let of_trial = trials.rounds().into_iter().filter_map(|(_, length)| {
        let seconds = begin..begin + length;
        begin = seconds.end;
        let own = moments.iter().filter(|moment| seconds.contains(&moment.second));
        steady::drift(&own.map(|moment| moment.p50).collect::<Vec<f64>>())
    });
    of_trial.max_by(|a, b| a.abs().total_cmp(&b.abs()))
}

fn of_trial(recording: &Recording) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if let Some(failure) = &recording.failure {
        warnings.push(Warning::of_failure(recording.repetition, failure));
    } else if recording.load.as_ref().is_some_and(|load| load.cut_short) {
        warnings.push(Warning::CutShort);
    }
    // Where gaps were looked for, what the machine took is known exactly, and is in no latency.
    let is_watched = |load: &Load| load.gaps.iter().any(|core| core.side == Side::Servers);
    if recording.load.as_ref().is_some_and(is_watched) {
        return warnings;
    }
    let conditions = recording.conditions;
    let pressure_percent = conditions.cpu_pressure_percent.filter(|percent| *percent > PRESSURE_PERCENT);
    let steal_percent = conditions.steal_percent.filter(|percent| *percent > STEAL_PERCENT);
    if pressure_percent.is_some() || steal_percent.is_some() {
        let started = recording.nodes.iter().filter(|node| node.role != Role::Client).count();
        let servers = started.max(recording.workload.resource_servers as usize + 1);
        let shared_cores = recording.environment.cores.servers.len() < servers;
        warnings.push(Warning::MachineBusy { pressure_percent, steal_percent, shared_cores });
    }
    warnings
}

/// What was asked of the subject and could not be measured here.
fn lost(trials: &Trials<'_>, estimates: &BTreeMap<MetricId, Estimate>) -> Option<Warning> {
    let is_lost =
        |metric: &MetricId| estimates.get(metric).is_some_and(|estimate| estimate.standing.is_lost());
    let metrics: Vec<MetricId> = validity::asked(trials).into_iter().filter(is_lost).collect();
    (!metrics.is_empty()).then_some(Warning::FiguresLost { metrics })
}

fn of_load(
    trials: &Trials<'_>,
    whole: &Trials<'_>,
    estimates: &BTreeMap<MetricId, Estimate>,
) -> Vec<Warning> {
    let planned = generator::planned(trials);
    let answers: u64 = trials.seconds().iter().map(|second| second.outcomes.answered()).sum();
    let mut warnings = Vec::new();
    // A trial that failed has said so.
    if generator::planned(whole) == 0 && trials.recordings.iter().all(|recording| recording.failure.is_none())
    {
        warnings.push(Warning::NothingMeasured);
    }
    let lost: u64 = trials.loads().map(|load| load.lost).sum();
    warnings.extend((lost > 0).then_some(Warning::Lost { requests: lost }));
    warnings.extend(generator::warnings(trials, estimates));
    warnings.extend(connections(trials, planned, estimates));
    warnings.extend(errors(trials, planned, answers));
    let why = outcome::sent_again(trials);
    if !why.is_empty() {
        let share = again(&why) / planned.max(1) as f64;
        warnings.push(Warning::SentAgain { share, why });
    }
    let backlog: u64 = trials.loads().map(|load| load.backlog_end).sum();
    // A gap at the very end leaves one or two.
    if backlog as f64 > ERRORS * planned as f64 {
        warnings.push(Warning::BacklogAtEnd { requests: backlog });
    }
    let wrong = outcome::wrong(whole, trials);
    // A control accepts bad tokens: that is what it is for.
    if wrong > 0 && !trials.is_control() {
        warnings.push(Warning::WrongAnswers { count: wrong, of: answers });
    }
    if estimates.get(&MetricId::LatencyP99).is_some_and(|p99| p99.few_samples) {
        warnings.push(Warning::FewSamples { requests: answers });
    }
    warnings.extend(indexed(trials));
    warnings
}

/// A token that a connection of HTTP/2 has carried already, and that still is in its table, costs the next request nothing.
fn indexed(trials: &Trials<'_>) -> Option<Warning> {
    let Recording { subject, workload, .. } = trials.recordings.first()?;
    let (tokens, [_, characters, _]) = (workload.live_tokens, subject.token_characters?);
    (subject.is_reached_by_http2() && hpack_flatters(tokens, characters))
        .then_some(Warning::TokensIndexed { tokens, characters })
}

/// What the generator took up on time, but the servers left no connection for.
fn connections(
    trials: &Trials<'_>,
    planned: u64,
    estimates: &BTreeMap<MetricId, Estimate>,
) -> Option<Warning> {
    let sent = generator::sent(trials);
    if (sent as f64) < ENOUGH * planned as f64 {
        return Some(Warning::NotSent { share: sent as f64 / planned as f64 });
    }
    // What is sent again waits for a new connection, and more of them would not spare it that.
    if again(&outcome::sent_again(trials)) > FEW_AGAIN * planned as f64 {
        return None;
    }
    let point = |metric| estimates.get(&metric).map(|estimate: &Estimate| estimate.point);
    let (p99, service) = (point(MetricId::WaitP99)?, point(MetricId::ServiceP50)?);
    (p99 > WAIT_OF_SERVICE * service).then_some(Warning::ConnectionsShort { p99, service })
}

fn again(why: &BTreeMap<String, u64>) -> f64 {
    why.values().sum::<u64>() as f64
}

fn errors(trials: &Trials<'_>, planned: u64, answers: u64) -> Option<Warning> {
    let share = planned.saturating_sub(answers) as f64 / planned.max(1) as f64;
    if share <= ERRORS {
        return None;
    }
    let mut kinds = BTreeMap::new();
    for (kind, count) in trials.seconds().iter().flat_map(|second| second.outcomes.errors()) {
        *kinds.entry(kind).or_default() += count;
    }
    Some(Warning::Errors { share, planned, kinds })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{Gravity, Summary, analyse, synthetic};
    use crate::observation::{Second, VALID};
    use crate::wire::Http;

    /// Introspection, of which every second lost so many of its 1,000 requests to a time-out.
    fn losing(requests: u64) -> Summary {
        let mut recording = synthetic::recording(1);
        for second in &mut recording.load.as_mut().unwrap().seconds {
            let valid = second.outcomes.class_mut(VALID);
            valid.accepted -= requests;
            valid.errors.insert("time-out".to_owned(), requests);
        }
        analyse(&[recording]).subjects.remove(0)
    }

    #[test]
    fn requests_without_an_answer_raise_a_doubt_above_a_thousandth_and_condemn_above_a_hundredth() {
        for (lost, gravity) in [
            (0, None),
            (1, None),
            (2, Some(Gravity::Doubtful)),
            (10, Some(Gravity::Doubtful)),
            (11, Some(Gravity::Unfit)),
        ] {
            let summary = losing(lost);
            let found =
                summary.warnings.iter().map(Warning::gravity).filter(|found| *found > Gravity::Note).max();
            assert_eq!(found, gravity, "{lost}: {:?}", summary.warnings);
        }
        let kinds = BTreeMap::from([("time-out".to_owned(), 20)]);
        let warnings = losing(2).warnings;
        let expected = |warning: &&Warning| matches!(warning, Warning::Errors { planned: 10_000, kinds: found, .. } if *found == kinds);
        assert!(warnings.iter().any(|warning| expected(&warning)), "{warnings:?}");
    }

    #[test]
    fn requests_that_were_sent_again_are_told_and_are_a_doubt_only_where_they_reach_the_99th_percentile() {
        for (times, gravity) in [(1, Gravity::Note), (11, Gravity::Doubtful)] {
            let mut recording = synthetic::recording(1);
            for second in &mut recording.load.as_mut().unwrap().seconds {
                second.outcomes.sent_again.insert("server went away".to_owned(), times);
            }
            let summary = analyse(&[recording]).subjects.remove(0);
            let why = BTreeMap::from([("server went away".to_owned(), 10 * times)]);
            let warning = Warning::SentAgain { share: times as f64 / 1_000.0, why };
            assert!(summary.warnings.contains(&warning), "{:?}", summary.warnings);
            assert_eq!(warning.gravity(), gravity);
            let estimate = |metric| summary.estimates[&metric].point;
            assert!((estimate(MetricId::SentAgain) - 10.0 * times as f64).abs() < 1e-9);
            assert!(estimate(MetricId::Errors).abs() < 1e-9, "each counts by how it ended");
        }
    }

    #[test]
    fn a_window_in_which_no_request_was_due_says_so() {
        let mut recording = synthetic::recording(1);
        recording.load.as_mut().unwrap().seconds = vec![Second::default()];
        let analysis = analyse(&[recording]);
        assert!(analysis.subjects[0].warnings.contains(&Warning::NothingMeasured));
        assert_eq!(analysis.gravity(), Some(Gravity::Unfit));
    }

    #[test]
    fn tokens_that_all_fit_the_header_table_raise_a_doubt_with_http2_alone() {
        let doubted = |http, tokens| {
            let mut recording = synthetic::recording(1);
            recording.subject.http = http;
            recording.subject.token_characters = Some([43, 43, 44]);
            recording.workload.live_tokens = tokens;
            let warnings = analyse(&[recording]).subjects.remove(0).warnings;
            warnings.contains(&Warning::TokensIndexed { tokens, characters: 43 })
        };
        assert!(doubted(Http::Http2, 43) && doubted(Http::Http2, 1));
        assert!(!doubted(Http::Http2, 44) && !doubted(Http::Http1, 43));
    }

    #[test]
    fn a_live_token_that_is_refused_condemns_the_figures() {
        let mut recording = synthetic::recording(1);
        let probe = &mut recording.events[3].revocation_mut().unwrap().probes[0];
        probe.accepted = false;
        let summary = analyse(&[recording]).subjects.remove(0);
        assert!(summary.warnings.contains(&Warning::FalseRefusals { count: 1 }), "{:?}", summary.warnings);
        assert_eq!(Warning::FalseRefusals { count: 1 }.gravity(), Gravity::Unfit);
    }

    #[test]
    fn revocations_that_nobody_confirmed_are_told_with_what_kept_most_of_them_from_it() {
        let mut recording = synthetic::recording(1);
        let reasons = ["timed out", "connection refused", "connection refused"];
        for (event, reason) in recording.events.iter_mut().zip(reasons) {
            (event.ended, event.failure) = (None, Some(reason.to_owned()));
        }
        let warned = |recording| {
            let warnings = analyse(&[recording]).subjects.remove(0).warnings;
            warnings.into_iter().find(|warning| matches!(warning, Warning::NotAcknowledged { .. }))
        };
        let reason = Some("connection refused".to_owned());
        let expected = Warning::NotAcknowledged { revocations: 3, reason };
        assert_eq!(warned(recording.clone()), Some(expected));
        recording.events.iter_mut().for_each(|event| event.failure = None);
        assert_eq!(warned(recording), Some(Warning::NotAcknowledged { revocations: 3, reason: None }));
    }

    #[test]
    fn tokens_that_could_not_be_replaced_as_quickly_as_was_asked_raise_a_doubt() {
        let warned = |replaced, failed: u64| {
            let mut recording = synthetic::recording(1);
            let failure = (failed > 0).then(|| "no answer within 10 s".to_owned());
            recording.churn =
                Some(TokenChurn { due: 2_000, replaced, failed, failure, ..TokenChurn::default() });
            analyse(&[recording]).subjects.remove(0).warnings
        };
        let short = |warnings: &[Warning]| {
            warnings.iter().find(|warning| matches!(warning, Warning::ChurnShort { .. })).cloned()
        };
        // One in twenty, or those that are under way at the end.
        for (replaced, failed, is_short) in
            [(2_000, 0, false), (1_936, 0, false), (1_900, 100, false), (1_899, 0, true), (1_899, 101, true)]
        {
            assert_eq!(short(&warned(replaced, failed)).is_some(), is_short, "{replaced} {failed}");
        }
        let warning = short(&warned(1_000, 1_000)).unwrap();
        let failure = Some("no answer within 10 s".to_owned());
        assert_eq!(warning, Warning::ChurnShort { replaced: 1_000, due: 2_000, failed: 1_000, failure });
        assert_eq!(warning.gravity(), Gravity::Doubtful);
        assert_eq!(short(&analyse(&[synthetic::recording(1)]).subjects[0].warnings), None);
    }

    #[test]
    fn a_quantile_that_failed_requests_lie_beyond_is_only_known_from_below() {
        let estimates = losing(11).estimates;
        for (metric, bounded) in [
            (MetricId::LatencyP50, true),
            (MetricId::LatencyP90, true),
            (MetricId::LatencyP99, false),
            (MetricId::LatencyP999, false),
            (MetricId::ServiceP99, false),
            (MetricId::LagP99, true),
        ] {
            assert_eq!(estimates[&metric].high.is_some(), bounded, "{metric}");
        }
    }
}
