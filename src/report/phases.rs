//! The table of what was measured while nothing was done to servers, while something was, and afterwards.

use crate::analysis::{Analysis, PhaseFigures, PhaseState, Recovery, Summary};
use crate::metric::{MetricId, Unit, thousands};

/// A phase of a subject as a row.
#[derive(Debug)]
pub(super) struct PhaseRow {
    pub(super) subject: String,
    pub(super) phase: String,
    pub(super) lasted: String,
    pub(super) availability: String,
    pub(super) unsafe_acceptances: String,
    pub(super) failures: String,
    pub(super) p99: String,
    pub(super) calls: String,
    pub(super) recovery: String,
}

/// What the columns of a terminal are called, the first one apart.
pub(super) const SHORT_PHASE_HEADINGS: [&str; 8] =
    ["phase", "lasted", "available", "unsafe", "p99", "calls/req.", "recovers", "not accepted"];

/// What a reader must know of the table.
pub(super) const ABOUT_PHASES: &str = "Available: requests with a valid token, due in the phase, that were accepted; one that is refused is not \
    available either. Unsafe: probes accepted in it although their token was revoked. Calls: those to the authorization server per request, in the \
    busiest second. Recovers: until as many are accepted as before, and no more requests are under way. p99, calls and what became of the others are \
    of the seconds that the phase touched. Latency, cost and closed forms elsewhere, and the warnings, are of undisturbed time; parts of a \
    latency are of the whole run.";

/// What a store in memory does to the figures.
pub(super) const FORGETS: &str = "The authorization server kept tokens and revocations in memory and lost them when it was killed: whoever asks it refuses the \
    tokens of before for good, and whoever polls its list of revocations accepts those that were revoked.";

/// Every phase of every subject, subject by subject.
pub(super) fn phase_rows(analysis: &Analysis) -> Vec<PhaseRow> {
    let rows = |summary: &Summary| {
        let row = |phase: &PhaseFigures| row(summary, phase);
        summary.phases.iter().map(row).collect::<Vec<_>>()
    };
    analysis.subjects.iter().flat_map(rows).collect()
}

/// What must be said of the table, if there is one.
pub(super) fn about_phases(analysis: &Analysis) -> String {
    let forgets = analysis.subjects.iter().any(|summary| summary.loses_tokens);
    if forgets { format!("{FORGETS} {ABOUT_PHASES}") } else { ABOUT_PHASES.to_owned() }
}

/// What was done, in words, in the order in which it was done first.
pub(super) fn disturbances(analysis: &Analysis) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    for phase in analysis.subjects.iter().flat_map(|summary| &summary.phases) {
        if let PhaseState::Disturbed { by } = &phase.state
            && !found.contains(&by.as_str())
        {
            found.push(by);
        }
    }
    found
}

fn row(summary: &Summary, phase: &PhaseFigures) -> PhaseRow {
    let show =
        |unit: Unit, value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| unit.show(value));
    let few = if phase.few_samples { "*" } else { "" };
    PhaseRow {
        subject: summary.subject.name.clone(),
        phase: match &phase.state {
            PhaseState::Undisturbed => "undisturbed".to_owned(),
            PhaseState::Disturbed { by } => by.clone(),
            PhaseState::Recovering { from } => format!("after {from}"),
        },
        lasted: Unit::Seconds.show(phase.seconds),
        availability: show(Unit::Fraction, phase.availability),
        unsafe_acceptances: if summary.is_control {
            "accepts all".to_owned()
        } else {
            thousands(&phase.unsafe_acceptances.to_string())
        },
        failures: failures(phase),
        p99: format!("{}{few}", show(Unit::Seconds, phase.p99)),
        calls: show(Unit::PerRequest, phase.busiest_calls_per_request),
        recovery: phase.recovery.map_or_else(|| "–".to_owned(), recovery),
    }
}

/// The most frequent first.
fn failures(phase: &PhaseFigures) -> String {
    let mut kinds: Vec<(&String, &u64)> = phase.failures.iter().collect();
    kinds.sort_by(|a, b| b.1.cmp(a.1));
    let each = kinds.into_iter().map(|(kind, count)| format!("{kind} {}", thousands(&count.to_string())));
    let told = each.collect::<Vec<_>>().join(", ");
    if told.is_empty() { "–".to_owned() } else { told }
}

fn recovery(recovery: Recovery) -> String {
    let least = if recovery.is_cut_off { "≥ " } else { "" };
    format!("{least}{}", MetricId::Recovery.show(recovery.seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{analyse, synthetic};

    #[test]
    fn a_run_in_which_nothing_was_done_to_servers_has_no_phases() {
        let analysis = analyse(&synthetic::recordings());
        assert!(phase_rows(&analysis).is_empty() && disturbances(&analysis).is_empty());
    }

    #[test]
    fn each_phase_of_each_subject_has_a_row_with_what_became_of_valid_tokens() {
        let recordings: Vec<_> = [0, 1, 3].map(synthetic::outage).to_vec();
        let analysis = analyse(&recordings);
        let rows = phase_rows(&analysis);
        let told: Vec<String> = rows
            .iter()
            .map(|row| format!("{} | {} | {} | {}", row.subject, row.phase, row.availability, row.recovery))
            .collect();
        assert_eq!(disturbances(&analysis), ["authorization-server down"]);
        assert!(
            told.contains(&"introspection | authorization-server down | 0 % | 1.00 s".to_owned()),
            "{told:#?}"
        );
        assert!(
            told.contains(&"jwt ES256 | authorization-server down | 100 % | 0 s".to_owned()),
            "{told:#?}"
        );
        assert!(told.iter().any(|row| row.starts_with("introspection | after authorization-server down")));
        assert!(!about_phases(&analysis).contains("in memory"));
    }
}
