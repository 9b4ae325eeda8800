//! A15 on the real binaries: a citizen gets a ticket at the kiosk, and an officer opens with their own key what was entered, so that it is
//! not entered twice, and closes it.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use schemas::citizen::MaskedName;
use schemas::downlink::Instruction;
use schemas::downlink::application::{ApplicationDecided, EligibilityAnswered};
use schemas::event::Event;
use schemas::event::application::Decision;
use schemas::ids::SessionId;
use schemas::words::application::{EligibilityVerdict, RejectionReason, WindowResult};
use serde_json::{Value, json};
use station_tests::application::{self as apply, Applicant, Citizen, QUICK, believed, grant};
use station_tests::centre::TestCentre;
use station_tests::config::Layout;
use station_tests::kiosk::Kiosk;
use station_tests::officer::{make_key, on_terminal, pictures_in};
use station_tests::station::{Devices, PIN, Station};
use station_tests::{left, sealed, wait_for};
use tokio::runtime::Runtime;

const STEP: Duration = Duration::from_secs(20);
const NUMBER: &str = "11010519491231002X";

/// A station whose window has a key, and which does not wait long for a centre that is not there.
fn station(root: &Path) -> Station {
    let public = make_key(root, "officer-1").with_extension("public");
    let policy = include_str!("../../../edge-config/policy.toml");
    assert!(policy.contains("centre_wait_s = 5"));
    let policy = policy.replace("centre_wait_s = 5", "centre_wait_s = 1");
    std::fs::write(root.join("policy.toml"), policy).unwrap();
    Station::configured(Layout::new(root), |text| {
        let public = public.display();
        format!("{text}\n[window]\nkeys = [\"{public}\"]\n")
    })
}

/// Waits for a page that fits. It is asked for, since it may have come before the receipt that was waited for.
fn shown_by<T>(kiosk: &mut Kiosk, what: &str, fits: impl Fn(&Value) -> Option<T>) -> T {
    kiosk.request("get-session", json!({}));
    kiosk.until(what, STEP, |channel, prompt| {
        let application = prompt.get("application")?;
        fits(application).filter(|_| channel == "session")
    })
}

/// A replacement for a lost card that nobody can decide: it ends with a ticket. The session and the ticket.
fn ticket(station: &Station) -> (String, String) {
    for device in ["scanner-1", "camera-1"] {
        let figure = format!("station_device_up{{device=\"{device}\"}}");
        wait_for("scanner and camera are there", STEP, || {
            let is_up = station.metric(&figure)? > 0.0;
            is_up.then_some(())
        });
    }
    let mut kiosk = Kiosk::connect(station.layout.mqtt, "kiosk-1");
    let receipt = kiosk.request("start-application", json!({"language": "en"}));
    assert_eq!(receipt["outcome"], "accepted", "{receipt}");
    let session = receipt["session"].clone();
    for (step, input) in [
        ("choose-kind", json!({"kind": "lost"})),
        ("choose-residence", json!({"residence": "local"})),
        ("key-number", json!({"number": NUMBER.to_lowercase()})),
    ] {
        let number = shown_by(&mut kiosk, step, |application| {
            (application["step"] == step).then(|| application["number"].clone())
        });
        let entry = json!({"session": session, "step": number, "input": input});
        let receipt = kiosk.request("application-input", entry);
        assert_eq!(receipt["outcome"], "accepted", "{step}: {receipt}");
    }
    let ticket = shown_by(&mut kiosk, "the ticket", |application| {
        application["ticket"].as_str().map(str::to_owned)
    });
    (session.as_str().unwrap().to_owned(), ticket)
}

/// Exit code, standard output, and what was said beside it.
fn window(station: &Station, args: &[&str], typed: &str) -> (Option<i32>, String, String) {
    let output = station.tool(&[&["window"], args].concat(), typed);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

fn refused(station: &Station, args: &[&str], typed: &str, why: &str) {
    let (code, out, said) = window(station, args, typed);
    assert_eq!((code, out.as_str()), (Some(1), ""), "{args:?}: {said}");
    assert!(said.contains(why), "{args:?}: {said}");
}

fn shown(station: &Station, ticket: &str, key: &str) -> Value {
    let args = [
        "show",
        ticket,
        "--key",
        key,
        "--operator",
        "operator-1",
        "--json",
    ];
    let (code, out, said) = window(station, &args, &format!("{PIN}\n"));
    assert_eq!(code, Some(0), "{said}");
    serde_json::from_str(&out).unwrap()
}

fn forms(station: &Station) -> usize {
    let folder = std::fs::read_dir(station.layout.data().join("session-keys")).unwrap();
    let names = folder.map(|entry| entry.unwrap().path());
    names
        .filter(|path| path.extension().is_some_and(|kind| kind == "window"))
        .count()
}

/// No file under the folder, and nothing that the gateway wrote of itself, holds the number.
fn assert_nowhere(station: &Station) {
    let mut folders = vec![station.layout.data()];
    let mut files = vec![station.layout.root.join("gateway.log")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.is_file() {
                files.push(path);
            }
        }
    }
    assert!(files.len() > 10);
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        let part = &NUMBER.as_bytes()[6..17];
        let found = bytes.windows(part.len()).any(|window| window == part);
        assert!(!found, "{} holds the number", file.display());
    }
}

