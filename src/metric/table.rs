//! The table of the metrics: id, unit, which direction is better, meaning.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::metric::{Better, Unit};
use crate::registry::nearest;

/// One row a metric; the order of the rows is the order in files and lists.
macro_rules! metrics {
    ($($variant:ident $id:literal $unit:ident $better:ident $meaning:literal)*) => {
        /// The name of a quantity that a report states.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum MetricId { $(#[doc = $meaning] $variant,)* }

        impl MetricId {
            /// Every metric, in the order of the table.
            pub const ALL: &'static [MetricId] = &[$(MetricId::$variant,)*];

            const fn row(self) -> (&'static str, Unit, Better, &'static str) {
                match self { $(MetricId::$variant => ($id, Unit::$unit, Better::$better, $meaning),)* }
            }
        }
    };
}

metrics! {
    LatencyP50 "latency.p50" Seconds Lower "half of the requests were answered within this time from the instant they were due"
    LatencyP90 "latency.p90" Seconds Lower "90 % of the requests were answered within this time from the instant they were due"
    LatencyP99 "latency.p99" Seconds Lower "99 % of the requests were answered within this time from the instant they were due"
    LatencyP999 "latency.p999" Seconds Lower "99.9 % of the requests were answered within this time from the instant they were due"
    LatencyMax "latency.max" Seconds Lower "the longest time from the instant a request was due to its answer, exact"
    LatencyMean "latency.mean" Seconds Lower "mean time from the instant a request was due to its answer"
    AddedP50 "latency.added.p50" Seconds Lower "latency.p50 minus that of the control in the same run"
    AddedP99 "latency.added.p99" Seconds Lower "latency.p99 minus that of the control in the same run"
    ServiceP50 "latency.service.p50" Seconds Lower "half of the requests were answered within this time from the instant they were sent"
    ServiceP99 "latency.service.p99" Seconds Lower "99 % of the requests were answered within this time from the instant they were sent"
    WaitP99 "latency.wait.p99" Seconds Lower "99 % of the requests waited no longer for an idle connection; those that found one did not wait"
    FirstByteP50 "latency.first_byte.p50" Seconds Lower "half of the answers began within this time from the instant their request was sent"
    FirstByteP99 "latency.first_byte.p99" Seconds Lower "99 % of the answers began within this time from the instant their request was sent"
    ResponseP50 "latency.response.p50" Seconds Lower "half of the answers were complete within this time from their first byte"
    ResponseP99 "latency.response.p99" Seconds Lower "99 % of the answers were complete within this time from their first byte"
    ConnectP50 "connect.p50" Seconds Lower "half of the connections opened within this time, TLS handshake included"
    ConnectP99 "connect.p99" Seconds Lower "99 % of the connections opened within this time, TLS handshake included"
    Throughput "throughput" PerSecond Higher "requests accepted or refused per second of the measured window"
    ThroughputAtSlo "throughput_at_slo" PerSecond Higher "the highest offered rate at which the limit of the search holds and at most 0.1 % of the requests fail"
    ThroughputPerCore "throughput.per_core" PerSecond Higher "requests that the resource servers decided per second of their CPU time, at the offered rate"
    Errors "errors" Fraction Lower "share of the planned requests that were neither accepted nor refused"
    WrongAnswers "wrong_answers" Count Lower "good tokens refused and bad tokens accepted"
    StaleAcceptances "stale_acceptances" Count Lower "requests accepted although their token was revoked before the load began"
    LagP50 "generator.lag.p50" Seconds Lower "the generator took up half of the requests within this time of the instant they were due"
    LagP99 "generator.lag.p99" Seconds Lower "the generator took up 99 % of the requests within this time of the instant they were due"
    LagP999 "generator.lag.p999" Seconds Lower "the generator took up 99.9 % of the requests within this time of the instant they were due"
    GeneratorCpu "generator.cpu" Fraction Neither "share of its cores that the generator used; one that polls is meant to use all of them"
    CpuResourceServer "cpu.resource_server" CpuPerMillion Lower "seconds of CPU time of all resource servers per million API requests"
    CpuAuthorizationServer "cpu.authorization_server" CpuPerMillion Lower "seconds of CPU time of the authorization server per million API requests"
    MemoryResourceServer "memory.resource_server" Bytes Lower "the most memory ever resident in one resource server"
    MemoryAuthorizationServer "memory.authorization_server" Bytes Lower "the most memory ever resident in the authorization server"
    Amplification "amplification" PerRequest Lower "calls to the authorization server per API request"
    AmplificationPeak "amplification.peak" PerRequest Lower "calls to the authorization server per API request in the second with the most calls per request"
    HitRatio "hit_ratio" Fraction Higher "share of the decisions that a resource server took from its cache"
    TokenBytes "token.bytes" Bytes Lower "size of the median live token"
    SignatureBytes "signature.bytes" Bytes Lower "size of a signature before base64url"
    KeygenP50 "signature.keygen.p50" Seconds Lower "half of the keys were made within this time"
    SignP50 "signature.sign.p50" Seconds Lower "half of the signatures were made within this time, by one core that does nothing else"
    SignP99 "signature.sign.p99" Seconds Lower "99 % of the signatures were made within this time; absent where they are so quick that only batches are timed"
    SignMean "signature.sign.mean" Seconds Lower "mean time to make a signature, by one core that does nothing else"
    VerifyP50 "signature.verify.p50" Seconds Lower "half of the signatures were verified within this time, with keys prepared as far as the library lets them be, by one core that does nothing else"
    VerifyP99 "signature.verify.p99" Seconds Lower "99 % of the signatures were verified within this time; absent where that is so quick that only batches are timed"
    ValidationP50 "validation.p50" Seconds Lower "half of the tokens were validated within this time: parsed, verified, their claims checked, by what the subject does it with"
    PropagationP50 "propagation.p50" Seconds Lower "median time from the acknowledgement of a revocation to the last unsafe acceptance at a resource server"
    PropagationP95 "propagation.p95" Seconds Lower "95th percentile of the time from the acknowledgement of a revocation to the last unsafe acceptance"
    PropagationMax "propagation.max" Seconds Lower "longest time from the acknowledgement of a revocation to the last unsafe acceptance"
    UnsafeAcceptances "unsafe_acceptances" Count Lower "probes accepted although sent after the revocation was acknowledged"
    InFlightAcceptances "in_flight_acceptances" Count Neither "probes sent before and accepted after the acknowledgement: neither safe nor unsafe"
    FalseRefusals "false_refusals" Count Lower "probes refused although the token was live and its revocation had not even been sent"
}

