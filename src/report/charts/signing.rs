//! Signing against verification: what the one who issues pays, and what everybody who checks pays.

use crate::analysis::Analysis;
use crate::metric::MetricId;
use crate::report::charts::axis::{Axis, Plot};
use crate::report::charts::canvas::{Canvas, Size};
use crate::report::charts::operations::{data, dots, names};
use crate::report::charts::theme::Ink;
use crate::report::charts::{Chart, both, scatter};

/// Draws it, if two subjects or more have times.
pub(super) fn draw(analysis: &Analysis) -> Option<Chart> {
    let dots = dots(analysis, MetricId::VerifyP50, MetricId::SignP50)?;
    let title = "Signing and verification";
    let label =
        format!("{title} times, both logarithmic, for {}. The data is in the table below.", names(&dots));
    let sizes = [
        Size { width: 1080.0, height: 520.0 },
        Size { width: 358.0, height: 400.0 + scatter::legend_height(&dots) },
    ];
    let [wide, narrow] = both(&label, sizes, |canvas| {
        let below = 44.0 + if canvas.is_narrow() { scatter::legend_height(&dots) } else { 0.0 };
        let x = Axis::around(&dots.iter().map(|dot| dot.x).collect::<Vec<_>>());
        let y = Axis::around(&dots.iter().map(|dot| dot.y).collect::<Vec<_>>());
        let to = (canvas.size.width - 34.0, canvas.size.height - below);
        let plot = Plot { from: (60.0, 10.0), to, x, y };
        plot.draw_y(canvas, true);
        plot.draw_x(canvas);
        plot.name_x(canvas, "to verify (upwards: to sign)");
        alike(canvas, &plot);
        scatter::draw(canvas, &plot, &dots);
    });
    let caption = format!(
        "Median time to sign one token (upwards) and to verify it (to the right), on one core that does nothing else. A \
         token is signed once and verified with every request. Below the dashed line signing is quicker than verifying. {}",
        scatter::READING
    );
    let metrics = [
        MetricId::KeygenP50,
        MetricId::SignP50,
        MetricId::SignMean,
        MetricId::SignP99,
        MetricId::VerifyP50,
        MetricId::ValidationP50,
    ];
    Some(Chart {
        name: "signing-and-verification",
        title,
        caption,
        wide,
        narrow,
        data: data(&dots, &metrics),
    })
}

/// Where both take the same time.
fn alike(canvas: &Canvas<'_>, plot: &Plot) {
    let (low, high) = (plot.x.low().max(plot.y.low()), plot.x.high().min(plot.y.high()));
    if low < high {
        canvas.dashes(plot.at(low, low), plot.at(high, high), Ink::Muted, 1.0);
    }
}
