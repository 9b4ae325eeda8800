//! A13, A15, T2 on the real binaries: the gateway gets SIGKILL between the acceptance of an application and the last of its papers. The
//! acceptance stands, and what the kiosk has not got waits at the window, with one ticket that an officer opens and closes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemas::citizen::CitizenNumber;
use schemas::downlink::Instruction;
use schemas::downlink::application::ApplicationDecided;
use schemas::event::Event;
use schemas::event::application::Decision;
use schemas::words::application::WindowResult;
use serde_json::{Value, json};
use station_tests::application::{self as apply, Applicant, Citizen, PAGE, QUICK, believed, grant};
use station_tests::canary::{needles, people};
use station_tests::centre::TestCentre;
use station_tests::config::Layout;
use station_tests::kiosk::Kiosk;
use station_tests::left;
use station_tests::officer::make_key;
use station_tests::search::{Place, files, find};
use station_tests::station::{PIN, Station};
use station_tests::wait_for;
use tokio::runtime::Runtime;

/// The papers of an acceptance with a fee.
const PAPERS: usize = 3;

/// Born in this year or before, somebody may apply alone (A5), whatever day it is.
const GROWN_UP: u16 = 2005;

/// One of the grown-up people, who has lost their card and pays in cash.
fn citizen(who: usize) -> Citizen {
    let people = people().people.into_iter();
    let numbers = people.map(|person| CitizenNumber::new(&person.card.number).unwrap());
    let mut may_apply = numbers
        .filter(|number| number.is_of_resident_card() && number.birth_date().year() <= GROWN_UP);
    Citizen {
        number: may_apply.nth(who).unwrap().expose().to_owned(),
        ..Citizen::lost()
    }
}

/// A station that accepts alone, and whose window has a key.
fn station(root: &Path, centre: &TestCentre) -> Station {
    let public = make_key(root, "officer-1").with_extension("public");
    let station = Station::configured(Layout::new(root), |text| {
        let text = believed(&centre.configure(&text));
        format!("{text}\n[window]\nkeys = [\"{}\"]\n", public.display())
    });
    station.policy(&QUICK);
    station
}

/// No checkpoint is stored from here on until this is dropped, and papers are made behind one: whoever writes the next `HEAD` waits for
/// somebody who reads.
struct NoCheckpoint(PathBuf);

impl NoCheckpoint {
    fn at(station: &Station) -> Self {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        let next = station.layout.data().join("HEAD.tmp");
        // One that is being written has the name for a moment.
        wait_for("no checkpoint is being written", PAGE, || {
            mknodat(CWD, &next, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).ok()
        });
        Self(next)
    }
}

impl Drop for NoCheckpoint {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).unwrap();
    }
}

/// Applies to the end, waits for so many papers, and kills. The session.
fn killed_after(papers: usize, who: usize, station: &mut Station, kiosk: Kiosk) -> String {
    let mut at = Applicant::start(kiosk);
    let page = at.walk_through(&citizen(who));
    assert_eq!(page["outcome"], "provisional", "{page}");
    for _ in 0..papers {
        at.kiosk.until("a paper", PAGE, |channel, _| {
            (channel == "papers").then_some(())
        });
    }
    station.kill();
    at.session
}

/// The gateway starts again, and the kiosk asks what to show.
fn page_again(station: &mut Station, session: &str) -> (Kiosk, Value) {
    station.start();
    apply::await_devices(station);
    let mut kiosk = Kiosk::connect(station.layout.mqtt, "kiosk-1");
    let receipt = kiosk.request("get-session", json!({}));
    assert_eq!(receipt["outcome"], "accepted", "{receipt}");
    let page = kiosk.shows("the page", PAGE, |page| page["session"] == session);
    (kiosk, page)
}

/// It says: accepted, this number, the papers are at the window with this ticket. The ticket.
fn at_window(page: &Value) -> String {
    assert_eq!(page["code"], "done", "{page}");
    let application = &page["application"];
    assert_eq!(application["outcome"], "provisional", "{page}");
    assert_eq!(application["papers"], "incomplete", "{page}");
    assert_eq!(application["window_reason"], "papers-not-handed-out");
    assert!(application["acceptance_number"].is_string(), "{page}");
    let ticket = application["ticket"].as_str().unwrap();
    for language in ["zh", "en"] {
        let text = page["text"][language].as_str().unwrap();
        assert!(text.contains(ticket), "{text}");
    }
    ticket.to_owned()
}

