//! A12, A16, G2, G7 on the real binaries: the gateway gets SIGKILL at each step of both ways through an application, under the shipped
//! policy and with a centre that decides. Nothing that a citizen gave is half there or can be read, nothing is charged for it, nothing
//! moves, and the kiosk knows what to show. `KILLS=150` goes through all steps so often that it is killed about so many times.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;

use schemas::event::Event;
use schemas::ids::{OrderId, SessionId};
use schemas::order::PaymentCode;
use schemas::words::application::{ApplicationOutcome, PaymentOddity, RefundCause};
use serde_json::{Value, json};
use simulator::centre::Asked;
use station_tests::application::{
    self as apply, Applicant, Citizen, PAGE, believed, with_terminal,
};
use station_tests::canary::{PEOPLE, PHONE, observe, people};
use station_tests::centre::TestCentre;
use station_tests::config::Layout;
use station_tests::kiosk::Kiosk;
use station_tests::planted::{self, WHO, planted};
use station_tests::search::{Needle, Place, files, find};
use station_tests::station::{Devices, Station};
use station_tests::{left, wait_for};
use tokio::runtime::Runtime;

const STEP: Duration = Duration::from_secs(30);

/// When it is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// The entry that answers this step was acknowledged.
    After(&'static str),
    /// The page says that this step is under way: a device, the centre or the network of a payment has it.
    During(&'static str),
}

use Moment::{After, During};

/// Every step of a renewal, in its order.
const RENEWAL: [Moment; 19] = [
    After("choose-kind"),
    After("choose-residence"),
    During("read-card"),
    During("await-eligibility"),
    After("confirm-identity"),
    After("give-portrait"),
    During("compare-portrait"),
    During("take-live-photo"),
    During("retake-live-photo"),
    During("compare-live"),
    After("give-phone"),
    During("await-sms"),
    After("key-sms-code"),
    During("right-finger"),
    During("left-finger"),
    After("attach-documents"),
    After("sign"),
    After("choose-payment"),
    During("await-payment"),
];
/// Every step where a card was lost: nothing is read, and there is nothing to compare with.
const LOST: [Moment; 16] = [
    After("choose-kind"),
    After("choose-residence"),
    After("key-number"),
    During("await-eligibility"),
    After("confirm-identity"),
    After("give-portrait"),
    During("take-live-photo"),
    After("give-phone"),
    During("await-sms"),
    After("key-sms-code"),
    During("right-finger"),
    During("left-finger"),
    After("attach-documents"),
    After("sign"),
    After("choose-payment"),
    During("await-payment"),
];

impl Moment {
    const fn step(self) -> &'static str {
        let (After(step) | During(step)) = self;
        step
    }

    /// What makes the step come, or last until the kill.
    const fn faults(self) -> &'static [&'static str] {
        match self.step().as_bytes() {
            b"compare-portrait" | b"compare-live" => &["/fault/face-matcher/slow"],
            b"take-live-photo" => &["/fault/camera/slow"],
            b"retake-live-photo" => &["/fault/face-matcher/poor-light"],
            b"right-finger" | b"left-finger" => &["/citizen/auto?behaviour=off"],
            _ => &[],
        }
    }

    /// The centre has the portrait, so that what is compared first is the live photo.
    fn is_prepared(self) -> bool {
        matches!(self.step(), "retake-live-photo" | "compare-live")
    }
}

fn renewal() -> Citizen {
    Citizen {
        payment: "wechat",
        ..planted::citizen()
    }
}

fn lost() -> Citizen {
    Citizen {
        kind: "lost",
        number: people().people[WHO].card.number.clone(),
        payment: "unionpay-card",
        ..planted::citizen()
    }
}

/// A centre that decides, a station of it that is killed again and again, and what a stranger on its network hears.
struct Town {
    runtime: Runtime,
    centre: TestCentre,
    station: Station,
    devices: Devices,
    /// What is looked for: who applies, and the codes that their phone was sent.
    needles: Vec<Needle>,
    heard: (Sender<()>, Receiver<Place>),
    /// Bytes of the output that were looked through.
    output_len: usize,
    root: tempfile::TempDir,
}

