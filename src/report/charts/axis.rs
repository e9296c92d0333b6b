//! Axes: which values have a label, and where a value lies.

use crate::metric::{Unit, significant};
use crate::report::charts::canvas::{Canvas, Point, Stand};
use crate::report::charts::theme::Ink;

/// A range of values with labels.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    /// Where labels stand, and what they say.
    ticks: Vec<(f64, String)>,
    scale: fn(f64) -> f64,
}

/// A rectangle in which values have places.
#[derive(Clone, Debug)]
pub(super) struct Plot {
    /// Upper left corner.
    pub(super) from: Point,
    /// Lower right corner.
    pub(super) to: Point,
    /// Values from left to right.
    pub(super) x: Axis,
    /// Values from bottom to top.
    pub(super) y: Axis,
}

impl Axis {
    /// Durations from `low` to `high` seconds, each decade as wide as the next.
    pub(super) fn durations(low: f64, high: f64) -> Self {
        // A logarithm has no zero; clocks have no less than a nanosecond.
        Self::logarithmic(low.max(1e-9), high, plain)
    }

    /// Durations that hold all of `values`, with some room around them for marks and names.
    pub(super) fn around(values: &[f64]) -> Self {
        let (low, high) = ends(values);
        Self::durations(low / 1.4, high * 1.4)
    }

    /// Counts that hold all of `values`, with some room around them, each decade as wide as the next.
    pub(super) fn counts(values: &[f64], show: impl Fn(f64) -> String) -> Self {
        let (low, high) = ends(values);
        Self::logarithmic(low / 1.25, high * 1.25, show)
    }

    fn logarithmic(low: f64, high: f64, show: impl Fn(f64) -> String) -> Self {
        let bounds = steps(&[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0]);
        let low = bounds.iter().rev().find(|bound| **bound <= low).copied().unwrap_or(low);
        let high = bounds.iter().find(|bound| **bound >= high).copied().unwrap_or(high).max(low * 2.0);
        // Over more than three decades every label would be a ladder.
        let digits: &[f64] = if high / low > 1e3 { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let shown = steps(digits).into_iter().filter(|step| (low * 0.999..=high * 1.001).contains(step));
        let ticks = shown.map(|step| (step, show(step))).collect();
        Self { low, high, ticks, scale: f64::log10 }
    }

    /// Percentiles up to `last`: every nine takes the same room.
    pub(super) fn nines(last: f64) -> Self {
        let all = [
            (0.0, "0"),
            (0.5, "50"),
            (0.9, "90"),
            (0.99, "99"),
            (0.999, "99.9"),
            (0.9999, "99.99"),
            (0.99999, "99.999"),
        ];
        let ticks = all
            .into_iter()
            .filter(|(q, _)| *q <= last + 1e-9)
            .map(|(q, label)| (q, format!("{label} %")))
            .collect();
        Self { low: 0.0, high: last, ticks, scale: |q| -(1.0 - q).log10() }
    }

    /// From zero to about `high`, in up to `labels` round steps.
    pub(super) fn linear(high: f64, labels: usize, show: impl Fn(f64) -> String) -> Self {
        let rough = high / labels as f64;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 2.5, 5.0, 10.0]
            .map(|digit| digit * power)
            .into_iter()
            .find(|step| *step >= rough * 0.999);
        let step = step.unwrap_or(rough);
        let ticks = (0..=labels).map(|index| index as f64 * step).filter(|tick| *tick <= high * 1.0001);
        Self { low: 0.0, high, ticks: ticks.map(|tick| (tick, show(tick))).collect(), scale: |value| value }
    }

    /// Its smallest value.
    pub(super) fn low(&self) -> f64 {
        self.low
    }

    /// Its largest value.
    pub(super) fn high(&self) -> f64 {
        self.high
    }

    fn share(&self, value: f64) -> f64 {
        let scale = self.scale;
        (scale(value.clamp(self.low, self.high)) - scale(self.low)) / (scale(self.high) - scale(self.low))
    }
}

