//! A11 to A13, A15, G7 on the built program: an application ends with papers that can be read, of which the log knows the hash and the
//! disk nothing.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemas::event::Event;
use schemas::event::paper::PapersIssued;
use schemas::ids::PaperHash;
use serde_json::{Value, json};
use simulator::people::People;
use station_tests::application::{Applicant, Citizen, NUMBER, QUICK};
use station_tests::config::Layout;
use station_tests::kiosk::Kiosk;
use station_tests::picture::png;
use station_tests::ports::free;
use station_tests::search::{Needle, files, find};
use station_tests::station::{Station, http_post};
use station_tests::{left, wait_for};

const STEP: Duration = Duration::from_secs(30);
const PHONE: &str = "13812345678";
/// The person of the demonstration whose card is read.
const READ: usize = 1;

/// A demonstration: simulated devices and a centre in the same process. What the centre does not say within a second its grant decides.
fn demonstration(root: &Path) -> Station {
    let station = Station::configured(Layout::new(root), |text| {
        let lines = text.lines().filter(|line| !line.starts_with("seal_key"));
        let mut text = lines.collect::<Vec<_>>().join("\n");
        for (from, to) in [
            ("trust = \"auto\"", "trust = \"always\"".to_owned()),
            (
                "simulated_devices = false",
                "simulated_devices = true".to_owned(),
            ),
            ("127.0.0.1:2113", free().to_string()),
            ("127.0.0.1:9467", free().to_string()),
            ("127.0.0.1:9468", free().to_string()),
            ("127.0.0.1:9471", free().to_string()),
        ] {
            assert!(text.contains(from), "there is no {from}");
            text = text.replace(from, &to);
        }
        text
    });
    station.policy(&QUICK);
    station
}

/// The kiosk of a station that has the centre's grant and all its devices.
fn served(station: &Station) -> Kiosk {
    let online = ["reader-2", "scanner-1", "camera-1", "face-matcher-1"]
        .map(|device| format!("station_device_online{{device=\"{device}\"}}"));
    let granted = "station_instructions_total{outcome=\"followed\"}".to_owned();
    for figure in online.into_iter().chain([granted]) {
        wait_for(&figure, STEP, || {
            (station.metric(&figure)? > 0.0).then_some(())
        });
    }
    Kiosk::connect(station.layout.mqtt, "kiosk-1")
}

/// Somebody with this signature who brings no pages.
fn citizen(signature: &[u8]) -> Citizen {
    Citizen {
        number: NUMBER.to_owned(),
        phone: PHONE.to_owned(),
        scans: Vec::new(),
        signature: signature.to_vec(),
        ..Citizen::lost()
    }
}

/// A paper as it came.
struct Came {
    message: Value,
    pdf: Vec<u8>,
}

/// The next so many papers.
fn papers(kiosk: &mut Kiosk, session: &Value, count: usize) -> Vec<Came> {
    let mut came = Vec::new();
    for _ in 0..count {
        let message = kiosk.until("a paper", STEP, |channel, value| {
            (channel == "papers").then(|| value.clone())
        });
        assert_eq!(message["session"], *session);
        let pdf = STANDARD.decode(message["pdf"].as_str().unwrap()).unwrap();
        assert!(pdf.starts_with(b"%PDF-1.7") && pdf.ends_with(b"%%EOF"));
        assert_eq!(PaperHash::of(&pdf).as_str(), message["sha256"]);
        came.push(Came { message, pdf });
    }
    came
}

/// What a page says, by poppler (the Debian package poppler-utils is installed).
fn text(folder: &Path, paper: &Came) -> String {
    let file = folder.join("paper.pdf");
    std::fs::write(&file, &paper.pdf).unwrap();
    let read = Command::new("pdftotext")
        .arg("-layout")
        .args([&file, Path::new("-")])
        .output();
    let read = read.expect("pdftotext");
    assert!(read.status.success(), "{read:?}");
    String::from_utf8(read.stdout).unwrap()
}

/// Which they are, and what they are printed on.
fn kinds(papers: &[Came]) -> Vec<[&str; 2]> {
    let mut kinds = Vec::new();
    for Came { message, .. } in papers {
        kinds.push(["paper", "media"].map(|name| message[name].as_str().unwrap()));
    }
    kinds
}

