//! Subjects as points between two logarithmic axes, each with its name where there is room for it.

use crate::analysis::Summary;
use crate::report::charts::axis::Plot;
use crate::report::charts::canvas::{Canvas, Point, Stand};
use crate::report::charts::fitting;
use crate::report::charts::theme::Ink;

/// A subject and where it lies.
pub(super) struct Dot<'a> {
    pub(super) summary: &'a Summary,
    pub(super) x: f64,
    pub(super) y: f64,
}

/// Half the width of a mark.
const MARK: f64 = 5.5;
/// Height of a line of the legend.
pub(super) const LINE: f64 = 18.0;
/// More names than this do not fit into the picture on a phone: numbers stand for them.
const NAMES_ON_A_PHONE: usize = 5;
const SMALL: f64 = 12.0;

/// What colours, shapes and filling mean, for a caption.
pub(super) const READING: &str = "Blue circles are classical signatures, orange diamonds are post-quantum ones; hollow \
     marks are implementations that are known to decide wrongly (not conforming).";

/// How much room the names below the picture take on a phone.
pub(super) fn legend_height(dots: &[Dot<'_>]) -> f64 {
    if dots.len() > NAMES_ON_A_PHONE { dots.len().div_ceil(2) as f64 * LINE + 8.0 } else { 0.0 }
}

/// Draws every mark, then the names around them.
pub(super) fn draw(canvas: &Canvas<'_>, plot: &Plot, dots: &[Dot<'_>]) {
    let numbered = canvas.is_narrow() && dots.len() > NAMES_ON_A_PHONE;
    let places: Vec<Point> = dots.iter().map(|dot| plot.at(dot.x, dot.y)).collect();
    let mut taken: Vec<Area> = places.iter().map(|place| Area::around(*place, MARK, MARK)).collect();
    for (index, (dot, place)) in dots.iter().zip(&places).enumerate() {
        let name = if numbered { (index + 1).to_string() } else { fitting(&dot.summary.subject.name, 24) };
        let found = room(plot, *place, &name, &taken, index);
        let ink = ink(dot.summary);
        if found.is_apart {
            let (x, y) = found.area.nearest(*place);
            canvas.line([*place, (x, y)], Ink::Muted, 0.7);
        }
        let (x, y) = found.area.middle();
        canvas.text((x, y), &name, SMALL, ink, Stand::Middle);
        taken.push(found.area);
    }
    for (dot, place) in dots.iter().zip(&places) {
        mark(canvas, *place, dot.summary);
    }
    if numbered {
        legend(canvas, plot, dots);
    }
}

/// The colour of what kind of signature a subject has.
pub(super) fn ink(summary: &Summary) -> Ink {
    let post_quantum = summary.subject.scheme.as_ref().is_some_and(|scheme| scheme.post_quantum);
    match (summary.is_control, post_quantum) {
        (true, _) => Ink::Series(0),
        (false, false) => Ink::Series(1),
        (false, true) => Ink::Series(2),
    }
}

fn mark(canvas: &Canvas<'_>, (x, y): Point, summary: &Summary) {
    let (ink, solid) = (ink(summary), summary.subject.is_trusted());
    let is_round = ink != Ink::Series(2);
    let corners = [(x, y - MARK - 1.0), (x + MARK + 1.0, y), (x, y + MARK + 1.0), (x - MARK - 1.0, y)];
    match (is_round, solid) {
        (true, true) => canvas.disc((x, y), MARK - 0.5, ink),
        (true, false) => canvas.ring((x, y), MARK - 1.0, ink),
        (false, true) => canvas.fill(corners, ink, 1.0),
        (false, false) => canvas.line(corners.into_iter().chain([corners[0], corners[1]]), ink, 2.0),
    }
}

fn legend(canvas: &Canvas<'_>, plot: &Plot, dots: &[Dot<'_>]) {
    let rows = dots.len().div_ceil(2);
    for (index, dot) in dots.iter().enumerate() {
        let (column, row) = (index / rows, index % rows);
        let x = 4.0 + column as f64 * canvas.size.width / 2.0;
        let y = plot.to.1 + 52.0 + LINE * row as f64;
        canvas.bold((x + 18.0, y), &(index + 1).to_string(), SMALL, ink(dot.summary), Stand::Left);
        canvas.text((x + 24.0, y), &fitting(&dot.summary.subject.name, 22), SMALL, Ink::Text, Stand::Right);
    }
}

/// A rectangle that is taken.
#[derive(Clone, Copy, Debug)]
struct Area {
    from: Point,
    to: Point,
}

/// Where a name stands, and whether a line must lead to it.
struct Room {
    area: Area,
    is_apart: bool,
}

impl Area {
    fn around((x, y): Point, half_width: f64, half_height: f64) -> Self {
        Self { from: (x - half_width, y - half_height), to: (x + half_width, y + half_height) }
    }

    fn middle(self) -> Point {
        (f64::midpoint(self.from.0, self.to.0), f64::midpoint(self.from.1, self.to.1))
    }

    fn nearest(self, (x, y): Point) -> Point {
        (x.clamp(self.from.0, self.to.0), y.clamp(self.from.1, self.to.1))
    }

    /// How much of it another one covers, in square pixels.
    fn overlap(self, other: Self) -> f64 {
        let along = |a: f64, b: f64, c: f64, d: f64| (b.min(d) - a.max(c)).max(0.0);
        along(self.from.0, self.to.0, other.from.0, other.to.0)
            * along(self.from.1, self.to.1, other.from.1, other.to.1)
    }
}

/// The first place around a mark, nearest first, that nothing else takes; else the one that covers least.
fn room(plot: &Plot, place: Point, name: &str, taken: &[Area], own: usize) -> Room {
    // About the width of a letter of the page's font.
    let (half_width, half_height) = (name.chars().count() as f64 * SMALL * 0.285, SMALL * 0.55);
    let mut best: Option<(f64, Room)> = None;
    for distance in [0.0, 10.0, 20.0, 32.0, 46.0, 62.0, 80.0] {
        for (across, down) in [
            (1.0, 0.0),
            (-1.0, 0.0),
            (0.0, -1.0),
            (0.0, 1.0),
            (1.0, -1.0),
            (1.0, 1.0),
            (-1.0, -1.0),
            (-1.0, 1.0),
        ] {
            let x = place.0 + across * (MARK + 4.0 + distance + half_width);
            let y = place.1 + down * (MARK + 3.0 + distance + half_height);
            let area = Area::around((x, y), half_width, half_height);
            let outside = area.from.0 < plot.from.0 || area.to.0 > plot.to.0 + 30.0;
            if outside || area.from.1 < plot.from.1 || area.to.1 > plot.to.1 {
                continue;
            }
            let others = taken.iter().enumerate().filter(|(index, _)| *index != own);
            let covered: f64 = others.map(|(_, other)| area.overlap(*other)).sum();
            if best.as_ref().is_none_or(|(least, _)| covered < *least) {
                best = Some((covered, Room { area, is_apart: distance > 0.0 }));
            }
            if covered == 0.0 {
                break;
            }
        }
        if best.as_ref().is_some_and(|(covered, _)| *covered == 0.0) {
            break;
        }
    }
    let beside = || Area::around((place.0 + MARK + 4.0 + half_width, place.1), half_width, half_height);
    best.map_or_else(|| Room { area: beside(), is_apart: false }, |(_, room)| room)
}
