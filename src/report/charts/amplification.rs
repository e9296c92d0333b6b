//! Calls to the authorization server per API request: measured, expected, and the worst second.

use crate::analysis::{Analysis, Check, Estimate, Expected, Summary};
use crate::metric::MetricId;
use crate::report::cell::Cell;
use crate::report::charts::axis::{Axis, Plot, short};
use crate::report::charts::canvas::{Canvas, Size, Stand};
use crate::report::charts::theme::Ink;
use crate::report::charts::{Chart, Data, both, fitting, ink};

/// Draws it, if requests were counted.
pub(super) fn draw(analysis: &Analysis) -> Option<Chart> {
    let shown: Vec<(&Summary, Estimate)> = analysis
        .subjects
        .iter()
        .filter_map(|summary| Some((summary, *summary.estimates.get(&MetricId::Amplification)?)))
        .collect();
    let highest = shown
        .iter()
        .flat_map(|(summary, calls)| [Some(calls.point), peak(summary), expected(summary)])
        .flatten()
        .fold(0.1, f64::max);
    // Bars of no length say nothing that a sentence does not.
    let nobody_asks = shown
        .iter()
        .all(|(summary, calls)| calls.point < 0.001 && peak(summary).is_none_or(|peak| peak < 0.1));
    if shown.is_empty() || nobody_asks && shown.len() > 1 {
        return None;
    }
    let title = "Load on the authorization server";
    let label = format!("{title}: calls per API request of each subject. The data is in the table below.");
    let sizes = [
        Size { width: 1080.0, height: 34.0 + 36.0 * shown.len() as f64 },
        Size { width: 358.0, height: 34.0 + 52.0 * shown.len() as f64 },
    ];
    let [wide, narrow] = both(&label, sizes, |canvas| {
        let left = if canvas.is_narrow() { 14.0 } else { 200.0 };
        let labels = if canvas.is_narrow() { 4 } else { 6 };
        let x = Axis::linear(highest * 1.02, labels, short);
        let y = Axis::linear(1.0, 1, |_| String::new());
        let to = (canvas.size.width - 64.0, canvas.size.height - 30.0);
        let plot = Plot { from: (left, 4.0), to, x, y };
        plot.draw_x(canvas);
        for (index, (summary, calls)) in shown.iter().enumerate() {
            bar(canvas, &plot, analysis, (index, shown.len()), summary, calls);
        }
    });
    let caption =
        "Calls to the authorization server per API request over the whole window (bar), in the second with \
                   the most (ring), and what theory expects for this run (dashed)."
            .to_owned();
    Some(Chart { name: "amplification", title, caption, wide, narrow, data: data(&shown) })
}

fn bar(
    canvas: &Canvas<'_>,
    plot: &Plot,
    analysis: &Analysis,
    (index, count): (usize, usize),
    summary: &Summary,
    calls: &Estimate,
) {
    let height = (plot.to.1 - plot.from.1) / count as f64;
    let top = plot.from.1 + height * index as f64;
    let name = &fitting(&summary.subject.name, 24);
    let colour = ink(analysis, summary);
    let (from, to) =
        if canvas.is_narrow() { (top + 20.0, top + height - 10.0) } else { (top + 8.0, top + height - 8.0) };
    let middle = f64::midpoint(from, to);
    if canvas.is_narrow() {
        canvas.bold((plot.from.0, top + 9.0), name, 13.0, colour, Stand::Right);
    } else {
        canvas.bold((plot.from.0 - 12.0, middle), name, 13.0, colour, Stand::Left);
    }
    let end = plot.at(calls.point, 0.0).0;
    canvas.rectangle((plot.from.0, from), (end.max(plot.from.0 + 1.0), to), colour, 0.75);
    if let Some(expected) = expected(summary) {
        let x = plot.at(expected, 0.0).0;
        canvas.dashes((x, from - 2.0), (x, to + 4.0), Ink::Text, 1.8);
    }
    if let Some(peak) = peak(summary).filter(|peak| *peak > 0.0) {
        let x = plot.at(peak, 0.0).0;
        canvas.ring((x, middle), 4.5, Ink::Text);
    }
    let value = MetricId::Amplification.show(calls.point);
    canvas.text((plot.to.0 + 12.0, middle), &value, 13.0, Ink::Text, Stand::Right);
}

fn peak(summary: &Summary) -> Option<f64> {
    summary.estimates.get(&MetricId::AmplificationPeak).map(|peak| peak.point)
}

fn check(summary: &Summary) -> Option<&Check> {
    summary.checks.iter().find(|check| check.metric == MetricId::Amplification)
}

fn expected(summary: &Summary) -> Option<f64> {
    match check(summary)?.expected {
        Expected::Value { point, .. } => Some(point),
        _ => None,
    }
}

fn data(shown: &[(&Summary, Estimate)]) -> Data {
    let headings =
        ["subject", "calls per request", "most in a second", "expected"].map(str::to_owned).to_vec();
    let optional = |value: Option<f64>| {
        value.map_or_else(|| "–".to_owned(), |value| MetricId::Amplification.show(value))
    };
    let rows = shown
        .iter()
        .map(|(summary, calls)| {
            vec![
                summary.subject.name.clone(),
                Cell::shown(MetricId::Amplification, calls).line(),
                optional(peak(summary)),
                optional(expected(summary)),
            ]
        })
        .collect();
    Data { headings, rows }
}
