//! A1 to A17 on the real binaries: applications over MQTT to each of their ends, and what stands against them.

use schemas::downlink::Instruction;
use schemas::downlink::application::PaymentConfirmed;
use schemas::event::Event;
use schemas::event::application::Comparison;
use schemas::ids::{OrderId, TransactionId};
use schemas::message::face::PICTURE_BYTES_MAX;
use schemas::message::peripheral::Fen;
use schemas::words::application::{FacePair, PaymentOddity, RefundCause};
use serde_json::{Value, json};
use station_tests::application::{
    self as apply, Applicant, Citizen, NUMBER, PAGE, QUICK, believed, grant, more_kiosks,
    with_terminal,
};
use station_tests::centre::TestCentre;
use station_tests::config::Layout;
use station_tests::kiosk::Kiosk;
use station_tests::left;
use station_tests::picture::png;
use station_tests::station::{Devices, Station};
use station_tests::stock::Stocked;
use tokio::runtime::Runtime;

/// Born in 2020: under 16 (A5) until 2036. A division code that does not exist.
const CHILD: &str = "110101202311012176";

/// A station of a centre that says what a test has it say.
struct Hall {
    runtime: Runtime,
    centre: TestCentre,
    station: Station,
    devices: Devices,
    _root: tempfile::TempDir,
}

impl Hall {
    fn open(policy: &[(&str, &str)], change: impl Fn(String) -> String) -> Self {
        let root = tempfile::tempdir().unwrap();
        let runtime = Runtime::new().unwrap();
        let centre = runtime.block_on(TestCentre::start(root.path()));
        let mut station = Station::configured(Layout::new(root.path()), |text| {
            change(believed(&centre.configure(&text)))
        });
        station.policy(&[&QUICK, policy].concat());
        let devices = apply::start(&mut station, &[]);
        centre.register(&station);
        Self {
            runtime,
            centre,
            station,
            devices,
            _root: root,
        }
    }

    fn tell(&self, instruction: &Instruction) {
        self.runtime
            .block_on(apply::tell(&self.centre, &self.station, instruction));
    }

    fn kiosk(&self, name: &str) -> Kiosk {
        Kiosk::connect(self.station.layout.mqtt, name)
    }

    fn start(&self) -> Applicant {
        Applicant::start(self.kiosk("kiosk-1"))
    }

    /// The events of its log; it runs no more.
    fn events(&mut self) -> Vec<Event> {
        assert!(self.station.stop().success());
        assert!(self.station.tool_ok(&["verify"], "").contains("whole"));
        let entries = left::entries(&self.station.layout).into_iter();
        entries.map(|entry| entry.event).collect()
    }
}

/// Each end without an acceptance that takes no longer than it takes to say so, one after the other at one kiosk.
#[test]
fn a1_a3_a5_a15_who_is_not_served_here_is_told_so() {
    let mut hall = Hall::open(&[], |text| text);
    let mut at = hall.start();
    at.entered(&json!({"kind": "first-issue"}));
    let refused = at.ended();
    assert_eq!(refused["application"]["refusal"], "kind-at-window");
    let window = |language: &str| refused["text"][language].as_str().unwrap().to_owned();
    assert!(
        window("zh").ends_with("建国路 1 号户政大厅 3 号窗口（工作日 09:00-17:00）"),
        "{refused}"
    );
    let english = window("en");
    assert!(
        english.ends_with("1 Jianguo Road, Chaoyang (workdays 09:00-17:00)"),
        "{english}"
    );

    // A5, word for word.
    let mut at = Applicant::start(at.kiosk);
    let child = Citizen {
        number: CHILD.to_owned(),
        ..Citizen::lost()
    };
    at.walk_through(&child);
    let refused = at.ended();
    assert_eq!(refused["application"]["refusal"], "under-age");
    assert_eq!(
        refused["text"]["en"],
        "Your resident ID card is not within the self-service acceptance scope. If you need help, please contact the staff."
    );
    assert_eq!(
        refused["text"]["zh"],
        "您的居民身份证不在自助受理范围内，如需帮助，请联系工作人员。"
    );

    // A3: three attempts at the number, then the window.
    let mut at = Applicant::start(at.kiosk);
    at.walk_to(&Citizen::lost(), "key-number");
    for left in [3, 2, 1] {
        assert_eq!(at.page()["attempts_left"], left);
        let receipt = at.enter(&json!({"number": "110105194912310021"}));
        assert_eq!(receipt["reason"], "number-invalid", "{receipt}");
    }
    let ended = at.ended();
    let page = ended["application"].clone();
    assert_eq!(page["window_reason"], "number-failed");
    let said = ended["text"]["zh"].as_str().unwrap();
    assert!(said.contains("户政大厅 3 号窗口"), "{said}");
    assert_eq!(page["ticket"], "W1-1");

    // A17: no centre and no grant.
    let mut at = Applicant::start(at.kiosk);
    let page = at.walk_through(&Citizen::lost());
    assert_eq!(page["window_reason"], "no-grant", "{page}");
    assert_eq!(page["ticket"], "W1-2");

    // A15: what was entered lies sealed in the ticket.
    let tickets = hall.events().into_iter().filter_map(|event| match event {
        Event::WindowTicketIssued(ticket) => Some(ticket.entered),
        _ => None,
    });
    let entered: Vec<_> = tickets.collect();
    assert_eq!(entered.len(), 2);
    assert!(entered[0].holder.is_none() && entered[1].holder.is_some());
}

