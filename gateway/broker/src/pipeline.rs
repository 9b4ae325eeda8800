//! What a connection waits for: the handler's commits, then the store's writes, both in order.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::future::BoxFuture;

use crate::encode::Granted;
use crate::handler::PublishOutcome;
use crate::message::Message;
use crate::store::StoreError;
use crate::writer::Written;

/// A PUBLISH whose fate is being decided.
pub(crate) struct Commit {
    future: Option<BoxFuture<'static, PublishOutcome>>,
    refused: PublishOutcome,
    inbound: Option<Inbound>,
}

/// A PUBLISH and its packet id (0 for QoS 0).
#[derive(Debug)]
pub(crate) struct Inbound {
    pub(crate) id: u16,
    pub(crate) message: Message,
}

impl Commit {
    /// The handler decides.
    pub(crate) fn running(future: BoxFuture<'static, PublishOutcome>, inbound: Inbound) -> Self {
        Self {
            future: Some(future),
            refused: PublishOutcome::Consumed,
            inbound: Some(inbound),
        }
    }

    /// Decided at the door; takes its turn all the same.
    pub(crate) fn decided(outcome: PublishOutcome, inbound: Inbound) -> Self {
        Self {
            future: None,
            refused: outcome,
            inbound: Some(inbound),
        }
    }
}

impl Future for Commit {
    type Output = (PublishOutcome, Option<Inbound>);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let outcome = match &mut self.future {
            Some(future) => ready!(future.as_mut().poll(cx)),
            None => self.refused,
        };
        Poll::Ready((outcome, self.inbound.take()))
    }
}

/// What to send once the store has it.
#[derive(Debug)]
pub(crate) enum Reply {
    Nothing,
    Puback { id: u16, code: u8 },
    Pubrec { id: u16, code: u8 },
    Pubrel { id: u16, code: u8 },
    Pubcomp { id: u16, code: u8 },
    Suback { id: u16, granted: Vec<Granted> },
    Unsuback { id: u16, removed: Vec<Option<bool>> },
}

/// A reply that waits for the store.
#[derive(Debug)]
pub(crate) struct Writing {
    written: Option<Written>,
    reply: Option<Reply>,
}

impl Writing {
    pub(crate) fn new(written: Option<Written>, reply: Reply) -> Self {
        Self {
            written,
            reply: Some(reply),
        }
    }
}

impl Future for Writing {
    type Output = (Result<(), StoreError>, Reply);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let result = match &mut self.written {
            None => Ok(()),
            Some(written) => ready!(Pin::new(written).poll(cx)).unwrap_or(Err(StoreError::Closed)),
        };
        Poll::Ready((result, self.reply.take().unwrap_or(Reply::Nothing)))
    }
}
