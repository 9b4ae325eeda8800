//! Two real stations of one centre, cut off from it: each accepts the same person (A17), and what becomes of that when they are linked again.

use std::path::Path;
use std::time::Duration;

use schemas::event::Event;
use schemas::words::application::{RefundCause, RejectionReason};
use serde_json::json;
use simulator::centre::{Asked, CaseShown, CaseStanding, FeeStanding, OfficeShown, View};
use station_tests::application::{
    self as apply, Applicant, Citizen, QUICK, believed, with_terminal,
};
use station_tests::centre::TestCentre;
use station_tests::config::Layout;
use station_tests::kiosk::Kiosk;
use station_tests::left;
use station_tests::station::{Devices, Station};
use station_tests::wait_for;
use tokio::runtime::Runtime;

const STEP: Duration = Duration::from_mins(1);
const ELSEWHERE: RejectionReason = RejectionReason::AlreadyAppliedElsewhere;
/// Their names, and the heads of their acceptance numbers.
const STATIONS: [(&str, &str); 2] = [("demo", "110105001"), ("second", "110105002")];

/// One of the two.
struct House {
    station: Station,
    devices: Devices,
}

impl House {
    /// A station that is registered at the centre, with its devices.
    fn open(centre: &TestCentre, root: &Path, at: usize) -> Self {
        let (name, site) = STATIONS[at];
        let root = root.join(name);
        std::fs::create_dir(&root).unwrap();
        let layout = Layout {
            station: name,
            ..Layout::new(&root)
        };
        let mut station = Station::configured(layout, |text| {
            let sited = text.replacen("site = \"110105001\"", &format!("site = {site:?}"), 1);
            with_terminal(&centre.configure_with_blobs(&believed(&sited), ""))
        });
        station.policy(&QUICK);
        let devices = apply::start(&mut station, &[]);
        centre.register(&station);
        Self { station, devices }
    }

    const fn name(&self) -> &'static str {
        self.station.layout.station
    }

    fn kiosk(&self, device: &str) -> Kiosk {
        Kiosk::connect_to(self.name(), self.station.layout.mqtt, device)
    }

    /// The first of the people renews the card that they lay on the reader, and pays by card: the terminal needs no centre.
    fn renew(&self) {
        self.devices.post("/citizen/arrive?person=0");
        let citizen = Citizen {
            payment: "unionpay-card",
            scans: Vec::new(),
            ..Citizen::renewal()
        };
        let mut at = Applicant::start(self.kiosk("kiosk-1"));
        at.walk_to(&citizen, "read-card");
        self.devices.post("/citizen/present-card");
        let page = at.walk_to(&citizen, "await-payment");
        let order = page["order"].as_str().unwrap().to_owned();
        let paid = json!({"order": order, "amount_fen": 2_000, "method": "unionpay-card", "state": "paid"});
        self.kiosk("terminal-1").event("payment-changed", paid);
        let page = at.walk_through(&citizen);
        assert_eq!(page["outcome"], "provisional", "{}: {page}", self.name());
        assert_eq!(page["paid"], true, "{}: {page}", self.name());
    }

    /// The events of its log, which is whole; it runs no more.
    fn events(mut self) -> Vec<Event> {
        assert!(self.station.stop().success());
        assert!(self.station.tool_ok(&["verify"], "").contains("whole"));
        let entries = left::entries(&self.station.layout).into_iter();
        entries.map(|entry| entry.event).collect()
    }
}

/// The centre, and the two stations that are linked to it.
struct Province {
    runtime: Runtime,
    centre: TestCentre,
    first: House,
    second: House,
    _root: tempfile::TempDir,
}

impl Province {
    fn open() -> Self {
        let root = tempfile::tempdir().unwrap();
        let runtime = Runtime::new().unwrap();
        let centre = runtime.block_on(TestCentre::start(root.path()));
        let [first, second] = [0, 1].map(|at| House::open(&centre, root.path(), at));
        Self {
            runtime,
            centre,
            first,
            second,
            _root: root,
        }
    }

