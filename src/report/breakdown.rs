//! Two tables: where the time of each subject goes, and latency by kind of token and of answer.

use crate::analysis::{Analysis, Breakdown, Class, Part, Summary};
use crate::metric::{Unit, thousands};

/// A part of the latency of a subject.
#[derive(Debug)]
pub(super) struct PartRow {
    pub(super) subject: String,
    pub(super) part: &'static str,
    /// Median, 99th percentile and mean, each with its share.
    pub(super) cells: [String; 3],
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

/// Every part of every subject, and below them what they make together.
pub(super) fn part_rows(analysis: &Analysis) -> Vec<PartRow> {
    analysis.subjects.iter().flat_map(parts).collect()
}

/// Every class of every subject.
pub(super) fn class_rows(analysis: &Analysis) -> Vec<ClassRow> {
    let classes = |summary: &Summary| -> Vec<ClassRow> {
        summary.breakdown.classes.iter().map(|class| class_row(&summary.subject.name, class)).collect()
    };
    analysis.subjects.iter().flat_map(classes).collect()
}

fn parts(summary: &Summary) -> Vec<PartRow> {
    let Breakdown { latency, parts, .. } = &summary.breakdown;
    let Some(latency) = latency.filter(|_| !parts.is_empty()) else { return Vec::new() };
    // That of the latency leaves out requests that failed, those of the parts do not all.
    let mean: f64 = parts.iter().map(|(_, part)| part.mean).sum();
    let row = |part, cells| PartRow { subject: summary.subject.name.clone(), part, cells };
    let of = |seconds, whole: f64| {
        let share = if whole > 0.0 { 100.0 * seconds / whole } else { 0.0 };
        format!("{} ({share:.0} %)", Unit::Seconds.show(seconds))
    };
    let each = parts.iter().map(|(part, found)| {
        row(word(*part), [of(found.p50, latency.p50), of(found.p99, latency.p99), of(found.mean, mean)])
    });
    let whole = [latency.p50, latency.p99, mean].map(|seconds| Unit::Seconds.show(seconds));
    each.chain([row("latency", whole)]).collect()
}

fn word(part: Part) -> &'static str {
    match part {
        Part::Lag => "generator lag",
        Part::Wait => "wait for a connection",
        Part::FirstByte => "until the first byte",
        Part::Response => "rest of the answer",
    }
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
    fn the_parts_of_a_latency_stand_above_it_and_their_shares_of_the_mean_add_up() {
        let analysis = analyse(&synthetic::recordings());
        let rows = part_rows(&analysis);
        assert_eq!(rows.len(), 5 * 5, "four parts and their whole, five subjects");
        let share =
            |cell: &str| cell.split_once('(').unwrap().1.trim_end_matches(" %)").parse::<f64>().unwrap();
        let shares: f64 = rows[..4].iter().map(|row| share(&row.cells[2])).sum();
        assert!((98.0..=102.0).contains(&shares), "{shares}");
        assert_eq!((rows[4].part, rows[4].cells[0].contains('%')), ("latency", false));
        assert_eq!(class_rows(&analysis).len(), 5 * 6);
    }
}
