//! Latency by percentile: every subject in one picture, every nine as wide as the next.

use crate::analysis::{Analysis, Percentile, Summary};
use crate::metric::{MetricId, Unit, significant};
use crate::report::charts::axis::{Axis, Plot};
use crate::report::charts::canvas::{Canvas, Point, Size, Stand};
use crate::report::charts::theme::{Ink, SERIES};
use crate::report::charts::{Chart, Data, both, fitting, ink};

/// A subject with the colour of its curve.
type Named<'a> = (&'a Summary, Ink);

/// Height of a line of the legend.
const LINE: f64 = 19.0;

/// Draws it, if anything was measured.
pub(super) fn draw(analysis: &Analysis) -> Option<Chart> {
    let shown: Vec<&Summary> =
        analysis.subjects.iter().filter(|summary| summary.series.percentiles.len() > 1).collect();
    let points = || shown.iter().flat_map(|summary| &summary.series.percentiles);
    let last = points().map(|point| point.q).reduce(f64::max)?;
    let low = points().map(|point| point.seconds).reduce(f64::min)?;
    let high = points().map(|point| point.seconds).reduce(f64::max)?;
    let title = "Latency by percentile";
    let named = named(analysis, &shown);
    let sizes = [
        Size { width: 1080.0, height: 400.0 },
        Size { width: 358.0, height: 340.0 + LINE * named.len() as f64 },
    ];
    let label = format!("{title}, logarithmic, for {}. The data is in the table below.", names(&shown));
    let [wide, narrow] = both(&label, sizes, |canvas| {
        let plot = plot(canvas, named.len(), Axis::nines(last), Axis::durations(low, high));
        plot.draw_y(canvas, true);
        few(canvas, &plot, &shown, last);
        plot.draw_x(canvas);
        let curve = |summary: &Summary, ink, width| {
            let places = summary.series.percentiles.iter().map(|point| plot.at(point.q, point.seconds));
            canvas.line(places, ink, width);
        };
        for summary in &shown {
            curve(summary, Ink::Series(0), 0.6);
        }
        for (summary, ink) in &named {
            curve(summary, *ink, 2.2);
        }
        legend(canvas, &plot, &named);
    });
    let others = if named.len() < shown.len() {
        format!(
            " {} of {} subjects are named, evenly from the quickest to the slowest 99th percentile; the others are the thin \
             lines, and all are in the table.",
            named.len(),
            shown.len()
        )
    } else {
        String::new()
    };
    let caption = "From the instant a request was due to its answer; the further right, the rarer. Both axes are \
                   logarithmic: every nine to the right is ten times rarer. Curves end where fewer than ten requests \
                   are left, and in the shaded part there are fewer than a hundred."
        .to_owned()
        + &others;
    Some(Chart { name: "latency-by-percentile", title, caption, wide, narrow, data: data(&shown) })
}

fn names(shown: &[&Summary]) -> String {
    shown.iter().map(|summary| summary.subject.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// Those whose curves have a name and a colour of their own: all, or as many as there are colours, the slowest and the
/// quickest among them, the control always.
fn named<'a>(analysis: &Analysis, shown: &[&'a Summary]) -> Vec<Named<'a>> {
    if shown.len() <= SERIES {
        return shown.iter().map(|summary| (*summary, ink(analysis, summary))).collect();
    }
    let (controls, others): (Vec<&Summary>, Vec<&Summary>) =
        shown.iter().partition(|summary| summary.is_control);
    let p99 = |summary: &Summary| {
        summary.estimates.get(&MetricId::LatencyP99).map_or(f64::INFINITY, |p99| p99.point)
    };
    let mut others: Vec<&Summary> =
        others.into_iter().filter(|summary| summary.subject.is_trusted()).collect();
    others.sort_by(|a, b| p99(a).total_cmp(&p99(b)));
    let wanted = (SERIES - 1).min(others.len());
    let chosen = (0..wanted).map(|rank| others[rank * (others.len() - 1) / (wanted - 1).max(1)]);
    let coloured = chosen.zip(1..).map(|(summary, colour)| (summary, Ink::Series(colour)));
    controls.into_iter().take(1).map(|control| (control, Ink::Series(0))).chain(coloured).collect()
}

