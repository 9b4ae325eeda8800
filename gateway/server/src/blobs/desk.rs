//! Takes blobs in: seals, writes, remembers under what id each device sent them, until a reply names them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use schemas::ids::{BlobHash, BlobId, DeviceId};
use tokio::sync::Semaphore;

use super::seal::CentreKey;
use super::store::BlobStore;

/// Blobs remembered for one device; with a fifth photo of a session no earlier one is still waiting.
const BLOBS_PER_DEVICE_MAX: usize = 32;

/// A blob that is on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// SHA-256 of the sealed file.
    pub hash: BlobHash,
    /// Length before sealing, in bytes.
    pub len: u32,
}

/// Why a blob was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlobRefusal {
    /// Longer than the limit, or empty.
    Length,
    /// The same id came before with other content.
    IdReused,
    /// It could not be sealed or written.
    Failed,
}

/// The place where blobs arrive. Cheap to clone.
#[derive(Debug, Clone)]
pub struct BlobDesk(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: BlobStore,
    key: CentreKey,
    len_max: usize,
    sealing: Arc<Semaphore>,
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
    pub fn new(store: BlobStore, key: CentreKey, len_max: usize, in_flight_max: usize) -> Self {
        Self(Arc::new(Inner {
            store,
            key,
            len_max,
            sealing: Arc::new(Semaphore::new(in_flight_max)),
            shelf: Mutex::default(),
        }))
    }

    /// Seals and stores a blob; resolves when it is durable. `digest` tells whether a repetition is one. A repeated
    /// blob is not stored twice.
    pub async fn receive(
        &self,
        device: &DeviceId,
        id: &BlobId,
        digest: [u8; 16],
        blob: Bytes,
    ) -> Result<Received, BlobRefusal> {
        if blob.is_empty() || blob.len() > self.0.len_max {
            return Err(BlobRefusal::Length);
        }
        if let Some((earlier, received)) = self.find(device, id) {
            return if earlier == digest {
                Ok(received)
            } else {
                Err(BlobRefusal::IdReused)
            };
        }
        let len = u32::try_from(blob.len()).map_err(|_too_long| BlobRefusal::Length)?;
        let permit = Arc::clone(&self.0.sealing).acquire_owned().await;
        let permit = permit.map_err(|_closed| BlobRefusal::Failed)?;
        let inner = Arc::clone(&self.0);
        let sealed = tokio::task::spawn_blocking(move || {
            let sealed = inner.key.seal(&blob).map_err(std::io::Error::other);
            let written = sealed.and_then(|sealed| inner.store.write(&sealed));
            drop(permit);
            written
        });
        let hash = match sealed.await {
            Ok(Ok(hash)) => hash,
            Ok(Err(error)) => {
                tracing::error!(%device, %error, "a blob could not be stored");
                return Err(BlobRefusal::Failed);
            }
            Err(_ended) => return Err(BlobRefusal::Failed),
        };
        let received = Received { hash, len };
        self.put(
            device,
            Slot {
                id: id.clone(),
                digest,
                received: received.clone(),
                named: false,
            },
        );
        Ok(received)
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

    fn find(&self, device: &DeviceId, id: &BlobId) -> Option<([u8; 16], Received)> {
        let shelf = self.shelf();
        let slot = shelf.get(device)?.iter().find(|slot| slot.id == *id)?;
        Some((slot.digest, slot.received.clone()))
    }

    fn put(&self, device: &DeviceId, slot: Slot) {
        let mut shelf = self.shelf();
        let slots = shelf.entry(device.clone()).or_default();
        slots.push_back(slot);
        let out = if slots.len() > BLOBS_PER_DEVICE_MAX {
            slots.pop_front()
        } else {
            None
        };
        drop(shelf);
        if let Some(orphan) = out.filter(|slot| !slot.named)
            && let Err(error) = self.0.store.remove(&orphan.received.hash)
        {
            tracing::warn!(%device, %error, "an orphan blob stays until the next start");
        }
    }

    fn shelf(&self) -> MutexGuard<'_, BTreeMap<DeviceId, VecDeque<Slot>>> {
        self.0.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    fn desk(folder: &std::path::Path, len_max: usize) -> BlobDesk {
        let key = CentreKey::from_bytes(&[9; 32]).unwrap();
        BlobDesk::new(BlobStore::open(folder).unwrap(), key, len_max, 2)
    }

    fn id(n: u8) -> BlobId {
        BlobId::new(format!("0190b7a2-1f00-7000-8000-0000000000{n:02x}")).unwrap()
    }

    /// P5, G7: acknowledged means sealed and on disk, and no file of the folder holds a byte of the photo in the clear.
    #[tokio::test]
    async fn a_received_blob_is_on_disk_sealed() {
        let place = tempfile::tempdir().unwrap();
        let desk = desk(place.path(), 1 << 20);
        let camera = DeviceId::new("camera-1").unwrap();
        let photo = b"JPEG of a citizen's face ".repeat(1000);
        let received = desk
            .receive(&camera, &id(1), [1; 16], photo.clone().into())
            .await
            .unwrap();
        assert_eq!(received.len, 25_000);
        for file in std::fs::read_dir(place.path()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            assert!(!bytes.windows(12).any(|window| photo.starts_with(window)));
        }
        assert_eq!(desk.received(&camera, &id(1)), Some(received));
        assert_eq!(
            desk.received(&DeviceId::new("camera-2").unwrap(), &id(1)),
            None
        );
    }

    #[tokio::test]
    async fn a_repeated_blob_is_stored_once_and_other_content_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let desk = desk(place.path(), 1 << 20);
        let camera = DeviceId::new("camera-1").unwrap();
        let first = desk
            .receive(&camera, &id(1), [1; 16], Bytes::from_static(b"one"))
            .await
            .unwrap();
        let again = desk
            .receive(&camera, &id(1), [1; 16], Bytes::from_static(b"one"))
            .await
            .unwrap();
        assert_eq!(first, again);
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 1);
        let other = desk
            .receive(&camera, &id(1), [2; 16], Bytes::from_static(b"two"))
            .await;
        assert_eq!(other, Err(BlobRefusal::IdReused));
    }

    #[tokio::test]
    async fn blobs_have_a_limit_in_length_and_number() {
        let place = tempfile::tempdir().unwrap();
        let desk = desk(place.path(), 8);
        let camera = DeviceId::new("camera-1").unwrap();
        for blob in [&b""[..], b"ninebytes"] {
            let refused = desk.receive(&camera, &id(0), [0; 16], blob.into()).await;
            assert_eq!(refused, Err(BlobRefusal::Length));
        }
        let first = desk
            .receive(&camera, &id(0), [0; 16], Bytes::from_static(b"x"))
            .await
            .unwrap();
        desk.named(&first.hash);
        for n in 1..=40 {
            desk.receive(&camera, &id(n), [n; 16], Bytes::from_static(b"y"))
                .await
                .unwrap();
        }
        assert!(
            desk.0.store.holds(&first.hash),
            "a blob that an event names stays"
        );
        assert_eq!(
            std::fs::read_dir(place.path()).unwrap().count(),
            BLOBS_PER_DEVICE_MAX + 1
        );
    }
}
