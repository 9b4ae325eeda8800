//! P1: the number that is printed on a certificate finds the card, though the centre gave the application another one.

use crate::hall;
use crate::hall::prelude::*;
use gateway_core::{Announcement, Input, Recorded, Request, State, carry_over, evolve};
use schemas::acceptance::DailySequence;
use schemas::event::application::PrintedNumber;
use schemas::event::custody::{AnnouncedCard, CardMoved};
use schemas::ids::{BatchId, CardSerial, OperatorId};
use schemas::key::LookupKeyId;
use schemas::lookup::LookupTag;
use schemas::words::{LookupBy, Place};

/// The lookup keys, by age.
const KEYS: [&str; 2] = ["0000000a", "0000000b"];

fn tag(key: usize, name: &str) -> LookupTag {
    LookupTag::new(format!("{}.{name:A>22}", KEYS[key])).unwrap()
}

/// Under each key that is tried, the newest first.
fn tags(newest: usize, name: &str) -> Vec<LookupTag> {
    (0..=newest).rev().map(|key| tag(key, name)).collect()
}

fn serial() -> CardSerial {
    CardSerial::new("CARD0001").unwrap()
}

/// The centre confirms under another number.
fn confirm(hall: &mut Hall, newest: usize) {
    let mut events = hall.log.iter().map(|(_, event)| event);
    let (session, site, place) = events
        .find_map(|event| match event {
            Event::ApplicationAccepted(b) => Some((b.session.clone(), b.site.clone(), b.place)),
            _ => None,
        })
        .unwrap();
    let place = DailyPlace {
        date: place.date,
        sequence: DailySequence::new(90_001).unwrap(),
    };
    let printed = PrintedNumber {
        printed: tag(newest, "printed"),
        known: tags(newest, "final"),
    };
    let confirmed = Decision::Confirmed { site, place };
    assert!(hall.decided_as(&session, confirmed, Some(Box::new(printed))));
}

/// The manifest with the card, under its final number.
fn announce(hall: &mut Hall, newest: usize) {
    let mut vouchers = tags(newest, "final").into_iter();
    let number = hall::person(1, Card::Good, None).number[0].clone();
    let card = AnnouncedCard {
        serial: serial(),
        number,
        voucher: vouchers.next().unwrap(),
        name: schemas::citizen::MaskedName::new("**明").unwrap(),
        number_tail: schemas::citizen::NumberTail::new("002X").unwrap(),
        residence: Residence::Local,
        ground: None,
        old_card_due: false,
        held: false,
        older: vouchers.collect(),
    };
    request(
        hall,
        Request::ReceiveBatch {
            operator: OperatorId::new("operator-1").unwrap(),
            batch: BatchId::new("batch-1").unwrap(),
            manifest: Some(Announcement {
                manifest_sha256: "00".repeat(32),
                cards: vec![card],
            }),
        },
    );
    assert!(hall.state.card(&serial()).is_some());
}

fn request(hall: &mut Hall, request: Request) {
    hall.input(Input::Request {
        kiosk: device("kiosk-1"),
        deadline_ms: u64::MAX,
        request,
    });
}

/// The card that the printed number leads to: it is known, and on its way to the station.
fn found(hall: &mut Hall, newest: usize) -> Option<CardSerial> {
    let tags = tags(newest, "printed");
    let by = LookupBy::Voucher;
    request(hall, Request::StartPickup { by, tags });
    match &hall.log.last().unwrap().1 {
        Event::PickupNotArrived(b) => Some(b.card.clone()),
        Event::PickupNoRecord(_) => None,
        other => panic!("{other:?}"),
    }
}

/// As a snapshot is written and read.
fn snapshot(hall: &mut Hall) {
    let mut bytes = Vec::new();
    ciborium::into_writer(&hall.state, &mut bytes).unwrap();
    let read: State = ciborium::from_reader(bytes.as_slice()).unwrap();
    assert_eq!(read, hall.state);
    hall.state = read;
}

/// As `gateway incarnate` does it.
fn incarnate(hall: &mut Hall) {
    let mut next = State::default();
    for event in carry_over(&hall.state).events {
        let index = next.next_index();
        let (now, event) = (&hall.now, &event);
        evolve(&mut next, Recorded { index, now, event });
    }
    hall.state = next;
}

/// What happens between the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Between {
    Nothing,
    Restart,
    Snapshot,
    Incarnation,
}

/// P1, G4: whichever comes first of manifest and decision, whatever is between them, and under whichever lookup key each was tagged.
#[test]
fn p1_a_printed_number_finds_the_card_of_its_final_one() {
    use Between::{Incarnation, Nothing, Restart, Snapshot};
    for between in [Nothing, Restart, Snapshot, Incarnation] {
        for (first_key, second_key) in [(0, 0), (0, 1), (1, 1)] {
            for manifest_first in [false, true] {
                let shown = format!("{between:?}, {first_key} {second_key}, {manifest_first}");
                let mut hall = Hall::new();
                GOOD.go(&mut hall, "kiosk-1");
                assert_eq!(found(&mut hall, first_key), None, "{shown}");
                // An acceptance is not carried over, so its decision comes to nothing in the log after it.
                let confirms_later = manifest_first && between != Incarnation;
                if manifest_first {
                    announce(&mut hall, first_key);
                }
                if !confirms_later {
                    confirm(&mut hall, first_key);
                }
                match between {
                    Nothing => {}
                    Restart => hall.restart(),
                    Snapshot => snapshot(&mut hall),
                    Incarnation => incarnate(&mut hall),
                }
                if confirms_later {
                    confirm(&mut hall, second_key);
                }
                if !manifest_first {
                    assert_eq!(found(&mut hall, second_key), None, "{shown}");
                    announce(&mut hall, second_key);
                }
                assert_eq!(found(&mut hall, second_key), Some(serial()), "{shown}");
                snapshot(&mut hall);
                incarnate(&mut hall);
                assert_eq!(found(&mut hall, second_key), Some(serial()), "{shown}");
            }
        }
    }
}

/// ADR 5: the key that a printed number is tagged with is kept until its card is handed over, from before the card is announced.
#[test]
fn p1_the_key_of_a_printed_number_stays_until_the_card_is_handed_over() {
    let old = LookupKeyId::new(KEYS[0]).unwrap();
    let mut hall = Hall::new();
    GOOD.go(&mut hall, "kiosk-1");
    confirm(&mut hall, 0);
    assert!(hall.state.lookup_keys_in_use().contains(&old));
    announce(&mut hall, 1);
    assert!(hall.state.lookup_keys_in_use().contains(&old));
    let moved = CardMoved {
        card: serial(),
        from: Place::MakerTransit,
        to: Place::HandedOver,
        session: None,
    };
    let (index, now, event) = (hall.state.next_index(), &hall.now.clone(), &moved.into());
    evolve(&mut hall.state, Recorded { index, now, event });
    assert!(!hall.state.lookup_keys_in_use().contains(&old));
}
