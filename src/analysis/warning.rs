//! Reasons to doubt a report, as data; the advice is worded where they are shown.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::analysis::Blame;
use crate::metric::MetricId;
use crate::observation::{TOKEN_EXPIRED, TrialFailure};

/// Something a reader must know before believing a figure.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Warning {
    /// A trial did not run to its end.
    Failed {
        /// Which repetition, from 0.
        repetition: u32,
        /// Why.
        reason: String,
    },
    /// Somebody stopped a trial that did not end well by itself.
    Interrupted {
        /// Which repetition, from 0.
        repetition: u32,
    },
    /// No request was due within the measured window.
    NothingMeasured,
    /// The trial was interrupted.
    CutShort,
    /// The program was built without optimisation.
    DebugBuild,
    /// Good tokens were refused or bad ones accepted by a subject that claims to check.
    WrongAnswers {
        /// How many.
        count: u64,
        /// Of how many answers.
        of: u64,
    },
    /// Probes were refused although their token was live and its revocation had not even been sent.
    FalseRefusals {
        /// How many.
        count: u64,
    },
    /// Requests got neither a yes nor a no. Latencies leave them out, so they look better than they were.
    Errors {
        /// How many, as a share of the planned requests.
        share: f64,
        /// How many requests were planned.
        planned: u64,
        /// What happened to them, and how often.
        kinds: BTreeMap<String, u64>,
    },
    /// Requests were sent again that no server is taken to have processed.
    SentAgain {
        /// How often, as a share of the planned requests.
        share: f64,
        /// Why, and how often.
        why: BTreeMap<String, u64>,
    },
    /// The generator itself cannot say what became of requests that were due.
    Lost {
        /// How many.
        requests: u64,
    },
    /// The load generator was so late that latencies are known only within a bracket, or not at all.
    GeneratorLate {
        /// Its own lag, 99th percentile, in seconds.
        p99: f64,
    },
    /// Cores were taken from the generator or from the servers; latencies are those of the requests that it left alone.
    Disturbed {
        /// For how much of the time the generator lost its core.
        generator: f64,
        /// For how much of the time the servers lost one of theirs.
        servers: f64,
        /// Share of the answered requests that are in no latency.
        uncounted: f64,
        /// Shorter gaps did not count, in seconds.
        shortest: f64,
    },
    /// Servers filled their cores, so that nobody could see what else took them.
    GapsUnseen {
        /// In how many seconds.
        seconds: u64,
        /// Of how many.
        of: u64,
    },
    /// Cores were taken more often the more was sent, as a quota does that the load uses up. Then what was taken is no chance, and
    /// latencies that leave it out look better than they were.
    GapsFollowLoad {
        /// Kendall's rank correlation of requests and time taken, second by second.
        correlation: f64,
    },
    /// Figures that were asked for could not be measured here.
    FiguresLost {
        /// Which ones.
        metrics: Vec<MetricId>,
    },
    /// Nothing that was asked for could be measured here.
    NothingLeft {
        /// What was asked for.
        metrics: Vec<MetricId>,
    },
    /// A thread of the load generator had no time left, although it sleeps while it waits.
    GeneratorBusy {
        /// CPU time as a share of the window.
        share: f64,
        /// The core it was bound to; absent if it shared all of them.
        core: Option<u32>,
        /// What it did while it waited.
        precision: String,
    },
    /// A thread of the load generator was ready to run, but somebody else was on its core.
    CoreTaken {
        /// For how much of the window.
        share: f64,
        /// The core it was bound to; absent if it shared all of them.
        core: Option<u32>,
    },
    /// Fewer requests were sent than planned: no connection became idle.
    NotSent {
        /// Sent as a share of planned.
        share: f64,
    },
    /// Requests waited long for an idle connection.
    ConnectionsShort {
        /// 99th percentile of the wait over all requests, in seconds.
        p99: f64,
        /// The median service time, in seconds.
        service: f64,
    },
    /// Requests were still waiting for a connection when the window ended.
    BacklogAtEnd {
        /// How many.
        requests: u64,
    },
    /// Somebody else wanted the processor.
    MachineBusy {
        /// `some avg10` of the CPU pressure in percent.
        pressure_percent: Option<f64>,
        /// CPU time stolen by the hypervisor in percent.
        steal_percent: Option<f64>,
        /// True if servers had to share cores, so that the load itself may be the reason for the pressure.
        shared_cores: bool,
    },
    /// The latency drifted.
    NotSteady {
        /// Relative change of the median from the first third of the run to its last.
        change: f64,
    },
    /// A closed form says otherwise.
    OracleDisagrees {
        /// What was compared, in words.
        quantity: String,
    },
    /// The authorization server never confirmed a revocation.
    NotAcknowledged {
        /// How many.
        revocations: u64,
        /// Why, most often; absent if it was not recorded.
        reason: Option<String>,
    },
    /// Fewer tokens were replaced than were to be: the authorization server did not issue others as quickly.
    ChurnShort {
        /// How many were replaced.
        replaced: u64,
        /// How many were to be.
        due: u64,
        /// How many the authorization server did not issue when asked.
        failed: u64,
        /// Why not the first of those.
        failure: Option<String>,
    },
    /// Too few requests for the 99th percentile.
    FewSamples {
        /// How many there were.
        requests: u64,
    },
    /// All tokens fit the header table of an HTTP/2 connection, so that most requests carried an index instead of one.
    TokensIndexed {
        /// How many different ones there are.
        tokens: u64,
        /// The characters of the median one.
        characters: u64,
    },
    /// A search ended because every step at one rate was spoiled: by the generator, or by what else the machine did.
    SearchSpoiled {
        /// That rate, in requests per second.
        rate: f64,
    },
    /// The limit of a search did not hold at any rate.
    SearchUnmet {
        /// The lowest rate that was tried, in requests per second.
        rate: f64,
    },
    /// No subject checks nothing, so added latency cannot be told.
    NoControl,
}

