//! What processes used up: CPU time per request, memory, calls to the authorization server.

use std::collections::{BTreeMap, BTreeSet};

use crate::analysis::Estimate;
use crate::analysis::bootstrap::Resamples;
use crate::analysis::standing::Bracket;
use crate::analysis::trials::Trials;
use crate::metric::{MetricId, Unit};
use crate::observation::{BadTokens, Distribution, Look, Node, REVOKED, Recording, Role};
use crate::units::Offset;

/// Above this share of stolen time the machine is busy with somebody else.
pub(super) const STEAL_PERCENT: f64 = 5.0;
/// Above this share of the time in which a task waited for a core tasks waited too long.
pub(super) const PRESSURE_PERCENT: f64 = 20.0;
/// A shorter interval between looks makes no second whose peak could be told.
const SHORTEST_PEAK: f64 = 0.5;

/// What happened between two looks.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct UsageInterval {
    /// From one look to the next.
    pub(super) between: [Offset; 2],
    pub(super) seconds: f64,
    pub(super) requests: f64,
    /// Those of them that a gateway passed on.
    passed_on: f64,
    pub(super) calls: f64,
    introspections: f64,
    pub(super) hits: f64,
    pub(super) misses: f64,
    resource_cpu: f64,
    authorization_cpu: f64,
    store_cpu: f64,
    /// True if it has what a process counted in a longer time, or lacks what one counted in it, since that was not looked at.
    is_mixed: bool,
}