impl MetricId {
    /// Its name in thresholds and files.
    pub const fn id(self) -> &'static str {
        self.row().0
    }

    /// The unit of its values.
    pub const fn unit(self) -> Unit {
        self.row().1
    }

    /// Which direction is an improvement.
    pub const fn better(self) -> Better {
        self.row().2
    }

    /// One line for people.
    pub const fn meaning(self) -> &'static str {
        self.row().3
    }

    /// The quantile of latency or service time that it states, from 0 to 1; `None` for everything else.
    pub const fn quantile(self) -> Option<f64> {
        match self {
            Self::LatencyP50 | Self::ServiceP50 => Some(0.5),
            Self::LatencyP90 => Some(0.9),
            Self::LatencyP99 | Self::ServiceP99 => Some(0.99),
            Self::LatencyP999 => Some(0.999),
            _ => None,
        }
    }

    /// True for a difference, which is written with its sign.
    pub const fn is_difference(self) -> bool {
        matches!(self, Self::AddedP50 | Self::AddedP99)
    }

    /// True for what is timed by itself, operation by operation, without a request.
    pub const fn is_of_operations(self) -> bool {
        matches!(
            self,
            Self::KeygenP50
                | Self::SignP50
                | Self::SignP99
                | Self::SignMean
                | Self::VerifyP50
                | Self::VerifyP99
                | Self::ValidationP50
        )
    }

    /// A value for people: `"412 µs"`, `"+71.0 µs"`, `"1,000 /s"`.
    pub fn show(self, value: f64) -> String {
        let sign = if self.is_difference() && value >= 0.0 { "+" } else { "" };
        format!("{sign}{}", self.unit().show(value))
    }
}

/// A name that no metric has.
#[derive(Debug, thiserror::Error)]
#[error("unknown metric {found:?}{}; known: {}", .nearest.map(|id| format!("; did you mean {id:?}?")).unwrap_or_default(), known())]
pub struct UnknownMetric {
    found: String,
    nearest: Option<&'static str>,
}

fn known() -> String {
    MetricId::ALL.iter().map(|metric| metric.id()).collect::<Vec<_>>().join(", ")
}

impl FromStr for MetricId {
    type Err = UnknownMetric;

    fn from_str(found: &str) -> Result<Self, UnknownMetric> {
        Self::ALL.iter().copied().find(|metric| metric.id() == found).ok_or_else(|| UnknownMetric {
            found: found.to_owned(),
            nearest: nearest(found, Self::ALL.iter().map(|metric| metric.id())),
        })
    }
}

impl fmt::Display for MetricId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl Serialize for MetricId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_metric_has_an_id_of_its_own_and_is_found_by_it() {
        let ids: BTreeSet<_> = MetricId::ALL.iter().map(|metric| metric.id()).collect();
        assert_eq!(ids.len(), MetricId::ALL.len());
        for metric in MetricId::ALL {
            assert_eq!(metric.id().parse::<MetricId>().unwrap(), *metric);
        }
    }

    #[test]
    fn an_unknown_metric_names_the_nearest() {
        let message = "latency.p9".parse::<MetricId>().unwrap_err().to_string();
        assert!(message.contains("did you mean \"latency.p9"), "{message}");
    }

    #[test]
    fn a_difference_is_written_with_its_sign() {
        assert_eq!(MetricId::AddedP99.show(71e-6), "+71.0 µs");
        assert_eq!(MetricId::AddedP99.show(-2e-6), "-2.00 µs");
        assert_eq!(MetricId::LatencyP99.show(71e-6), "71.0 µs");
    }
}