    fn follow(&mut self) {
        self.runtime.block_on(self.centre.follow_and_decide());
    }

    /// Both have a grant of the centre.
    fn granted(&self) {
        for house in [&self.first, &self.second] {
            let figure = "station_instructions_total{outcome=\"followed\"}";
            wait_for("the grant is here", STEP, || {
                (house.station.metric(figure)? > 0.0).then_some(())
            });
        }
    }

    /// Waits until the centre's page shows this.
    fn shows(&mut self, what: &str, wanted: impl Fn(&OfficeShown) -> bool) {
        let wanted = |view: &View| wanted(view.applications.as_ref().unwrap());
        let shown = self.centre.until_shown(what, wanted);
        self.runtime.block_on(shown);
    }

    /// Waits until this station's application stands like that.
    fn stands(&mut self, station: &str, standing: CaseStanding, why: Option<RejectionReason>) {
        self.shows(station, |office| {
            let case = office.cases.iter().find(|case| case.station == station);
            case.is_some_and(|case| (case.standing, case.rejected) == (standing, why))
        });
    }

    /// How many texts came to the phone that hold this.
    fn told(&self, part: &str) -> usize {
        let seen = self.runtime.block_on(self.centre.ask(Asked::Look));
        let messages = seen["phone"].as_array().unwrap().iter();
        let texts = messages.map(|message| message["text"].as_str().unwrap());
        texts.filter(|text| text.contains(part)).count()
    }
}

/// How often each of these is in a log: paid, confirmed, compensated by what the other accepted, asked back and given back.
fn outcomes(events: &[Event]) -> [usize; 5] {
    let mut counts = [0; 5];
    for event in events {
        let at = match event {
            Event::PaymentConfirmed(_) => 0,
            Event::ApplicationConfirmed(_) => 1,
            Event::ApplicationCompensated(b) if b.reason == ELSEWHERE && b.phone.is_some() => 2,
            Event::RefundAsked(b) if b.cause == RefundCause::Rejected => 3,
            Event::PaymentRefunded(_) => 4,
            _ => continue,
        };
        counts[at] += 1;
    }
    counts
}

/// A17, A12, A15: both accept the same person while the link is cut, and both are paid. The second of them is linked first, and the centre
/// keeps what it can open first, whoever was served first: the other station compensates, with a ticket for the window, a notice to
/// the phone, and the fee given back once, though it is killed meanwhile.
#[test]
fn a17_of_two_stations_that_accept_one_person_one_is_compensated() {
    let mut town = Province::open();
    town.follow();
    town.granted();
    town.runtime.block_on(town.centre.stop());
    town.first.renew();
    town.second.renew();

    // The first that accepted is off while the other tells the centre.
    town.first.station.kill();
    town.runtime.block_on(town.centre.start_store());
    town.follow();
    town.stands("second", CaseStanding::Made, None);
    town.first.station.start();
    town.stands("demo", CaseStanding::Rejected, Some(ELSEWHERE));
    town.shows("the station has asked its fee back", |office| {
        office.refunds == 1
    });
    town.first.station.kill();
    town.first.station.start();

    town.shows("the fee is back, and the citizen told", |office| {
        let is_back = |case: &CaseShown| case.fee == FeeStanding::Refunded;
        office.cases.iter().filter(|case| is_back(case)).count() == 1 && office.notices_waiting == 0
    });
    wait_for("where to go", STEP, || {
        (town.told("W1-1") > 0).then_some(())
    });
    let tickets = "station_window_tickets";
    assert_eq!(town.first.station.metric(tickets), Some(1.0));
    assert_eq!(town.second.station.metric(tickets), Some(0.0));
    assert_eq!((town.told("W1-1"), town.told("原路退回")), (1, 1));
    wait_for("the second has recorded that it stands", STEP, || {
        (town.told("已通过核查") > 0).then_some(())
    });
    assert_eq!(outcomes(&town.second.events()), [1, 1, 0, 0, 0]);
    assert_eq!(outcomes(&town.first.events()), [1, 0, 1, 1, 1]);
}
