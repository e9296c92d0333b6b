//! When the server knew of each revocation that was pushed to it. Stamped by the task that hears of them: no request takes part.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::StreamExt as _;
use futures_util::stream;
use serde::{Deserialize, Serialize};

use crate::auth::issuer::RevocationStream;
use crate::auth::revocation_event::{Pushed, RevocationEvent};
use crate::units::Stamp;

/// A revocation that was pushed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::testbed) struct HeardRevocation {
    /// The hash of the text of the token, as the event says it.
    pub(in crate::testbed) token: String,
    /// When this server had taken it in.
    pub(in crate::testbed) at: Stamp,
}

/// Keeps every one, up to a limit.
#[derive(Clone, Default)]
pub(super) struct HeardLog(Arc<Kept>);

#[derive(Default)]
struct Kept {
    heard: Mutex<Vec<HeardRevocation>>,
    /// Set when one was not kept.
    is_full: AtomicBool,
}

/// A server left running alone must not grow without end: some ten megabytes.
const MOST: usize = 100_000;

impl HeardLog {
    /// The same stream, of which is kept when each event was taken in: whoever asks for what comes next has done that.
    pub(super) fn of(&self, stream: RevocationStream) -> RevocationStream {
        let begin = (self.clone(), stream, None::<Arc<RevocationEvent>>);
        stream::unfold(begin, |(log, mut stream, told)| async move {
            if let Some(event) = told {
                log.add(&event, Stamp::now());
            }
            let next = stream.next().await?;
            let told = match &next {
                Ok(Pushed::Revoked(_, event)) => Some(Arc::clone(event)),
                Ok(Pushed::Begun { .. } | Pushed::UpToDate) | Err(_) => None,
            };
            Some((next, (log, stream, told)))
        })
        .boxed()
    }

    fn add(&self, event: &RevocationEvent, at: Stamp) {
        let mut heard = self.0.heard.lock().expect("no holder of this lock panics");
        if heard.len() == MOST {
            self.0.is_full.store(true, Ordering::Relaxed);
            return;
        }
        heard.push(HeardRevocation { token: event.token.to_base64url(), at });
    }

    /// All of them in order; nothing if there were more than are kept, since the others would look unheard.
    pub(super) fn all(&self) -> Option<Vec<HeardRevocation>> {
        let heard = self.0.heard.lock().expect("no holder of this lock panics");
        (!self.0.is_full.load(Ordering::Relaxed)).then(|| heard.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::revocation_event::EventId;
    use crate::auth::token::{TokenId, UnixTime};

    fn revoked(token: &str) -> Pushed {
        let event =
            RevocationEvent { jti: token.into(), token: TokenId::of(token), exp: UnixTime::from_secs(1) };
        Pushed::Revoked(EventId { epoch: 1, sequence: 1 }, Arc::new(event))
    }

    #[tokio::test]
    async fn an_event_is_heard_when_the_next_one_is_asked_for_and_nothing_else_is() {
        let log = HeardLog::default();
        let items = [Pushed::UpToDate, revoked("a"), revoked("b"), Pushed::UpToDate].map(Ok);
        let mut stream = log.of(stream::iter(items).boxed());
        let mut counts = Vec::new();
        while stream.next().await.is_some() {
            counts.push(log.all().unwrap().len());
        }
        assert_eq!(counts, [0, 0, 1, 2]);
        let tokens: Vec<String> = log.all().unwrap().into_iter().map(|heard| heard.token).collect();
        assert_eq!(tokens, ["a", "b"].map(|token| TokenId::of(token).to_base64url()));
    }

    #[test]
    fn every_event_is_kept_or_none_is_told() {
        let log = HeardLog::default();
        let Pushed::Revoked(_, event) = revoked("a") else { unreachable!() };
        (0..MOST as u64).for_each(|nanos| log.add(&event, Stamp::from_nanos(nanos)));
        assert_eq!(log.all().unwrap().len(), MOST);
        log.add(&event, Stamp::from_nanos(0));
        assert_eq!(log.all(), None);
    }
}
