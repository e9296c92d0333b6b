//! One request and its answer, handed from the scheduler to a reader.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// Where the scheduler leaves what the reader waits for: `F` becomes the answer.
pub(super) struct Exchange<F: Future> {
    begun: RefCell<Option<Begun<F>>>,
    reader: RefCell<Option<Waker>>,
    is_closed: Cell<bool>,
}

enum Begun<F: Future> {
    Waiting(F),
    Answered(F::Output),
}

impl<F: Future> Default for Exchange<F> {
    fn default() -> Self {
        Self { begun: RefCell::new(None), reader: RefCell::new(None), is_closed: Cell::new(false) }
    }
}

impl<F: Future + Unpin> Exchange<F> {
    /// A request is on its way. It is polled at once and for the reader, which therefore runs when there is an answer,
    /// and not before.
    pub(super) fn begin(&self, mut answering: F) {
        let polled = {
            let reader = self.reader.borrow();
            let waker = reader.as_ref().unwrap_or(Waker::noop());
            Pin::new(&mut answering).poll(&mut Context::from_waker(waker))
        };
        match polled {
            Poll::Ready(answered) => self.end(answered),
            Poll::Pending => *self.begun.borrow_mut() = Some(Begun::Waiting(answering)),
        }
    }

    /// What has become of a request is known already.
    pub(super) fn end(&self, answered: F::Output) {
        *self.begun.borrow_mut() = Some(Begun::Answered(answered));
        self.wake();
    }

    /// The connection takes no more requests; the one on its way may still be answered.
    pub(super) fn close(&self) {
        self.is_closed.set(true);
        self.wake();
    }

    /// Whether a request has no answer yet.
    pub(super) fn is_waiting(&self) -> bool {
        matches!(*self.begun.borrow(), Some(Begun::Waiting(_)))
    }

    pub(super) fn is_closed(&self) -> bool {
        self.is_closed.get()
    }

    /// What becomes of the request; absent if the connection closes while there is none.
    pub(super) async fn answer(&self) -> Option<F::Output> {
        poll_fn(|context| self.poll(context)).await
    }

    fn poll(&self, context: &mut Context<'_>) -> Poll<Option<F::Output>> {
        match &mut *self.reader.borrow_mut() {
            Some(known) => known.clone_from(context.waker()),
            empty => *empty = Some(context.waker().clone()),
        }
        let mut begun = self.begun.borrow_mut();
        match begun.take() {
            None if self.is_closed.get() => Poll::Ready(None),
            None => Poll::Pending,
            Some(Begun::Answered(answered)) => Poll::Ready(Some(answered)),
            Some(Begun::Waiting(mut answering)) => match Pin::new(&mut answering).poll(context) {
                Poll::Ready(answered) => Poll::Ready(Some(answered)),
                Poll::Pending => {
                    *begun = Some(Begun::Waiting(answering));
                    Poll::Pending
                }
            },
        }
    }

    fn wake(&self) {
        if let Some(reader) = &*self.reader.borrow() {
            reader.wake_by_ref();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Ready, ready};
    use std::rc::Rc;

    use tokio::sync::oneshot;
    use tokio::task::{LocalSet, spawn_local, yield_now};

    use super::*;

    #[tokio::test]
    async fn a_request_begun_before_or_after_the_reader_waits_is_answered() {
        let wait = |exchange: &Rc<Exchange<oneshot::Receiver<u8>>>| {
            let exchange = Rc::clone(exchange);
            spawn_local(async move { exchange.answer().await })
        };
        LocalSet::new()
            .run_until(async {
                for reader_first in [true, false] {
                    let exchange = Rc::new(Exchange::default());
                    let (answer, answering) = oneshot::channel();
                    let reader = reader_first.then(|| wait(&exchange));
                    yield_now().await;
                    exchange.begin(answering);
                    let reader = reader.unwrap_or_else(|| wait(&exchange));
                    yield_now().await;
                    answer.send(7).expect("the exchange listens");
                    assert_eq!(reader.await.expect("it does not panic"), Some(Ok(7)));
                }
            })
            .await;
    }

    #[tokio::test]
    async fn a_connection_that_closes_ends_those_who_wait_for_nothing_but_not_an_answer_that_is_there() {
        let exchange = Exchange::<Ready<u8>>::default();
        exchange.begin(ready(7));
        exchange.close();
        assert_eq!(exchange.answer().await, Some(7));
        assert_eq!(exchange.answer().await, None);
    }
}
