//! G7, A9 on the real binary: an image belongs to the command that asked for it. The scanner is a native one whose image comes when
//! the test says so.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use station_tests::application::{self as apply, Applicant, Citizen, PAGE, QUICK, believed, grant};
use station_tests::centre::TestCentre;
use station_tests::config::Layout;
use station_tests::kiosk::Kiosk;
use station_tests::left;
use station_tests::picture::png;
use station_tests::station::Station;
use tokio::runtime::Runtime;

/// MQTT 5: not authorised, a refusal for good.
const NOT_ASKED_FOR: u8 = 0x87;

/// `station.toml` without the section of the simulated scanner.
fn native_scanner(text: &str) -> String {
    let (before, rest) = text.split_once("[[zfm_scanner]]").unwrap();
    let (_, after) = rest.split_once("\n# Cameras of the network").unwrap();
    format!("{before}\n# Cameras of the network{after}")
}

struct Scanner(Kiosk);

impl Scanner {
    fn connect(station: &Station) -> Self {
        let mut scanner = Kiosk::connect(station.layout.mqtt, "scanner-1");
        let desc = json!({"kind": "scanner", "vendor": "Somebody Else", "model": "native", "firmware": "7",
            "commands": ["match", "match-on-sensor", "capture-finger"], "events": ["finger-present"]});
        scanner.publish("desc", desc.to_string().as_bytes(), true);
        scanner.publish("state", br#"{"status":"online"}"#, true);
        Self(scanner)
    }

    /// The command that it is given next.
    fn asked(&mut self) -> String {
        let asked = |channel: &str, command: &Value| {
            let id = command["command_id"].as_str()?;
            (channel == "cmd/capture-finger").then(|| id.to_owned())
        };
        self.0.until("a finger is asked for", PAGE, asked)
    }

    /// Publishes the image of a finger, and gives what the gateway says of it.
    fn image(&mut self, id: &str, command: &str) -> u8 {
        let channel = format!("blob/{id}/{command}");
        self.0.publish(&channel, &png("a finger"), false)
    }

    fn replies(&mut self, command: &str, blob: &str) {
        let reply = json!({"message_id": station_tests::new_id(), "command_id": command,
            "completion": "success", "quality": 90, "blob": blob});
        let reply = reply.to_string();
        let reason = self
            .0
            .publish("cmd/capture-finger/reply", reply.as_bytes(), false);
        assert!(reason < 0x80, "{reason:#x}");
    }
}

/// A citizen goes away while their finger is read. Its image comes when the scanner serves nobody, and again when it serves the next
/// one: it is refused for good both times, and so is one that names no command. Only what the next one was asked for is kept, and
/// nothing sealed stays that no event names.
#[test]
fn g7_an_image_is_of_the_command_that_asked_for_it() {
    let root = tempfile::tempdir().unwrap();
    let runtime = Runtime::new().unwrap();
    let centre = runtime.block_on(TestCentre::start(root.path()));
    let mut station = Station::configured(Layout::new(root.path()), |text| {
        believed(&native_scanner(&centre.configure(&text)))
    });
    station.policy(&QUICK);
    station.start();
    let _devices = station_tests::station::Devices::start(&station.layout, &[]);
    let mut scanner = Scanner::connect(&station);
    apply::await_devices(&station);
    centre.register(&station);
    runtime.block_on(apply::tell(&centre, &station, &grant(1, false)));

    let citizen = Citizen::lost();
    let mut first = Applicant::start(Kiosk::connect(station.layout.mqtt, "kiosk-1"));
    first.walk_to(&citizen, "right-finger");
    let of_first = scanner.asked();
    let cancel = json!({"session": first.session});
    assert_eq!(first.kiosk.request("cancel", cancel)["outcome"], "accepted");
    first.ended();
    let late = station_tests::new_id();
    assert_eq!(scanner.image(&late, &of_first), NOT_ASKED_FOR);

    let next = Citizen {
        number: "110101199003070011".to_owned(),
        ..citizen
    };
    let mut second = Applicant::start(first.kiosk);
    second.walk_to(&next, "right-finger");
    let of_second = scanner.asked();
    assert_ne!(of_first, of_second);
    assert_eq!(scanner.image(&late, &of_first), NOT_ASKED_FOR, "retried");
    let channel = format!("blob/{late}");
    let unnamed = scanner.0.publish(&channel, &png("a finger"), false);
    assert_eq!(unnamed, NOT_ASKED_FOR, "it names no command");
    // What is refused is not there to be named.
    let own = station_tests::new_id();
    assert!(scanner.image(&own, &of_second) < 0x80);
    let stray = station_tests::new_id();
    assert!(scanner.image(&stray, &of_second) < 0x80, "never named");
    scanner.replies(&of_second, &own);
    second.walk_to(&next, "left-finger");
    let cancel = json!({"session": second.session});
    assert_eq!(
        second.kiosk.request("cancel", cancel)["outcome"],
        "accepted"
    );
    second.ended();
    assert!(station.stop().success());

    let mut named = BTreeSet::new();
    for entry in left::entries(&station.layout) {
        let sealed = entry.event.sealed();
        named.extend(
            sealed
                .iter()
                .flat_map(|s| s.blobs.iter().map(|b| b.as_str().to_owned())),
        );
    }
    let files = std::fs::read_dir(station.layout.data().join("blobs")).unwrap();
    let kept: BTreeSet<_> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(kept, named, "nothing stays that no event names");
}
