//! A11 to A13, A15, G7: what is set and what is left out; who gets it, and when.

use std::sync::Arc;
use std::time::Duration;

use documents::Fonts;
use gateway_core::FeeStanding;
use schemas::acceptance::AcceptanceNumber;
use schemas::application::ApplicationReason;
use schemas::citizen::{CitizenName, CitizenNumber, PhoneNumber};
use schemas::civil::CivilDate;
use schemas::event::application::{Entered, WindowTicketIssued};
use schemas::ids::{DeviceId, OrderId, SessionId, TicketNumber};
use schemas::message::kiosk::Text;
use schemas::message::paper::Paper;
use schemas::message::peripheral::Fen;
use schemas::words::application::{ApplicationKind, PaymentWay, ProvisionalCause, WindowReason};
use schemas::words::paper::{PaperFault, PaperKind};
use zeroize::Zeroizing;

use super::facts::{Acceptance, What};
use super::printer::ticket_until;
use super::{CardDays, Facts, Occasion, PaperDesk, Printer};
use crate::held::Applicant;
use crate::metrics::Metrics;
use crate::testing::Sent;

/// A PNG of one grey pixel.
const DOT: &str = "89504e470d0a1a0a0000000d4948445200000001000000010800000000\
    3a7e9b550000000a4944415478da637000000042004184bf8e620000000049454e44ae426082";

fn printer() -> Printer {
    let station = documents::Station {
        name: Text {
            zh: "示例市公安局自助服务站".to_owned(),
            en: "Example station".to_owned(),
        },
        address: "示例市朝阳区建国路 1 号".to_owned(),
        hours: "每日 00:00-24:00".to_owned(),
        window: "3 号窗口".to_owned(),
    };
    let days = CardDays { made: 60, held: 90 };
    Printer::new(Fonts::embedded(), station, days)
}

fn occasion() -> Occasion {
    Occasion {
        at_ms: 1_795_334_640_000,
        is_dated: true,
        proof: "STN1 gateway.demo/station/demo/1 41 43 AAAA".to_owned(),
    }
}

fn kiosk() -> DeviceId {
    DeviceId::new("kiosk-1").unwrap()
}

fn session() -> SessionId {
    SessionId::from_index(40)
}

fn accepted(name: Option<&str>) -> Acceptance {
    let number = CitizenNumber::new("11010519491231002X").unwrap();
    let name = name.map(|name| CitizenName::new(name).unwrap());
    Acceptance {
        number: AcceptanceNumber::new("1101050012026112200042").unwrap(),
        reason: Some(ApplicationReason::Loss),
        provisional: vec![ProvisionalCause::Eligibility],
        entered: Entered {
            number_tail: Some(number.tail()),
            name: name.as_ref().map(CitizenName::masked),
            ..Entered::default()
        },
        fee: Some(FeeStanding {
            order: OrderId::new("110105001i1e57").unwrap(),
            amount: Fen::new(4_000).unwrap(),
            way: PaymentWay::Wechat,
            paid: false,
            transaction: None,
            by: CivilDate::new(2026, 12, 7).ok(),
        }),
        applicant: Some(Arc::new(Applicant {
            name,
            ..Applicant::keyed(number)
        })),
        phone: Some(Arc::new(PhoneNumber::new("13812345678").unwrap())),
        portrait: None,
        signature: Some(Arc::new(Zeroizing::new(hex::decode(DOT).unwrap()))),
    }
}

fn of(acceptance: Acceptance) -> Facts {
    Facts {
        session: session(),
        kiosk: kiosk(),
        what: What::Acceptance(Box::new(acceptance)),
    }
}

/// What became of each paper: none is good.
fn faults(facts: &Facts) -> Vec<(PaperKind, Option<PaperFault>)> {
    let set = printer().set(facts, &occasion());
    set.into_iter()
        .map(|(kind, pdf)| (kind, pdf.err()))
        .collect()
}

/// A11, A13: each paper that can be made is made; one that cannot is left out alone, with the reason.
#[test]
fn a13_a_paper_that_cannot_be_made_is_left_out_alone() {
    use PaperKind::{Certificate as C, PaymentNotice as N, RegistrationForm as F};
    assert_eq!(
        faults(&of(accepted(None))),
        [(C, None), (F, None), (N, None)]
    );
    // The last character of a masked name is shown, the first is on the form only.
    let rare = of(accepted(Some("\u{2CC56}明")));
    let character = Some(PaperFault::Character);
    assert_eq!(faults(&rare), [(C, None), (F, character), (N, None)]);
    let unsigned = of(Acceptance {
        signature: None,
        ..accepted(None)
    });
    let signature = Some(PaperFault::Signature);
    assert_eq!(
        faults(&unsigned),
        [(C, signature), (F, signature), (N, None)]
    );
    let forgotten = of(Acceptance {
        applicant: None,
        fee: None,
        ..accepted(None)
    });
    let not_held = Some(PaperFault::NotHeld);
    assert_eq!(faults(&forgotten), [(C, None), (F, not_held)]);
    let damaged = of(Acceptance {
        portrait: Some(Arc::new(Zeroizing::new(b"GIF89a".to_vec()))),
        ..accepted(None)
    });
    assert_eq!(faults(&damaged), [(C, None), (F, None), (N, None)]);
}

