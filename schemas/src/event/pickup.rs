//! Events of the pickup (自助领证), P1 to P8.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::station::bodies;
use crate::ids::{BlobHash, CardSerial, DeviceId, MachineId, RecorderReference, SessionId};
use crate::key::SealingKeyId;
use crate::sealed::SealedField;
use crate::slot::SlotAddress;
use crate::words::{Hand, HoldReason, LookupBy, PhotoView, PickupOutcome, Residence};

/// What the session does next. Each step that asks a device something names it here, so that the
/// log shows who was asked for what and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "step", deny_unknown_fields)]
pub enum Step {
    /// Read the chip in the machine (P3).
    ReadChip,
    /// Read the chip again after the card was taken back (P7).
    ReadAgain,
    /// Compare a finger (P4).
    CompareFinger {
        /// Which hand.
        hand: Hand,
        /// Which attempt, from 1.
        attempt: u16,
    },
    /// Take a photo (P5).
    TakePhoto {
        /// Which.
        view: PhotoView,
    },
    /// Read the old card at the intake (P6).
    ReadOldCard {
        /// Which attempt, from 1.
        attempt: u16,
    },
}

/// Why a card in the machine is not the card of the record (P3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mismatch {
    /// The chip's serial differs.
    Serial,
    /// The citizen number differs.
    Number,
    /// The chip could not be read.
    Unreadable,
}

/// The devices that serve a session, as configured when it began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MachineDevices {
    /// The dispenser.
    pub dispenser: DeviceId,
    /// The reader inside the machine.
    pub reader: DeviceId,
    /// The reader at the intake for old cards.
    pub intake_reader: DeviceId,
    /// The fingerprint scanner.
    pub scanner: DeviceId,
    /// The camera.
    pub camera: DeviceId,
}

impl MachineDevices {
    /// Those that an application may use too: all but the dispenser.
    pub const fn shared(&self) -> [&DeviceId; 4] {
        [
            &self.reader,
            &self.intake_reader,
            &self.scanner,
            &self.camera,
        ]
    }

    /// All of them.
    pub const fn all(&self) -> [&DeviceId; 5] {
        let [reader, intake_reader, scanner, camera] = self.shared();
        [&self.dispenser, reader, intake_reader, scanner, camera]
    }
}

/// The values of the policy that the session runs under. Later changes of policy do not touch it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PickupPolicy {
    /// How long a presented card stays at the outlet, in s (P7).
    pub hold_s: u16,
    /// Attempts per hand (P4).
    pub finger_attempts_max: u16,
    /// Score from which fingers match, 0 to 100 (P4).
    pub finger_score_min: u16,
    /// Attempts to hand in the old card (P6).
    pub old_card_attempts_max: u16,
    /// How long the citizen may take for a step, in s.
    pub step_timeout_s: u16,
    /// How long a device may take for a command, in s.
    pub command_timeout_s: u16,
}

/// A still of a session (A14).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Still {
    /// What it shows.
    pub view: PhotoView,
    /// SHA-256 of the sealed file.
    pub blob: BlobHash,
}

