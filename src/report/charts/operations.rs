//! What the pictures of timed operations share: whose times there are, and their table.

use crate::analysis::{Analysis, Summary};
use crate::metric::MetricId;
use crate::report::cell::Cell;
use crate::report::charts::Data;
use crate::report::charts::scatter::Dot;

/// Of fewer the table says all that a picture could.
const FEWEST: usize = 4;

/// Every subject but controls with both values above zero; none if fewer than four have them, or none was timed by itself.
pub(super) fn dots(analysis: &Analysis, x: MetricId, y: MetricId) -> Option<Vec<Dot<'_>>> {
    let value = |summary: &Summary, metric| {
        summary.estimates.get(&metric).map(|estimate| estimate.point).filter(|value| *value > 0.0)
    };
    let dot = |summary| Some(Dot { summary, x: value(summary, x)?, y: value(summary, y)? });
    // What a control takes is next to nothing, and would push all others into a corner.
    let subjects = analysis.subjects.iter().filter(|summary| !summary.is_control);
    let dots: Vec<Dot<'_>> = subjects.filter_map(dot).collect();
    (dots.len() >= FEWEST).then_some(dots)
}

/// The subjects, for those who cannot see them.
pub(super) fn names(dots: &[Dot<'_>]) -> String {
    dots.iter().map(|dot| dot.summary.subject.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// A row a subject, its metrics with their intervals, and what is known of the implementation.
pub(super) fn data(dots: &[Dot<'_>], metrics: &[MetricId]) -> Data {
    let headings = std::iter::once("subject".to_owned())
        .chain(metrics.iter().map(ToString::to_string))
        .chain(["published test vectors".to_owned()]);
    let row = |summary: &Summary| {
        let conformance = summary.subject.scheme.as_ref().map(|scheme| scheme.conformance_in_words.clone());
        std::iter::once(summary.subject.name.clone())
            .chain(metrics.iter().map(|metric| Cell::of(summary, *metric).line()))
            .chain([conformance.unwrap_or_default()])
            .collect()
    };
    Data { headings: headings.collect(), rows: dots.iter().map(|dot| row(dot.summary)).collect() }
}
