//! Commands to devices and their replies. A command's id is the log's incarnation, the index of the event that caused it
//! and an ordinal: a device that sees an id twice acts once and replies again.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::device::Code;
use super::face::Picture;
use super::secret::Template;
use crate::cardholder::{CardAddress, CardIssuer, EthnicGroup};
use crate::citizen::{CitizenName, CitizenNumber};
use crate::ids::{BlobId, CardSerial, MessageId};
use crate::slot::SlotAddress;
use crate::validity::Expiry;
use crate::words::application::FingerPosition;
use crate::words::{Completion, Evidence, Hand, Motion, MotionResult, PhotoView};

crate::text::text_newtype!(
    /// `<incarnation of the log>-<index of the causing event>-<ordinal>`.
    CommandId, "command id", "^[0-9]{1,10}-[0-9]{1,20}-[0-9]{1,3}$",
    "incarnation of the log, index of the causing event and ordinal, with hyphens between",
    |t| {
        let mut parts = t.split('-');
        let mut is_number = |max: u64| parts.next().is_some_and(|part| {
            part.bytes().all(|b| b.is_ascii_digit()) && part.parse::<u64>().is_ok_and(|n| n <= max)
        });
        is_number(u32::MAX.into()) && is_number(u64::MAX) && is_number(u8::MAX.into()) && parts.next().is_none()
    }
);

impl CommandId {
    /// The command that the event at `index` of this incarnation of the log causes, the `ordinal`-th of them.
    pub fn of(incarnation: u32, index: u64, ordinal: u8) -> Self {
        Self(format!("{incarnation}-{index}-{ordinal}"))
    }
}

/// `cmd/move` to a dispenser. The same `sequence` never moves twice, whatever the command id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveCommand {
    /// Id of this command.
    pub command_id: CommandId,
    /// The device's command sequence, 1 to 65535.
    pub sequence: u16,
    /// What to do.
    pub motion: Motion,
    /// How long the gateway waits for the reply, in s.
    pub timeout_s: u16,
}

/// `cmd/move/reply`, when the motion is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveReply {
    /// Id of this message.
    pub message_id: MessageId,
    /// The command it answers.
    pub command_id: CommandId,
    /// The sequence it answers.
    pub sequence: u16,
    /// What came of it.
    pub outcome: MotionResult,
    /// What the sensors say now.
    pub evidence: Evidence,
    /// The slots, after an inventory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slots: Option<SlotMap>,
    /// The detail of the outcome with its name in the device's profile, `E509-slotEmpty`; `1234-unknown` where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Code>,
}

/// `cmd/query` to a dispenser: say what you did last; move nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QueryCommand {
    /// Id of this command.
    pub command_id: CommandId,
    /// How long the gateway waits for the reply, in s.
    pub timeout_s: u16,
    /// Whether the reply shall say which slots are occupied, as far as that is known without a motion.
    #[serde(default, skip_serializing_if = "is_false")]
    pub slots: bool,
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "the form that serde calls it in"
)]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// The last command a dispenser took, as it stands now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "progress", deny_unknown_fields)]
pub enum Progress {
    /// It has taken no command since it was made.
    None,
    /// It is still moving.
    Moving {
        /// The sequence.
        sequence: u16,
    },
    /// It is over.
    Over {
        /// The sequence.
        sequence: u16,
        /// What came of it.
        outcome: MotionResult,
    },
}

/// `cmd/query/reply`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QueryReply {
    /// Id of this message.
    pub message_id: MessageId,
    /// The command it answers.
    pub command_id: CommandId,
    /// The last command the device took.
    pub last: Progress,
    /// What the sensors say now.
    pub evidence: Evidence,
    /// The slots, where they were asked for and nothing moves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slots: Option<SlotMap>,
}

/// Which slots are occupied: a bit per slot, column by column, lowest bit first, base64 on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlotMap {
    /// Columns of the machine.
    pub columns: u16,
    /// Slots per column.
    pub slots_per_column: u16,
    /// `ceil(columns * slots_per_column / 8)` bytes, base64.
    bits: String,
}

impl SlotMap {
    /// The map in which the slots of `occupied` are taken.
    pub fn new(
        columns: u16,
        slots_per_column: u16,
        occupied: impl Iterator<Item = SlotAddress>,
    ) -> Self {
        let len = (usize::from(columns) * usize::from(slots_per_column)).div_ceil(8);
        let mut bytes = vec![0u8; len];
        for slot in occupied {
            let at = usize::from(slot.column()) * usize::from(slots_per_column)
                + usize::from(slot.slot());
            if let Some(byte) = bytes.get_mut(at / 8) {
                *byte |= 1 << (at % 8);
            }
        }
        Self {
            columns,
            slots_per_column,
            bits: STANDARD.encode(bytes),
        }
    }

