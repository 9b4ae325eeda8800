//! A key from a fixed seed, a folder for a log, and a way to wait without a runtime.

pub mod epochs;

use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use gateway_log::{CheckpointSigner, Limits, Log, OpenError, OpenOptions, Recovered, RoomOptions};
use schemas::proof::{NoteKey, SignedNote};

pub const ORIGIN: &str = "gateway.zhejiang/station/hz-01/1";

/// Ed25519 by aws-lc-rs: one key for every size.
pub struct TestKey(Ed25519KeyPair);

impl TestKey {
    pub fn of_seed(seed: u8) -> Self {
        Self(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap())
    }
    pub fn note_key(&self) -> NoteKey {
        NoteKey::new(ORIGIN, self.0.public_key().as_ref().try_into().unwrap()).unwrap()
    }
    pub fn sign_text(&self, text: &[u8]) -> [u8; 64] {
        self.0.sign(text).as_ref().try_into().unwrap()
    }
}

/// Whether `signature` is that of `text`.
pub fn ed25519(public_key: &[u8; 32], text: &[u8], signature: &[u8; 64]) -> bool {
    UnparsedPublicKey::new(&ED25519, public_key)
        .verify(text, signature)
        .is_ok()
}

impl CheckpointSigner for TestKey {
    fn accepts(&self, _: u64) -> Result<(), String> {
        Ok(())
    }
    fn sign(&self, _size: u64, text: &[u8]) -> Vec<(NoteKey, [u8; 64])> {
        vec![(self.note_key(), self.sign_text(text))]
    }
    fn verify(&self, _size: u64, note: &SignedNote) -> bool {
        note.verified_by(&self.note_key(), ed25519)
    }
}

/// The keys of a log in the order in which they came into force. Another one follows with each event that begins with
/// [`KeyRing::ROTATION`], whose next byte is its seed; both sign the checkpoint at the size after it.
#[derive(Clone)]
pub struct KeyRing(Arc<Mutex<Vec<FromSize>>>);

/// A key and the size from which on it is in force.
type FromSize = (u64, Arc<TestKey>);

impl KeyRing {
    pub const ROTATION: &[u8] = b"the next key is ";

    pub fn starting_with(seed: u8) -> Self {
        let first = (0, Arc::new(TestKey::of_seed(seed)));
        Self(Arc::new(Mutex::new(vec![first])))
    }
    pub fn rotation(seed: u8) -> Vec<u8> {
        [Self::ROTATION, &[seed]].concat()
    }
    /// Takes note of an event.
    pub fn apply(&self, index: u64, event: &[u8]) {
        if let Some([seed]) = event.strip_prefix(Self::ROTATION) {
            let key = (index + 1, Arc::new(TestKey::of_seed(*seed)));
            self.0.lock().unwrap().push(key);
        }
    }
    /// The key in force before this size, if it changed at it, and that in force from it on.
    fn at(&self, size: u64) -> Vec<Arc<TestKey>> {
        let keys = self.0.lock().unwrap();
        let in_force = keys.iter().filter(|(from, _)| *from <= size);
        let mut last: Vec<_> = in_force.rev().take(2).collect();
        if last
            .first()
            .is_some_and(|(from, _)| *from < size || size == 0)
        {
            last.truncate(1);
        }
        last.into_iter()
            .rev()
            .map(|(_, key)| Arc::clone(key))
            .collect()
    }
}

impl CheckpointSigner for KeyRing {
    fn accepts(&self, _: u64) -> Result<(), String> {
        Ok(())
    }
    fn sign(&self, size: u64, text: &[u8]) -> Vec<(NoteKey, [u8; 64])> {
        let keys = self.at(size).into_iter();
        keys.map(|key| (key.note_key(), key.sign_text(text)))
            .collect()
    }
    fn verify(&self, size: u64, note: &SignedNote) -> bool {
        let keys = self.at(size);
        keys.iter()
            .all(|key| note.verified_by(&key.note_key(), ed25519))
    }
}

/// Where one station keeps its log and its keys.
pub struct Place(pub tempfile::TempDir);

impl Place {
    pub fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(place.0.path().join("keys")).unwrap();
        place
    }
    pub fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }
    pub fn marker(&self) -> PathBuf {
        self.0.path().join("keys/log-started")
    }
    pub fn witness(&self) -> PathBuf {
        self.0.path().join("keys/log-witness")
    }
    pub fn open(&self) -> Result<(Log, Recovered), OpenError> {
        Log::open(&self.data(), options(&self.marker()))
    }
}

/// Small reserves, so that tests run on small disks.
pub fn options(marker: &Path) -> OpenOptions {
    OpenOptions {
        identity: TestKey::of_seed(7).note_key(),
        marker: marker.to_owned(),
        witness: marker.with_file_name("log-witness"),
        signer: Box::new(TestKey::of_seed(7)),
        limits: Limits::default(),
        room: RoomOptions {
            low_bytes: 4 << 20,
            critical_bytes: 2 << 20,
            reserve_bytes: 1 << 20,
            floor_bytes: 1 << 20,
        },
    }
}

pub fn event(index: u64) -> Vec<u8> {
    format!("event {index} ").into_bytes().repeat(20)
}

/// Waits for a future on this thread.
pub fn wait<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        std::thread::park();
    }
}