/// A15, G7: what was entered opens with the officer's key and no other, also after a restart; who opened it and what became of it are
/// signed events; a ticket is closed once, and then nothing here opens it any more.
#[test]
fn a15_an_officer_goes_on_with_what_was_entered_at_the_kiosk() {
    let root = tempfile::tempdir().unwrap();
    let mut station = station(root.path());
    station.start();
    let devices = Devices::start(&station.layout.clone(), &[]);
    let (session, number) = ticket(&station);
    let open = |station: &Station| station.metric("station_window_tickets").unwrap();
    wait_for("the ticket is counted", STEP, || {
        (open(&station) > 0.0).then_some(())
    });
    let (_, listed, _) = window(&station, &["list"], "");
    for part in [&number, &session, "lost", "opened here"] {
        assert!(listed.contains(part), "{part}: {listed}");
    }
    assert!(!listed.contains("002X"), "{listed}");

    let own = root.path().join("officer-1.private");
    let stranger = make_key(root.path(), "stranger").with_extension("private");
    let (own, stranger) = (own.to_str().unwrap(), stranger.to_str().unwrap());
    let pin = format!("{PIN}\n");
    let by = ["--operator", "operator-1"];
    let show = |ticket, key| [&["show", ticket, "--key", key][..], &by, &["--json"]].concat();
    let close = |ticket| [&["close", ticket, "--result", "accepted"][..], &by].concat();
    refused(
        &station,
        &show(&number, stranger),
        &pin,
        "is not sealed to this key",
    );
    refused(&station, &show("W1-9", own), &pin, "not among the tickets");
    refused(&station, &show(&number, own), "00000000\n", "PIN unknown");
    refused(&station, &show(&number, own), "\n", "was not asked");
    let unseen = &show(&number, own)[..6];
    refused(&station, unseen, &pin, "write --json");
    refused(&station, &close(&number), "00000000\n", "PIN unknown");
    refused(&station, &close("W1-9"), &pin, "no such window ticket");

    let first = shown(&station, &number, own);
    assert_eq!(first["person"]["number"], NUMBER, "{first}");
    assert_eq!(
        (&first["kind"], &first["residence"]),
        (&json!("lost"), &json!("local"))
    );
    assert!(station.stop().success());
    station.start();
    assert_eq!(shown(&station, &number, own), first, "after a restart");
    assert_eq!(forms(&station), 1);

    let (code, out, said) = window(&station, &close(&number), &pin);
    assert!(
        code == Some(0) && out.contains("is closed, accepted"),
        "{said}"
    );
    wait_for("the window's key is gone", STEP, || {
        (forms(&station) == 0).then_some(())
    });
    refused(&station, &close(&number), &pin, "closed already");
    refused(&station, &show(&number, own), &pin, "not among the tickets");
    assert!(open(&station).abs() < 0.5);
    assert!(station.tool_ok(&["verify"], "").contains("whole"));
    assert!(station.stop().success());
    drop(devices);
    assert_nowhere(&station);
    assert_recorded(&station, &session);
}

/// Two openings and one end, by the operator, and what was refused beside them.
fn assert_recorded(station: &Station, session: &str) {
    let (mut opened, mut closed, mut rejected) = (0, Vec::new(), 0);
    for entry in left::entries(&station.layout) {
        match entry.event {
            Event::WindowTicketOpened(event) => {
                assert_eq!(event.session.as_str(), session);
                assert_eq!(event.by.as_str(), "operator-1");
                opened += 1;
            }
            Event::WindowTicketClosed(event) => {
                let by = event.by.unwrap();
                closed.push((event.session.to_string(), by.to_string(), event.result));
            }
            Event::OperatorRejected(event) => {
                assert_eq!(event.request, "window");
                rejected += 1;
            }
            _ => {}
        }
    }
    let accepted = WindowResult::Accepted;
    let once = [(session.to_owned(), "operator-1".to_owned(), accepted)];
    assert_eq!((opened, rejected), (2, 2));
    assert_eq!(closed, once);
}

