//! A decision in the making: the events so far, and the state as they leave it. Only the machines and
//! devices are copied (a station has a few); cards are copied when an event touches them.

use schemas::event::Event;
use schemas::event::custody::CardMoved;
use schemas::event::pickup::{PickupEnded, PickupEnding, PickupRecorded};
use schemas::event::station::{MachineBlocked, MotionIntended};
use schemas::ids::{CardSerial, DeviceId, MachineId, OrderId, SessionId};
use schemas::time::Now;
use schemas::words::{BlockReason, Motion, PickupOutcome, Place};

use crate::evolve::{Recorded, evolve};
use crate::payment;
use crate::rules::Rules;
use crate::state::{Card, Machine, Pickup, Session, State, Work};

pub(super) struct Draft<'a> {
    /// The state before the decision, for everything that is not copied.
    pub(super) base: &'a State,
    pub(super) rules: &'a Rules,
    pub(super) now: &'a Now,
    after: State,
    events: Vec<Event>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(base: &'a State, rules: &'a Rules, now: &'a Now) -> Self {
        let after = State {
            next_index: base.next_index,
            incarnation: base.incarnation,
            uncounted: base.uncounted.clone(),
            reasons: base.reasons.clone(),
            devices: base.devices.clone(),
            machines: base.machines.clone(),
            maintenance: base.maintenance.clone(),
            commissionings: base.commissionings.clone(),
            applications: base.applications.clone(),
            payments: base.payments.draft(),
            grant: base.grant.clone(),
            ..State::default()
        };
        Self {
            base,
            rules,
            now,
            after,
            events: Vec::new(),
        }
    }

    pub(super) fn into_events(self) -> Vec<Event> {
        self.events
    }

    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// The state as the events so far leave it: devices, machines and touched cards.
    pub(super) const fn state(&self) -> &State {
        &self.after
    }

    pub(super) fn push(&mut self, event: impl Into<Event>) {
        let event = event.into();
        let index = self.after.next_index;
        if let Some(order) = payment::order_of(&self.base.payments, &event).cloned() {
            self.touch_order(&order);
        }
        evolve(
            &mut self.after,
            Recorded {
                index,
                now: self.now,
                event: &event,
            },
        );
        self.events.push(event);
    }

    /// Brings an order into the draft, if there is such an order.
    pub(super) fn touch_order(&mut self, id: &OrderId) {
        let orders = &mut self.after.payments.orders;
        if let Some(order) = self.base.payments.orders.get(id)
            && !orders.contains_key(id)
        {
            orders.insert(id.clone(), order.clone());
            if let Some(term) = self.base.payments.terms.get(id) {
                let terms = &mut self.after.payments.terms;
                terms.insert(id.clone(), term.clone());
            }
            let sessions = &mut self.after.payments.sessions;
            sessions.insert(order.session.clone(), id.clone());
        }
    }

    /// The session id that an event pushed now would open.
    pub(super) fn next_session(&self) -> SessionId {
        SessionId::from_index(self.after.next_index)
    }

    pub(super) fn machine(&self, id: &MachineId) -> Option<&Machine> {
        self.after.machines.get(id)
    }

    pub(super) fn session(&self, machine: &MachineId) -> Option<&Session> {
        self.machine(machine)?.session.as_ref()
    }

    /// The pickup that has the machine, with its session.
    pub(super) fn pickup(&self, machine: &MachineId) -> Option<(&Session, &Pickup)> {
        let session = self.session(machine)?;
        match &session.work {
            Work::Pickup(pickup) => Some((session, pickup)),
            Work::Act { .. } => None,
        }
    }

    pub(super) fn card(&self, serial: &CardSerial) -> Option<&Card> {
        self.after
            .cards
            .get(serial)
            .or_else(|| self.base.cards.get(serial))
    }

    /// The dispenser of a machine: as configured, or as last used if the configuration has lost it.
    pub(super) fn dispenser(&self, machine: &MachineId) -> Option<DeviceId> {
        let configured = self
            .rules
            .machines
            .get(machine)
            .map(|m| m.devices.dispenser.clone());
        configured.or_else(|| self.machine(machine)?.dispenser.clone())
    }

    /// Records that a card went somewhere, if it was not there already (C3).
    pub(super) fn move_card(
        &mut self,
        serial: &CardSerial,
        to: Place,
        session: Option<&SessionId>,
    ) {
        let Some(card) = self.card(serial).cloned() else {
            return;
        };
        if card.place == to {
            return;
        }
        let from = card.place.clone();
        self.after.cards.entry(serial.clone()).or_insert(card);
        self.push(CardMoved {
            card: serial.clone(),
            from,
            to,
            session: session.cloned(),
        });
    }

    /// Allots the next sequence and records the intent to move.
    pub(super) fn intend(&mut self, machine: &MachineId, session: &SessionId, motion: Motion) {
        let Some(dispenser) = self.dispenser(machine) else {
            return;
        };
        let last = self.machine(machine).and_then(|m| m.sequence).unwrap_or(0);
        let sequence = if last == u16::MAX { 1 } else { last + 1 };
        self.push(MotionIntended {
            dispenser,
            machine: machine.clone(),
            session: session.clone(),
            sequence,
            motion,
            timeout_s: self.rules.motion_timeout_s,
        });
    }

    /// Settles how a pickup ends, once; later causes change nothing.
    pub(super) fn ending(&mut self, machine: &MachineId, outcome: PickupOutcome) {
        let open = self
            .pickup(machine)
            .filter(|(_, pickup)| pickup.ending.is_none());
        if let Some(session) = open.map(|(session, _)| session.id.clone()) {
            self.push(PickupEnding { session, outcome });
        }
    }

    /// Ends the pickup that has the machine.
    pub(super) fn end_pickup(&mut self, machine: &MachineId, otherwise: PickupOutcome) {
        let Some((session, pickup)) = self.pickup(machine) else {
            return;
        };
        let recorder = self.rules.machines.get(machine);
        let recorded = PickupRecorded {
            session: session.id.clone(),
            camera: pickup.devices.camera.clone(),
            recorder: recorder.and_then(|rules| rules.recorder.clone()),
            // A session that began before this was remembered is looked for at its end.
            from_ms: pickup.began_ms.unwrap_or(self.now.wall_ms),
            until_ms: self.now.wall_ms,
            stills: pickup.stills.clone(),
        };
        let event = PickupEnded {
            session: session.id.clone(),
            kiosk: session.kiosk.clone(),
            outcome: pickup.ending.unwrap_or(otherwise),
        };
        self.push(recorded);
        self.push(event);
    }

    /// Takes the machine out of service until an operator has seen to it.
    pub(super) fn block(&mut self, machine: &MachineId, card: Option<CardSerial>) {
        let reason = BlockReason::CardInTransport;
        self.push(MachineBlocked {
            machine: machine.clone(),
            reason,
            card,
        });
    }
}