/// What the log says was made.
fn recorded(layout: &Layout) -> Vec<PapersIssued> {
    let entries = left::entries(layout).into_iter();
    let of = |event| {
        if let Event::PapersIssued(body) = event {
            Some(body)
        } else {
            None
        }
    };
    entries.filter_map(|entry| of(entry.event)).collect()
}

const ALL: [[&str; 2]; 3] = [
    ["certificate", "a5"],
    ["registration-form", "a4"],
    ["payment-notice", "roll80mm"],
];

/// A11 to A13, P1, G7: a renewal ends with its three papers. They state what the card does, carry the number that a pickup begins with,
/// come again after a jam with the same hashes as in the log, and nothing of them is on the disk.
#[test]
fn a13_a_renewal_ends_with_its_papers() {
    let root = tempfile::tempdir().unwrap();
    let mut station = demonstration(root.path());
    station.start();
    let layout = station.layout.clone();
    let people = People::new(schemas::ids::BatchId::new("demo-1").unwrap(), 12, 1).unwrap();
    let person = &people.people[READ];
    let signature = png("a stroke of ink");
    let renewal = Citizen {
        kind: "renewal",
        ..citizen(&signature)
    };
    let mut at = Applicant::start(served(&station));
    at.walk_to(&renewal, "read-card");
    http_post(layout.control, &format!("/citizen/arrive?person={READ}"));
    http_post(layout.control, "/citizen/present-card");
    at.walk_through(&renewal);
    let (page, mut kiosk) = (at.ended(), at.kiosk);
    assert_eq!(page["code"], "done", "{page}");
    let session = page["session"].clone();
    let number = page["application"]["acceptance_number"].as_str().unwrap();

    let came = papers(&mut kiosk, &session, 3);
    assert_eq!(kinds(&came), ALL);
    let [certificate, form, notice] = [0, 1, 2].map(|at| text(root.path(), &came[at]));
    assert!(
        certificate.replace(' ', "").contains(number),
        "{certificate}"
    );
    for said in ["**明", "到期换领", "示例市朝阳区建国路 1 号"] {
        assert!(certificate.contains(said), "no {said} in {certificate}");
    }
    assert!(!certificate.contains(&person.name), "{certificate}");
    for said in [
        &person.name,
        "汉",
        "测试省测试市测试路1号",
        "测试市公安局",
        "138 1234 5678",
    ] {
        assert!(form.contains(said), "no {said} in {form}");
    }
    assert!(
        notice.contains("20.00 元") && notice.contains("窗口现金"),
        "{notice}"
    );

    // The printer has jammed.
    let again = kiosk.request("get-papers", json!({"session": session}));
    assert_eq!(again["outcome"], "accepted", "{again}");
    let second = papers(&mut kiosk, &session, 3);
    for (first, second) in came.iter().zip(&second) {
        assert_eq!(first.pdf, second.pdf);
        assert_eq!(first.message["job"], second.message["job"]);
        assert_ne!(first.message["message_id"], second.message["message_id"]);
    }
    let other = kiosk.request("get-papers", json!({"session": "s-1"}));
    assert_eq!(other["reason"], "papers-gone", "{other}");
    let page = kiosk.request("get-session", json!({}));
    assert_eq!(page["outcome"], "accepted");
    let page = kiosk.prompt("done", STEP);
    assert_eq!(page["application"]["papers"], "issued", "{page}");

    assert!(station.stop().success());
    let issued = recorded(&layout);
    assert_eq!(issued.len(), 1);
    let hashes: Vec<_> = issued[0].papers.iter().map(|p| p.sha256.as_str()).collect();
    let sent: Vec<_> = came
        .iter()
        .map(|paper| paper.message["sha256"].as_str().unwrap())
        .collect();
    assert_eq!(hashes, sent);
    assert!(issued[0].missing.is_empty());

    let needles = [
        Needle::text("name", &person.name, None),
        Needle::text("number", &person.card.number, None),
        Needle::text("phone", PHONE, None),
        Needle::text("address", "测试省测试市测试路1号", None),
        Needle::bytes("a paper", b"%PDF-1.7"),
        Needle::text("the signature", "a stroke of ink", None),
    ];
    let mut places = Vec::new();
    files(&layout.data(), &mut places);
    places.push(station_tests::search::Place {
        name: "what it said".to_owned(),
        bytes: station.output().into_bytes(),
    });
    assert_eq!(find(&needles, &places), Vec::<String>::new());
}