/// A citizen's own ways: back, an entry for a page that is gone, the other language, away, cancelled. Whoever says nothing is let go.
#[test]
fn a4_a16_a_citizen_goes_back_cancels_or_leaves() {
    let hall = Hall::open(&[("step_timeout_s = 90", "step_timeout_s = 5")], |text| {
        text
    });
    hall.tell(&grant(1, false));
    let mut at = hall.start();
    assert!(
        !at.page()["inputs"]
            .as_array()
            .unwrap()
            .contains(&json!("back"))
    );
    at.walk_to(&Citizen::lost(), "confirm-identity");
    let shown = at.kiosk.page().clone();
    assert_eq!(shown["number_tail"], "002X");
    assert!(
        shown["text"]["en"]
            .as_str()
            .unwrap()
            .contains("**************002X")
    );
    let number = at.number();
    at.entered(&json!({"language": "zh-cn"}));
    assert_eq!(at.page()["language"], "zh-cn");
    at.entered(&json!({"back": {}}));
    assert_eq!(at.step(), "key-number");
    // A double tap on the page before.
    let late = at.enter_at(&number, &json!({"confirm_identity": true}));
    assert_eq!(late["reason"], "out-of-step", "{late}");
    let other = at.enter(&json!({"confirm_identity": true}));
    assert_eq!(other["reason"], "out-of-step", "{other}");
    assert_eq!(at.step(), "key-number");
    at.entered(&json!({"number": NUMBER}));
    at.wait("confirm-identity");
    // Not them: back to the choice of kind.
    at.entered(&json!({"confirm_identity": false}));
    assert_eq!(at.step(), "choose-kind");
    let busy = at
        .kiosk
        .request("start-application", json!({"language": "en"}));
    assert_eq!(busy["reason"], "machine-busy", "{busy}");
    let cancel = json!({"session": at.session});
    assert_eq!(at.kiosk.request("cancel", cancel)["outcome"], "accepted");
    assert_eq!(at.ended()["application"]["outcome"], "cancelled");
    let gone = at.enter_at(&number, &json!({"kind": "lost"}));
    assert_eq!(gone["reason"], "no-such-session", "{gone}");
    let mut at = Applicant::start(at.kiosk);
    assert_eq!(at.ended()["application"]["outcome"], "timed-out");
}

/// A6, A13, A17: a lost card is applied for under a grant, and the acceptance is provisional; what cannot be compared as a portrait is
/// refused with its reason, and does not cost an attempt.
#[test]
fn a6_a13_a17_a_lost_card_is_applied_for() {
    let mut hall = Hall::open(&[], |text| text);
    hall.tell(&grant(1, false));
    let mut at = hall.start();
    let citizen = Citizen::lost();
    at.walk_to(&citizen, "give-portrait");
    let large = [png("large"), vec![0; PICTURE_BYTES_MAX]].concat();
    for unusable in [&large[..], b"GIF89a", b"BM"] {
        let entry = at.portrait(unusable);
        let receipt = at.enter(&entry);
        assert_eq!(receipt["reason"], "picture-unusable", "{receipt}");
        assert!(
            receipt["text"]["en"]
                .as_str()
                .unwrap()
                .contains("JPEG or PNG")
        );
        assert_eq!(at.page()["attempts_left"], 3);
    }
    let page = at.walk_through(&citizen);
    assert_eq!(page["outcome"], "provisional", "{page}");
    assert_eq!(page["provisional"], true);
    let acceptance = page["acceptance_number"].as_str().unwrap().to_owned();
    assert!(acceptance.starts_with("110105001"), "{acceptance}");
    let events = hall.events();
    let accepted = events.iter().find_map(|event| match event {
        Event::ApplicationAccepted(accepted) => Some(accepted),
        _ => None,
    });
    let entered = &accepted.unwrap().entered;
    assert_eq!((entered.fingers.len(), entered.documents.len()), (2, 1));
    assert!(entered.signature.is_some() && entered.phone.is_some() && entered.live.is_some());
    let recorded = events
        .iter()
        .filter(|e| matches!(e, Event::ApplicationRecorded(r) if r.stills.len() == 1));
    assert_eq!(recorded.count(), 1, "A14");
}

