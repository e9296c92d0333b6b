//! What processes used up: CPU time per request, memory, calls to the authorization server.

use std::collections::BTreeMap;

use crate::analysis::Estimate;
use crate::analysis::bootstrap::Resamples;
use crate::analysis::standing::Bracket;
use crate::analysis::trials::Trials;
use crate::metric::{MetricId, Unit};
use crate::observation::Sample;

/// Above this share of stolen time the machine is busy with somebody else.
pub(super) const STEAL_PERCENT: f64 = 5.0;
/// Above this share of the time in which a task waited for a core tasks waited too long.
pub(super) const PRESSURE_PERCENT: f64 = 20.0;
/// A shorter interval between samples makes no second whose peak could be told.
const SHORTEST_PEAK: f64 = 0.5;

/// What happened between two samples.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Step {
    pub(super) seconds: f64,
    pub(super) requests: f64,
    pub(super) calls: f64,
    introspections: f64,
    pub(super) hits: f64,
    pub(super) misses: f64,
    resource_cpu: f64,
    authorization_cpu: f64,
}

/// Cost and load of a subject. A ratio without requests is absent.
pub(super) fn estimates(trials: &Trials<'_>) -> BTreeMap<MetricId, Estimate> {
    let runs: Vec<Vec<Step>> = trials.recordings.iter().map(|recording| steps(&recording.usage)).collect();
    let lengths: Vec<usize> = runs.iter().map(Vec::len).filter(|length| *length > 0).collect();
    let steps = runs.concat();
    let mut estimates = memory(trials);
    if steps.is_empty() {
        return estimates;
    }
    let resamples = Resamples::draw(&lengths, trials.seed());
    let steals = trials.recordings.iter().filter_map(|recording| recording.conditions.steal_percent);
    let steal = steals.fold(0.0, f64::max) / 100.0;
    let mut ratio = |metric, of: fn(&Step) -> (f64, f64)| {
        let sampled = resamples
            .sample(quotient(&vec![1; steps.len()], &steps, of), |weights| quotient(weights, &steps, of));
        let sampled = sampled.map(|mut sampled| {
            sampled.bracket = stolen(metric, sampled.point, steal);
            sampled
        });
        estimates.extend(sampled.map(|sampled| (metric, possible(metric, resamples.estimate(&sampled)))));
    };
    ratio(MetricId::CpuResourceServer, |step| (step.resource_cpu * 1e6, step.requests));
    ratio(MetricId::CpuAuthorizationServer, |step| (step.authorization_cpu * 1e6, step.requests));
    ratio(MetricId::ThroughputPerCore, |step| (step.requests, step.resource_cpu));
    ratio(MetricId::Amplification, |step| (step.calls, step.requests));
    ratio(MetricId::HitRatio, |step| (step.hits, step.hits + step.misses));
    let peak = steps
        .iter()
        .filter(|step| step.seconds >= SHORTEST_PEAK && step.requests > 0.0)
        .map(|step| step.calls / step.requests)
        .reduce(f64::max);
    estimates.extend(peak.map(|peak| (MetricId::AmplificationPeak, Estimate::counted(peak))));
    estimates
}

/// Introspections alone, without fetches of keys; `None` without requests.
pub(super) fn introspections_per_request(trials: &Trials<'_>) -> Option<f64> {
    let steps: Vec<Step> = trials.recordings.iter().flat_map(|recording| steps(&recording.usage)).collect();
    quotient(&vec![1; steps.len()], &steps, |step| (step.introspections, step.requests))
}

/// The differences of neighbouring samples.
pub(super) fn steps(usage: &[Sample]) -> Vec<Step> {
    usage.windows(2).map(|pair| step(&pair[0], &pair[1])).collect()
}

fn step(before: &Sample, after: &Sample) -> Step {
    let authorization = |sample: &Sample| sample.authorization_server;
    let calls = |sample: &Sample| authorization(sample).introspections + authorization(sample).key_sets;
    let more = |of: &dyn Fn(&Sample) -> u64| of(after).saturating_sub(of(before)) as f64;
    let servers = |of: fn(&crate::observation::ResourceServerUsage) -> u64| {
        more(&|sample| sample.resource_servers.iter().map(of).sum())
    };
    Step {
        seconds: after.at.since(before.at).as_secs_f64(),
        requests: servers(|server| server.requests),
        calls: more(&calls),
        introspections: more(&|sample| authorization(sample).introspections),
        hits: servers(|server| server.cache_hits),
        misses: servers(|server| server.cache_misses),
        resource_cpu: servers(|server| server.process.cpu_nanos) / 1e9,
        authorization_cpu: more(&|sample| authorization(sample).process.cpu_nanos) / 1e9,
    }
}

/// What a hypervisor takes counts as CPU time of whoever ran, unless the kernel is told of it; nothing else spoils CPU time.
fn stolen(metric: MetricId, point: f64, share: f64) -> Option<Bracket> {
    let (least, most) = match metric {
        MetricId::CpuResourceServer | MetricId::CpuAuthorizationServer => (point * (1.0 - share), point),
        MetricId::ThroughputPerCore if share < 1.0 => (point, point / (1.0 - share)),
        _ => return None,
    };
    Some(Bracket::Within { least, most, scale: point })
}

/// A share is at most the whole, whatever its interval says.
fn possible(metric: MetricId, estimate: Estimate) -> Estimate {
    match estimate.high {
        Some(high) if metric.unit() == Unit::Fraction => Estimate { high: Some(high.min(1.0)), ..estimate },
        _ => estimate,
    }
}

fn quotient(weights: &[u32], steps: &[Step], of: fn(&Step) -> (f64, f64)) -> Option<f64> {
    let (above, below) = weights.iter().zip(steps).fold((0.0, 0.0), |sum, (weight, step)| {
        let (above, below) = of(step);
        (sum.0 + f64::from(*weight) * above, sum.1 + f64::from(*weight) * below)
    });
    (below > 0.0).then(|| above / below)
}

fn memory(trials: &Trials<'_>) -> BTreeMap<MetricId, Estimate> {
    let last = || trials.recordings.iter().filter_map(|recording| recording.usage.last());
    let authorization = last().map(|sample| sample.authorization_server.process.peak_bytes).max();
    let resource =
        last().flat_map(|sample| &sample.resource_servers).map(|server| server.process.peak_bytes).max();
    [(MetricId::MemoryResourceServer, resource), (MetricId::MemoryAuthorizationServer, authorization)]
        .into_iter()
        .filter_map(|(metric, bytes)| Some((metric, Estimate::counted(bytes? as f64))))
        .collect()
}
