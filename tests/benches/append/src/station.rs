//! The station's log as the benchmarks open it, with its key.

use std::path::Path;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use gateway_log::{CheckpointSigner, Limits, Log, OpenOptions, RoomOptions};
use gateway_server::keys::SigningKey;
use schemas::proof::{NoteKey, SignedNote};

/// The key that signs the checkpoints.
pub fn key() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a key")
}

/// A key as a station has it, made in this folder.
pub fn signing_key(folder: &Path) -> SigningKey {
    let data = folder.join("data-of-key");
    std::fs::create_dir(&data).expect("a folder");
    let keys =
        gateway_server::keys::open(&folder.join("keys"), &data, &folder.join("marker-of-key"));
    keys.expect("keys").signing.current
}

pub fn log(folder: &Path, flush_bytes_max: usize) -> Log {
    let signer = Key(key());
    let options = OpenOptions {
        identity: signer.note_key(),
        marker: folder.join("marker"),
        witness: folder.join("witness"),
        signer: Box::new(signer),
        limits: Limits {
            flush_bytes_max,
            ..Limits::default()
        },
        room: RoomOptions::default(),
    };
    Log::open(&folder.join("data"), options).expect("a log").0
}

struct Key(Ed25519KeyPair);

impl Key {
    fn note_key(&self) -> NoteKey {
        let public_key = self.0.public_key().as_ref().try_into().expect("32 bytes");
        NoteKey::new("bench", public_key).expect("a name")
    }
}

impl CheckpointSigner for Key {
    fn accepts(&self, _: u64) -> Result<(), String> {
        Ok(())
    }
    fn sign(&self, _size: u64, text: &[u8]) -> Vec<(NoteKey, [u8; 64])> {
        let signature = self.0.sign(text).as_ref().try_into().expect("64 bytes");
        vec![(self.note_key(), signature)]
    }
    fn verify(&self, _size: u64, note: &SignedNote) -> bool {
        note.verified_by(&self.note_key(), |public_key, text, signature| {
            UnparsedPublicKey::new(&ED25519, public_key)
                .verify(text, signature)
                .is_ok()
        })
    }
}