/// How much a warning weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Gravity {
    /// Good to know.
    Note,
    /// Figures may be off.
    Doubtful,
    /// Figures mean nothing.
    Unfit,
}

/// Above this share of errors the figures are those of another, lighter load.
const UNFIT_ERRORS: f64 = 0.01;
/// Above this share of requests sent again the 99th percentile is that of connections that end.
const MANY_SENT_AGAIN: f64 = 0.01;

impl Warning {
    /// A trial did not run to its end.
    pub(super) fn of_failure(repetition: u32, failure: &TrialFailure) -> Self {
        match failure {
            TrialFailure::Interrupted => Self::Interrupted { repetition },
            TrialFailure::Error { reason } => Self::Failed { repetition, reason: reason.clone() },
        }
    }

    /// How much it weighs.
    pub fn gravity(&self) -> Gravity {
        match self {
            Self::Failed { .. }
            | Self::Interrupted { .. }
            | Self::NothingMeasured
            | Self::DebugBuild
            | Self::WrongAnswers { .. }
            | Self::FalseRefusals { .. }
            | Self::NothingLeft { .. }
            | Self::Lost { .. }
            | Self::NotSent { .. } => Gravity::Unfit,
            Self::Errors { share, .. } if *share > UNFIT_ERRORS => Gravity::Unfit,
            Self::SentAgain { share, .. } if *share > MANY_SENT_AGAIN => Gravity::Doubtful,
            Self::MachineBusy { steal_percent, shared_cores: true, .. }
                if steal_percent.is_none_or(|steal| steal <= super::usage::STEAL_PERCENT) =>
            {
                Gravity::Note
            }
            Self::CoreTaken { .. }
            | Self::GeneratorBusy { .. }
            | Self::GapsFollowLoad { .. }
            | Self::FiguresLost { .. }
            | Self::ConnectionsShort { .. }
            | Self::CutShort
            | Self::Errors { .. }
            | Self::BacklogAtEnd { .. }
            | Self::TokensIndexed { .. }
            | Self::MachineBusy { .. }
            | Self::NotSteady { .. }
            | Self::OracleDisagrees { .. }
            | Self::ChurnShort { .. }
            | Self::NotAcknowledged { .. } => Gravity::Doubtful,
            Self::FewSamples { .. }
            | Self::GeneratorLate { .. }
            | Self::SentAgain { .. }
            | Self::Disturbed { .. }
            | Self::GapsUnseen { .. }
            | Self::SearchSpoiled { .. }
            | Self::SearchUnmet { .. }
            | Self::NoControl => Gravity::Note,
        }
    }

    /// Whose doing it is.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Lost { .. }
            | Self::GeneratorLate { .. }
            | Self::SearchSpoiled { .. }
            | Self::GeneratorBusy { .. } => Blame::Generator,
            // A server that refuses an expired token is right.
            Self::Errors { kinds, .. }
                if kinds.keys().all(|kind| kind == TOKEN_EXPIRED) && !kinds.is_empty() =>
            {
                Blame::Setup
            }
            Self::Failed { .. }
            | Self::Errors { .. }
            | Self::SentAgain { .. }
            | Self::NotSent { .. }
            | Self::ConnectionsShort { .. }
            | Self::BacklogAtEnd { .. }
            | Self::NotSteady { .. }
            | Self::SearchUnmet { .. }
            | Self::ChurnShort { .. }
            | Self::NotAcknowledged { .. } => Blame::Servers,
            Self::CoreTaken { .. }
            | Self::MachineBusy { .. }
            | Self::Disturbed { .. }
            | Self::GapsUnseen { .. }
            | Self::GapsFollowLoad { .. }
            | Self::FiguresLost { .. }
            | Self::NothingLeft { .. } => Blame::Machine,
            Self::WrongAnswers { .. } | Self::FalseRefusals { .. } | Self::OracleDisagrees { .. } => {
                Blame::Subject
            }
            // Whoever interrupted it did so on purpose.
            Self::Interrupted { .. }
            | Self::NothingMeasured
            | Self::CutShort
            | Self::DebugBuild
            | Self::FewSamples { .. }
            | Self::TokensIndexed { .. }
            | Self::NoControl => Blame::Setup,
        }
    }
}
