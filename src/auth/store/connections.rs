//! Connections to a program that keeps tokens: opened again when one is found broken, and never waited for without end.

use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::timeout;

use crate::auth::store::StoreError;

/// How connections of one kind are opened.
pub(super) trait StoreConnector: Send + Sync {
    /// What many can use at once.
    type Connection: Send + Sync;

    /// Opens one.
    fn connect(&self) -> impl Future<Output = Result<Self::Connection, StoreError>> + Send;

    /// What messages call the other end.
    fn name(&self) -> &str;
}

/// Some connections that are used in turn, each by many at once.
pub(super) struct Connections<C: StoreConnector> {
    connector: C,
    slots: Vec<Slot<C::Connection>>,
    next: AtomicUsize,
    /// How long an answer may take, opening a connection included.
    patience: Duration,
}

struct Slot<T> {
    /// Locked for a line. `None` until somebody needs it, and after it was found broken.
    open: Mutex<Option<Arc<T>>>,
    /// Held by the one who opens it: the others wait, and then use it.
    opening: tokio::sync::Mutex<()>,
}

/// A connection for one question. Unless it is said to be fine it is forgotten afterwards: who waits for an answer that does not come in
/// time cannot know whether the other end is slow or gone, and a question to another connection tells.
pub(super) struct Lent<'a, T> {
    slot: &'a Slot<T>,
    connection: Arc<T>,
    is_fine: bool,
}

impl<C: StoreConnector> Connections<C> {
    /// As many as `number`, all of them open.
    pub(super) async fn open(connector: C, number: usize, patience: Duration) -> Result<Self, StoreError> {
        let slots =
            (0..number).map(|_| Slot { open: Mutex::default(), opening: tokio::sync::Mutex::default() });
        let connections = Self { connector, slots: slots.collect(), next: AtomicUsize::new(0), patience };
        for _ in 0..number {
            let lent = async {
                connections.lend().await?.was_fine();
                Ok(())
            };
            connections.in_time(lent).await?;
        }
        Ok(connections)
    }

    /// What opens them.
    pub(super) fn connector(&self) -> &C {
        &self.connector
    }

    /// The next one in turn, opened if it is not.
    pub(super) async fn lend(&self) -> Result<Lent<'_, C::Connection>, StoreError> {
        let slot = &self.slots[self.next.fetch_add(1, Ordering::Relaxed) % self.slots.len()];
        let lent = |connection| Lent { slot, connection, is_fine: false };
        if let Some(connection) = slot.open().clone() {
            return Ok(lent(connection));
        }
        let _opening = slot.opening.lock().await;
        if let Some(connection) = slot.open().clone() {
            return Ok(lent(connection));
        }
        let connection = Arc::new(self.connector.connect().await?);
        *slot.open() = Some(Arc::clone(&connection));
        Ok(lent(connection))
    }

    /// An answer within the time that one may take.
    pub(super) async fn in_time<T>(
        &self,
        answer: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.within(self.patience, answer).await
    }

    /// An answer to something that may take so many times as long.
    pub(super) async fn in_times<T>(
        &self,
        times: u32,
        answer: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.within(self.patience * times, answer).await
    }

    async fn within<T>(
        &self,
        patience: Duration,
        answer: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        timeout(patience, answer).await.unwrap_or_else(|_| {
            let seconds = patience.as_secs_f64();
            Err(StoreError(format!(
                "{}: no answer within {seconds} s; is it overloaded or stopped?",
                self.connector.name()
            )))
        })
    }
}

impl<T> Slot<T> {
    fn open(&self) -> MutexGuard<'_, Option<Arc<T>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Lent<'_, T> {
    /// The other end has answered, whatever it said.
    pub(super) fn was_fine(mut self) {
        self.is_fine = true;
    }
}

impl<T> Deref for Lent<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.connection
    }
}

impl<T> Drop for Lent<'_, T> {
    fn drop(&mut self) {
        if self.is_fine {
            return;
        }
        let mut open = self.slot.open();
        // Maybe somebody has opened another one meanwhile.
        if open.as_ref().is_some_and(|open| Arc::ptr_eq(open, &self.connection)) {
            *open = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use tokio::time::{Instant, sleep};

    use super::*;

    /// Opens numbered connections, as long as the other end is there.
    #[derive(Default)]
    struct Numbered {
        opened: AtomicUsize,
        is_away: AtomicBool,
        hangs: AtomicBool,
    }

    impl StoreConnector for Arc<Numbered> {
        type Connection = usize;

        async fn connect(&self) -> Result<usize, StoreError> {
            if self.hangs.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
            sleep(Duration::from_millis(5)).await;
            if self.is_away.load(Ordering::Relaxed) {
                return Err(StoreError("refused".to_owned()));
            }
            Ok(self.opened.fetch_add(1, Ordering::Relaxed))
        }

        fn name(&self) -> &'static str {
            "it"
        }
    }

    const PATIENCE: Duration = Duration::from_secs(1);

    async fn asked(connections: &Connections<Arc<Numbered>>) -> Result<usize, StoreError> {
        connections
            .in_time(async {
                let lent = connections.lend().await?;
                let number = *lent;
                lent.was_fine();
                Ok(number)
            })
            .await
    }

    #[tokio::test(start_paused = true)]
    async fn connections_are_used_in_turn_and_one_that_was_not_fine_is_opened_again_once_for_all_who_wait() {
        let other_end = Arc::new(Numbered::default());
        let connections = Connections::open(Arc::clone(&other_end), 2, PATIENCE).await.unwrap();
        let numbers = [asked(&connections).await, asked(&connections).await, asked(&connections).await];
        assert_eq!(numbers.map(Result::unwrap), [0, 1, 0]);
        let _ = asked(&connections).await;
        drop(connections.lend().await.unwrap());
        let _ = asked(&connections).await;
        let both = tokio::join!(asked(&connections), async {
            let _ = asked(&connections).await;
            asked(&connections).await
        });
        assert_eq!((both.0.unwrap(), both.1.unwrap()), (2, 2));
        assert_eq!(other_end.opened.load(Ordering::Relaxed), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_longer_than_an_answer_may_take_and_what_is_back_is_used_again() {
        let other_end = Arc::new(Numbered::default());
        let connections = Connections::open(Arc::clone(&other_end), 1, PATIENCE).await.unwrap();
        drop(connections.lend().await.unwrap());
        other_end.hangs.store(true, Ordering::Relaxed);
        let begun = Instant::now();
        let answers = tokio::join!(asked(&connections), asked(&connections), asked(&connections));
        assert_eq!(begun.elapsed(), PATIENCE);
        for answer in [answers.0, answers.1, answers.2] {
            let error = answer.unwrap_err().to_string();
            assert!(error.contains("it: no answer within 1 s"), "{error}");
        }
        other_end.hangs.store(false, Ordering::Relaxed);
        other_end.is_away.store(true, Ordering::Relaxed);
        assert!(asked(&connections).await.unwrap_err().to_string().contains("refused"));
        other_end.is_away.store(false, Ordering::Relaxed);
        assert_eq!(asked(&connections).await.unwrap(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn who_went_away_with_an_old_connection_leaves_the_new_one_alone() {
        let other_end = Arc::new(Numbered::default());
        let connections = Connections::open(Arc::clone(&other_end), 1, PATIENCE).await.unwrap();
        let [first, second] = [connections.lend().await.unwrap(), connections.lend().await.unwrap()];
        drop(first);
        assert_eq!(asked(&connections).await.unwrap(), 1);
        drop(second);
        assert_eq!(asked(&connections).await.unwrap(), 1);
    }
}