/// The smallest and the largest of some values.
fn ends(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::INFINITY, 0.0), |(low, high), value| (low.min(*value), high.max(*value)))
}

/// These digits in every decade from a nanosecond to hours.
fn steps(digits: &[f64]) -> Vec<f64> {
    (-9..5).flat_map(|decade| digits.iter().map(move |digit| digit * 10_f64.powi(decade))).collect()
}

/// A round duration without the zeros behind its point.
fn plain(seconds: f64) -> String {
    let scale = Unit::Seconds.scale(seconds);
    let digits = scale.digits(seconds);
    let digits =
        if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { &digits };
    format!("{digits} {}", scale.suffix)
}

/// Whole and half numbers as they are written by hand.
pub(super) fn short(value: f64) -> String {
    let digits = significant(value);
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.').to_owned() } else { digits }
}

impl Plot {
    /// Where a pair of values lies.
    pub(super) fn at(&self, x: f64, y: f64) -> Point {
        (
            self.from.0 + (self.to.0 - self.from.0) * self.x.share(x),
            self.to.1 - (self.to.1 - self.from.1) * self.y.share(y),
        )
    }

    /// Lines across with labels to the left, if there is room for them.
    pub(super) fn draw_y(&self, canvas: &Canvas<'_>, labels: bool) {
        for (value, label) in &self.y.ticks {
            let (_, y) = self.at(self.x.low, *value);
            canvas.line([(self.from.0, y), (self.to.0, y)], Ink::Grid, 1.0);
            if labels {
                canvas.text((self.from.0 - 8.0, y), label, 12.0, Ink::Muted, Stand::Left);
            }
        }
    }

    /// What the axis below says, below its labels.
    pub(super) fn name_x(&self, canvas: &Canvas<'_>, name: &str) {
        canvas.text((self.to.0, self.to.1 + 33.0), name, 12.0, Ink::Muted, Stand::Left);
    }

    /// Labels below.
    pub(super) fn draw_x(&self, canvas: &Canvas<'_>) {
        let mut free = f64::NEG_INFINITY;
        for (value, label) in &self.x.ticks {
            let (x, _) = self.at(*value, self.y.low);
            if x < free {
                continue;
            }
            free = x + 34.0_f64.max(label.chars().count() as f64 * 7.5);
            canvas.line([(x, self.to.1), (x, self.to.1 + 4.0)], Ink::Muted, 1.0);
            // Labels at the ends stay within: a neighbour may begin there.
            let (x, stand) = match x {
                x if x < self.from.0 + 4.0 => (x - 2.0, Stand::Right),
                x if x > self.to.0 - 4.0 => (x + 2.0, Stand::Left),
                x => (x, Stand::Middle),
            };
            canvas.text((x, self.to.1 + 15.0), label, 12.0, Ink::Muted, stand);
        }
        canvas.line([(self.from.0, self.to.1), self.to], Ink::Muted, 1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, label)| label.as_str()).collect()
    }

    #[test]
    fn axes_have_round_labels_and_hold_every_value() {
        let axis = Axis::durations(45e-6, 1.1e-3);
        assert_eq!(labels(&axis), ["50 µs", "100 µs", "200 µs", "500 µs", "1 ms"]);
        assert!(axis.share(45e-6) > 0.0 && axis.share(1.1e-3) < 1.0);
        assert_eq!(labels(&Axis::durations(1e-6, 9.0)).len(), 8, "decades only");
        assert!(Axis::durations(0.0, 0.0).share(0.0).is_finite());
        assert_eq!(labels(&Axis::nines(0.999)), ["0 %", "50 %", "90 %", "99 %", "99.9 %"]);
        assert_eq!(labels(&Axis::linear(9.1, 4, short)), ["0", "2.5", "5", "7.5"]);
    }

    #[test]
    fn every_nine_is_as_wide_as_the_next() {
        let axis = Axis::nines(0.999);
        assert!((axis.share(0.9) - 1.0 / 3.0).abs() < 1e-9 && (axis.share(0.99) - 2.0 / 3.0).abs() < 1e-9);
    }
}
