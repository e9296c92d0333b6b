//! Latency over time: median and 99th percentile of every second, with revocations and with what was done to servers.

use crate::analysis::{Analysis, Moment, Summary};
use crate::metric::Unit;
use crate::report::charts::axis::{Axis, Plot, short};
use crate::report::charts::canvas::{Canvas, Stand};
use crate::report::charts::theme::Ink;
use crate::report::charts::{Chart, Data, facets, ink};

/// Draws it, if anything was measured for two seconds or more.
pub(super) fn draw(analysis: &Analysis) -> Option<Chart> {
    let shown: Vec<&Summary> =
        analysis.subjects.iter().filter(|summary| summary.series.moments.len() > 1).collect();
    let moments = || shown.iter().flat_map(|summary| &summary.series.moments);
    let low = moments().map(|moment| moment.p50).reduce(f64::min)?;
    let high = moments().map(|moment| moment.p99).reduce(f64::max)?;
    let until = moments().map(|moment| moment.second + 1).max()? as f64;
    let title = "Latency over time";
    let label =
        format!("{title}: median and 99th percentile of every second of each subject. The data is below.");
    let x = |ticks| Axis::linear(until, ticks, |second| format!("{} s", short(second)));
    let [wide, narrow] =
        facets::draw(analysis, &shown, &label, (&x, &Axis::durations(low, high)), |canvas, plot, summary| {
            panel(canvas, plot, analysis, summary);
        });
    let marked = shown.iter().any(|summary| !summary.series.revocations.is_empty());
    let caption = format!(
        "The upper line is the 99th percentile of each second, the lower one the median; seconds of the measured \
         window, logarithmic.{}{}",
        if marked { " Marks on the time axis: a token was revoked." } else { "" },
        events(&shown)
    );
    Some(Chart { name: "latency-over-time", title, caption, wide, narrow, data: data(&shown) })
}

fn panel(canvas: &Canvas<'_>, plot: &Plot, analysis: &Analysis, summary: &Summary) {
    let colour = ink(analysis, summary);
    let curve = |of: fn(&Moment) -> f64| {
        // A second is drawn at its middle.
        summary.series.moments.iter().map(move |moment| (moment.second as f64 + 0.5, of(moment)))
    };
    for revoked in &summary.series.revocations {
        let (x, y) = plot.at(*revoked, 0.0);
        canvas.line([(x, y), (x, y - 9.0)], Ink::Mark, 1.6);
    }
    for mark in &summary.series.marks {
        let (x, _) = plot.at(mark.second, 0.0);
        canvas.dashes((x, plot.from.1), (x, plot.to.1), Ink::Mark, 1.0);
    }
    canvas.line(curve(|moment| moment.p99).map(|(x, y)| plot.at(x, y)), colour, 2.2);
    canvas.line(curve(|moment| moment.p50).map(|(x, y)| plot.at(x, y)), colour, 1.2);
    for (name, of) in [("p99", (|moment| moment.p99) as fn(&Moment) -> f64), ("p50", |moment| moment.p50)] {
        // Above the highest of the last points, so that the curve does not cross it.
        let last: Vec<_> = curve(of).map(|(x, y)| plot.at(x, y)).collect();
        let end = &last[last.len().saturating_sub(3)..];
        let top = end.iter().map(|place| place.1).fold(f64::INFINITY, f64::min);
        canvas.text((plot.to.0 - 4.0, top - 9.0), name, 11.0, Ink::Muted, Stand::Left);
    }
}

/// What the lines across mean: of the subject to which most was done, since some have no gateway.
fn events(shown: &[&Summary]) -> String {
    let most = shown.iter().max_by_key(|summary| summary.series.marks.len());
    let each: Vec<String> = most
        .into_iter()
        .flat_map(|summary| &summary.series.marks)
        .map(|mark| format!("{} at {} s", mark.what, short((mark.second * 10.0).round() / 10.0)))
        .collect();
    if each.is_empty() { String::new() } else { format!(" Broken lines: {}.", each.join(", ")) }
}

fn data(shown: &[&Summary]) -> Data {
    let mut headings = vec!["second".to_owned()];
    for summary in shown {
        headings.push(format!("{} p50", summary.subject.name));
        headings.push(format!("{} p99", summary.subject.name));
    }
    let last = shown.iter().flat_map(|summary| &summary.series.moments).map(|moment| moment.second).max();
    let rows = (0..=last.unwrap_or(0))
        .map(|second| {
            let mut row = vec![second.to_string()];
            for summary in shown {
                let moment = summary.series.moments.iter().find(|moment| moment.second == second);
                let show = |of: fn(&Moment) -> f64| {
                    moment.map_or_else(|| "–".to_owned(), |moment| Unit::Seconds.show(of(moment)))
                };
                row.extend([show(|moment| moment.p50), show(|moment| moment.p99)]);
            }
            row
        })
        .collect();
    Data { headings, rows }
}
