//! The state of a station: what the log says of it. Built by [`crate::evolve`] alone; the rules read
//! it and never change it.
//!
//! Snapshots hold it as serde writes it, and a station may have to start from one that an older program wrote: a field is
//! added with a default, and none is renamed or removed (`tests/it/snapshot.rs` has a state that must be read for ever).

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use schemas::citizen::{MaskedName, NumberTail};
use schemas::event::centre::CentreKeyChanged;
use schemas::event::custody::{Act, SlotFinding};
use schemas::event::pickup::{MachineDevices, PickupPolicy, Step, Still};
use schemas::event::station::Presence;
use schemas::ids::{BatchId, BootId, CardSerial, DeviceId, MachineId, OperatorId, SessionId};
use schemas::key::PublicKey;
use schemas::lookup::LookupTag;
use schemas::message::command::CommandId;
use schemas::message::device::LastReceipt;
use schemas::message::kiosk::MaintenanceTarget;
use schemas::slot::SlotAddress;
use schemas::time::Deadline;
use schemas::words::{
    ActOutcome, BlockReason, Hand, HoldReason, Motion, PhotoView, PickupOutcome, Place, Residence,
    ResidenceGround, ServiceReason,
};
use serde::{Deserialize, Serialize};

use crate::application::{Acceptance, Applications, Ticket};
use crate::commission::Commissioning;
use crate::device::{Device, Maintenance};
use crate::erasure::Erased;
use crate::grant::Grant;
use crate::lookup::LookupHistory;
use crate::payment::{PaymentTotals, Payments};

/// The state, empty at first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    pub(crate) next_index: u64,
    /// The number of this log, where it follows another one.
    pub(crate) incarnation: Option<u32>,
    pub(crate) reasons: BTreeSet<ServiceReason>,
    pub(crate) devices: BTreeMap<DeviceId, Device>,
    pub(crate) cards: BTreeMap<CardSerial, Card>,
    /// Cards by tag of number or voucher, the newest last.
    pub(crate) tags: BTreeMap<LookupTag, Vec<CardSerial>>,
    pub(crate) slots: BTreeMap<(MachineId, SlotAddress), CardSerial>,
    /// The slot each card was last in, for the way back.
    pub(crate) home: BTreeMap<CardSerial, (MachineId, SlotAddress)>,
    /// Slots that were found otherwise than their records say.
    #[serde(default)]
    pub(crate) differing: BTreeMap<(MachineId, SlotAddress), SlotFinding>,
    pub(crate) batches: BTreeMap<BatchId, Batch>,
    pub(crate) machines: BTreeMap<MachineId, Machine>,
    /// Machines whose records come from an earlier log, and whose slots were not compared with them since.
    pub(crate) uncounted: BTreeSet<MachineId>,
    /// How the last session of each kiosk ended; shown until its next one begins.
    pub(crate) last: BTreeMap<DeviceId, (SessionId, Ended)>,
    /// Sessions whose sealing keys are to be destroyed.
    pub(crate) erasures: BTreeSet<SessionId>,
    /// Sessions whose keys here are destroyed, and how far their erasure is.
    #[serde(default)]
    pub(crate) erased: Erased,
    pub(crate) lookup: LookupHistory,
    #[serde(default)]
    pub(crate) centre: CentreLink,
    /// What operators took out of service.
    #[serde(default)]
    pub(crate) maintenance: BTreeMap<MaintenanceTarget, Maintenance>,
    /// Applications under way (A1 to A17).
    #[serde(default)]
    pub(crate) applications: Applications,
    /// Acceptances that the centre has not decided yet (A17).
    #[serde(default)]
    pub(crate) acceptances: BTreeMap<SessionId, Acceptance>,
    /// Printed numbers that the centre replaced, by their tags, with the tags of the final ones: until the card is announced that has
    /// the final one (P1).
    #[serde(default)]
    pub(crate) printed: BTreeMap<LookupTag, Vec<LookupTag>>,
    /// Window tickets that no officer has closed (A15).
    #[serde(default)]
    pub(crate) tickets: BTreeMap<SessionId, Ticket>,
    /// Commissionings under way (V2).
    #[serde(default)]
    pub(crate) commissionings: BTreeMap<SessionId, Commissioning>,
    /// Orders, and what came in for them (A12).
    #[serde(default)]
    pub(crate) payments: Payments,
    /// What the centre lets the station decide alone (A17).
    #[serde(default)]
    pub(crate) grant: Option<Grant>,
}

