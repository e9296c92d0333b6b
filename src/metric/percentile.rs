//! Percentiles: of which distributions any can be asked for, and how one is written.

use crate::metric::MetricId;

/// What a load leaves a whole distribution of, so that any of its percentiles can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// answered - due.
    Latency,
    /// A percentile of the latency minus that of the control.
    Added,
    /// answered - sent.
    Service,
    /// sent - taken up.
    Wait,
    /// first byte of the answer - sent.
    FirstByte,
    /// answered - first byte of the answer.
    Response,
    /// How long connections took to open.
    Connect,
    /// taken up - due: the generator's own lag.
    Lag,
}

/// Which part of a distribution a percentile does not exceed, in steps of a millionth of a percent: above 0 %, below 100 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantile(u32);

/// Decimals of a percent.
const DECIMALS: usize = 6;
/// One percent in the steps of a quantile.
const PERCENT: u32 = 1_000_000;
/// All of a distribution in the same steps.
const WHOLE: u32 = 100 * PERCENT;

/// A number of a distribution that k6 knows by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Statistic {
    Min,
    Max,
    Mean,
    Percentile(Quantile),
}

impl Family {
    /// Every one.
    pub const ALL: [Self; 8] = [
        Self::Latency,
        Self::Added,
        Self::Service,
        Self::Wait,
        Self::FirstByte,
        Self::Response,
        Self::Connect,
        Self::Lag,
    ];

    /// What stands before the percentile in the ids of its metrics.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Latency => "latency",
            Self::Added => "latency.added",
            Self::Service => "latency.service",
            Self::Wait => "latency.wait",
            Self::FirstByte => "latency.first_byte",
            Self::Response => "latency.response",
            Self::Connect => "connect",
            Self::Lag => "generator.lag",
        }
    }

    /// The family of that prefix.
    pub(super) fn of(prefix: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.prefix() == prefix)
    }

    /// The row of the table that every other percentile is worded after.
    pub(super) const fn p99(self) -> MetricId {
        match self {
            Self::Latency => MetricId::LatencyP99,
            Self::Added => MetricId::AddedP99,
            Self::Service => MetricId::ServiceP99,
            Self::Wait => MetricId::WaitP99,
            Self::FirstByte => MetricId::FirstByteP99,
            Self::Response => MetricId::ResponseP99,
            Self::Connect => MetricId::ConnectP99,
            Self::Lag => MetricId::LagP99,
        }
    }
}

impl Quantile {
    /// As a share, from 0 to 1.
    pub fn share(self) -> f64 {
        f64::from(self.0) / f64::from(WHOLE)
    }

    /// In percent, without zeros at the end: `"99.9"`.
    pub fn percent(self) -> String {
        let (whole, decimals) = self.parts();
        if decimals.is_empty() { whole.to_string() } else { format!("{whole}.{decimals}") }
    }

    /// In an id: two digits before the point that is not written, so that `"999"` is 99.9 %, `"05"` is 5 %.
    pub(super) fn digits(self) -> String {
        let (whole, decimals) = self.parts();
        format!("{whole:02}{decimals}")
    }

    fn parts(self) -> (u32, String) {
        let decimals = format!("{:0DECIMALS$}", self.0 % PERCENT);
        (self.0 / PERCENT, decimals.trim_end_matches('0').to_owned())
    }

    /// The reverse of [`Quantile::digits`].
    pub(super) fn of_digits(digits: &str) -> Option<Self> {
        let (whole, decimals) = digits.split_at_checked(2)?;
        let found = steps(whole, decimals).filter(|steps| (1..WHOLE).contains(steps)).map(Self)?;
        // A zero more would be a second name of the same.
        (found.digits() == digits).then_some(found)
    }
}

/// Percent in steps; `None` for what is no number, or has too many decimals.
fn steps(whole: &str, decimals: &str) -> Option<u32> {
    let are_digits = |text: &str| text.bytes().all(|digit| digit.is_ascii_digit());
    if whole.is_empty()
        || whole.len() > 3
        || !are_digits(whole)
        || !are_digits(decimals)
        || decimals.len() > DECIMALS
    {
        return None;
    }
    let steps = format!("{whole}{decimals:0<DECIMALS$}").parse::<u32>().ok()?;
    (steps <= WHOLE).then_some(steps)
}

impl Statistic {
    /// `p(99.9)`, `p99.9` and `p999` are the same percentile; `None` for what is no statistic at all, an error for `p(...)` that is
    /// no percentile.
    pub(super) fn read(text: &str) -> Option<Result<Self, NoPercentile>> {
        match text {
            "min" => return Some(Ok(Self::Min)),
            "max" => return Some(Ok(Self::Max)),
            "avg" | "mean" => return Some(Ok(Self::Mean)),
            "med" => return Some(Ok(Self::Percentile(Quantile(WHOLE / 2)))),
            _ => {}
        }
        let rest = text.strip_prefix('p')?;
        let inner = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
        let percent = match inner {
            Some(inner) => inner,
            // A single digit may be 9 % or a slip of 90 %.
            None if rest.len() < 2 || !rest.starts_with(|first: char| first.is_ascii_digit()) => return None,
            None if !rest.contains('.') => {
                return Some(Quantile::of_digits(rest).map(Self::Percentile).ok_or(NoPercentile));
            }
            None => rest,
        };
        let (whole, decimals) = percent.split_once('.').unwrap_or((percent, ""));
        Some(match steps(whole, decimals) {
            Some(0) => Ok(Self::Min),
            Some(WHOLE) => Ok(Self::Max),
            Some(steps) => Ok(Self::Percentile(Quantile(steps))),
            None => Err(NoPercentile),
        })
    }
}

/// Something like a percentile that is none.
#[derive(Debug)]
pub(super) struct NoPercentile;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_percentile_has_one_name_and_is_read_in_each_of_its_forms() {
        for (written, digits, percent) in [
            ("p(99)", "99", "99"),
            ("p(99.9)", "999", "99.9"),
            ("p99.95", "9995", "99.95"),
            ("p999", "999", "99.9"),
            ("p(5)", "05", "5"),
            ("p05", "05", "5"),
            ("p(0.5)", "005", "0.5"),
            ("p(9.99)", "0999", "9.99"),
            ("p(99.999999)", "99999999", "99.999999"),
            ("p(50.0)", "50", "50"),
            ("med", "50", "50"),
        ] {
            let Some(Ok(Statistic::Percentile(quantile))) = Statistic::read(written) else {
                panic!("{written}")
            };
            assert_eq!(
                (quantile.digits().as_str(), quantile.percent().as_str()),
                (digits, percent),
                "{written}"
            );
            assert_eq!(Quantile::of_digits(digits), Some(quantile));
            let share: f64 = percent.parse::<f64>().unwrap() / 100.0;
            assert!((quantile.share() - share).abs() < 1e-12, "{written}");
        }
        assert!(matches!(Statistic::read("p(0)"), Some(Ok(Statistic::Min))));
        assert!(matches!(Statistic::read("p(100)"), Some(Ok(Statistic::Max))));
    }

    #[test]
    fn what_is_no_percentile_is_told_from_what_is_another_word() {
        for written in ["p(101)", "p(-1)", "p()", "p(x)", "p(99.9999999)", "p100", "p950", "p(1e1)", "p(.5)"]
        {
            assert!(matches!(Statistic::read(written), Some(Err(NoPercentile))), "{written}");
        }
        for written in ["p9", "peak", "per_core", "p", "points", "", "ps(9)"] {
            assert!(Statistic::read(written).is_none(), "{written}");
        }
    }
}
