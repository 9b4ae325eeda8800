//! Addresses of registers, and the groups that are read or written in one request.

use core::ops::RangeInclusive;

use super::READ_WORDS_MAX;
use crate::reader::Section;

const ADDRESSES: RangeInclusive<i64> = 0..=65_535;

/// Registers side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// The lowest address.
    pub first: u16,
    /// How many registers.
    pub len: u16,
}

impl Group {
    /// The group around `addresses`, which are not empty.
    fn around(addresses: &[u16]) -> Self {
        let first = addresses.iter().copied().min().unwrap_or(0);
        let last = addresses.iter().copied().max().unwrap_or(0);
        Self {
            first,
            len: (last - first).saturating_add(1),
        }
    }

    /// Where `address` lies in the group; none where it does not.
    pub fn offset(self, address: u16) -> Option<usize> {
        let at = address.checked_sub(self.first)?;
        (at < self.len).then_some(usize::from(at))
    }
}

/// A section of numbers: each field is a required key.
macro_rules! numbers {
    ($(#[$doc:meta])* $name:ident, $range:expr, { $($(#[$field_doc:meta])* $field:ident,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name { $($(#[$field_doc])* pub $field: u16,)* }

        impl $name {
            pub(super) fn read(s: &mut Section<'_>) -> Option<Self> {
                $(let $field = s.required_number(stringify!($field), $range);)*
                let read = Self { $($field: $field?,)* };
                read.check(s);
                Some(read)
            }

            /// Keys and values, in the order of the file that is shipped.
            fn fields(&self) -> Vec<(&'static str, u16)> {
                vec![$((stringify!($field), self.$field),)*]
            }
        }
    };
}

numbers! {
    /// Input registers (FC04), zero-based. All but `bitmap` are the status block.
    Inputs, ADDRESSES, {
        /// Map version.
        map_version,
        /// Device kind.
        kind,
        /// Firmware, `major << 8 | minor`.
        firmware,
        /// Heartbeat of the device.
        heartbeat,
        /// State.
        state,
        /// Last error, 0 for none.
        last_error,
        /// Acknowledged sequence.
        ack_sequence,
        /// Acknowledged command.
        ack_command,
        /// Acknowledgement result.
        ack_result,
        /// Acknowledgement detail.
        ack_detail,
        /// Columns.
        columns,
        /// Slots per column.
        slots_per_column,
        /// Free slots.
        free,
        /// Occupied slots.
        occupied,
        /// Hopper level.
        hopper,
        /// Cards in the reject bin.
        reject_count,
        /// Capacity of the reject bin.
        reject_capacity,
        /// Old cards taken in.
        recycle_count,
        /// Position of the card in the transport.
        position,
        /// Cards dispensed, two words.
        dispensed_total,
        /// Cards retracted, two words.
        retracted_total,
        /// Column that the acknowledged command named.
        ack_column,
        /// Slot that the acknowledged command named.
        ack_slot,
        /// Whether that slot is occupied: 0 or 1.
        ack_slot_occupied,
        /// The sensors, a bit each.
        sensors,
        /// First word of the slot bitmap.
        bitmap,
    }
}

numbers! {
    /// Holding registers (FC03, FC06, FC10).
    Holdings, ADDRESSES, {
        /// Command sequence.
        sequence,
        /// Command.
        command,
        /// Column; 0 where the command names none.
        column,
        /// Slot; 0 where the command names none.
        slot,
        /// How long a card may stay at the outlet, in s.
        hold_s,
        /// Flags, 0.
        flags,
        /// Host heartbeat.
        heartbeat,
        /// Host timeout, in s; 0 = not supervised.
        timeout_s,
    }
}

numbers! {
    /// Bits of the input `sensors`, lowest first.
    SensorBits, 0..=15, {
        /// A card is at the outlet.
        outlet_present,
        /// The door is open.
        door_open,
        /// Somebody tampers with the machine.
        tamper,
        /// The hopper is empty.
        hopper_empty,
        /// The reject bin is full.
        reject_full,
        /// The recycle bin is full.
        recycle_full,
        /// A card is jammed.
        jam,
    }
}

impl Inputs {
    pub(super) fn status(&self) -> Group {
        let words = self.words();
        let status: Vec<u16> = words.iter().map(|(_, address)| *address).collect();
        Group::around(&status)
    }

    /// Every word of the status block with the key it belongs to; two for a two-word value.
    fn words(&self) -> Vec<(&'static str, u16)> {
        let mut words = Vec::new();
        for (key, address) in self.fields() {
            if key != "bitmap" {
                words.push((key, address));
            }
            if key == "dispensed_total" || key == "retracted_total" {
                words.push((key, address.saturating_add(1)));
            }
        }
        words
    }

    fn check(&self, s: &Section<'_>) {
        for (key, address) in [
            ("dispensed_total", self.dispensed_total),
            ("retracted_total", self.retracted_total),
        ] {
            if address == u16::MAX {
                s.refuse(
                    key,
                    "has no room for its second word; write a lower address",
                );
            }
        }
        refuse_twice(s, &self.words());
        let status = self.status();
        if status.len > READ_WORDS_MAX {
            let words = self.words();
            let farthest = words.iter().max_by_key(|(_, address)| address);
            s.refuse(farthest.map_or("", |(key, _)| key), format!(
                "the status block is {} words, from {} to {}, and one request reads {READ_WORDS_MAX}; write addresses that lie closer together",
                status.len, status.first, status.first + (status.len - 1)
            ));
        }
        let last = u32::from(status.first) + u32::from(status.len) - 1;
        if u32::from(self.bitmap) <= last && self.bitmap >= status.first {
            s.refuse(
                "bitmap",
                format!(
                    "begins within the status block, {} to {last}; write an address outside it",
                    status.first
                ),
            );
        }
    }
}

impl Holdings {
    pub(super) fn command_block(&self) -> Group {
        Group::around(&[
            self.sequence,
            self.command,
            self.column,
            self.slot,
            self.hold_s,
            self.flags,
        ])
    }

    pub(super) fn host_block(&self) -> Group {
        Group::around(&[self.heartbeat, self.timeout_s])
    }

    fn check(&self, s: &Section<'_>) {
        refuse_twice(s, &self.fields());
        for (key, what, group, len) in [
            ("sequence", "the command block", self.command_block(), 6),
            ("heartbeat", "heartbeat and timeout_s", self.host_block(), 2),
        ] {
            if group.len != len {
                s.refuse(key, format!(
                    "{what} is written by one request, and its {len} registers do not lie side by side; write addresses that follow one another"
                ));
            }
        }
    }
}

impl SensorBits {
    /// How many bits there are, from the lowest on.
    pub fn len(&self) -> u16 {
        let bits = self.fields();
        bits.iter().map(|(_, bit)| bit + 1).max().unwrap_or(0)
    }

    /// Never: there are seven sensors.
    pub const fn is_empty(&self) -> bool {
        false
    }

    fn check(&self, s: &Section<'_>) {
        refuse_twice(s, &self.fields());
    }
}

fn refuse_twice(s: &Section<'_>, fields: &[(&'static str, u16)]) {
    for (at, (key, number)) in fields.iter().enumerate() {
        let same = |(_, other): &&(&str, u16)| other == number;
        if let Some((other, _)) = fields.iter().take(at).find(same) {
            s.refuse(
                key,
                format!("{number} belongs to {other} already; write another number"),
            );
        }
    }
}