/// Asks for papers that are gone: the ticket that follows.
fn asked_for(kiosk: &mut Kiosk, session: &str) -> Value {
    let gone = kiosk.request("get-papers", json!({"session": session}));
    assert_eq!(gone["reason"], "papers-gone", "{gone}");
    kiosk.shows("the ticket", PAGE, |page| {
        page["application"]["ticket"].is_string()
    })
}

/// What the log says of each acceptance: papers issued, tickets for papers, ends of tickets, and what was asked back.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    issued: usize,
    tickets: Vec<String>,
    closed: Vec<WindowResult>,
    refunds: usize,
}

fn told(station: &Station) -> BTreeMap<String, Told> {
    let mut told: BTreeMap<String, Told> = BTreeMap::new();
    let mut orders = BTreeMap::new();
    for entry in left::entries(&station.layout) {
        match entry.event {
            Event::ApplicationAccepted(b) => {
                orders.extend(b.order.map(|order| (order, b.session.to_string())));
                told.insert(b.session.to_string(), Told::default());
            }
            Event::PapersIssued(b) => told.get_mut(b.session.as_str()).unwrap().issued += 1,
            Event::PapersNotHandedOut(b) => {
                assert!(b.phone.is_some(), "the citizen is told");
                let of = told.get_mut(b.session.as_str()).unwrap();
                of.tickets.push(b.ticket.to_string());
            }
            Event::WindowTicketClosed(b) => {
                let of = told.get_mut(b.session.as_str()).unwrap();
                of.closed.push(b.result);
            }
            Event::RefundAsked(b) => told.get_mut(&orders[&b.order]).unwrap().refunds += 1,
            _ => {}
        }
    }
    told
}

/// An officer opens what was entered, and hands the papers out.
fn served_at_window(station: &Station, ticket: &str, who: usize) {
    let pin = format!("{PIN}\n");
    let by = ["--operator", "operator-1"];
    let listed = station.tool_ok(&["window", "list"], "");
    let line = listed
        .lines()
        .find(|line| line.starts_with(ticket))
        .unwrap();
    assert!(line.contains("papers-not-handed-out") && line.contains("opened here"));
    let key = station.layout.root.join("officer-1.private");
    let show = ["window", "show", ticket, "--json", "--key"];
    let show = [&show[..], &[key.to_str().unwrap()], &by].concat();
    let shown: Value = serde_json::from_str(&station.tool_ok(&show, &pin)).unwrap();
    assert_eq!(shown["person"]["number"], citizen(who).number, "{shown}");

    let close = |result| [&["window", "close", ticket, "--result", result][..], &by].concat();
    let misfit = station.tool(&close("accepted"), &pin);
    let said = String::from_utf8(misfit.stderr).unwrap();
    assert!(
        !misfit.status.success() && said.contains("papers-handed-out"),
        "{said}"
    );
    let closed = station.tool_ok(&close("papers-handed-out"), &pin);
    assert!(closed.contains("is closed, papers-handed-out"), "{closed}");
}

