//! What a kiosk asks for, and what it is told. Every request carries its id and its deadline.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::application::ApplicationPrompt;
use super::device::LastReceipt;
use super::secret::Pin;
use crate::citizen::{CitizenNumber, MaskedName, NumberTail, VoucherCode};
use crate::ids::{BatchId, CardSerial, DeviceId, MachineId, MessageId, OperatorId, SessionId};
use crate::slot::SlotAddress;
use crate::words::{
    MachineReason, PickupOutcome, PromptCode, RefusalReason, Service, ServiceReason,
};

/// How the citizen names the card (P1): one of the two.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Claim {
    /// The barcode of the collection voucher.
    Voucher(VoucherCode),
    /// The citizen number, keyed in.
    CitizenNumber(CitizenNumber),
}

/// An operator's name and PIN. The PIN is compared and forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Operator {
    /// Who.
    pub id: OperatorId,
    /// The PIN.
    pub pin: Pin,
}

/// Declares requests: the two fields that all have, then their own.
macro_rules! requests {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $ty:ty),* $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            /// Id of this message; a repetition with the same id is the same request.
            pub message_id: MessageId,
            /// When the request is no longer wanted: wall clock, ms since 1970-01-01 UTC.
            pub deadline_ms: u64,
            $($(#[$field_doc])* pub $field: $ty),*
        }
    )+};
}

requests! {
    /// `request/start-pickup` (P1).
    StartPickup {
        /// How the citizen names the card.
        claim: Claim,
    }
    /// `request/cancel`: the citizen does not want to go on.
    Cancel {
        /// The session.
        session: SessionId,
    }
    /// `request/get-session`: show me the present prompt again. Answered at once, not logged.
    GetSession {}
    /// `request/get-papers`: send me the papers of the session that just ended again, while they are held. Answered at once, not logged. A
    /// kiosk that has not got all the papers which its prompt says are issued asks for them: `papers-gone` is logged, and the prompt then
    /// has a ticket, with which the citizen gets them at the window.
    GetPapers {
        /// The session.
        session: SessionId,
    }
    /// `request/receive-batch`: take the manifest of a batch from the inbox (C1).
    ReceiveBatch {
        /// Who asks.
        operator: Operator,
        /// The batch: the manifest is the file `<batch>.json` of the inbox.
        batch: BatchId,
    }
    /// `request/scan-card`: a card of a batch is in the operator's hand (C1).
    ScanCard {
        /// Who asks.
        operator: Operator,
        /// The batch.
        batch: BatchId,
        /// The card.
        card: CardSerial,
    }
    /// `request/close-batch`: nothing more arrives; name what is missing (C1).
    CloseBatch {
        /// Who asks.
        operator: Operator,
        /// The batch.
        batch: BatchId,
    }
    /// `request/load-card`: the card lies in the hopper, put it into the slot (C2).
    LoadCard {
        /// Who asks.
        operator: Operator,
        /// The card.
        card: CardSerial,
        /// The machine.
        machine: MachineId,
        /// The slot.
        slot: SlotAddress,
    }
    /// `request/unload-card`: give the card out to the operator (C2).
    UnloadCard {
        /// Who asks.
        operator: Operator,
        /// The card.
        card: CardSerial,
    }
    /// `request/stock-take`: compare slots with records (C2).
    StockTake {
        /// Who asks.
        operator: Operator,
        /// The machine.
        machine: MachineId,
    }
    /// `request/place-card`: an operator has a card in their hands that no other act can place: out of
    /// quarantine, out of the retract bin, or arrived after its batch was closed (C3).
    PlaceCard {
        /// Who asks.
        operator: Operator,
        /// The card.
        card: CardSerial,
        /// Where they put it.
        to: PlacedAt,
        /// Whether it may be collected again.
        release_hold: bool,
    }
    /// `request/set-maintenance`: a machine or a device is taken out of service, or back into it. A session under way goes on to its
    /// end; operators' acts stay possible.
    SetMaintenance {
        /// Who asks.
        operator: Operator,
        /// The machine or device.
        target: MaintenanceTarget,
        /// Out of service.
        on: bool,
    }
    /// `request/resolve-machine`: the operator has opened the machine and says where the card is.
    ResolveMachine {
        /// Who asks.
        operator: Operator,
        /// The machine.
        machine: MachineId,
        /// Where the card in question is now.
        card_now: ResolvedPlace,
    }
}

