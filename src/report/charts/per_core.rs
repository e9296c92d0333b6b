//! Requests that the resource servers decide per second of CPU time, from what the load took.

use crate::analysis::{Analysis, Estimate, Summary};
use crate::metric::MetricId;
use crate::report::cell::Cell;
use crate::report::charts::axis::{Axis, Plot, short};
use crate::report::charts::canvas::{Canvas, Size, Stand};
use crate::report::charts::theme::Ink;
use crate::report::charts::{Chart, Data, both, fitting, scatter};

const METRIC: MetricId = MetricId::ThroughputPerCore;

/// Draws it, if two subjects or more have times of their signature.
pub(super) fn draw(analysis: &Analysis) -> Option<Chart> {
    let timed = |summary: &&Summary| summary.estimates.contains_key(&MetricId::VerifyP50);
    if analysis.subjects.iter().filter(timed).count() < 2 {
        return None;
    }
    let mut shown: Vec<(&Summary, Estimate)> = analysis
        .subjects
        .iter()
        .filter_map(|summary| Some((summary, *summary.estimates.get(&METRIC)?)))
        .collect();
    shown.sort_by(|a, b| b.1.point.total_cmp(&a.1.point));
    let highest = shown.iter().map(|(_, value)| value.high.unwrap_or(value.point)).reduce(f64::max)?;
    let title = "Requests per second and core";
    let label = format!("{title} of each subject. The data is in the table below.");
    let rows = shown.len() as f64;
    let sizes = [
        Size { width: 1080.0, height: 34.0 + 27.0 * rows },
        Size { width: 358.0, height: 34.0 + 42.0 * rows },
    ];
    let [wide, narrow] = both(&label, sizes, |canvas| {
        let (left, labels) = if canvas.is_narrow() { (14.0, 3) } else { (224.0, 6) };
        let x = Axis::linear(highest * 1.02, labels, |value| format!("{} k", short(value / 1e3)));
        let to = (canvas.size.width - 84.0, canvas.size.height - 30.0);
        let plot = Plot { from: (left, 4.0), to, x, y: Axis::linear(1.0, 1, |_| String::new()) };
        plot.draw_x(canvas);
        for (index, (summary, value)) in shown.iter().enumerate() {
            bar(canvas, &plot, (index, shown.len()), summary, value);
        }
    });
    let caption = "Requests that the resource servers decided under the load, divided by the CPU time they used for it, HTTP \
                   included. It is extrapolated from the offered rate to a core that is always busy, and no upper bound: at \
                   another rate a request may cost more or less. The thin line is the 95 % \
                   interval. Blue: classical signatures; orange: those that withstand a quantum computer as far as is \
                   known; grey: controls; hollow: implementations that are known to decide wrongly."
        .to_owned();
    let data = Data {
        headings: ["subject", "requests per second and core"].map(str::to_owned).to_vec(),
        rows: shown
            .iter()
            .map(|(summary, value)| vec![summary.subject.name.clone(), Cell::shown(METRIC, value).line()])
            .collect(),
    };
    Some(Chart { name: "requests-per-core", title, caption, wide, narrow, data })
}

fn bar(
    canvas: &Canvas<'_>,
    plot: &Plot,
    (index, count): (usize, usize),
    summary: &Summary,
    value: &Estimate,
) {
    let height = (plot.to.1 - plot.from.1) / count as f64;
    let top = plot.from.1 + height * index as f64;
    let (name, ink) = (&fitting(&summary.subject.name, 24), scatter::ink(summary));
    let (from, to) =
        if canvas.is_narrow() { (top + 18.0, top + height - 6.0) } else { (top + 4.0, top + height - 4.0) };
    let middle = f64::midpoint(from, to);
    if canvas.is_narrow() {
        canvas.bold((plot.from.0, top + 9.0), name, 13.0, ink, Stand::Right);
    } else {
        canvas.bold((plot.from.0 - 12.0, middle), name, 13.0, ink, Stand::Left);
    }
    let end = plot.at(value.point, 0.0).0.max(plot.from.0 + 1.0);
    if summary.subject.is_trusted() {
        canvas.rectangle((plot.from.0, from), (end, to), ink, 0.75);
    } else {
        let corners = [(plot.from.0, from), (end, from), (end, to), (plot.from.0, to), (plot.from.0, from)];
        canvas.line(corners, ink, 1.6);
    }
    if let (true, Some(high)) = (value.is_interval(), value.high) {
        canvas.line([(plot.at(value.low, 0.0).0, middle), (plot.at(high, 0.0).0, middle)], Ink::Text, 1.2);
    }
    canvas.text((plot.to.0 + 8.0, middle), &METRIC.show(value.point), 13.0, Ink::Text, Stand::Right);
}