/// Killed before the papers were made, when the first of them had come, and when all had.
#[test]
fn a13_a15_what_a_kill_lost_of_the_papers_waits_at_the_window() {
    let root = tempfile::tempdir().unwrap();
    let runtime = Runtime::new().unwrap();
    let centre = runtime.block_on(TestCentre::start(root.path()));
    let mut station = station(root.path(), &centre);
    let devices = apply::start(&mut station, &[]);
    centre.register(&station);
    runtime.block_on(apply::tell(&centre, &station, &grant(1, false)));
    let kiosk = Kiosk::connect(station.layout.mqtt, "kiosk-1");

    let mut expected = BTreeMap::new();
    let unmade = NoCheckpoint::at(&station);
    let session = killed_after(0, 0, &mut station, kiosk);
    drop(unmade);
    let (again, page) = page_again(&mut station, &session);
    let ticket = at_window(&page);
    expected.insert(session, (0, vec![ticket.clone()]));

    let session = killed_after(1, 1, &mut station, again);
    let (mut again, page) = page_again(&mut station, &session);
    assert_eq!(page["application"]["papers"], "issued", "{page}");
    assert!(page["application"]["ticket"].is_null(), "{page}");
    let second = at_window(&asked_for(&mut again, &session));
    assert_ne!(second, ticket);
    expected.insert(session, (1, vec![second]));

    let session = killed_after(PAPERS, 2, &mut station, again);
    let (_kiosk, page) = page_again(&mut station, &session);
    assert_eq!(page["application"]["papers"], "issued", "{page}");
    assert!(page["application"]["ticket"].is_null(), "{page}");
    expected.insert(session, (1, Vec::new()));

    served_at_window(&station, &ticket, 0);
    assert!(station.tool_ok(&["verify"], "").contains("whole"));
    assert!(station.stop().success());
    drop(devices);

    let told = told(&station);
    let found = told
        .iter()
        .map(|(session, told)| (session.clone(), (told.issued, told.tickets.clone())));
    assert_eq!(found.collect::<BTreeMap<_, _>>(), expected);
    assert!(told.values().all(|told| told.refunds == 0));
    let closed: Vec<_> = told.values().flat_map(|told| &told.closed).collect();
    assert_eq!(closed, [&WindowResult::PapersHandedOut]);

    let mut places = Vec::new();
    files(&station.layout.data(), &mut places);
    places.push(Place {
        name: "what it said".to_owned(),
        bytes: station.output().into_bytes(),
    });
    assert_eq!(find(&needles(), &places), Vec::<String>::new());
}

/// The centre's confirmation of a session, as it was accepted.
fn confirmation(station: &Station, session: &str) -> Instruction {
    let mut entries = left::entries(&station.layout).into_iter();
    let accepted = entries.find_map(|entry| match entry.event {
        Event::ApplicationAccepted(b) if b.session.as_str() == session => Some(b),
        _ => None,
    });
    let accepted = accepted.unwrap();
    let (site, place) = (accepted.site, accepted.place);
    Instruction::ApplicationDecided(ApplicationDecided {
        incarnation: 1,
        session: accepted.session,
        outcome: Decision::Confirmed { site, place },
        comparisons: Vec::new(),
    })
}

/// Forms of keys that officers can open.
fn forms(station: &Station) -> usize {
    let entries = std::fs::read_dir(station.layout.data().join("session-keys")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let is_form = |path: &PathBuf| path.extension() == Some("window".as_ref());
    paths.filter(is_form).count()
}

/// A15: papers that never came, of an acceptance that the centre has confirmed meanwhile: as long as their kiosk may say so, what was
/// entered can be opened at the window, over a restart too. It goes with the ticket, or when somebody else begins at the kiosk.
#[test]
fn a15_papers_that_never_came_are_opened_at_the_window_after_the_confirmation() {
    let root = tempfile::tempdir().unwrap();
    let runtime = Runtime::new().unwrap();
    let centre = runtime.block_on(TestCentre::start(root.path()));
    let mut station = station(root.path(), &centre);
    let _devices = apply::start(&mut station, &[]);
    centre.register(&station);
    let tell = |station: &Station, told: &Instruction| {
        runtime.block_on(apply::tell(&centre, station, told));
    };
    tell(&station, &grant(1, false));
    let mut kiosk = Kiosk::connect(station.layout.mqtt, "kiosk-1");
    for (who, is_asked_for) in [(0, true), (1, false)] {
        let session = killed_after(PAPERS, who, &mut station, kiosk);
        let confirmed = confirmation(&station, &session);
        page_again(&mut station, &session);
        tell(&station, &confirmed);
        station.kill();
        (kiosk, _) = page_again(&mut station, &session);
        assert_eq!(forms(&station), 1, "the kiosk may still ask");
        if is_asked_for {
            let ticket = at_window(&asked_for(&mut kiosk, &session));
            served_at_window(&station, &ticket, who);
        } else {
            kiosk = Applicant::start(kiosk).kiosk;
        }
        wait_for("nobody needs it any more", PAGE, || {
            (forms(&station) == 0).then_some(())
        });
    }
    assert!(station.stop().success());
}
