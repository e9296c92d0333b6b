//! The table of the metrics: id, unit, which direction is better, meaning.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::metric::name::UnknownMetric;
use crate::metric::{Better, Family, Quantile, Unit, name};

/// One row a metric; the order of the rows is the order in files and lists.
macro_rules! metrics {
    ($($variant:ident $id:literal $unit:ident $better:ident $meaning:literal)*) => {
        /// The name of a quantity that a report states.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum MetricId {
            $(#[doc = $meaning] $variant,)*
            /// Any percentile that has no row, where somebody asks for it; made by [`MetricId::percentile`].
            Percentile(Family, Quantile),
        }

        impl MetricId {
            /// Every metric that is always told, in the order of the table.
            pub const ALL: &'static [MetricId] = &[$(MetricId::$variant,)*];

            const fn row(self) -> (&'static str, Unit, Better, &'static str) {
                match self {
                    $(MetricId::$variant => ($id, Unit::$unit, Better::$better, $meaning),)*
                    MetricId::Percentile(family, _) => family.p99().row(),
                }
            }
        }
    };
}

metrics! {
    LatencyMin "latency.min" Seconds Lower "the shortest time from the instant a request was due to its answer, exact"
    LatencyP50 "latency.p50" Seconds Lower "half of the requests were answered within this time from the instant they were due"
    LatencyP90 "latency.p90" Seconds Lower "90 % of the requests were answered within this time from the instant they were due"
    LatencyP95 "latency.p95" Seconds Lower "95 % of the requests were answered within this time from the instant they were due"
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
    ConnectBytes "connect.bytes" Bytes Lower "bytes of a full TLS handshake, both ways, with the tickets that follow it and without what TCP and IP add"
    ConnectResumedBytes "connect.resumed.bytes" Bytes Lower "the same of a handshake that takes up an earlier session"
    CertificateBytes "certificate.bytes" Bytes Lower "size of the certificates that the client presents in a full handshake; one that takes up a session carries them within its tickets"
    Throughput "throughput" PerSecond Higher "requests accepted or refused per second of the measured window"
    ThroughputAtSlo "throughput_at_slo" PerSecond Higher "the highest offered rate at which the limit of the search holds and at most 0.1 % of the requests fail"
    ThroughputPerCore "throughput.per_core" PerSecond Higher "requests that the resource servers decided per second of their CPU time, at the offered rate"
    Errors "errors" Fraction Lower "share of the planned requests that were neither accepted nor refused"
    Availability "availability" Fraction Higher "share of the planned requests with a valid token that were accepted; those refused because their token had expired are left out"
    AvailabilityDisturbed "availability.disturbed" Fraction Higher "the same of those that were due while servers were down or hung, by the events of the scenario; one that is refused is not available either"
    Recovery "recovery" Seconds Lower "longest time from when servers that were down or hung answered again until as many valid tokens were accepted as before, and no more requests were under way"
    WrongAnswers "wrong_answers" Count Lower "good tokens refused and bad tokens accepted"
    StaleAcceptances "stale_acceptances" Count Lower "requests accepted although their token was revoked before the load began"
    SentAgain "sent_again" Count Lower "times that a request was sent again, because a server said that it had not processed it, or because its idle connection closed within 0.1 s. It is no error, and counts from the instant it was due"
    LagP50 "generator.lag.p50" Seconds Lower "half of the requests were late by no more than this because of the generator itself"
    LagP99 "generator.lag.p99" Seconds Lower "99 % of the requests were late by no more than this because of the generator itself"
    LagP999 "generator.lag.p999" Seconds Lower "99.9 % of the requests were late by no more than this because of the generator itself"
    GeneratorCpu "generator.cpu" Fraction Neither "share of its cores that the generator used; one that polls is meant to use all of them"
    GeneratorBeside "generator.beside" Fraction Neither "share of the servers' cores that other threads of the program used during the window: they look at the servers, revoke, issue, refresh, sign proofs and pack what was recorded"
    CpuResourceServer "cpu.resource_server" CpuPerMillion Lower "seconds of CPU time of all resource servers, gateways included, per million API requests"
    CpuAuthorizationServer "cpu.authorization_server" CpuPerMillion Lower "seconds of CPU time of the authorization server per million API requests"
    MemoryResourceServer "memory.resource_server" Bytes Lower "the most memory ever resident in one process of resource servers or gateways"
    MemoryAuthorizationServer "memory.authorization_server" Bytes Lower "the most memory ever resident in the authorization server"
    StoreCpu "store.cpu" CpuPerMillion Lower "seconds of CPU time of the program that keeps the tokens per million API requests"
    StoreMemory "store.memory" Bytes Lower "memory of the program that keeps the tokens, for each million that it keeps, from 10,000 on: what it has beside is left out, and what lies on its disk"
    Amplification "amplification" PerRequest Lower "calls to the authorization server per API request"
    AmplificationPeak "amplification.peak" PerRequest Lower "calls to the authorization server per API request in the second with the most calls per request"
    Churn "churn" PerSecond Neither "live tokens per second that were replaced under the load by newly issued ones, in the warm-up too"
    IssueP50 "issue.p50" Seconds Lower "half of the tokens that were issued under the load came within this time from when a client asked"
    IssueP99 "issue.p99" Seconds Lower "99 % of the tokens that were issued under the load came within this time from when a client asked"
    HitRatio "hit_ratio" Fraction Higher "share of the decisions that a resource server took from its cache"
    TokenBytes "token.bytes" Bytes Lower "size of the median live token"
    ClaimsReadableMembers "claims.readable.members" Count Lower "members of the claims that a client, or a thief, can read in the median live token"
    ClaimsReadableBytes "claims.readable.bytes" Bytes Lower "bytes of the claims that a client, or a thief, can read in the median live token"
    ProofBytes "proof.bytes" Bytes Lower "size of the proof that the sender of a token signs for each request and sends beside it; 0 where its connection shows whose the token is"
    SignatureBytes "signature.bytes" Bytes Lower "size of a signature before base64url"
    KeygenP50 "signature.keygen.p50" Seconds Lower "half of the keys were made within this time"
    SignP50 "signature.sign.p50" Seconds Lower "half of the signatures were made within this time, by one core that does nothing else"
    SignP99 "signature.sign.p99" Seconds Lower "99 % of the signatures were made within this time; absent where they are so quick that only batches are timed"
    SignMean "signature.sign.mean" Seconds Lower "mean time to make a signature, by one core that does nothing else"
    VerifyP50 "signature.verify.p50" Seconds Lower "half of the signatures were verified within this time, with the key prepared as far as the library allows, by one core that does nothing else"
    VerifyP99 "signature.verify.p99" Seconds Lower "99 % of the signatures were verified within this time; absent where that is so quick that only batches are timed"
    ValidationP50 "validation.p50" Seconds Lower "half of the tokens were validated within this time: parsed, verified, their claims checked, by what the subject does it with"
    PropagationP50 "propagation.p50" Seconds Lower "median time from the acknowledgement of a revocation to the last unsafe acceptance at a resource server"
    PropagationP95 "propagation.p95" Seconds Lower "95th percentile of the time from the acknowledgement of a revocation to the last unsafe acceptance"
    PropagationMax "propagation.max" Seconds Lower "longest time from the acknowledgement of a revocation to the last unsafe acceptance"
    ChannelDelayP50 "channel.delay.p50" Seconds Lower "half of the revocations that are pushed were known to a resource server within this time from their acknowledgement; 0 where it knew before. Those of which nothing came are left out"
    ChannelDelayP99 "channel.delay.p99" Seconds Lower "99 % of the revocations that are pushed were known to a resource server within this time from their acknowledgement"
    UnsafeAcceptances "unsafe_acceptances" Count Lower "probes accepted although sent after the revocation was acknowledged"
    UnsafeDisturbed "unsafe_acceptances.disturbed" Count Lower "those of them that were sent while servers were down or hung"
    InFlightAcceptances "in_flight_acceptances" Count Neither "probes sent before and accepted after the acknowledgement: neither safe nor unsafe"
    FalseRefusals "false_refusals" Count Lower "probes refused although the token was live and its revocation had not even been sent"
}

