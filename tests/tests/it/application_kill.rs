//! A12, A16, G2 on the real binaries: the gateway gets SIGKILL right after each step of an application was acknowledged. Nothing that a
//! citizen gave is half there, nothing is charged for it, nothing moves, and the kiosk knows what to show. `KILLS=15` kills at every step,
//! `SEED=…` repeats a run.

use std::collections::BTreeMap;

use schemas::event::Event;
use schemas::ids::{OrderId, SessionId};
use schemas::words::application::{ApplicationOutcome, PaymentOddity, RefundCause};
use serde_json::{Value, json};
use station_tests::application::{self as apply, Applicant, Citizen, PAGE, QUICK, believed, grant};
use station_tests::centre::TestCentre;
use station_tests::config::Layout;
use station_tests::kiosk::Kiosk;
use station_tests::station::{Devices, Station};
use station_tests::{Random, left};
use tokio::runtime::Runtime;

/// When it is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// The entry that answers this step was acknowledged.
    After(&'static str),
    /// The page says that this step is under way: a device, the centre or the terminal has it.
    During(&'static str),
}

/// Every step of the way, in its order.
const MOMENTS: [Moment; 15] = [
    Moment::During("choose-kind"),
    Moment::After("choose-kind"),
    Moment::After("choose-residence"),
    Moment::After("key-number"),
    Moment::After("confirm-identity"),
    Moment::During("await-eligibility"),
    Moment::After("give-portrait"),
    Moment::During("take-live-photo"),
    Moment::After("give-phone"),
    Moment::During("right-finger"),
    Moment::During("left-finger"),
    Moment::After("attach-documents"),
    Moment::During("sign"),
    Moment::After("sign"),
    Moment::After("choose-payment"),
];

fn citizen() -> Citizen {
    Citizen {
        payment: "unionpay-card",
        ..Citizen::lost()
    }
}

fn configured(text: &str) -> String {
    let peripherals = "# peripherals = [\"printer-1\"]";
    assert!(text.contains(peripherals));
    let text = believed(text).replace(peripherals, "peripherals = [\"terminal-1\"]");
    format!("{text}\n[[device]]\nid = \"terminal-1\"\nkind = \"payment-terminal\"\n")
}

/// Walks to the moment, and kills. The order that was open then.
fn kill_at(moment: Moment, station: &mut Station, at: &mut Applicant) -> Option<String> {
    let (Moment::After(step) | Moment::During(step)) = moment;
    at.walk_to(&citizen(), step);
    if moment == Moment::After(step) {
        let input = at.answer(&citizen()).unwrap();
        at.entered(&input);
    }
    let order = at.page()["order"].as_str().map(str::to_owned);
    station.kill();
    order
}

/// The kiosk connects again, asks what to show, and shows that this session was interrupted.
fn page_again(station: &Station, session: &str) -> Kiosk {
    let mut kiosk = Kiosk::connect(station.layout.mqtt, "kiosk-1");
    let receipt = kiosk.request("get-session", json!({}));
    assert_eq!(receipt["outcome"], "accepted", "{receipt}");
    let page = kiosk.shows("the page", PAGE, |page| page["session"] == session);
    assert_eq!(page["code"], "ended", "{page}");
    assert_eq!(page["application"]["outcome"], "interrupted", "{page}");
    kiosk
}

/// The citizen pays by card after all, and the terminal says so twice.
fn pay_late(station: &Station, order: &str) {
    let mut terminal = Kiosk::connect(station.layout.mqtt, "terminal-1");
    for _ in 0..2 {
        let paid = json!({"order": order, "amount_fen": 4_000, "method": "unionpay-card", "state": "paid"});
        terminal.event("payment-changed", paid);
    }
}

/// What the log says of the payments of one order.
#[derive(Debug, Default, PartialEq, Eq)]
struct Paid {
    confirmed: u32,
    noted: Vec<PaymentOddity>,
    asked_back: Vec<RefundCause>,
}

/// What the log says of the sessions and orders.
#[derive(Debug, Default)]
struct Told {
    ends: BTreeMap<SessionId, Vec<ApplicationOutcome>>,
    orders: BTreeMap<OrderId, Paid>,
    accepted: u32,
    motions: u32,
}

fn told(station: &Station) -> Told {
    let mut told = Told::default();
    for entry in left::entries(&station.layout) {
        match entry.event {
            Event::ApplicationEnded(b) => told.ends.entry(b.session).or_default().push(b.outcome),
            Event::ApplicationAccepted(_) => told.accepted += 1,
            Event::MotionIntended(_) | Event::CardMoved(_) => told.motions += 1,
            Event::PaymentConfirmed(b) => told.orders.entry(b.order).or_default().confirmed += 1,
            Event::PaymentNoted(b) => {
                let order = told.orders.entry(b.order).or_default();
                order.noted.push(b.oddity);
            }
            Event::RefundAsked(b) => {
                let order = told.orders.entry(b.order).or_default();
                order.asked_back.push(b.cause);
            }
            _ => {}
        }
    }
    told
}

fn motions(devices: &Devices) -> Value {
    devices.dispenser()["motions"].clone()
}

#[test]
fn a12_a16_g2_an_application_killed_at_any_step_is_interrupted() {
    let kills = std::env::var("KILLS").ok().and_then(|k| k.parse().ok());
    let kills: usize = kills.unwrap_or(3);
    let first = Random::seeded("application_kill").below(15);
    let root = tempfile::tempdir().unwrap();
    let runtime = Runtime::new().unwrap();
    let centre = runtime.block_on(TestCentre::start(root.path()));
    let mut station = Station::configured(Layout::new(root.path()), |text| {
        configured(&centre.configure(&text))
    });
    station.policy(&QUICK);
    let devices = apply::start(&mut station, &[]);
    centre.register(&station);
    runtime.block_on(apply::tell(&centre, &station, &grant(1, false)));
    let moved = motions(&devices);
    let mut kiosk = Kiosk::connect(station.layout.mqtt, "kiosk-1");
    let (mut interrupted, mut orders) = (Vec::new(), Vec::new());
    // Steps of four: a few kills lie apart, and fifteen of them are every moment.
    let chosen = (0..kills).map(|n| (usize::try_from(first).unwrap() + 4 * n) % MOMENTS.len());
    for moment in chosen.map(|at| MOMENTS[at]) {
        println!("killed {moment:?}");
        let mut at = Applicant::start(kiosk);
        let order = kill_at(moment, &mut station, &mut at);
        station.start();
        kiosk = page_again(&station, &at.session);
        if let Some(order) = order {
            pay_late(&station, &order);
            orders.push(order);
        }
        interrupted.push(at.session);
        apply::await_devices(&station);
    }
    // The last one is paid at once, and comes to its end.
    let mut at = Applicant::start(kiosk);
    let page = at.walk_to(&citizen(), "await-payment");
    pay_late(&station, page["order"].as_str().unwrap());
    assert_eq!(at.ended()["application"]["outcome"], "provisional");
    assert_eq!(motions(&devices), moved, "nothing moved");
    assert!(station.stop().success());
    assert!(station.tool_ok(&["verify"], "").contains("whole"));

    let told = told(&station);
    assert_eq!((told.accepted, told.motions), (1, 0));
    for session in &interrupted {
        let ends = &told.ends[&SessionId::new(session.as_str()).unwrap()];
        assert_eq!(*ends, [ApplicationOutcome::Interrupted], "{session}");
    }
    assert_eq!(told.ends.len(), interrupted.len() + 1);
    for order in &orders {
        let late = &told.orders[&OrderId::new(order.as_str()).unwrap()];
        let expected = Paid {
            confirmed: 1,
            noted: vec![PaymentOddity::Repeated],
            asked_back: vec![RefundCause::SessionEnded],
        };
        assert_eq!(*late, expected, "{order}");
    }
    let kept = told
        .orders
        .values()
        .filter(|paid| paid.asked_back.is_empty());
    assert_eq!(
        kept.count(),
        1,
        "one charge, for the application that was accepted"
    );
    println!(
        "application_kill: {kills} kills, {} late payments asked back",
        orders.len()
    );
}
