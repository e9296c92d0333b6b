//! What every architecture promises, with a real authorization server in memory and the clock held still.

mod cache;
mod cache_pushed;
mod closed_forms;
mod conformance;
mod deny_list;
mod deny_list_pushed;
mod filter;
mod hybrid;
mod introspection_signed;
mod key_set;
mod library;
mod phantom_token;
mod recent_deny_list;
mod refresh_ahead;
mod remembered;
mod split_token;
mod status_list;
mod token_exchange;

use std::fmt;
use std::future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt as _;

use super::*;
use crate::auth::authorization_server::{AuthorizationServer, Client, IN_MEMORY_CLIENT, JwtError, Minting};
use crate::auth::future::BoxFuture;
use crate::auth::issuer::{Document, ExchangeKind, Introspection, RevocationStream};
use crate::auth::revocation_event::EventId;
use crate::auth::store::Store;
use crate::auth::token::Groups;
use crate::auth::token::jwt::{SigningKey, Trust};
use crate::auth::token::signature::{SignatureScheme, every_variant};
use crate::design::Checks;
use crate::registry::{Choice, Part};

const ISSUER: &str = "https://as.example";
const AUDIENCE: &str = "https://api.example/";
const LIFETIME: Duration = Duration::from_mins(1);

/// An authorization server in memory that counts what it is asked.
struct Counting {
    server: AuthorizationServer,
    introspections: AtomicU64,
    /// Fetches of documents.
    fetches: AtomicU64,
    /// Streams of revocations that were asked for.
    subscriptions: AtomicU64,
    /// Whether it is gone: nothing can be asked or fetched, and streams break.
    down: Arc<AtomicBool>,
    /// Whether fetches do not end, as nobody goes on with them, and streams are silent.
    stuck: Arc<AtomicBool>,
}

impl Issuer for Counting {
    fn introspect<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Introspection, Unreachable>> {
        self.introspections.fetch_add(1, Ordering::Relaxed);
        if self.down.load(Ordering::Relaxed) {
            return Box::pin(async { Err(Unreachable("down".to_owned())) });
        }
        Issuer::introspect(&self.server, token)
    }

    fn introspect_signed<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<String, Unreachable>> {
        self.introspections.fetch_add(1, Ordering::Relaxed);
        if self.down.load(Ordering::Relaxed) {
            return Box::pin(async { Err(Unreachable("down".to_owned())) });
        }
        Issuer::introspect_signed(&self.server, token)
    }

    fn exchange<'a>(
        &'a self,
        token: &'a str,
        how: ExchangeKind<'a>,
    ) -> BoxFuture<'a, Result<Option<String>, Unreachable>> {
        self.introspections.fetch_add(1, Ordering::Relaxed);
        if self.down.load(Ordering::Relaxed) {
            return Box::pin(async { Err(Unreachable("down".to_owned())) });
        }
        Issuer::exchange(&self.server, token, how)
    }

    fn fetch<'a>(
        &'a self,
        path: &'a str,
        known: Option<&'a str>,
        most_bytes: usize,
    ) -> BoxFuture<'a, Result<Option<Arc<Document>>, Unreachable>> {
        self.fetches.fetch_add(1, Ordering::Relaxed);
        if self.down.load(Ordering::Relaxed) {
            return Box::pin(async { Err(Unreachable("down".to_owned())) });
        }
        if self.stuck.load(Ordering::Relaxed) {
            return Box::pin(future::pending());
        }
        self.server.fetch(path, known, most_bytes)
    }

    fn subscribe(
        &self,
        last: Option<EventId>,
        heartbeat: Duration,
    ) -> BoxFuture<'_, Result<RevocationStream, Unreachable>> {
        self.subscriptions.fetch_add(1, Ordering::Relaxed);
        let (down, stuck) = (Arc::clone(&self.down), Arc::clone(&self.stuck));
        Box::pin(async move {
            if down.load(Ordering::Relaxed) {
                return Err(Unreachable("down".to_owned()));
            }
            let stream = Issuer::subscribe(&self.server, last, heartbeat).await?;
            let heard = stream.then(move |pushed| {
                let (down, stuck) = (Arc::clone(&down), Arc::clone(&stuck));
                async move {
                    if stuck.load(Ordering::Relaxed) {
                        future::pending::<()>().await;
                    }
                    if down.load(Ordering::Relaxed) { Err(Unreachable("down".to_owned())) } else { pushed }
                }
            });
            Ok(heard.boxed())
        })
    }
}

/// The same authorization server, but for one document that somebody has changed on its way.
struct Forging {
    issuer: Arc<Counting>,
    path: &'static str,
    /// What comes in the place of that document, if anything does.
    document: Mutex<Option<Vec<u8>>>,
}

