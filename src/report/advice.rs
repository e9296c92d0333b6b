//! What a warning means and what to do about it.

mod requests;

use crate::analysis::{Blame, Warning};
use crate::metric::{MetricId, Unit, significant, thousands};
use crate::report::advice::requests::{churn_short, errors, sent_again};

/// A warning in words: what was found, why it matters, what to do.
pub fn explain(warning: &Warning) -> String {
    match warning {
        Warning::Failed { repetition, reason } => format!(
            "Repetition {} did not run to its end: {reason}. What was recorded before is shown; run it again.",
            repetition + 1
        ),
        Warning::Interrupted { repetition } => format!(
            "Repetition {} did not run to its end: interrupted. What was recorded before is shown; run it again.",
            repetition + 1
        ),
        Warning::NothingMeasured => "Nothing was measured: no request was due within the measured window. \
            Choose a longer duration, a higher rate, or more requests than the warm-up uses up."
            .to_owned(),
        Warning::CutShort => "The trial was interrupted: it is shorter than planned, so its intervals are \
            wider. Run it to its end."
            .to_owned(),
        Warning::DebugBuild => "The program was built without optimisation, so its figures mean nothing. \
            Build it with \"cargo build --release\"."
            .to_owned(),
        Warning::WrongAnswers { count, of } => wrong_answers(*count, *of),
        Warning::FalseRefusals { count } => false_refusals(*count),
        Warning::Errors { share, planned, kinds } => errors(*share, *planned, kinds),
        Warning::SentAgain { share, why } => sent_again(*share, why),
        Warning::Lost { .. }
        | Warning::GeneratorLate { .. }
        | Warning::GeneratorBusy { .. }
        | Warning::Disturbed { .. }
        | Warning::GapsUnseen { .. }
        | Warning::GapsFollowLoad { .. }
        | Warning::FiguresLost { .. }
        | Warning::NothingLeft { .. } => bench(warning),
        Warning::CoreTaken { share, core: Some(core) } => format!(
            "Core {core} was reserved for the load generator, but something else ran on it during {} of the window, so \
             requests were sent late, or their answers were seen late. Stop other programs, or keep them off that core \
             (taskset, isolcpus).",
            Unit::Fraction.show(*share)
        ),
        Warning::CoreTaken { share, core: None } => format!(
            "The load generator shares its cores with the servers and waited for one during {} of the window, so \
             latencies include this wait. Use a machine with a core to spare.",
            Unit::Fraction.show(*share)
        ),
        Warning::NotSent { share } => format!(
            "Only {} of the planned requests were sent. The generator was ready, but no connection became idle: the servers could \
             not keep up, or there are too few connections. Lower the rate, or raise the number of connections.",
            Unit::Fraction.show(*share)
        ),
        Warning::ConnectionsShort { p99, service } => format!(
            "1 % of the requests were queued for an idle connection for {} or more, while the service takes {} at the median, so \
             latency depends on the number of connections. Raise it; if that changes nothing, the servers are at their \
             limit: lower the rate.",
            Unit::Seconds.show(*p99),
            Unit::Seconds.show(*service)
        ),
        Warning::BacklogAtEnd { requests } => format!(
            "{requests} requests were still queued for a connection when the window ended: the backlog was growing, so \
             latency grows with the duration of the run. Lower the rate."
        ),
        Warning::MachineBusy { pressure_percent, steal_percent, shared_cores } => {
            busy(*pressure_percent, *steal_percent, *shared_cores)
        }
        Warning::NotSteady { change } => format!(
            "The median latency drifted by {} from the first third of the run to its last, so a longer run \
             would show other figures. Lengthen the warm-up, or look for other work on the machine.",
            signed_percent(*change)
        ),
        Warning::OracleDisagrees { quantity } => format!(
            "The measurement contradicts theory: {quantity}. Either the server does not do what its settings say, or the run \
             was disturbed, or a cache holds fewer answers than there are tokens. See \"Measured and expected\" below."
        ),
        Warning::NotAcknowledged { revocations, reason } => format!(
            "The authorization server never confirmed {revocations} revocations; they are left out of the propagation. {}.",
            reason.as_ref().map_or_else(
                || "Why was not recorded: run it again".to_owned(),
                |reason| format!("Most often: {reason}")
            )
        ),
        Warning::ChurnShort { replaced, due, failed, failure } => {
            churn_short(*replaced, *due, *failed, failure.as_deref())
        }
        Warning::FewSamples { requests } => format!(
            "{requests} requests are too few for the 99th percentile: 10,000 are needed, of which 100 lie beyond it. Run \
             longer, or at a higher rate, before you compare it."
        ),
        Warning::TokensIndexed { tokens, characters } => format!(
            "The tokens in use ({tokens} of {characters} characters) fit the header table of an HTTP/2 connection (HPACK, RFC \
             7541), so most requests carried an index of a byte or two instead of a token. HTTP/2 looks better than it \
             would with many users. Use more tokens."
        ),
        Warning::SearchSpoiled { rate } => spoiled(*rate),
        Warning::SearchUnmet { rate } => unmet(*rate),
        Warning::NoControl => {
            "No subject was a control (one that checks nothing), so added latency cannot be \
            computed. Add the architecture \"none\"."
                .to_owned()
        }
    }
}

