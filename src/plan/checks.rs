//! What a scenario asks for and cannot have, told before anything is started.

use std::num::NonZeroU32;

use crate::auth::sender::SenderEvidence;
use crate::plan::mix;
use crate::plan::offer::Offer;
use crate::reuse::Demand;
use crate::scenario::{self, InvalidScenario, ScenarioFile};
use crate::wire::Http;

/// What can be told without drawing the requests.
pub(super) fn ensure_possible(file: &ScenarioFile, offer: &Offer) -> Result<(), InvalidScenario> {
    ensure_tokens_last(file, offer)?;
    ensure_grants_last(file)?;
    ensure_bounded(file)?;
    ensure_servers(file)?;
    ensure_mixed(file)?;
    ensure_replaceable(file)?;
    ensure_senders_fit(file)?;
    ensure_streams(file)?;
    ensure_connected(file)
}

/// Tokens are issued before the load: those that expire while it runs would be refused rightly, and counted
/// as wrong answers.
fn ensure_tokens_last(file: &ScenarioFile, offer: &Offer) -> Result<(), InvalidScenario> {
    let (load, lifetime) = (&file.scenario.load, file.scenario.tokens.lifetime);
    if lifetime.duration().subsec_nanos() != 0 {
        let problem =
            format!("a token lives {lifetime}, expected whole seconds, which is what tokens can say");
        return Err(file.key_error("tokens.lifetime", problem));
    }
    let written = load.warmup.duration() + load.duration.duration();
    let length = if let Offer::Search(_, search) = offer { search.longest() } else { written };
    if lifetime.duration() > length {
        return Ok(());
    }
    let window = if length == written { "load.duration" } else { "the longest step of load.search" };
    let length = humantime::format_duration(length);
    let problem =
        format!("a token lives {lifetime}, expected more than the {length} of load.warmup and {window}");
    Err(file.key_error("tokens.lifetime", problem))
}

/// What clients have refreshed lives shorter than what they have it refreshed by.
fn ensure_grants_last(file: &ScenarioFile) -> Result<(), InvalidScenario> {
    let lifetime = file.scenario.tokens.lifetime;
    for (index, subject) in file.scenario.subjects.iter().enumerate() {
        let refreshing = subject.architecture.design().refreshing;
        if let Some(refreshing) = refreshing.filter(|refreshing| refreshing.life() >= lifetime.duration()) {
            let life = humantime::format_duration(refreshing.life());
            let problem = format!(
                "`life` {life} is not shorter than the {lifetime} for which it may be refreshed; choose a shorter `life`, or a longer \
                 tokens.lifetime"
            );
            return Err(file.key_error(&format!("subject[{index}].architecture"), problem));
        }
    }
    Ok(())
}

/// What a scenario may ask for at most: beyond it the memory of any machine would end before the run does.
const MOST_TOKENS: u32 = 10_000_000;
const MOST_REPETITIONS: u32 = 10_000;

fn ensure_bounded(file: &ScenarioFile) -> Result<(), InvalidScenario> {
    let (tokens, revocation) = (&file.scenario.tokens, &file.scenario.revocation);
    let counts = [
        ("repetitions", file.scenario.repetitions.map_or(1, NonZeroU32::get), MOST_REPETITIONS),
        ("tokens.live", tokens.live.get(), MOST_TOKENS),
        ("tokens.bad_per_kind", tokens.bad_per_kind.get(), MOST_TOKENS),
        ("revocation.tokens", revocation.tokens, MOST_TOKENS),
    ];
    match counts.into_iter().find(|(_, count, most)| count > most) {
        Some((key, count, most)) => Err(file.key_error(key, format!("expected at most {most}, not {count}"))),
        None => Ok(()),
    }
}

/// More resource servers than that are a typing error: they take a port and a cache each.
const MOST_SERVERS: u32 = 1_000;

/// So many that they can be started; and of a closed loop, which has a user on each connection, as many for all subjects.
fn ensure_servers(file: &ScenarioFile) -> Result<(), InvalidScenario> {
    let (load, subjects) = (&file.scenario.load, &file.scenario.subjects);
    let of_subjects = subjects.iter().enumerate().filter_map(|(index, subject)| {
        Some((format!("subject[{index}].resource_servers"), subject.resource_servers?.get()))
    });
    let all = load.resource_servers.get();
    for (key, servers) in [("load.resource_servers".to_owned(), all)].into_iter().chain(of_subjects) {
        if servers > MOST_SERVERS {
            return Err(file.key_error(&key, format!("expected at most {MOST_SERVERS}, not {servers}")));
        }
        if load.closed.is_some() && servers != all {
            let problem = format!(
                "a closed loop has a user on each connection, so that {servers} resource servers have other users than the {all} of \
                 load.resource_servers; set load.rate in the place of load.closed, or leave the key away"
            );
            return Err(file.key_error(&key, problem));
        }
    }
    Ok(())
}

fn ensure_mixed(file: &ScenarioFile) -> Result<(), InvalidScenario> {
    let tokens = &file.scenario.tokens;
    if f64::from(tokens.bad) > 0.0 && mix(tokens).is_empty() {
        let problem = "no kind has a weight above 0, expected one at least, like { expired = 2, garbage = 1 }; \
                       without bad tokens set tokens.bad = 0";
        return Err(file.key_error("tokens.mix", problem));
    }
    Ok(())
}

