//! Figures of one log, for the page: counted from the events in their order, and nothing personal in them.

use std::collections::{BTreeMap, BTreeSet};

use schemas::envelope::Entry;
use schemas::event::Event;
use schemas::event::custody::CardsAnnounced;
use schemas::event::evidence::{CardsCarriedOver, ErasureDone};
use schemas::event::pickup::PickupEnded;
use schemas::ids::{BlobHash, CardSerial, SessionId};
use schemas::words::{PickupOutcome, Place, RefusalReason, ServiceReason};
use serde::{Deserialize, Serialize};

/// Days begin at midnight in Beijing.
pub(super) const ZONE_MS: u64 = 8 * 3_600_000;
const DAY_MS: u64 = 86_400_000;
/// Days whose pickups are kept apart.
const DAYS_LEN_MAX: usize = 7;
/// The request that begins a pickup: the level after `request/`.
const START_PICKUP: &str = "start-pickup";

/// A kind of place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Hash)]
#[serde(rename_all = "kebab-case")]
pub enum Whereabouts {
    /// On its way from the maker.
    MakerTransit,
    /// In the safe.
    Safe,
    /// In a slot of a machine.
    Slot,
    /// In the transport of a machine.
    Transport,
    /// At the outlet of a machine.
    Exit,
    /// In the retract bin of a machine.
    RetractBin,
    /// Set aside.
    Quarantine,
    /// Handed over to its owner.
    HandedOver,
    /// With the courier.
    Courier,
    /// Returned.
    Returned,
}

/// What the events of a log add up to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Figures {
    /// When the newest event happened by the station's clock, in ms since 1970.
    pub last_event_ms: Option<u64>,
    /// Whether the station takes new sessions; none: it has not said.
    pub in_service: Option<bool>,
    /// Why not.
    pub out_of_service: Vec<ServiceReason>,
    /// Cards that were collected, by day (days since 1970, in the zone of Beijing); the newest few.
    pub collected_by_day: BTreeMap<u64, u64>,
    /// Pickups that ended, by how.
    pub pickups: BTreeMap<PickupOutcome, u64>,
    /// Pickups that did not begin, by why.
    pub refused: BTreeMap<RefusalReason, u64>,
    /// Cards that have left for good, by where to.
    left: BTreeMap<Whereabouts, u64>,
    /// The others.
    cards: BTreeMap<CardSerial, Whereabouts>,
    /// Photos that were named, and of which the centre has not seen the file.
    blobs: BTreeMap<BlobHash, SessionId>,
    /// Sessions whose keys the centre is asked to destroy, and has not yet.
    erasures: BTreeSet<SessionId>,
    /// Sessions whose keys it has destroyed.
    erased: BTreeSet<SessionId>,
}

