//! The resource server as a process: one protected resource, answered by RFC 6750.

mod answer;
mod conversation;
mod decisions;
mod entrance;
mod heard;
mod http_issuer;
mod senders;
#[cfg(test)]
mod tests;
mod troubles;
mod upstream;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, HeaderValue};
use hyper::{Method, Request, StatusCode};
use serde::Serialize;
use tokio::net::TcpListener;

use crate::auth::architecture::{Architecture, Context, MissLog, NotReady, TokenValidator};
use crate::auth::token::dpop::{NONCE_HEADER, ProofFault};
use crate::auth::token::jwt::Trust;
use crate::auth::token::{Confirmation, Policy, SenderFault, WallClock};
use crate::registry::Part;
use crate::testbed::listener::NoDelay;
use crate::testbed::spec::ResourceServerSpec;
use crate::units::Stamp;
use answer::Answer;
use conversation::{Language, accept};
use decisions::DecisionLog;
use http_issuer::HttpIssuer;
use senders::{Senders, Shown};
use upstream::Behind;

pub use decisions::Decision;
pub(super) use entrance::{Entrance, EntranceError};
pub(super) use heard::HeardRevocation;
pub use http_issuer::MOST_CALLS;
pub use upstream::most_connections;

/// How many requests were decided, and what was fetched for that, since the beginning.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    /// Requests to the protected resource.
    pub requests: u64,
    /// Decisions from a cache.
    pub cache_hits: u64,
    /// Decisions for which a cache was asked in vain.
    pub cache_misses: u64,
    /// Those of the hits that were the kept answer that a token is not active.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cache_negative_hits: u64,
    /// Those of the misses that an old answer decided, since the authorization server could not be asked.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cache_stale_answers: u64,
    /// Answers that were asked for again before their end, beside the requests.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cache_refreshes: u64,
    /// Fetches of what the authorization server publishes: keys, lists of revoked tokens.
    pub document_fetches: u64,
    /// Those of them that brought nothing that can be used.
    pub failed_document_fetches: u64,
    /// Requests to which the server behind it gave no answer; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bad_gateway: Option<u64>,
    /// Requests that it did not answer in time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway_timeout: Option<u64>,
    /// What only this architecture counts, or this sender constraint.
    #[serde(flatten)]
    pub of_architecture: BTreeMap<&'static str, u64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

struct ResourceServer {
    issuer: Arc<HttpIssuer>,
    validator: Arc<dyn TokenValidator>,
    senders: Senders,
    /// How its challenges begin.
    challenge: String,
    requests: AtomicU64,
    decisions: DecisionLog,
    misses: Option<Arc<MissLog>>,
    /// None where the resource is.
    behind: Option<Behind>,
}

/// Prepares the server and hands it back as a future that serves on `listener`, and at the entrance for the load if there is
/// one, without end.
/// Fails if the architecture needs the authorization server at the start and it does not answer.
pub(super) async fn prepare(
    spec: ResourceServerSpec,
    listener: TcpListener,
    entrance: Option<Entrance>,
) -> Result<impl Future<Output = Infallible>, NotReady> {
    let issuer = Arc::new(HttpIssuer::new(&spec.issuer, &spec.credentials)?);
    let branches = spec.architecture.at_hop(usize::from(spec.hop) + 1);
    let behind = Behind::at(&spec.upstreams, &branches, spec.passes_on)?;
    let clock = WallClock::system();
    let senders = Senders::of(&spec, clock)?;
    let policy = Policy { issuer: spec.issuer, audience: spec.audience, scope: spec.scope };
    let policy = Arc::new(spec.architecture.policy_at(spec.hop.into(), policy));
    let trust = Trust { shared_key: spec.shared_key, scheme: spec.signature };
    let poll_phase = spec.poll_phase;
    let misses = spec.logs_misses.then(|| Arc::new(MissLog::default()));
    let client_id = spec.credentials.client_id.into();
    let context = Context {
        issuer: Arc::clone(&issuer) as _,
        client_id,
        policy,
        trust,
        clock,
        poll_phase,
        misses: misses.clone(),
    };
    let validator = at(&spec.architecture, spec.hop, spec.branch)?.validator(context).await?;
    let server = Arc::new(ResourceServer {
        issuer,
        validator,
        challenge: senders.challenge(),
        senders,
        requests: AtomicU64::new(0),
        decisions: DecisionLog::default(),
        misses,
        behind,
    });
    Ok(async move {
        let plain = accept(Arc::clone(&server), NoDelay(listener), Language::default());
        match entrance {
            None => plain.await,
            Some(entrance) => tokio::select! {
                never = plain => never,
                never = entrance.serve(server) => never,
            },
        }
    })
}

/// A log, of which a part would mislead.
fn all_or_nothing(log: Option<impl Serialize>) -> answer::Response {
    log.map_or_else(|| answer::empty(StatusCode::INSUFFICIENT_STORAGE), |log| answer::json(&log))
}

fn at(architecture: &Part<dyn Architecture>, hop: u8, branch: u8) -> Result<&dyn Architecture, NotReady> {
    let branches = architecture.at_hop(hop.into());
    match branches.get(usize::from(branch)) {
        Some(found) => Ok(found.architecture),
        None if branches.is_empty() => Err(NotReady::NoSuchHop {
            architecture: architecture.to_string(),
            hops: architecture.hops().count(),
            hop,
        }),
        None => Err(NotReady::NoSuchBranch {
            architecture: architecture.to_string(),
            branches: branches.len(),
            hop,
            branch,
        }),
    }
}

