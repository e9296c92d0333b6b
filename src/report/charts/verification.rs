//! Verification time against the size of a token: what a request pays for its signature, in time and in bytes.

use crate::analysis::Analysis;
use crate::metric::{MetricId, thousands};
use crate::report::charts::axis::{Axis, Plot};
use crate::report::charts::canvas::Size;
use crate::report::charts::operations::{data, dots, names};
use crate::report::charts::{Chart, both, scatter};

/// Draws it, if two subjects or more have times.
pub(super) fn draw(analysis: &Analysis) -> Option<Chart> {
    let dots = dots(analysis, MetricId::TokenBytes, MetricId::VerifyP50)?;
    let title = "Verification time and token size";
    let label = format!("{title}, both logarithmic, for {}. The data is in the table below.", names(&dots));
    let sizes = [
        Size { width: 1080.0, height: 520.0 },
        Size { width: 358.0, height: 400.0 + scatter::legend_height(&dots) },
    ];
    let [wide, narrow] = both(&label, sizes, |canvas| {
        let below = 44.0 + if canvas.is_narrow() { scatter::legend_height(&dots) } else { 0.0 };
        let x = Axis::counts(&dots.iter().map(|dot| dot.x).collect::<Vec<_>>(), |size| {
            thousands(&size.to_string())
        });
        let y = Axis::around(&dots.iter().map(|dot| dot.y).collect::<Vec<_>>());
        let to = (canvas.size.width - 34.0, canvas.size.height - below);
        let plot = Plot { from: (60.0, 10.0), to, x, y };
        plot.draw_y(canvas, true);
        plot.draw_x(canvas);
        plot.name_x(canvas, "characters of a token");
        scatter::draw(canvas, &plot, &dots);
    });
    let caption = format!(
        "Median time to verify one signature, with the key prepared as far as the library allows, on one core that does nothing else, against the characters of \
         the token in every request. Lower is quicker, further left is shorter. {}",
        scatter::READING
    );
    let metrics = [MetricId::TokenBytes, MetricId::SignatureBytes, MetricId::VerifyP50, MetricId::VerifyP99];
    Some(Chart { name: "verification-and-size", title, caption, wide, narrow, data: data(&dots, &metrics) })
}
