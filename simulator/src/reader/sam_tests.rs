#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use schemas::ids::BatchId;

use super::*;
use crate::people::People;

fn sam() -> (Sam, ReaderFaults, Card) {
    let faults = ReaderFaults::default();
    let id = "05.03-20260101-1-1".parse().unwrap();
    let people = People::new(BatchId::new("demo-1").unwrap(), 1, 1).unwrap();
    let card = people.people.first().unwrap().card.clone();
    (Sam::new(id, faults.clone()), faults, card)
}

/// P3: find, select, read; then the card is not found again until it was lifted, and still answers.
#[test]
fn a_card_that_was_read_is_found_again_when_it_was_lifted() {
    use Request as Q;
    use SamResult as R;
    let (mut sam, _, card) = sam();
    let asks = |sam: &mut Sam, pairs: &[(Q, R)]| {
        for (request, result) in pairs {
            assert_eq!(sam.answer(*request).result, *result, "{request:?}");
        }
    };
    asks(
        &mut sam,
        &[
            (Q::FindCard, R::NoMedia),
            (Q::SelectCard, R::SelectFailed),
            (Q::ReadNewAddress, R::ReadFailed),
        ],
    );
    sam.see(Some(card.clone()));
    asks(
        &mut sam,
        &[
            (Q::ReadBase, R::SequenceError),
            (Q::FindCard, R::MediaFound),
            (Q::ReadBase, R::SequenceError),
            (Q::SelectCard, R::Success),
            (Q::ReadManagementNumber, R::Success),
            // Not read yet: it can be found again.
            (Q::FindCard, R::MediaFound),
            (Q::SelectCard, R::Success),
            (Q::ReadWithFingerprint, R::Success),
            (Q::FindCard, R::NoMedia),
            (Q::ReadNewAddress, R::ItemEmpty),
            (Q::ReadWithFingerprint, R::Success),
        ],
    );
    sam.see(None);
    asks(&mut sam, &[(Q::ReadNewAddress, R::ReadFailed)]);
    sam.see(Some(card));
    asks(
        &mut sam,
        &[
            (Q::ReadNewAddress, R::SequenceError),
            (Q::FindCard, R::MediaFound),
        ],
    );
}

/// P3: faults hold for as many times as they were told to.
#[test]
fn faults_count_down() {
    let (mut sam, faults, card) = sam();
    sam.see(Some(card));
    faults.set(ReaderFault::NoCard, 1);
    faults.set(ReaderFault::WrongChip, 1);
    for result in [SamResult::NoMedia, SamResult::MediaFound] {
        assert_eq!(sam.answer(Request::FindCard).result, result);
    }
    sam.answer(Request::SelectCard);
    let read = sam.answer(Request::ReadWithFingerprint);
    assert_eq!(read.result, SamResult::SamRejectsMedia);
    // Any failure: from the beginning.
    let again = sam.answer(Request::ReadWithFingerprint);
    assert_eq!(again.result, SamResult::SequenceError);
}

/// A3: without power a module forgets, and the card that lies there is found by the one that has it again.
#[test]
fn a3_a_module_that_was_without_power_finds_the_card_that_lies_there() {
    let (mut sam, _, card) = sam();
    sam.see(Some(card));
    for request in [
        Request::FindCard,
        Request::SelectCard,
        Request::ReadWithFingerprint,
    ] {
        sam.answer(request);
    }
    assert_eq!(sam.answer(Request::FindCard).result, SamResult::NoMedia);
    sam.power_on();
    assert_eq!(sam.answer(Request::FindCard).result, SamResult::MediaFound);
}
