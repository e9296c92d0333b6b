//! Everything that a report says, from the facts of a run.

use std::collections::{BTreeMap, BTreeSet};

use crate::analysis::bootstrap::{Resamples, Sampled};
use crate::analysis::trials::Trials;
use crate::analysis::{
    Breakdown, Check, Estimate, Gravity, Ladder, NodeCost, Propagation, Series, Verdict, Warning,
    expectation, extremes, ladder, latency, nodes, outcome, parts, rounds, signature, threshold, trust,
    usage, validity,
};
use crate::design::Checks;
use crate::metric::MetricId;
use crate::observation::{Environment, ReadableClaims, RecordedScenario, Recording, Subject, Workload};

/// What was found out about every subject of a scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Analysis {
    /// The question that was asked.
    pub scenario: RecordedScenario,
    /// The machine and the program.
    pub environment: Environment,
    /// What was sent.
    pub workload: Workload,
    /// When the first trial began, UTC, RFC 3339.
    pub started: String,
    /// The seed of every repetition.
    pub seeds: Vec<u64>,
    /// How many rounds were disturbed all through, and measured again.
    pub repeated_rounds: usize,
    /// Every subject, in the order of the scenario; of a sweep once for every rate, of a search at the highest rate that passed.
    pub subjects: Vec<Summary>,
    /// Every subject that was measured at several rates.
    pub ladders: Vec<Ladder>,
    /// What became of the thresholds.
    pub thresholds: Vec<Verdict>,
    /// Reasons to doubt the run as a whole.
    pub warnings: Vec<Warning>,
}

/// What was found out about one subject.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// What was measured.
    pub subject: Subject,
    /// True if it accepts bad tokens by design.
    pub is_control: bool,
    /// True if the latencies of the others are held against it.
    pub is_base: bool,
    /// Requests that were due within the measured window, over all trials.
    pub requests: u64,
    /// How many of its trials left a load to analyse.
    pub trials: usize,
    /// The largest share of the machine's time that was stolen while its signature was timed, in percent, if that is
    /// worth a word.
    pub timing_steal_percent: Option<f64>,
    /// What was measured; a metric that the subject does not have is absent.
    pub estimates: BTreeMap<MetricId, Estimate>,
    /// Its latencies in each round by itself, in seconds: what is compared with others within that round.
    pub by_round: BTreeMap<MetricId, BTreeMap<u32, f64>>,
    /// What the closed forms say about it.
    pub checks: Vec<Check>,
    /// What the probes of revoked tokens found.
    pub propagation: Propagation,
    /// Where its time goes.
    pub breakdown: Breakdown,
    /// What each of its servers uses up, where a request passes several.
    pub nodes: Vec<NodeCost>,
    /// Reasons to doubt it.
    pub warnings: Vec<Warning>,
    /// What charts are drawn from.
    pub series: Series,
}

impl Analysis {
    /// The heaviest reason to doubt anything in it.
    pub fn gravity(&self) -> Option<Gravity> {
        let subjects = self.subjects.iter().flat_map(|summary| &summary.warnings);
        self.warnings.iter().chain(subjects).map(Warning::gravity).max()
    }

    /// True if a threshold was not shown to hold.
    pub fn is_crossed(&self) -> bool {
        self.thresholds.iter().any(Verdict::is_crossed)
    }

    /// The subject that others are held against.
    pub fn control(&self) -> Option<&Summary> {
        self.subjects.iter().find(|summary| summary.is_base)
    }
}

/// Analyses the trials of one run of a scenario, which must be at least one. Repetitions are merged.
pub fn analyse(recordings: &[Recording]) -> Analysis {
    let first = recordings.first().expect("a run that is analysed holds a trial");
    let (recordings, repeated_rounds) = rounds::without_repeated(recordings);
    let whole = Trials::group(&recordings);
    let laddered: Vec<Option<Ladder>> = whole.iter().map(Ladder::of).collect();
    let groups: Vec<Trials<'_>> =
        whole.into_iter().zip(&laddered).flat_map(|(trials, ladder)| trials.apart(ladder.as_ref())).collect();
    let ladders: Vec<Ladder> = laddered.into_iter().flatten().collect();
    // What is asked of one subject is told of all of them, so that it can be compared.
    let asked: BTreeSet<MetricId> = groups.iter().flat_map(validity::asked).collect();
    let sampled: Vec<_> = groups.iter().map(|trials| latencies(trials, &asked)).collect();
    let subjects: Vec<Summary> = groups
        .iter()
        .enumerate()
        .map(|(index, trials)| {
            let control = Trials::base(&groups, index);
            let (resamples, latencies) = &sampled[index];
            let base = control.filter(|control| *control != index).map(|control| &sampled[control].1);
            let summary = summarise(trials, resamples, latencies, base, &asked);
            ladder::with_search(Summary { is_base: control == Some(index), ..summary }, &ladders)
        })
        .collect();
    let seeds: BTreeSet<u64> = recordings.iter().map(|recording| recording.seed).collect();
    Analysis {
        scenario: first.scenario.clone(),
        environment: first.environment.clone(),
        workload: first.workload.clone(),
        started: first.started.clone(),
        seeds: seeds.into_iter().collect(),
        repeated_rounds,
        thresholds: threshold::judge(&first.scenario, &subjects),
        warnings: of_run(&first.environment, &groups, &subjects),
        subjects,
        ladders,
    }
}

