//! Custody: which cards there are and where each of them is.

use schemas::event::custody::{
    AnnouncedCard, CardArrived, CardMoved, CardSurplus, CardsAnnounced, SlotFinding, SlotFound,
};
use schemas::event::evidence::{CardsCarriedOver, CarriedCard};
use schemas::ids::{BatchId, CardSerial};
use schemas::words::{HoldReason, Place};

use super::{Recorded, printed};
use crate::state::{Announced, Card, Stage, State};

pub(super) fn announced(state: &mut State, event: &CardsAnnounced) {
    for card in &event.cards {
        announce(state, &event.batch, card);
    }
}

pub(super) fn arrived(state: &mut State, event: &CardArrived) {
    if let Some(batch) = state.batches.get_mut(&event.batch)
        && batch.missing.remove(&event.card)
    {
        batch.arrived += 1;
    }
}

pub(super) fn surplus(state: &mut State, event: &CardSurplus) {
    if let Some(batch) = state.batches.get_mut(&event.batch) {
        batch.surplus.insert(event.card.clone());
    }
    state.cards.entry(event.card.clone()).or_insert(Card {
        place: Place::MakerTransit,
        hold: Some(HoldReason::Surplus),
        announced: None,
    });
}

fn announce(state: &mut State, batch: &BatchId, card: &AnnouncedCard) {
    for tag in [&card.number, &card.voucher] {
        state
            .tags
            .entry(tag.clone())
            .or_default()
            .push(card.serial.clone());
    }
    printed::announced(state, card);
    let announced = Announced {
        number: card.number.clone(),
        name: card.name.clone(),
        number_tail: card.number_tail.clone(),
        residence: card.residence,
        ground: card.ground,
        old_card_due: card.old_card_due,
    };
    // A card that arrived before its manifest stays where it is, and stays held.
    let record = state.cards.entry(card.serial.clone()).or_insert(Card {
        place: Place::MakerTransit,
        hold: card.held.then_some(HoldReason::Manifest),
        announced: None,
    });
    record.announced = Some(announced);
    if record.place != Place::MakerTransit {
        return;
    }
    if let Some(batch) = state.batches.get_mut(batch) {
        batch.missing.insert(card.serial.clone());
    }
}

pub(super) fn moved(state: &mut State, recorded: Recorded<'_>, moved: &CardMoved) {
    let Some(card) = state.cards.get_mut(&moved.card) else {
        return;
    };
    if let Place::Slot { machine, slot } = &card.place {
        state.slots.remove(&(machine.clone(), *slot));
    }
    card.place = moved.to.clone();
    match &moved.to {
        Place::Slot { machine, slot } => {
            state
                .slots
                .insert((machine.clone(), *slot), moved.card.clone());
            state
                .home
                .insert(moved.card.clone(), (machine.clone(), *slot));
        }
        Place::Exit { machine } => {
            if let Some(session) = state
                .machines
                .get_mut(machine)
                .and_then(|m| m.session.as_mut())
            {
                let ms = u64::from(session.hold_s) * 1000;
                session.stage = Stage::AtOutlet(schemas::time::Deadline::after(recorded.now, ms));
            }
        }
        Place::MakerTransit
        | Place::Safe
        | Place::Transport { .. }
        | Place::RetractBin { .. }
        | Place::Quarantine
        | Place::HandedOver
        | Place::Courier
        | Place::Returned => {}
    }
}

pub(super) fn slot_found(state: &mut State, event: &SlotFound) {
    let at = (event.machine.clone(), event.slot);
    match event.finding {
        SlotFinding::Missing | SlotFinding::Unexpected => {
            state.differing.insert(at, event.finding);
        }
        SlotFinding::Agrees => {
            state.differing.remove(&at);
        }
    }
}

/// The opening state of a log that follows another one.
pub(super) fn carried_over(state: &mut State, event: &CardsCarriedOver) {
    for card in &event.cards {
        carry(state, card);
    }
}

fn carry(state: &mut State, card: &CarriedCard) {
    if let Place::Slot { machine, slot } = &card.place {
        let at = (machine.clone(), *slot);
        state.slots.insert(at.clone(), card.serial.clone());
        state.uncounted.insert(machine.clone());
        state.home.insert(card.serial.clone(), at);
    }
    let announced = card.announced.as_ref().map(|carried| {
        for tag in &carried.tags {
            let cards = state.tags.entry(tag.clone()).or_default();
            cards.push(card.serial.clone());
        }
        Announced {
            number: carried.number.clone(),
            name: carried.name.clone(),
            number_tail: carried.number_tail.clone(),
            residence: carried.residence,
            ground: carried.ground,
            old_card_due: carried.old_card_due,
        }
    });
    let record = Card {
        place: card.place.clone(),
        hold: card.hold,
        announced,
    };
    state.cards.insert(card.serial.clone(), record);
}

pub(super) fn hold(state: &mut State, card: &CardSerial, reason: Option<HoldReason>) {
    if let Some(card) = state.cards.get_mut(card) {
        card.hold = reason;
    }
}
