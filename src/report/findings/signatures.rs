//! What signatures cost: who stands behind them, who is quickest, and what the post-quantum ones change.
//!
//! An implementation that is known to decide wrongly wins nothing and is no measure for anything; one that no published
//! vectors were run against wins nothing either, and is told apart.

use crate::analysis::{Analysis, Basis, Estimate, Summary};
use crate::metric::{MetricId, significant};
use crate::observation::{Conformance, Signature, Status};
use crate::report::findings::names::{called, list};
use crate::report::findings::{of, show};

/// Who stands behind the schemes, and which implementations must not be trusted.
pub(super) fn status(analysis: &Analysis) -> Option<String> {
    let schemes: Vec<&Signature> =
        analysis.subjects.iter().filter_map(|summary| summary.subject.scheme.as_ref()).collect();
    let mut sentences = Vec::new();
    for (status, words) in [
        (Status::Standard, "Named for JOSE by a published standard:"),
        (Status::Draft, "Named by a draft only, which may still change:"),
        (Status::Superseded, "Superseded, but still in use:"),
        (Status::Control, "Controls of the bench, not for use:"),
    ] {
        let of_status: Vec<&Signature> =
            schemes.iter().copied().filter(|scheme| scheme.status == status).collect();
        if !of_status.is_empty() {
            sentences.push(format!("{words} {}.", by_source(&of_status)));
        }
    }
    sentences.extend(untrusted(analysis));
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

/// What decides wrongly, by how it does.
fn untrusted(analysis: &Analysis) -> Option<String> {
    let mut faults: Vec<(&str, Vec<String>)> = Vec::new();
    for summary in &analysis.subjects {
        let Some(scheme) = summary.subject.scheme.as_ref().filter(|scheme| !scheme.is_trusted()) else {
            continue;
        };
        match faults.iter_mut().find(|(fault, _)| *fault == scheme.conformance_in_words) {
            Some((_, names)) => names.push(summary.subject.name.clone()),
            None => faults.push((&scheme.conformance_in_words, vec![summary.subject.name.clone()])),
        }
    }
    let each: Vec<String> =
        faults.into_iter().map(|(fault, names)| format!("{}: {fault}", list(&names))).collect();
    (!each.is_empty()).then(|| format!("Shown, but not ranked: {}.", each.join("; ")))
}

/// `HS256, ES256 (RFC 7518) and Ed25519 (RFC 9864)`, every algorithm once.
fn by_source(schemes: &[&Signature]) -> String {
    let mut sources: Vec<(&str, Vec<String>)> = Vec::new();
    for scheme in schemes {
        match sources.iter_mut().find(|(source, _)| *source == scheme.source) {
            Some((_, algs)) if algs.contains(&scheme.alg) => {}
            Some((_, algs)) => algs.push(scheme.alg.clone()),
            None => sources.push((&scheme.source, vec![scheme.alg.clone()])),
        }
    }
    let each: Vec<String> = sources
        .into_iter()
        .map(|(source, algs)| {
            let source = if source.is_empty() { String::new() } else { format!(" ({source})") };
            format!("{}{source}", list(&algs))
        })
        .collect();
    each.join("; ")
}

/// The quickest to verify and to sign, as far as this run tells them apart from the next.
pub(super) fn quickest(analysis: &Analysis) -> Option<String> {
    let (mut sentences, mut is_of_one_run) = (Vec::new(), false);
    for (metric, verb) in [(MetricId::VerifyP50, "verify"), (MetricId::SignP50, "sign")] {
        let ranked = ranked(analysis, metric, Conformance::Conforming);
        let Some((first, estimate)) = ranked.first().copied() else { continue };
        if ranked.len() < 2 {
            continue;
        }
        // The interval of a later one may be so wide that it reaches the first, although that of an earlier one does not.
        let (ties, behind): (Vec<_>, Vec<_>) = ranked.iter().partition(|(_, other)| !apart(estimate, *other));
        let names: Vec<String> = ties.iter().map(|(summary, _)| called(summary)).collect();
        is_of_one_run |= one_run(ranked.iter().map(|(_, estimate)| *estimate));
        let next = behind.first().map_or_else(String::new, |(summary, next)| {
            format!(", then {} in {}", called(summary), show(metric, *next))
        });
        // What holds for the whole topic is said once.
        let of_them = if sentences.is_empty() { "Of the asymmetric schemes, " } else { "" };
        sentences.push(if ties.len() == 1 {
            let (name, value) = (called(first), show(metric, estimate));
            format!("{of_them}{name} {} fastest, in {value} at the median{next}.", third_person(verb))
        } else {
            let (names, value) = (list(&names), show(metric, estimate));
            format!(
                "{of_them}{names} {verb} fastest, in about {value}; this run does not tell them apart{next}."
            )
        });
        sentences.extend(unverified(analysis, metric, estimate, verb));
    }
    sentences.extend(shared_secret(analysis));
    if sentences.is_empty() {
        return None;
    }
    if let Some(most) =
        analysis.subjects.iter().filter_map(|summary| summary.timing_steal_percent).reduce(f64::max)
    {
        sentences.push(format!(
            "The hypervisor took up to {} % of the machine while signatures were timed; medians withstand that, means do not.",
            significant(most)
        ));
    }
    if is_of_one_run {
        sentences.push("Each was timed once, in many slices: another run may differ.".to_owned());
    }
    Some(sentences.join(" "))
}

fn third_person(verb: &str) -> &str {
    if verb == "sign" { "signs" } else { "verifies" }
}

/// Intervals from within one run do not contain what differs between runs.
fn one_run(estimates: impl IntoIterator<Item = Estimate>) -> bool {
    estimates.into_iter().any(|estimate| estimate.basis != Basis::AcrossRuns)
}

/// What would have been before the `first`, if anything published had shown that it decides rightly.
fn unverified(analysis: &Analysis, metric: MetricId, first: Estimate, verb: &str) -> Option<String> {
    let quicker = ranked(analysis, metric, Conformance::Unverified)
        .into_iter()
        .filter(|(_, estimate)| estimate.point < first.point)
        .map(|(summary, estimate)| format!("{} in {}", called(summary), show(metric, estimate)));
    let quicker: Vec<String> = quicker.collect();
    let which = if quicker.len() == 1 { "it" } else { "them" };
    (!quicker.is_empty()).then(|| {
        format!("Not ranked, since no published vectors check {which}: {} to {verb}.", list(&quicker))
    })
}

/// With a shared secret everybody who can verify can also sign: another kind of thing, told apart.
fn shared_secret(analysis: &Analysis) -> Option<String> {
    let secret = |summary: &&Summary| {
        let scheme = summary.subject.scheme.as_ref();
        scheme.is_some_and(|scheme| {
            scheme.public_key_bytes == 0 && scheme.conformance == Conformance::Conforming
        })
    };
    let quickest = analysis
        .subjects
        .iter()
        .filter(|summary| !summary.is_control)
        .filter(secret)
        .filter_map(|summary| Some((summary, of(summary, MetricId::VerifyP50)?)))
        .min_by(|a, b| a.1.point.total_cmp(&b.1.point))?;
    Some(format!(
        "{} verifies in {}, but whoever holds its key can both verify and sign.",
        called(quickest.0),
        show(MetricId::VerifyP50, quickest.1)
    ))
}

/// Subjects with a public key whose implementations were found to be so; the quickest first. Only those that are
/// known to decide rightly may win something.
fn ranked(analysis: &Analysis, metric: MetricId, conformance: Conformance) -> Vec<(&Summary, Estimate)> {
    let mut ranked: Vec<(&Summary, Estimate)> = analysis
        .subjects
        .iter()
        .filter(|summary| !summary.is_control)
        .filter(|summary| {
            let scheme = summary.subject.scheme.as_ref();
            scheme.is_some_and(|scheme| scheme.public_key_bytes > 0 && scheme.conformance == conformance)
        })
        .filter_map(|summary| Some((summary, of(summary, metric)?)))
        .collect();
    ranked.sort_by(|a, b| a.1.point.total_cmp(&b.1.point));
    ranked
}

/// Whether the intervals of two values, both known, have nothing in common.
fn apart(a: Estimate, b: Estimate) -> bool {
    let above = |a: Estimate, b: Estimate| a.high.is_some_and(|high| high < b.low);
    // One that was the same in every round has an interval of no width, which is known as well.
    let is_known = |estimate: Estimate| !matches!(estimate.basis, Basis::Counted | Basis::TooFew);
    is_known(a) && is_known(b) && (above(a, b) || above(b, a))
}

/// Post-quantum schemes that a standard backs, held against the classical one that most new APIs choose.
pub(super) fn against_classical(analysis: &Analysis) -> Option<String> {
    let standard = |summary: &&Summary| {
        let scheme = summary.subject.scheme.as_ref();
        let backed = |scheme: &Signature| scheme.status == Status::Standard && scheme.public_key_bytes > 0;
        let conforms = |scheme: &Signature| scheme.conformance == Conformance::Conforming;
        scheme.is_some_and(|scheme| backed(scheme) && conforms(scheme))
            && of(summary, MetricId::VerifyP50).is_some()
    };
    let scheme = |summary: &Summary| summary.subject.scheme.clone().expect("only such are let through");
    let candidates: Vec<&Summary> = analysis.subjects.iter().filter(standard).collect();
    let classical = || candidates.iter().filter(|summary| !scheme(summary).post_quantum);
    let base = classical().find(|summary| scheme(summary).alg == "ES256").or_else(|| classical().next())?;
    let mut seen: Vec<String> = Vec::new();
    let mut sentences = Vec::new();
    for summary in candidates.iter().filter(|summary| scheme(summary).post_quantum) {
        let alg = scheme(summary).alg;
        if !seen.contains(&alg) {
            sentences.extend(comparison(summary, base));
            seen.push(alg);
        }
    }
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

fn comparison(summary: &Summary, base: &Summary) -> Option<String> {
    let verify = |summary: &Summary| of(summary, MetricId::VerifyP50);
    let (own, others) = (verify(summary)?, verify(base)?);
    let speed = match own.point / others.point {
        _ if !apart(own, others) => format!("verifies about as quickly as {} here", base.subject.name),
        ratio if ratio < 1.0 => {
            format!("verifies {} x faster than {} here", significant(1.0 / ratio), base.subject.name)
        }
        ratio => format!("takes {} x as long to verify as {} here", significant(ratio), base.subject.name),
    };
    let size = |summary: &Summary| of(summary, MetricId::TokenBytes).map(|size| size.point);
    let longer = size(summary)? / size(base)?;
    let but = if own.point < others.point { "but" } else { "and" };
    Some(format!("{} {speed}, {but} its token is {} x as long.", called(summary), significant(longer)))
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;
    use crate::analysis::{analyse, synthetic};
    use crate::observation::Conditions;

    static ALL: LazyLock<Analysis> = LazyLock::new(|| analyse(synthetic::signatures()));

    #[test]
    fn standards_drafts_and_what_they_replaced_are_told_apart_with_their_sources() {
        let text = status(&ALL).unwrap();
        for part in [
            "Named for JOSE by a published standard: HS256, HS384, HS512, RS256, PS256, ES256 and ES384 (RFC 7518)",
            "Ed25519 (RFC 9864)",
            "ML-DSA-44, ML-DSA-65 and ML-DSA-87 (RFC 9964)",
            "FN-DSA-512 and FN-DSA-1024 (draft-ietf-cose-falcon)",
            "Superseded, but still in use: X-PQClean-Dilithium2",
            "Shown, but not ranked: ML-DSA-65 pqcrypto, X-PQClean-Dilithium2",
            "X-PQClean-Dilithium5: NOT conforming (Wycheproof: 127 forgeries accepted, 3 valid refused).",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn what_decides_wrongly_wins_nothing_however_quick_it_is() {
        let quick = |name: &str| {
            let mut analysis = ALL.clone();
            let summary = analysis.subjects.iter_mut().find(|summary| summary.subject.name == name).unwrap();
            let tiny = Estimate {
                point: 1e-9,
                low: 0.9e-9,
                high: Some(1.1e-9),
                ..of(summary, MetricId::VerifyP50).unwrap()
            };
            summary.estimates.insert(MetricId::VerifyP50, tiny);
            quickest(&analysis).unwrap()
        };
        assert!(!quick("ML-DSA-65 pqcrypto").contains("pqcrypto"));
        assert!(
            quick("ML-DSA-65")
                .starts_with("Of the asymmetric schemes, ML-DSA-65 verifies fastest, in 1.00 ns")
        );
        let text = quickest(&ALL).unwrap();
        assert!(text.contains("Of the asymmetric schemes, RS256 2048"), "{text}");
        assert!(
            text.contains("Not ranked, since no published vectors check it: FN-DSA-512 in 1")
                && text.contains(" to verify."),
            "{text}"
        );
        assert!(text.contains("Ed25519 signs fastest") && text.contains("HS256 verifies in 6"), "{text}");
        assert!(!text.contains("none"), "{text}");
    }

    #[test]
    fn whatever_reaches_the_quickest_ties_with_it_and_several_runs_need_no_caveat() {
        let mut analysis = ALL.clone();
        for (name, point, low, high) in [
            ("ES256", 1e-9, 0.9e-9, 1.1e-9),
            ("ES384", 2e-9, 1.9e-9, 2.1e-9),
            // Behind one that is apart from the first, but not apart from it.
            ("Ed25519", 3e-9, 1e-9, 5e-9),
        ] {
            let summary = analysis.subjects.iter_mut().find(|summary| summary.subject.name == name).unwrap();
            let verify = summary.estimates.get_mut(&MetricId::VerifyP50).unwrap();
            (verify.point, verify.low, verify.high) = (point, low, Some(high));
        }
        let text = quickest(&analysis).unwrap();
        assert!(text.contains("ES256 and Ed25519 verify fastest") && text.contains("then ES384"), "{text}");
        for estimate in analysis.subjects.iter_mut().flat_map(|summary| summary.estimates.values_mut()) {
            estimate.basis = Basis::AcrossRuns;
        }
        assert!(!quickest(&analysis).unwrap().contains("timed once"));
        assert_eq!(quickest(&ALL).unwrap().matches("timed once").count(), 1, "said once for all");
    }

    #[test]
    fn what_was_stolen_is_told_of_the_time_in_which_signatures_were_timed() {
        let told = |load, timing| {
            let mut recordings = synthetic::signatures().to_vec();
            recordings[3].conditions.steal_percent = Some(load);
            recordings[3].signature_conditions =
                Some(Conditions { steal_percent: Some(timing), ..Conditions::default() });
            quickest(&analyse(&recordings)).unwrap()
        };
        assert!(told(0.0, 12.0).contains("The hypervisor took up to 12.0 % of the machine while signatures"));
        assert!(!told(12.0, 0.0).contains("hypervisor"));
    }

    #[test]
    fn a_comparison_is_made_only_where_intervals_are_apart() {
        let text = against_classical(&ALL).unwrap();
        assert!(
            text.contains("ML-DSA-65 verifies 1.2")
                && text.contains("faster than ES256 here, but its token is 7."),
            "{text}"
        );
        assert!(text.contains("ML-DSA-87 takes 1.2"), "{text}");
        assert_eq!(text.matches("ML-DSA-65").count(), 1, "one implementation of each: {text}");
        let mut analysis = ALL.clone();
        for summary in &mut analysis.subjects {
            if let Some(verify) = summary.estimates.get_mut(&MetricId::VerifyP50) {
                (verify.low, verify.high) = (0.0, Some(1.0));
            }
        }
        let text = against_classical(&analysis).unwrap();
        assert!(text.contains("about as quickly as ES256") && !text.contains("faster"), "{text}");
        assert!(quickest(&analysis).unwrap().contains("does not tell them apart"));
    }
}
