//! What a warning means and what to do about it.

use std::collections::BTreeMap;

use crate::analysis::Warning;
use crate::metric::{Unit, significant, thousands};

/// A warning in words: what was found, why it matters, what to do.
pub fn explain(warning: &Warning) -> String {
    match warning {
        Warning::Failed { repetition, reason } => format!(
            "Repetition {} did not run to its end: {reason}. What was recorded before is shown; run it again.",
            repetition + 1
        ),
        Warning::NothingMeasured => "Nothing was measured: no request was due within the measured window. \
            Choose a longer duration or a higher rate."
            .to_owned(),
        Warning::CutShort => "The trial was interrupted: it is shorter than planned, so its intervals are \
            wider. Run it to its end."
            .to_owned(),
        Warning::DebugBuild => "The program was built without optimisation, so its figures mean nothing. \
            Build it with \"cargo build --release\"."
            .to_owned(),
        Warning::WrongAnswers { count, of } => format!(
            "{} of {} answers were wrong (a good token refused or a bad one accepted), so it did not do \
             the same work as the others. The recording tells which: good_refused, and bad_accepted by kind, \
             second by second. \"bearerbench check\" counts them again in a short run.",
            thousands(&count.to_string()),
            thousands(&of.to_string())
        ),
        Warning::FalseRefusals { count } => format!(
            "{} probes were refused although their token was live and its revocation had not even been sent, so a \
             refusal says nothing about how fast a revocation arrives. A server that cannot reach its authorization \
             server refuses so too: lower the rate and run it again.",
            thousands(&count.to_string())
        ),
        Warning::Errors { share, planned, kinds } => errors(*share, *planned, kinds),
        Warning::GeneratorLate { p99 } => format!(
            "The load generator took up 1 % of its requests up to {} or more after they were due, so latencies hold its \
             delay. Where the machine was busy too, that is the cause: use a quieter one. Otherwise lower the rate, or \
             give the generator a core of its own.",
            Unit::Seconds.show(*p99)
        ),
        Warning::NotSent { share } => format!(
            "Only {} of the planned requests were sent: the servers or the connections could not keep up. \
             Lower the rate or add connections.",
            Unit::Fraction.show(*share)
        ),
        Warning::BacklogAtEnd { requests } => format!(
            "{requests} requests were waiting for a connection when the window ended: the queue was growing, so \
             latency depends on how long one measures. Lower the rate."
        ),
        Warning::MachineBusy { pressure_percent, steal_percent, shared_cores } => {
            busy(*pressure_percent, *steal_percent, *shared_cores)
        }
        Warning::NotSteady { change } => format!(
            "The median latency drifted by {} from the first third of the run to its last, so a longer run \
             would show other figures. Lengthen the warm-up, or look for what else the machine does.",
            signed_percent(*change)
        ),
        Warning::OracleDisagrees { quantity } => format!(
            "What was measured contradicts what theory expects: {quantity}. See \"Measured and expected\" below; \
             the server does not do what its settings say, or the run was disturbed, or a cache has a smaller \
             capacity than tokens are in play, of which theory knows nothing."
        ),
        Warning::NotAcknowledged { revocations } => format!(
            "{revocations} revocations were never confirmed by the authorization server and are left out of \
             the propagation. It may have been too busy: lower the rate and run it again."
        ),
        Warning::FewSamples { requests } => format!(
            "{requests} requests are too few for the 99th percentile: 10,000 are needed to have a hundred beyond \
             it. Run longer or faster before you compare it."
        ),
        Warning::SearchSpoiled { rate } => format!(
            "The search ended at {}: there the generator was late, or the machine busy with something else, three times in \
             a row. How much more than what passed the servers can do, this run cannot tell: give the generator more cores \
             (load.generators), or use a quieter or a larger machine.",
            Unit::PerSecond.show(*rate)
        ),
        Warning::SearchUnmet { rate } => format!(
            "The limit of the search did not hold, not even at {}, the lowest rate tried. Begin lower (load.rate), or allow \
             more.",
            Unit::PerSecond.show(*rate)
        ),
        Warning::NoControl => {
            "No subject was a control (one that checks nothing), so added latency cannot be \
            told. Add the architecture \"none\"."
                .to_owned()
        }
    }
}

fn errors(share: f64, planned: u64, kinds: &BTreeMap<String, u64>) -> String {
    let kinds: Vec<String> =
        kinds.iter().map(|(kind, count)| format!("{kind}: {}", thousands(&count.to_string()))).collect();
    let kinds = if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join("; ")) };
    format!(
        "{} of {} planned requests got neither a yes nor a no{kinds}. Latencies leave them out, so they look better \
         than they were: a quantile that as many requests lie beyond is only a lower bound, marked \"≥\". Lower the \
         rate, or find out why they failed.",
        Unit::Fraction.show(share),
        thousands(&planned.to_string())
    )
}

fn busy(pressure: Option<f64>, steal: Option<f64>, shared_cores: bool) -> String {
    let mut sentences = Vec::new();
    if let Some(steal) = steal {
        sentences.push(format!(
            "The hypervisor gave up to {} % of the CPU time to others, which makes latency longer and counts as CPU time \
             of whoever ran: use a quieter machine, or run again later.",
            significant(steal)
        ));
    }
    if let Some(pressure) = pressure {
        let pressure = significant(pressure);
        sentences.push(if shared_cores {
            format!(
                "Processes waited for a core during up to {pressure} % of the time. The servers share cores, so the \
                 load itself may be the reason, and latency then holds waiting for one another; on a machine \
                 with a core for each server it would be lower."
            )
        } else {
            format!(
                "Processes waited for a core during up to {pressure} % of the time although every server has its own: \
                 something else ran. Stop it and run again."
            )
        });
    }
    sentences.join(" ")
}

fn signed_percent(share: f64) -> String {
    format!("{}{}", if share >= 0.0 { "+" } else { "" }, Unit::Fraction.show(share))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_told_by_what_happened() {
        let kinds = BTreeMap::from([("status 503".to_owned(), 1_200), ("time-out".to_owned(), 3)]);
        let text = explain(&Warning::Errors { share: 0.0123, planned: 97_805, kinds });
        assert!(
            text.starts_with(
                "1.23 % of 97,805 planned requests got neither a yes nor a no (status 503: 1,200; time-out: 3). \
                 Latencies leave them out"
            ),
            "{text}"
        );
    }
}
