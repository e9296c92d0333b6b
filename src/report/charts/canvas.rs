//! A surface to draw on in CSS pixels, over plotters' SVG back end.

use plotters::backend::SVGBackend;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters::element::{Circle, Drawable, PathElement, PointCollection, Polygon, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontStyle, IntoFont, TextStyle};

use crate::report::charts::theme::{Ink, paint};

/// Plotters draws at whole pixels: four to one CSS pixel keep curves smooth.
const FINE: f64 = 4.0;

/// Width and height in CSS pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Size {
    pub(super) width: f64,
    pub(super) height: f64,
}

/// A place in CSS pixels from the upper left corner.
pub(super) type Point = (f64, f64);

/// What is drawn on.
pub(super) struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
    /// How large it is.
    pub(super) size: Size,
}

/// How a text stands at its place.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stand {
    /// Begins there.
    Right,
    /// Ends there.
    Left,
    /// Its middle is there.
    Middle,
}

/// Draws a picture; `label` says for those who cannot see it what it shows.
pub(super) fn render(size: Size, label: &str, draw: impl Fn(&Canvas<'_>)) -> String {
    let mut svg = String::new();
    {
        let fine = (pixel(size.width).unsigned_abs(), pixel(size.height).unsigned_abs());
        let area = SVGBackend::with_string(&mut svg, fine).into_drawing_area();
        draw(&Canvas { area, size });
    }
    let body = svg.split_once("<svg").and_then(|(_, rest)| rest.split_once('>')).map_or("", |(_, body)| body);
    let label = label.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
    let (width, height) = (size.width, size.height);
    let (across, down) = (width * FINE, height * FINE);
    format!(
        "<svg viewBox=\"0 0 {across} {down}\" width=\"{width}\" height=\"{height}\" role=\"img\" aria-label=\"{label}\">{}",
        tidy(&paint(body))
    )
}

/// Leaves out what every element repeats.
fn tidy(svg: &str) -> String {
    svg.replace(" opacity=\"1\"", "")
        .replace(" font-family=\"sans-serif\"", "")
        .replace(" stroke=\"none\"", "")
}

#[expect(clippy::cast_possible_truncation, reason = "a picture is a few thousand pixels wide")]
fn pixel(css: f64) -> i32 {
    (css * FINE).round() as i32
}

fn fine((x, y): Point) -> (i32, i32) {
    (pixel(x), pixel(y))
}

impl<'a> Canvas<'a> {
    /// True for a phone.
    pub(super) fn is_narrow(&self) -> bool {
        self.size.width < 600.0
    }

    /// A text of that many pixels, vertically centred on its place.
    pub(super) fn text(&self, place: Point, text: &str, size: f64, ink: Ink, stand: Stand) {
        self.styled(place, text, size, ink, stand, FontStyle::Normal);
    }

    /// The same in bold.
    pub(super) fn bold(&self, place: Point, text: &str, size: f64, ink: Ink, stand: Stand) {
        self.styled(place, text, size, ink, stand, FontStyle::Bold);
    }

    fn styled(&self, place: Point, text: &str, size: f64, ink: Ink, stand: Stand, weight: FontStyle) {
        let position = match stand {
            Stand::Right => HPos::Left,
            Stand::Left => HPos::Right,
            Stand::Middle => HPos::Center,
        };
        // The back end divides sizes by 1.24.
        let font = ("sans-serif", size * FINE * 1.24).into_font().style(weight);
        let colour = ink.stand_in();
        let style = TextStyle::from(font).color(&colour).pos(Pos::new(position, VPos::Center));
        self.draw(&Text::new(text.to_owned(), fine(place), style));
    }

    /// A line through places.
    pub(super) fn line(&self, places: impl IntoIterator<Item = Point>, ink: Ink, width: f64) {
        let style = ink.stand_in().stroke_width(pixel(width).unsigned_abs());
        self.draw(&PathElement::new(places.into_iter().map(fine).collect::<Vec<_>>(), style));
    }

    /// A line of short strokes from one place to another.
    pub(super) fn dashes(&self, from: Point, to: Point, ink: Ink, width: f64) {
        let length = (to.0 - from.0).hypot(to.1 - from.1);
        let at = |along: f64| {
            let share = (along / length).min(1.0);
            (from.0 + (to.0 - from.0) * share, from.1 + (to.1 - from.1) * share)
        };
        let mut along = 0.0;
        while along < length {
            self.line([at(along), at(along + 4.0)], ink, width);
            along += 7.0;
        }
    }

    /// A filled shape.
    pub(super) fn fill(&self, places: impl IntoIterator<Item = Point>, ink: Ink, opacity: f64) {
        let places: Vec<_> = places.into_iter().map(fine).collect();
        self.draw(&Polygon::new(places, ink.stand_in().mix(opacity).filled()));
    }

    /// A filled rectangle.
    pub(super) fn rectangle(&self, from: Point, to: Point, ink: Ink, opacity: f64) {
        self.draw(&Rectangle::new([fine(from), fine(to)], ink.stand_in().mix(opacity).filled()));
    }

    /// A filled circle.
    pub(super) fn disc(&self, centre: Point, radius: f64, ink: Ink) {
        self.draw(&Circle::new(fine(centre), pixel(radius), ink.stand_in().filled()));
    }

    /// A ring.
    pub(super) fn ring(&self, centre: Point, radius: f64, ink: Ink) {
        self.draw(&Circle::new(
            fine(centre),
            pixel(radius),
            ink.stand_in().stroke_width(pixel(2.0).unsigned_abs()),
        ));
    }

    fn draw<'e, E>(&self, element: &'e E)
    where
        &'e E: PointCollection<'e, (i32, i32)>,
        E: Drawable<SVGBackend<'a>>,
    {
        self.area.draw(element).expect("a text takes any drawing");
    }
}
