//! One request before the load: a protocol that the server does not speak is told in a sentence, not by ten thousand errors.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::cli::load::server::TargetUrl;
use crate::load::{Answer, Engine, NoAnswer, TargetServer, ask};
use crate::run::PATIENCE;
use crate::wire::{Connector, ForeignTls, Http, Trust};

/// The server as the load will speak to it.
#[derive(Clone, Copy)]
pub(super) struct FirstRequest<'a> {
    pub(super) target: &'a TargetUrl,
    pub(super) server: &'a TargetServer,
    pub(super) http: Http,
    /// How TLS is offered, if the URL asks for it.
    pub(super) offer: &'a ForeignTls,
    pub(super) engine: Engine,
    /// Requests at once on a connection.
    pub(super) streams: NonZeroU32,
}

/// A version of HTTP, with TLS or without.
#[derive(Clone, Copy)]
struct Way {
    http: Http,
    is_secure: bool,
}

impl FirstRequest<'_> {
    fn way(&self) -> Way {
        Way { http: self.http, is_secure: self.server.is_secure }
    }
}

/// How long another protocol is tried: the server is there, and need only say that it understands.
const ANOTHER: Duration = Duration::from_secs(2);

/// Fails if the server does not answer in the way that was asked for. If it answers in another, the error names the option.
/// One that is slow, or refuses the request, answers.
pub(super) fn ensure_answered(asked: &FirstRequest<'_>) -> anyhow::Result<()> {
    let FirstRequest { target, server, engine, streams, .. } = *asked;
    let way = asked.way();
    let answer = ask(server, engine, streams, PATIENCE);
    let found = match &answer {
        Ok(answer) if !is_of_another_protocol(answer.status) => return Ok(()),
        Ok(answer) => format!("status {}", answer.status),
        Err(error) if speaks_tls(error) == Some(false) => "no TLS came back".to_owned(),
        Err(NoAnswer::Connect(cause)) => cause.to_string(),
        Err(error) => error.to_string(),
    };
    if answer.is_err() && matches!(react(asked, way), Reaction::Answered(_)) {
        // The same protocol, without what was asked for beside it: a certificate that is believed, streams.
        let is_the_same = !way.is_secure && streams == NonZeroU32::MIN;
        anyhow::ensure!(is_the_same, "--target {target}: no answer to a first request: {found}");
        return Ok(());
    }
    if let Some((other, reaction)) = other_protocol(asked, &answer) {
        let (spoken, remedy) = match reaction {
            Reaction::Answered(_) => (spoken(other), remedy(way, other)),
            Reaction::SpeaksTls | Reaction::Nothing => ("TLS".to_owned(), "write https://".to_owned()),
        };
        anyhow::bail!(
            "--target {target}: the server speaks {spoken} there, not {} ({found}); {remedy}",
            self::spoken(way)
        );
    }
    let endpoint = server.connector.endpoint();
    match &answer {
        Err(error) if speaks_tls(error).is_some() => {
            anyhow::bail!("--target {target}: no TLS with the server at {endpoint}: {found}")
        }
        Err(NoAnswer::Connect(_)) => anyhow::bail!(
            "--target {target}: cannot connect to {endpoint} for {}: {found}; is the server running there?",
            spoken(way)
        ),
        Err(error) if !error.is_late() => anyhow::bail!(
            "--target {target}: no answer to a first request over {}: {found}; is an HTTP server running at {endpoint}?",
            spoken(way)
        ),
        _ => Ok(()),
    }
}

/// What came of a request in another way.
#[derive(Clone, Copy)]
enum Reaction {
    /// An answer with this status.
    Answered(u16),
    /// TLS, but no answer over it.
    SpeaksTls,
    Nothing,
}

/// What servers say to who speaks without TLS where TLS is spoken, or another version of HTTP; and to others.
fn is_of_another_protocol(status: u16) -> bool {
    matches!(status, 400 | 426 | 505)
}

/// A protocol that the server speaks, where it does not speak the one that was asked for, or may not.
fn other_protocol(asked: &FirstRequest<'_>, answer: &Result<Answer, NoAnswer>) -> Option<(Way, Reaction)> {
    let tls = answer.as_ref().err().and_then(speaks_tls);
    let ways = others(asked.way()).into_iter().filter(|way| tls.is_none_or(|tls| way.is_secure == tls));
    let seen: Vec<_> = ways.map(|way| (way, react(asked, way))).collect();
    let first = |is: &dyn Fn(Way, Reaction) -> bool| seen.iter().copied().find(|(way, seen)| is(*way, *seen));
    let asked_securely = asked.server.is_secure;
    first(&|way, seen| match seen {
        // Some refuse a request with the same status over whatever it comes, and one for TLS refuses any without it.
        Reaction::Answered(status) => {
            !is_of_another_protocol(status) || tls == Some(false) || way.is_secure && !asked_securely
        }
        Reaction::SpeaksTls | Reaction::Nothing => false,
    })
    .or_else(|| first(&|_, seen| matches!(seen, Reaction::SpeaksTls) && !asked_securely))
    .or_else(|| first(&|_, seen| matches!(seen, Reaction::Answered(_)) && answer.is_err()))
}

/// Whether the server speaks TLS, by what came of a handshake; absent if that does not tell.
fn speaks_tls(error: &NoAnswer) -> Option<bool> {
    let NoAnswer::Connect(error) = error else { return None };
    match error.get_ref()?.downcast_ref::<rustls::Error>()? {
        rustls::Error::InvalidMessage(_) => Some(false),
        // An alert, a certificate, a version: whatever is wrong with it, it is TLS.
        _ => Some(true),
    }
}

/// What comes of a request in another way, whoever the server is.
fn react(asked: &FirstRequest<'_>, way: Way) -> Reaction {
    let endpoint = asked.server.connector.endpoint().clone();
    let offer = ForeignTls { trust: Trust::Nothing, ..asked.offer.clone() };
    let connector =
        Connector::foreign(endpoint, way.http, way.is_secure.then_some(&offer), asked.target.host());
    let Ok(connector) = connector else { return Reaction::Nothing };
    let server = TargetServer { connector, is_secure: way.is_secure, ..asked.server.clone() };
    match ask(&server, Engine::of(way.http), NonZeroU32::MIN, ANOTHER) {
        Ok(answer) => Reaction::Answered(answer.status),
        Err(error) if speaks_tls(&error) == Some(true) => Reaction::SpeaksTls,
        Err(_) => Reaction::Nothing,
    }
}

/// Every other protocol, the likeliest first.
fn others(asked: Way) -> [Way; 3] {
    let http = match asked.http {
        Http::Http1 => Http::Http2,
        Http::Http2 => Http::Http1,
    };
    let is_secure = !asked.is_secure;
    [Way { http, ..asked }, Way { is_secure, ..asked }, Way { http, is_secure }]
}

fn spoken(way: Way) -> String {
    format!("{} {}", way.http, if way.is_secure { "over TLS" } else { "without TLS" })
}

fn remedy(asked: Way, spoken: Way) -> String {
    let url = match (asked.is_secure, spoken.is_secure) {
        (false, true) => Some("write https://"),
        (true, false) => Some("write http://"),
        _ => None,
    };
    let version = match (asked.http, spoken.http) {
        (Http::Http1, Http::Http2) => Some("add --http 2"),
        (Http::Http2, Http::Http1) => Some("leave out --http 2"),
        _ => None,
    };
    url.into_iter().chain(version).collect::<Vec<_>>().join(" and ")
}
