//! The whole way of a card on the real binaries: a renewal at the kiosk (A1 to A13), the centre's answers in time (A2, A8) and its
//! review (A15), the card that it has made (C1, C2), and its pickup by the acceptance number against the old card (P1, P3, P4, P6).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use schemas::citizen::MaskedName;
use schemas::event::Event;
use schemas::event::application::{ApplicationEligibilityDecided, Comparison, EligibilityBasis};
use schemas::ids::CardSerial;
use schemas::order::PaymentCode;
use schemas::words::application::EligibilityVerdict;
use serde_json::{Value, json};
use simulator::centre::{Asked, CaseShown, CaseStanding, OfficeFaults};
use station_tests::application::{Applicant, Citizen, believed};
use station_tests::centre::TestCentre;
use station_tests::config::Layout;
use station_tests::kiosk::Kiosk;
use station_tests::station::Station;
use station_tests::stock::{Stocked, operator};
use station_tests::{left, wait_for};
use tokio::runtime::Runtime;

const STEP: Duration = Duration::from_secs(30);
/// A centre that decides, a station of it, and what its kiosk is at.
struct Town {
    runtime: Runtime,
    centre: TestCentre,
    stocked: Stocked,
    root: tempfile::TempDir,
}

impl Town {
    fn new() -> Self {
        Self::under(&[])
    }

    /// With these lines of the shipped policy changed.
    fn under(policy: &[(&str, &str)]) -> Self {
        let runtime = Runtime::new().unwrap();
        let root = tempfile::tempdir().unwrap();
        let mut centre = runtime.block_on(TestCentre::start(root.path()));
        let station = Station::configured(Layout::new(root.path()), |text| {
            // Another clock opens no day of acceptance numbers.
            centre.configure_with_blobs(&believed(&text), "")
        });
        station.policy(policy);
        let made = centre.made();
        let stocked = Stocked::with(station, 0, &["--made", made.to_str().unwrap()]);
        centre.register(&stocked.station);
        runtime.block_on(centre.follow_and_decide());
        Self {
            runtime,
            centre,
            stocked,
            root,
        }
    }

    /// A renewal by the first of the people, to the page with this step, or to the last page.
    fn renew(&mut self, until: &str) -> Value {
        self.apply(&renewal(), until)
    }

    /// An application by the first of the people.
    fn apply(&mut self, citizen: &Citizen, until: &str) -> Value {
        self.stocked.devices.post("/citizen/arrive?person=0");
        let mut at = Applicant::start(Kiosk::connect(self.stocked.station.layout.mqtt, "kiosk-1"));
        while !at.step().is_empty() && at.step() != until {
            let (step, number) = (at.step(), at.number());
            self.act(&step, &mut at);
            let input = match step.as_str() {
                "key-sms-code" => Some(json!({ "sms_code": self.code() })),
                _ => at.answer(citizen),
            };
            if let Some(input) = input {
                at.entered(&input);
            }
            at.changes_from(&number);
        }
        self.stocked.kiosk = at.kiosk;
        self.stocked.kiosk.page().clone()
    }

    /// What the citizen does at a step beside the kiosk's screen.
    fn act(&self, step: &str, at: &mut Applicant) {
        match step {
            "read-card" => self.stocked.devices.post("/citizen/present-card"),
            "confirm-identity" => self.stocked.devices.post("/citizen/lift-card"),
            "await-payment" => {
                // The page to pay on is there before the code that is scanned.
                let page = at.kiosk.shows("the code", STEP, |page| {
                    page["application"]["payment_code"].is_string()
                });
                let code = page["application"]["payment_code"].as_str().unwrap();
                let code = PaymentCode::new(code).unwrap();
                self.ask(Asked::Scan { code });
            }
            _ => {}
        }
    }

    /// The code on the phone.
    fn code(&self) -> String {
        let seen = self.ask(Asked::Look);
        let messages = seen["phone"].as_array().unwrap();
        let newest = messages.last().unwrap();
        assert_eq!(newest["phone"], renewal().phone);
        let text = newest["text"].as_str().unwrap();
        let digits = text.chars().filter(char::is_ascii_digit);
        digits.take(6).collect()
    }

