//! G7 on the real binaries: distinctive personal data goes through two applications, one of them killed in the middle, and is then looked
//! for in every byte that the station left. What was acknowledged before the kill is still there for the centre, and only for the centre.

use schemas::downlink::Instruction;
use schemas::downlink::application::{EligibilityAnswered, SmsCodeSent};
use schemas::event::application::SaltedCode;
use schemas::ids::SessionId;
use schemas::words::application::EligibilityVerdict;
use serde_json::{Value, json};
use simulator::camera::MARK;
use station_tests::application::{self as apply, Applicant, believed, grant};
use station_tests::canary::{PEOPLE, PHONE, observe, pages};
use station_tests::centre::TestCentre;
use station_tests::config::Layout;
use station_tests::kiosk::Kiosk;
use station_tests::picture::png;
use station_tests::planted::{self, PICTURES, RECEIPT, WHO, citizen};
use station_tests::sealed;
use station_tests::search::{Needle, Place, files, find};
use station_tests::station::{Devices, Station};
use tokio::runtime::Runtime;

const CODE: &str = "90318427";

/// The same, and the code.
fn planted() -> Vec<Needle> {
    let mut planted = planted::planted();
    // Eight digits are found by chance in so many others, unless they stand alone.
    for before in ["\"", " ", "=", "(", ":"] {
        let text = format!("{before}{CODE}");
        planted.push(Needle::bytes("code", text.as_bytes()));
    }
    planted
}

/// The code of a session's second question: the first is about the person.
fn code_of(session: &str) -> Instruction {
    Instruction::SmsCodeSent(SmsCodeSent {
        incarnation: 1,
        session: SessionId::new(session).unwrap(),
        question: 2,
        code: SaltedCode::of([7; 16], CODE),
        valid_s: 300,
    })
}

/// The centre's late word, with which it is there to send codes.
fn eligible(session: &str) -> Instruction {
    Instruction::EligibilityAnswered(EligibilityAnswered {
        incarnation: 1,
        session: SessionId::new(session).unwrap(),
        question: 1,
        verdict: EligibilityVerdict::Eligible,
        name: None,
    })
}

/// As far as the signature: card, portrait, live photo, phone, code, fingers, a page.
fn until_signature(
    at: &mut Applicant,
    devices: &Devices,
    tell: impl Fn(&Instruction),
    portrait: Option<&Value>,
) {
    let citizen = citizen();
    at.walk_to(&citizen, "read-card");
    devices.post(&format!("/citizen/arrive?person={WHO}"));
    devices.post("/citizen/present-card");
    at.walk_to(&citizen, "give-portrait");
    devices.post("/citizen/lift-card");
    if let Some(portrait) = portrait {
        at.entered(portrait);
    }
    at.walk_to(&citizen, "give-phone");
    let differ = json!({"phone": {"first": PHONE, "second": "13900008766"}});
    assert_eq!(at.enter(&differ)["reason"], "phones-differ");
    tell(&eligible(&at.session));
    at.walk_to(&citizen, "await-sms");
    tell(&code_of(&at.session));
    at.wait("key-sms-code");
    let wrong = at.enter(&json!({"sms_code": "90318428"}));
    assert_eq!(wrong["reason"], "code-wrong", "{wrong}");
    at.entered(&json!({"sms_code": CODE}));
    at.walk_to(&citizen, "sign");
}

/// What a station that runs shows and sends, to somebody who was there all the time and to somebody who comes late.
fn heard(layout: &Layout, run: impl FnOnce()) -> Vec<Place> {
    let (end, all) = observe(layout.mqtt);
    run();
    let mut places = pages(layout.http);
    let (late_end, late) = observe(layout.mqtt);
    late_end.send(()).unwrap();
    places.extend(late.iter());
    end.send(()).unwrap();
    places.extend(all.iter());
    places
}

#[test]
fn g7_no_byte_of_an_application_names_anybody() {
    let root = tempfile::tempdir().unwrap();
    let runtime = Runtime::new().unwrap();
    let centre = runtime.block_on(TestCentre::start(root.path()));
    let station = Station::configured(Layout::new(root.path()), |text| {
        believed(&centre.configure(&text))
    });
    let mut station = station.logging("trace,sled=debug,mio=info,h2=info,hyper=info,tower=info");
    let with_codes = apply::QUICK
        .into_iter()
        .filter(|(from, _)| *from != "sms = true");
    station.policy(&with_codes.collect::<Vec<_>>());
    let (len, seed) = (PEOPLE.0.to_string(), PEOPLE.1.to_string());
    let devices = apply::start(&mut station, &["--people", &len, "--seed", &seed]);
    centre.register(&station);
    runtime.block_on(apply::tell(&centre, &station, &grant(1, true)));
    let layout = station.layout.clone();
    let receipt = json!({"portrait": {"way": "receipt", "receipt": RECEIPT}});
    let said = |station: &Station, told: &Instruction| {
        runtime.block_on(apply::tell(&centre, station, told));
    };
    let mut places = heard(&layout, || {
        let mut at = Applicant::start(Kiosk::connect(layout.mqtt, "kiosk-1"));
        let tell = |told: &Instruction| said(&station, told);
        until_signature(&mut at, &devices, tell, Some(&receipt));
        at.blob(&png(PICTURES[2]));
    });
    station.kill();
    station.start();
    apply::await_devices(&station);
    places.extend(heard(&layout, || {
        let mut at = Applicant::start(Kiosk::connect(layout.mqtt, "kiosk-1"));
        let tell = |told: &Instruction| said(&station, told);
        until_signature(&mut at, &devices, tell, None);
        assert_eq!(at.walk_through(&citizen())["outcome"], "accepted");
    }));
    let topics = places.len();
    assert!(topics > 20, "{topics} places: the observer heard something");
    assert!(station.stop().success());
    let output = station.output().into_bytes();
    assert!(output.len() > 10_000, "talkative: {}", output.len());
    let name = "output".to_owned();
    places.push(Place {
        name,
        bytes: output,
    });
    files(&layout.data(), &mut places);
    files(&layout.keys(), &mut places);
    let found = find(&planted(), &places);
    assert!(found.is_empty(), "{} hits: {found:#?}", found.len());
    for control in ["**明", "key-sms-code", "interrupted"] {
        let control = Needle::text(control, control, None);
        assert!(!find(&[control], &places).is_empty(), "the search finds");
    }

    // All of it is there for the centre, what was acknowledged before the kill included.
    let lines = sealed::open(&layout);
    let says = |field: &str, words: &str| {
        let mut fields = lines.iter().filter(|line| line["field"] == field);
        fields.any(|line| line["opened"] == true && line["says"].to_string().contains(words))
    };
    assert!(says("application.phone", PHONE) && says("application.receipt", RECEIPT));
    assert!(says("application.holder", "number"));
    let mut opened = Vec::new();
    files(&root.path().join("photos"), &mut opened);
    let times = |mark: &[u8]| {
        let holds = |place: &&Place| place.bytes.windows(mark.len()).any(|part| part == mark);
        opened.iter().filter(holds).count()
    };
    let [portraits, pages, signatures] = PICTURES.map(|mark| times(mark.as_bytes()));
    assert_eq!((portraits, pages, signatures, times(MARK)), (1, 2, 1, 2));
}
