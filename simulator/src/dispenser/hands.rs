//! What people do to the machine by hand: the citizen at outlet and intake, the operator with the door open,
//! and a careless one.

use schemas::ids::CardSerial;
use schemas::slot::SlotAddress;
use schemas::words::CarriagePosition;

use super::machine::Machine;

impl Machine {
    /// Somebody takes the card at the outlet.
    pub fn take_from_outlet(&mut self) -> Option<CardSerial> {
        if self.moving.is_some() {
            return None;
        }
        let carried = self
            .memory
            .carried
            .take_if(|carried| carried.position == CarriagePosition::Outlet)?;
        self.presented_at_ms = None;
        self.memory.taken.push(carried.card.clone());
        Some(carried.card)
    }

    /// The operator puts a card into the hopper, from wherever it was.
    pub fn put_in_hopper(&mut self, card: CardSerial) {
        self.memory.pick_up(&card);
        self.memory.hopper.push(card);
    }

    /// The operator empties the hopper.
    pub fn empty_hopper(&mut self) -> Vec<CardSerial> {
        core::mem::take(&mut self.memory.hopper)
    }

    /// The operator takes a card out of the transport, with the machine open.
    pub fn take_from_transport(&mut self) -> Option<CardSerial> {
        if self.moving.is_some() {
            return None;
        }
        self.presented_at_ms = None;
        let carried = self.memory.carried.take()?;
        self.memory.taken.push(carried.card.clone());
        Some(carried.card)
    }

    /// The operator puts a card into a slot, with the machine open. `false`: there is no such slot, or
    /// it is taken.
    pub fn put_in_slot(&mut self, slot: SlotAddress, card: CardSerial) -> bool {
        if !self.has_slot(slot) || self.memory.slot(slot).is_some() {
            return false;
        }
        self.memory.pick_up(&card);
        self.memory.put(slot, card);
        true
    }

    /// Two cards change places, as a careless hand does it.
    pub fn swap(&mut self, a: SlotAddress, b: SlotAddress) {
        let (card_a, card_b) = (self.memory.take(a), self.memory.take(b));
        if let Some(card) = card_a {
            self.memory.put(b, card);
        }
        if let Some(card) = card_b {
            self.memory.put(a, card);
        }
    }

    /// The citizen lays an old card on the intake, or takes it away.
    pub fn lay_on_intake(&mut self, card: Option<CardSerial>) {
        if let Some(card) = &card {
            self.memory.pick_up(card);
        }
        self.memory.intake = card;
    }

    /// The old card on the intake.
    pub const fn on_intake(&self) -> Option<&CardSerial> {
        self.memory.intake.as_ref()
    }
}
