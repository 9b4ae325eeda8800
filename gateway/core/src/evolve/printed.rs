//! The number that is printed on a certificate, where the centre gave the application another one: the barcode finds the card all the
//! same (P1). Once the card is announced, the printed number is one more tag of its record, and ends with it.

use schemas::event::application::PrintedNumber;
use schemas::event::custody::AnnouncedCard;
use schemas::ids::CardSerial;
use schemas::lookup::LookupTag;

use crate::state::State;

/// The centre gave another number. Its card may be announced already.
pub(super) fn renumbered(state: &mut State, numbers: &PrintedNumber) {
    let cards: Vec<CardSerial> = numbers
        .known
        .iter()
        .filter_map(|tag| state.tags.get(tag))
        .flatten()
        .cloned()
        .collect();
    if cards.is_empty() {
        let (printed, known) = (numbers.printed.clone(), numbers.known.clone());
        state.printed.insert(printed, known);
    }
    for card in cards {
        leads_to(state, &numbers.printed, card);
    }
}

/// A card was announced under its final number.
pub(super) fn announced(state: &mut State, card: &AnnouncedCard) {
    let is_of_card = |tag: &LookupTag| *tag == card.voucher || card.older.contains(tag);
    let waiting = state.printed.iter();
    let printed: Vec<LookupTag> = waiting
        .filter(|(_, known)| known.iter().any(is_of_card))
        .map(|(printed, _)| printed.clone())
        .collect();
    for printed in printed {
        state.printed.remove(&printed);
        leads_to(state, &printed, card.serial.clone());
    }
}

fn leads_to(state: &mut State, printed: &LookupTag, card: CardSerial) {
    let cards = state.tags.entry(printed.clone()).or_default();
    if !cards.contains(&card) {
        cards.push(card);
    }
}
