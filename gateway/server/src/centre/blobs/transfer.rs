//! Calls of the blob store, each with a deadline.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gateway_sync::Pace;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use panics::Unfinished;
use tokio::sync::Semaphore;

use super::fault::Fault;
use super::place::Place;

/// Calls the store.
#[derive(Debug)]
pub(super) struct Transfer {
    place: Place,
    pace: Pace,
    /// One for each call at a time. A call that is given up but hangs in the kernel keeps its own: a store that hangs holds so many
    /// threads and not more each time.
    slots: Arc<Semaphore>,
}

impl Transfer {
    /// `calls_max`: calls at a time.
    pub(super) fn new(place: Place, pace: Pace, calls_max: usize) -> Self {
        Self {
            place,
            pace,
            slots: Arc::new(Semaphore::new(calls_max)),
        }
    }

    /// Whether an object of this length is there.
    pub(super) async fn has(&self, path: Path, len: usize) -> Result<bool, Fault> {
        let found = self
            .call(0, |store| async move { store.head(&path).await })
            .await;
        match found {
            Ok(meta) => Ok(usize::try_from(meta.size).is_ok_and(|size| size == len)),
            Err(Call::Store(object_store::Error::NotFound { .. })) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes an object, whole or not at all.
    pub(super) async fn put(&self, path: Path, bytes: Bytes) -> Result<(), Fault> {
        let put = self.call(bytes.len(), |store| async move {
            store.put(&path, bytes.into()).await.map(drop)
        });
        Ok(put.await?)
    }

    /// Reads an object of this length back; none: what is there is longer or shorter.
    pub(super) async fn get(&self, path: Path, len: usize) -> Result<Option<Bytes>, Fault> {
        let got = self.call(len, move |store| async move {
            let found = store.get(&path).await?;
            if usize::try_from(found.meta.size).is_ok_and(|size| size == len) {
                found.bytes().await.map(Some)
            } else {
                Ok(None)
            }
        });
        Ok(got.await?)
    }

    /// One call, with the time that so many bytes take.
    async fn call<T, F>(
        &self,
        len: usize,
        work: impl FnOnce(Arc<dyn ObjectStore>) -> F + Send + 'static,
    ) -> Result<T, Call>
    where
        T: Send + 'static,
        F: Future<Output = object_store::Result<T>> + Send + 'static,
    {
        let deadline = self.pace.deadline(len);
        let answered = tokio::time::timeout(deadline, self.answer(work)).await;
        answered.unwrap_or(Err(Call::Timeout(deadline)))
    }

    async fn answer<T, F>(
        &self,
        work: impl FnOnce(Arc<dyn ObjectStore>) -> F + Send + 'static,
    ) -> Result<T, Call>
    where
        T: Send + 'static,
        F: Future<Output = object_store::Result<T>> + Send + 'static,
    {
        let slot = Arc::clone(&self.slots).acquire_owned().await;
        let slot = slot.map_err(|closed| Call::Ended(closed.to_string()))?;
        let place = self.place.clone();
        let calling = async move {
            let store = panics::off_runtime(move || place.open()).await;
            let store = store.map_err(|ended| Call::Ended(ended.to_string()))?;
            let done = work(store.map_err(Call::Store)?).await;
            drop(slot);
            done.map_err(Call::Store)
        };
        if self.place.is_cancelled() {
            return calling.await;
        }
        let done = tokio::spawn(calling).await;
        done.map_err(|ended| Call::Ended(Unfinished::from(ended).to_string()))?
    }
}

/// Why a call has no answer.
#[derive(Debug)]
enum Call {
    Store(object_store::Error),
    Timeout(Duration),
    Ended(String),
}

impl From<Call> for Fault {
    fn from(call: Call) -> Self {
        match call {
            Call::Store(error) => error.into(),
            Call::Timeout(deadline) => Self::Timeout(deadline),
            Call::Ended(why) => Self::Failed(why),
        }
    }
}