    fn ask(&self, asked: Asked) -> Value {
        self.runtime.block_on(self.centre.ask(asked))
    }

    /// The card of the only application, once it is made.
    fn made(&mut self) -> CardSerial {
        let made = |case: &CaseShown| {
            assert_eq!(case.rejected, None);
            case.card
                .clone()
                .filter(|_| case.standing == CaseStanding::Made)
        };
        let shown = self.centre.until_shown("the card is made", |view| {
            let cases = &view.applications.as_ref().unwrap().cases;
            cases.first().and_then(made).is_some()
        });
        let view = self.runtime.block_on(shown);
        made(&view.applications.as_ref().unwrap().cases[0]).unwrap()
    }

    /// An operator takes the made card in and loads it.
    fn take_in(&mut self, card: &CardSerial) {
        let batch = "made-000001";
        let received = wait_for("the manifest is here", STEP, || {
            let body = json!({ "operator": operator(), "batch": batch });
            let receipt = self.stocked.kiosk.request("receive-batch", body);
            (receipt["outcome"] == "accepted").then_some(receipt)
        });
        assert!(received["index"].is_u64(), "{received}");
        let hopper = format!("/operator/hopper?card={card}");
        self.stocked.devices.post(&hopper);
        for (name, fields) in [
            ("scan-card", json!({ "batch": batch, "card": card })),
            ("close-batch", json!({ "batch": batch })),
            (
                "load-card",
                json!({ "card": card, "machine": "machine-1", "slot": { "column": 7, "slot": 3 } }),
            ),
        ] {
            let mut body = fields;
            body["operator"] = operator();
            let receipt = self.stocked.kiosk.request(name, body);
            assert_eq!(receipt["outcome"], "accepted", "{name}: {receipt}");
        }
        wait_for("the card is in its slot", STEP, || {
            let slots = &self.stocked.devices.dispenser()["slots"];
            (slots["7/3"] == card.as_str()).then_some(())
        });
    }

    fn collect(&mut self, voucher: &str) {
        let receipt = wait_for("the pickup is accepted", STEP, || {
            let claim = json!({ "claim": { "voucher": voucher } });
            let receipt = self.stocked.kiosk.request("start-pickup", claim);
            (receipt["outcome"] == "accepted").then_some(receipt)
        });
        let session = receipt["session"].clone();
        let done = self.stocked.kiosk.shows("the pickup ends", STEP, |page| {
            page["session"] == session && is_last(page)
        });
        assert_eq!(done["outcome"], "collected", "{done}");
    }

    fn restart(&mut self) {
        self.stocked.station.kill();
        self.stocked.station.start();
        self.stocked.kiosk = Kiosk::connect(self.stocked.station.layout.mqtt, "kiosk-1");
    }

    fn end(mut self) -> (Vec<Event>, tempfile::TempDir) {
        assert!(self.stocked.station.stop().success());
        self.runtime.block_on(self.centre.stop());
        let entries = left::entries(&self.stocked.station.layout).into_iter();
        (entries.map(|entry| entry.event).collect(), self.root)
    }
}

/// Who brings no pages along, and pays with the phone.
fn renewal() -> Citizen {
    Citizen {
        scans: Vec::new(),
        payment: "wechat",
        ..Citizen::renewal()
    }
}

fn is_last(page: &Value) -> bool {
    page["code"] == "done" || page["code"] == "ended"
}

