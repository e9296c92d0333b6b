//! How far a single figure can be trusted: a run is not judged as a whole.

use serde::Serialize;

/// What the bench itself leaves of a figure.
///
/// The generator's lag can only lengthen: the truth of a latency lies between the quantile of wait and service and that of
/// the latency from the due instant. That bracket is the bias of the generator.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "standing", rename_all = "snake_case")]
pub enum Standing {
    /// The bracket is no wider than the interval of the figure, or than 5 % of its value.
    Sound,
    /// The truth lies within the bracket: it is shown instead of a value.
    Bounded {
        /// Its lower end, in the unit of the metric.
        least: f64,
        /// Its upper end.
        most: f64,
    },
    /// Not to be printed as a number: the bracket is wider than half the value, or the estimate does not reach the quantile.
    Lost {
        /// What it is at least, if anything is known.
        least: Option<f64>,
        /// What it is at most, if anything is known.
        most: Option<f64>,
    },
}

/// A bracket that is no wider than this share of the value moves nothing that anybody compares: half the margin by which two
/// medians must differ to count.
const NARROW: f64 = 0.05;
/// One that is wider than this share leaves no value.
const WIDE: f64 = 0.5;

/// Where the truth of a figure lies by what is known of the bench.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Bracket {
    /// Between two ends; `scale` is what their distance is compared with: the value, and for a difference the larger of both.
    Within { least: f64, most: f64, scale: f64 },
    /// Beyond the last that could be followed.
    Beyond(f64),
}

impl Standing {
    /// Of a figure with this bracket and a statistical interval of that width.
    pub(super) fn of(bracket: Bracket, interval: f64) -> Self {
        match bracket {
            Bracket::Beyond(least) => Self::Lost { least: Some(least), most: None },
            Bracket::Within { least, most, scale } => {
                let width = most - least;
                if width <= interval.max(NARROW * scale) {
                    Self::Sound
                } else if width <= WIDE * scale {
                    Self::Bounded { least, most }
                } else {
                    Self::Lost { least: None, most: Some(most) }
                }
            }
        }
    }

    /// True if nothing is left that could be printed as a number.
    pub fn is_lost(self) -> bool {
        matches!(self, Self::Lost { .. })
    }
}

impl Bracket {
    /// What may be the bench's own doing; 0 where nobody knows.
    pub(super) fn width(self) -> f64 {
        match self {
            Self::Within { least, most, .. } => most - least,
            Self::Beyond(_) => 0.0,
        }
    }

    /// That of a difference: where either end is unknown, nothing is known of it.
    pub(super) fn minus(self, other: Self) -> Option<Self> {
        match (self, other) {
            (
                Self::Within { least, most, scale },
                Self::Within { least: other_least, most: other_most, scale: other_scale },
            ) => Some(Self::Within {
                least: least - other_most,
                most: most - other_least,
                scale: scale.max(other_scale),
            }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bracket_is_held_against_the_interval_and_the_value() {
        let of =
            |least, interval| Standing::of(Bracket::Within { least, most: 100.0, scale: 100.0 }, interval);
        assert_eq!(of(95.0, 0.0), Standing::Sound);
        assert_eq!(of(94.0, 0.0), Standing::Bounded { least: 94.0, most: 100.0 });
        assert_eq!(of(94.0, 6.0), Standing::Sound, "less than chance");
        assert_eq!(of(50.0, 0.0), Standing::Bounded { least: 50.0, most: 100.0 });
        assert_eq!(of(49.0, 6.0), Standing::Lost { least: None, most: Some(100.0) });
        let beyond = Standing::of(Bracket::Beyond(3.0), 1e9);
        assert_eq!(beyond, Standing::Lost { least: Some(3.0), most: None });
        assert!(beyond.is_lost() && !of(94.0, 0.0).is_lost());
    }
}
