//! The future of a call that took its place in the log.

use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::sync::oneshot;

use crate::durable::Durable;
use crate::error::{AppendError, AppendRefusal, LogFailed};

/// Resolves when the call's events or pairs are durable. Keeps the value that waits for that. Dropping it does not take
/// the call back. Must not be polled again once it has resolved, like any future.
#[derive(Debug)]
#[must_use = "nothing may be acknowledged before this has resolved"]
pub struct Appending<T> {
    answer: Answer,
    value: Option<T>,
    indexes: Range<u64>,
}

type Answer = Result<oneshot::Receiver<Result<(), LogFailed>>, AppendRefusal>;

// The value is only ever moved out whole; nothing here points into it.
impl<T> Unpin for Appending<T> {}

impl<T> Appending<T> {
    pub(crate) fn new(answer: Answer, value: T, indexes: Range<u64>) -> Self {
        Self {
            answer,
            value: Some(value),
            indexes,
        }
    }
}

impl<T> Future for Appending<T> {
    type Output = Result<Durable<T>, AppendError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let answer = match &mut this.answer {
            Err(refusal) => return Poll::Ready(Err(refusal.clone().into())),
            // A committer that is gone drops its replies.
            Ok(receiver) => ready!(Pin::new(receiver).poll(cx)).unwrap_or(Err(LogFailed::Closed)),
        };
        let value = this.value.take().ok_or(LogFailed::Closed);
        let outcome = answer.and(value);
        Poll::Ready(
            outcome
                .map(|value| Durable::new(value, this.indexes.clone()))
                .map_err(Into::into),
        )
    }
}
