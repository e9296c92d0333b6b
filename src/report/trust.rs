//! Whether the figures may be believed: a headline, and every reason to doubt them.

use crate::analysis::{Analysis, Gravity, Standing, Summary, Validity, Warning};
use crate::metric::{MetricId, Unit};
use crate::report::advice::blamed;
use crate::report::columns::{COLUMNS, filled};
use crate::report::explain;
use crate::report::findings::names::heading;

/// Whether the figures may be believed, in a word and a sentence.
pub(super) struct VerdictBox {
    pub(super) class: &'static str,
    pub(super) headline: &'static str,
    pub(super) facts: String,
}

/// A reason to doubt a subject, or the run if no subject is named.
pub(super) struct Doubt {
    pub(super) class: &'static str,
    pub(super) subject: String,
    /// Whose doing it is, in a word.
    pub(super) blame: &'static str,
    pub(super) text: String,
}

impl Doubt {
    /// What is shown of it at once.
    pub(super) fn head(&self) -> &str {
        first_sentence(&self.text)
    }

    /// What folds.
    pub(super) fn rest(&self) -> &str {
        self.text[self.head().len()..].trim()
    }
}

impl VerdictBox {
    pub(super) fn of(analysis: &Analysis) -> Self {
        let validity = analysis.validity();
        let (class, headline) = match validity {
            Validity::Invalid => ("unfit", "Invalid: do not use these figures"),
            Validity::Suspect => ("doubtful", "Suspect: read the marked figures with care"),
            Validity::Valid => ("sound", "Valid"),
        };
        let worst = |metric: MetricId| {
            let subjects = analysis.subjects.iter().filter(|summary| !summary.is_control);
            subjects
                .filter_map(|summary| summary.estimates.get(&metric))
                .map(|estimate| estimate.point)
                .reduce(f64::max)
        };
        // Of several subjects the worst.
        let several = analysis.subjects.len() > 1;
        let (up_to, whose) = if several { ("up to ", " of a subject") } else { ("", "") };
        let mut facts: Vec<String> = Vec::new();
        facts.extend(worst(MetricId::WrongAnswers).map(|wrong| match wrong {
            0.0 => "no answer was wrong".to_owned(),
            wrong => format!("{up_to}{} answers{whose} were wrong", Unit::Count.show(wrong)),
        }));
        facts.extend(worst(MetricId::Errors).map(|errors| match errors {
            0.0 => "every request was answered".to_owned(),
            errors => format!("{up_to}{} of the requests{whose} failed", Unit::Fraction.show(errors)),
        }));
        // Figures that must not be used have no standing.
        if validity != Validity::Invalid {
            facts.push(standings(analysis));
        } else if facts.is_empty() {
            facts.push("the reasons follow".to_owned());
        }
        Self { class, headline, facts: format!("{}.", capital(&facts.join("; "))) }
    }
}

/// How many figures of the table can be trusted how far.
fn standings(analysis: &Analysis) -> String {
    let columns = filled(COLUMNS, analysis);
    let of = |summary: &Summary| -> Vec<Standing> {
        let estimates = columns.iter().filter_map(|column| summary.estimates.get(&column.metric));
        estimates.map(|estimate| estimate.standing).collect()
    };
    let all: Vec<Standing> = analysis.subjects.iter().flat_map(of).collect();
    let lost = all.iter().filter(|standing| standing.is_lost()).count();
    let bounded = all.iter().filter(|standing| matches!(standing, Standing::Bounded { .. })).count();
    if lost + bounded == 0 {
        return "every figure is sound".to_owned();
    }
    let counts = [(bounded, "bounded"), (lost, "lost"), (all.len() - bounded - lost, "sound")];
    let counts =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, standing)| format!("{count} {standing}"));
    format!("of {} figures: {}", all.len(), counts.collect::<Vec<_>>().join(", "))
}

/// What a long reason begins with.
pub(super) fn first_sentence(text: &str) -> &str {
    let end = text.match_indices(". ").map(|(at, _)| at + 1).next();
    &text[..end.unwrap_or(text.len())]
}

/// The verdict on one subject in a word; nothing if it is valid.
pub(super) fn mark(validity: Validity) -> Option<&'static str> {
    match validity {
        Validity::Valid => None,
        Validity::Suspect => Some("suspect"),
        Validity::Invalid => Some("invalid"),
    }
}