fn false_refusals(count: u64) -> String {
    format!(
        "{} probes were refused although their token was live and its revocation had not been sent yet, so a \
         refusal says nothing about how fast a revocation arrives. A resource server that cannot reach its \
         authorization server refuses every token: lower the rate and run it again.",
        thousands(&count.to_string())
    )
}

fn wrong_answers(count: u64, of: u64) -> String {
    let (count, of) = (thousands(&count.to_string()), thousands(&of.to_string()));
    if count == of {
        return format!(
            "All {of} answers were wrong: good tokens were refused or bad ones accepted. A server that refuses every good token may \
             expect another issuer, audience or scope, or have other keys: compare with \"bearerbench token inspect\"."
        );
    }
    format!(
        "{count} of {of} answers were wrong (a good token refused or a bad one accepted), so the subject did other work than the \
         rest. recording.jsonl counts them in every second, by class of token; \"bearerbench check\" counts them again in a short run."
    )
}

/// What the bench and its machine did to the figures.
fn bench(warning: &Warning) -> String {
    match warning {
        Warning::Lost { requests } => format!(
            "The load generator lost {} requests that were due: its counts by second and by class do not add up, so no figure can be relied on. \
             This is a defect of bearerbench; please report it with recording.jsonl.",
            thousands(&requests.to_string())
        ),
        Warning::GeneratorLate { p99 } => late(*p99),
        Warning::Disturbed { generator, servers, uncounted, shortest } => {
            disturbed(*generator, *servers, *uncounted, *shortest)
        }
        Warning::GapsUnseen { seconds, of } => format!(
            "In {seconds} of {of} seconds the servers used a whole core, so it is not known what else ran there: latencies may be \
             longer than the servers alone would make them. Lower the rate to find out."
        ),
        Warning::GapsFollowLoad { correlation } => format!(
            "Cores were taken more often in seconds with more requests (rank correlation {}), as by a CPU quota that the load \
             uses up. Latencies leave out the time that was taken, so they look better than they were: raise the quota, or \
             lower the rate.",
            significant(*correlation)
        ),
        Warning::FiguresLost { metrics } => format!(
            "{} could not be measured here: the generator's own lag is too large beside it, or too few requests were undisturbed. Run \
             longer, or on a quieter machine.",
            ids(metrics)
        ),
        Warning::NothingLeft { metrics } => format!(
            "Nothing that was asked for could be measured here ({}): the generator's own lag is too large beside it. Use a quieter machine, \
             lower the rate, or give the generator a core of its own; `bearerbench doctor` shows what disturbs it.",
            ids(metrics)
        ),
        Warning::GeneratorBusy { share, core, precision } => format!(
            "A thread of the load generator{} was busy for {} of the window, although it sleeps while it waits (precision \
             \"{precision}\"): it had no time left to be punctual. Lower the rate, or give the generator more cores.",
            on_core(*core),
            Unit::Fraction.show(*share)
        ),
        other => unreachable!("{other:?} is explained elsewhere"),
    }
}

/// Whom a warning blames, in a word.
pub(super) fn blamed(blame: Blame) -> &'static str {
    match blame {
        Blame::Generator => "load generator",
        Blame::Servers => "servers",
        Blame::Machine => "machine",
        Blame::Subject => "subject",
        Blame::Setup => "setup",
    }
}

