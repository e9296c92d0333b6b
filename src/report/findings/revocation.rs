//! When a revoked token stops working, as far as the run can tell.

use crate::analysis::Analysis;
use crate::metric::{MetricId, Unit};
use crate::report::findings::names::some;
use crate::report::findings::of;

/// How long a revoked token goes on working.
pub(super) fn ends(analysis: &Analysis) -> Option<String> {
    let (mut at_once, mut in_time, mut never) = (Vec::new(), Vec::new(), Vec::new());
    for summary in &analysis.subjects {
        let Some(longest) = of(summary, MetricId::PropagationMax) else { continue };
        let name = summary.subject.name.clone();
        match (longest.high, summary.propagation.unsafe_acceptances()) {
            (None, _) => never.push((
                name,
                summary.propagation.observations.len(),
                summary.propagation.unbounded(),
                longest.point,
            )),
            (Some(_), 0) => at_once.push(name),
            (Some(_), count) => in_time.push(format!(
                "{name} went on accepting a revoked token for up to {} ({count} unsafe acceptances)",
                MetricId::PropagationMax.show(longest.point)
            )),
        }
    }
    let mut sentences = Vec::new();
    if !at_once.is_empty() {
        sentences.push(format!(
            "{} accepted no request sent after a revocation was acknowledged.",
            some(&at_once)
        ));
    }
    sentences.extend(in_time.into_iter().map(|sentence| format!("{sentence}.")));
    sentences.extend(still_accepting(&never));
    sentences.extend(until_expiry(analysis));
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

fn still_accepting(never: &[(String, usize, usize, f64)]) -> Option<String> {
    let longest = never.iter().map(|subject| subject.3).reduce(f64::max)?;
    let each: Vec<String> =
        never
            .iter()
            .map(|(name, all, unbounded, _)| {
                if all == unbounded {
                    name.clone()
                } else {
                    format!("{name} (in {unbounded} of {all} cases)")
                }
            })
            .collect();
    Some(format!(
        "{} did not refuse revoked tokens for good before the trial ended: the last acceptance came up to {} after the acknowledgement. \
         This run cannot tell whether another would follow.",
        some(&each),
        Unit::Seconds.show(longest)
    ))
}

/// What a run that ends before its tokens cannot show.
fn until_expiry(analysis: &Analysis) -> Option<String> {
    let subjects = analysis.subjects.iter().map(|summary| &summary.subject);
    let until_expiry = subjects.filter(|subject| subject.design.ignores_revocations());
    let lifetime = analysis.workload.token_lifetime_seconds;
    // By how long that is, where tokens of one subject live longer than those of another.
    let mut lives: Vec<(f64, Vec<String>)> = Vec::new();
    for subject in until_expiry {
        let life = subject.design.token_life(lifetime) + subject.design.leeway_seconds;
        match lives.iter_mut().find(|(known, _)| known.total_cmp(&life).is_eq()) {
            Some((_, names)) => names.push(subject.name.clone()),
            None => lives.push((life, vec![subject.name.clone()])),
        }
    }
    let sentences = lives.into_iter().map(|(life, names)| {
        format!(
            "By design {} accept{} a revoked token until it expires: up to {} after it was issued.",
            some(&names),
            if names.len() == 1 { "s" } else { "" },
            Unit::Seconds.show(life)
        )
    });
    let sentences: Vec<String> = sentences.collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}
