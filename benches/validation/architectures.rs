//! The same decision through the architectures, with an authorization server in memory behind them.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use bearerbench::auth::architecture::{ARCHITECTURES, Architecture, Context, TokenValidator};
use bearerbench::auth::authorization_server::{AuthorizationServer, Client, IN_MEMORY_CLIENT, Minting};
use bearerbench::auth::store::Store;
use bearerbench::auth::token::jwt::{LibraryRing, SigningKey, Trust};
use bearerbench::auth::token::signature::{SIGNATURE_SCHEMES, SignatureScheme};
use bearerbench::auth::token::{Groups, Policy, WallClock};
use bearerbench::registry::{Choice, Part};
use criterion::{Criterion, Throughput};
use tokio::runtime::Runtime;

const ISSUER: &str = "https://as.example";
const AUDIENCE: &str = "https://api.example/";

pub(crate) fn bench(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let mut group = criterion.benchmark_group("architecture");
    group.throughput(Throughput::Elements(1));
    // One scheme is enough here, one that both implementations know: the others differ by their signatures alone.
    let common = SIGNATURE_SCHEMES.entries.iter().map(|entry| entry.name).find(|name| {
        let scheme = Part::<dyn SignatureScheme>::named(name).expect("registered");
        scheme.facts().public_key_bytes > 0 && LibraryRing::name_for(&*scheme) == Some(scheme.alg())
    });
    for choice in ARCHITECTURES.examples() {
        let architecture = ARCHITECTURES.resolve(choice).expect("an example");
        let signature = common.filter(|_| architecture.tokens().need_signature());
        let (validator, token) = runtime.block_on(prepared(&architecture, signature));
        let name = format!("{architecture} {}", signature.unwrap_or("opaque"));
        group.bench_function(name, |bencher| bencher.iter(|| validate(&runtime, &*validator, &token)));
    }
    group.finish();
}

fn validate(runtime: &Runtime, validator: &dyn TokenValidator, token: &str) {
    runtime.block_on(validator.validate(black_box(token))).expect("the token is good");
}

/// A validator beside an authorization server in memory, and a good token.
async fn prepared(
    architecture: &Part<dyn Architecture>,
    signature: Option<&str>,
) -> (Arc<dyn TokenValidator>, String) {
    let minting = signature.map_or(Minting::Opaque, |name| {
        let scheme = SIGNATURE_SCHEMES.resolve(Choice::named(name)).expect("a registered scheme");
        let key = SigningKey::generate(&*scheme).expect("a key");
        Minting::signed(architecture.tokens().format(true), key, scheme, Vec::new())
    });
    let client = Client {
        id: "bench".to_owned(),
        secret: "secret".to_owned(),
        audience: AUDIENCE.to_owned(),
        scope: "read".to_owned(),
        lifetime: Duration::from_hours(1),
        refreshes_for: None,
        age: Duration::ZERO,
        groups: Groups::default(),
    };
    let store = Part::<dyn Store>::named("memory").expect("registered").open().await.expect("memory opens");
    let server =
        AuthorizationServer::new(ISSUER.to_owned(), [client.clone()], minting, store, WallClock::system())
            .publishing(architecture.publishes());
    let token = server.issue(&client).await.expect("a token").token;
    let policy =
        Policy { issuer: ISSUER.to_owned(), audience: AUDIENCE.to_owned(), scope: "read".to_owned() };
    let context = Context {
        issuer: Arc::new(server),
        client_id: IN_MEMORY_CLIENT.into(),
        policy: Arc::new(policy),
        trust: Trust::default(),
        clock: WallClock::system(),
        poll_phase: 1.0,
        misses: None,
    };
    (architecture.validator(context).await.expect("it is ready"), token)
}
