//! Takes blobs in: seals, writes, remembers under what id each device sent them, until a reply names them.
//! It must never keep one in the clear: the bytes that came are wiped when they are sealed. Those of an application are handed to
//! what holds them in memory until its end.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use schemas::ids::{BlobHash, BlobId, DeviceId, SessionId};
use schemas::key::SealingKeyId;
use schemas::message::face::PictureFormat;
use tokio::sync::Semaphore;

use super::seal::seal;
use super::store::BlobStore;
use crate::held::Held;
use crate::sealing::{NotSealed, SealingDesk, SessionKey, Source};
use crate::wiped::wipe;

/// Blobs remembered for one device; with a fifth photo of a session no earlier one is still waiting.
const BLOBS_PER_DEVICE_MAX: usize = 32;

/// A blob that is on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// SHA-256 of the sealed file.
    pub hash: BlobHash,
    /// Length before sealing, in bytes.
    pub len: u32,
    /// The key it is sealed under.
    pub key: SealingKeyId,
    /// The session of that key.
    pub session: SessionId,
    /// How it is written, if faces can be compared in it (A6).
    pub picture: Option<PictureFormat>,
    /// Whether it begins as a picture, of whatever length.
    pub is_picture: bool,
}

/// Why a blob was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlobRefusal {
    /// Longer than the limit, or empty.
    Length,
    /// The same id came before with other content.
    IdReused,
    /// No session asked for it, so it is not kept.
    NoSession,
    /// It could not be sealed or written.
    Failed,
}

/// The place where blobs arrive. Cheap to clone.
#[derive(Debug, Clone)]
pub struct BlobDesk(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: BlobStore,
    sealing: SealingDesk,
    held: Held,
    len_max: usize,
    in_flight: Arc<Semaphore>,
    shelf: Mutex<BTreeMap<DeviceId, VecDeque<Slot>>>,
}

/// A blob that was received, and whether an event names it.
#[derive(Debug)]
struct Slot {
    id: BlobId,
    digest: [u8; 16],
    received: Received,
    named: bool,
}

impl BlobDesk {
    /// `len_max`: longest blob, in bytes; `in_flight_max`: how many are sealed and written at once.
    pub fn new(
        store: BlobStore,
        sealing: SealingDesk,
        held: Held,
        len_max: usize,
        in_flight_max: usize,
    ) -> Self {
        Self(Arc::new(Inner {
            store,
            sealing,
            held,
            len_max,
            in_flight: Arc::new(Semaphore::new(in_flight_max)),
            shelf: Mutex::default(),
        }))
    }

    /// Seals and stores a blob; resolves when it is durable. `digest` tells whether a repetition is one. A repeated
    /// blob is not stored twice.
    pub async fn receive(
        &self,
        from: Source<'_>,
        id: &BlobId,
        digest: [u8; 16],
        blob: Bytes,
    ) -> Result<Received, BlobRefusal> {
        let device = from.device;
        if blob.is_empty() || blob.len() > self.0.len_max {
            wipe(blob);
            return Err(BlobRefusal::Length);
        }
        if let Some((earlier, received)) = self.find(device, id) {
            wipe(blob);
            return if earlier == digest {
                Ok(received)
            } else {
                Err(BlobRefusal::IdReused)
            };
        }
        let key = match self.0.sealing.key_for(from).await {
            Ok(key) => key,
            Err(refusal) => {
                wipe(blob);
                return Err(match refusal {
                    NotSealed::NoSession => BlobRefusal::NoSession,
                    NotSealed::Failed => BlobRefusal::Failed,
                });
            }
        };
        let received = self.store(device, key, blob).await?;
        let slot = Slot {
            id: id.clone(),
            digest,
            received: received.clone(),
            named: false,
        };
        if let Some(orphan) = self.put(device, slot) {
            self.remove(vec![orphan]).await;
        }
        Ok(received)
    }