fn late(p99: f64) -> String {
    format!(
        "The generator sent 1 % of its requests {} late or more. A latency that this may have lengthened is marked \"bounded\": its \
         true value lies between the two values shown.",
        Unit::Seconds.show(p99)
    )
}

fn disturbed(generator: f64, servers: f64, uncounted: f64, shortest: f64) -> String {
    let share = |share| Unit::Fraction.show(share);
    format!(
        "Something else ran on a core of the generator for {} of the time, and on a core of the servers for {}. Latencies are those \
         of undisturbed requests: {} of the requests were left out, and an interrupted one counts up to the interruption \
         (Kaplan-Meier). Gaps shorter than {} were ignored.",
        share(generator),
        share(servers),
        share(uncounted),
        Unit::Seconds.show(shortest)
    )
}

fn ids(metrics: &[MetricId]) -> String {
    metrics.iter().map(|metric| metric.id()).collect::<Vec<_>>().join(", ")
}

fn on_core(core: Option<u32>) -> String {
    core.map_or_else(String::new, |core| format!(" on core {core}"))
}

fn spoiled(rate: f64) -> String {
    format!(
        "The search ended at {}: three times in a row the generator was late there, or the machine was busy with other \
         work. This run cannot tell which higher rate the servers would sustain: give the generator more cores \
         (load.generators), or use a quieter or larger machine.",
        Unit::PerSecond.show(rate)
    )
}

fn unmet(rate: f64) -> String {
    format!(
        "The limit of the search did not hold even at {}, the lowest rate tried. Begin at a lower rate (load.rate), or raise the \
         limit.",
        Unit::PerSecond.show(rate)
    )
}

fn busy(pressure: Option<f64>, steal: Option<f64>, shared_cores: bool) -> String {
    let mut sentences = Vec::new();
    if let Some(steal) = steal {
        sentences.push(format!(
            "The hypervisor gave up to {} % of the CPU time to others, which lengthens latency and counts as CPU time of the process \
             that ran: use a quieter machine, or run again later.",
            significant(steal)
        ));
    }
    if let Some(pressure) = pressure {
        let pressure = significant(pressure);
        sentences.push(if shared_cores {
            format!(
                "Processes waited for a core during up to {pressure} % of the time. The servers share cores, so the load itself may be \
                 the reason: latency then includes the time in which one server waits for another. With a core for each server it \
                 would be lower."
            )
        } else {
            format!(
                "Processes waited for a core during up to {pressure} % of the time although there is one for every server: something \
                 else ran, or a server that is not pinned ran on the generator's core. Stop the other programs, and keep the \
                 server off that core (taskset)."
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
    fn a_revocation_that_nobody_confirmed_is_told_with_the_reason_that_was_recorded() {
        let told = |reason: Option<&str>| {
            explain(&Warning::NotAcknowledged { revocations: 3, reason: reason.map(str::to_owned) })
        };
        assert!(told(Some("no answer within 10 s")).ends_with("Most often: no answer within 10 s."));
        assert!(told(None).ends_with("Why was not recorded: run it again."));
    }

    #[test]
    fn churn_that_fell_short_is_told_with_what_was_not_issued() {
        let told = |failed, failure: Option<&str>| {
            let failure = failure.map(str::to_owned);
            explain(&Warning::ChurnShort { replaced: 1_000, due: 2_000, failed, failure })
        };
        let slow = told(0, None);
        assert!(
            slow.starts_with("1,000 of 2,000 tokens were replaced that should have been")
                && !slow.contains("not issued"),
            "{slow}"
        );
        let refused = told(1_000, Some("status 503"));
        assert!(refused.contains("1,000 were not issued when a client asked: status 503."), "{refused}");
    }

    #[test]
    fn a_server_that_refuses_every_token_may_expect_other_claims_or_have_other_keys() {
        let all = explain(&Warning::WrongAnswers { count: 1_200, of: 1_200 });
        assert!(all.starts_with("All 1,200 answers were wrong") && all.contains("audience"), "{all}");
        let some = explain(&Warning::WrongAnswers { count: 3, of: 1_200 });
        assert!(some.starts_with("3 of 1,200 answers were wrong") && !some.contains("audience"), "{some}");
    }
}
