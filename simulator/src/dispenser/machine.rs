//! The mechanics, pure: time is an argument. One motion at a time; a motion begins when its command is
//! taken and ends when its time has passed.

use std::sync::Arc;

use edge_config::profile::{AckResult, DispenserProfile, Operation};
use schemas::slot::SlotAddress;
use schemas::words::CarriagePosition;
use serde::{Deserialize, Serialize};

use super::memory::{Carried, Memory};

/// Size and speed of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// Columns, at most 32.
    pub columns: u16,
    /// Slots per column, at most 500.
    pub slots_per_column: u16,
    /// Cards the reject bin holds.
    pub reject_capacity: u16,
    /// Old cards the recycle bin holds.
    pub recycle_capacity: u16,
    /// How long a motion takes, in ms.
    pub motion_ms: u64,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            columns: 4,
            slots_per_column: 25,
            reject_capacity: 50,
            recycle_capacity: 200,
            motion_ms: 300,
        }
    }
}

/// A fault of the mechanics. All but `Jam`, `DoneButStayed` and `FailedButMoved` last until cleared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "fault")]
pub enum Fault {
    /// The next motion, or the one under way, jams: the card stays in the car.
    Jam,
    /// The door is open.
    DoorOpen,
    /// Somebody tampers with the machine.
    Tamper,
    /// Motions take this many times as long.
    Slow {
        /// How many times.
        factor: u16,
    },
    /// The next motion is reported as done, and nothing moved.
    DoneButStayed,
    /// The next motion is reported as failed, and the card moved.
    FailedButMoved,
    /// The controller hangs: heartbeat and motions stand still, commands are not taken, and Modbus goes on
    /// answering.
    Frozen,
}

/// A motion under way.
#[derive(Debug, Clone)]
pub(super) struct Moving {
    pub(super) sequence: u16,
    pub(super) operation: Operation,
    pub(super) ends_at_ms: u64,
    /// Where the card goes; none where no card moves.
    pub(super) target: Option<Target>,
    /// Where the card was, for a motion that only pretends.
    origin: Option<Origin>,
}

/// Where a card goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Slot(SlotAddress),
    Transport(CarriagePosition),
    Reject,
    Recycle,
}

/// Where a card comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Hopper,
    Slot(SlotAddress),
    Transport(CarriagePosition),
    Intake,
}

/// The machine.
#[derive(Debug)]
pub struct Machine {
    pub(super) profile: Arc<DispenserProfile>,
    pub(super) shape: Shape,
    pub(super) memory: Memory,
    pub(super) moving: Option<Moving>,
    pub(super) error: bool,
    pub(super) jam: bool,
    pub(super) door_open: bool,
    pub(super) tamper: bool,
    pub(super) maintenance: bool,
    pub(super) light: bool,
    pub(super) door_locked: bool,
    slow_factor: u64,
    jam_next: bool,
    misreport_next: Option<Fault>,
    pub(super) frozen: bool,
    /// When time last passed.
    clock_ms: u64,
    /// How long the controller has run; its heartbeat.
    pub(super) lived_ms: u64,
    pub(super) host: Host,
    pub(super) presented_at_ms: Option<u64>,
    hold_s: u16,
}

/// The host, as its heartbeat shows it.
#[derive(Debug, Default)]
pub(super) struct Host {
    pub(super) heartbeat: u16,
    pub(super) timeout_s: u16,
    heard_at_ms: u64,
}

impl Host {
    fn is_lost(&self, now_ms: u64) -> bool {
        self.timeout_s != 0 && now_ms >= self.lost_at_ms()
    }

    fn lost_at_ms(&self) -> u64 {
        self.heard_at_ms + u64::from(self.timeout_s) * 1_000
    }
}

impl Machine {
    /// Switches the machine on. A motion that a loss of power cut has failed: its card lies in the car.
    pub fn new(profile: Arc<DispenserProfile>, shape: Shape, mut memory: Memory) -> Self {
        let power_cut = code_of(&profile, "initFailed");
        if memory.result == AckResult::Accepted {
            memory.result = AckResult::Failed;
            memory.detail = power_cut;
            memory.last_error = power_cut;
        }
        Self {
            profile,
            shape,
            error: memory.detail == power_cut && memory.carried.is_some(),
            memory,
            moving: None,
            jam: false,
            door_open: false,
            tamper: false,
            maintenance: false,
            light: false,
            door_locked: true,
            slow_factor: 1,
            jam_next: false,
            misreport_next: None,
            frozen: false,
            clock_ms: 0,
            lived_ms: 0,
            host: Host::default(),
            presented_at_ms: None,
            hold_s: 0,
        }
    }