/// An application with every kind of picture, which the centre rejects: its ticket.
fn rejected(
    runtime: &Runtime,
    centre: &TestCentre,
    station: &Station,
    citizen: &Citizen,
) -> String {
    runtime.block_on(apply::tell(centre, station, &grant(1, false)));
    let mut at = Applicant::start(Kiosk::connect(station.layout.mqtt, "kiosk-1"));
    at.walk_to(citizen, "give-portrait");
    let session: SessionId = at.session.parse().unwrap();
    let named = Instruction::EligibilityAnswered(EligibilityAnswered {
        incarnation: 1,
        session: session.clone(),
        question: 1,
        verdict: EligibilityVerdict::Eligible,
        name: MaskedName::new("*三").ok(),
    });
    runtime.block_on(apply::tell(centre, station, &named));
    let page = at.walk_through(citizen);
    assert_eq!(page["outcome"], "provisional", "{page}");
    let rejected = Instruction::ApplicationDecided(ApplicationDecided {
        incarnation: 1,
        session,
        outcome: Decision::Rejected {
            reason: RejectionReason::Documents,
        },
        comparisons: Vec::new(),
    });
    runtime.block_on(apply::tell(centre, station, &rejected));
    let listed = station.tool_ok(&["window", "list", "--json"], "");
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed[0]["session"], at.session, "{listed}");
    listed[0]["ticket"].as_str().unwrap().to_owned()
}

/// A15, G7: the pictures of an application come out byte for byte as they were captured, into a folder and files of the officer alone, and
/// never over what is there. A wrong PIN or another officer's key gets nothing; nothing personal is said beside the output.
#[test]
fn a15_an_officer_sees_the_pictures_as_they_were_captured() {
    let root = tempfile::tempdir().unwrap();
    let runtime = Runtime::new().unwrap();
    let centre = runtime.block_on(TestCentre::start(root.path()));
    let public = make_key(root.path(), "officer-1").with_extension("public");
    let mut station = Station::configured(Layout::new(root.path()), |text| {
        let text = believed(&centre.configure(&text));
        format!("{text}\n[window]\nkeys = [\"{}\"]\n", public.display())
    });
    station.policy(&QUICK);
    let devices = apply::start(&mut station, &[]);
    centre.register(&station);
    let citizen = Citizen::lost();
    let ticket = rejected(&runtime, &centre, &station, &citizen);

    let own = root.path().join("officer-1.private");
    let stranger = make_key(root.path(), "stranger").with_extension("private");
    let pin = format!("{PIN}\n");
    let folder = root.path().join("pictures");
    let show = |key: &Path| {
        let args = ["show", &ticket, "--operator", "operator-1", "--key"];
        let paths = [
            key.to_str().unwrap(),
            "--pictures",
            folder.to_str().unwrap(),
        ];
        let args = args.iter().chain(&paths).map(|arg| (*arg).to_owned());
        args.collect::<Vec<String>>()
    };
    let (of_own, of_stranger) = (show(&own), show(&stranger));
    let json = |args: &[String]| [args, &["--json".to_owned()]].concat();
    let refused = |args: &[String], typed: &str, why: &str| {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        refused(&station, &args, typed, why);
    };
    refused(&json(&of_own), "00000000\n", "PIN unknown");
    refused(&json(&of_stranger), &pin, "is not sealed to this key");
    refused(&of_own, &pin, "write --json");
    assert!(!folder.exists(), "nothing was made for who was refused");

    let args = [vec!["window".to_owned()], of_own.clone()].concat();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let shown = on_terminal(&station, &args, &pin);
    let wanted = [
        NUMBER,
        "*三",
        &citizen.phone,
        "portrait.png",
        "lost",
        &ticket,
        // What the papers begin with that the officer makes.
        "acceptance_number  110105001",
        "fee_fen            4000",
        "paid               false",
    ];
    for part in wanted {
        assert!(shown.contains(part), "no {part} in {shown}");
    }
    assert!(!shown.contains(PIN), "{shown}");
    refused(&json(&of_own), &pin, "is not empty");
    let pictures = pictures_in(&folder);
    let names = [
        "document-1-household-register",
        "finger-left",
        "finger-right",
        "live-photo",
        "portrait",
        "signature",
    ];
    assert!(pictures.keys().eq(names), "{:?}", pictures.keys());
    for (name, bytes) in [
        ("portrait", &citizen.portrait),
        ("signature", &citizen.signature),
        ("document-1-household-register", &citizen.scans[0]),
    ] {
        assert!(pictures[name] == *bytes, "{name} is not what was sent");
    }

    std::fs::remove_dir_all(&folder).unwrap();
    let again = json(&of_own);
    let again: Vec<&str> = again.iter().map(String::as_str).collect();
    let (code, out, said) = window(&station, &again, &pin);
    assert_eq!(code, Some(0), "{said}");
    let out: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(out["pictures"].as_array().unwrap().len(), names.len());
    for personal in [NUMBER, &citizen.phone, PIN] {
        assert!(!said.contains(personal), "{said}");
    }
    assert!(pictures_in(&folder) == pictures, "the same once more");
    assert!(station.stop().success());
    drop(devices);

    // By the centre's key, with code that is not the officer's.
    sealed::open(&station.layout);
    let captured = std::fs::read_dir(root.path().join("photos")).unwrap();
    let captured: BTreeSet<Vec<u8>> = captured
        .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
        .collect();
    for (name, bytes) in &pictures {
        assert!(captured.contains(bytes), "{name} is not what was captured");
    }
}
