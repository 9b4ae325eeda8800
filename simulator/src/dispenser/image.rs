//! The registers as they read at an instant, laid out by the profile rather than through the adapter's codec,
//! so that each is the other's check.

use edge_config::profile::MachineState;
use schemas::slot::SlotAddress;
use schemas::words::CarriagePosition;

use super::machine::Machine;

/// Cards in the hopper from which on its level is 2.
const HOPPER_ENOUGH: usize = 5;

impl Machine {
    /// The discrete inputs.
    pub(super) fn discretes(&self) -> Vec<bool> {
        let sensors = &self.profile.sensors;
        let mut bits = vec![false; usize::from(sensors.len())];
        for (at, bit) in [
            (sensors.outlet_present, self.outlet_present()),
            (sensors.door_open, self.door_open),
            (sensors.tamper, self.tamper),
            (sensors.hopper_empty, self.memory.hopper.is_empty()),
            (
                sensors.reject_full,
                self.memory.reject.len() >= usize::from(self.shape.reject_capacity),
            ),
            (
                sensors.recycle_full,
                self.memory.recycle.len() >= usize::from(self.shape.recycle_capacity),
            ),
            (sensors.jam, self.jam),
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

    /// The holding registers, from 0 to the last.
    pub(super) fn holdings(&self) -> Vec<u16> {
        let holdings = &self.profile.holdings;
        let (command, host) = (self.profile.command_block(), self.profile.host_block());
        let end = (command.first + command.len).max(host.first + host.len);
        let mut words = vec![0; usize::from(end)];
        for (address, word) in (command.first..).zip(self.memory.block) {
            set(&mut words, address, word);
        }
        set(&mut words, holdings.heartbeat, self.host.heartbeat);
        set(&mut words, holdings.timeout_s, self.host.timeout_s);
        words
    }

    /// The input registers from 0 to the last, of the status block or of the slot bitmap.
    pub(super) fn inputs(&self) -> Vec<u16> {
        let slots = usize::from(self.shape.columns) * usize::from(self.shape.slots_per_column);
        let status = self.profile.status();
        let bitmap_end = usize::from(self.profile.inputs.bitmap) + slots.div_ceil(16);
        let end = bitmap_end.max(usize::from(status.first) + usize::from(status.len));
        let mut words = vec![0u16; end];
        for (at, word) in self.status_words() {
            set(&mut words, at, word);
        }
        self.write_bitmap(&mut words);
        words
    }

    fn status_words(&self) -> Vec<(u16, u16)> {
        let (memory, profile) = (&self.memory, &self.profile);
        let (inputs, constants) = (&profile.inputs, &profile.constants);
        let slots = self
            .shape
            .columns
            .saturating_mul(self.shape.slots_per_column);
        let occupied = count(memory.slots().len());
        let (column, slot, slot_occupied) = match memory.named_slot {
            Some(slot) => (
                slot.column(),
                slot.slot(),
                u16::from(memory.slot(slot).is_some()),
            ),
            None => (constants.no_slot, constants.no_slot, constants.no_slot),
        };
        let sensors = self
            .discretes()
            .iter()
            .rev()
            .fold(0u16, |bits, bit| bits << 1 | u16::from(*bit));
        let [dispensed, dispensed_next] = profile.word_order.split(memory.dispensed_total);
        let [retracted, retracted_next] = profile.word_order.split(memory.retracted_total);
        let heartbeat = u16::try_from(self.lived_ms / 500 % 0x1_0000).unwrap_or(0);
        vec![
            (inputs.map_version, constants.map_version),
            (inputs.kind, constants.kind),
            (inputs.firmware, 0x0100),
            (inputs.heartbeat, heartbeat),
            (inputs.state, profile.states.code(self.state())),
            (inputs.last_error, memory.last_error),
            (inputs.ack_sequence, memory.sequence),
            (inputs.ack_command, memory.command),
            (inputs.ack_result, profile.results.code(memory.result)),
            (inputs.ack_detail, memory.detail),
            (inputs.columns, self.shape.columns),
            (inputs.slots_per_column, self.shape.slots_per_column),
            (inputs.free, slots.saturating_sub(occupied)),
            (inputs.occupied, occupied),
            (
                inputs.hopper,
                profile.hopper.code(hopper_level(memory.hopper.len())),
            ),
            (inputs.reject_count, count(memory.reject.len())),
            (inputs.reject_capacity, self.shape.reject_capacity),
            (inputs.recycle_count, count(memory.recycle.len())),
            (inputs.position, profile.positions.code(self.position())),
            (inputs.dispensed_total, dispensed),
            (inputs.dispensed_total + 1, dispensed_next),
            (inputs.retracted_total, retracted),
            (inputs.retracted_total + 1, retracted_next),
            (inputs.ack_column, column),
            (inputs.ack_slot, slot),
            (inputs.ack_slot_occupied, slot_occupied),
            (inputs.sensors, sensors),
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
                let at = usize::from(self.profile.inputs.bitmap)
                    + usize::try_from(bit / 16).unwrap_or(0);
                if let Some(word) = words.get_mut(at) {
                    *word |= 1 << (bit % 16);
                }
            }
        }
    }

    const fn state(&self) -> MachineState {
        if self.door_open {
            MachineState::DoorOpen
        } else if self.maintenance {
            MachineState::Maintenance
        } else if self.error {
            MachineState::Error
        } else if self.moving.is_some() {
            MachineState::Busy
        } else {
            MachineState::Idle
        }
    }

    fn position(&self) -> CarriagePosition {
        let carried = self.memory.carried.as_ref();
        carried.map_or(CarriagePosition::None, |carried| carried.position)
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