    /// The code of an error, by its name in the profile.
    pub(super) fn code(&self, name: &str) -> u16 {
        code_of(&self.profile, name)
    }

    /// What survives a loss of power.
    pub const fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Size and speed.
    pub const fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Whether a motion is under way.
    pub const fn is_moving(&self) -> bool {
        self.moving.is_some()
    }

    /// Sets a fault.
    pub fn fail(&mut self, fault: Fault) {
        match fault {
            Fault::Jam => self.jam_next = true,
            Fault::DoorOpen => self.door_open = true,
            Fault::Tamper => self.tamper = true,
            Fault::Slow { factor } => self.slow_factor = u64::from(factor.max(1)),
            Fault::DoneButStayed | Fault::FailedButMoved => self.misreport_next = Some(fault),
            Fault::Frozen => self.frozen = true,
        }
    }

    /// Clears every fault, as a technician does. A card in the transport stays there.
    pub fn repair(&mut self) {
        self.jam_next = false;
        self.jam = false;
        self.error = false;
        self.door_open = false;
        self.tamper = false;
        self.slow_factor = 1;
        self.misreport_next = None;
        self.frozen = false;
        self.memory.last_error = 0;
    }

    /// Whether the host counts as lost.
    pub fn host_lost(&self, now_ms: u64) -> bool {
        self.host.is_lost(now_ms)
    }

    /// The host writes its heartbeat, its timeout, or both. A heartbeat counts when it changes.
    pub(super) fn hear_host(
        &mut self,
        heartbeat: Option<u16>,
        timeout_s: Option<u16>,
        now_ms: u64,
    ) {
        if let Some(timeout_s) = timeout_s {
            if self.host.timeout_s == 0 {
                self.host.heard_at_ms = now_ms;
            }
            self.host.timeout_s = timeout_s;
        }
        if let Some(heartbeat) = heartbeat
            && heartbeat != self.host.heartbeat
        {
            self.host.heartbeat = heartbeat;
            self.host.heard_at_ms = now_ms;
        }
    }

    /// Begins a motion that has been checked.
    pub(super) fn begin(
        &mut self,
        sequence: u16,
        operation: Operation,
        way: Option<(Origin, Target)>,
        hold_s: u16,
        now_ms: u64,
    ) {
        let code = self.profile.commands.code(operation);
        self.memory.record_motion(sequence, code);
        if let Some((origin, _)) = way {
            self.lift(origin);
        }
        if matches!(operation, Operation::Dispense | Operation::ReaderToOutlet) {
            self.hold_s = hold_s;
        }
        self.moving = Some(Moving {
            sequence,
            operation,
            ends_at_ms: now_ms + self.shape.motion_ms * self.slow_factor,
            target: way.map(|(_, target)| target),
            origin: way.map(|(origin, _)| origin),
        });
    }

    /// Takes the card up: it is in the car from now on. An old card goes a way of its own.
    fn lift(&mut self, origin: Origin) {
        let card = match origin {
            Origin::Intake => return,
            Origin::Hopper if self.memory.hopper.is_empty() => None,
            Origin::Hopper => Some(self.memory.hopper.remove(0)),
            Origin::Slot(slot) => self.memory.take(slot),
            Origin::Transport(_) => self.memory.carried.take().map(|carried| carried.card),
        };
        self.presented_at_ms = None;
        self.memory.carried = card.map(|card| Carried {
            card,
            position: CarriagePosition::Car,
        });
    }

    /// When something happens by itself next.
    pub fn next_at_ms(&self, now_ms: u64) -> Option<u64> {
        if self.frozen {
            return None;
        }
        if let Some(moving) = &self.moving {
            return Some(moving.ends_at_ms);
        }
        let held_until = self.presented_at_ms? + u64::from(self.hold_s) * 1_000;
        (self.host.timeout_s != 0).then(|| held_until.max(self.host.lost_at_ms()).max(now_ms + 1))
    }

