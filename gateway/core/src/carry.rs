//! What a new log takes over from the one before it (`gateway incarnate`): the custody records. Sessions and motions are not
//! carried over: whoever stood at a machine is gone, and each dispenser is asked for its sequence anew.

use std::collections::BTreeMap;

use schemas::event::Event;
use schemas::event::application::AcceptancesCarriedOver;
use schemas::event::evidence::{
    CARRIED_PER_EVENT_MAX, CardsCarriedOver, CarriedAnnouncement, CarriedCard,
};
use schemas::event::station::MachineBlocked;
use schemas::ids::CardSerial;
use schemas::lookup::LookupTag;
use schemas::words::{BlockReason, Place};

use crate::state::{Announced, Card, State};

/// The opening state of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// How many cards.
    pub cards: u32,
    /// The records in parts, then a block for each machine with a card on its way: an operator opens it and says where the card is. At last
    /// how far the acceptance numbers have come.
    pub events: Vec<Event>,
}

/// What the log after this one begins with.
pub fn carry_over(state: &State) -> Carried {
    let tags = tags_by_card(state);
    let cards: Vec<CarriedCard> = state
        .cards
        .iter()
        .map(|(serial, card)| carried(serial, card, tags.get(serial).map_or(&[], Vec::as_slice)))
        .collect();
    let blocks = state
        .cards
        .iter()
        .filter_map(|(serial, card)| match &card.place {
            Place::Transport { machine } | Place::Exit { machine } => Some(MachineBlocked {
                machine: machine.clone(),
                reason: BlockReason::CardInTransport,
                card: Some(serial.clone()),
            }),
            Place::MakerTransit
            | Place::Safe
            | Place::Slot { .. }
            | Place::RetractBin { .. }
            | Place::Quarantine
            | Place::HandedOver
            | Place::Courier
            | Place::Returned => None,
        });
    let parts = cards
        .chunks(CARRIED_PER_EVENT_MAX)
        .map(|cards| CardsCarriedOver {
            cards: cards.to_vec(),
        });
    let newest = state.applications.place;
    let newest = newest.map(|place| AcceptancesCarriedOver { place });
    Carried {
        cards: u32::try_from(cards.len()).unwrap_or(u32::MAX),
        events: parts
            .map(Event::from)
            .chain(blocks.map(Event::from))
            .chain(newest.map(Event::from))
            .collect(),
    }
}

fn tags_by_card(state: &State) -> BTreeMap<&CardSerial, Vec<LookupTag>> {
    let mut tags: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (tag, cards) in &state.tags {
        for card in cards {
            tags.entry(card).or_default().push(tag.clone());
        }
    }
    tags
}

fn carried(serial: &CardSerial, card: &Card, tags: &[LookupTag]) -> CarriedCard {
    let announced = |a: &Announced| CarriedAnnouncement {
        tags: tags.to_vec(),
        number: a.number.clone(),
        name: a.name.clone(),
        number_tail: a.number_tail.clone(),
        residence: a.residence,
        ground: a.ground,
        old_card_due: a.old_card_due,
    };
    CarriedCard {
        serial: serial.clone(),
        place: card.place.clone(),
        hold: card.hold,
        announced: card.announced.as_ref().map(announced),
    }
}
