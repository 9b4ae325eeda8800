//! How one thing goes up.

use bytes::Bytes;
use object_store::path::Path;
use schemas::ids::BlobHash;
use schemas::key::SealingKeyId;

use super::fault::{Fault, off_loop};
use super::queue::Item;
use super::transfer::Transfer;
use crate::blobs::{BlobStore, Kept};
use crate::sealing::SealingDesk;

/// Sends blobs and keys.
#[derive(Debug)]
pub(super) struct Sender {
    pub(super) blobs: BlobStore,
    pub(super) sealing: SealingDesk,
    pub(super) transfer: Transfer,
}

/// What became of something that was to go up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    /// It is there. So many bytes went over the link.
    There(usize),
    /// Not while its session is open.
    NotYet,
    /// It will never go up: it is not here, or not what it was.
    Gone,
}

impl Sender {
    pub(super) async fn send(&self, item: &Item) -> Result<Sent, Fault> {
        match item {
            Item::Blob(name) => self.blob(name, false).await,
            Item::Again(name) => self.blob(name, true).await,
            Item::Key(key) => self.key(key, false).await,
            Item::Copy(key) => self.key(key, true).await,
        }
    }

    /// `anew`: though it is there, because the centre says that it is not.
    async fn blob(&self, name: &BlobHash, anew: bool) -> Result<Sent, Fault> {
        let (blobs, wanted) = (self.blobs.clone(), name.clone());
        let bytes = match off_loop(move || blobs.read(&wanted)).await?? {
            Kept::Whole(bytes) => bytes,
            kept @ (Kept::Damaged | Kept::Missing) => {
                let kept = kept.word();
                tracing::error!(blob = %name, kept, "an event names a blob that cannot go up");
                return Ok(Sent::Gone);
            }
        };
        let (path, len) = (Path::from_iter(["blobs", name.as_str()]), bytes.len());
        if !anew && self.transfer.has(path.clone(), len).await? {
            return Ok(Sent::There(0));
        }
        self.transfer.put(path.clone(), bytes.into()).await?;
        if self.transfer.has(path, len).await? {
            Ok(Sent::There(len))
        } else {
            Err(Fault::Differs)
        }
    }

    /// It is there when its bytes were read back. Until then no erasure goes on, so that none is destroyed here, and told as destroyed,
    /// while it leaves. `early`: while its session is open, because the centre was asked something that it opens.
    async fn key(&self, key: &SealingKeyId, early: bool) -> Result<Sent, Fault> {
        let _held = self.sealing.hold_erasures().await;
        let (store, id) = (self.sealing.store().clone(), key.clone());
        let session = off_loop(move || store.session_of(&id)).await?;
        if !early && session.is_some_and(|session| self.sealing.is_open(&session)) {
            return Ok(Sent::NotYet);
        }
        let (store, id) = (self.sealing.store().clone(), key.clone());
        let Some(bytes) = off_loop(move || store.begin_sending(&id)).await?? else {
            // It went up before, or was erased.
            return Ok(Sent::Gone);
        };
        let path = Path::from_iter(["session-keys", &format!("{key}.json")]);
        let bytes = Bytes::from(bytes);
        self.transfer.put(path.clone(), bytes.clone()).await?;
        if self.transfer.get(path, bytes.len()).await?.as_ref() == Some(&bytes) {
            Ok(Sent::There(bytes.len()))
        } else {
            Err(Fault::Differs)
        }
    }

    /// Removes a key that was read back, and whose session's end the centre has acknowledged.
    pub(super) async fn release(&self, key: &SealingKeyId) -> Result<(), Fault> {
        let _held = self.sealing.hold_erasures().await;
        let (store, key) = (self.sealing.store().clone(), key.clone());
        Ok(off_loop(move || store.sent(&key)).await??)
    }
}