/// A13, T4: the certificate says by when the card is made, where the day of the acceptance is certain.
#[test]
fn t4_a_certificate_says_by_when_the_card_is_made() {
    let Facts { what, .. } = of(accepted(None));
    let What::Acceptance(mut acceptance) = what else {
        panic!("an acceptance")
    };
    let day = CivilDate::new(2027, 1, 21).ok();
    assert_eq!(printer().ready_by(&acceptance, &occasion()), day);
    acceptance.provisional.push(ProvisionalCause::Clock);
    assert_eq!(printer().ready_by(&acceptance, &occasion()), None);
}

fn ticket(held_h: Option<u16>) -> WindowTicketIssued {
    WindowTicketIssued {
        session: session(),
        kiosk: kiosk(),
        ticket: TicketNumber::of(1, 7),
        reason: WindowReason::NumberFailed,
        entered: Box::new(Entered {
            kind: Some(ApplicationKind::Lost),
            ..Entered::default()
        }),
        held_h,
    }
}

/// A15: a ticket needs nothing but itself.
#[test]
fn a15_a_ticket_is_set_whatever_is_known() {
    for held_h in [None, Some(72)] {
        let facts = super::of_ticket(&ticket(held_h));
        assert_eq!(faults(&facts), [(PaperKind::WindowTicket, None)]);
    }
}

/// A15: a ticket says until when it is held, unless nobody knows how long that is, or when it began.
#[test]
fn a15_a_ticket_says_until_when_it_is_held() {
    let dated = occasion();
    let until_ms = Some(dated.at_ms + 72 * 3_600_000);
    assert_eq!(ticket_until(&ticket(Some(72)), &dated), until_ms);
    assert_eq!(ticket_until(&ticket(None), &dated), None);
    let undated = Occasion {
        is_dated: false,
        ..dated
    };
    assert_eq!(ticket_until(&ticket(Some(72)), &undated), None);
}

/// A13, G7: nobody gets a paper before the log says that it was made; then its own kiosk does, again while it is held, and nobody else.
#[test]
fn g7_papers_go_to_their_kiosk_once_they_are_recorded() {
    let (sent, metrics) = (Sent::default(), Metrics::new().unwrap());
    let held = Duration::from_mins(2);
    let desk = PaperDesk::new(Arc::new(sent.clone()), metrics.clone(), held);
    let facts = of(accepted(Some("李小明")));
    let printed = format!("{facts:?}");
    assert!(!printed.contains("1949") && !printed.contains('明'));
    let set = printer().set(&facts, &occasion());
    desk.expect(&session());
    let record = desk.keep(&kiosk(), &session(), set).unwrap();
    assert_eq!(record.papers.len(), 3);
    assert!(desk.has(&kiosk(), &session()), "they are on their way");
    desk.again(&kiosk(), &session());
    assert_eq!(sent.count(), 0, "not recorded yet");

    desk.issue(&record);
    assert!(desk.has(&kiosk(), &session()));
    desk.again(&kiosk(), &session());
    let papers: Vec<Paper> = sent
        .on("kiosk-1", "papers")
        .into_iter()
        .map(|paper| serde_json::from_value(paper).unwrap())
        .collect();
    assert_eq!(papers.len(), 6);
    for (paper, issued) in papers.iter().zip(record.papers.iter().cycle()) {
        assert_eq!((paper.paper, &paper.sha256), (issued.paper, &issued.sha256));
        assert!(paper.pdf.expose().starts_with(b"%PDF-1.7"));
    }
    let messages = sent.since(0);
    assert!(messages.iter().all(|message| message.expiry_s == Some(120)));

    let other = DeviceId::new("kiosk-2").unwrap();
    assert!(!desk.has(&other, &session()));
    assert!(!desk.has(&kiosk(), &SessionId::from_index(41)));
    desk.forget(&session());
    assert!(!desk.has(&kiosk(), &session()));
    desk.again(&kiosk(), &session());
    assert_eq!(sent.count(), 6);
    let labels = ["certificate", "again"];
    assert_eq!(metrics.papers.with_label_values(&labels).get(), 1);
}

/// A13, G7: what was rejected, given up or erased while its papers were set is kept nowhere, and nothing is recorded of it; nor are papers
/// that were made kept longer.
#[test]
fn g7_papers_of_what_has_ended_are_not_kept() {
    let (sent, metrics) = (Sent::default(), Metrics::new().unwrap());
    let desk = PaperDesk::new(Arc::new(sent.clone()), metrics, Duration::from_mins(2));
    let set = || printer().set(&of(accepted(Some("李小明"))), &occasion());
    desk.expect(&session());
    desk.withdraw(&session());
    assert!(desk.keep(&kiosk(), &session(), set()).is_none());
    desk.expect(&session());
    let record = desk.keep(&kiosk(), &session(), set()).unwrap();
    desk.issue(&record);
    assert!(desk.has(&kiosk(), &session()));
    desk.withdraw(&session());
    assert!(!desk.has(&kiosk(), &session()));
    assert_eq!(sent.count(), 3);
}