/// What the centre told so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CentreLink {
    /// Up to where its stream is recorded.
    pub revision: Option<u64>,
    /// The number of the last instruction that was followed.
    pub number: Option<u64>,
    /// The key it signs with, where it is another than the configuration names.
    pub key: Option<PublicKey>,
    /// What said so: the log after this one says it again.
    #[serde(default)]
    pub key_change: Option<CentreKeyChanged>,
    /// The policy in force, where it came from the centre: its version and SHA-256.
    pub policy: Option<(u32, String)>,
}

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Ended {
    /// A pickup, with the index of the event that says the card was taken.
    Pickup {
        outcome: PickupOutcome,
        taken: Option<u64>,
    },
    /// An operator's act.
    Act(ActOutcome),
}

/// A card's custody record (存证记录).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// Where it is.
    pub place: Place,
    /// Why it is held back, if it is.
    pub hold: Option<HoldReason>,
    /// What its manifest says of it; none for a card that no manifest has.
    pub announced: Option<Announced>,
}

/// What a manifest says of a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announced {
    /// Tag of the citizen number.
    pub number: LookupTag,
    /// The name, masked.
    pub name: MaskedName,
    /// The last four characters of the number.
    pub number_tail: NumberTail,
    /// Registered residence.
    pub residence: Residence,
    /// Why somebody registered elsewhere may collect here.
    pub ground: Option<ResidenceGround>,
    /// Whether an old card is still to be handed in (P6).
    pub old_card_due: bool,
}

/// A batch from the maker.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Batch {
    pub(crate) closed: bool,
    pub(crate) missing: BTreeSet<CardSerial>,
    pub(crate) arrived: u32,
    pub(crate) surplus: BTreeSet<CardSerial>,
}

/// A machine: whoever has its way from slot to outlet has its session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Machine {
    /// The last sequence the dispenser took or was given; none until it has been asked.
    pub(crate) sequence: Option<u16>,
    pub(crate) dispenser: Option<DeviceId>,
    pub(crate) motion: Option<InFlight>,
    /// The last motion of the session, over or not.
    pub(crate) last_motion: Option<Motion>,
    /// Old cards taken in, as the dispenser last counted them.
    pub(crate) recycled: Option<u16>,
    pub(crate) ask: Option<Ask>,
    pub(crate) session: Option<Session>,
    pub(crate) blocked: Option<Blocked>,
    /// When its slots are compared with the records again, if nothing is under way.
    #[serde(default)]
    pub(crate) compare_at: Option<Deadline>,
}

/// Why a machine takes no session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Blocked {
    pub(crate) reason: BlockReason,
    pub(crate) card: Option<CardSerial>,
    /// Who may have taken the card, where it was on its way out or at the outlet.
    pub(crate) way_out: Option<WayOut>,
}

/// Who stands at the outlet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum WayOut {
    /// The claimant, whose identity was proven.
    Citizen,
    /// The operator who unloads.
    Operator,
}

/// A motion without an outcome yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InFlight {
    pub(crate) sequence: u16,
    pub(crate) motion: Motion,
    pub(crate) phase: Phase,
    pub(crate) timeout_s: u16,
    pub(crate) deadline: Deadline,
    /// How often the device has said that it is still at work.
    pub(crate) renewals: u16,
}

/// How far a motion is known to have got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Phase {
    /// To be sent, or sent: the command is caused by the event at this index.
    Send(u64),
    /// Nobody knows: the device is being asked ([`Machine::ask`]).
    Unknown,
    /// The device says it is at work.
    Accepted,
}

/// A question to the dispenser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ask {
    /// Index of the event that caused it.
    pub(crate) index: u64,
    pub(crate) attempt: u16,
    pub(crate) timeout_s: u16,
    pub(crate) deadline: Deadline,
}

