//! A key from a fixed seed, a folder for a log, and a way to wait without a runtime.
#![allow(
    unreachable_pub,
    dead_code,
    reason = "each test program uses a part of it"
)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "test support fails by panicking"
)]

use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use gateway_log::{CheckpointSigner, Limits, Log, OpenError, OpenOptions, Recovered, RoomOptions};

pub const ORIGIN: &str = "gateway.zhejiang/station/hz-01/1";

/// Ed25519 by aws-lc-rs.
pub struct TestKey(Ed25519KeyPair);

impl TestKey {
    pub fn of_seed(seed: u8) -> Self {
        Self(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap())
    }
}

impl CheckpointSigner for TestKey {
    fn public_key(&self) -> [u8; 32] {
        self.0.public_key().as_ref().try_into().unwrap()
    }
    fn sign(&self, text: &[u8]) -> [u8; 64] {
        self.0.sign(text).as_ref().try_into().unwrap()
    }
    fn verify(&self, public_key: &[u8; 32], text: &[u8], signature: &[u8; 64]) -> bool {
        UnparsedPublicKey::new(&ED25519, public_key)
            .verify(text, signature)
            .is_ok()
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
    pub fn open(&self) -> Result<(Log, Recovered), OpenError> {
        Log::open(&self.data(), options(&self.marker()))
    }
}

/// Small reserves, so that tests run on small disks.
pub fn options(marker: &Path) -> OpenOptions {
    OpenOptions {
        origin: ORIGIN.to_owned(),
        marker: marker.to_owned(),
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