/// `needed`: what the repetition needs that sends the most.
pub(super) fn ensure_enough_tokens(file: &ScenarioFile, needed: u64) -> Result<(), InvalidScenario> {
    let tokens = &file.scenario.tokens;
    let (live, reuse) = (tokens.live, tokens.reuse.to_string());
    if needed <= u64::from(live.get()) {
        return Ok(());
    }
    let remedy = if needed <= u64::from(MOST_TOKENS) {
        format!("set tokens.live = {needed} or more, or choose another tokens.reuse")
    } else {
        format!(
            "there can be {MOST_TOKENS}: lower load.rate or load.duration, or choose another tokens.reuse"
        )
    };
    let problem = format!("{live} live tokens, expected {needed} for reuse {reuse:?}; {remedy}");
    Err(file.key_error("tokens.live", problem))
}

/// More tokens per second than an authorization server on this machine issues beside its other work.
const MOST_CHURN: f64 = 10_000.0;

fn ensure_replaceable(file: &ScenarioFile) -> Result<(), InvalidScenario> {
    let tokens = &file.scenario.tokens;
    match tokens.churn {
        Some(churn) if churn.per_second() > MOST_CHURN => {
            let problem =
                format!("expected at most {MOST_CHURN} tokens per second, not {}", churn.per_second());
            Err(file.key_error("tokens.churn", problem))
        }
        Some(_) if matches!(tokens.reuse.demand(), Demand::OnePerRequest) => {
            let reuse = tokens.reuse.to_string();
            let problem = format!(
                "reuse {reuse:?} sends every token once, so that none is replaced while it is in use; choose another \
                 tokens.reuse, or leave `churn` away"
            );
            Err(file.key_error("tokens.churn", problem))
        }
        Some(_) => ensure_nobody_refreshes(file),
        None => Ok(()),
    }
}

/// Who has a token refreshed keeps it: nobody else comes in its place.
fn ensure_nobody_refreshes(file: &ScenarioFile) -> Result<(), InvalidScenario> {
    let refreshes = |subject: &scenario::Subject| subject.architecture.design().refreshing.is_some();
    match file.scenario.subjects.iter().position(refreshes) {
        None => Ok(()),
        Some(index) => {
            let problem = "its clients have their tokens refreshed for as long as the load lasts, so that none can be replaced; take \
                           this subject into a scenario of its own, or leave tokens.churn away";
            Err(file.key_error(&format!("subject[{index}].architecture"), problem.to_owned()))
        }
    }
}

fn ensure_senders_fit(file: &ScenarioFile) -> Result<(), InvalidScenario> {
    for (index, subject) in file.scenario.subjects.iter().enumerate() {
        let problem = match subject.sender.as_ref().map(|sender| sender.evidence()) {
            Some(SenderEvidence::Proofs(_)) => unfit_for_proofs(file, subject),
            Some(SenderEvidence::Certificate(_)) => unfit_for_certificates(file, subject),
            None => None,
        };
        if let Some(problem) = problem {
            return Err(file.key_error(&format!("subject[{index}].sender"), problem));
        }
    }
    Ok(())
}

/// Proofs are signed ahead for the tokens that there are when the load begins: one for another token proves nothing (RFC 9449 section 4.3).
fn unfit_for_proofs(file: &ScenarioFile, subject: &scenario::Subject) -> Option<String> {
    let is_churned = file.scenario.tokens.churn.is_some();
    let is_refreshed = subject.architecture.design().refreshing.is_some();
    let (what, remedy) = match (is_churned, is_refreshed) {
        (false, false) => return None,
        (true, _) => ("tokens.churn replaces tokens", "take it into a scenario without tokens.churn"),
        (false, true) => ("its clients have tokens refreshed", "choose another architecture for it"),
    };
    Some(format!(
        "{what} while the load runs, but proofs are signed ahead for the tokens issued before it, and would be refused with others; \
         {remedy}, choose `sender = \"mtls\"`, or leave its `sender` away"
    ))
}

/// A certificate is presented in the handshake of TLS.
fn unfit_for_certificates(file: &ScenarioFile, subject: &scenario::Subject) -> Option<String> {
    let wire = subject.wire.unwrap_or(file.scenario.load.wire);
    let (place, rest) = match subject.wire {
        Some(_) => ("its `wire`", "wire"),
        None => ("load.wire", "load.wire"),
    };
    wire.tls.is_none().then(|| {
        format!(
            "its clients present certificates in the TLS handshake, and {place} has no TLS; add {rest}.tls = {{ key_exchange = \"X25519\" }}, \
             or choose `sender = \"dpop\"`"
        )
    })
}

fn ensure_streams(file: &ScenarioFile) -> Result<(), InvalidScenario> {
    let (load, subjects) = (&file.scenario.load, &file.scenario.subjects);
    let streams = load.streams.get();
    let speaks_http1 = |subject: &scenario::Subject| subject.wire.unwrap_or(load.wire).http == Http::Http1;
    if streams == 1 || !subjects.iter().any(speaks_http1) {
        return Ok(());
    }
    let problem = format!(
        "HTTP/1.1 has one request at a time on a connection, not {streams}; raise load.connections, or set load.wire = {{ http = \"2\" }}"
    );
    Err(file.key_error("load.streams", problem))
}

fn ensure_connected(file: &ScenarioFile) -> Result<(), InvalidScenario> {
    let load = &file.scenario.load;
    if load.generators <= load.connections {
        return Ok(());
    }
    let problem = format!(
        "{} threads, each of which needs a connection of its own, but load.connections is {}; raise that, or have fewer threads",
        load.generators, load.connections
    );
    Err(file.key_error("load.generators", problem))
}