impl Figures {
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "a few kinds of events are counted, and a new kind need not be"
    )]
    pub(super) fn apply(&mut self, entry: &Entry) {
        let wall_ms = entry.meta.now.wall_ms;
        self.last_event_ms = Some(wall_ms);
        self.count_pickup(&entry.event, wall_ms);
        if let Some(sealed) = entry.event.sealed() {
            let blobs = sealed.blobs.into_iter().cloned();
            let named = blobs.map(|blob| (blob, sealed.session.clone()));
            self.blobs.extend(named);
        }
        match &entry.event {
            Event::ServiceChanged(body) => {
                self.in_service = Some(body.in_service);
                self.out_of_service.clone_from(&body.reasons);
            }
            Event::CardsAnnounced(body) => self.announced(body),
            Event::CardSurplus(body) => self.first_seen(&body.card, Whereabouts::MakerTransit),
            Event::CardMoved(body) => self.moved(&body.card, Whereabouts::of(&body.to)),
            Event::CardsCarriedOver(body) => self.carried_over(body),
            Event::ErasureDone(body) => self.erasure(body),
            _ => {}
        }
    }

    /// Cards by where they are; only places that have some.
    pub(super) fn custody(&self) -> BTreeMap<Whereabouts, u64> {
        let mut places = self.left.clone();
        for place in self.cards.values() {
            *places.entry(*place).or_default() += 1;
        }
        places
    }

    /// Cards that were collected in all.
    pub(super) fn collected(&self) -> u64 {
        let collected = self.pickups.get(&PickupOutcome::Collected);
        collected.copied().unwrap_or_default()
    }

    /// Cards that were collected on the day of this instant.
    pub(super) fn collected_on(&self, wall_ms: u64) -> u64 {
        let today = self.collected_by_day.get(&day(wall_ms));
        today.copied().unwrap_or_default()
    }

    /// Photos of which no file has been seen.
    pub(super) fn blobs(&self) -> &BTreeMap<BlobHash, SessionId> {
        &self.blobs
    }

    /// The file of a photo has been seen.
    pub(super) fn blob_seen(&mut self, blob: &BlobHash) {
        self.blobs.remove(blob);
    }

    /// There is no folder for files, so none is missed.
    pub(super) fn forget_blobs(&mut self) {
        self.blobs.clear();
    }

    /// Sessions whose keys are still to be destroyed.
    pub(super) fn erasures(&self) -> &BTreeSet<SessionId> {
        &self.erasures
    }

    /// Sessions whose keys were destroyed; what comes of them later goes too.
    pub(super) fn erased(&self) -> &BTreeSet<SessionId> {
        &self.erased
    }

    /// The keys of a session were destroyed, and the station was told.
    pub(super) fn erasure_answered(&mut self, session: &SessionId) {
        if let Some(session) = self.erasures.take(session) {
            self.erased.insert(session);
        }
    }

    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "a few kinds of events are counted, and a new kind need not be"
    )]
    fn count_pickup(&mut self, event: &Event, wall_ms: u64) {
        use RefusalReason as R;
        let reason = match event {
            Event::PickupEnded(body) => return self.ended(body, wall_ms),
            Event::RequestRefused(body) if body.request == START_PICKUP => body.reason,
            Event::PickupNoRecord(_) => R::NoRecord,
            Event::PickupNotArrived(_) => R::NotYetArrived,
            Event::PickupHeld(_) => R::Held,
            Event::PickupAlreadyCollected(_) => R::AlreadyCollected,
            Event::PickupNotEligible(_) => R::NotEligible,
            _ => return,
        };
        *self.refused.entry(reason).or_default() += 1;
    }

    fn ended(&mut self, body: &PickupEnded, wall_ms: u64) {
        *self.pickups.entry(body.outcome).or_default() += 1;
        if body.outcome == PickupOutcome::Collected {
            *self.collected_by_day.entry(day(wall_ms)).or_default() += 1;
            while self.collected_by_day.len() > DAYS_LEN_MAX {
                self.collected_by_day.pop_first();
            }
        }
    }

    fn announced(&mut self, body: &CardsAnnounced) {
        for card in &body.cards {
            self.first_seen(&card.serial, Whereabouts::MakerTransit);
        }
    }

    fn carried_over(&mut self, body: &CardsCarriedOver) {
        for card in &body.cards {
            self.moved(&card.serial, Whereabouts::of(&card.place));
        }
    }

    /// A card that came before its manifest stays where it is.
    fn first_seen(&mut self, card: &CardSerial, place: Whereabouts) {
        self.cards.entry(card.clone()).or_insert(place);
    }

    fn moved(&mut self, card: &CardSerial, place: Whereabouts) {
        if matches!(place, Whereabouts::HandedOver | Whereabouts::Returned) {
            self.cards.remove(card);
            *self.left.entry(place).or_default() += 1;
        } else {
            self.cards.insert(card.clone(), place);
        }
    }

    fn erasure(&mut self, body: &ErasureDone) {
        // Nobody can open them any more, so nobody needs them.
        self.blobs.retain(|_, session| *session != body.session);
        if body.centre_asked {
            self.erasures.insert(body.session.clone());
        }
    }
}

impl Whereabouts {
    /// Of a place.
    pub const fn of(place: &Place) -> Self {
        match place {
            Place::MakerTransit => Self::MakerTransit,
            Place::Safe => Self::Safe,
            Place::Slot { .. } => Self::Slot,
            Place::Transport { .. } => Self::Transport,
            Place::Exit { .. } => Self::Exit,
            Place::RetractBin { .. } => Self::RetractBin,
            Place::Quarantine => Self::Quarantine,
            Place::HandedOver => Self::HandedOver,
            Place::Courier => Self::Courier,
            Place::Returned => Self::Returned,
        }
    }
}

const fn day(wall_ms: u64) -> u64 {
    wall_ms.saturating_add(ZONE_MS) / DAY_MS
}
