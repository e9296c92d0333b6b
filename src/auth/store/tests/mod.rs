//! What every store promises, whatever keeps the tokens.

mod failures;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::sleep;

use super::*;
use crate::auth::token::{Audience, Confirmation, Groups, StatusReference, TokenStatus, WallClock, opaque};
use crate::service::Service;
use crate::testbed::machine::available_cores;
use crate::testbed::service::PrivateService;

/// A store, and the program that keeps its tokens if there is one.
struct Opened {
    part: Part<dyn Store>,
    store: Arc<dyn TokenStore>,
    service: Option<PrivateService>,
}

impl Opened {
    async fn of(kind: &str, settings: &str) -> Self {
        let settings: toml::Table = toml::from_str(settings).unwrap();
        let part = STORES.resolve(Choice { kind: kind.to_owned(), settings }).unwrap();
        let Some(needed) = part.service() else {
            let store = part.open().await.unwrap();
            return Self { part, store, service: None };
        };
        let private = private(&needed.settings, needed.name).await;
        let part = placed(&part, &private.url, "conformance").unwrap();
        let store = part.open().await.unwrap();
        Self { part, store, service: Some(private) }
    }

    fn service(&mut self) -> &mut PrivateService {
        self.service.as_mut().expect("it is no store in memory")
    }
}

