//! Events of the evidence itself: its keys, erasures, and a log that begins anew.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::station::bodies;
use crate::citizen::{MaskedName, NumberTail};
use crate::ids::{CardSerial, OperatorId, SessionId, SnapshotHash, TreeRoot};
use crate::key::{LookupKeyId, PublicKey, SealingKeyId, Signature, SigningKeyId};
use crate::lookup::LookupTag;
use crate::words::{HoldReason, IncarnationReason, Place, Residence, ResidenceGround};

/// Cards in one carrying event at the most, so that the signed event stays under 6 KB.
pub const CARRIED_PER_EVENT_MAX: usize = 10;

bodies! {
    /// The station signs with another key from the next event on. Signed by the old key; the checkpoint over this event is
    /// signed by both.
    KeyRotated {
        /// The key that signed so far, this event included.
        old_key: SigningKeyId,
        /// The key that signs from the next event on.
        new_key: SigningKeyId,
        /// Its public part.
        public_key: PublicKey,
        /// By the new key over `station-gateway key rotation v1`, zero byte, origin, zero byte, index (8 bytes, big-endian), the old
        /// and the new public key: whoever rotates holds it.
        possession: Signature,
    }
    /// New records are tagged under another lookup key from here on.
    LookupKeyChanged {
        /// The key new tags are made with.
        key: LookupKeyId,
        /// The key before it; it is still tried.
        before: LookupKeyId,
    }
    /// A lookup key was destroyed: no open record is tagged with it any more.
    LookupKeyRetired {
        /// The key.
        key: LookupKeyId,
    }
    /// The sealing keys of a session shall be destroyed, and with them everything personal of it.
    ErasureAsked {
        /// The session.
        session: SessionId,
    }
    /// Every sealing key of the session that was here is destroyed. Where some had gone up already, the centre reads here
    /// that it is asked to destroy them too.
    ErasureDone {
        /// The session.
        session: SessionId,
        /// The keys destroyed here.
        keys: Vec<SealingKeyId>,
        /// Whether the centre holds a key of the session, and is asked.
        centre_asked: bool,
    }
    /// The first event of a log that follows another one of this station.
    LogIncarnated {
        /// The number of this log, from 2.
        incarnation: u32,
        /// The origin of the log before it.
        old_origin: String,
        /// The last checkpoint of the old log that was found at the station: a C2SP signed note.
        old_checkpoint: Option<String>,
        /// The last checkpoint of the old log that the centre holds: a C2SP signed note.
        centre_checkpoint: Option<String>,
        /// Up to where the centre's commands were applied in the old log.
        downlink_revision: Option<u64>,
        /// The number of the last of the centre's commands that was followed in the old log; not there: none was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        downlink_number: Option<u64>,
        /// Why.
        reason: IncarnationReason,
        /// The two who approved it.
        approvers: [OperatorId; 2],
        /// Cards that are carried over in the events that follow.
        cards: u32,
    }
    /// The first event of an epoch: the station's state after all events before this one is in a file of its own, so that those can
    /// be pruned.
    SnapshotTaken {
        /// SHA-256 of the file.
        state: SnapshotHash,
        /// Its length, in bytes.
        state_len: u64,
        /// Events before this one: its own index.
        size: u64,
        /// The root of the tree over them.
        root: TreeRoot,
    }
    /// Custody records of the old log, in parts: the opening state of this one.
    CardsCarriedOver {
        /// The cards.
        cards: Vec<CarriedCard>,
    }
    /// One custody record as the old log left it.
    CarriedCard {
        /// The chip's serial.
        serial: CardSerial,
        /// Where it was.
        place: Place,
        /// Why it is held back, if it is.
        hold: Option<HoldReason>,
        /// What its manifest said; none for a card that no manifest had.
        announced: Option<CarriedAnnouncement>,
    }
    /// What a manifest said of a carried card, without anything that names its owner.
    CarriedAnnouncement {
        /// Keyed tags of number and voucher.
        tags: Vec<LookupTag>,
        /// The tag of the number among them.
        number: LookupTag,
        /// The name, masked.
        name: MaskedName,
        /// The last four characters of the number.
        number_tail: NumberTail,
        /// Registered residence.
        residence: Residence,
        /// Why somebody registered elsewhere may collect here.
        ground: Option<ResidenceGround>,
        /// Whether an old card is still to be handed in (P6).
        old_card_due: bool,
    }
}
