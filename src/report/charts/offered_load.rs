//! Latency against offered load: how far each subject goes before its latency turns up.

use crate::analysis::{Analysis, Ladder, LoadPoint};
use crate::metric::{Threshold, Unit, thousands};
use crate::report::charts::axis::{Axis, Plot};
use crate::report::charts::canvas::{Canvas, Size, Stand};
use crate::report::charts::theme::{Ink, SERIES};
use crate::report::charts::{Chart, Data, both, fitting};

/// Height of a line of the legend.
const LINE: f64 = 20.0;
/// Half the width of a mark.
const MARK: f64 = 3.2;

/// A subject with the colour of its curves.
type Named<'a> = (&'a Ladder, Ink);

/// Draws it, if any subject was measured at several rates.
pub(super) fn draw(analysis: &Analysis) -> Option<Chart> {
    let named = named(&analysis.ladders);
    let points: Vec<&LoadPoint> = named.iter().flat_map(|(ladder, _)| &ladder.points).collect();
    if points.len() < 2 {
        return None;
    }
    let limit = limit(&analysis.ladders);
    let rates: Vec<f64> = points.iter().map(|point| point.rate).collect();
    let latencies: Vec<f64> = points
        .iter()
        .flat_map(|point| [point.p50, point.p99])
        .chain(limit.as_ref().map(|limit| limit.1))
        .collect();
    let (x, y) = (Axis::counts(&rates, |rate| thousands(&rate.to_string())), Axis::around(&latencies));
    let title = "Latency against offered load";
    let label = format!(
        "{title}: median and 99th percentile of each subject by rate. The data is in the table below."
    );
    let sizes = [
        Size { width: 1080.0, height: 420.0 },
        Size { width: 358.0, height: 320.0 + LINE * named.len() as f64 },
    ];
    let [wide, narrow] = both(&label, sizes, |canvas| {
        let (right, below) =
            if canvas.is_narrow() { (16.0, 62.0 + LINE * named.len() as f64) } else { (230.0, 46.0) };
        let to = (canvas.size.width - right, canvas.size.height - below);
        let plot = Plot { from: (60.0, 12.0), to, x: x.clone(), y: y.clone() };
        plot.draw_y(canvas, true);
        plot.draw_x(canvas);
        plot.name_x(canvas, "requests per second");
        if let Some((written, seconds)) = &limit {
            let (left, height) = plot.at(plot.x.low(), *seconds);
            canvas.dashes((left, height), (plot.to.0, height), Ink::Mark, 1.6);
            canvas.text((left + 6.0, height - 9.0), written, 12.0, Ink::Mark, Stand::Right);
        }
        for (ladder, ink) in &named {
            curve(canvas, &plot, ladder, *ink);
        }
        legend(canvas, &plot, &named);
    });
    Some(Chart {
        name: "latency-by-load",
        title,
        caption: caption(analysis),
        wide,
        narrow,
        data: data(&named),
    })
}

/// Controls are grey, the others have colours in order.
fn named(ladders: &[Ladder]) -> Vec<Named<'_>> {
    let mut others = 0;
    let ink = |ladder: &Ladder| {
        if ladder.is_control {
            return Ink::Series(0);
        }
        others += 1;
        Ink::Series(1 + (others - 1) % (SERIES - 1))
    };
    let inks: Vec<Ink> = ladders.iter().map(ink).collect();
    ladders.iter().zip(inks).filter(|(ladder, _)| !ladder.points.is_empty()).collect()
}

/// The limit as it was written, and in seconds.
fn limit(ladders: &[Ladder]) -> Option<(String, f64)> {
    let written = ladders.iter().find_map(|ladder| ladder.limit.clone())?;
    let seconds = written.parse::<Threshold>().ok()?.limit;
    Some((written, seconds))
}

fn curve(canvas: &Canvas<'_>, plot: &Plot, ladder: &Ladder, ink: Ink) {
    for (of, width) in [((|point| point.p99) as fn(&LoadPoint) -> f64, 2.2), (|point| point.p50, 1.1)] {
        // What was spoiled is no part of a curve of the servers.
        let shown = ladder.points.iter().filter(|point| !point.is_spoiled);
        canvas.line(shown.map(|point| plot.at(point.rate, of(point))), ink, width);
    }
    for point in &ladder.points {
        let place = plot.at(point.rate, point.p99);
        if point.is_spoiled {
            let (x, y) = place;
            let reach = MARK + 2.5;
            canvas.line([(x - reach, y - reach), (x + reach, y + reach)], ink, 2.2);
            canvas.line([(x - reach, y + reach), (x + reach, y - reach)], ink, 2.2);
        } else {
            canvas.disc(place, MARK, ink);
        }
    }
}

/// To the right where there is room, else below.
fn legend(canvas: &Canvas<'_>, plot: &Plot, named: &[Named<'_>]) {
    let (left, top) = if canvas.is_narrow() {
        (plot.from.0, plot.to.1 + 56.0)
    } else {
        (plot.to.0 + 18.0, plot.from.1 + 12.0)
    };
    for (index, (ladder, ink)) in named.iter().enumerate() {
        let y = top + LINE * index as f64;
        canvas.line([(left, y), (left + 22.0, y)], *ink, 2.5);
        canvas.bold((left + 30.0, y), &fitting(&ladder.subject, 24), 13.0, *ink, Stand::Right);
    }
}

fn caption(analysis: &Analysis) -> String {
    let spoiled = analysis.ladders.iter().flat_map(|ladder| &ladder.points).any(|point| point.is_spoiled);
    let limit = analysis.ladders.iter().any(|ladder| ladder.limit.is_some());
    format!(
        "The thick line is the 99th percentile at each offered rate, the thin one the median, both from the instant a \
         request was due; both axes are logarithmic. Where a curve turns up, the servers no longer keep up.{}{}",
        if limit { " The dashed line is the limit." } else { "" },
        if spoiled {
            " A cross marks a rate at which the generator was late or the machine busy: it says nothing about the servers."
        } else {
            ""
        }
    )
}

fn data(named: &[Named<'_>]) -> Data {
    let row = |ladder: &Ladder, point: &LoadPoint| {
        vec![
            ladder.subject.clone(),
            thousands(&point.rate.to_string()),
            Unit::Seconds.show(point.p50),
            Unit::Seconds.show(point.p99),
            if point.is_spoiled { "spoiled" } else { "" }.to_owned(),
        ]
    };
    Data {
        headings: ["subject", "requests per second", "p50", "p99", ""].map(str::to_owned).to_vec(),
        rows: named
            .iter()
            .flat_map(|(ladder, _)| ladder.points.iter().map(|point| row(ladder, point)))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{analyse, synthetic};

    #[test]
    fn curves_limit_and_spoiled_steps_are_drawn_of_a_search_and_of_a_sweep() {
        for recordings in [synthetic::search(), synthetic::sweep()] {
            let chart = draw(&analyse(&recordings)).unwrap();
            assert!(chart.wide.contains("p(99)&lt;5ms") || chart.wide.contains("p(99)<5ms"), "the limit");
            assert!(chart.caption.contains("A cross marks"), "{}", chart.caption);
            assert!(chart.data.rows.len() >= 9, "{:?}", chart.data.rows);
            assert!(chart.data.rows.iter().any(|row| row[4] == "spoiled"));
        }
        assert!(draw(&analyse(&synthetic::recordings()[..1])).is_none());
    }
}