bodies! {
    /// No card is recorded for this number or voucher (P2).
    PickupNoRecord {
        /// At which kiosk.
        kiosk: DeviceId,
        /// How the citizen asked.
        by: LookupBy,
    }
    /// The card is announced, or at the station, but in no machine yet (P2).
    PickupNotArrived {
        /// At which kiosk.
        kiosk: DeviceId,
        /// The card.
        card: CardSerial,
    }
    /// The card is held back (P2).
    PickupHeld {
        /// At which kiosk.
        kiosk: DeviceId,
        /// The card.
        card: CardSerial,
        /// Why it is held.
        reason: HoldReason,
    }
    /// The card was collected before (P2).
    PickupAlreadyCollected {
        /// At which kiosk.
        kiosk: DeviceId,
        /// The card.
        card: CardSerial,
    }
    /// Registered elsewhere, without a ground that policy takes (P8).
    PickupNotEligible {
        /// At which kiosk.
        kiosk: DeviceId,
        /// The card.
        card: CardSerial,
        /// Where the owner is registered.
        residence: Residence,
    }
    /// A pickup began: the machine is leased to it (P1, P7).
    PickupStarted {
        /// The session.
        session: SessionId,
        /// At which kiosk.
        kiosk: DeviceId,
        /// At which machine.
        machine: MachineId,
        /// The devices that serve it.
        devices: MachineDevices,
        /// The card.
        card: CardSerial,
        /// The card's slot.
        slot: SlotAddress,
        /// How the citizen asked.
        by: LookupBy,
        /// Whether an old card has to be handed in (P6).
        old_card_due: bool,
        /// The policy it runs under.
        policy: PickupPolicy,
    }
    /// A device is asked for the next step.
    PickupStep {
        /// The session.
        session: SessionId,
        /// What is asked for.
        step: Step,
    }
    /// Chip and custody record agree (P3).
    CardVerified {
        /// The session.
        session: SessionId,
        /// The card.
        card: CardSerial,
        /// Hands the chip holds fingerprints of.
        hands: Vec<Hand>,
        /// Number and name as the chip holds them, sealed: JSON with `number` and, where the chip has one, `name`.
        holder: Option<SealedField>,
    }
    /// Chip and custody record differ (P3). Raises an alert.
    CardMismatched {
        /// The session.
        session: SessionId,
        /// The card of the record.
        card: CardSerial,
        /// What differs.
        mismatch: Mismatch,
    }
    /// A finger lies on the scanner: the photo of this hand is taken now (P4).
    FingerPresent {
        /// The session.
        session: SessionId,
        /// Which hand was asked for.
        hand: Hand,
    }
    /// A finger was compared with the chip's template (P4).
    FingerCompared {
        /// The session.
        session: SessionId,
        /// Which hand.
        hand: Hand,
        /// Which attempt, from 1.
        attempt: u16,
        /// Similarity, 0 to 100; none where no finger could be captured.
        score: Option<u16>,
        /// The score needed.
        score_min: u16,
        /// Whether it matches.
        matched: bool,
    }
    /// A photo is sealed on disk (P4, P5).
    PhotoArchived {
        /// The session.
        session: SessionId,
        /// What it shows.
        view: PhotoView,
        /// SHA-256 of the sealed file.
        blob: BlobHash,
        /// The key it is sealed under.
        key: SealingKeyId,
        /// Length of the photo before sealing, in bytes.
        len: u32,
    }
    /// A card was held to the intake (P6).
    OldCardChecked {
        /// The session.
        session: SessionId,
        /// Which attempt, from 1.
        attempt: u16,
        /// Whether it is the claimant's old card.
        accepted: bool,
        /// The serial of the card, where it could be read.
        old_card: Option<CardSerial>,
    }
    /// The old card is in the machine (P6).
    OldCardRecycled {
        /// The session.
        session: SessionId,
        /// The old card.
        old_card: CardSerial,
    }
    /// The card lies in the outlet (P7).
    CardPresented {
        /// The session.
        session: SessionId,
        /// The card.
        card: CardSerial,
    }
    /// The card was taken: the custody record closes (P7).
    CardTaken {
        /// The session.
        session: SessionId,
        /// The card.
        card: CardSerial,
    }
    /// The card was taken back from the outlet into the machine (P7).
    CardRetracted {
        /// The session.
        session: SessionId,
        /// The card.
        card: CardSerial,
    }
    /// The session will end in this way as soon as the card is accounted for.
    PickupEnding {
        /// The session.
        session: SessionId,
        /// How.
        outcome: PickupOutcome,
    }
    /// The session ended; the machine is free for the next.
    PickupEnded {
        /// The session.
        session: SessionId,
        /// At which kiosk.
        kiosk: DeviceId,
        /// How.
        outcome: PickupOutcome,
    }
    /// Where the footage of a pickup is found: the camera, the time, and the stills that show what to look for (A14). It
    /// stands before the end of the session, in one batch with it.
    PickupRecorded {
        /// The session.
        session: SessionId,
        /// The camera.
        camera: DeviceId,
        /// What the recorder calls the camera's footage, as configured when the session ended; none: it is not configured.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        recorder: Option<RecorderReference>,
        /// When the session began, by the station's wall clock, in ms since 1970-01-01 UTC.
        from_ms: u64,
        /// When it ended, by the same clock.
        until_ms: u64,
        /// All photos of the session, also of attempts that failed, in the order of their archiving.
        stills: Vec<Still>,
    }
}
