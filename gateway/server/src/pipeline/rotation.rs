//! The change of the signing key: one event, in a group of its own, under a checkpoint that both keys sign.

use gateway_core::Recorded;
use schemas::envelope::{KeyId, Source};
use schemas::event::Event;
use tokio::sync::oneshot;

use super::group::Gathering;
use super::{Pipeline, PipelineError, Unrecordable};
use crate::keys::{KeyNotRotated, Settled, SigningKey};

/// A change of the key that is durable, and who waits for it.
#[derive(Debug)]
pub struct Rotated {
    /// Index of its event.
    pub index: u64,
    /// Who waits.
    pub done: oneshot::Sender<Result<u64, KeyNotRotated>>,
}

impl Pipeline {
    /// The event is the last one that the present key signs; what is decided after it is signed by the next.
    pub(super) fn rotate_key(
        &mut self,
        next: SigningKey,
        done: oneshot::Sender<Result<u64, KeyNotRotated>>,
        group: &mut Gathering,
    ) -> Result<(), PipelineError> {
        let (index, now) = (group.next_index(), self.clock.now());
        let body = self.ring.rotation(index, &next);
        let events = vec![Event::KeyRotated(body.clone())];
        let sealed = self
            .seal_all(index, &events, &Source::Gateway, None, &now)
            .map_err(|error| PipelineError::Own(Unrecordable::Seal(error)))?;
        // Ed25519 signs the same bytes alike: the group does it again.
        let signed = self.signing.sign_all(sealed.clone());
        let bytes = signed.first().map(Vec::as_slice).unwrap_or_default();
        if let Err(not_rotated) = self.ring.follow_to(index, &body, bytes, &next) {
            // Who asked may be gone.
            done.send(Err(not_rotated)).ok();
            return Ok(());
        }
        for event in &events {
            let recorded = Recorded {
                index,
                now: &now,
                event,
            };
            self.memory.apply(recorded, None);
        }
        group.push(events, sealed);
        group.seal(Rotated { index, done });
        self.key_id = KeyId::of(&next.public_key());
        self.signing = next;
        Ok(())
    }

    /// The event is durable under a checkpoint of both keys: the old private key goes. Files are touched, so not in the loop.
    pub(super) fn complete_rotation(&self, rotated: Rotated) {
        let (ring, head) = (self.ring.clone(), self.log.sealed_head());
        let settling = panics::off_runtime(move || {
            let Rotated { index, done } = rotated;
            match ring.settle(head.as_ref().map(|head| head.note.as_str())) {
                Ok(Some(Settled::RotationCompleted)) => {
                    tracing::info!(index, "the signing key was changed");
                    // Who asked may be gone; the change is complete all the same.
                    done.send(Ok(index)).ok();
                }
                Ok(settled) => tracing::error!(?settled, "the signing key did not change"),
                Err(error) => {
                    tracing::error!(%error, "the change of the signing key is completed at the next start");
                }
            }
        });
        // It tells who asked by itself.
        drop(settling);
    }
}
