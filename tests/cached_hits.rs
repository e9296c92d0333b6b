//! A decision from the cache allocates no more than the control does: counted by the allocator, in a program of its own.

use std::alloc::System;
use std::sync::Arc;
use std::time::Duration;

use bearerbench::auth::architecture::{ARCHITECTURES, Context, TokenValidator};
use bearerbench::auth::authorization_server::{AuthorizationServer, Client, IN_MEMORY_CLIENT, Minting};
use bearerbench::auth::store::Store;
use bearerbench::auth::token::jwt::Trust;
use bearerbench::auth::token::{Groups, Policy, WallClock};
use bearerbench::registry::Part;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tokio::runtime::{Builder, Runtime};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const HITS: u32 = 100_000;
/// What is allowed for a hit: moka sorts its entries after some hundred hits, and asks for memory a few times then.
const MOST: f64 = 0.05;

#[test]
fn a_hit_allocates_nothing_that_the_control_does_not() {
    let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
    let control = allocations(&runtime, "\"none\"");
    for settings in [
        r#""ttl": "1h""#,
        r#""ttl": "1h", "negative": "1s", "coalesce": true, "refresh_ahead": 0.2, "stale_if_error": "1h""#,
        r#""ttl": "1h", "push": true"#,
    ] {
        let cached = allocations(&runtime, &format!(r#"{{"kind": "introspection-cached", {settings}}}"#));
        assert!(cached <= control + MOST, "{cached} allocations a hit, {control} of the control: {settings}");
    }
}

/// How often memory is asked for by each decision about a token that is known.
fn allocations(runtime: &Runtime, architecture: &str) -> f64 {
    let (validator, token) = runtime.block_on(prepared(architecture));
    let decide = || runtime.block_on(validator.validate(&token)).expect("the token is good");
    // The first asks; and what is made once is made.
    (0..HITS).for_each(|_| drop(decide()));
    let region = Region::new(ALLOCATOR);
    (0..HITS).for_each(|_| drop(decide()));
    let change = region.change();
    assert_eq!(validator.cache().hits > 0, architecture != "\"none\"");
    // Where revocations are pushed, what was asked before the channel was open is asked once more.
    assert!(validator.cache().misses <= 2);
    (change.allocations + change.reallocations) as f64 / f64::from(HITS)
}

/// A validator beside an authorization server in memory, and a good token.
async fn prepared(architecture: &str) -> (Arc<dyn TokenValidator>, String) {
    let client = Client {
        id: "client".to_owned(),
        secret: "secret".to_owned(),
        audience: "https://api.example/".to_owned(),
        scope: "read".to_owned(),
        lifetime: Duration::from_hours(2),
        refreshes_for: None,
        age: Duration::ZERO,
        groups: Groups::default(),
    };
    let issuer = "https://as.example".to_owned();
    let store = Part::<dyn Store>::named("memory").expect("registered").open().await.expect("memory opens");
    let clock = WallClock::system();
    let server = AuthorizationServer::new(issuer.clone(), [client.clone()], Minting::Opaque, store, clock);
    let token = server.issue(&client).await.expect("a token").token;
    let policy = Policy { issuer, audience: client.audience, scope: client.scope };
    let context = Context {
        issuer: Arc::new(server),
        client_id: IN_MEMORY_CLIENT.into(),
        policy: Arc::new(policy),
        trust: Trust::default(),
        clock,
        poll_phase: 1.0,
        misses: None,
    };
    let choice = serde_json::from_str(architecture).expect("a choice");
    let architecture = ARCHITECTURES.resolve(choice).expect("an architecture");
    (architecture.validator(context).await.expect("it is ready"), token)
}