/// Cost and load of a subject. A ratio without requests is absent.
pub(super) fn estimates(trials: &Trials<'_>) -> BTreeMap<MetricId, Estimate> {
    let runs: Vec<Vec<UsageInterval>> =
        trials.recordings.iter().map(|recording| steps(&recording.nodes)).collect();
    let lengths: Vec<usize> = runs.iter().map(Vec::len).filter(|length| *length > 0).collect();
    let steps = runs.concat();
    let mut estimates = memory(trials);
    estimates.extend(churn(trials));
    if steps.is_empty() {
        return estimates;
    }
    let resamples = Resamples::draw(&lengths, trials.seed());
    let steals = trials.recordings.iter().filter_map(|recording| recording.conditions.steal_percent);
    let steal = steals.fold(0.0, f64::max) / 100.0;
    let mut ratio = |metric, of: fn(&UsageInterval) -> (f64, f64)| {
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
    if is_kept_by_another(trials) {
        ratio(MetricId::StoreCpu, |step| (step.store_cpu * 1e6, step.requests));
    }
    ratio(MetricId::ThroughputPerCore, |step| (step.requests, step.resource_cpu));
    ratio(MetricId::Amplification, |step| (step.calls, step.requests));
    ratio(MetricId::HitRatio, |step| (step.hits, step.hits + step.misses));
    estimates
}

/// The most calls per request in any second, whatever was done to servers then.
pub(super) fn peak(trials: &Trials<'_>) -> Option<Estimate> {
    let steps = trials.recordings.iter().flat_map(|recording| steps(&recording.nodes));
    steps.filter_map(|step| step.calls_per_request()).reduce(f64::max).map(Estimate::counted)
}

/// Whether a program of its own keeps the tokens, and is looked at.
fn is_kept_by_another(trials: &Trials<'_>) -> bool {
    trials.recordings.iter().flat_map(|recording| &recording.nodes).any(|node| node.role == Role::Store)
}

/// Introspections alone, without fetches of keys; `None` without requests.
pub(super) fn introspections_per_request(trials: &Trials<'_>) -> Option<f64> {
    let steps: Vec<UsageInterval> =
        trials.recordings.iter().flat_map(|recording| steps(&recording.nodes)).collect();
    quotient(&vec![1; steps.len()], &steps, |step| (step.introspections, step.requests))
}

/// The part of the requests that came to a server behind a gateway; `None` without requests.
pub(super) fn passed_on_per_request(trials: &Trials<'_>) -> Option<f64> {
    let steps: Vec<UsageInterval> =
        trials.recordings.iter().flat_map(|recording| steps(&recording.nodes)).collect();
    quotient(&vec![1; steps.len()], &steps, |step| (step.passed_on, step.requests))
}

/// Whether an old answer was used at an enforcement point, since the authorization server could not be asked.
pub(super) fn had_stale_answers(recording: &Recording) -> bool {
    let mut looks = recording.nodes.iter().flat_map(|node| &node.looks);
    looks.any(|look| look.counter("cache_stale_answers") > 0)
}

/// What was used and counted between the instants at which the nodes of a trial were looked at.
pub(super) fn steps(nodes: &[Node]) -> Vec<UsageInterval> {
    let looks = nodes.iter().flat_map(|node| &node.looks);
    let instants: Vec<Offset> = looks.map(|look| look.at).collect::<BTreeSet<_>>().into_iter().collect();
    let between = |pair: &[Offset]| UsageInterval {
        between: [pair[0], pair[1]],
        seconds: pair[1].since(pair[0]).as_secs_f64(),
        ..UsageInterval::default()
    };
    let mut steps: Vec<UsageInterval> = instants.windows(2).map(between).collect();
    let number = |look: &Look| instants.partition_point(|at| *at < look.at);
    for node in nodes {
        for pair in node.looks.windows(2) {
            let (begins, ends) = (number(&pair[0]), number(&pair[1]));
            // One that was down meanwhile is told of when it is back.
            if let Some(step) = ends.checked_sub(1).and_then(|index| steps.get_mut(index)) {
                step.add(node, &pair[0], &pair[1]);
                // A process that was started meanwhile has counted nothing before.
                step.is_mixed |= pair[0].pid == pair[1].pid && pair[0].at < step.between[0];
            }
            // What it counted until it went away nobody knows, or knows only when it is back.
            if begins + 1 < ends || pair[0].pid != pair[1].pid {
                steps[begins].is_mixed = true;
            }
        }
        if let Some(step) = node.looks.last().and_then(|last| steps.get_mut(number(last))) {
            step.is_mixed = true;
        }
    }
    steps
}

/// What the test bed has an authorization server do; all else it is asked for the sake of API requests.
const BY_THE_TEST_BED: [&str; 2] = ["/token", "/revoke"];

impl UsageInterval {
    /// Calls to the authorization server for each request; `None` without requests, of a time that is too short to tell, and where some
    /// calls or requests may be of another time.
    pub(super) fn calls_per_request(&self) -> Option<f64> {
        let tells = self.seconds >= SHORTEST_PEAK && self.requests > 0.0 && !self.is_mixed;
        tells.then(|| self.calls / self.requests)
    }

    fn add(&mut self, node: &Node, before: &Look, after: &Look) {
        let counted = |name: &str| after.since(before, |look| look.counter(name)) as f64;
        let cpu = after.since(before, |look| look.cpu_nanos) as f64 / 1e9;
        match node.role {
            Role::AuthorizationServer => {
                let asked = after.counters.keys().filter(|name| !BY_THE_TEST_BED.contains(&name.as_str()));
                self.calls += asked.map(|name| counted(name)).sum::<f64>();
                self.introspections += counted("/introspect");
                self.authorization_cpu += cpu;
            }
            Role::Gateway | Role::ResourceServer => {
                // A request that is passed on is one request.
                self.requests += if node.hop == 0 { counted("requests") } else { 0.0 };
                self.passed_on += if node.hop == 1 { counted("requests") } else { 0.0 };
                self.hits += counted("cache_hits");
                self.misses += counted("cache_misses");
                self.resource_cpu += cpu;
            }
            Role::Store => self.store_cpu += cpu,
            Role::Client | Role::Broker | Role::Foreign => {}
        }
    }
}

/// What a hypervisor takes counts as CPU time of whoever ran, unless the kernel is told of it; nothing else spoils CPU time.
fn stolen(metric: MetricId, point: f64, share: f64) -> Option<Bracket> {
    let (least, most) = match metric {
        MetricId::CpuResourceServer | MetricId::CpuAuthorizationServer | MetricId::StoreCpu => {
            (point * (1.0 - share), point)
        }
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

fn quotient(weights: &[u32], steps: &[UsageInterval], of: fn(&UsageInterval) -> (f64, f64)) -> Option<f64> {
    let (above, below) = weights.iter().zip(steps).fold((0.0, 0.0), |sum, (weight, step)| {
        let (above, below) = of(step);
        (sum.0 + f64::from(*weight) * above, sum.1 + f64::from(*weight) * below)
    });
    (below > 0.0).then(|| above / below)
}

/// How often tokens were replaced, and how long it took to have one issued meanwhile.
fn churn(trials: &Trials<'_>) -> BTreeMap<MetricId, Estimate> {
    let (mut seconds, mut replaced, mut issuing) = (0.0, 0, Distribution::default());
    for recording in &trials.recordings {
        let (Some(churn), Some(load)) = (&recording.churn, &recording.load) else { continue };
        seconds += recording.workload.warmup_seconds + load.measured_seconds;
        replaced += churn.replaced;
        issuing.add(&churn.issuing);
    }
    let mut estimates = BTreeMap::new();
    if seconds > 0.0 {
        estimates.insert(MetricId::Churn, Estimate::counted(replaced as f64 / seconds));
    }
    for (metric, share) in [(MetricId::IssueP50, 0.5), (MetricId::IssueP99, 0.99)] {
        let value = issuing.quantile(share).map(|nanos| Estimate::counted(nanos as f64 / 1e9));
        estimates.extend(value.map(|value| (metric, value)));
    }
    estimates
}

/// The share of the servers' cores that threads of the program used which are no generators, whatever was done to servers. They keep off the
/// generators' cores where there are others.
pub(super) fn beside(trials: &Trials<'_>) -> Option<Estimate> {
    let (mut used, mut had) = (0.0, 0.0);
    for recording in &trials.recordings {
        let mut nodes = recording.nodes.iter();
        let (Some(client), Some(load)) = (nodes.find(|node| node.role == Role::Client), &recording.load)
        else {
            continue;
        };
        let (Some(first), Some(last)) = (client.looks.first(), client.looks.last()) else { continue };
        let all = last.since(first, |look| look.cpu_nanos);
        used += all.saturating_sub(load.generator_cpu_nanos) as f64 / 1e9;
        had += last.at.since(first.at).as_secs_f64() * recording.environment.cores.servers.len() as f64;
    }
    (had > 0.0).then(|| Estimate::counted(used / had))
}

fn memory(trials: &Trials<'_>) -> BTreeMap<MetricId, Estimate> {
    let nodes = || trials.recordings.iter().flat_map(|recording| &recording.nodes);
    let peak = |is_of: fn(Role) -> bool| {
        let looks = nodes().filter(|node| is_of(node.role)).flat_map(|node| &node.looks);
        looks.map(|look| look.peak_bytes).max()
    };
    let authorization = peak(|role| role == Role::AuthorizationServer);
    let resource = peak(Role::enforces);
    let whole = |bytes: Option<u64>| bytes.map(|bytes| bytes as f64);
    [
        (MetricId::MemoryResourceServer, whole(resource)),
        (MetricId::MemoryAuthorizationServer, whole(authorization)),
        (MetricId::StoreMemory, store_memory(trials)),
    ]
    .into_iter()
    .filter_map(|(metric, bytes)| Some((metric, Estimate::counted(bytes?))))
    .collect()
}

/// With fewer tokens what a store has whatever their number outweighs them.
const FEWEST_TOKENS: u64 = 10_000;

/// What a store took for a million tokens that it keeps, the mean of the trials. It keeps no JWTs.
fn store_memory(trials: &Trials<'_>) -> Option<f64> {
    let of = |recording: &Recording| {
        let store = recording.nodes.iter().find(|node| node.role == Role::Store)?;
        let before = store.resident_before_tokens?;
        let with = store.looks.first()?.resident_bytes;
        let tokens = kept_tokens(recording);
        (with > before && tokens >= FEWEST_TOKENS && !recording.subject.carries_jwts())
            .then(|| (with - before) as f64 / tokens as f64 * 1e6)
    };
    let each: Vec<f64> = trials.recordings.iter().filter_map(|recording| of(recording)).collect();
    (!each.is_empty()).then(|| each.iter().sum::<f64>() / each.len() as f64)
}

/// The tokens that a store keeps when the load begins: live ones, bad ones that the authorization server knows, and those under revocation test.
/// Of expired ones it keeps none: it forgets them by their dates.
fn kept_tokens(recording: &Recording) -> u64 {
    let workload = &recording.workload;
    let is_kept = |bad: &&BadTokens| bad.are_active || bad.kind == REVOKED;
    let kinds = workload.bad_tokens.iter().filter(is_kept).count() as u64;
    let watched = recording.revocations().count() as u64;
    workload.live_tokens + kinds * u64::from(workload.bad_tokens_per_kind) + watched
}

#[cfg(test)]
mod tests;
