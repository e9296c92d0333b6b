//! When a published document is fetched again, and how long it counts.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::auth::future::BoxFuture;
use crate::auth::issuer::{Document, ExchangeKind, Introspection};

/// Publishes a number that is sometimes none.
#[derive(Default)]
struct Numbers {
    fetches: AtomicUsize,
    told: AtomicUsize,
}

impl Issuer for Numbers {
    fn introspect<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Introspection, Unreachable>> {
        unreachable!("nobody asks")
    }

    fn exchange<'a>(
        &'a self,
        _: &'a str,
        _: ExchangeKind<'a>,
    ) -> BoxFuture<'a, Result<Option<String>, Unreachable>> {
        unreachable!("nobody asks")
    }

    fn fetch<'a>(
        &'a self,
        _: &'a str,
        _: Option<&'a str>,
        _: usize,
    ) -> BoxFuture<'a, Result<Option<Arc<Document>>, Unreachable>> {
        let text = ["1", "2", "many", "4"][self.fetches.fetch_add(1, Ordering::Relaxed)];
        Box::pin(async move { Ok(Some(Arc::new(Document { bytes: text.into(), entity_tag: None }))) })
    }

    fn unreadable(&self, _: &Unreachable) {
        self.told.fetch_add(1, Ordering::Relaxed);
    }
}

fn number(text: &[u8]) -> Result<u32, Unreachable> {
    serde_json::from_slice(text).map_err(|error| Unreachable(error.to_string()))
}

fn only_one(text: &[u8]) -> Result<u32, Unreachable> {
    assert_eq!(text, b"1", "the defect under test");
    number(text)
}

#[tokio::test(start_paused = true)]
async fn nothing_counts_once_the_task_that_polls_has_panicked() {
    let second = Duration::from_secs(1);
    let policy = RefreshPolicy {
        when: Refresh::Background,
        interval: second,
        cooldown: second,
        stale_on_error: Duration::MAX,
        most_bytes: 100,
        phase: 1.0,
    };
    let issuer = Arc::new(Numbers::default());
    let number = Refreshed::fetch(issuer, "/number", policy, at_once(only_one)).await.unwrap();
    assert_eq!(number.current().await.as_deref(), Some(&1));
    sleep(second + second / 2).await;
    assert_eq!(number.current().await, None);
}

#[tokio::test(start_paused = true)]
async fn polls_keep_the_distance_of_the_interval_from_a_first_one_that_comes_sooner() {
    let second = Duration::from_secs(1);
    let policy = RefreshPolicy::polling(10 * second, 0.3, None, 100);
    let issuer = Arc::new(Numbers::default());
    let number = Refreshed::fetch(issuer, "/number", policy, at_once(|_| Ok(Instant::now())));
    let number = number.await.unwrap();
    let began = Instant::now();
    let mut fetched = Vec::new();
    for _ in 0..25 {
        sleep(second).await;
        fetched.push(number.current().await.unwrap().duration_since(began).as_secs());
    }
    fetched.dedup();
    assert_eq!(fetched, [0, 3, 13, 23]);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_told_and_counts_like_a_fetch_that_failed() {
    for when in [Refresh::OnDemand, Refresh::Background] {
        let numbers = Arc::new(Numbers::default());
        let second = Duration::from_secs(1);
        let policy = RefreshPolicy {
            when,
            interval: 10 * second,
            cooldown: 3 * second,
            stale_on_error: 12 * second,
            most_bytes: 100,
            phase: 1.0,
        };
        let issuer = Arc::clone(&numbers) as Arc<dyn Issuer>;
        let number = Refreshed::fetch(issuer, "/number", policy, at_once(number)).await.unwrap();
        // Fetched at 0, 10, 20 (in vain) and 23 s; looked at just after each second.
        sleep(Duration::from_millis(500)).await;
        for at in 0..25 {
            let expected = match at {
                0..10 => Some(1),
                10..22 => Some(2),
                22 => None,
                _ => Some(4),
            };
            let now = number.current().await;
            assert_eq!(now.as_deref(), expected.as_ref(), "{when:?} at {at} s");
            sleep(second).await;
        }
        assert_eq!(numbers.told.load(Ordering::Relaxed), 1, "{when:?}");
    }
}