fn plot(canvas: &Canvas<'_>, count: usize, x: Axis, y: Axis) -> Plot {
    let (right, below) = if canvas.is_narrow() { (24.0, 36.0 + LINE * count as f64) } else { (190.0, 36.0) };
    let to = (canvas.size.width - right, canvas.size.height - below);
    Plot { from: (60.0, 10.0), to, x, y }
}

/// Shades where a quantile has fewer than 100 requests beyond it, for any subject.
fn few(canvas: &Canvas<'_>, plot: &Plot, shown: &[&Summary], last: f64) {
    let points = shown.iter().flat_map(|summary| &summary.series.percentiles);
    if let Some(first) = points.filter(|point| point.few_samples).map(|point| point.q).reduce(f64::min) {
        let (x, _) = plot.at(first, 0.0);
        canvas.rectangle((x, plot.from.1), plot.to, Ink::Muted, 0.08);
        if plot.at(last, 0.0).0 - x > 75.0 {
            canvas.text((x + 6.0, plot.to.1 - 11.0), "few samples", 11.0, Ink::Muted, Stand::Right);
        }
    }
}

/// At the ends of the curves where there is room, else below.
fn legend(canvas: &Canvas<'_>, plot: &Plot, named: &[Named<'_>]) {
    if canvas.is_narrow() {
        for (index, (summary, ink)) in named.iter().enumerate() {
            let y = plot.to.1 + 44.0 + LINE * index as f64;
            canvas.line([(plot.from.0, y), (plot.from.0 + 22.0, y)], *ink, 2.5);
            canvas.text((plot.from.0 + 30.0, y), &summary.subject.name, 13.0, Ink::Text, Stand::Right);
        }
        return;
    }
    let mut ends: Vec<(Point, Named<'_>)> = named
        .iter()
        .filter_map(|(summary, ink)| {
            let Percentile { q, seconds, .. } = *summary.series.percentiles.last()?;
            Some((plot.at(q, seconds), (*summary, *ink)))
        })
        .collect();
    ends.sort_by(|a, b| a.0.1.total_cmp(&b.0.1));
    for (y, (end, (summary, colour))) in spread(&ends).into_iter().zip(ends) {
        canvas.line([(end.0 + 2.0, end.1), (plot.to.0 + 14.0, y), (plot.to.0 + 20.0, y)], colour, 1.0);
        canvas.bold((plot.to.0 + 25.0, y), &fitting(&summary.subject.name, 22), 13.0, colour, Stand::Right);
    }
}

/// Heights from top to bottom, moved so far apart that names do not touch.
fn spread(ends: &[(Point, Named<'_>)]) -> Vec<f64> {
    let mut heights: Vec<f64> = ends.iter().map(|(end, _)| end.1).collect();
    // Each pass moves neighbours apart by half of what is missing.
    for _ in 0..200 {
        for index in 1..heights.len() {
            let missing = LINE - (heights[index] - heights[index - 1]);
            if missing > 0.0 {
                heights[index - 1] -= missing / 2.0;
                heights[index] += missing / 2.0;
            }
        }
        if let Some(first) = heights.first_mut() {
            *first = first.max(12.0);
        }
    }
    heights
}

fn data(shown: &[&Summary]) -> Data {
    let at = [0.0, 0.5, 0.9, 0.99, 0.999, 0.9999];
    let near = |summary: &Summary, q: f64| {
        let found = summary.series.percentiles.iter().find(|point| (point.q - q).abs() < 1e-9);
        found.map_or_else(|| "–".to_owned(), |point| Unit::Seconds.show(point.seconds))
    };
    let headings = std::iter::once("subject".to_owned())
        .chain(
            at.iter()
                .map(|q| format!("{} %", if *q == 0.0 { "0".to_owned() } else { significant_percent(*q) })),
        )
        .collect();
    let rows = shown
        .iter()
        .map(|summary| {
            std::iter::once(summary.subject.name.clone())
                .chain(at.iter().map(|q| near(summary, *q)))
                .collect()
        })
        .collect();
    Data { headings, rows }
}

fn significant_percent(q: f64) -> String {
    match q {
        q if q < 0.995 => significant(q * 100.0).trim_end_matches(".0").to_owned(),
        q => format!("{:.2}", q * 100.0).trim_end_matches('0').to_owned(),
    }
}