impl Forging {
    fn of(issuer: &Arc<Counting>, path: &'static str, document: Option<Vec<u8>>) -> Arc<Self> {
        Arc::new(Self { issuer: Arc::clone(issuer), path, document: Mutex::new(document) })
    }

    /// What a validator beside it works with.
    fn context(self: &Arc<Self>) -> Context {
        Context { issuer: Arc::clone(self) as _, ..context(&self.issuer) }
    }
}

impl Issuer for Forging {
    fn introspect<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Introspection, Unreachable>> {
        self.issuer.introspect(token)
    }

    fn exchange<'a>(
        &'a self,
        token: &'a str,
        how: ExchangeKind<'a>,
    ) -> BoxFuture<'a, Result<Option<String>, Unreachable>> {
        self.issuer.exchange(token, how)
    }

    fn fetch<'a>(
        &'a self,
        path: &'a str,
        known: Option<&'a str>,
        most_bytes: usize,
    ) -> BoxFuture<'a, Result<Option<Arc<Document>>, Unreachable>> {
        let forged = self.document.lock().unwrap().clone().filter(|_| path == self.path);
        let Some(forged) = forged else { return self.issuer.fetch(path, known, most_bytes) };
        let document = Document { bytes: forged.into(), entity_tag: None };
        Box::pin(async { Ok(Some(Arc::new(document))) })
    }

    fn subscribe(
        &self,
        last: Option<EventId>,
        heartbeat: Duration,
    ) -> BoxFuture<'_, Result<RevocationStream, Unreachable>> {
        self.issuer.subscribe(last, heartbeat)
    }
}

fn client(audience: &str, scope: &str, age: Duration) -> Client {
    Client {
        id: "client".into(),
        secret: "secret".into(),
        audience: audience.into(),
        scope: scope.into(),
        lifetime: LIFETIME,
        refreshes_for: None,
        age,
        groups: Groups::default(),
    }
}

fn good() -> Client {
    client(AUDIENCE, "read", Duration::ZERO)
}

async fn issuer(signature: Option<&str>) -> Arc<Counting> {
    issuer_with(signature, Vec::new()).await
}

async fn issuer_with(signature: Option<&str>, publications: Vec<Box<dyn Publication>>) -> Arc<Counting> {
    issuer_of(Tokens::Any, signature, publications).await
}

/// An authorization server of such tokens.
async fn issuer_of(
    tokens: Tokens,
    signature: Option<&str>,
    publications: Vec<Box<dyn Publication>>,
) -> Arc<Counting> {
    let minting = match signature {
        None => Minting::Opaque,
        Some(alg) => {
            let scheme = Part::<dyn SignatureScheme>::named(alg).unwrap();
            let key = SigningKey::generate(&*scheme).unwrap();
            Minting::signed(tokens.format(true), key, scheme, Vec::new())
        }
    };
    counting(minting, publications).await
}

/// One that issues in this way.
async fn counting(minting: Minting, publications: Vec<Box<dyn Publication>>) -> Arc<Counting> {
    let store = Part::<dyn Store>::named("memory").unwrap().open().await.unwrap();
    let server = AuthorizationServer::new(ISSUER.into(), [good()], minting, store, WallClock::system())
        .publishing(publications)
        .exchanging_for(["inside", "https://inner.example/"].map(str::to_owned));
    let [introspections, fetches, subscriptions] = [0; 3].map(AtomicU64::new);
    let [down, stuck] = [false; 2].map(|is_so| Arc::new(AtomicBool::new(is_so)));
    Arc::new(Counting { server, introspections, fetches, subscriptions, down, stuck })
}

async fn validator(architecture: &str, issuer: &Arc<Counting>) -> Arc<dyn TokenValidator> {
    try_validator(architecture, issuer).await.unwrap()
}

async fn try_validator(
    architecture: &str,
    issuer: &Arc<Counting>,
) -> Result<Arc<dyn TokenValidator>, NotReady> {
    part(architecture).validator(context(issuer)).await
}

fn part(architecture: &str) -> Part<dyn Architecture> {
    let choice: Choice = serde_json::from_str(architecture).unwrap();
    ARCHITECTURES.resolve(choice).unwrap()
}

fn context<I: Issuer + 'static>(issuer: &Arc<I>) -> Context {
    let policy = Policy { issuer: ISSUER.into(), audience: AUDIENCE.into(), scope: "read".into() };
    Context {
        issuer: Arc::clone(issuer) as _,
        client_id: IN_MEMORY_CLIENT.into(),
        policy: Arc::new(policy),
        trust: Trust::default(),
        clock: WallClock::system(),
        poll_phase: 1.0,
    }
}

