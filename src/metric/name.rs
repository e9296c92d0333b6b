//! How the name of a metric is read: its id, or a statistic of something in k6's spelling.

use crate::metric::percentile::Statistic;
use crate::metric::{Family, MetricId};
use crate::registry::nearest;

/// A name that no metric has.
#[derive(Debug, thiserror::Error)]
pub enum UnknownMetric {
    /// Nothing is called like that.
    #[error("unknown metric {found:?}{}", suggestion(.nearest.as_deref()))]
    Name {
        /// What was written.
        found: String,
        /// The id that is closest to it.
        nearest: Option<String>,
    },
    /// A percentile that there cannot be.
    #[error(
        "{found:?} is no percentile; expected a number from 0 to 100 with at most 6 decimals, like p(95) or p(99.9)"
    )]
    Percentile {
        /// What was written.
        found: String,
    },
    /// Something that is measured, but not with that statistic.
    #[error("{of} has no {statistic:?}; it has {has}")]
    Statistic {
        /// What it would have been the statistic of.
        of: String,
        /// What was asked for.
        statistic: String,
        /// What there is instead.
        has: String,
    },
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest.map_or_else(
        || "; \"bearerbench explain\" lists every metric".to_owned(),
        |id| format!("; did you mean {id:?}?"),
    )
}

/// What k6 calls what is measured here too.
const OF_K6: [(&str, &str); 9] = [
    ("http_req_duration", "latency"),
    ("http_req_blocked", "latency.wait"),
    ("http_req_waiting", "latency.first_byte"),
    ("http_req_receiving", "latency.response"),
    ("http_req_connecting", "connect"),
    ("http_req_tls_handshaking", "connect"),
    ("http_req_failed", "errors"),
    ("http_reqs", "throughput"),
    ("rate", "errors"),
];

/// `p(99)`, `med` and `avg` alone are about latency; `name(statistic)` is `name.statistic`; an id is itself.
pub(super) fn read(written: &str) -> Result<MetricId, UnknownMetric> {
    let name: String = written.chars().filter(|c| !c.is_whitespace()).collect();
    let (base, text) = split(&name);
    let (base, statistic) = match text.and_then(|text| Some((text, Statistic::read(text)?))) {
        Some((_, Ok(statistic))) => {
            (if base.is_empty() { Family::Latency.prefix() } else { base }, statistic)
        }
        Some((_, Err(_))) => return Err(UnknownMetric::Percentile { found: name }),
        None => return row(&name).ok_or_else(|| unknown(&name, &name)),
    };
    let last = match statistic {
        Statistic::Min => "min".to_owned(),
        Statistic::Max => "max".to_owned(),
        Statistic::Mean => "mean".to_owned(),
        Statistic::Percentile(quantile) => format!("p{}", quantile.digits()),
    };
    let id = format!("{base}.{last}");
    match (row(&id), statistic, Family::of(base)) {
        (Some(row), ..) => Ok(row),
        (None, Statistic::Percentile(quantile), Some(family)) => Ok(MetricId::percentile(family, quantile)),
        _ => Err(without(base, text.unwrap_or_default()).unwrap_or_else(|| unknown(&name, &id))),
    }
}

fn row(id: &str) -> Option<MetricId> {
    MetricId::ALL.iter().copied().zip(MetricId::ids()).find(|(_, known)| *known == id).map(|(row, _)| row)
}

/// Base and statistic of `base(statistic)`, `base.statistic` or a statistic alone, whose base is empty.
fn split(name: &str) -> (&str, Option<&str>) {
    if let Some(open) = name.find('(').filter(|_| name.ends_with(')')) {
        let before = &name[..open];
        // `p(99)` and `latency.p(99)`: the bracket belongs to the percentile.
        return match before.strip_suffix('p') {
            Some("") => ("", Some(name)),
            Some(base) if base.ends_with('.') => (&base[..base.len() - 1], Some(&name[base.len()..])),
            _ => (before, Some(&name[open + 1..name.len() - 1])),
        };
    }
    // The decimals of `p99.9` are no part of the id by themselves.
    let is_statistic = |at: &usize| Statistic::read(&name[*at..]).is_some();
    let starts = std::iter::once(0).chain(name.match_indices('.').map(|(dot, _)| dot + 1));
    match starts.into_iter().find(is_statistic) {
        Some(at) => (name[..at].trim_end_matches('.'), Some(&name[at..])),
        None => (name, None),
    }
}

