//! Nothing is lost, whatever a server does: every request ends in exactly one way, and in the right one.

use std::time::Duration;

use crate::arrival::Constant;
use crate::load::Engine;
use crate::observation::Outcomes;
use crate::selftest::Effort;
use crate::selftest::bench::{Bench, SelftestError, Sending};
use crate::selftest::figures::outcomes;
use crate::selftest::law::Law;
use crate::selftest::machine::Held;
use crate::selftest::report::{Case, Finding};
use crate::selftest::server::Behaviour;

use super::readback::ENGINES;

/// What is right for every request of a case.
#[derive(Clone, Copy)]
enum Right {
    Accepted,
    /// Errors, none of them anything else.
    Error,
    /// Accepted, but for those that the server closed on.
    AcceptedOrClosed,
    /// So many accepted, the rest errors.
    AcceptedThenGone(u64),
}

/// The server waits longer than the generator does.
const LATER_THAN_PATIENCE: Law = Law::Constant(Duration::from_secs(3));

const KINDS: [(&str, Behaviour, Right); 9] = [
    ("closes after every answer and says so", Behaviour::CloseAfterEachAnswer, Right::Accepted),
    ("closes after every answer without a word", Behaviour::CloseUnannounced, Right::AcceptedOrClosed),
    ("closes instead of answering", Behaviour::CloseWithoutAnswer, Right::Error),
    (
        "answers later than anybody waits",
        Behaviour::Service { law: LATER_THAN_PATIENCE, seed: 0 },
        Right::Error,
    ),
    ("answers garbage", Behaviour::Garbage, Right::Error),
    ("dies after 20 requests", Behaviour::DieAfter(20), Right::AcceptedThenGone(20)),
    ("answers 503", Behaviour::Unavailable, Right::Error),
    ("is another HTTP server, which answers 404", Behaviour::NotFound, Right::Error),
    ("is no HTTP server, but speaks SSH", Behaviour::Ssh, Right::Error),
];

pub(super) fn cases(bench: &Bench, effort: Effort) -> Result<Vec<Case>, SelftestError> {
    let mut cases = Vec::new();
    for (name, behaviour, right) in KINDS {
        for engine in ENGINES {
            let findings = findings(bench, effort, behaviour, right, engine)?;
            cases.push(Case { name: format!("a server that {name}, engine {}", engine.name()), findings });
        }
    }
    Ok(cases)
}

fn findings(
    bench: &Bench,
    effort: Effort,
    behaviour: Behaviour,
    right: Right,
    engine: Engine,
) -> Result<Vec<Finding>, SelftestError> {
    let lasts = effort.of(Duration::from_secs(1));
    let sending = Sending { engine, connections: 300, arrivals: &Constant {}, rate: 200.0, lasts, seed: 0 };
    let tried = bench.run(behaviour, &sending)?;
    let sum = outcomes(&tried.driven.load);
    let planned = sending.instants().count() as u64;
    Ok(vec![judge(right, planned, &sum, tried.held.hides_share(1.0, STARVED))])
}

/// Where others have a core for more of the time than that, answers may come later than anybody waits.
const STARVED: f64 = 0.05;

/// That nothing is lost is judged whatever the machine does.
fn judge(right: Right, planned: u64, sum: &Outcomes, unfit: Option<Held>) -> Finding {
    let errors: u64 = sum.errors().values().sum();
    let closed = sum.errors().get("connection closed").copied().unwrap_or(0);
    let (truth, is_right) = match right {
        Right::Accepted => (format!("{planned} accepted"), sum.accepted() == planned),
        Right::Error => (format!("{planned} errors"), errors == planned),
        Right::AcceptedOrClosed => {
            ("accepted or closed on".to_owned(), sum.accepted() + closed == planned && sum.accepted() > 0)
        }
        Right::AcceptedThenGone(served) => (
            format!("{served} accepted, the others errors"),
            (sum.accepted(), errors) == (served, planned - served),
        ),
    };
    let kinds: Vec<String> = sum.errors().iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let mut reported = format!("{} accepted; {}", sum.accepted(), kinds.join(", "));
    reported.truncate(reported.trim_end_matches("; ").len());
    let none_lost = (sum.planned(), sum.ended()) == (planned, planned);
    if !none_lost {
        reported = format!("{reported}; {} ended of {} taken up", sum.ended(), sum.planned());
    }
    let unfit = unfit.filter(|_| none_lost);
    Finding::checked_on("how every request ended", truth, reported, is_right && none_lost, unfit)
}
