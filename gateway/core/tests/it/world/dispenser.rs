//! The dispenser's mechanics: where each card physically is.

use std::collections::BTreeMap;

use gateway_core::Reply;
use schemas::ids::CardSerial;
use schemas::message::command::Progress;
use schemas::slot::SlotAddress;
use schemas::words::{CarriagePosition, Evidence, Motion, MotionResult};

#[derive(Debug, Default)]
pub struct Dispenser {
    pub slots: BTreeMap<SlotAddress, CardSerial>,
    pub reader: Option<CardSerial>,
    pub outlet: Option<CardSerial>,
    pub hopper: Option<CardSerial>,
    pub bin: Vec<CardSerial>,
    pub taken: Vec<CardSerial>,
    pub recycled: u16,
    /// Each motion that really happened, by sequence.
    pub history: Vec<(u16, Motion)>,
    /// The mechanism jams at its next motion, with the card in the car.
    pub jams_next: bool,
    pub car: Option<CardSerial>,
    last: Option<(u16, MotionResult)>,
    last_slot: Option<SlotAddress>,
}

impl Dispenser {
    pub fn perform(&mut self, sequence: u16, motion: Motion) -> Reply {
        let repeated = self.last.filter(|(last, _)| *last == sequence);
        let outcome = if let Some((_, outcome)) = repeated {
            outcome
        } else {
            self.history.push((sequence, motion));
            self.last_slot = named(motion);
            let outcome = self.do_motion(motion);
            self.last = Some((sequence, outcome));
            outcome
        };
        let slots =
            matches!(motion, Motion::Inventory).then(|| self.slots.keys().copied().collect());
        Reply::Moved {
            sequence,
            outcome,
            evidence: self.evidence(),
            slots,
        }
    }

    /// It says that it is at work on the sequence, whatever it does.
    pub fn query_moving(&self, sequence: u16) -> Reply {
        Reply::Queried {
            last: Progress::Moving { sequence },
            evidence: self.evidence(),
            slots: None,
        }
    }

    pub fn query(&self, slots: bool) -> Reply {
        let last = match self.last {
            None => Progress::None,
            Some((sequence, outcome)) => Progress::Over { sequence, outcome },
        };
        Reply::Queried {
            last,
            evidence: self.evidence(),
            slots: slots.then(|| self.slots.keys().copied().collect()),
        }
    }

    /// Left alone by its host, it takes an uncollected card back into the reader by itself.
    pub fn take_back_by_itself(&mut self) {
        if self.reader.is_none() {
            self.reader = self.outlet.take();
        }
    }

    pub fn take(&mut self) {
        self.taken.extend(self.outlet.take());
    }

    pub fn evidence(&self) -> Evidence {
        let position = match (&self.reader, &self.car, &self.outlet) {
            (Some(_), _, _) => CarriagePosition::InReader,
            (_, Some(_), _) => CarriagePosition::Car,
            (_, _, Some(_)) => CarriagePosition::Outlet,
            _ => CarriagePosition::None,
        };
        Evidence {
            position,
            outlet_present: self.outlet.is_some(),
            slot_occupied: self.last_slot.map(|slot| self.slots.contains_key(&slot)),
            recycle_count: self.recycled,
        }
    }

    fn do_motion(&mut self, motion: Motion) -> MotionResult {
        let rejected = MotionResult::Rejected { detail: 0x510 };
        if self.jams_next {
            self.jams_next = false;
            if let Some(card) = self
                .reader
                .take()
                .or_else(|| named(motion).and_then(|s| self.slots.remove(&s)))
            {
                self.car = Some(card);
            }
            return MotionResult::Failed { detail: 0x200 };
        }
        if self.car.is_some() {
            return rejected;
        }
        if let Motion::Load { slot } | Motion::ToSlot { slot } = motion
            && self.slots.contains_key(&slot)
        {
            return MotionResult::Rejected { detail: 0x520 };
        }
        let (from, to) = match motion {
            Motion::Inventory => return MotionResult::Done,
            Motion::TakeOldCard => {
                self.recycled += 1;
                return MotionResult::Done;
            }
            Motion::Load { slot } => (self.hopper.take(), Ok(slot)),
            Motion::Dispense { slot, .. } => (self.slots.remove(&slot), Err(&mut self.outlet)),
            Motion::ToReader { slot } => (self.slots.remove(&slot), Err(&mut self.reader)),
            Motion::Present { .. } => (self.reader.take(), Err(&mut self.outlet)),
            Motion::Retract => (self.outlet.take(), Err(&mut self.reader)),
            Motion::ToSlot { slot } => (self.reader.take(), Ok(slot)),
            Motion::Reject => {
                self.bin.extend(self.reader.take());
                return MotionResult::Done;
            }
        };
        let Some(card) = from else { return rejected };
        match to {
            Ok(slot) => {
                self.slots.insert(slot, card);
            }
            Err(place) => *place = Some(card),
        }
        MotionResult::Done
    }
}

fn named(motion: Motion) -> Option<SlotAddress> {
    match motion {
        Motion::Load { slot }
        | Motion::Dispense { slot, .. }
        | Motion::ToReader { slot }
        | Motion::ToSlot { slot } => Some(slot),
        Motion::Present { .. }
        | Motion::Retract
        | Motion::Reject
        | Motion::TakeOldCard
        | Motion::Inventory => None,
    }
}