/// A session at a machine: a citizen's pickup or an operator's act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub(crate) id: SessionId,
    pub(crate) kiosk: DeviceId,
    pub(crate) card: Option<CardSerial>,
    pub(crate) hold_s: u16,
    pub(crate) work: Work,
    pub(crate) stage: Stage,
}

/// What a session is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Work {
    Pickup(Box<Pickup>),
    Act { operator: OperatorId, act: Act },
}

/// A citizen's pickup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pickup {
    pub(crate) devices: MachineDevices,
    pub(crate) slot: SlotAddress,
    pub(crate) policy: PickupPolicy,
    /// Set when it is settled how the session ends; the card is then brought to rest.
    pub(crate) ending: Option<PickupOutcome>,
    /// The chip has been read and agrees (P3); unset again by a retract (P7).
    pub(crate) verified: bool,
    /// The card was taken back from the outlet and has not been read since (P7).
    pub(crate) retracted: bool,
    pub(crate) matched: BTreeSet<Hand>,
    pub(crate) photos: BTreeSet<PhotoView>,
    pub(crate) old_card_due: bool,
    pub(crate) old_card: Option<CardSerial>,
    /// Index of the event that says the card was taken.
    pub(crate) taken: Option<u64>,
    /// When it began, in ms of the wall clock; none: before this was remembered.
    #[serde(default)]
    pub(crate) began_ms: Option<u64>,
    /// All photos that were archived (A14).
    #[serde(default)]
    pub(crate) stills: Vec<Still>,
}

/// Where a session stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// Something moves, or the dispenser is being asked.
    Moving,
    /// A device is asked for a step.
    Step(StepState),
    /// The card lies in the outlet until the deadline.
    AtOutlet(Deadline),
}

/// An open step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StepState {
    pub(crate) step: Step,
    /// Index of the event that caused it.
    pub(crate) index: u64,
    pub(crate) deadline: Deadline,
    /// Until when the citizen may take, where the step waits for one.
    pub(crate) citizen: Option<Deadline>,
    /// Index of the event that asked for the photo beside it (P4), until it is archived.
    pub(crate) photo: Option<u64>,
    /// The device has answered; only the photo is missing.
    pub(crate) answered: bool,
}

/// The view that belongs to a hand (P4).
pub(crate) const fn view_of(hand: Hand) -> PhotoView {
    match hand {
        Hand::Right => PhotoView::RightHand,
        Hand::Left => PhotoView::LeftHand,
    }
}

impl State {
    /// The index the next event will have.
    pub const fn next_index(&self) -> u64 {
        self.next_index
    }

    /// What the centre told so far.
    pub const fn centre(&self) -> &CentreLink {
        &self.centre
    }

    /// What came of all payments.
    pub const fn payments(&self) -> PaymentTotals {
        self.payments.book.totals()
    }

    /// Version and SHA-256 of the list of the newest grant; its list is kept beside the log.
    pub fn grant(&self) -> Option<(u32, &str)> {
        let grant = self.grant.as_ref()?;
        Some((grant.version, &grant.sha256))
    }

    /// The number of this log: 1 for the first of a station.
    pub fn incarnation(&self) -> u32 {
        self.incarnation.unwrap_or(1)
    }

    /// Whether a receipt is of an event that this log should have and has not.
    pub(crate) fn is_behind(&self, receipt: LastReceipt) -> bool {
        match receipt.incarnation.cmp(&self.incarnation()) {
            Ordering::Less => false,
            Ordering::Equal => receipt.index >= self.next_index,
            Ordering::Greater => true,
        }
    }

    /// The command that the event at `index` of this log causes.
    pub(crate) fn command(&self, index: u64) -> CommandId {
        CommandId::of(self.incarnation(), index, 0)
    }

    /// Whether new sessions are taken, and why not.
    pub const fn service_reasons(&self) -> &BTreeSet<ServiceReason> {
        &self.reasons
    }

    /// The card's record.
    pub fn card(&self, serial: &CardSerial) -> Option<&Card> {
        self.cards.get(serial)
    }

    /// All cards with their records.
    pub fn cards(&self) -> impl Iterator<Item = (&CardSerial, &Card)> {
        self.cards.iter()
    }

    /// Whether a batch of this name has been announced.
    pub fn knows_batch(&self, batch: &BatchId) -> bool {
        self.batches.contains_key(batch)
    }

