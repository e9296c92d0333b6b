//! Two tables: where the time of each subject goes, and latency by kind of token and of answer.

use crate::analysis::{Analysis, Breakdown, Class, Figures, LatencyPart, Summary};
use crate::metric::{Unit, thousands};

/// What a latency is made of, in the order in which it happens, and what that makes together.
const PARTS: [(&str, Option<LatencyPart>); 5] = [
    ("generator lag", Some(LatencyPart::Lag)),
    ("wait for a connection", Some(LatencyPart::Wait)),
    ("until the first byte", Some(LatencyPart::FirstByte)),
    ("rest of the answer", Some(LatencyPart::Response)),
    ("latency", None),
];

/// A subject, with a cell for each of [`PARTS`].
#[derive(Debug)]
pub(super) struct PartRow {
    pub(super) subject: String,
    pub(super) cells: Vec<PartCell>,
}

/// A part, each number with its share of that of the latency.
#[derive(Debug)]
pub(super) struct PartCell {
    pub(super) part: &'static str,
    pub(super) p50: String,
    pub(super) p99: String,
    pub(super) mean: String,
}

/// Requests with one class of token and one class of status.
#[derive(Debug)]
pub(super) struct ClassRow {
    pub(super) subject: String,
    pub(super) class: String,
    pub(super) status: String,
    pub(super) requests: String,
    pub(super) p50: String,
    pub(super) p99: String,
}

/// Every subject whose recording keeps the parts of its latency.
pub(super) fn part_rows(analysis: &Analysis) -> Vec<PartRow> {
    analysis.subjects.iter().filter_map(part_row).collect()
}

/// Every class of every subject.
pub(super) fn class_rows(analysis: &Analysis) -> Vec<ClassRow> {
    let classes = |summary: &Summary| -> Vec<ClassRow> {
        summary.breakdown.classes.iter().map(|class| class_row(&summary.subject.name, class)).collect()
    };
    analysis.subjects.iter().flat_map(classes).collect()
}

fn part_row(summary: &Summary) -> Option<PartRow> {
    let Breakdown { latency, parts, .. } = &summary.breakdown;
    let latency = latency.filter(|_| !parts.is_empty())?;
    // That of the latency leaves out requests that failed, those of the parts do not all.
    let mean: f64 = parts.iter().map(|(_, part)| part.mean).sum();
    let whole = Figures { mean, ..latency };
    let cell = |(name, part): (&'static str, Option<LatencyPart>)| match part {
        None => PartCell::of(name, &whole, |seconds, _| Unit::Seconds.show(seconds)),
        Some(part) => {
            let found = parts.iter().find(|(known, _)| *known == part);
            let measured = |(_, found): &(LatencyPart, Figures)| {
                PartCell::of(name, found, |seconds, of| share(seconds, of(&whole)))
            };
            found.map_or_else(|| PartCell::absent(name), measured)
        }
    };
    Some(PartRow { subject: summary.subject.name.clone(), cells: PARTS.map(cell).into() })
}

impl PartCell {
    /// `show` is given a number and which of the numbers it is.
    fn of(part: &'static str, figures: &Figures, show: impl Fn(f64, fn(&Figures) -> f64) -> String) -> Self {
        Self {
            part,
            p50: show(figures.p50, |of| of.p50),
            p99: show(figures.p99, |of| of.p99),
            mean: show(figures.mean, |of| of.mean),
        }
    }

    fn absent(part: &'static str) -> Self {
        let none = || "–".to_owned();
        Self { part, p50: none(), p99: none(), mean: none() }
    }
}

fn share(seconds: f64, whole: f64) -> String {
    let share = if whole > 0.0 { 100.0 * seconds / whole } else { 0.0 };
    format!("{} ({share:.0} %)", Unit::Seconds.show(seconds))
}

fn class_row(subject: &str, class: &Class) -> ClassRow {
    let few = if class.few_samples { " (few samples)" } else { "" };
    ClassRow {
        subject: subject.to_owned(),
        class: class.class.clone(),
        status: class.status.clone(),
        requests: thousands(&class.requests.to_string()),
        p50: Unit::Seconds.show(class.p50),
        p99: format!("{}{few}", Unit::Seconds.show(class.p99)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{analyse, synthetic};

    #[test]
    fn the_parts_of_a_latency_stand_beside_it_and_their_shares_of_the_mean_add_up() {
        let analysis = analyse(&synthetic::recordings());
        let rows = part_rows(&analysis);
        assert_eq!(rows.len(), 5);
        let share =
            |cell: &str| cell.split_once('(').unwrap().1.trim_end_matches(" %)").parse::<f64>().unwrap();
        for row in &rows {
            let (latency, parts) = row.cells.split_last().unwrap();
            let shares: f64 = parts.iter().map(|cell| share(&cell.mean)).sum();
            assert!((98.0..=102.0).contains(&shares), "{}: {shares}", row.subject);
            assert_eq!((latency.part, latency.p50.contains('%')), ("latency", false));
        }
        assert_eq!(class_rows(&analysis).len(), 5 * 6);
    }
}