/// An architecture with tokens that it takes.
struct Case {
    architecture: Part<dyn Architecture>,
    signature: Option<&'static str>,
    /// Which of those it is sent to that decide side by side behind a gateway, from 0.
    branch: usize,
}

impl Case {
    /// A client whose tokens are good, and live as long as this architecture has them live.
    fn client(&self) -> Client {
        let life = self.architecture.design().token_life(LIFETIME.as_secs_f64());
        Client { lifetime: Duration::from_secs_f64(life), ..good() }
    }

    /// The numbers that say what it does: those that it states, and those of who else is asked where requests go another way in turn.
    fn designs(&self) -> Vec<Design> {
        let stated = self.architecture.design();
        if self.branch == 0 {
            return vec![stated];
        }
        vec![stated, self.architecture.at_hop(1)[self.branch].architecture.design()]
    }

    /// For so long a token is accepted after its revocation that lives for [`LIFETIME`].
    fn bound(&self, of: impl Fn(&Design, f64) -> Option<f64>) -> Duration {
        let bounds =
            self.designs().into_iter().map(|design| of(&design, LIFETIME.as_secs_f64()).expect("it checks"));
        Duration::from_secs_f64(bounds.fold(f64::INFINITY, f64::min))
    }

    /// A validator just made, beside an authorization server that publishes what it needs.
    async fn prepared(&self) -> (Arc<Counting>, Chain) {
        let publications = self.architecture.everywhere().flat_map(Architecture::publishes).collect();
        let issuer = issuer_of(self.architecture.tokens(), self.signature, publications).await;
        let (mut validators, mut on_inside) = (Vec::new(), Vec::new());
        for number in 0..self.architecture.hops().count() {
            let context = context(&issuer);
            let policy = self.architecture.policy_at(number, (*context.policy).clone());
            let context = Context { policy: Arc::new(policy), ..context };
            let side_by_side = self.architecture.at_hop(number);
            let hop = side_by_side[self.branch.min(side_by_side.len() - 1)].architecture;
            on_inside.push(hop.decides_on_inside());
            validators.push(hop.validator(context).await.unwrap());
        }
        (issuer, Chain(validators, on_inside))
    }
}

/// Those who decide at every hop, and whether they do so on what goes inside.
struct Chain(Vec<Arc<dyn TokenValidator>>, Vec<bool>);

impl Chain {
    /// Sends a token through all of them, or what one puts in its place.
    async fn validate(&self, token: &str) -> Result<Verified, Rejection> {
        let mut verified = Verified::Unchecked;
        for (validator, decides_on_inside) in self.0.iter().zip(&self.1) {
            let inside = verified.forwarded().filter(|_| *decides_on_inside);
            let accepted = validator.validate(inside.unwrap_or(token)).await?;
            verified = accepted;
        }
        Ok(verified)
    }
}

/// Every architecture that checks tokens, with the tokens that it takes: opaque ones, and JWTs of an old and of a new scheme.
fn checking() -> Vec<Case> {
    let mut cases = Vec::new();
    for choice in ARCHITECTURES.examples() {
        let architecture = ARCHITECTURES.resolve(choice).unwrap();
        if architecture.design().checks == Checks::Nothing {
            continue;
        }
        for signature in [None, Some("ES256"), Some("ML-DSA-65")] {
            let takes = match signature {
                None => architecture.tokens() == Tokens::Any,
                Some(alg) => {
                    let scheme = Part::<dyn SignatureScheme>::named(alg).unwrap();
                    architecture.accepts(&*scheme).is_ok()
                }
            };
            for branch in 0..if takes { architecture.at_hop(1).len().max(1) } else { 0 } {
                cases.push(Case { architecture: architecture.clone(), signature, branch });
            }
        }
    }
    cases
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} branch {}", self.architecture, self.signature.unwrap_or("opaque"), self.branch)
    }
}

#[test]
fn every_architecture_is_held_to_what_all_of_them_promise_but_the_control() {
    let cases = checking();
    for entry in ARCHITECTURES.entries {
        let is_tried = cases.iter().any(|case| case.architecture.kind() == entry.name);
        assert!(is_tried || entry.name == "none", "{} needs an example of its settings", entry.name);
    }
}

#[tokio::test(start_paused = true)]
async fn the_control_accepts_everything_and_asks_nobody() {
    let issuer = issuer(None).await;
    let validator = validator(r#""none""#, &issuer).await;
    assert!(matches!(validator.validate("garbage").await, Ok(Verified::Unchecked)));
    assert_eq!(issuer.introspections.load(Ordering::Relaxed), 0);
}