    /// Every device that was ever heard of, and whether it is online.
    pub fn devices(&self) -> impl Iterator<Item = (&DeviceId, bool)> {
        self.devices
            .iter()
            .map(|(id, device)| (id, device.is_online()))
    }

    /// Every machine that was ever used, and whether it waits for an operator.
    pub fn machines(&self) -> impl Iterator<Item = (&MachineId, bool)> {
        let used: BTreeSet<_> = self.machines.keys().chain(&self.uncounted).collect();
        used.into_iter().map(|id| (id, self.waits_for_operator(id)))
    }

    /// The machines with slots that differ from their records, and how many.
    pub fn slots_differing(&self) -> BTreeMap<&MachineId, usize> {
        let mut counts = BTreeMap::new();
        for (machine, _) in self.differing.keys() {
            *counts.entry(machine).or_default() += 1;
        }
        counts
    }

    /// The sessions that are open.
    pub fn sessions(&self) -> impl Iterator<Item = &SessionId> {
        let of_machines = self.machines.values();
        of_machines
            .filter_map(|machine| machine.session.as_ref().map(|s| &s.id))
            .chain(self.applications().map(|(session, ..)| session))
    }

    /// The pickups and commissionings that are open, with the devices that serve them.
    pub fn pickups(&self) -> impl Iterator<Item = (&SessionId, &MachineDevices)> {
        let commissionings = self.commissionings.iter().map(|(id, c)| (id, &c.devices));
        let pickups = self.machines.values().filter_map(|machine| {
            let session = machine.session.as_ref()?;
            match &session.work {
                Work::Pickup(pickup) => Some((&session.id, &pickup.devices)),
                Work::Act { .. } => None,
            }
        });
        pickups.chain(commissionings)
    }

    /// The sessions whose sealing keys are to be destroyed. Level-triggered: a session stays here until it is recorded that
    /// they are.
    pub const fn erasures(&self) -> &BTreeSet<SessionId> {
        &self.erasures
    }

    /// The life a device last announced, if it is online.
    pub fn boot_of(&self, device: &DeviceId) -> Option<&BootId> {
        match self.devices.get(device)?.presence.as_ref()? {
            Presence::Online { boot, .. } => Some(boot),
            Presence::Offline | Presence::Lost => None,
        }
    }

    /// Whether a machine takes no citizens until an operator has seen to it.
    pub(crate) fn waits_for_operator(&self, machine: &MachineId) -> bool {
        let blocked = self
            .machines
            .get(machine)
            .is_some_and(|m| m.blocked.is_some());
        blocked || self.uncounted.contains(machine)
    }

    pub(crate) fn is_usable(&self, device: &DeviceId) -> bool {
        self.devices.get(device).is_some_and(Device::is_usable)
    }

    /// Usable, and not in an operator's hands.
    pub(crate) fn is_available(&self, device: &DeviceId) -> bool {
        let target = MaintenanceTarget::Device(device.clone());
        self.is_usable(device) && !self.maintenance.contains_key(&target)
    }

    pub(crate) fn is_online(&self, device: &DeviceId) -> bool {
        self.devices.get(device).is_some_and(Device::is_online)
    }

    pub(crate) fn has_dispenser_online(&self, machine: &Machine) -> bool {
        let dispenser = machine.dispenser.as_ref();
        dispenser.is_some_and(|dispenser| self.is_online(dispenser))
    }

    /// The machine whose session is `session`.
    pub(crate) fn session(&self, session: &SessionId) -> Option<(&MachineId, &Machine, &Session)> {
        self.machines.iter().find_map(|(id, machine)| {
            machine
                .session
                .as_ref()
                .filter(|s| s.id == *session)
                .map(|s| (id, machine, s))
        })
    }

    /// The session that a kiosk is showing, if any.
    pub(crate) fn session_at(&self, kiosk: &DeviceId) -> Option<(&MachineId, &Session)> {
        self.machines.iter().find_map(|(id, machine)| {
            machine
                .session
                .as_ref()
                .filter(|s| s.kiosk == *kiosk)
                .map(|s| (id, s))
        })
    }
}
