//! Small pictures side by side, one a subject, all with the same axes.

use crate::analysis::{Analysis, Summary};
use crate::report::charts::axis::{Axis, Plot};
use crate::report::charts::canvas::{Canvas, Size, Stand};
use crate::report::charts::{both, fitting, ink};

/// Pictures in a row on a wide page.
const ACROSS: usize = 5;
const LEFT: f64 = 58.0;
const GAP: f64 = 16.0;
/// Above a plot: the subject's name. Below it: the labels of the axis.
const NAME: f64 = 26.0;
const LABELS: f64 = 30.0;

/// With more pictures than that they are smaller, so that the page does not become a scroll.
const MANY: usize = 10;

/// Draws `panel` for every subject: five in a row, or one below the other on a phone, two in a row if they are many.
pub(super) fn draw(
    analysis: &Analysis,
    subjects: &[&Summary],
    label: &str,
    (x, y): (&dyn Fn(usize) -> Axis, &Axis),
    panel: impl Fn(&Canvas<'_>, &Plot, &Summary),
) -> [String; 2] {
    let many = subjects.len() > MANY;
    let (wide, narrow) = if many { (110.0, 66.0) } else { (210.0, 100.0) };
    let on_phone = if many { 2 } else { 1 };
    let rows = |across: usize| subjects.len().div_ceil(across) as f64;
    let sizes = [
        Size { width: 1080.0, height: rows(ACROSS) * (NAME + wide + LABELS) },
        Size { width: 358.0, height: rows(on_phone) * (NAME + narrow + LABELS) },
    ];
    both(label, sizes, |canvas| {
        let across = if canvas.is_narrow() { on_phone } else { ACROSS.min(subjects.len()) };
        for (index, summary) in subjects.iter().enumerate() {
            let (column, row) = (index % across, index / across);
            let (from, to) = place(canvas, across, column, row, subjects.len().div_ceil(across));
            let ticks = if !canvas.is_narrow() {
                4
            } else if many {
                2
            } else {
                5
            };
            let plot = Plot { from, to, x: x(ticks), y: y.clone() };
            plot.draw_y(canvas, column == 0);
            panel(canvas, &plot, summary);
            plot.draw_x(canvas);
            // On a phone the whole width is free, unless there are two in a row.
            let most = if canvas.is_narrow() { if many { 18 } else { 40 } } else { 25 };
            let name = fitting(&summary.subject.name, most);
            canvas.bold((from.0, from.1 - 13.0), &name, 13.0, ink(analysis, summary), Stand::Right);
        }
    })
}

/// Upper left and lower right corner of the plot in a column and a row.
fn place(
    canvas: &Canvas<'_>,
    across: usize,
    column: usize,
    row: usize,
    rows: usize,
) -> ((f64, f64), (f64, f64)) {
    let right = 14.0;
    let width = (canvas.size.width - LEFT - right - GAP * (across as f64 - 1.0)) / across as f64;
    let height = canvas.size.height / rows as f64;
    let from = (LEFT + (width + GAP) * column as f64, height * row as f64 + NAME);
    (from, (from.0 + width, height * (row + 1) as f64 - LABELS))
}