impl Town {
    fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let root = tempfile::tempdir().unwrap();
        let mut centre = runtime.block_on(TestCentre::start(root.path()));
        let station = Station::configured(Layout::new(root.path()), |text| {
            centre.configure_with_blobs(&with_terminal(&believed(&text)), "")
        });
        let mut station =
            station.logging("trace,sled=debug,mio=info,h2=info,hyper=info,tower=info");
        let (len, seed) = (PEOPLE.0.to_string(), PEOPLE.1.to_string());
        let devices = apply::start(&mut station, &["--people", &len, "--seed", &seed]);
        devices.post(&format!("/citizen/arrive?person={WHO}"));
        centre.register(&station);
        runtime.block_on(centre.follow_and_decide());
        let heard = observe(station.layout.mqtt);
        Self {
            runtime,
            centre,
            station,
            devices,
            needles: planted(),
            heard,
            output_len: 0,
            root,
        }
    }

    fn ask(&self, asked: Asked) -> Value {
        self.runtime.block_on(self.centre.ask(asked))
    }

    /// The code on the phone, which is looked for from now on.
    fn code(&mut self) -> String {
        let seen = self.ask(Asked::Look);
        let messages = seen["phone"].as_array().unwrap().iter().rev();
        let texts = messages.filter(|message| message["phone"] == PHONE);
        let mut texts = texts.map(|message| message["text"].as_str().unwrap());
        let text = texts.find(|text| text.contains("验证码")).unwrap();
        let digits = text.chars().filter(char::is_ascii_digit);
        let code: String = digits.take(6).collect();
        // Six digits are found by chance in so many others, unless they stand alone.
        let quoted = format!("\"{code}\"");
        self.needles.push(Needle::bytes("code", quoted.as_bytes()));
        code
    }

    /// What the citizen does at a step beside the screen, and what they enter; none: it is not their turn.
    fn act(
        &mut self,
        at: &mut Applicant,
        citizen: &Citizen,
        moment: Option<Moment>,
    ) -> Option<Value> {
        match at.step().as_str() {
            "read-card" => self.devices.post("/citizen/present-card"),
            "confirm-identity" => self.devices.post("/citizen/lift-card"),
            "give-portrait" if moment.is_some_and(Moment::is_prepared) => {
                return Some(json!({"portrait": {"way": "prepared"}}));
            }
            "key-sms-code" => return Some(json!({"sms_code": self.code()})),
            "right-finger" if moment == Some(During("left-finger")) => {
                self.devices.post("/citizen/finger/right");
            }
            "await-payment" => self.pay(at, citizen),
            _ => {}
        }
        at.answer(citizen)
    }

    /// Goes on to this step, or to the end.
    fn walk(&mut self, at: &mut Applicant, citizen: &Citizen, moment: Option<Moment>) {
        let wanted = moment.map_or("", Moment::step);
        while at.step() != wanted {
            assert_eq!(at.page()["outcome"], Value::Null, "{moment:?}");
            let number = at.number();
            match self.act(at, citizen, moment) {
                Some(input) => at.entered(&input),
                None => at.changes_from(&number),
            }
        }
    }

    /// The citizen scans the code on the screen, or uses the terminal.
    fn pay(&self, at: &mut Applicant, citizen: &Citizen) {
        if citizen.payment == "unionpay-card" {
            return self.pay_at_terminal(at.page()["order"].as_str().unwrap(), 1);
        }
        let page = at.kiosk.shows("how to pay", STEP, |page| {
            let page = &page["application"];
            page["payment_code"].is_string() || page["step"] != "await-payment"
        });
        if let Some(code) = page["application"]["payment_code"].as_str() {
            let code = PaymentCode::new(code).unwrap();
            self.ask(Asked::Scan { code });
        }
    }

    fn pay_at_terminal(&self, order: &str, times: usize) {
        let mut terminal = Kiosk::connect(self.station.layout.mqtt, "terminal-1");
        for _ in 0..times {
            let paid = json!({"order": order, "amount_fen": 4_000, "method": "unionpay-card", "state": "paid"});
            terminal.event("payment-changed", paid);
        }
    }

    /// Somebody who was interrupted pays after all: by card, and the terminal says so twice; or by phone.
    fn pay_late(&self, order: &OrderId, citizen: &Citizen) {
        if citizen.payment == "unionpay-card" {
            return self.pay_at_terminal(order.as_str(), 2);
        }
        let bill = |is_confirmed: bool| {
            let seen = self.ask(Asked::Look);
            let mut bills = seen["orders"].as_array().unwrap().iter();
            let is_it = |bill: &&Value| {
                bill["order"] == order.as_str() && bill["confirmed"] == is_confirmed
            };
            bills.find(is_it).map(|_| ())
        };
        wait_for("the centre knows the order", STEP, || bill(false));
        self.ask(Asked::Pay {
            order: order.clone(),
            amount_fen: None,
        });
        wait_for("the station has the payment", STEP, || bill(true));
    }

    /// Walks to the moment, kills, and looks through all that is there while the program is dead. The orders that were placed.
    fn kill_at(&mut self, moment: Moment, citizen: &Citizen, at: &mut Applicant) -> Vec<OrderId> {
        for fault in moment.faults() {
            self.devices.post(fault);
        }
        self.walk(at, citizen, Some(moment));
        if let After(step) = moment {
            let input = self.act(at, citizen, Some(moment));
            at.entered(&input.unwrap_or_else(|| panic!("nobody answers {step}")));
        }
        self.station.kill();
        let places = self.left();
        let found = find(&self.needles, &places);
        assert!(found.is_empty(), "{moment:?}: {found:#?}");
        self.devices.post("/fault/clear");
        self.devices.post("/citizen/auto?behaviour=good");
        self.devices.post("/citizen/lift-card");
        orders_of(&self.station, &at.session)
    }

    /// All that the dead program left, said and sent since it was last looked for.
    fn left(&mut self) -> Vec<Place> {
        // A connection that is gone ends by itself too.
        self.heard.0.send(()).ok();
        let mut sent = Place {
            name: "what a stranger was sent".to_owned(),
            bytes: Vec::new(),
        };
        for Place { name, bytes } in &self.heard.1 {
            sent.bytes
                .extend([name.as_bytes(), b"\0", &bytes, b"\0"].concat());
        }
        let output = self.station.output().into_bytes();
        let said = Place {
            name: "output".to_owned(),
            bytes: output[self.output_len..].to_vec(),
        };
        self.output_len = output.len();
        let mut places = vec![sent, said];
        files(&self.station.layout.data(), &mut places);
        files(&self.station.layout.keys(), &mut places);
        let control = [Needle::text("a kiosk", "kiosk-1", None)];
        for place in &places[..2] {
            let heard = find(&control, std::slice::from_ref(place));
            assert!(!heard.is_empty(), "the search finds: {}", place.name);
        }
        places
    }

    /// It starts again; the kiosk asks what to show, and shows that this session was interrupted.
    fn again(&mut self, session: &str) -> Kiosk {
        self.station.start();
        self.heard = observe(self.station.layout.mqtt);
        apply::await_devices(&self.station);
        let mut kiosk = Kiosk::connect(self.station.layout.mqtt, "kiosk-1");
        let receipt = kiosk.request("get-session", json!({}));
        assert_eq!(receipt["outcome"], "accepted", "{receipt}");
        let page = kiosk.shows("the page", PAGE, |page| page["session"] == session);
        assert_eq!(page["code"], "ended", "{page}");
        assert_eq!(page["application"]["outcome"], "interrupted", "{page}");
        wait_for("the link is up", STEP, || {
            (self.station.metric("station_link_sent")? > 0.0).then_some(())
        });
        kiosk
    }

    fn motions(&self) -> Value {
        self.devices.dispenser()["motions"].clone()
    }
}

