//! The change of lookup keys: a new one is made, the log says so, then it is used. A superseded one is destroyed when the
//! rules let it go.

use futures_util::FutureExt as _;
use gateway_core::Input;
use schemas::event::evidence::LookupKeyChanged;
use schemas::key::LookupKeyId;
use tokio::sync::oneshot;

use super::{Errand, Finding};
use crate::keys::{LookupKeys, NotRotated};

/// What became of a request to change the lookup key.
#[derive(Debug)]
pub enum RotateAnswer {
    /// New records are tagged with another key; the event that says so is durable.
    Done {
        /// The new key.
        key: LookupKeyId,
        /// The one before it, which is still tried.
        before: LookupKeyId,
    },
    /// No key was made, nothing changed.
    Refused(NotRotated),
    /// Another change is under way.
    UnderWay,
}

#[derive(Debug)]
pub(super) struct Rotations {
    keys: LookupKeys,
    /// Who waits for the change that is under way.
    waiting: Option<oneshot::Sender<RotateAnswer>>,
}

impl Rotations {
    pub(super) fn new(keys: LookupKeys) -> Self {
        Self {
            keys,
            waiting: None,
        }
    }

    /// It is durable that new records are tagged with another key.
    pub(super) fn changed(&mut self, event: &LookupKeyChanged) {
        self.keys.make_current(&event.key);
        tracing::info!(key = %event.key, before = %event.before, "another lookup key is in use");
        if let Some(done) = self.waiting.take() {
            let answer = RotateAnswer::Done {
                key: event.key.clone(),
                before: event.before.clone(),
            };
            // Whoever asked may be gone; the event stays.
            done.send(answer).ok();
        }
    }

    /// Begins a change.
    pub(super) fn begin(&mut self, done: oneshot::Sender<RotateAnswer>) -> Option<Errand> {
        if self.waiting.is_some() {
            done.send(RotateAnswer::UnderWay).ok();
            return None;
        }
        self.waiting = Some(done);
        let keys = self.keys.clone();
        let make = async move {
            let made = panics::off_runtime(move || keys.make()).await;
            match made {
                Ok(Ok((key, before))) => Finding::Tell(Input::LookupKeyMade { key, before }),
                Ok(Err(refused)) => Finding::NotRotated(refused),
                Err(ended) => Finding::NotRotated(NotRotated::Failed(std::io::Error::other(ended))),
            }
        };
        Some(make.boxed())
    }

    /// No key was made. Nothing of it is in the log.
    pub(super) fn failed(&mut self, refused: NotRotated) {
        tracing::error!(%refused, "the lookup key was not changed");
        if let Some(done) = self.waiting.take() {
            done.send(RotateAnswer::Refused(refused)).ok();
        }
    }

    /// Destroys keys that the rules let go. One that cannot be destroyed now is tried again at the next look.
    pub(super) fn destroy(&mut self, keys: Vec<LookupKeyId>) -> Vec<Errand> {
        keys.into_iter()
            .map(|key| {
                let ring = self.keys.clone();
                async move {
                    let id = key.clone();
                    let gone = panics::off_runtime(move || ring.destroy(&id)).await;
                    match gone.map_err(std::io::Error::other).flatten() {
                        Ok(()) => Finding::Tell(Input::LookupKeyDestroyed { key }),
                        Err(error) => {
                            tracing::error!(%key, %error, "a lookup key could not be destroyed");
                            Finding::Nothing
                        }
                    }
                }
                .boxed()
            })
            .collect()
    }
}