/// A3, A7, A9: the present card is read, both photos and both hands are compared with it. Who is flagged is not accepted under a grant (A5).
#[test]
fn a3_a5_a7_a9_a_card_is_renewed_and_a_flagged_person_is_not() {
    let mut hall = Hall::open(&[], |text| text);
    hall.tell(&grant(1, true));
    let mut at = hall.start();
    let page = at.walk_through(&Citizen::lost());
    assert_eq!(page["refusal"], "flagged", "{page}");

    hall.tell(&grant(2, false));
    let mut at = Applicant::start(at.kiosk);
    let citizen = Citizen::renewal();
    at.walk_to(&citizen, "read-card");
    hall.devices.post("/citizen/arrive?person=0");
    hall.devices.post("/citizen/present-card");
    at.walk_to(&citizen, "confirm-identity");
    let shown = at.kiosk.page().clone();
    assert_eq!(
        (&shown["name"], &shown["number_tail"]),
        (&json!("*三"), &json!("002X"))
    );
    let page = at.walk_through(&citizen);
    assert_eq!(page["outcome"], "provisional", "{page}");

    let (mut faces, mut fingers) = (0, 0);
    for event in hall.events() {
        let (count, comparison) = match event {
            Event::ApplicationFacesCompared(b) => (&mut faces, b.comparison),
            Event::ApplicationFingerCompared(b) => (&mut fingers, b.comparison),
            _ => continue,
        };
        assert!(
            matches!(comparison, Comparison::Compared { matched: true, .. }),
            "{comparison:?}"
        );
        *count += 1;
    }
    assert_eq!((faces, fingers), (2, 2));
}

/// A7: what is wrong with a live photo is on the page, and the camera waits until the citizen has read it.
#[test]
fn a7_an_unusable_live_photo_is_named_and_taken_again() {
    let mut hall = Hall::open(&[], |text| text);
    hall.tell(&grant(1, true));
    let mut at = hall.start();
    let page = at.walk_through(&Citizen::lost());
    assert_eq!(page["refusal"], "flagged", "{page}");

    hall.tell(&grant(2, false));
    let mut at = Applicant::start(at.kiosk);
    let citizen = Citizen::renewal();
    at.walk_to(&citizen, "read-card");
    hall.devices.post("/citizen/arrive?person=0");
    hall.devices.post("/citizen/present-card");
    at.walk_to(&citizen, "give-portrait");
    hall.devices.post("/fault/face-matcher/poor-light?times=1");
    // The centre has the portrait, so what is compared first is the live photo.
    at.entered(&json!({"portrait": {"way": "prepared"}}));
    let page = at.wait("retake-live-photo");
    assert_eq!(page["failed_checks"], json!(["lighting"]));
    let said = at.kiosk.page()["text"]["en"].as_str().unwrap().to_owned();
    assert!(said.contains("too dark"), "{said}");
    let page = at.walk_through(&citizen);
    assert_eq!(page["outcome"], "provisional", "{page}");
    let (mut photos, mut rejected, mut live) = (0, 0, Vec::new());
    for event in hall.events() {
        match event {
            Event::ApplicationLivePhotoArchived(_) => photos += 1,
            Event::ApplicationLivePhotoRejected(_) => rejected += 1,
            Event::ApplicationFacesCompared(b) if b.pair == FacePair::LiveHistorical => {
                live.push(b.comparison);
            }
            _ => {}
        }
    }
    assert_eq!((photos, rejected), (2, 1));
    assert!(
        matches!(
            live.as_slice(),
            [Comparison::Compared { matched: true, .. }]
        ),
        "{live:?}"
    );
}

/// A9, A16: two kiosks apply at once and share a scanner: the second waits for it and is told so, and both come to their end.
#[test]
fn a9_two_kiosks_share_a_scanner() {
    let mut hall = Hall::open(&[], |text| more_kiosks(&text, ["kiosk-2".to_owned()]));
    hall.tell(&grant(1, false));
    hall.devices.post("/citizen/auto?behaviour=off");
    let citizen = Citizen::lost();
    let mut one = hall.start();
    one.walk_to(&citizen, "right-finger");
    // Nobody applies twice while the centre cannot be asked.
    let other = Citizen {
        number: "440524188001010014".to_owned(),
        ..Citizen::lost()
    };
    let mut two = Applicant::start(hall.kiosk("kiosk-2"));
    let page = two.walk_to(&other, "right-finger");
    assert_eq!(page["awaits"], "scanner-1", "{page}");
    hall.devices.post("/citizen/auto?behaviour=good");
    hall.devices.post("/citizen/finger/right?quality=good");
    std::thread::scope(|scope| {
        for (mut at, citizen) in [(one, &citizen), (two, &other)] {
            scope.spawn(move || {
                let page = at.walk_through(citizen);
                assert_eq!(page["outcome"], "provisional", "{page}");
            });
        }
    });
    let mut numbers: Vec<_> = hall
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::ApplicationAccepted(accepted) => Some(accepted.place),
            _ => None,
        })
        .collect();
    numbers.dedup();
    assert_eq!(numbers.len(), 2, "A13: no number twice");
}