impl MetricId {
    /// Its name in thresholds and files.
    pub fn id(self) -> Cow<'static, str> {
        match self {
            Self::Percentile(family, quantile) => {
                format!("{}.p{}", family.prefix(), quantile.digits()).into()
            }
            row => row.row().0.into(),
        }
    }

    /// The ids of the table, in its order.
    pub fn ids() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().map(|metric| metric.row().0)
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
    pub fn meaning(self) -> Cow<'static, str> {
        match self {
            Self::Percentile(family, quantile) => {
                let (p99, percent) = (family.p99().row().3, quantile.percent());
                p99.replace("99 %", &format!("{percent} %"))
                    .replace("p99", &format!("p{}", quantile.digits()))
                    .into()
            }
            row => row.row().3.into(),
        }
    }

    /// A percentile of a family: its row, if it has one.
    pub fn percentile(family: Family, quantile: Quantile) -> Self {
        let asked = Some((family, quantile));
        let row = Self::ALL.iter().copied().find(|metric| metric.percentile_of() == asked);
        row.unwrap_or(Self::Percentile(family, quantile))
    }

    /// Which percentile it states, and of what; `None` for everything else, and for percentiles of which no others can be asked for.
    pub fn percentile_of(self) -> Option<(Family, Quantile)> {
        if let Self::Percentile(family, quantile) = self {
            return Some((family, quantile));
        }
        let (prefix, digits) = self.row().0.rsplit_once(".p")?;
        Some((Family::of(prefix)?, Quantile::of_digits(digits)?))
    }

    /// The quantile of latency or service time that it states, from 0 to 1; `None` for everything else.
    pub fn quantile(self) -> Option<f64> {
        match self.percentile_of()? {
            (Family::Latency | Family::Service, quantile) => Some(quantile.share()),
            _ => None,
        }
    }

    /// True for a difference, which is written with its sign.
    pub const fn is_difference(self) -> bool {
        matches!(self, Self::AddedP50 | Self::AddedP99 | Self::Percentile(Family::Added, _))
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

impl FromStr for MetricId {
    type Err = UnknownMetric;

    /// An id, or a statistic in k6's spelling: `p(95)` and `avg` are those of latency, `generator.lag(p(95))` of something else.
    fn from_str(written: &str) -> Result<Self, UnknownMetric> {
        name::read(written)
    }
}

/// The order of the table, with each percentile beside those of its family.
impl Ord for MetricId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.place().cmp(&other.place())
    }
}

