//! Batches from the maker: announcement, arrival, closing (C1).

use std::collections::BTreeSet;

use schemas::event::custody::{
    ANNOUNCED_PER_EVENT_MAX, AnnouncedCard, BatchAnnounced, BatchClosed, CardArrived, CardPlaced,
    CardReleased, CardSurplus, CardsAnnounced, CardsMissing,
};
use schemas::ids::{BatchId, CardSerial, OperatorId};
use schemas::lookup::LookupTag;
use schemas::message::kiosk::PlacedAt;
use schemas::words::{Place, RefusalReason};

use super::draft::Draft;
use crate::input::Announcement;
use crate::state::{Batch, Card};

/// Missing cards named in one event at the most, so that the signed event stays under 6 KB.
const MISSING_PER_EVENT_MAX: usize = 100;

pub(super) fn receive(
    draft: &mut Draft<'_>,
    operator: &OperatorId,
    batch: &BatchId,
    manifest: Option<&Announcement>,
) -> Result<(), RefusalReason> {
    if draft.base.batches.contains_key(batch) {
        return Err(RefusalReason::BatchKnown);
    }
    let manifest = manifest.ok_or(RefusalReason::ManifestUnreadable)?;
    let known = |card: &CardSerial| {
        draft
            .base
            .cards
            .get(card)
            .is_some_and(|c| c.announced.is_some())
    };
    if manifest.cards.iter().any(|card| known(&card.serial)) {
        return Err(RefusalReason::ManifestUnreadable);
    }
    draft.push(BatchAnnounced {
        batch: batch.clone(),
        cards: u32::try_from(manifest.cards.len()).unwrap_or(u32::MAX),
        operator: operator.clone(),
        manifest_sha256: manifest.manifest_sha256.clone(),
    });
    let waiting: BTreeSet<&LookupTag> = draft.base.printed.values().flatten().collect();
    for cards in manifest.cards.chunks(ANNOUNCED_PER_EVENT_MAX) {
        let cards = cards.iter().map(|card| AnnouncedCard {
            older: waited_for(&waiting, card),
            ..card.clone()
        });
        draft.push(CardsAnnounced {
            batch: batch.clone(),
            cards: cards.collect(),
        });
    }
    Ok(())
}

/// Of the tags under superseded keys the event holds what a printed number leads to, and no more: few cards have one.
fn waited_for(waiting: &BTreeSet<&LookupTag>, card: &AnnouncedCard) -> Vec<LookupTag> {
    let older = card.older.iter();
    older.filter(|tag| waiting.contains(tag)).cloned().collect()
}

fn open_batch<'a>(draft: &Draft<'a>, batch: &BatchId) -> Result<&'a Batch, RefusalReason> {
    draft
        .base
        .batches
        .get(batch)
        .filter(|b| !b.closed)
        .ok_or(RefusalReason::BatchUnknown)
}

pub(super) fn scan(
    draft: &mut Draft<'_>,
    operator: &OperatorId,
    batch_id: &BatchId,
    card: &CardSerial,
) -> Result<(), RefusalReason> {
    let batch = open_batch(draft, batch_id)?;
    let (batch, operator) = (batch, operator.clone());
    if batch.missing.contains(card) {
        draft.push(CardArrived {
            batch: batch_id.clone(),
            card: card.clone(),
            operator,
        });
        draft.move_card(card, Place::Safe, None);
    } else if draft.base.cards.contains_key(card) {
        return Err(RefusalReason::CardElsewhere);
    } else {
        draft.push(CardSurplus {
            batch: batch_id.clone(),
            card: card.clone(),
            operator,
        });
        draft.move_card(card, Place::Quarantine, None);
    }
    Ok(())
}

pub(super) fn close(
    draft: &mut Draft<'_>,
    operator: &OperatorId,
    batch_id: &BatchId,
) -> Result<(), RefusalReason> {
    let batch = open_batch(draft, batch_id)?;
    let missing: Vec<_> = batch.missing.iter().cloned().collect();
    for cards in missing.chunks(MISSING_PER_EVENT_MAX) {
        draft.push(CardsMissing {
            batch: batch_id.clone(),
            cards: cards.to_vec(),
        });
    }
    let count = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
    draft.push(BatchClosed {
        batch: batch_id.clone(),
        arrived: batch.arrived,
        missing: count(missing.len()),
        surplus: count(batch.surplus.len()),
        operator: operator.clone(),
    });
    Ok(())
}

/// An operator has a card in their hands that no other act can place.
pub(super) fn place(
    draft: &mut Draft<'_>,
    operator: &OperatorId,
    serial: &CardSerial,
    to: PlacedAt,
    release_hold: bool,
) -> Result<(), RefusalReason> {
    let card = draft
        .card(serial)
        .cloned()
        .ok_or(RefusalReason::CardUnknown)?;
    let late = || {
        let closed = draft.base.batches.values().filter(|batch| batch.closed);
        closed
            .into_iter()
            .any(|batch| batch.missing.contains(serial))
    };
    match card.place {
        Place::Safe | Place::Quarantine | Place::RetractBin { .. } => {}
        Place::MakerTransit if late() => {}
        Place::MakerTransit
        | Place::Slot { .. }
        | Place::Transport { .. }
        | Place::Exit { .. }
        | Place::HandedOver
        | Place::Courier
        | Place::Returned => return Err(RefusalReason::CardElsewhere),
    }
    if release_hold && card.announced.is_none() {
        // Nobody knows whose it is.
        return Err(RefusalReason::Held);
    }
    let to = match to {
        PlacedAt::Safe => Place::Safe,
        PlacedAt::Quarantine => Place::Quarantine,
    };
    let (card_id, operator) = (serial.clone(), operator.clone());
    draft.push(CardPlaced {
        card: card_id,
        to: to.clone(),
        operator,
    });
    draft.move_card(serial, to, None);
    if release_hold && card.hold.is_some() {
        draft.push(CardReleased {
            card: serial.clone(),
        });
    }
    Ok(())
}

/// Whether a card is at hand for an operator's act.
pub(super) fn in_safe(card: &Card) -> bool {
    card.place == Place::Safe
}
