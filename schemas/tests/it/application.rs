//! The numbers and codes of an application (A1, A12, A13): acceptance numbers, reasons, fees, orders.

use proptest::prelude::*;
use schemas::acceptance::{AcceptanceNumber, AcceptanceSite, DailyPlace, DailySequence, DayIsFull};
use schemas::application::ApplicationReason;
use schemas::citizen::VoucherCode;
use schemas::civil::CivilDate;
use schemas::fee::FeeTable;
use schemas::ids::OrderId;
use schemas::message::application::Entry;
use schemas::message::peripheral::Fen;
use serde_json::json;

fn site() -> AcceptanceSite {
    AcceptanceSite::new("110105001").unwrap()
}

fn place(date: &str, sequence: u32) -> DailyPlace {
    DailyPlace {
        date: date.parse().unwrap(),
        sequence: DailySequence::new(sequence).unwrap(),
    }
}

/// A13: 22 digits, 6 of division, 3 of station, 8 of date, 5 of sequence (GA 214.4-2004).
#[test]
fn a13_an_acceptance_number_is_put_together_and_taken_apart() {
    let number = AcceptanceNumber::of(&site(), place("2026-11-22", 42));
    assert_eq!(number.expose(), "1101050012026112200042");
    assert_eq!(number.site(), Some(site()));
    assert_eq!(number.place(), Some(place("2026-11-22", 42)));
    for bad in [
        "",
        "110105001202611220000",
        "11010500120261122000420",
        "1101050012026112200000",
        "1101050012026022900001",
        "110105001202611220004２",
        "1101050012026112200A42",
    ] {
        assert!(AcceptanceNumber::new(bad).is_err(), "{bad}");
    }
}

/// A13, P1: what the voucher's barcode holds is the acceptance number.
#[test]
fn a13_the_number_is_the_code_of_the_voucher() {
    let number = AcceptanceNumber::of(&site(), place("2026-11-22", 1));
    assert_eq!(
        VoucherCode::from(&number),
        VoucherCode::new("1101050012026112200001").unwrap()
    );
}

/// G7: whoever knows the number may ask for the card, so it prints masked and is never written.
#[test]
fn g7_an_acceptance_number_prints_masked() {
    let number = AcceptanceNumber::of(&site(), place("2026-11-22", 42));
    assert_eq!(
        format!("{number} {number:?}"),
        "******************0042 ******************0042"
    );
}

/// A13: a day counts from 00001 to 99999 and then refuses; a clock that was set back gives no number twice.
#[test]
fn a13_a_day_ends_at_99999_and_no_number_comes_twice() {
    let today = |text: &str| text.parse::<CivilDate>().unwrap();
    assert_eq!(
        DailyPlace::next(None, today("2026-11-22")),
        Ok(place("2026-11-22", 1))
    );
    let newest = Some(place("2026-11-22", 7));
    assert_eq!(
        DailyPlace::next(newest, today("2026-11-22")),
        Ok(place("2026-11-22", 8))
    );
    assert_eq!(
        DailyPlace::next(newest, today("2026-11-23")),
        Ok(place("2026-11-23", 1))
    );
    assert_eq!(
        DailyPlace::next(newest, today("2026-11-21")),
        Ok(place("2026-11-22", 8))
    );
    let last = Some(place("2026-11-22", 99_999));
    let full = DayIsFull {
        date: today("2026-11-22"),
    };
    assert_eq!(DailyPlace::next(last, today("2026-11-22")), Err(full));
    assert_eq!(DailyPlace::next(last, today("2026-11-21")), Err(full));
    assert_eq!(
        DailyPlace::next(last, today("2026-11-23")),
        Ok(place("2026-11-23", 1))
    );
    assert_eq!(
        full.to_string(),
        "all 99999 acceptance numbers of 2026-11-22 are given; the next can be given a day later"
    );
}

/// A13: how far a site has counted is kept as it was.
#[test]
fn a13_a_place_is_kept_and_checked_when_read() {
    let kept = serde_json::to_string(&place("2026-11-22", 7)).unwrap();
    assert_eq!(kept, r#"{"date":"2026-11-22","sequence":7}"#);
    assert_eq!(
        serde_json::from_str::<DailyPlace>(&kept).unwrap(),
        place("2026-11-22", 7)
    );
    for bad in [
        r#"{"date":"2026-02-29","sequence":7}"#,
        r#"{"date":"2026-11-22","sequence":0}"#,
        r#"{"date":"2026-11-22","sequence":100000}"#,
    ] {
        assert!(serde_json::from_str::<DailyPlace>(bad).is_err(), "{bad}");
    }
}

/// A1: three reasons are accepted at a kiosk, by the codes of GA/T 2000.10-2014.
#[test]
fn a1_reasons_have_the_codes_of_the_standard() {
    let codes: Vec<u8> = ApplicationReason::ALL
        .iter()
        .map(|reason| reason.code())
        .collect();
    assert_eq!(codes, [11, 12, 13, 14, 15, 22, 24, 41]);
    for reason in ApplicationReason::ALL {
        assert_eq!(ApplicationReason::of_code(reason.code()), Some(*reason));
        assert_eq!(
            reason.is_self_service(),
            matches!(reason.code(), 22 | 24 | 41)
        );
    }
    assert_eq!(ApplicationReason::of_code(21), None);
}

/// A12: each reason costs what policy says, and nothing where it says nothing.
#[test]
fn a12_fees_go_by_the_reason() {
    let fen = |amount| Some(Fen::new(amount).unwrap());
    let table = FeeTable {
        renewal: fen(2_000),
        loss: fen(4_000),
        damage: None,
    };
    assert_eq!(
        table.of(ApplicationReason::Expiry).unwrap().to_string(),
        "20.00"
    );
    assert_eq!(table.of(ApplicationReason::Loss), fen(4_000));
    assert_eq!(table.of(ApplicationReason::Damage), None);
    assert_eq!(table.of(ApplicationReason::FirstFrom16), None);
}

/// A12: an order's number is one that every payment network takes, and it does not give away the voucher.
#[test]
fn a12_an_order_is_numbered_by_the_event_that_opens_it() {
    let order = OrderId::of_event(&site(), 1, 57).unwrap();
    assert_eq!(order.as_str(), "110105001i1e57");
    assert!(OrderId::of_event(&site(), u32::MAX, 99_999_999_999).is_ok());
    assert!(OrderId::of_event(&site(), u32::MAX, 999_999_999_999).is_err());
}

proptest! {
    /// Whatever the clock says, the count only grows: no number is given twice.
    #[test]
    fn no_clock_makes_a_number_twice(days in proptest::collection::vec(1_u8..=28, 1..50)) {
        let mut newest = None;
        for day in days {
            let next = DailyPlace::next(newest, CivilDate::new(2026, 11, day).unwrap()).unwrap();
            prop_assert!(newest.is_none_or(|newest| newest < next));
            newest = Some(next);
        }
    }
}

/// A6: as many checks of a portrait as the contract says are read, and no more.
#[test]
fn a6_a_portrait_has_at_most_16_checks() {
    let portrait = |checks: usize| {
        let checks = vec![json!({"check": "one-face", "passed": true}); checks];
        let entry = json!({"portrait": {"way": "booth", "checks": checks}});
        serde_json::from_value::<Entry>(entry)
    };
    assert!(portrait(0).is_ok() && portrait(16).is_ok());
    let refused = portrait(17).unwrap_err();
    assert_eq!(refused.to_string(), "more than 16 checks");
}
