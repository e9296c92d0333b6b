//! What becomes of questions to a store whose program stops, goes, or refuses.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::*;

/// A stopped program is waited for no longer than is said; one that is gone is told of at once; both are used again when they are back.
async fn fails_in_time_and_comes_back(kind: &str) {
    let mut opened = Opened::of(kind, "timeout = \"300ms\"").await;
    let store = Arc::clone(&opened.store);
    let token = new();
    store.put(token, issued()).await.unwrap();

    opened.service().pause().unwrap();
    let begun = Instant::now();
    let questions = (0..20).map(|_| store.find(token));
    for answer in futures_util::future::join_all(questions).await {
        let error = answer.unwrap_err().to_string();
        assert!(error.contains("no answer within 0.3 s"), "{error}");
    }
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    opened.service().resume().unwrap();
    until_it_answers(&*store, token).await;

    opened.service().kill().await;
    for _ in 0..20 {
        let begun = Instant::now();
        let error = store.find(token).await.unwrap_err().to_string();
        assert!(!error.contains("no answer"), "{error}");
        assert!(begun.elapsed() < Duration::from_millis(300), "{:?}", begun.elapsed());
    }
    let error = store.put(new(), issued()).await.unwrap_err().to_string();
    assert!(error.contains("onnection refused") && error.contains("start it, or correct its URL"), "{error}");
    opened.service().restart().await.unwrap();
    until_it_answers(&*store, token).await;
}

async fn until_it_answers(store: &dyn TokenStore, token: TokenId) {
    let begun = Instant::now();
    loop {
        match store.find(token).await {
            Ok(found) => return assert!(found.is_some(), "what was kept is there"),
            Err(error) => assert!(begun.elapsed() < Duration::from_secs(20), "{error}"),
        }
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server"]
async fn a_redis_that_stops_or_goes_fails_in_time_and_is_used_again_when_it_is_back() {
    fails_in_time_and_comes_back("redis").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs postgresql"]
async fn a_postgresql_that_stops_or_goes_fails_in_time_and_is_used_again_when_it_is_back() {
    fails_in_time_and_comes_back("postgresql").await;
}

/// Why a store at this URL is not opened.
async fn refused(kind: &str, url: &str) -> String {
    let store = Part::<dyn Store>::named(kind).unwrap();
    let Err(error) = placed(&store, url, "conformance").unwrap().open().await else {
        panic!("{url} is opened")
    };
    error.to_string()
}

#[tokio::test]
async fn a_store_without_a_place_and_one_where_nobody_listens_are_told_with_what_to_do() {
    for (kind, url) in
        [("redis", "redis://:hush@127.0.0.1:1"), ("postgresql", "postgresql://u:hush@127.0.0.1:1/d")]
    {
        let Err(error) = Part::<dyn Store>::named(kind).unwrap().open().await else {
            panic!("it is nowhere")
        };
        assert!(error.to_string().contains("store needs its URL, as in {"), "{error}");
        let error = refused(kind, url).await;
        for words in ["at 127.0.0.1:1: ", "onnection refused", "start it, or correct its URL"] {
            assert!(error.contains(words) && !error.contains("hush"), "no {words:?} in {error}");
        }
        let bad = placed(&Part::<dyn Store>::named(kind).unwrap(), url, "A;").unwrap();
        let Err(error) = bad.open().await else { panic!("it is no name") };
        assert!(error.to_string().contains("is no namespace"), "{error}");
    }
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn what_redis_refuses_is_told_with_what_to_do() {
    let settings = [("maxmemory", "4mb".to_owned()), ("maxmemory-policy", "noeviction".to_owned())];
    let private = private(&settings, "redis").await;
    let error = refused("redis", &private.url.replace("redis://:", "redis://:not-")).await;
    assert!(error.contains("it refuses user and password; correct them in its URL"), "{error}");
    let (_, address) = private.url.rsplit_once('@').unwrap();
    let error = refused("redis", &format!("redis://{address}")).await;
    assert!(error.contains("NOAUTH") && error.contains("write user and password into its URL"), "{error}");

    let store = placed(&Part::<dyn Store>::named("redis").unwrap(), &private.url, "full").unwrap();
    let store = store.open().await.unwrap();
    let kept = new();
    store.put(kept, issued()).await.unwrap();
    let many: Vec<(TokenId, Record)> = (0..20_000).map(|_| (new(), issued())).collect();
    let error = store.put_many(many).await.unwrap_err().to_string();
    for words in ["OOM", "maxmemory", "raise its maxmemory, or keep fewer tokens"] {
        assert!(error.contains(words) && error.len() < 300, "no {words:?} in {error}");
    }
    for error in [
        store.put(new(), issued()).await.unwrap_err(),
        store.update(kept, &|_| Some(revoked("x"))).await.unwrap_err(),
    ] {
        assert!(error.to_string().contains("raise its maxmemory"), "{error}");
    }
    assert!(store.find(kept).await.unwrap().is_some(), "what was kept is there");
}

#[tokio::test]
#[ignore = "needs postgresql"]
async fn what_postgresql_refuses_is_told_with_what_to_do() {
    let private = private(&[("max_connections", "10".to_owned())], "postgresql").await;
    let (before, address) = private.url.rsplit_once('@').unwrap();
    let (user, _) = before.rsplit_once(':').unwrap();
    for (url, words) in [
        (format!("{user}:wrong@{address}"), "correct user and password in its URL"),
        (private.url.replace("/postgres", "/nowhere"), "create that database, or correct its URL"),
    ] {
        let error = refused("postgresql", &url).await;
        assert!(error.contains(words), "{error}");
    }
    let mut many = Choice::named("postgresql");
    many.settings.insert("connections".to_owned(), 100.into());
    let many = placed(&STORES.resolve(many).unwrap(), &private.url, "many").unwrap();
    let Err(error) = many.open().await else { panic!("there are ten") };
    assert!(error.to_string().contains("raise its max_connections"), "{error}");
}

#[test]
fn what_settings_a_store_does_not_have_is_told() {
    for (kind, settings, words) in [
        ("redis", "appendfsync = \"sometimes\"", "unknown variant `sometimes`"),
        ("postgresql", "connections = 0", "expected from 1 to 100 connections, not 0"),
        ("postgresql", "appendonly = true", "unknown field `appendonly`"),
    ] {
        let choice = Choice { kind: kind.to_owned(), settings: toml::from_str(settings).unwrap() };
        let error = STORES.resolve(choice).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}