/// What an operator takes out of service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum MaintenanceTarget {
    /// A machine with all its devices.
    Machine(MachineId),
    /// One device.
    Device(DeviceId),
}

impl MaintenanceTarget {
    /// The machine's or the device's id.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Machine(id) => id.as_str(),
            Self::Device(id) => id.as_str(),
        }
    }
}

/// Where an operator may put a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum PlacedAt {
    /// Into the station's safe.
    Safe,
    /// Set aside.
    Quarantine,
}

/// Where an operator may have put a card found in the transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ResolvedPlace {
    /// Back in its own slot.
    Slot,
    /// In the station's safe.
    Safe,
    /// Set aside.
    Quarantine,
    /// Its owner has it: only where it had been on its way to the outlet for them.
    HandedOver,
    /// There was no card in question.
    NoCard,
}

/// Chinese first, English second.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// 中文
    pub zh: String,
    /// English
    pub en: String,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "outcome")]
pub enum ReceiptOutcome {
    /// Done, or begun.
    Accepted,
    /// Refused by the rules; this is a recorded fact.
    Refused {
        /// Why.
        reason: RefusalReason,
        /// In words for the screen.
        text: Text,
    },
}

/// `receipt/{message id}`: what became of a message. One that was followed, or refused by a rule, is in the log, durable; a repetition gets
/// the same receipt. Of a message whose id could not be read the topic ends with `unreadable`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Receipt {
    /// The message it is about, or the blob; none: its id could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<MessageId>,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: ReceiptOutcome,
    /// The number of the log (its incarnation) that records it; none where nothing was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incarnation: Option<u32>,
    /// Index of the event that records it; none where nothing was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u64>,
    /// The session it opened or belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
}

impl Receipt {
    /// What a device that keeps its newest receipt names at its next birth.
    pub fn place(&self) -> Option<LastReceipt> {
        self.incarnation
            .zip(self.index)
            .map(|(incarnation, index)| LastReceipt { incarnation, index })
    }
}

/// `session`: what the kiosk shall show. Not retained; names are masked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Prompt {
    /// The session, none when idle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// What to show.
    pub code: PromptCode,
    /// In words for the screen.
    pub text: Text,
    /// The claimant's name, masked (A4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<MaskedName>,
    /// Last four characters of the claimant's number (A4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number_tail: Option<NumberTail>,
    /// Which attempt, from 1, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u16>,
    /// Seconds left for this step when the prompt was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds_left: Option<u32>,
    /// How the session ended, with `done` and `ended`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<PickupOutcome>,
    /// Why the station is out of service.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<ServiceReason>,
    /// Why the machine or the kiosk hands out no cards, where the station is in service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine_reason: Option<MachineReason>,
    /// What a citizen can begin here, while nobody is served: neither what the kiosk is not there for, nor what is suspended until
    /// somebody has seen to it. A device that is away or in use is told of when it is needed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<Service>,
    /// What there is to say of an application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<Box<ApplicationPrompt>>,
}

/// `slip`: what a kiosk prints for the citizen, if they want it. Comes once the event is under a signed checkpoint, and again with
/// the prompt. Not retained; nothing in it is personal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Slip {
    /// The session.
    pub session: SessionId,
    /// In words for the paper.
    pub text: Text,
    /// The log that records it.
    pub origin: String,
    /// The event that records it.
    pub index: u64,
    /// Events under a signed checkpoint that covers it.
    pub size: u64,
    /// The event's leaf hash, 64 lower-case hexadecimal digits.
    pub leaf: String,
    /// What the QR code says: `STN1`, origin, index, size and leaf hash (base64url), as `gateway prove` takes it.
    pub qr: String,
    /// The QR code (ISO/IEC 18004) as an SVG image.
    pub qr_svg: String,
}