/// Every reason, the heaviest first; one that several subjects share is said once, with its worst figure.
pub(super) fn doubts(analysis: &Analysis) -> Vec<Doubt> {
    let whole = analysis.warnings.iter().map(|warning| ("", warning));
    let subjects = analysis
        .subjects
        .iter()
        .flat_map(|summary| summary.warnings.iter().map(|warning| (summary.subject.name.as_str(), warning)));
    let mut shared: Vec<(Vec<&str>, Warning)> = Vec::new();
    for (subject, warning) in whole.chain(subjects) {
        let joined =
            shared.iter_mut().find_map(|(names, known)| Some((names, joint(known, warning)?, known)));
        match joined {
            Some((names, worst, known)) => {
                *known = worst;
                if !names.contains(&subject) {
                    names.push(subject);
                }
            }
            None => shared.push((vec![subject], warning.clone())),
        }
    }
    shared.sort_by_key(|(_, warning)| std::cmp::Reverse(warning.gravity()));
    shared
        .into_iter()
        .map(|(names, warning)| Doubt {
            class: match warning.gravity() {
                Gravity::Unfit => "unfit",
                Gravity::Doubtful => "doubtful",
                Gravity::Note => "note",
            },
            subject: if names.len() == analysis.subjects.len() && names.len() > 1 {
                "every subject".to_owned()
            } else {
                heading(&names)
            },
            blame: blamed(warning.blame()),
            text: explain(&warning),
        })
        .collect()
}

/// One warning for two, if they say the same but for how bad it was; the worse figure stands for both.
fn joint(known: &Warning, other: &Warning) -> Option<Warning> {
    match (known, other) {
        (
            Warning::MachineBusy { pressure_percent: a, steal_percent: b, shared_cores },
            Warning::MachineBusy { pressure_percent: c, steal_percent: d, .. },
        ) if a.is_some() == c.is_some() && b.is_some() == d.is_some() => {
            let worst = |a: &Option<f64>, b: &Option<f64>| a.zip(*b).map(|(a, b)| a.max(b));
            Some(Warning::MachineBusy {
                pressure_percent: worst(a, c),
                steal_percent: worst(b, d),
                shared_cores: *shared_cores,
            })
        }
        (Warning::GeneratorLate { p99: a }, Warning::GeneratorLate { p99: b })
        | (Warning::ConnectionsShort { p99: a, .. }, Warning::ConnectionsShort { p99: b, .. }) => {
            Some(if a >= b { known.clone() } else { other.clone() })
        }
        (
            Warning::CoreTaken { share: a, core: known_core },
            Warning::CoreTaken { share: b, core: other_core },
        ) if known_core == other_core => Some(if a >= b { known.clone() } else { other.clone() }),
        (
            Warning::Disturbed { generator, servers, uncounted, shortest },
            Warning::Disturbed { generator: other, servers: others, uncounted: more, shortest: longer },
        ) => Some(Warning::Disturbed {
            generator: generator.max(*other),
            servers: servers.max(*others),
            uncounted: uncounted.max(*more),
            shortest: shortest.max(*longer),
        }),
        (Warning::GapsUnseen { seconds: a, .. }, Warning::GapsUnseen { seconds: b, .. }) => {
            Some(if a >= b { known.clone() } else { other.clone() })
        }
        (Warning::FewSamples { requests: a }, Warning::FewSamples { requests: b }) => {
            Some(Warning::FewSamples { requests: *a.min(b) })
        }
        (Warning::NotSteady { change: a }, Warning::NotSteady { change: b }) => {
            Some(Warning::NotSteady { change: if a.abs() > b.abs() { *a } else { *b } })
        }
        _ => (known == other).then(|| known.clone()),
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{analyse, synthetic};
    use crate::observation::VALID;

    #[test]
    fn figures_that_must_not_be_used_are_not_called_sound_and_one_subject_is_not_called_the_worst() {
        let mut recordings = synthetic::recordings()[3..4].to_vec();
        let outcomes = &mut recordings[0].load.as_mut().unwrap().seconds[0].outcomes;
        let valid = outcomes.class_mut(VALID);
        valid.accepted -= 300;
        valid.refused += 300;
        let VerdictBox { headline, facts, .. } = VerdictBox::of(&analyse(&recordings));
        assert_eq!(headline, "Invalid: do not use these figures");
        assert_eq!(facts, "300 answers were wrong; every request was answered.");
    }

    #[test]
    fn a_reason_that_subjects_share_is_said_once_with_its_worst_figure() {
        let mut recordings = synthetic::recordings();
        recordings[1].conditions.cpu_pressure_percent = Some(31.0);
        recordings[3].conditions.cpu_pressure_percent = Some(44.0);
        recordings[4].conditions.steal_percent = Some(9.0);
        let analysis = analyse(&recordings);
        let doubts = doubts(&analysis);
        let subjects: Vec<_> = doubts.iter().map(|doubt| (doubt.class, doubt.subject.as_str())).collect();
        assert_eq!(subjects, [("doubtful", "jwt ML-DSA-65"), ("note", "introspection, jwt ES256")]);
        assert!(doubts[1].text.contains("44.0 %"), "{}", doubts[1].text);
        let trust = VerdictBox::of(&analysis);
        assert_eq!(trust.class, "doubtful");
        assert!(
            trust.facts.starts_with("No answer was wrong; every request was answered; "),
            "{}",
            trust.facts
        );
    }
}
