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
mod issuers;
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
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

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
use issuers::{Counting, Forging};

const ISSUER: &str = "https://as.example";
const AUDIENCE: &str = "https://api.example/";
const LIFETIME: Duration = Duration::from_mins(1);

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
        misses: None,
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
