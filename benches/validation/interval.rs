//! The median of what many rounds say, with how far it may be off.

use std::fmt;

/// A median with its interval of 95 %, from the order of the values alone: no distribution is assumed, but that the
/// rounds do not depend on one another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interval {
    pub(crate) median: f64,
    /// 0 if there are too few rounds to tell.
    pub(crate) low: f64,
    /// Infinite if there are too few rounds to tell.
    pub(crate) high: f64,
}

/// What an interval says of a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// All of it is at the bound or below.
    Within,
    /// All of it is above the bound.
    Beyond,
    /// The bound lies inside it.
    Undecided,
}

impl Interval {
    /// The ends are the values at the ranks n/2 ± 0.98 √n: half of 1.96, for a binomial of one half.
    pub(crate) fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let count = values.len() as f64;
        let reach = 0.98 * count.sqrt();
        // Ranks count from one.
        let at = |rank: f64, otherwise| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "from 1 to the number of rounds"
            )]
            if (1.0..=count).contains(&rank) { values[rank as usize - 1] } else { otherwise }
        };
        let low = at((count / 2.0 - reach).floor(), 0.0);
        let high = at((count / 2.0 + 1.0 + reach).ceil(), f64::INFINITY);
        Self { median: values[values.len() / 2], low, high }
    }

    pub(crate) fn judged(&self, bound: f64) -> Judgement {
        if self.low > bound {
            Judgement::Beyond
        } else if self.high <= bound {
            Judgement::Within
        } else {
            Judgement::Undecided
        }
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:.3} ({:.3} to {:.3})", self.median, self.low, self.high))
    }
}
