//! The receipts of the last messages, so that a repetition that comes while its first copy is still on its way to the
//! disk is recognised, and one that comes soon after needs no look at the disk.

use std::collections::{HashMap, VecDeque};

use schemas::envelope::{Cause, CauseOutcome};
use schemas::ids::{DeviceId, MessageId, SessionId};

/// More than the groups under way can hold (512 messages each at most).
const ENTRIES_MAX: usize = 2_048;

/// What became of a message, and where that stands.
#[derive(Debug, Clone)]
pub(super) struct Known {
    /// Index of the event that records it.
    pub(super) index: u64,
    /// Its digest.
    pub(super) digest: [u8; 16],
    /// What its sender was told.
    pub(super) outcome: CauseOutcome,
    /// The session its receipt names.
    pub(super) session: Option<SessionId>,
}

impl Known {
    pub(super) fn of(index: u64, cause: &Cause) -> Self {
        Self {
            index,
            digest: cause.digest,
            outcome: cause.outcome,
            session: cause.session.clone(),
        }
    }
}

/// The last messages.
#[derive(Debug, Default)]
pub(super) struct Recent {
    known: HashMap<(DeviceId, MessageId), Known>,
    order: VecDeque<(DeviceId, MessageId)>,
}

impl Recent {
    pub(super) fn insert(&mut self, index: u64, cause: &Cause) {
        let key = (cause.sender.clone(), cause.message_id.clone());
        if self
            .known
            .insert(key.clone(), Known::of(index, cause))
            .is_none()
        {
            self.order.push_back(key);
        }
        if self.order.len() > ENTRIES_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            drop(self.known.remove(&oldest));
        }
    }

    pub(super) fn find(&self, sender: &DeviceId, message: &MessageId) -> Option<&Known> {
        self.known.get(&(sender.clone(), message.clone()))
    }
}