    /// Seals and writes; durable when it resolves.
    async fn store(
        &self,
        device: &DeviceId,
        key: Arc<SessionKey>,
        blob: Bytes,
    ) -> Result<Received, BlobRefusal> {
        let len = u32::try_from(blob.len()).map_err(|_too_long| BlobRefusal::Length)?;
        let permit = Arc::clone(&self.0.in_flight).acquire_owned().await;
        let permit = permit.map_err(|_closed| BlobRefusal::Failed)?;
        let (id, session) = (key.id().clone(), key.session().clone());
        let picture = PictureFormat::of(&blob);
        let is_picture = PictureFormat::of_head(&blob).is_some();
        let inner = Arc::clone(&self.0);
        let sealed = panics::off_runtime(move || {
            let sealed = seal(&key, &blob).map_err(std::io::Error::other);
            let written = sealed.and_then(|sealed| inner.store.write(&sealed));
            if let Ok(hash) = &written
                && inner.sealing.is_application(key.session())
            {
                inner.held.came(key.session(), hash, &blob);
            }
            wipe(blob);
            drop(permit);
            written
        });
        match sealed.await {
            Ok(Ok(hash)) => Ok(Received {
                hash,
                len,
                key: id,
                session,
                picture,
                is_picture,
            }),
            Ok(Err(error)) => {
                tracing::error!(%device, %error, "a blob could not be stored");
                Err(BlobRefusal::Failed)
            }
            Err(_ended) => Err(BlobRefusal::Failed),
        }
    }

    /// The blob a device sent under this id; none if it sent none in this life of the gateway.
    pub fn received(&self, device: &DeviceId, id: &BlobId) -> Option<Received> {
        self.find(device, id).map(|(_, received)| received)
    }

    /// An event names this blob now: it is no orphan any more.
    pub fn named(&self, hash: &BlobHash) {
        let mut shelf = self.shelf();
        let slot = shelf
            .values_mut()
            .flatten()
            .find(|slot| slot.received.hash == *hash);
        if let Some(slot) = slot {
            slot.named = true;
        }
    }

    /// Takes from the shelf what no event names of sessions that are over: nothing can name it any more, and whoever asks removes it
    /// ([`Self::remove`]).
    pub fn orphans(&self) -> Vec<BlobHash> {
        let mut orphans = Vec::new();
        self.shelf().values_mut().for_each(|slots| {
            slots.retain(|slot| {
                let stays = slot.named || self.0.sealing.is_open(&slot.received.session);
                if !stays {
                    orphans.push(slot.received.hash.clone());
                }
                stays
            });
        });
        orphans
    }

    /// Removes orphans from the disk. Those that it cannot remove are found at the next start.
    pub async fn remove(&self, orphans: Vec<BlobHash>) {
        let store = self.0.store.clone();
        let removed = panics::off_runtime(move || {
            let removed = orphans.iter().map(|orphan| store.remove(orphan));
            removed.fold(Ok(()), std::io::Result::and)
        });
        if let Err(error) = removed.await.map_err(std::io::Error::from).flatten() {
            tracing::warn!(%error, "an orphan blob stays until the next start");
        }
    }

    fn find(&self, device: &DeviceId, id: &BlobId) -> Option<([u8; 16], Received)> {
        let shelf = self.shelf();
        let slot = shelf.get(device)?.iter().find(|slot| slot.id == *id)?;
        Some((slot.digest, slot.received.clone()))
    }

    /// The blob that had to make room, if no event names it.
    fn put(&self, device: &DeviceId, slot: Slot) -> Option<BlobHash> {
        let mut shelf = self.shelf();
        let slots = shelf.entry(device.clone()).or_default();
        slots.push_back(slot);
        let out = if slots.len() > BLOBS_PER_DEVICE_MAX {
            slots.pop_front()
        } else {
            None
        };
        out.filter(|slot| !slot.named)
            .map(|slot| slot.received.hash)
    }

    fn shelf(&self) -> MutexGuard<'_, BTreeMap<DeviceId, VecDeque<Slot>>> {
        self.0.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
#[path = "desk_tests.rs"]
mod tests;
