//! What it costs to decide on one good token, without any network: every signature scheme, and the cache
//! in front of an authorization server.
//!
//! Wall time on this machine, for local work; `bearerbench run` measures whole systems.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use bearerbench::auth::architecture::{ARCHITECTURES, Context, TokenValidator};
use bearerbench::auth::authorization_server::{AuthorizationServer, Client, Minting};
use bearerbench::auth::store::Store;
use bearerbench::auth::token::signature::SIGNATURE_SCHEMES;
use bearerbench::auth::token::{Policy, WallClock};
use bearerbench::registry::{Choice, Part};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tokio::runtime::Runtime;

const ISSUER: &str = "https://as.example";
const AUDIENCE: &str = "https://api.example/";

fn validation(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let mut group = criterion.benchmark_group("validation");
    group.throughput(Throughput::Elements(1));
    let opaque = ["none", r#"{"kind":"introspection"}"#, r#"{"kind":"introspection-cached","ttl":"1h"}"#];
    let opaque = opaque.map(|architecture| (architecture, None));
    let jwts = SIGNATURE_SCHEMES.entries.iter().map(|scheme| ("jwt", Some(scheme.name)));
    for (architecture, signature) in opaque.into_iter().chain(jwts) {
        let (validator, token) = runtime.block_on(prepared(&choice(architecture), signature));
        let name = format!("{} {}", choice(architecture), signature.unwrap_or("opaque"));
        group.bench_function(name, |bencher| bencher.iter(|| validate(&runtime, &*validator, &token)));
    }
    group.finish();
}

fn choice(written: &str) -> Choice {
    serde_json::from_str(written).unwrap_or_else(|_| Choice::named(written))
}

fn validate(runtime: &Runtime, validator: &dyn TokenValidator, token: &str) {
    runtime.block_on(validator.validate(black_box(token))).expect("the token is good");
}

/// A validator beside an authorization server in memory, and a good token.
async fn prepared(architecture: &Choice, signature: Option<&str>) -> (Arc<dyn TokenValidator>, String) {
    let minting = signature.map_or(Minting::Opaque, |name| {
        let scheme = SIGNATURE_SCHEMES.resolve(Choice::named(name)).expect("a registered scheme");
        Minting::jwt(scheme.generate().expect("a key"))
    });
    let client = Client {
        id: "bench".to_owned(),
        secret: "secret".to_owned(),
        audience: AUDIENCE.to_owned(),
        scope: "read".to_owned(),
        lifetime: Duration::from_hours(1),
        age: Duration::ZERO,
    };
    let store = Part::<dyn Store>::named("memory").expect("registered").open().await.expect("memory opens");
    let server =
        AuthorizationServer::new(ISSUER.to_owned(), [client.clone()], minting, store, WallClock::system());
    let token = server.issue(&client).await.expect("a token").token;
    let policy =
        Policy { issuer: ISSUER.to_owned(), audience: AUDIENCE.to_owned(), scope: "read".to_owned() };
    let context = Context { issuer: Arc::new(server), policy: Arc::new(policy), clock: WallClock::system() };
    let part = ARCHITECTURES.resolve(architecture.clone()).expect("a registered architecture");
    (part.validator(context).await.expect("it is ready"), token)
}

criterion_group!(benches, validation);
criterion_main!(benches);