impl PartialOrd for MetricId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl MetricId {
    /// The row, or that of the next lower percentile and what follows it.
    fn place(self) -> (usize, Option<(Quantile, Family)>) {
        match self {
            Self::Percentile(family, quantile) => {
                let is_lower =
                    |row: &Self| row.percentile_of().is_some_and(|(of, q)| of == family && q < quantile);
                let lower = Self::ALL.iter().rposition(is_lower);
                let first = || {
                    Self::ALL.iter().position(|row| row.percentile_of().is_some_and(|(of, _)| of == family))
                };
                // The first of a family never is the first row of all.
                let row = lower.or_else(|| Some(first()?.saturating_sub(1))).unwrap_or(Self::ALL.len());
                (row, Some((quantile, family)))
            }
            row => {
                (Self::ALL.iter().position(|other| *other == row).expect("every row is in the table"), None)
            }
        }
    }
}

impl fmt::Display for MetricId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id())
    }
}

impl Serialize for MetricId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.id())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_metric_has_an_id_of_its_own_and_is_found_by_it() {
        let ids: BTreeSet<_> = MetricId::ids().collect();
        assert_eq!(ids.len(), MetricId::ALL.len());
        for metric in MetricId::ALL {
            assert_eq!(metric.id().parse::<MetricId>().unwrap(), *metric);
        }
    }

    #[test]
    fn a_percentile_without_a_row_has_a_name_a_meaning_and_a_place_among_its_family() {
        for (written, id, meaning) in [
            (
                "p(75)",
                "latency.p75",
                "75 % of the requests were answered within this time from the instant they were due",
            ),
            (
                "latency.added(p(95))",
                "latency.added.p95",
                "latency.p95 minus that of the control in the same run",
            ),
            (
                "generator.lag(p(99.99))",
                "generator.lag.p9999",
                "99.99 % of the requests were late by no more than this",
            ),
            ("connect(med)", "connect.p50", "half of the connections opened within this time"),
        ] {
            let metric: MetricId = written.parse().unwrap();
            assert_eq!((metric.id().as_ref(), metric.id().parse().ok()), (id, Some(metric)));
            assert!(metric.meaning().starts_with(meaning), "{}", metric.meaning());
        }
        let mut metrics: Vec<MetricId> = MetricId::ALL.to_vec();
        metrics.extend(
            ["p(75)", "p(5)", "p(99.99)", "connect(p(75))"].map(|id| id.parse::<MetricId>().unwrap()),
        );
        metrics.sort();
        let ids: Vec<_> = metrics.iter().map(|metric| metric.id()).collect();
        assert_eq!(
            ids[..10].join(" "),
            "latency.min latency.p05 latency.p50 latency.p75 latency.p90 latency.p95 latency.p99 latency.p999 \
             latency.p9999 latency.max"
        );
        assert!(ids.join(" ").contains("connect.p50 connect.p75 connect.p99"));
    }

    #[test]
    fn a_difference_is_written_with_its_sign() {
        assert_eq!(MetricId::AddedP99.show(71e-6), "+71.0 µs");
        assert_eq!(MetricId::AddedP99.show(-2e-6), "-2.00 µs");
        assert_eq!(MetricId::LatencyP99.show(71e-6), "71.0 µs");
    }
}