impl ResourceServer {
    /// The answer to a request that came by a connection on which this certificate was presented, if one was.
    async fn respond(
        &self,
        request: &Request<Incoming>,
        certificate: Option<&Confirmation>,
    ) -> answer::Response {
        let is_head = request.method() == Method::HEAD;
        let fetches = is_head || request.method() == Method::GET;
        let response = match request.uri().path() {
            "/resource" if fetches => self.resource(request, certificate).await,
            "/bench/counts" if fetches => answer::json(&self.counts()),
            "/bench/decisions" if fetches => all_or_nothing(self.decisions.all()),
            "/bench/heard" if fetches => all_or_nothing(self.issuer.heard().all()),
            "/bench/misses" if fetches => answer::json(&self.misses.as_ref().and_then(|log| log.all())),
            "/resource" | "/bench/counts" | "/bench/decisions" | "/bench/heard" | "/bench/misses" => {
                answer::method_not_allowed()
            }
            _ => answer::empty(StatusCode::NOT_FOUND),
        };
        if is_head { answer::head_alone(response) } else { response }
    }

    /// The protected resource: accepts or refuses by the token of the request, and by what proves that it is the sender's.
    async fn resource(
        &self,
        request: &Request<Incoming>,
        certificate: Option<&Confirmation>,
    ) -> answer::Response {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let (answer, nonce) = self.decide(request, certificate).await;
        let mut response = if let (Answer::Accepted(verified), Some(behind)) = (&answer, &self.behind) {
            // The box keeps the rest small for everybody else.
            let response = Box::pin(behind.pass_on(request.headers(), verified)).await;
            // Who is behind may still refuse: only now have all decided.
            self.log(request, decisions::by_status(response.status()));
            response
        } else {
            self.log(request, answer.accepts());
            answer.response(&self.challenge)
        };
        if let Some(nonce) = nonce {
            let nonce = HeaderValue::try_from(nonce).expect("base64url");
            response.headers_mut().insert(NONCE_HEADER, nonce);
        }
        response
    }

    /// Keeps what was decided on a token under revocation test. Called at once: what is sent and received afterwards is no part of the
    /// decision.
    fn log(&self, request: &Request<Incoming>, accepted: Option<bool>) {
        if let Some(probe) = decisions::probe(request.headers()) {
            self.decisions.add(Decision { probe, decided: Stamp::now(), accepted });
        }
    }

    /// What the request gets, and the nonce that its sender is told.
    async fn decide(
        &self,
        request: &Request<Incoming>,
        certificate: Option<&Confirmation>,
    ) -> (Answer, Option<String>) {
        let token = match self.token(request) {
            Ok(token) => token,
            Err(answer) => return (answer, self.senders.nonce()),
        };
        let proof = match self.senders.proof(request, token, certificate) {
            Ok(proof) => proof,
            Err(fault) => {
                let wants_nonce = fault == SenderFault::Proof(ProofFault::Nonce);
                return (Answer::NotProven(fault), if wants_nonce { self.senders.nonce() } else { None });
            }
        };
        let verified = match self.validator.validate(token).await {
            Ok(verified) => verified,
            Err(rejection) => return (Answer::Refused(rejection), None),
        };
        let shown = match (&proof, certificate) {
            (Some(proof), _) => Shown::Proof(proof),
            (None, Some(certificate)) => Shown::Certificate(certificate),
            (None, None) => Shown::Nothing,
        };
        if let Err(fault) = self.senders.check_owner(&verified, shown) {
            return (Answer::NotProven(fault), None);
        }
        let is_former = proof.is_some_and(|proof| proof.has_former_nonce);
        (Answer::Accepted(verified), if is_former { self.senders.nonce() } else { None })
    }

    /// The token that a request carries.
    fn token<'r>(&self, request: &'r Request<Incoming>) -> Result<&'r str, Answer> {
        let mut values = request.headers().get_all(AUTHORIZATION).iter();
        match (values.next(), values.next()) {
            (None, _) => Err(Answer::NoToken),
            (Some(_), Some(_)) => Err(Answer::InvalidRequest),
            (Some(value), None) => match plain_text(value).map(|value| self.senders.token(value)) {
                Some(Some(token)) => Ok(token),
                Some(None) => Err(Answer::NoToken),
                None => Err(Answer::InvalidRequest),
            },
        }
    }

    fn counts(&self) -> Counts {
        let (cache, fetches) = (self.validator.cache(), self.issuer.fetch_counts());
        Counts {
            requests: self.requests.load(Ordering::Relaxed),
            cache_hits: cache.hits,
            cache_misses: cache.misses,
            cache_negative_hits: cache.negative_hits,
            cache_stale_answers: cache.stale_answers,
            cache_refreshes: cache.refreshes,
            document_fetches: fetches.all,
            failed_document_fetches: fetches.failed,
            of_architecture: self.validator.counters().into_iter().chain(self.senders.counters()).collect(),
            bad_gateway: self.behind.as_ref().map(Behind::unreached),
            gateway_timeout: self.behind.as_ref().map(Behind::late),
        }
    }
}

/// A header of ASCII alone: what `to_str` takes as well, byte by byte. A header has no control characters but tabs.
fn plain_text(value: &HeaderValue) -> Option<&str> {
    str::from_utf8(value.as_bytes()).ok().filter(|text| text.is_ascii())
}
