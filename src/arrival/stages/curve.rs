//! The level of a load over time, its integral, and the inverse of that in closed form.

use std::time::Duration;

/// Straight pieces one after the other, then one level for ever.
#[derive(Clone, Debug, Default)]
pub(super) struct RateCurve {
    pieces: Vec<Piece>,
    last: f64,
}

/// A straight line from one level to another. Times are nanoseconds; so are areas, since levels have no unit.
#[derive(Clone, Copy, Debug)]
struct Piece {
    start: f64,
    length: f64,
    from: f64,
    to: f64,
    /// The area under everything before.
    before: f64,
}

impl RateCurve {
    /// Adds a straight line. One that takes no time only says that the next piece begins elsewhere.
    pub(super) fn ramp(&mut self, length: Duration, from: f64, to: f64) {
        if !length.is_zero() {
            let (start, before) = (self.length(), self.area());
            self.pieces.push(Piece { start, length: length.as_nanos() as f64, from, to, before });
        }
    }

    /// Sets the level that follows the last piece.
    pub(super) fn stay_at(&mut self, level: f64) {
        self.last = level;
    }

    /// Whether the level is 0 in every piece.
    pub(super) fn is_silent(&self) -> bool {
        self.area() == 0.0
    }

    /// The first instant up to which more than `area` lies under the curve; `None` if it never does.
    pub(super) fn time_of(&self, area: f64) -> Option<f64> {
        let piece = self.pieces.partition_point(|piece| piece.before + piece.area() <= area);
        match self.pieces.get(piece) {
            Some(piece) => Some(piece.time_of(area)),
            None if self.last > 0.0 => Some(self.length() + (area - self.area()) / self.last),
            None => None,
        }
    }

    fn length(&self) -> f64 {
        self.pieces.last().map_or(0.0, |piece| piece.start + piece.length)
    }

    fn area(&self) -> f64 {
        self.pieces.last().map_or(0.0, |piece| piece.before + piece.area())
    }
}

impl Piece {
    fn area(&self) -> f64 {
        self.length * f64::midpoint(self.from, self.to)
    }

    /// Solves `from * t + (to - from) / length * t^2 / 2 = area` in the form that subtracts no numbers of like size.
    fn time_of(&self, area: f64) -> f64 {
        let area = area - self.before;
        if area <= 0.0 {
            return self.start;
        }
        let slope = (self.to - self.from) / self.length;
        // Rounding may lead a hair below zero where a ramp ends at zero.
        let level = (self.from * self.from + 2.0 * slope * area).max(0.0).sqrt();
        self.start + (2.0 * area / (self.from + level)).min(self.length)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Milliseconds and levels, then a level for ever.
    fn curve(from: f64, ramps: &[(u64, f64)]) -> RateCurve {
        let (mut curve, mut level) = (RateCurve::default(), from);
        for (millis, to) in ramps {
            curve.ramp(Duration::from_millis(*millis), level, *to);
            level = *to;
        }
        curve.stay_at(level);
        curve
    }

    /// The area up to `time` by the trapezium rule, exact on straight lines but for the steps across corners.
    fn integrated(from: f64, ramps: &[(u64, f64)], time: f64) -> f64 {
        let level = |at: f64| {
            let (mut start, mut level) = (0.0, from);
            for (millis, to) in ramps {
                let length = *millis as f64 * 1e6;
                if at < start + length {
                    return level + (to - level) * (at - start) / length;
                }
                (start, level) = (start + length, *to);
            }
            level
        };
        let steps = 100_000;
        let width = time / f64::from(steps);
        // The middle of every step, so that a jump at its edge is on the right side.
        (0..steps).map(|step| level((f64::from(step) + 0.5) * width) * width).sum()
    }

    #[test]
    fn a_ramp_from_zero_reaches_the_nth_part_of_its_area_at_the_root_of_n() {
        let curve = curve(0.0, &[(10_000, 1.0)]);
        for part in [0.0, 0.01, 0.25, 0.81, 1.0] {
            let found = curve.time_of(part * 5e9).unwrap();
            assert!((found - part.sqrt() * 1e10).abs() < 1e-3, "{part}: {found}");
        }
    }

    #[test]
    fn what_falls_on_the_beginning_of_a_silence_comes_after_it() {
        let silence = curve(0.0, &[(1_000, 0.0), (0, 1.0)]);
        assert_eq!(silence.time_of(0.0), Some(1e9));
        let pause = curve(1.0, &[(1_000, 1.0), (0, 0.0), (1_000, 0.0), (0, 1.0)]);
        assert_eq!(pause.time_of(1e9), Some(2e9));
        assert_eq!(pause.time_of(1e9 - 1.0), Some(1e9 - 1.0));
    }

    #[test]
    fn nothing_comes_after_the_end_of_a_ramp_down() {
        let curve = curve(1.0, &[(1_000, 0.0)]);
        assert!(curve.time_of(0.499e9).is_some());
        assert_eq!(curve.time_of(0.5e9), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_inverse_agrees_with_numerical_integration(
            from in 0.0..3.0_f64,
            ramps in prop::collection::vec((0..3_000_u64, 0.05..3.0_f64), 1..5),
            part in 0.0..1.5_f64,
        ) {
            let curve = curve(from, &ramps);
            let area = part * curve.area() + 1e6;
            let time = curve.time_of(area).unwrap();
            let found = integrated(from, &ramps, time);
            // A step across a corner is off by less than its width times the jump.
            let error = 5.0 * 3.0 * time / 100_000.0;
            prop_assert!((found - area).abs() <= error, "{found} instead of {area}");
        }

        #[test]
        fn the_inverse_is_in_order_and_exact_to_the_nanosecond(
            from in 0.0..3.0_f64,
            ramps in prop::collection::vec((0..100_000_u64, 0.05..3.0_f64), 1..5),
            parts in prop::collection::vec(0.0..1.5_f64, 50),
        ) {
            let curve = curve(from, &ramps);
            let mut areas: Vec<f64> = parts.iter().map(|part| part * curve.area()).collect();
            areas.sort_by(f64::total_cmp);
            let times: Vec<f64> = areas.iter().map(|area| curve.time_of(*area).unwrap()).collect();
            prop_assert!(times.is_sorted());
            for (area, time) in areas.iter().zip(times) {
                let piece = curve.pieces.iter().rev().find(|piece| piece.start <= time);
                let end = curve.length();
                let exact = match piece {
                    Some(piece) if time < end => {
                        let since = time - piece.start;
                        let slope = (piece.to - piece.from) / piece.length;
                        piece.before + piece.from * since + slope * since * since / 2.0
                    }
                    _ => curve.area() + curve.last * (time - end),
                };
                // Half a nanosecond at the lowest level drawn here.
                prop_assert!((exact - area).abs() <= 0.025, "{exact} instead of {area} at {time}");
            }
        }
    }
}
