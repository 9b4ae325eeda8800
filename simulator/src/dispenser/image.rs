//! The registers as they read at an instant, written from the map's document rather than through the
//! adapter's codec, so that each is the other's check.

use adapters::dispenser::map::{self, discrete, holding, input};
use schemas::slot::SlotAddress;
use schemas::words::CarriagePosition;

use super::machine::Machine;

/// Cards in the hopper from which on its level is 2.
const HOPPER_ENOUGH: usize = 5;

impl Machine {
    /// The discrete inputs.
    pub(super) fn discretes(&self) -> Vec<bool> {
        let mut bits = vec![false; usize::from(discrete::BITS)];
        for (at, bit) in [
            (discrete::OUTLET_PRESENT, self.outlet_present()),
            (discrete::DOOR_OPEN, self.door_open),
            (discrete::TAMPER, self.tamper),
            (discrete::HOPPER_EMPTY, self.memory.hopper.is_empty()),
            (
                discrete::REJECT_FULL,
                self.memory.reject.len() >= usize::from(self.shape.reject_capacity),
            ),
            (
                discrete::RECYCLE_FULL,
                self.memory.recycle.len() >= usize::from(self.shape.recycle_capacity),
            ),
            (discrete::JAM, self.jam),
        ] {
            if let Some(place) = bits.get_mut(usize::from(at)) {
                *place = bit;
            }
        }
        bits
    }

    /// The coils: light, door lock, maintenance.
    pub(super) fn coils(&self) -> Vec<bool> {
        vec![self.light, self.door_locked, self.maintenance]
    }

    /// The host writes a coil. `false`: there is no such coil.
    pub(super) const fn write_coil(&mut self, at: u16, on: bool) -> bool {
        match at {
            0 => self.light = on,
            1 => self.door_locked = on,
            2 => self.maintenance = on,
            _ => return false,
        }
        true
    }

    /// The holding registers.
    pub(super) fn holdings(&self) -> Vec<u16> {
        let mut words = self.memory.block.to_vec();
        words.extend([self.host.heartbeat, self.host.timeout_s]);
        debug_assert_eq!(words.len(), usize::from(holding::WORDS));
        words
    }

    /// The input registers from 0 to the end of the slot bitmap.
    pub(super) fn inputs(&self) -> Vec<u16> {
        let slots = usize::from(self.shape.columns) * usize::from(self.shape.slots_per_column);
        let mut words = vec![0u16; usize::from(input::BITMAP) + slots.div_ceil(16)];
        for (at, word) in self.status_words() {
            set(&mut words, at, word);
        }
        self.write_bitmap(&mut words);
        words
    }

    fn status_words(&self) -> Vec<(u16, u16)> {
        let memory = &self.memory;
        let slots = u32::from(self.shape.columns) * u32::from(self.shape.slots_per_column);
        let occupied = count(memory.slots().len());
        let (column, slot, slot_occupied) = match memory.named_slot {
            Some(slot) => (
                slot.column(),
                slot.slot(),
                u16::from(memory.slot(slot).is_some()),
            ),
            None => (map::NO_SLOT, map::NO_SLOT, map::NO_SLOT),
        };
        let sensors = self
            .discretes()
            .iter()
            .rev()
            .fold(0u16, |bits, bit| bits << 1 | u16::from(*bit));
        let [dispensed_high, dispensed_low] = halves(memory.dispensed_total);
        let [retracted_high, retracted_low] = halves(memory.retracted_total);
        vec![
            (input::MAP_VERSION, map::VERSION),
            (input::KIND, map::KIND_DISPENSER),
            (input::FIRMWARE, 0x0100),
            (
                input::HEARTBEAT,
                u16::try_from(self.lived_ms / 500 % 0x1_0000).unwrap_or(0),
            ),
            (input::STATE, self.state_code()),
            (input::LAST_ERROR, memory.last_error),
            (input::ACK_SEQUENCE, memory.sequence),
            (input::ACK_COMMAND, memory.command),
            (input::ACK_RESULT, memory.result),
            (input::ACK_DETAIL, memory.detail),
            (input::COLUMNS, self.shape.columns),
            (input::SLOTS_PER_COLUMN, self.shape.slots_per_column),
            (
                input::FREE,
                u16::try_from(slots)
                    .unwrap_or(u16::MAX)
                    .saturating_sub(occupied),
            ),
            (input::OCCUPIED, occupied),
            (input::HOPPER, hopper_level(memory.hopper.len())),
            (input::REJECT_COUNT, count(memory.reject.len())),
            (input::REJECT_CAPACITY, self.shape.reject_capacity),
            (input::RECYCLE_COUNT, count(memory.recycle.len())),
            (input::POSITION, self.position_code()),
            (input::DISPENSED_TOTAL, dispensed_high),
            (input::DISPENSED_TOTAL + 1, dispensed_low),
            (input::RETRACTED_TOTAL, retracted_high),
            (input::RETRACTED_TOTAL + 1, retracted_low),
            (input::ACK_COLUMN, column),
            (input::ACK_SLOT, slot),
            (input::ACK_SLOT_OCCUPIED, slot_occupied),
            (input::SENSORS, sensors),
        ]
    }

    fn write_bitmap(&self, words: &mut [u16]) {
        for column in 0..self.shape.columns {
            for slot in 0..self.shape.slots_per_column {
                let Ok(address) = SlotAddress::new(column, slot) else {
                    continue;
                };
                if self.memory.slot(address).is_none() {
                    continue;
                }
                let bit =
                    u32::from(column) * u32::from(self.shape.slots_per_column) + u32::from(slot);
                let at = usize::from(input::BITMAP) + usize::try_from(bit / 16).unwrap_or(0);
                if let Some(word) = words.get_mut(at) {
                    *word |= 1 << (bit % 16);
                }
            }
        }
    }

    const fn state_code(&self) -> u16 {
        if self.door_open {
            6
        } else if self.maintenance {
            5
        } else if self.error {
            4
        } else if self.moving.is_some() {
            3
        } else {
            2
        }
    }

    fn position_code(&self) -> u16 {
        self.memory
            .carried
            .as_ref()
            .map_or(0, |carried| match carried.position {
                CarriagePosition::None => 0,
                CarriagePosition::InReader => 1,
                CarriagePosition::Car => 2,
                CarriagePosition::OutReader => 3,
                CarriagePosition::Outlet => 4,
            })
    }

    fn outlet_present(&self) -> bool {
        self.memory
            .carried
            .as_ref()
            .is_some_and(|carried| carried.position == CarriagePosition::Outlet)
    }
}

fn set(words: &mut [u16], at: u16, word: u16) {
    if let Some(place) = words.get_mut(usize::from(at)) {
        *place = word;
    }
}

fn count(len: usize) -> u16 {
    u16::try_from(len).unwrap_or(u16::MAX)
}

const fn hopper_level(cards: usize) -> u16 {
    match cards {
        0 => 0,
        1..HOPPER_ENOUGH => 1,
        _ => 2,
    }
}

fn halves(value: u32) -> [u16; 2] {
    let [a, b, c, d] = value.to_be_bytes();
    [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])]
}
