//! Rebuilds the memory from the log, event by event, while the log verifies itself; nothing of the log is held.

use edge_config::Policy;
use gateway_core::Recorded;
use schemas::envelope::{Entry, EnvelopeError, Origin};
use schemas::event::Event;

use super::Memory;
use crate::blobs::Sweep;

/// A replay under way.
#[derive(Debug)]
pub struct Replay {
    memory: Memory,
    origin: Origin,
    sweep: Sweep,
    unreadable: Option<ReplayError>,
}

/// An event of the log that this program cannot read.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// Not an event of the contract this program knows.
    #[error(
        "the event at index {index} cannot be read by this version ({source}): install the version that wrote it or a \
         newer one; nothing was changed"
    )]
    Unreadable {
        /// Its index.
        index: u64,
        /// Why.
        source: EnvelopeError,
    },
    /// Of another log, or in another place.
    #[error(
        "the event at index {index} belongs to another place or log; nothing was changed; see \
         ops/docs/runbook/quarantine.md"
    )]
    Foreign {
        /// Its index.
        index: u64,
    },
}

impl Replay {
    /// Of an empty log, so far.
    pub fn new(policy: &Policy, origin: Origin, sweep: Sweep) -> Self {
        Self {
            memory: Memory::new(policy),
            origin,
            sweep,
            unreadable: None,
        }
    }

    /// The next event. After one that cannot be read nothing more is taken in; the caller ends with [`Self::finish`].
    /// It was read ([`schemas::envelope::read`]) by the caller, who may read several at a time.
    pub fn take(&mut self, index: u64, read: Result<Entry, EnvelopeError>) {
        if self.unreadable.is_some() {
            return;
        }
        match read {
            Ok(entry) if entry.index == index && entry.origin == self.origin => {
                if let Event::PhotoArchived(photo) = &entry.event {
                    self.sweep.named(&photo.blob);
                }
                let recorded = Recorded {
                    index,
                    now: &entry.meta.now,
                    event: &entry.event,
                };
                self.memory.apply(recorded, entry.meta.cause.as_ref());
            }
            Ok(_) => self.unreadable = Some(ReplayError::Foreign { index }),
            Err(source) => self.unreadable = Some(ReplayError::Unreadable { index, source }),
        }
    }

    /// What the log says, and the blobs it names.
    pub fn finish(self) -> Result<(Memory, Sweep), ReplayError> {
        self.unreadable.map_or(Ok((self.memory, self.sweep)), Err)
    }
}
