//! CPU time of a request, that of the resource servers and on top of it that of the authorization server: introspection moves
//! work from the one to the other.

use crate::analysis::{Analysis, Summary};
use crate::metric::MetricId;
use crate::report::cell::Cell;
use crate::report::charts::axis::{Axis, Plot, short};
use crate::report::charts::canvas::{Canvas, Size, Stand};
use crate::report::charts::theme::Ink;
use crate::report::charts::{Chart, Data, both, fitting, ink};

const RESOURCE: MetricId = MetricId::CpuResourceServer;
const AUTHORIZATION: MetricId = MetricId::CpuAuthorizationServer;
const STORE: MetricId = MetricId::StoreCpu;

/// What a subject costs, in CPU seconds per million requests.
struct Cost<'a> {
    summary: &'a Summary,
    resource: f64,
    /// With the program that keeps its tokens, if there is one.
    authorization: f64,
}

impl Cost<'_> {
    fn whole(&self) -> f64 {
        self.resource + self.authorization
    }
}

/// Draws it, if two subjects or more were watched.
pub(super) fn draw(analysis: &Analysis) -> Option<Chart> {
    let point = |summary: &Summary, metric| summary.estimates.get(&metric).map(|estimate| estimate.point);
    let cost = |summary| {
        let authorization =
            point(summary, AUTHORIZATION).unwrap_or(0.0) + point(summary, STORE).unwrap_or(0.0);
        Some(Cost { summary, resource: point(summary, RESOURCE)?, authorization })
    };
    let mut shown: Vec<Cost<'_>> = analysis.subjects.iter().filter_map(cost).collect();
    shown.sort_by(|a, b| a.whole().total_cmp(&b.whole()));
    let highest = shown.last().filter(|_| shown.len() > 1)?.whole();
    let title = "CPU time per million requests";
    let label = format!("{title} of each subject, of both kinds of server. The data is in the table below.");
    let rows = shown.len() as f64;
    let sizes = [
        Size { width: 1080.0, height: 34.0 + 27.0 * rows },
        Size { width: 358.0, height: 34.0 + 42.0 * rows },
    ];
    let [wide, narrow] = both(&label, sizes, |canvas| {
        let (left, labels) = if canvas.is_narrow() { (14.0, 3) } else { (224.0, 6) };
        let x = Axis::linear(highest * 1.02, labels, |value| format!("{} s", short(value)));
        let to = (canvas.size.width - 84.0, canvas.size.height - 30.0);
        let plot = Plot { from: (left, 4.0), to, x, y: Axis::linear(1.0, 1, |_| String::new()) };
        plot.draw_x(canvas);
        for (index, cost) in shown.iter().enumerate() {
            bar(canvas, &plot, analysis, (index, shown.len()), cost);
        }
    });
    let has_stores = shown.iter().any(|cost| point(cost.summary, STORE).is_some());
    let keeping = if has_stores { ", with the program that keeps its tokens" } else { "" };
    let caption = format!(
        "CPU time, system calls included, per million API requests: of all resource servers (solid) and, stacked on it, \
         of the authorization server{keeping} (pale). Less is better."
    );
    let store = if has_stores { Some("store") } else { None };
    let per_core = if has_stores { "requests/s per core of all" } else { "requests/s per core of both" };
    let headings =
        ["subject", "resource servers", "authorization server"].into_iter().chain(store).chain([per_core]);
    let data = Data {
        headings: headings.map(str::to_owned).collect(),
        rows: shown.iter().map(|cost| row(cost, has_stores)).collect(),
    };
    Some(Chart { name: "cpu-cost", title, caption, wide, narrow, data })
}

fn row(cost: &Cost<'_>, has_stores: bool) -> Vec<String> {
    let per_core = if cost.whole() > 0.0 { short(1e6 / cost.whole()) } else { "–".to_owned() };
    let mut row = vec![
        cost.summary.subject.name.clone(),
        Cell::of(cost.summary, RESOURCE).line(),
        Cell::of(cost.summary, AUTHORIZATION).line(),
    ];
    if has_stores {
        row.push(Cell::of(cost.summary, STORE).line());
    }
    row.push(per_core);
    row
}

fn bar(
    canvas: &Canvas<'_>,
    plot: &Plot,
    analysis: &Analysis,
    (index, count): (usize, usize),
    cost: &Cost<'_>,
) {
    let height = (plot.to.1 - plot.from.1) / count as f64;
    let top = plot.from.1 + height * index as f64;
    let (name, ink) = (&fitting(&cost.summary.subject.name, 24), ink(analysis, cost.summary));
    let (from, to) =
        if canvas.is_narrow() { (top + 18.0, top + height - 6.0) } else { (top + 4.0, top + height - 4.0) };
    let middle = f64::midpoint(from, to);
    if canvas.is_narrow() {
        canvas.bold((plot.from.0, top + 9.0), name, 13.0, ink, Stand::Right);
    } else {
        canvas.bold((plot.from.0 - 12.0, middle), name, 13.0, ink, Stand::Left);
    }
    let [between, end] =
        [cost.resource, cost.whole()].map(|value| plot.at(value, 0.0).0.max(plot.from.0 + 1.0));
    canvas.rectangle((plot.from.0, from), (between, to), ink, 0.8);
    canvas.rectangle((between, from), (end, to), ink, 0.35);
    canvas.text((end + 8.0, middle), &RESOURCE.show(cost.whole()), 13.0, Ink::Text, Stand::Right);
}
