//! One request and its answer, handed from the scheduler to a reader.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use http_body_util::BodyExt as _;
use hyper::Response;
use hyper::body::{Bytes, Incoming};
use hyper::header::CONNECTION;

use crate::load::transport::Failure;
use crate::units::Stamp;

/// The body of every request.
pub(super) type Empty = http_body_util::Empty<Bytes>;

/// What becomes of a request.
pub(super) type Answering = Pin<Box<dyn Future<Output = hyper::Result<Response<Incoming>>>>>;

/// Where the scheduler leaves what the reader waits for.
#[derive(Default)]
pub(super) struct Exchange {
    begun: RefCell<Option<Begun>>,
    reader: RefCell<Option<Waker>>,
    closed: Cell<bool>,
}

enum Begun {
    Waiting(Answering),
    Answered(hyper::Result<Response<Incoming>>),
}

impl Exchange {
    /// A request is on its way. It is polled once at once, so that it does not wait for the reader to be sent.
    pub(super) fn begin(&self, mut answering: Answering) {
        let polled = answering.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let begun = match polled {
            Poll::Ready(answered) => Begun::Answered(answered),
            Poll::Pending => Begun::Waiting(answering),
        };
        *self.begun.borrow_mut() = Some(begun);
        self.wake();
    }

    /// The connection is gone.
    pub(super) fn close(&self) {
        self.closed.set(true);
        self.wake();
    }

    /// Status, whether the connection closes after it, and when its head was seen.
    pub(super) async fn answer(&self) -> Result<(u16, bool, Stamp), Failure> {
        let response = poll_fn(|context| self.poll_response(context)).await?;
        let head_seen = Stamp::now();
        let (status, closes) = (response.status().as_u16(), says_close(&response));
        let mut body = response.into_body();
        while let Some(frame) = body.frame().await {
            frame.map_err(|error| failure(&error))?;
        }
        Ok((status, closes, head_seen))
    }

    fn poll_response(&self, context: &mut Context<'_>) -> Poll<Result<Response<Incoming>, Failure>> {
        match &mut *self.reader.borrow_mut() {
            Some(known) => known.clone_from(context.waker()),
            empty => *empty = Some(context.waker().clone()),
        }
        let mut begun = self.begun.borrow_mut();
        let answered = match begun.take() {
            None if self.closed.get() => return Poll::Ready(Err(Failure::Closed)),
            None => return Poll::Pending,
            Some(Begun::Answered(answered)) => answered,
            Some(Begun::Waiting(mut answering)) => match answering.as_mut().poll(context) {
                Poll::Ready(answered) => answered,
                Poll::Pending => {
                    *begun = Some(Begun::Waiting(answering));
                    return Poll::Pending;
                }
            },
        };
        Poll::Ready(answered.map_err(|error| failure(&error)))
    }

    fn wake(&self) {
        if let Some(reader) = &*self.reader.borrow() {
            reader.wake_by_ref();
        }
    }
}

fn says_close(response: &Response<Incoming>) -> bool {
    let options = response.headers().get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    options.flat_map(|value| value.split(',')).any(|option| option.trim().eq_ignore_ascii_case("close"))
}

fn failure(error: &hyper::Error) -> Failure {
    if error.is_parse() { Failure::NotHttp } else { Failure::Closed }
}
