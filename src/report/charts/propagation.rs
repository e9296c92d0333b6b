//! How long revoked tokens are accepted: the share that is left, by time.

use crate::analysis::{Analysis, Expected, Summary, SurvivalStep};
use crate::metric::{MetricId, Unit};
use crate::report::charts::axis::{Axis, Plot, short};
use crate::report::charts::canvas::{Canvas, Point, Stand};
use crate::report::charts::theme::Ink;
use crate::report::charts::{Chart, Data, facets, ink};

/// Draws it, if a revocation was observed.
pub(super) fn draw(analysis: &Analysis) -> Option<Chart> {
    let shown: Vec<&Summary> =
        analysis.subjects.iter().filter(|summary| !summary.propagation.observations.is_empty()).collect();
    // Something to see even if every token was refused at once.
    let until = shown.iter().map(|summary| summary.series.survival.until).reduce(f64::max)?.max(1.0);
    let title = "Revocation: who still accepts the token";
    let label =
        format!("{title}: share of revoked tokens still accepted, by time. The data is in the table below.");
    let x = |ticks| Axis::linear(until, ticks, |second| format!("{} s", short(second)));
    let y = Axis::linear(1.0, 4, |share| format!("{} %", short(share * 100.0)));
    let [wide, narrow] = facets::draw(analysis, &shown, &label, (&x, &y), |canvas, plot, summary| {
        panel(canvas, plot, analysis, summary);
    });
    let caption = "Share of revoked tokens that a resource server still accepts, by the time since the revocation was \
                   acknowledged (Kaplan-Meier estimate). The true share lies between the two lines, which differ by the gap between probes. A \
                   dashed line is the longest time that the architecture allows."
        .to_owned();
    Some(Chart { name: "propagation", title, caption, wide, narrow, data: data(&shown, until) })
}

fn panel(canvas: &Canvas<'_>, plot: &Plot, analysis: &Analysis, summary: &Summary) {
    let colour = ink(analysis, summary);
    let survival = &summary.series.survival;
    let earliest = stairs(plot, &survival.earliest, survival.until);
    let latest = stairs(plot, &survival.latest, survival.until);
    let floor = [plot.at(survival.until, 0.0), plot.at(0.0, 0.0)];
    canvas.fill(earliest.iter().copied().chain(floor), colour, 0.14);
    canvas.fill(latest.iter().copied().chain(earliest.iter().rev().copied()), colour, 0.3);
    canvas.line(earliest, colour, 1.0);
    canvas.line(latest, colour, 2.2);
    if let Some(bound) = bound(summary) {
        let (x, bottom) = plot.at(bound, 0.0);
        if x < plot.to.0 {
            canvas.dashes((x, plot.from.1), (x, bottom), Ink::Mark, 1.4);
        }
    }
    if let (_, still @ 0.005..) = survival.at(survival.until) {
        let (x, y) = plot.at(survival.until, still);
        canvas.text((x - 6.0, y + 13.0), "not refused", 11.0, Ink::Muted, Stand::Left);
    }
}

/// Steps down, each at its instant.
fn stairs(plot: &Plot, steps: &[SurvivalStep], until: f64) -> Vec<Point> {
    let mut places = Vec::new();
    let mut share = 1.0;
    for step in steps {
        places.push(plot.at(step.after, share));
        places.push(plot.at(step.after, step.share));
        share = step.share;
    }
    places.push(plot.at(until, share));
    places
}

fn bound(summary: &Summary) -> Option<f64> {
    summary.checks.iter().find_map(|check| match check.expected {
        Expected::AtMost(bound) if check.metric == MetricId::PropagationMax && bound > 0.0 => Some(bound),
        _ => None,
    })
}

/// A row a subject: what was accepted, and the share that still accepts as time goes by.
fn data(shown: &[&Summary], until: f64) -> Data {
    let instants: Vec<f64> = (0..=10).map(|tenth| until * f64::from(tenth) / 10.0).collect();
    let headings = ["subject", "unsafe accepted", "in flight"].map(str::to_owned).into_iter();
    let headings =
        headings.chain(instants.iter().map(|after| format!("after {}", Unit::Seconds.show(*after))));
    let row = |summary: &&Summary| {
        let count = |metric: MetricId| {
            summary.estimates.get(&metric).map_or_else(|| "–".to_owned(), |count| metric.show(count.point))
        };
        let counts = [MetricId::UnsafeAcceptances, MetricId::InFlightAcceptances].map(count).into_iter();
        let name = std::iter::once(summary.subject.name.clone());
        name.chain(counts).chain(instants.iter().map(|after| share(summary, *after))).collect()
    };
    Data { headings: headings.collect(), rows: shown.iter().map(row).collect() }
}

/// The share of revoked tokens that are still accepted, from its earliest to its latest curve.
fn share(summary: &Summary, after: f64) -> String {
    let survival = &summary.series.survival;
    let (earliest, latest) = survival.at(after);
    let (earliest, latest) = (short(earliest * 100.0), short(latest * 100.0));
    match earliest == latest {
        _ if after > survival.until && latest != "0" => "not observed".to_owned(),
        true => format!("{latest} %"),
        false => format!("{earliest}–{latest} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{analyse, synthetic};

    #[test]
    fn the_data_counts_acceptances_in_flight_beside_the_unsafe_ones() {
        let mut recording = synthetic::recording(1);
        let event = &mut recording.events[0];
        let (began, acknowledged) = (event.began, event.ended.unwrap());
        let probes = &mut event.revocation_mut().unwrap().probes;
        let probe = probes.iter_mut().find(|probe| probe.sent > acknowledged).unwrap();
        (probe.accepted, probe.sent) = (true, began);
        let analysis = analyse(&[recording]);
        let data = draw(&analysis).unwrap().data;
        assert_eq!(data.headings[..3], ["subject", "unsafe accepted", "in flight"]);
        assert_eq!(data.rows[0][..3], ["introspection", "0", "1"]);
        assert!(data.rows.iter().all(|row| row.len() == data.headings.len()));
    }
}
