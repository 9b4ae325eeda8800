//! What every device says of itself: birth, death, description, status, measurements, events.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{BootId, DeviceSerial, MessageId};
use crate::text::has_long_number;
use crate::words::{DeviceKind, DeviceStatus};

/// Whether the device is there: `$state`, retained, also the last will.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LifeState {
    /// Birth.
    Online,
    /// Goodbye.
    Offline,
    /// The last will, published by the broker.
    Lost,
}

/// `$state`: birth, goodbye or last will. QoS 1, retained. The last will is set at connect with
/// `state: lost` and the boot id of this life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Life {
    /// Here, gone, or lost.
    pub state: LifeState,
    /// The version of the contract the device speaks: 1.
    pub protocol: u16,
    /// Drawn at each start of the device.
    pub boot_id: BootId,
    /// The last receipt the device holds; a log that is shorter was rolled back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_receipt: Option<LastReceipt>,
}

/// The newest receipt a device holds: that of the highest incarnation, and of the highest index in it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct LastReceipt {
    /// The log it is of, as in the receipt.
    pub incarnation: u32,
    /// The index in it.
    pub index: u64,
}

/// `desc`: what the device is. Retained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// What it is.
    pub kind: DeviceKind,
    /// Who made it.
    pub vendor: String,
    /// Which model.
    pub model: String,
    /// Version of its program.
    pub firmware: String,
    /// Commands it knows: the levels after `cmd/`.
    pub commands: Vec<String>,
    /// Events it sends: the levels after `event/`.
    pub events: Vec<String>,
    /// Its serial number, where it knows it. Another one than before takes it out of service until an operator confirms the
    /// exchange.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<DeviceSerial>,
    /// Properties that count over its whole life, power cycles included: the levels after `prop/`, at most 16, each ending in
    /// `-total`. One that runs backwards takes it out of service.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub totals: Vec<String>,
}

/// Most totals that one device may name.
pub const TOTALS_MAX: usize = 16;

impl Description {
    /// Whether its texts are short and no citizen number or voucher hides in one: it is retained and shown to observers.
    pub fn is_plain(&self) -> bool {
        let texts = [&self.vendor, &self.model, &self.firmware];
        texts
            .into_iter()
            .chain(&self.commands)
            .chain(&self.events)
            .chain(&self.totals)
            .all(|text| is_plain(text))
            && self.totals.len() <= TOTALS_MAX
    }
}

/// Up to 64 characters, none of them control characters, and never 15 digits in a row.
fn is_plain(text: &str) -> bool {
    text.chars().count() <= 64 && !text.chars().any(char::is_control) && !has_long_number(text)
}

impl Measurement {
    /// Whether its unit is short and no number of a person: it is shown to observers.
    pub fn is_plain(&self) -> bool {
        self.unit.as_deref().is_none_or(is_plain)
    }
}

/// `state`: the device's status. Retained; logged only when it changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// The status.
    pub status: DeviceStatus,
    /// The device's own code for it. Never anything personal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Code>,
}

/// `prop/{name}`: a measurement. Retained, never logged. One whose name ends in `-total` counts up, and never back within a life
/// of its device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Measurement {
    /// The value.
    pub value: f64,
    /// Its unit (UCUM), none for a count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// `event/{type}`: something that happened at the device. QoS 1, logged.
///
/// Types with a rule: `media-taken` (the outlet is empty again), `finger-present` (a finger lies on
/// the scanner). Others are recorded as they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviceEvent {
    /// Id of this message.
    pub message_id: MessageId,
    /// The command during which it happened, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command_id: Option<super::command::CommandId>,
    /// The device's own code for it. Never anything personal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Code>,
}

crate::text::text_newtype!(
    /// A device's own code. It may be logged, so it is short, and no citizen number can hide in it.
    Code, "code", "^(?!.*[0-9]{15})[A-Za-z0-9-]{1,32}$",
    "1 to 32 letters, digits or hyphens, never 15 digits or more in a row",
    |t| (1..=32).contains(&t.len())
        && t.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !has_long_number(t)
);

#[cfg(test)]
mod tests {
    use super::*;

    /// G7: a code may be logged, so a citizen number or a voucher is none.
    #[test]
    fn no_number_of_a_person_is_a_code() {
        for good in [
            "E7",
            "12345678901234",
            "1234567-12345678-X",
            "2026-11-22T10-00-00",
        ] {
            assert!(Code::new(good).is_ok(), "{good}");
        }
        for bad in [
            "11010519491231002X",
            "110105491231002",
            "n-110105194912310021",
            "1101050012026110100001",
            "",
            "a b",
        ] {
            assert!(Code::new(bad).is_err(), "{bad}");
        }
    }
}
