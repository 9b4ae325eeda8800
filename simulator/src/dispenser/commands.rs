//! The command block: what is refused with a Modbus exception, what is rejected in the acknowledgement
//! registers, and what moves.

use schemas::slot::SlotAddress;
use schemas::words::CarriagePosition::{InReader, Outlet};
use tokio_modbus::ExceptionCode;

use adapters::dispenser::map::{command, detail};

use super::machine::{Machine, Origin, Target};

/// A motion's way, and whether there is one.
type Way = Option<(Origin, Target)>;

impl Machine {
    /// The host writes the command block, holdings 0 to 5. An exception leaves everything as it was.
    pub(super) fn write_command(
        &mut self,
        block: [u16; 6],
        now_ms: u64,
    ) -> Result<(), ExceptionCode> {
        let [sequence, command, column, slot, hold_s, _flags] = block;
        if self.frozen {
            // The network side answers; there is nobody behind it who takes the block.
            return Ok(());
        }
        if sequence == 0 {
            return Err(ExceptionCode::IllegalDataValue);
        }
        if sequence == self.memory.sequence {
            // The same once more moves nothing; the same number for something else is refused.
            return if block == self.memory.block {
                Ok(())
            } else {
                Err(ExceptionCode::IllegalDataValue)
            };
        }
        if self.is_moving() {
            return Err(ExceptionCode::ServerDeviceBusy);
        }
        let named = match command {
            command::LOAD
            | command::DISPENSE
            | command::RETRACT_TO_SLOT
            | command::SLOT_TO_READER
            | command::READER_TO_SLOT => Some(self.named_slot(column, slot)?),
            _ => None,
        };
        let memory = &mut self.memory;
        memory.sequence = sequence;
        memory.command = command;
        memory.block = block;
        memory.named_slot = named;
        memory.detail = 0;
        match self.way(command, named, now_ms) {
            Ok(way) => {
                self.memory.result = 1;
                if command == command::CLEAR_ERROR {
                    self.clear_error();
                }
                if command == command::LIGHT {
                    self.light = !self.light;
                }
                self.begin(sequence, command, way, hold_s, now_ms);
            }
            Err(code) => {
                self.memory.result = 4;
                self.memory.detail = code;
            }
        }
        Ok(())
    }

    fn named_slot(&self, column: u16, slot: u16) -> Result<SlotAddress, ExceptionCode> {
        SlotAddress::new(column, slot)
            .ok()
            .filter(|slot| self.has_slot(*slot))
            .ok_or(ExceptionCode::IllegalDataValue)
    }

    fn clear_error(&mut self) {
        self.error = false;
        self.jam = false;
        self.memory.last_error = 0;
    }

    /// The way of a command, or the code why it is rejected.
    fn way(&self, command: u16, named: Option<SlotAddress>, now_ms: u64) -> Result<Way, u16> {
        if self.host_lost(now_ms) {
            return Err(detail::HOST_LOST);
        }
        if self.door_open {
            return Err(detail::DOOR_OPEN);
        }
        if self.maintenance {
            return Err(detail::MAINTENANCE);
        }
        let works_in_error = matches!(
            command,
            command::CLEAR_ERROR | command::REJECT | command::INVENTORY | command::LIGHT
        );
        if self.error && !works_in_error {
            return Err(detail::IN_ERROR);
        }
        match (command, named) {
            (command::LOAD, Some(to)) => {
                self.hopper_origin()?;
                self.to_slot(to)
                    .map(|target| Some((Origin::Hopper, target)))
            }
            (command::DISPENSE, Some(from)) => self
                .slot_origin(from)
                .map(|o| Some((o, Target::Transport(Outlet)))),
            (command::SLOT_TO_READER, Some(from)) => self
                .slot_origin(from)
                .map(|o| Some((o, Target::Transport(InReader)))),
            (command::RETRACT_TO_SLOT, Some(to)) => {
                Ok(Some((self.outlet_origin()?, self.to_slot(to)?)))
            }
            (command::READER_TO_SLOT, Some(to)) => {
                Ok(Some((self.reader_origin()?, self.to_slot(to)?)))
            }
            (command::READER_TO_OUTLET, _) => self
                .reader_origin()
                .map(|o| Some((o, Target::Transport(Outlet)))),
            (command::OUTLET_TO_READER, _) => self
                .outlet_origin()
                .map(|o| Some((o, Target::Transport(InReader)))),
            (command::RETRACT_TO_REJECT, _) => Ok(Some((self.outlet_origin()?, self.to_reject()?))),
            (command::REJECT, _) => Ok(Some((self.transport_origin()?, self.to_reject()?))),
            (command::ACCEPT_OLD_CARD, _) => {
                self.intake_origin().map(|o| Some((o, Target::Recycle)))
            }
            (command::HOME | command::INVENTORY | command::LIGHT | command::CLEAR_ERROR, _) => {
                Ok(None)
            }
            _ => Err(detail::COMMAND_UNKNOWN),
        }
    }

    fn hopper_origin(&self) -> Result<(), u16> {
        if self.memory.carried.is_some() {
            return Err(detail::TRANSPORT_OCCUPIED);
        }
        if self.memory.hopper.is_empty() {
            return Err(detail::HOPPER_EMPTY);
        }
        Ok(())
    }

    fn slot_origin(&self, slot: SlotAddress) -> Result<Origin, u16> {
        if self.memory.carried.is_some() {
            return Err(detail::TRANSPORT_OCCUPIED);
        }
        if self.memory.slot(slot).is_none() {
            return Err(detail::SLOT_EMPTY);
        }
        Ok(Origin::Slot(slot))
    }

    fn reader_origin(&self) -> Result<Origin, u16> {
        match &self.memory.carried {
            Some(carried) if carried.position == InReader => Ok(Origin::Transport(InReader)),
            _ => Err(detail::READER_EMPTY),
        }
    }

    fn outlet_origin(&self) -> Result<Origin, u16> {
        match &self.memory.carried {
            Some(carried) if carried.position == Outlet => Ok(Origin::Transport(Outlet)),
            _ => Err(detail::OUTLET_EMPTY),
        }
    }

    fn transport_origin(&self) -> Result<Origin, u16> {
        match &self.memory.carried {
            Some(carried) => Ok(Origin::Transport(carried.position)),
            None => Err(detail::READER_EMPTY),
        }
    }

    fn intake_origin(&self) -> Result<Origin, u16> {
        if self.memory.intake.is_none() {
            return Err(detail::INTAKE_EMPTY);
        }
        if self.memory.recycle.len() >= usize::from(self.shape.recycle_capacity) {
            return Err(detail::BIN_FULL);
        }
        Ok(Origin::Intake)
    }

    fn to_slot(&self, slot: SlotAddress) -> Result<Target, u16> {
        if self.memory.slot(slot).is_some() {
            return Err(detail::SLOT_OCCUPIED);
        }
        Ok(Target::Slot(slot))
    }

    fn to_reject(&self) -> Result<Target, u16> {
        if self.memory.reject.len() >= usize::from(self.shape.reject_capacity) {
            return Err(detail::BIN_FULL);
        }
        Ok(Target::Reject)
    }
}
