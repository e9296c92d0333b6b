//! The revocations of late, pushed to whoever follows them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand;
use futures_util::stream::{self, Stream};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::auth::revocation_event::{EventId, Pushed, RevocationEvent};

/// Numbers revocations, and keeps the last of them. A subscriber has a place among them and no events of its own: who is too slow, or comes
/// back too late, finds that place forgotten, and takes no memory meanwhile.
pub struct RevocationFeed {
    epoch: u64,
    /// Locked to add an event or to look at one, and told of by its channel.
    window: watch::Sender<Window>,
}

#[derive(Default)]
struct Window {
    events: VecDeque<Arc<RevocationEvent>>,
    /// The number of the last event.
    newest: u64,
}

/// So many events are kept: two megabytes.
const KEPT: usize = 10_000;

/// Nobody is told more often, or less often, that everything was said.
const HEARTBEATS: [Duration; 2] = [Duration::from_millis(10), Duration::from_hours(1)];

impl Default for RevocationFeed {
    fn default() -> Self {
        let mut epoch = [0; 8];
        rand::fill(&mut epoch).expect("the system gives randomness");
        Self { epoch: u64::from_ne_bytes(epoch), window: watch::Sender::new(Window::default()) }
    }
}

impl RevocationFeed {
    /// Pushes an event to all who follow.
    pub(super) fn publish(&self, event: RevocationEvent) {
        let event = Arc::new(event);
        self.window.send_modify(|window| {
            if window.events.len() == KEPT {
                window.events.pop_front();
            }
            window.events.push_back(event);
            window.newest += 1;
        });
    }

    /// What happens behind the event `last`, or from now on if that is not kept any more. The stream says every `heartbeat` that it has said
    /// everything, unless it has not, and ends when what it was to say next is not kept any more.
    pub fn follow(
        &self,
        last: Option<EventId>,
        heartbeat: Duration,
    ) -> impl Stream<Item = Pushed> + Send + use<> {
        let window = self.window.subscribe();
        let (position, is_resumed) = {
            let window = window.borrow();
            let known = last.filter(|id| id.epoch == self.epoch).map(|id| id.sequence);
            let known = known.filter(|known| (window.oldest()..=window.newest).contains(known));
            (known.unwrap_or(window.newest), known.is_some())
        };
        let subscriber = Subscriber {
            epoch: self.epoch,
            window,
            position,
            begins: Some(is_resumed),
            heartbeat: heartbeat.clamp(HEARTBEATS[0], HEARTBEATS[1]),
            next_heartbeat: Instant::now(),
        };
        stream::unfold(subscriber, Subscriber::next)
    }

    /// How many follow.
    pub fn subscribers(&self) -> usize {
        self.window.receiver_count()
    }
}

impl Window {
    /// The number of the event before the first one that is kept.
    fn oldest(&self) -> u64 {
        self.newest - self.events.len() as u64
    }

    fn behind(&self, position: u64) -> Next {
        let Some(index) = position.checked_sub(self.oldest()) else { return Next::Forgotten };
        let index = usize::try_from(index).expect("a part of what is in memory");
        self.events.get(index).map_or(Next::Nothing, |event| Next::Event(Arc::clone(event)))
    }
}

/// What follows an event.
enum Next {
    Event(Arc<RevocationEvent>),
    Nothing,
    Forgotten,
}

struct Subscriber {
    epoch: u64,
    window: watch::Receiver<Window>,
    /// The number of the last event that was said.
    position: u64,
    /// Whether it is resumed, until that was said.
    begins: Option<bool>,
    heartbeat: Duration,
    next_heartbeat: Instant,
}

impl Subscriber {
    async fn next(mut self) -> Option<(Pushed, Self)> {
        if let Some(is_resumed) = self.begins.take() {
            return Some((Pushed::Begun { behind: self.last(), is_resumed }, self));
        }
        loop {
            let next = self.window.borrow_and_update().behind(self.position);
            match next {
                Next::Event(event) => {
                    self.position += 1;
                    return Some((Pushed::Revoked(self.last(), event), self));
                }
                Next::Forgotten => return None,
                Next::Nothing => {}
            }
            let now = Instant::now();
            if self.next_heartbeat <= now {
                self.next_heartbeat = now + self.heartbeat;
                return Some((Pushed::UpToDate, self));
            }
            // It fails when the authorization server is gone.
            if let Ok(changed) = timeout_at(self.next_heartbeat, self.window.changed()).await {
                changed.ok()?;
            }
        }
    }

