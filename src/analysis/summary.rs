//! Everything that a report says, from the facts of a run.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::analysis::bootstrap::{Resamples, Sampled};
use crate::analysis::trials::Trials;
use crate::analysis::{
    Breakdown, Check, Estimate, Gravity, Ladder, NodeCost, PhaseFigures, PopularityTenth, Propagation,
    Series, Verdict, Warning, WinnerMap, channel, expectation, extremes, ladder, latency, nodes, outcome,
    parts, phases, rounds, series, signature, threshold, trust, usage, validity,
};
use crate::design::Checks;
use crate::metric::MetricId;
use crate::observation::{
    Environment, HandshakeBytes, ReadableClaims, RecordedScenario, Recording, Subject, Workload,
};

/// What was found out about every subject of a scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Analysis {
    /// The question that was asked.
    pub scenario: RecordedScenario,
    /// The machine and the program.
    pub environment: Environment,
    /// What was sent; how many resource servers shared it, and how often each of them was probed, is that of the first subject.
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
    /// Who would answer soonest with the authorization server further away, by how soon a revocation must be known; absent where subjects do not
    /// trade the one against the other, for several rates, and where something was done to servers.
    pub winners: Option<WinnerMap>,
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
    /// How many resource servers shared its load.
    pub resource_servers: u32,
    /// Probes per second of each token under revocation test at each of them.
    pub probe_rate: f64,
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
    /// What its caches kept of every tenth of the tokens, the most popular first; empty where it keeps no answers.
    pub popularity: Vec<PopularityTenth>,
    /// What the closed forms say about it.
    pub checks: Vec<Check>,
    /// What was measured while nothing was done to its servers, while something was, and afterwards; nothing if nothing ever was.
    pub phases: Vec<PhaseFigures>,
    /// True if its authorization server was killed and has forgotten every token that it had issued before.
    pub loses_tokens: bool,
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
    let workload = whole.first().map_or(&first.workload, Trials::workload).clone();
    let laddered: Vec<Option<Ladder>> = whole.iter().map(Ladder::of).collect();
    let groups: Vec<Trials<'_>> =
        whole.into_iter().zip(&laddered).flat_map(|(trials, ladder)| trials.apart(ladder.as_ref())).collect();
    let ladders: Vec<Ladder> = laddered.into_iter().flatten().collect();
    // What is seen while servers are disturbed is told apart from all else.
    let calm: Vec<Vec<Cow<'_, Recording>>> = groups.iter().map(phases::calm::undisturbed).collect();
    let early: Vec<Vec<Cow<'_, Recording>>> = groups.iter().map(phases::calm::until_disturbed).collect();
    // What is asked of one subject is told of all of them, so that it can be compared.
    let asked: BTreeSet<MetricId> = groups.iter().flat_map(validity::asked).collect();
    let sampled: Vec<_> =
        groups.iter().zip(&calm).map(|(trials, calm)| latencies(&trials.as_made(calm), &asked)).collect();
    let subjects: Vec<Summary> = groups
        .iter()
        .enumerate()
        .map(|(index, trials)| {
            let control = Trials::base(&groups, index);
            let (resamples, latencies) = &sampled[index];
            let base = control.filter(|control| *control != index).map(|control| &sampled[control].1);
            let (calm, early) = (trials.as_made(&calm[index]), trials.as_made(&early[index]));
            let views = Views { whole: trials, calm: &calm, early: &early };
            let summary = summarise(&views, resamples, latencies, base, &asked);
            ladder::with_search(Summary { is_base: control == Some(index), ..summary }, &ladders)
        })
        .collect();
    let seeds: BTreeSet<u64> = recordings.iter().map(|recording| recording.seed).collect();
    Analysis {
        scenario: first.scenario.clone(),
        environment: first.environment.clone(),
        workload,
        started: first.started.clone(),
        seeds: seeds.into_iter().collect(),
        repeated_rounds,
        thresholds: threshold::judge(&first.scenario, &subjects),
        winners: ladders.is_empty().then(|| WinnerMap::of(&groups, &subjects)).flatten(),
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

/// The trials of a subject: as they were, without what was done to their servers, and as if they had ended before that.
struct Views<'a> {
    whole: &'a Trials<'a>,
    calm: &'a Trials<'a>,
    early: &'a Trials<'a>,
}

fn summarise(
    views: &Views<'_>,
    resamples: &Resamples,
    latencies: &BTreeMap<MetricId, Sampled>,
    control: Option<&BTreeMap<MetricId, Sampled>>,
    asked: &BTreeSet<MetricId>,
) -> Summary {
    let Views { whole, calm: trials, early } = *views;
    let mut estimates = outcome::estimates(whole, trials, resamples);
    let added = control.map(|control| latency::added(latencies, control, asked)).unwrap_or_default();
    estimates.extend(
        latencies.iter().chain(&added).map(|(metric, sampled)| (*metric, resamples.estimate(sampled))),
    );
    estimates.extend(extremes::estimates(trials));
    estimates.extend(parts::estimates(trials, resamples, asked));
    estimates.extend(usage::estimates(trials));
    estimates.extend(usage::beside(whole).map(|share| (MetricId::GeneratorBeside, share)));
    estimates.extend(usage::peak(whole).map(|peak| (MetricId::AmplificationPeak, peak)));
    estimates.extend(signature::estimates(trials));
    let propagation = Propagation::of(whole);
    estimates.extend(propagation.estimates());
    estimates.extend(channel::estimates(trials));
    let phases = phases::figures(whole);
    estimates.extend(phases::estimates(&phases));
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
    if let Some(HandshakeBytes { full, resumed, client_certificates }) = trials.subject.handshake_bytes {
        let sizes = [
            (MetricId::ConnectBytes, Some(full)),
            (MetricId::ConnectResumedBytes, resumed),
            (MetricId::CertificateBytes, client_certificates),
        ];
        let sizes = sizes.into_iter().filter_map(|(metric, bytes)| Some((metric, bytes?)));
        estimates.extend(sizes.map(|(metric, bytes)| (metric, Estimate::counted(bytes as f64))));
    }
    let counted = if phases.is_empty() { BTreeMap::new() } else { usage::estimates(early) };
    let counted = if phases.is_empty() { &estimates } else { &counted };
    // It is counted over the whole load, of which the closed form knows no disturbance.
    let popularity = if phases.is_empty() { expectation::tenths(trials) } else { Vec::new() };
    let checks = expectation::checks(early, &popularity, |metric| counted.get(&metric).copied());
    let series = Series::of(whole, trials, &propagation);
    let own = if phases.is_empty() { None } else { Some((series::moments(trials), Propagation::of(trials))) };
    let (moments, found) =
        own.as_ref().map_or((&series.moments, &propagation), |(moments, found)| (moments, found));
    let warnings = trust::warnings(trials, whole, &estimates, moments, found, &checks);
    Summary {
        subject: trials.subject.clone(),
        resource_servers: trials.workload().resource_servers,
        probe_rate: trials.workload().probe_rate,
        is_control: trials.is_control(),
        is_base: false,
        requests: whole.seconds().iter().map(|second| second.outcomes.planned()).sum(),
        trials: whole.loads().count(),
        timing_steal_percent: signature::steal_percent(trials),
        breakdown: Breakdown::of(trials),
        nodes: nodes::costs(trials),
        warnings,
        estimates,
        popularity,
        by_round: latency::by_round(latencies),
        checks,
        loses_tokens: phases::lose_tokens(whole),
        phases,
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
mod tests;