    /// The occupied slots in order. `None`: the bits do not fit the size, or the size is none a
    /// dispenser has.
    pub fn occupied(&self) -> Option<Vec<SlotAddress>> {
        let bytes = STANDARD.decode(&self.bits).ok()?;
        let per_column = usize::from(self.slots_per_column);
        let count = usize::from(self.columns) * per_column;
        if bytes.len() != count.div_ceil(8) {
            return None;
        }
        (0..count)
            .filter(|at| {
                bytes
                    .get(at / 8)
                    .is_some_and(|byte| byte >> (at % 8) & 1 == 1)
            })
            .map(|at| {
                let column = u16::try_from(at / per_column).ok()?;
                SlotAddress::new(column, u16::try_from(at % per_column).ok()?).ok()
            })
            .collect()
    }
}

/// `cmd/read` to a reader: read the card that lies on it, or wait for one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadCommand {
    /// Id of this command.
    pub command_id: CommandId,
    /// How long to wait for a card, in s.
    pub timeout_s: u16,
}

/// `cmd/read/reply`. Carries personal data: not retained, QoS 1. Other than `card` on `success`
/// nothing is read from it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadReply {
    /// Id of this message.
    pub message_id: MessageId,
    /// The command it answers.
    pub command_id: CommandId,
    /// How it ended.
    pub completion: Completion,
    /// What the chip holds, on `success`.
    #[serde(default)]
    pub card: Option<ChipContent>,
}

/// What a reader reads from a chip.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChipContent {
    /// The chip's serial.
    pub serial: CardSerial,
    /// The citizen number.
    pub number: CitizenNumber,
    /// The name, where the reader reads it.
    #[serde(default)]
    pub name: Option<CitizenName>,
    /// The fingerprints, none on cards issued before they were taken.
    #[serde(default)]
    pub fingers: Vec<FingerTemplate>,
    /// The last day, where the reader reads it (A3).
    #[serde(default)]
    pub expiry: Option<Expiry>,
    /// The picture, where the reader reads it: the historical portrait (A7).
    #[serde(default)]
    pub picture: Option<Picture>,
    /// The ethnic group, where the reader reads it.
    #[serde(default)]
    pub ethnic_group: Option<EthnicGroup>,
    /// The registered address, where the reader reads it.
    #[serde(default)]
    pub address: Option<CardAddress>,
    /// Who issued the card, where the reader reads it.
    #[serde(default)]
    pub issuer: Option<CardIssuer>,
}

/// A registered finger (GA/T 1012).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FingerTemplate {
    /// Which hand.
    pub hand: Hand,
    /// Which finger of it, where the template says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<FingerPosition>,
    /// The template.
    pub template: Template,
}

/// `cmd/match` to a scanner: capture a finger and compare it with the templates, in turn. Carries
/// personal data: not retained, never written to disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MatchCommand {
    /// Id of this command.
    pub command_id: CommandId,
    /// Which hand the citizen was asked for.
    pub hand: Hand,
    /// The templates of that hand.
    pub templates: Vec<Template>,
    /// How long to wait for a finger, in s.
    pub timeout_s: u16,
}

/// `cmd/match/reply`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MatchReply {
    /// Id of this message.
    pub message_id: MessageId,
    /// The command it answers.
    pub command_id: CommandId,
    /// How it ended.
    pub completion: Completion,
    /// Similarity, 0 to 100, on `success`: the best of the templates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<u16>,
}

/// `cmd/match-on-sensor` to a scanner with a library of its own: capture a finger and compare it with what was enrolled on
/// the sensor. Nothing of a card is compared here: a card's template is of another format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MatchOnSensorCommand {
    /// Id of this command.
    pub command_id: CommandId,
    /// First page of the library to compare with.
    pub first_page: u16,
    /// How many pages; 1 compares one to one.
    #[schemars(range(min = 1))]
    pub pages: core::num::NonZeroU16,
    /// How long to wait for a finger, in s.
    pub timeout_s: u16,
}

/// `cmd/match-on-sensor/reply`. On `success` without a page no enrolled finger fits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MatchOnSensorReply {
    /// Id of this message.
    pub message_id: MessageId,
    /// The command it answers.
    pub command_id: CommandId,
    /// How it ended.
    pub completion: Completion,
    /// What fits best.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<EnrolledFinger>,
}

/// A finger of a sensor's library that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnrolledFinger {
    /// Its page.
    pub page: u16,
    /// How well it fits, on the sensor's own scale.
    pub score: u16,
}

/// `cmd/capture` to a camera: take a photo, publish it on `blob/{id}/{command_id}`, then reply with the id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaptureCommand {
    /// Id of this command.
    pub command_id: CommandId,
    /// What the photo shall show.
    pub view: PhotoView,
    /// How long the gateway waits for the reply, in s.
    pub timeout_s: u16,
}

/// `cmd/capture/reply`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaptureReply {
    /// Id of this message.
    pub message_id: MessageId,
    /// The command it answers.
    pub command_id: CommandId,
    /// How it ended.
    pub completion: Completion,
    /// The blob, on `success`; published and acknowledged before this reply is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blob: Option<BlobId>,
}