/// The orders of a session, as the log of the dead program has them.
fn orders_of(station: &Station, session: &str) -> Vec<OrderId> {
    let entries = left::entries(&station.layout).into_iter();
    let orders = entries.filter_map(|entry| match entry.event {
        Event::PaymentOrdered(b) if b.session.as_str() == session => Some(b.order),
        _ => None,
    });
    orders.collect()
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

impl Told {
    /// What was paid for an interrupted session is owed back, once; one charge is kept, of what was accepted.
    fn charged_once(&self, interrupted: &BTreeSet<OrderId>, noted: &[PaymentOddity]) {
        for order in interrupted {
            let expected = Paid {
                confirmed: 1,
                noted: noted.to_vec(),
                asked_back: vec![RefundCause::SessionEnded],
            };
            assert_eq!(self.orders[order], expected, "{order}");
        }
        let others = self.orders.iter();
        let others: Vec<_> = others
            .filter(|(order, _)| !interrupted.contains(order))
            .collect();
        let [(_, kept)] = others.as_slice() else {
            panic!("{others:?}")
        };
        assert_eq!((kept.confirmed, kept.asked_back.len()), (1, 0), "{kept:?}");
    }
}

/// Killed at each of these moments, and then left alone to the end.
fn killed(moments: &[Moment], citizen: &Citizen, end: &str) {
    let kills = std::env::var("KILLS").ok().and_then(|k| k.parse().ok());
    let rounds = kills.map_or(1, |kills: usize| kills.div_ceil(RENEWAL.len() + LOST.len()));
    let mut town = Town::new();
    let moved = town.motions();
    let mut kiosk = Kiosk::connect(town.station.layout.mqtt, "kiosk-1");
    let (mut interrupted, mut orders) = (Vec::new(), BTreeSet::new());
    for moment in (0..rounds).flat_map(|_| moments) {
        let mut at = Applicant::start(kiosk);
        let placed = town.kill_at(*moment, citizen, &mut at);
        println!("killed {moment:?}");
        kiosk = town.again(&at.session);
        for order in &placed {
            town.pay_late(order, citizen);
        }
        orders.extend(placed);
        interrupted.push(at.session);
    }
    let mut at = Applicant::start(kiosk);
    town.walk(&mut at, citizen, None);
    assert_eq!(at.ended()["application"]["outcome"], end);
    assert_eq!(town.motions(), moved, "nothing moved");
    assert!(town.station.stop().success());
    let places = town.left();
    let found = find(&town.needles, &places);
    assert!(found.is_empty(), "{found:#?}");
    assert!(town.station.tool_ok(&["verify"], "").contains("whole"));
    town.runtime.block_on(town.centre.stop());

    let told = told(&town.station);
    assert_eq!((told.accepted, told.motions), (1, 0));
    assert_eq!(told.ends.len(), interrupted.len() + 1);
    for session in &interrupted {
        let ends = &told.ends[&SessionId::new(session.as_str()).unwrap()];
        assert_eq!(*ends, [ApplicationOutcome::Interrupted], "{session}");
    }
    let to_pay = |moment: &&Moment| matches!(moment.step(), "choose-payment" | "await-payment");
    let to_pay = moments.iter().filter(to_pay).count() * rounds;
    assert!(orders.len() >= to_pay, "{orders:?}");
    let twice = citizen.payment == "unionpay-card";
    let noted = [PaymentOddity::Repeated];
    told.charged_once(&orders, if twice { &noted } else { &[] });
    drop(town.root);
}

/// Both ways at once, each at a station of its own: mostly they wait.
fn both(renewals: &[Moment], losses: &[Moment]) {
    std::thread::scope(|scope| {
        let renewing = scope.spawn(|| killed(renewals, &renewal(), "accepted"));
        killed(losses, &lost(), "provisional");
        renewing.join().unwrap();
    });
}

#[test]
fn a12_a16_g2_g7_an_application_killed_before_its_comparisons() {
    both(&RENEWAL[..6], &LOST[..6]);
}

#[test]
fn a12_a16_g2_g7_an_application_killed_before_its_code_is_keyed() {
    both(&RENEWAL[6..12], &LOST[6..9]);
}

#[test]
fn a12_a16_g2_g7_an_application_killed_before_it_ends() {
    both(&RENEWAL[12..], &LOST[9..]);
}