    fn last(&self) -> EventId {
        EventId { epoch: self.epoch, sequence: self.position }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;

    use super::*;
    use crate::auth::token::{TokenId, UnixTime};

    const HEARTBEAT: Duration = Duration::from_secs(1);

    fn publish(feed: &RevocationFeed, numbers: std::ops::RangeInclusive<usize>) {
        for number in numbers {
            let token = TokenId::of("a token");
            feed.publish(RevocationEvent {
                jti: number.to_string().into(),
                token,
                exp: UnixTime::from_secs(0),
            });
        }
    }

    /// What is said until everything was.
    async fn said(stream: &mut (impl Stream<Item = Pushed> + Unpin)) -> Vec<String> {
        let mut said = Vec::new();
        loop {
            said.push(match stream.next().await {
                Some(Pushed::Begun { behind, is_resumed }) => format!("{} {is_resumed}", behind.sequence),
                Some(Pushed::Revoked(id, event)) => {
                    assert_eq!(*event.jti, id.sequence.to_string());
                    id.sequence.to_string()
                }
                Some(Pushed::UpToDate) => return said,
                None => "end".to_owned(),
            });
            if said.last().is_some_and(|last| last == "end") {
                return said;
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_back_hears_what_it_missed_and_nothing_twice_as_long_as_that_is_kept() {
        let feed = RevocationFeed::default();
        let id = |sequence| Some(EventId { epoch: feed.epoch, sequence });
        publish(&feed, 1..=3);
        for (last, expected) in [
            (None, &["3 false"][..]),
            (id(3), &["3 true"]),
            (id(1), &["1 true", "2", "3"]),
            (id(0), &["0 true", "1", "2", "3"]),
            (id(4), &["3 false"]),
            (Some(EventId { epoch: feed.epoch ^ 1, sequence: 1 }), &["3 false"]),
        ] {
            let mut stream = Box::pin(feed.follow(last, HEARTBEAT));
            assert_eq!(said(&mut stream).await, expected, "{last:?}");
        }
        publish(&feed, 4..=KEPT + 3);
        for (last, is_resumed) in [(2, false), (3, true)] {
            let mut stream = Box::pin(feed.follow(id(last), HEARTBEAT));
            let said = said(&mut stream).await;
            assert_eq!(said.len(), if is_resumed { 1 + KEPT } else { 1 }, "{last}");
            assert!(said[0].ends_with(&is_resumed.to_string()), "{last}: {}", said[0]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn events_are_said_at_once_and_every_heartbeat_that_nothing_else_happened() {
        let feed = Arc::new(RevocationFeed::default());
        let mut stream = Box::pin(feed.follow(None, HEARTBEAT));
        assert_eq!(said(&mut stream).await, ["0 false"]);
        let begun = Instant::now();
        assert_eq!(said(&mut stream).await, [""; 0]);
        assert_eq!(begun.elapsed(), HEARTBEAT);
        let publisher = Arc::clone(&feed);
        tokio::spawn(async move {
            for number in 1..=7 {
                tokio::time::sleep(3 * HEARTBEAT / 10).await;
                publish(&publisher, number..=number);
            }
        });
        assert!(matches!(stream.next().await, Some(Pushed::Revoked(..))));
        assert_eq!(begun.elapsed(), HEARTBEAT + 3 * HEARTBEAT / 10);
        // However much happens: else nobody could tell what is under way from what is lost.
        for heartbeats in [2, 3] {
            said(&mut stream).await;
            assert_eq!(begun.elapsed(), HEARTBEAT * heartbeats);
        }
        assert_eq!(said(&mut stream).await, ["7"]);
        drop(feed);
        assert_eq!(said(&mut stream).await, ["end"]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_heartbeat_is_asked_for_neither_floods_nor_overflows() {
        let feed = RevocationFeed::default();
        for (asked, given) in [(Duration::ZERO, HEARTBEATS[0]), (Duration::MAX, HEARTBEATS[1])] {
            let mut stream = Box::pin(feed.follow(None, asked));
            said(&mut stream).await;
            let begun = Instant::now();
            said(&mut stream).await;
            assert_eq!(begun.elapsed(), given);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_too_slow_is_told_no_more() {
        let feed = RevocationFeed::default();
        let [mut slow, mut just] = [(); 2].map(|()| Box::pin(feed.follow(None, HEARTBEAT)));
        for stream in [&mut slow, &mut just] {
            assert_eq!(said(stream).await, ["0 false"]);
        }
        publish(&feed, 1..=KEPT);
        assert_eq!(said(&mut just).await.len(), KEPT);
        assert_eq!(feed.subscribers(), 2);
        publish(&feed, KEPT + 1..=KEPT + 1);
        assert_eq!(said(&mut slow).await, ["end"]);
        drop(slow);
        assert_eq!(feed.subscribers(), 1);
        assert_eq!(said(&mut just).await.len(), 1);
    }
}