/// A10, A11: a signature that no paper could carry, and a scan that is no picture, are refused while the citizen can still mend it. A13, A15:
/// a number that is wrong three times ends with a ticket on paper.
#[test]
fn a11_what_no_paper_can_carry_is_refused_at_the_pad() {
    let root = tempfile::tempdir().unwrap();
    let mut station = demonstration(root.path());
    station.start();
    let layout = station.layout.clone();
    let mut at = Applicant::start(served(&station));
    let good = citizen(&png("a signature"));
    at.walk_to(&good, "attach-documents");
    let scanned = Citizen {
        scans: vec![b"neither PNG nor JPEG".to_vec()],
        ..good.clone()
    };
    let scan = at.answer(&scanned).unwrap();
    assert_eq!(at.enter(&scan)["reason"], "picture-unusable");
    at.walk_to(&good, "sign");
    let damaged: &[u8] = b"\x89PNG\r\n\x1a\n and no more";
    for (signature, reason) in [
        (&b"neither PNG nor JPEG"[..], "picture-unusable"),
        (damaged, "picture-damaged"),
    ] {
        let signed = at.answer(&citizen(signature)).unwrap();
        assert_eq!(at.enter(&signed)["reason"], reason);
        assert_eq!(at.step(), "sign");
    }
    at.walk_through(&good);
    let (page, mut kiosk) = (at.ended(), at.kiosk);
    let came = papers(&mut kiosk, &page["session"], 3);
    assert_eq!(kinds(&came), ALL);
    let notice = text(root.path(), &came[2]);
    // A4: the centre has said whose number was keyed.
    assert!(notice.contains("*三"), "{notice}");

    let mut at = Applicant::start(kiosk);
    at.walk_to(&citizen(b""), "key-number");
    for _ in 0..3 {
        let number = at.number();
        let receipt = at.enter(&json!({"number": "110105194912310021"}));
        assert_eq!(receipt["reason"], "number-invalid", "{receipt}");
        at.changes_from(&number);
    }
    let (page, mut kiosk) = (at.ended(), at.kiosk);
    let ticket = page["application"]["ticket"].as_str().unwrap();
    let came = papers(&mut kiosk, &page["session"], 1);
    assert_eq!(kinds(&came), [["window-ticket", "roll80mm"]]);
    assert!(text(root.path(), &came[0]).contains(ticket));
    assert!(station.stop().success());
    let issued = recorded(&layout);
    assert_eq!(issued.len(), 2);
    assert!(issued.iter().all(|papers| papers.missing.is_empty()));
}

/// A11, A13: entries that come again, by taps on a slow page or after a lost acknowledgement, push out nothing that the papers state.
#[test]
fn a13_entries_that_are_made_again_cost_no_paper() {
    let root = tempfile::tempdir().unwrap();
    let mut station = demonstration(root.path());
    station.start();
    let citizen = citizen(&png("a stroke of ink"));
    let mut at = Applicant::start(served(&station));
    for (step, input) in [
        ("key-number", json!({"number": NUMBER})),
        (
            "give-phone",
            json!({"phone": {"first": PHONE, "second": PHONE}}),
        ),
    ] {
        let number = at.walk_to(&citizen, step)["number"].clone();
        at.entered(&input);
        for _ in 1..5 {
            let again = at.enter_at(&number, &input);
            assert_eq!(again["reason"], "out-of-step", "{again}");
        }
    }
    at.walk_through(&citizen);
    let (page, mut kiosk) = (at.ended(), at.kiosk);
    let came = papers(&mut kiosk, &page["session"], 3);
    assert_eq!(kinds(&came), ALL);
    let form = text(root.path(), &came[1]);
    for said in [NUMBER, PHONE] {
        assert!(form.replace(' ', "").contains(said), "no {said} in {form}");
    }
    assert!(station.stop().success());
    assert!(recorded(&station.layout)[0].missing.is_empty());
}