    /// Lets time pass until `now_ms`. `true`: what survives a loss of power has changed.
    pub fn advance(&mut self, now_ms: u64) -> bool {
        let passed_ms = now_ms.saturating_sub(self.clock_ms);
        self.clock_ms = now_ms;
        if self.frozen {
            // A motion goes on later from where it stands.
            if let Some(moving) = &mut self.moving {
                moving.ends_at_ms += passed_ms;
            }
            return false;
        }
        self.lived_ms += passed_ms;
        let mut changed = false;
        if let Some(moving) = self.moving.take_if(|moving| moving.ends_at_ms <= now_ms) {
            self.end(&moving, now_ms);
            changed = true;
        }
        if self.moving.is_none() && self.host.is_lost(now_ms) && self.may_help_itself(now_ms) {
            let way = (
                Origin::Transport(CarriagePosition::Outlet),
                Target::Transport(CarriagePosition::InReader),
            );
            self.begin(0, Operation::OutletToReader, Some(way), 0, now_ms);
            changed = true;
        }
        changed
    }

    fn may_help_itself(&self, now_ms: u64) -> bool {
        let hold_ms = u64::from(self.hold_s) * 1_000;
        self.presented_at_ms
            .is_some_and(|at| now_ms >= at + hold_ms)
            && !self.error
            && !self.door_open
    }

    fn end(&mut self, moving: &Moving, now_ms: u64) {
        if core::mem::take(&mut self.jam_next) {
            self.jam = true;
            self.error = true;
            self.report(moving, AckResult::Failed, "mediaJam");
            return;
        }
        match self.misreport_next.take() {
            Some(Fault::DoneButStayed) => {
                self.put_back(moving);
                self.report(moving, AckResult::Done, "");
            }
            Some(_) => {
                self.arrive(moving, now_ms);
                self.report(moving, AckResult::Failed, "mediaJam");
            }
            None => {
                self.arrive(moving, now_ms);
                self.report(moving, AckResult::Done, "");
            }
        }
    }

    /// The result goes to the acknowledgement registers, but not that of a motion of its own. `error` is empty for none.
    fn report(&mut self, moving: &Moving, result: AckResult, error: &str) {
        let code = if error.is_empty() {
            0
        } else {
            self.code(error)
        };
        if code != 0 {
            self.memory.last_error = code;
        }
        if moving.sequence != 0 && moving.sequence == self.memory.sequence {
            self.memory.result = result;
            self.memory.detail = code;
        }
    }

    fn arrive(&mut self, moving: &Moving, now_ms: u64) {
        if moving.target == Some(Target::Recycle) {
            self.memory.recycle.extend(self.memory.intake.take());
            return;
        }
        let (Some(target), Some(carried)) = (moving.target, self.memory.carried.take()) else {
            return;
        };
        let card = carried.card;
        match target {
            Target::Slot(slot) => self.memory.put(slot, card),
            Target::Reject => self.memory.reject.push(card),
            Target::Recycle => self.memory.recycle.push(card),
            Target::Transport(position) => {
                if position == CarriagePosition::Outlet {
                    self.presented_at_ms = Some(now_ms);
                    self.memory.dispensed_total += 1;
                }
                self.memory.carried = Some(Carried { card, position });
            }
        }
        if matches!(
            moving.operation,
            Operation::OutletToReader | Operation::RetractToSlot | Operation::RetractToReject
        ) {
            self.memory.retracted_total += 1;
        }
    }

    fn put_back(&mut self, moving: &Moving) {
        let Some(carried) = self.memory.carried.take() else {
            return;
        };
        match moving.origin {
            Some(Origin::Hopper) => self.memory.hopper.insert(0, carried.card),
            Some(Origin::Slot(slot)) => self.memory.put(slot, carried.card),
            Some(Origin::Transport(position)) => {
                self.memory.carried = Some(Carried {
                    card: carried.card,
                    position,
                });
            }
            Some(Origin::Intake) | None => self.memory.carried = Some(carried),
        }
    }

    pub(super) const fn has_slot(&self, slot: SlotAddress) -> bool {
        slot.column() < self.shape.columns && slot.slot() < self.shape.slots_per_column
    }
}

fn code_of(profile: &DispenserProfile, name: &str) -> u16 {
    let known = profile.errors.iter().find(|error| error.name == name);
    known.map_or(u16::MAX, |error| error.first)
}
