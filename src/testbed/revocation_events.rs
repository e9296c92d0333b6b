//! Pushed revocations on the wire: a stream of server-sent events that both servers agree on.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::Event;
use futures_util::stream::{self, Stream, StreamExt as _};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde::{Deserialize, Serialize};

use crate::auth::issuer::{RevocationStream, Unreachable};
use crate::auth::revocation_event::{EventId, Pushed};
use crate::testbed::event_stream::{StreamItem, StreamReader};

/// Where the stream is.
pub(super) const PATH: &str = "/revocation-events";
/// Its media type.
pub(super) const EVENT_STREAM: &str = "text/event-stream";
/// The header with the id of the last event that is known (WHATWG HTML section 9.2.4).
pub(super) const LAST_EVENT_ID: &str = "last-event-id";

/// The parameter that says how often something must be heard, in milliseconds.
const HEARTBEAT: &str = "heartbeat";
/// Without it.
const USUAL_HEARTBEAT: Duration = Duration::from_secs(1);

/// The first event of a stream.
const BEGUN: &str = "begun";
/// A token was revoked.
const REVOKED: &str = "revoked";

/// The data of the first event.
#[derive(Serialize, Deserialize)]
struct Begun {
    /// Whether every event behind the one with the last id that is known follows.
    resumed: bool,
}

/// Path and query of a stream on which something is heard so often.
pub(super) fn path(heartbeat: Duration) -> String {
    format!("{PATH}?{HEARTBEAT}={}", heartbeat.as_millis().max(1))
}

/// What the query says of that; `None` if it cannot be read.
pub(super) fn heartbeat(query: &str) -> Option<Duration> {
    let mut parameters = form_urlencoded::parse(query.as_bytes());
    let Some((_, millis)) = parameters.find(|(name, _)| name == HEARTBEAT) else {
        return Some(USUAL_HEARTBEAT);
    };
    millis.parse().ok().filter(|millis| *millis > 0).map(Duration::from_millis)
}

/// The stream as it is sent.
pub(super) fn write(
    pushed: impl Stream<Item = Pushed> + Send,
) -> impl Stream<Item = Result<Event, Infallible>> + Send {
    pushed.map(|pushed| Ok(event(pushed)))
}

fn event(pushed: Pushed) -> Event {
    let named = |kind, id: EventId, data| Event::default().event(kind).id(id.to_string()).data(data);
    match pushed {
        Pushed::Begun { behind, is_resumed } => named(BEGUN, behind, json(&Begun { resumed: is_resumed })),
        Pushed::Revoked(id, event) => named(REVOKED, id, json(&*event)),
        Pushed::UpToDate => Event::default().comment("up to date"),
    }
}

fn json(data: &impl Serialize) -> String {
    serde_json::to_string(data).expect("plain data")
}

/// The stream as it is received.
pub(super) fn read(body: Incoming) -> RevocationStream {
    let received = Received { body, reader: StreamReader::default(), items: VecDeque::new() };
    stream::try_unfold(received, Received::next).boxed()
}

struct Received {
    body: Incoming,
    reader: StreamReader,
    items: VecDeque<StreamItem>,
}

impl Received {
    async fn next(mut self) -> Result<Option<(Pushed, Self)>, Unreachable> {
        loop {
            while let Some(item) = self.items.pop_front() {
                if let Some(pushed) = pushed(item)? {
                    return Ok(Some((pushed, self)));
                }
            }
            let Some(frame) = self.body.frame().await else { return Ok(None) };
            let frame = frame.map_err(|error| unfit(&error))?;
            let bytes = frame.into_data().unwrap_or_default();
            self.items.extend(self.reader.read(&bytes).map_err(|error| unfit(&error))?);
        }
    }
}

/// What an item says; nothing if it is an event of another type, as a later version may have.
fn pushed(item: StreamItem) -> Result<Option<Pushed>, Unreachable> {
    let StreamItem::Event { kind, id, data } = item else { return Ok(Some(Pushed::UpToDate)) };
    if kind != BEGUN && kind != REVOKED {
        return Ok(None);
    }
    let id = id.as_deref().and_then(EventId::parse);
    let id = id.ok_or_else(|| unfit(&format_args!("an event {kind:?} without an id of its own")))?;
    let fault = |error: serde_json::Error| unfit(&error);
    Ok(Some(if kind == BEGUN {
        let Begun { resumed } = serde_json::from_str(&data).map_err(fault)?;
        Pushed::Begun { behind: id, is_resumed: resumed }
    } else {
        Pushed::Revoked(id, serde_json::from_str(&data).map_err(fault)?)
    }))
}

fn unfit(why: &dyn std::fmt::Display) -> Unreachable {
    Unreachable(format!("expected a stream of revocations: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_often_something_is_heard_can_be_asked_for() {
        for millis in [1, 10, 1_000, 86_400_000] {
            let heartbeat = Duration::from_millis(millis);
            let path = path(heartbeat);
            let (_, query) = path.split_once('?').unwrap();
            assert_eq!(super::heartbeat(query), Some(heartbeat), "{path}");
        }
        assert_eq!(path(Duration::from_micros(1)), "/revocation-events?heartbeat=1");
        assert_eq!(heartbeat(""), Some(USUAL_HEARTBEAT));
        for bad in ["heartbeat=", "heartbeat=0", "heartbeat=-1", "heartbeat=soon"] {
            assert_eq!(heartbeat(bad), None, "{bad}");
        }
    }
}
