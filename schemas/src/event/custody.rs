//! Events of custody (存证): announcement, arrival, loading, moves, stock-take.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::station::bodies;
use crate::citizen::{MaskedName, NumberTail};
use crate::ids::{BatchId, CardSerial, DeviceId, MachineId, OperatorId, SessionId};
use crate::lookup::LookupTag;
use crate::slot::SlotAddress;
use crate::words::{ActOutcome, HoldReason, Place, Residence, ResidenceGround};

/// Cards in one batch at the most; with it the events of a batch fit one atomic write.
pub const BATCH_CARDS_MAX: usize = 240;
/// Cards in one announcing event at the most, so that the signed event stays under 6 KB.
pub const ANNOUNCED_PER_EVENT_MAX: usize = 12;

/// What an operator does at a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "act", deny_unknown_fields)]
pub enum Act {
    /// Hopper to slot (C2).
    Load {
        /// The slot.
        slot: SlotAddress,
    },
    /// Slot to outlet to safe (C2).
    Unload {
        /// The slot.
        slot: SlotAddress,
    },
    /// Compare slots with records (C2).
    StockTake,
    /// Exercise every device of the machine (V2).
    Commission,
}

/// What was found in a slot (C3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SlotFinding {
    /// Nothing, where a card is recorded.
    Missing,
    /// Something, where no card is recorded.
    Unexpected,
    /// What the record says, after it was otherwise.
    Agrees,
}

bodies! {
    /// One card as its manifest announces it, without anything that names its owner.
    AnnouncedCard {
        /// The chip's serial.
        serial: CardSerial,
        /// Keyed tag of the citizen number.
        number: LookupTag,
        /// Keyed tag of the voucher.
        voucher: LookupTag,
        /// The name, masked.
        name: MaskedName,
        /// The last four characters of the number.
        number_tail: NumberTail,
        /// Registered residence.
        residence: Residence,
        /// Why somebody registered elsewhere may collect here.
        ground: Option<ResidenceGround>,
        /// Whether an old card has to be handed in (P6).
        old_card_due: bool,
        /// Whether the card is held back from the beginning.
        held: bool,
        /// Tags of the voucher under superseded keys by which a printed number leads to it (P1).
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        older: Vec<LookupTag>,
    }
    /// A manifest was taken (C1).
    BatchAnnounced {
        /// The batch.
        batch: BatchId,
        /// Cards on it.
        cards: u32,
        /// Who took it.
        operator: OperatorId,
        /// SHA-256 of the manifest's bytes.
        manifest_sha256: String,
    }
    /// Cards of a batch, in parts.
    CardsAnnounced {
        /// The batch.
        batch: BatchId,
        /// The cards.
        cards: Vec<AnnouncedCard>,
    }
    /// A card of a batch was scanned: it is at the station (C1).
    CardArrived {
        /// The batch.
        batch: BatchId,
        /// The card.
        card: CardSerial,
        /// Who scanned it.
        operator: OperatorId,
    }
    /// A card was scanned that no manifest has (C1).
    CardSurplus {
        /// The batch it came with.
        batch: BatchId,
        /// The card.
        card: CardSerial,
        /// Who scanned it.
        operator: OperatorId,
    }
    /// Cards on a manifest that had not arrived when its batch was closed, in parts (C1).
    CardsMissing {
        /// The batch.
        batch: BatchId,
        /// The cards.
        cards: Vec<CardSerial>,
    }
    /// The operator closed a batch. Missing cards are named in the events before it, surplus ones were
    /// when they were scanned (C1).
    BatchClosed {
        /// The batch.
        batch: BatchId,
        /// Cards that arrived.
        arrived: u32,
        /// Cards on the manifest that did not arrive.
        missing: u32,
        /// Cards that arrived without being on the manifest.
        surplus: u32,
        /// Who closed it.
        operator: OperatorId,
    }
    /// A card went from one place to another (C3).
    CardMoved {
        /// The card.
        card: CardSerial,
        /// From where.
        from: Place,
        /// Where to.
        to: Place,
        /// The session it moved in, if any.
        session: Option<SessionId>,
    }
    /// A card is held back from pickup from now on.
    CardHeld {
        /// The card.
        card: CardSerial,
        /// Why.
        reason: HoldReason,
    }
    /// A held card may be collected again.
    CardReleased {
        /// The card.
        card: CardSerial,
    }
    /// An operator placed a card by hand (C3).
    CardPlaced {
        /// The card.
        card: CardSerial,
        /// Where.
        to: Place,
        /// Who.
        operator: OperatorId,
    }
    /// An operator began an act at a machine (C2).
    ActStarted {
        /// The session of the act.
        session: SessionId,
        /// At which kiosk.
        kiosk: DeviceId,
        /// At which machine.
        machine: MachineId,
        /// Its dispenser.
        dispenser: DeviceId,
        /// Who.
        operator: OperatorId,
        /// What.
        act: Act,
        /// The card, where there is one.
        card: Option<CardSerial>,
        /// How long a card may stay at the outlet, in s (`policy`).
        hold_s: u16,
    }
    /// An operator's act ended.
    ActEnded {
        /// The session of the act.
        session: SessionId,
        /// How.
        outcome: ActOutcome,
    }
    /// Slots and records compared (C2).
    StockTaken {
        /// The session of the act.
        session: SessionId,
        /// The machine.
        machine: MachineId,
        /// Occupied slots.
        occupied: u32,
        /// Slots that agree with the record.
        matching: u32,
        /// Cards recorded in a slot that is empty.
        missing: Vec<CardSerial>,
        /// Occupied slots without a record.
        unexpected: Vec<SlotAddress>,
        /// Who.
        operator: OperatorId,
    }
    /// A slot differs from its record, or agrees with it again; said once, until it changes (C3).
    SlotFound {
        /// The machine.
        machine: MachineId,
        /// The slot.
        slot: SlotAddress,
        /// The card that is recorded in it, if one is.
        card: Option<CardSerial>,
        /// What was found.
        finding: SlotFinding,
        /// Slots of the machine that differ now.
        differing: u32,
    }
}