fn latencies(trials: &Trials<'_>, asked: &BTreeSet<MetricId>) -> (Resamples, BTreeMap<MetricId, Sampled>) {
    // The name is mixed in: the seconds that are drawn of two subjects must not be the same ones. The rounds are.
    let seed = trials
        .subject
        .name
        .bytes()
        .fold(trials.seed(), |seed, byte| seed.wrapping_mul(0x100_0000_01b3) ^ u64::from(byte));
    let resamples = Resamples::draw_rounds(&trials.rounds(), trials.seed(), seed);
    let sampled = latency::sample(trials, &resamples, asked);
    (resamples, sampled)
}

fn summarise(
    trials: &Trials<'_>,
    resamples: &Resamples,
    latencies: &BTreeMap<MetricId, Sampled>,
    control: Option<&BTreeMap<MetricId, Sampled>>,
    asked: &BTreeSet<MetricId>,
) -> Summary {
    let mut estimates = outcome::estimates(trials, resamples);
    let added = control.map(|control| latency::added(latencies, control, asked)).unwrap_or_default();
    estimates.extend(
        latencies.iter().chain(&added).map(|(metric, sampled)| (*metric, resamples.estimate(sampled))),
    );
    estimates.extend(extremes::estimates(trials));
    estimates.extend(parts::estimates(trials, resamples, asked));
    estimates.extend(usage::estimates(trials));
    estimates.extend(signature::estimates(trials));
    let propagation = Propagation::of(trials);
    estimates.extend(propagation.estimates());
    if let Some([_, median, _]) = trials.subject.token_characters {
        estimates.insert(MetricId::TokenBytes, Estimate::counted(median as f64));
    }
    if let Some(ReadableClaims { members, bytes }) = trials.subject.readable_claims {
        estimates.insert(MetricId::ClaimsReadableMembers, Estimate::counted(members as f64));
        estimates.insert(MetricId::ClaimsReadableBytes, Estimate::counted(bytes as f64));
    }
    if let Some(proof) = trials.subject.proof_characters {
        estimates.insert(MetricId::ProofBytes, Estimate::counted(proof as f64));
    }
    let checks = expectation::checks(trials, |metric| estimates.get(&metric).copied());
    let series = Series::of(trials, &propagation);
    Summary {
        subject: trials.subject.clone(),
        is_control: trials.is_control(),
        is_base: false,
        requests: trials.seconds().iter().map(|second| second.outcomes.planned()).sum(),
        trials: trials.loads().count(),
        timing_steal_percent: signature::steal_percent(trials),
        breakdown: Breakdown::of(trials),
        nodes: nodes::costs(trials),
        warnings: trust::warnings(trials, &estimates, &series.moments, &propagation, &checks),
        estimates,
        by_round: latency::by_round(latencies),
        checks,
        propagation,
        series,
    }
}

fn of_run(environment: &Environment, groups: &[Trials<'_>], subjects: &[Summary]) -> Vec<Warning> {
    let mut warnings: Vec<Warning> = validity::nothing_left(groups, subjects).into_iter().collect();
    if environment.build == "debug" {
        warnings.push(Warning::DebugBuild);
    }
    let is_external = |summary: &Summary| summary.subject.design.checks == Checks::Unknown;
    if !subjects.iter().any(|summary| summary.is_control) && !subjects.iter().all(is_external) {
        warnings.push(Warning::NoControl);
    }
    warnings
}

#[cfg(test)]
mod tests {
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
                    // Nothing was revoked before the load, no rate was searched for, and no connection closed.
                    MetricId::StaleAcceptances | MetricId::ThroughputAtSlo | MetricId::SentAgain => true,
                    // Nor was a token replaced, nor is one bound to its sender.
                    MetricId::Churn | MetricId::IssueP50 | MetricId::IssueP99 | MetricId::ProofBytes => true,
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
        assert_eq!(
            found,
            [Agreement::Disagrees, Agreement::Disagrees, Agreement::Disagrees, Agreement::Exceeds]
        );
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
        let of_tokens =
            [MetricId::TokenBytes, MetricId::ClaimsReadableMembers, MetricId::ClaimsReadableBytes];
        assert_eq!(summary.estimates.keys().copied().collect::<Vec<_>>(), of_tokens);
        assert!(matches!(summary.warnings[..], [Warning::Failed { .. }]), "{:?}", summary.warnings);
        assert!(analysis.is_crossed(), "what was not measured does not hold");
    }
}