/// A12: what a terminal reports twice counts once. The network's first transaction is that payment; a second one is money that came in twice
/// and is asked back.
#[test]
fn a12_a_fee_is_charged_once() {
    let mut hall = Hall::open(&[], |text| with_terminal(&text));
    hall.tell(&grant(1, false));
    let mut terminal = hall.kiosk("terminal-1");
    let mut at = hall.start();
    let citizen = Citizen {
        payment: "unionpay-card",
        ..Citizen::lost()
    };
    let page = at.walk_to(&citizen, "await-payment");
    let order = page["order"].as_str().unwrap().to_owned();
    assert_eq!(
        (&page["fee_fen"], &page["paid"]),
        (&json!(4_000), &json!(false))
    );
    let paid =
        json!({"order": order, "amount_fen": 4_000, "method": "unionpay-card", "state": "paid"});
    terminal.event("payment-changed", paid.clone());
    let page = at.ended()["application"].clone();
    assert_eq!(
        (&page["outcome"], &page["paid"]),
        (&json!("provisional"), &json!(true))
    );
    terminal.event("payment-changed", paid);
    for transaction in ["T1", "T1", "T2"] {
        hall.tell(&Instruction::PaymentConfirmed(PaymentConfirmed {
            order: OrderId::new(order.as_str()).unwrap(),
            amount_fen: Fen::new(4_000).unwrap(),
            transaction: TransactionId::new(transaction).unwrap(),
            way: None,
            paid_ms: None,
            code: None,
        }));
    }
    let (mut charged, mut odd, mut back) = (0, Vec::new(), Vec::new());
    for event in hall.events() {
        match event {
            Event::PaymentConfirmed(_) => charged += 1,
            Event::PaymentNoted(b) => odd.push(b.oddity),
            Event::RefundAsked(b) => back.push((b.cause, b.transaction.unwrap().to_string())),
            _ => {}
        }
    }
    assert_eq!(charged, 1);
    let repeated = PaymentOddity::Repeated;
    assert_eq!(
        odd,
        [repeated, repeated, repeated, PaymentOddity::SecondPayment]
    );
    assert_eq!(back, [(RefundCause::PaidTwice, "T2".to_owned())]);
}

/// A1: a machine whose dispenser has jammed hands out no cards until an operator has seen to it; its kiosk says so, and takes applications.
#[test]
fn a1_a_kiosk_takes_applications_while_its_dispenser_is_blocked() {
    let root = tempfile::tempdir().unwrap();
    let mut stocked = Stocked::start(root.path(), 2);
    let both = json!(["pickup", "application"]);
    stocked
        .kiosk
        .shows("loaded", PAGE, |page| page["services"] == both);
    stocked.devices.post("/fault/jam");
    stocked.start_pickup(0);
    let page = stocked.kiosk.shows("the jam", PAGE, |page| {
        page["services"] == json!(["application"])
    });
    assert_eq!(
        (&page["code"], &page["outcome"]),
        (&json!("ended"), &json!("device-failed")),
        "{page}"
    );
    assert_eq!(stocked.start_pickup(1)["reason"], "machine-blocked");

    let Stocked {
        mut station, kiosk, ..
    } = stocked;
    let mut at = Applicant::start(kiosk);
    assert_eq!(
        at.kiosk.page()["services"],
        Value::Null,
        "somebody is served"
    );
    let cancel = json!({"session": at.session});
    assert_eq!(at.kiosk.request("cancel", cancel)["outcome"], "accepted");
    assert_eq!(at.ended()["services"], json!(["application"]));

    station.kill();
    station.start();
    let mut kiosk = Kiosk::connect(station.layout.mqtt, "kiosk-1");
    let page = kiosk.shows("the page after a restart", PAGE, |page| {
        page["services"] == json!(["application"])
    });
    // How it ended is told once more.
    assert_eq!(
        (&page["code"], &page["application"]["outcome"]),
        (&json!("ended"), &json!("cancelled")),
        "{page}"
    );
}