/// What is measured of `base` instead of the statistic that was asked for; `None` if nothing is called so.
fn without(base: &str, statistic: &str) -> Option<UnknownMetric> {
    let mut has: Vec<String> = MetricId::ids()
        .filter(|id| *id == base || id.strip_prefix(base).is_some_and(|rest| rest.starts_with('.')))
        .map(str::to_owned)
        .collect();
    has.extend(Family::of(base).map(|_| format!("any percentile, like {base}(p(95))")));
    (!has.is_empty()).then(|| UnknownMetric::Statistic {
        of: base.to_owned(),
        statistic: statistic.to_owned(),
        has: has.join(", "),
    })
}

fn unknown(written: &str, id: &str) -> UnknownMetric {
    let of_k6 = OF_K6.iter().find_map(|(name, own)| {
        let rest = written.strip_prefix(name).filter(|rest| rest.is_empty() || rest.starts_with('('))?;
        let own = format!("{own}{rest}");
        Some(read(&own).map_or(own, |metric| metric.id().into_owned()))
    });
    let nearest = of_k6.or_else(|| nearest(id, MetricId::ids()).map(str::to_owned));
    UnknownMetric::Name { found: written.to_owned(), nearest }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_read_by_its_id_and_in_the_spelling_of_k6() {
        for (written, id) in [
            ("p(95)", "latency.p95"),
            ("p(99.9)", "latency.p999"),
            ("p(9.99)", "latency.p0999"),
            ("p99.9", "latency.p999"),
            ("latency.p99.9", "latency.p999"),
            ("latency.p(99.9)", "latency.p999"),
            ("latency(p(99.9))", "latency.p999"),
            ("latency ( p( 99 ) )", "latency.p99"),
            ("latency.p99", "latency.p99"),
            ("avg", "latency.mean"),
            ("latency(avg)", "latency.mean"),
            ("min", "latency.min"),
            ("med", "latency.p50"),
            ("max", "latency.max"),
            ("p(0)", "latency.min"),
            ("p(100)", "latency.max"),
            ("latency.service(p(75))", "latency.service.p75"),
            ("latency.wait(med)", "latency.wait.p50"),
            ("propagation(p(95))", "propagation.p95"),
            ("propagation(max)", "propagation.max"),
            ("signature.sign(avg)", "signature.sign.mean"),
            ("throughput.per_core", "throughput.per_core"),
            ("amplification.peak", "amplification.peak"),
        ] {
            assert_eq!(read(written).unwrap().id(), id, "{written}");
        }
    }

    #[test]
    fn what_is_not_measured_is_refused_with_what_would_do() {
        for (written, expected) in [
            ("latency.p9", "unknown metric \"latency.p9\"; did you mean \"latency.p9"),
            ("propagtion(max)", "did you mean \"propagation.max\"?"),
            ("latancy(p(95))", "did you mean \"latency.p95\"?"),
            ("zzz", "unknown metric \"zzz\"; \"bearerbench explain\" lists every metric"),
            ("p(101)", "\"p(101)\" is no percentile; expected a number from 0 to 100"),
            ("latency.p100", "\"latency.p100\" is no percentile"),
            ("p()", "\"p()\" is no percentile"),
            ("throughput(p(95))", "throughput has no \"p(95)\"; it has throughput, throughput.per_core"),
            ("signature.sign(p(95))", "it has signature.sign.p50, signature.sign.p99, signature.sign.mean"),
            (
                "connect(avg)",
                "it has connect.p50, connect.p99, connect.bytes, connect.resumed.bytes, any percentile, like connect(p(95))",
            ),
            ("http_req_duration(p(95))", "did you mean \"latency.p95\"?"),
            ("http_req_failed", "did you mean \"errors\"?"),
            ("rate", "did you mean \"errors\"?"),
            ("", "unknown metric \"\""),
            ("(", "unknown metric"),
            ("()", "unknown metric"),
            (")(", "unknown metric"),
        ] {
            let message = read(written).unwrap_err().to_string();
            assert!(message.contains(expected), "{written}: {message}");
        }
    }
}