async fn private(settings: &[(&'static str, String)], name: &str) -> PrivateService {
    let service = Part::<dyn Service>::named(name).unwrap();
    PrivateService::start(&service, settings, &available_cores()).await.unwrap()
}

fn later(seconds: u64) -> UnixTime {
    WallClock::system().now() + Duration::from_secs(seconds)
}

fn claims(expiry: UnixTime) -> Claims {
    Claims {
        iss: "https://as.example".to_owned(),
        sub: "somebody".to_owned(),
        aud: Audience::one("https://api.example/"),
        client_id: "client".to_owned(),
        scope: "read write".to_owned(),
        iat: UnixTime::from_secs(1),
        nbf: None,
        exp: expiry,
        jti: opaque::mint(),
        status: None,
        groups: Groups::default(),
        cnf: None,
    }
}

fn issued() -> Record {
    Record::Issued(Arc::new(claims(later(600))))
}

fn revoked(jti: &str) -> Record {
    let token = RevokedToken { jti: jti.into(), idx: Some(7), revoked: later(0), expiry: later(600) };
    Record::Revoked(token)
}

fn grant(scope: &str, is_revoked: bool) -> Record {
    Record::Grant(Arc::new(Grant {
        client_id: "client".to_owned(),
        scope: scope.to_owned(),
        current: new(),
        access: vec![(new(), Arc::new(claims(later(300)))), (new(), Arc::new(claims(later(400))))],
        is_revoked,
        expiry: later(500),
        kept_until: later(600),
    }))
}

fn new() -> TokenId {
    TokenId::of(&opaque::mint())
}

/// One record of each kind, with everything in it that there can be.
fn records() -> Vec<Record> {
    let several: Audience = serde_json::from_str("[\"https://a.example/\", \"https://b.example/\"]").unwrap();
    let status = StatusReference { idx: 12, uri: "https://as.example/status".to_owned() };
    let full = Claims {
        aud: several,
        scope: String::new(),
        nbf: Some(later(1)),
        status: Some(TokenStatus { status_list: status }),
        groups: Groups::filling(2_000),
        cnf: Some(Confirmation::of_key("thumb")),
        jti: "a \"name\" \u{2603}".to_owned(),
        ..claims(later(600))
    };
    let token = RefreshToken { grant: new(), kept_until: later(600) };
    vec![
        issued(),
        Record::Issued(Arc::new(full)),
        revoked("jti"),
        Record::Refresh(token),
        grant("read", false),
        grant("", true),
    ]
}

/// Records are compared by their bytes, which are the same for the same record.
#[track_caller]
fn assert_same(found: Option<&Record>, expected: Option<&Record>) {
    let text = |record: &Record| String::from_utf8(record::encode(record)).unwrap();
    assert_eq!(found.map(text), expected.map(text));
}

/// The promises, one after the other.
async fn conforms(kind: &str) {
    let mut opened = Opened::of(kind, "").await;
    let store = Arc::clone(&opened.store);
    keeps_every_kind_of_record_as_it_is(&*store).await;
    changes_by_one_atomic_step(&store).await;
    knows_the_revoked_ones(&*store).await;
    gives_no_number_twice(&store).await;
    takes_many_together(&*store).await;
    if opened.service.is_none() {
        return;
    }
    let token = new();
    store.put(token, revoked("kept")).await.unwrap();
    let again = opened.part.open().await.unwrap();
    assert_same(again.find(token).await.unwrap().as_ref(), store.find(token).await.unwrap().as_ref());
    forgets_what_has_ended(&*store).await;
    store.remove().await.unwrap();
    let empty = opened.part.open().await.unwrap();
    assert_same(empty.find(token).await.unwrap().as_ref(), None);
    assert_eq!(empty.revoked().await.unwrap(), []);
    assert_eq!(empty.take_numbers(0).await.unwrap(), 0);
    opened.service().kill().await;
}

async fn keeps_every_kind_of_record_as_it_is(store: &dyn TokenStore) {
    assert_same(store.find(new()).await.unwrap().as_ref(), None);
    let token = new();
    for record in records() {
        store.put(token, record.clone()).await.unwrap();
        assert_same(store.find(token).await.unwrap().as_ref(), Some(&record));
    }
}

async fn changes_by_one_atomic_step(store: &Arc<dyn TokenStore>) {
    let token = new();
    let first = issued();
    assert_same(store.update(token, &|_| None).await.unwrap().as_ref(), None);
    assert_same(store.find(token).await.unwrap().as_ref(), None);
    assert_same(store.update(token, &|_| Some(first.clone())).await.unwrap().as_ref(), None);
    assert_same(store.update(token, &|_| None).await.unwrap().as_ref(), Some(&first));
    assert_same(store.update(token, &|_| Some(revoked("end"))).await.unwrap().as_ref(), Some(&first));
    assert!(matches!(store.find(token).await.unwrap(), Some(Record::Revoked(_))));

    let counted = new();
    let mut adding = JoinSet::new();
    for _ in 0..8 {
        let store = Arc::clone(store);
        adding.spawn(async move {
            for _ in 0..25 {
                let more = |known: Option<&Record>| {
                    let count = known.map_or(0, |record| count(record) + 1);
                    Some(grant(&count.to_string(), false))
                };
                // Whoever comes first lays the zero.
                while store.update(counted, &more).await.unwrap().is_none() {}
            }
        });
    }
    adding.join_all().await;
    assert_eq!(count(&store.find(counted).await.unwrap().unwrap()), 200);
}

fn count(record: &Record) -> u64 {
    let Record::Grant(grant) = record else { panic!("it is a grant") };
    grant.scope.parse().unwrap()
}

async fn knows_the_revoked_ones(store: &dyn TokenStore) {
    let before = names(store).await;
    let [put, changed, replaced] = [new(), new(), new()];
    store.put(put, revoked("put")).await.unwrap();
    store.put(changed, issued()).await.unwrap();
    store.update(changed, &|_| Some(revoked("changed"))).await.unwrap();
    store.put(replaced, revoked("replaced")).await.unwrap();
    let with = |more: &[&str]| before.iter().cloned().chain(more.iter().map(|it| (*it).to_owned())).collect();
    let expected: BTreeSet<String> = with(&["put", "changed", "replaced"]);
    assert_eq!(names(store).await, expected);
    store.put(replaced, issued()).await.unwrap();
    let expected: BTreeSet<String> = with(&["put", "changed"]);
    assert_eq!(names(store).await, expected);
    let whole = store.revoked().await.unwrap().into_iter().find(|token| &*token.jti == "put").unwrap();
    let Some(Record::Revoked(found)) = store.find(put).await.unwrap() else { panic!("it was revoked") };
    assert_eq!(whole, found);
}

async fn names(store: &dyn TokenStore) -> BTreeSet<String> {
    store.revoked().await.unwrap().into_iter().map(|token| token.jti.to_string()).collect()
}

async fn gives_no_number_twice(store: &Arc<dyn TokenStore>) {
    assert_eq!(store.take_numbers(0).await.unwrap(), 0);
    let mut taking = JoinSet::new();
    for length in 0..20 {
        let store = Arc::clone(store);
        taking.spawn(async move {
            let first = store.take_numbers(length).await.unwrap();
            first..first + length
        });
    }
    let ranges = taking.join_all().await;
    let all: BTreeSet<u64> = ranges.iter().cloned().flatten().collect();
    assert_eq!(all, (0..190).collect(), "0 + 1 + .. + 19 of them, none twice");
    assert_eq!(store.take_numbers(0).await.unwrap(), 190);
}

async fn takes_many_together(store: &dyn TokenStore) {
    let before = names(store).await.len();
    let mut many: Vec<(TokenId, Record)> = (0..6_000).map(|_| (new(), issued())).collect();
    many.push((new(), revoked("one of many")));
    store.put_many(many.clone()).await.unwrap();
    // Some of them are known.
    let again: Vec<(TokenId, Record)> =
        many.iter().take(10).map(|(token, _)| (*token, issued())).chain([(new(), issued())]).collect();
    store.put_many(again.clone()).await.unwrap();
    for (token, record) in again.iter().chain(&many[10..]).step_by(97).chain(many.last()) {
        assert_same(store.find(*token).await.unwrap().as_ref(), Some(record));
    }
    assert_eq!(names(store).await.len(), before + 1);
    store.put_many(Vec::new()).await.unwrap();
}

async fn forgets_what_has_ended(store: &dyn TokenStore) {
    let token = new();
    let ended = Record::Issued(Arc::new(claims(UnixTime::from_secs(1_000))));
    store.put(token, ended).await.unwrap();
    store.put_many((0..2_000).map(|_| (new(), issued())).collect()).await.unwrap();
    let begun = Instant::now();
    while store.find(token).await.unwrap().is_some() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it is kept for ever");
        sleep(Duration::from_millis(10)).await;
    }
}

#[test]
fn every_store_of_the_registry_is_held_to_its_promises() {
    let names: Vec<&str> = STORES.entries.iter().map(|entry| entry.name).collect();
    // Each has a test below.
    assert_eq!(names, ["memory", "redis", "postgresql"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_keeps_its_promises() {
    conforms("memory").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server"]
async fn redis_keeps_its_promises() {
    conforms("redis").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs postgresql"]
async fn postgresql_keeps_its_promises() {
    conforms("postgresql").await;
}
