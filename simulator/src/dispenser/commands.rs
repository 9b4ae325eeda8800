//! The command block: what is refused with a Modbus exception, what is rejected in the acknowledgement
//! registers, and what moves.

use edge_config::profile::{AckResult, Operation};
use schemas::slot::SlotAddress;
use schemas::words::CarriagePosition::{InReader, Outlet};
use tokio_modbus::ExceptionCode;

use super::machine::{Machine, Origin, Target};

/// A motion's way, and whether there is one.
type Way = Option<(Origin, Target)>;
/// The name of an error in the profile.
type Error = &'static str;

/// The command block, field by field.
struct Block {
    sequence: u16,
    command: u16,
    column: u16,
    slot: u16,
    hold_s: u16,
}

impl Machine {
    /// The host writes the command block. An exception leaves everything as it was.
    pub(super) fn write_command(
        &mut self,
        words: [u16; 6],
        now_ms: u64,
    ) -> Result<(), ExceptionCode> {
        let block = self.fields(&words);
        if self.frozen {
            // The network side answers; there is nobody behind it who takes the block.
            return Ok(());
        }
        if block.sequence == 0 {
            return Err(ExceptionCode::IllegalDataValue);
        }
        if block.sequence == self.memory.sequence {
            // The same once more moves nothing; the same number for something else is refused.
            return if words == self.memory.block {
                Ok(())
            } else {
                Err(ExceptionCode::IllegalDataValue)
            };
        }
        if self.is_moving() {
            return Err(ExceptionCode::ServerDeviceBusy);
        }
        let operation = self.profile.commands.meaning(block.command);
        let named = if operation.is_some_and(Operation::names_slot) {
            Some(self.named_slot(block.column, block.slot)?)
        } else {
            None
        };
        let memory = &mut self.memory;
        memory.sequence = block.sequence;
        memory.command = block.command;
        memory.block = words;
        memory.named_slot = named;
        memory.detail = 0;
        match self.way(operation, named, now_ms) {
            Ok((operation, way)) => {
                self.memory.result = AckResult::Accepted;
                match operation {
                    Operation::ClearError => self.clear_error(),
                    Operation::Light => self.light = !self.light,
                    Operation::Home
                    | Operation::Load
                    | Operation::Dispense
                    | Operation::RetractToSlot
                    | Operation::SlotToReader
                    | Operation::Reject
                    | Operation::AcceptOldCard
                    | Operation::Inventory
                    | Operation::RetractToReject
                    | Operation::ReaderToOutlet
                    | Operation::ReaderToSlot
                    | Operation::OutletToReader => {}
                }
                self.begin(block.sequence, operation, way, block.hold_s, now_ms);
            }
            Err(error) => {
                self.memory.result = AckResult::Rejected;
                self.memory.detail = self.code(error);
            }
        }
        Ok(())
    }

    fn fields(&self, words: &[u16; 6]) -> Block {
        let (holdings, group) = (&self.profile.holdings, self.profile.command_block());
        let word = |address| {
            let at = group.offset(address);
            at.and_then(|at| words.get(at)).copied().unwrap_or(0)
        };
        Block {
            sequence: word(holdings.sequence),
            command: word(holdings.command),
            column: word(holdings.column),
            slot: word(holdings.slot),
            hold_s: word(holdings.hold_s),
        }
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

    /// What to do and the way of it, or the error why it is rejected.
    fn way(
        &self,
        operation: Option<Operation>,
        named: Option<SlotAddress>,
        now_ms: u64,
    ) -> Result<(Operation, Way), Error> {
        use Operation as O;
        if self.host_lost(now_ms) {
            return Err("hostLost");
        }
        if self.door_open {
            return Err("doorOpen");
        }
        if self.maintenance {
            return Err("maintenance");
        }
        let operation = operation.ok_or("commandUnknown")?;
        let works_in_error = matches!(
            operation,
            O::ClearError | O::Reject | O::Inventory | O::Light
        );
        if self.error && !works_in_error {
            return Err("inError");
        }
        let way = match (operation, named) {
            (O::Load, Some(to)) => {
                self.hopper_origin()?;
                Some((Origin::Hopper, self.to_slot(to)?))
            }
            (O::Dispense, Some(from)) => Some((self.slot_origin(from)?, Target::Transport(Outlet))),
            (O::SlotToReader, Some(from)) => {
                Some((self.slot_origin(from)?, Target::Transport(InReader)))
            }
            (O::RetractToSlot, Some(to)) => Some((self.outlet_origin()?, self.to_slot(to)?)),
            (O::ReaderToSlot, Some(to)) => Some((self.reader_origin()?, self.to_slot(to)?)),
            (O::ReaderToOutlet, _) => Some((self.reader_origin()?, Target::Transport(Outlet))),
            (O::OutletToReader, _) => Some((self.outlet_origin()?, Target::Transport(InReader))),
            (O::RetractToReject, _) => Some((self.outlet_origin()?, self.to_reject()?)),
            (O::Reject, _) => Some((self.transport_origin()?, self.to_reject()?)),
            (O::AcceptOldCard, _) => Some((self.intake_origin()?, Target::Recycle)),
            (O::Home | O::Inventory | O::Light | O::ClearError, _) => None,
            (
                O::Load | O::Dispense | O::SlotToReader | O::RetractToSlot | O::ReaderToSlot,
                None,
            ) => return Err("slotUnknown"),
        };
        Ok((operation, way))
    }

    fn hopper_origin(&self) -> Result<(), Error> {
        if self.memory.carried.is_some() {
            return Err("transportOccupied");
        }
        if self.memory.hopper.is_empty() {
            return Err("hopperEmpty");
        }
        Ok(())
    }

    fn slot_origin(&self, slot: SlotAddress) -> Result<Origin, Error> {
        if self.memory.carried.is_some() {
            return Err("transportOccupied");
        }
        if self.memory.slot(slot).is_none() {
            return Err("slotEmpty");
        }
        Ok(Origin::Slot(slot))
    }

    fn reader_origin(&self) -> Result<Origin, Error> {
        match &self.memory.carried {
            Some(carried) if carried.position == InReader => Ok(Origin::Transport(InReader)),
            _ => Err("readerEmpty"),
        }
    }

    fn outlet_origin(&self) -> Result<Origin, Error> {
        match &self.memory.carried {
            Some(carried) if carried.position == Outlet => Ok(Origin::Transport(Outlet)),
            _ => Err("outletEmpty"),
        }
    }

    fn transport_origin(&self) -> Result<Origin, Error> {
        match &self.memory.carried {
            Some(carried) => Ok(Origin::Transport(carried.position)),
            None => Err("readerEmpty"),
        }
    }

    fn intake_origin(&self) -> Result<Origin, Error> {
        if self.memory.intake.is_none() {
            return Err("intakeEmpty");
        }
        if self.memory.recycle.len() >= usize::from(self.shape.recycle_capacity) {
            return Err("binFull");
        }
        Ok(Origin::Intake)
    }

    fn to_slot(&self, slot: SlotAddress) -> Result<Target, Error> {
        if self.memory.slot(slot).is_some() {
            return Err("slotOccupied");
        }
        Ok(Target::Slot(slot))
    }

    fn to_reject(&self) -> Result<Target, Error> {
        if self.memory.reject.len() >= usize::from(self.shape.reject_capacity) {
            return Err("binFull");
        }
        Ok(Target::Reject)
    }
}