/// A1 to P7: from the present card on the reader to the new one in the hand. A blob and a key of an application outlive a kill of the
/// gateway, and all of them come to the centre.
#[test]
fn a3_a8_a12_c2_p3_p6_a_card_goes_its_whole_way() {
    let mut town = Town::new();
    let last = town.renew("none: to the end");
    let voucher = last["application"]["acceptance_number"].as_str();
    let voucher = voucher.unwrap_or_else(|| panic!("{last}")).to_owned();
    town.restart();
    let card = town.made();
    town.take_in(&card);
    town.collect(&voucher);
    let slots = &town.stocked.devices.dispenser()["slots"];
    assert_eq!(slots["7/3"], Value::Null);
    let (received, data) = (
        town.centre.received().join("demo"),
        town.stocked.station.layout.data(),
    );
    let blobs = |house: &Path| {
        let entries = std::fs::read_dir(house.join("blobs")).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    wait_for("the pickup's photos are up too", STEP, || {
        (blobs(&data) == blobs(&received)).then_some(())
    });
    let (events, _root) = town.end();
    let decided = events.iter().find_map(|event| match event {
        Event::ApplicationEligibilityDecided(ApplicationEligibilityDecided {
            verdict,
            basis,
            ..
        }) => Some((*verdict, *basis)),
        _ => None,
    });
    let by_centre = (EligibilityVerdict::Eligible, EligibilityBasis::Centre);
    assert_eq!(decided, Some(by_centre));
    let is = |wanted: fn(&Event) -> bool| events.iter().any(wanted);
    assert!(is(|e| matches!(e, Event::ApplicationSmsConfirmed(_))));
    assert!(is(|e| matches!(e, Event::ApplicationConfirmed(_))));
    assert!(is(|e| matches!(e, Event::PaymentCodeReceived(_))));
    let scores = events.iter().filter(|event| {
        matches!(event, Event::ApplicationFacesCompared(b)
            if matches!(b.comparison, Comparison::Compared { matched: true, .. }))
    });
    assert_eq!(scores.count(), 2, "the portrait and the live photo");
    let recycled = events.iter().find_map(|event| match event {
        Event::OldCardRecycled(b) => Some(b.old_card.to_string()),
        _ => None,
    });
    // "PRE" in ASCII, and the first of the people: the card that was read at the kiosk.
    assert_eq!(recycled.as_deref(), Some("5052450000000001"));
    for sealed in events.iter().filter_map(Event::sealed) {
        for blob in sealed.blobs {
            for house in [&data, &received] {
                let file = house.join("blobs").join(blob.as_str());
                assert!(file.exists(), "{} of {}", file.display(), sealed.session);
            }
        }
    }
}

/// P1, T2: the centre gives the application a number of its own, and the card is collected by the one that is printed. Killed before the
/// papers, the station has the citizen told of them once.
#[test]
fn p1_a_renumbered_application_is_collected_by_its_printed_number() {
    let mut town = Town::new();
    town.ask(Asked::Faults(OfficeFaults {
        renumber: true,
        ..OfficeFaults::default()
    }));
    let last = town.renew("none: to the end");
    let printed = last["application"]["acceptance_number"].as_str();
    let printed = printed.unwrap_or_else(|| panic!("{last}")).to_owned();
    town.restart();
    let card = town.made();
    town.take_in(&card);
    town.restart();
    town.collect(&printed);
    // The key of the session went up before the card could be made, so that the phone can be told.
    let seen = town.ask(Asked::Look);
    let phone = seen["phone"].as_array().unwrap();
    let notices = phone.iter().filter(|message| {
        let text = message["text"].as_str().unwrap();
        text.contains("W1-1")
    });
    let notices = notices.count();
    let (events, _root) = town.end();
    let (mut renumbered, mut missed) = (0, 0);
    for event in &events {
        match event {
            Event::ApplicationConfirmed(b) => {
                assert!(b.renumbered && b.printed.is_some(), "{b:?}");
                renumbered += 1;
            }
            Event::PapersNotHandedOut(_) => missed += 1,
            _ => {}
        }
    }
    assert_eq!((renumbered, notices), (1, missed));
    let data = events.iter().map(|event| event.to_data().unwrap());
    for data in data {
        assert!(!data.get().contains(&printed), "the log holds tags");
    }
}

/// A2, G7: the centre says who is eligible while the session is open, by a copy of its key; the key stays until the session is over,
/// and goes then.
#[test]
fn a2_the_centre_answers_in_time_by_a_copy_of_the_key() {
    let mut town = Town::new();
    let page = town.renew("give-portrait");
    assert_eq!(page["application"]["step"], "give-portrait", "{page}");
    let here = town.stocked.station.layout.data().join("session-keys");
    let there = town.centre.received().join("demo/session-keys");
    let keys = |folder: &Path| {
        let entries = std::fs::read_dir(folder).unwrap();
        let names = entries.map(|entry| PathBuf::from(entry.unwrap().file_name()));
        let is_key = |name: &PathBuf| name.extension() == Some("json".as_ref());
        names.filter(is_key).collect::<BTreeSet<_>>()
    };
    assert_eq!(keys(&here).len(), 1);
    assert_eq!(keys(&here), keys(&there), "the copy");
    let session = page["session"].clone();
    let body = json!({ "session": session });
    let cancelled = town.stocked.kiosk.request("cancel", body);
    assert_eq!(cancelled["outcome"], "accepted", "{cancelled}");
    wait_for("the key has gone for good", STEP, || {
        keys(&here).is_empty().then_some(())
    });
    assert_eq!(keys(&there).len(), 1);
    let erased = ["erase", session.as_str().unwrap()];
    let said = town.stocked.station.tool_ok(&erased, "");
    assert!(said.contains("the centre, which is asked"), "{said}");
    let (events, _root) = town.end();
    let done = events.iter().find_map(|event| match event {
        Event::ErasureDone(done) => Some(done.centre_asked),
        _ => None,
    });
    assert_eq!(done, Some(true));
}

/// A4, A13: who lost their card keys the number, and the centre says in time whose it is: masked on the page and in the log, and the
/// full name nowhere at the station.
#[test]
fn a4_the_centre_names_whose_number_was_keyed() {
    let mut town = Town::new();
    let citizen = Citizen {
        kind: "lost",
        ..renewal()
    };
    let page = town.apply(&citizen, "confirm-identity");
    assert_eq!(page["name"], "*三", "{page}");
    let said = page["text"]["zh"].as_str().unwrap();
    assert!(said.contains("*三") && said.contains("**************002X"));
    let session = json!({ "session": page["session"] });
    let cancelled = town.stocked.kiosk.request("cancel", session);
    assert_eq!(cancelled["outcome"], "accepted", "{cancelled}");
    let last = town.apply(&citizen, "none: to the end");
    assert_eq!(last["application"]["outcome"], "provisional", "{last}");
    let (events, _root) = town.end();
    let named = events.iter().filter_map(|event| match event {
        Event::ApplicationEligibilityDecided(b) => b.name.as_ref(),
        Event::ApplicationAccepted(b) => b.entered.name.as_ref(),
        _ => None,
    });
    let named: Vec<_> = named.map(MaskedName::as_str).collect();
    assert_eq!(named, ["*三"; 3]);
    for event in &events {
        assert!(!event.to_data().unwrap().get().contains("张三"));
    }
}

/// A12: the network took the fee and the station never heard of it, so that the citizen is handed a payment notice. The sums of the day find
/// it: the centre tells the payment again, the card is made, nothing is charged or counted twice, and the days together agree.
#[test]
fn a12_the_days_sums_find_a_payment_that_was_never_told() {
    let mut town = Town::under(&[("payment_wait_s = 120", "payment_wait_s = 5")]);
    town.ask(Asked::Faults(OfficeFaults {
        lose_payments: true,
        ..OfficeFaults::default()
    }));
    let last = town.renew("none: to the end");
    let page = &last["application"];
    assert_eq!(
        (&page["outcome"], &page["paid"]),
        (&json!("accepted"), &json!(false))
    );
    town.ask(Asked::Faults(OfficeFaults::default()));
    for (days, difference) in [(1, 2_000), (2, 0)] {
        assert!(town.stocked.station.stop().success());
        town.stocked.station.set_clock(days);
        town.stocked.station.start();
        let shown = town.centre.until_shown("the day is over", |view| {
            let office = view.applications.as_ref().unwrap();
            let differs = office.differences_fen.values().copied().sum::<i64>();
            office.days.len() == usize::try_from(days).unwrap() && differs == difference
        });
        let view = town.runtime.block_on(shown);
        let day = view.applications.as_ref().unwrap().days.last().unwrap();
        let told_again = u64::from(days == 1);
        assert_eq!(day.told_again, told_again, "{day:?}");
        town.made();
    }
    let (events, _root) = town.end();
    let [mut paid, mut orders, mut noted] = [0; 3];
    for event in &events {
        match event {
            Event::PaymentOrdered(_) => orders += 1,
            Event::PaymentConfirmed(_) => paid += 1,
            Event::PaymentNoted(_) | Event::RefundAsked(_) => noted += 1,
            _ => {}
        }
    }
    assert_eq!([orders, paid, noted], [1, 1, 0]);
}
