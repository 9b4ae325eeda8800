//! What a new log takes over from the one before it (`gateway incarnate`): the custody records, and what the centre told. Sessions and
//! motions are not carried over: whoever stood at a machine is gone, and each dispenser is asked for its sequence anew. Nor are
//! applications and payments: what the centre says of them names the log that they are in.

use std::collections::BTreeMap;

use schemas::event::Event;
use schemas::event::application::{AcceptancesCarriedOver, PRINTED_PER_EVENT_MAX, PrintedNumber};
use schemas::event::centre::PolicyChanged;
use schemas::event::evidence::{
    CARRIED_PER_EVENT_MAX, CardsCarriedOver, CarriedAnnouncement, CarriedCard,
};
use schemas::event::station::MachineBlocked;
use schemas::ids::CardSerial;
use schemas::lookup::LookupTag;
use schemas::words::{BlockReason, Place};

use crate::payment::{Fate, Order, Standing};
use crate::state::{Announced, Card, State};

/// The opening state of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// How many cards.
    pub cards: u32,
    /// The key that the centre signs with, where it is another than the configuration names. The records in parts, then a block for each
    /// machine with a card on its way: an operator opens it and says where the card is. At last how far the acceptance numbers have come.
    pub events: Vec<Event>,
    /// The policy that the centre issued, for where its text is still there.
    pub policy: Option<PolicyChanged>,
    /// What stays behind.
    pub left: LeftBehind,
}

/// What is open in the old log, and is settled at the centre and at the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LeftBehind {
    /// Acceptances that the centre has not decided.
    pub acceptances: usize,
    /// Window tickets that no officer has closed.
    pub tickets: usize,
    /// Orders that can still be paid.
    pub orders: usize,
    /// Payments that are to be given back.
    pub refunds: usize,
}

impl LeftBehind {
    fn of(state: &State) -> Self {
        let orders = state.payments.orders.values();
        let is_open = |order: &&Order| order.standing == Standing::Open;
        let receipts = orders.clone().flat_map(|order| &order.receipts);
        Self {
            acceptances: state.acceptances.len(),
            tickets: state.tickets.len(),
            orders: orders.filter(is_open).count(),
            refunds: receipts
                .filter(|receipt| receipt.fate == Fate::Owed)
                .count(),
        }
    }
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
    let policy = state.centre.policy.clone();
    Carried {
        cards: u32::try_from(cards.len()).unwrap_or(u32::MAX),
        policy: policy.map(|(version, sha256)| PolicyChanged { version, sha256 }),
        left: LeftBehind::of(state),
        events: state
            .centre
            .key_change
            .clone()
            .into_iter()
            .map(Event::from)
            .chain(parts.map(Event::from))
            .chain(blocks.map(Event::from))
            .chain(acceptances(state).into_iter().map(Event::from))
            .collect(),
    }
}

/// How far the numbers have come, and the printed ones whose cards are still to be announced.
fn acceptances(state: &State) -> Vec<AcceptancesCarriedOver> {
    let Some(place) = state.applications.place else {
        return Vec::new();
    };
    let waiting = state.printed.iter();
    let printed: Vec<_> = waiting
        .map(|(printed, known)| PrintedNumber {
            printed: printed.clone(),
            known: known.clone(),
        })
        .collect();
    let parts = printed.chunks(PRINTED_PER_EVENT_MAX).map(<[_]>::to_vec);
    // At least one: it holds the newest number's place.
    let none = printed.is_empty().then(Vec::new);
    let parts = parts.chain(none);
    parts
        .map(|printed| AcceptancesCarriedOver { place, printed })
        .collect()
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
