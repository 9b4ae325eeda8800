//! A citizen who applies at a kiosk (A1 to A17), step by step, as the kiosk's maker would program it. It goes by what the page asks,
//! never by how long something takes.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use schemas::downlink::Instruction;
use schemas::downlink::application::{FlaggedHash, GrantIssued, GrantSalt};
use schemas::words::Residence;
use schemas::words::application::{ApplicationKind, PortraitCheck};
use serde_json::{Value, json};

use crate::centre::TestCentre;
use crate::kiosk::Kiosk;
use crate::picture::png;
use crate::station::{Devices, Station};
use crate::wait_for;

/// An example of GB 11643, nobody's: the first of the simulated people.
pub const NUMBER: &str = "11010519491231002X";
/// How long a page may take to come: the longest wait of the policy and some more.
pub const PAGE: Duration = Duration::from_secs(40);
/// A whole application.
const WALK: Duration = Duration::from_mins(3);

/// The devices that serve the applications of the shipped configuration.
const SERVING: [&str; 4] = ["reader-2", "scanner-1", "camera-1", "face-matcher-1"];
/// The lines of the policy that let a test wait for nothing: the centre for a second, no codes; and a card of the simulated people is renewed
/// whatever day it is.
pub const QUICK: [(&str, &str); 4] = [
    ("centre_wait_s = 5", "centre_wait_s = 1"),
    ("sms = true", "sms = false"),
    ("renewal_months_before = 6", "renewal_months_before = 120"),
    ("renewal_months_after = 6", "renewal_months_after = 120"),
];

/// What a citizen brings and says.
#[derive(Debug, Clone)]
pub struct Citizen {
    pub kind: &'static str,
    pub number: String,
    pub phone: String,
    pub portrait: Vec<u8>,
    pub scans: Vec<Vec<u8>>,
    pub signature: Vec<u8>,
    pub payment: &'static str,
}

impl Citizen {
    /// Who has lost their card, brings one page along, and pays in cash.
    pub fn lost() -> Self {
        Self {
            kind: "lost",
            number: NUMBER.to_owned(),
            phone: "13912345678".to_owned(),
            portrait: png("a portrait"),
            scans: vec![png("a page of a register")],
            signature: png("a signature"),
            payment: "cash-at-window",
        }
    }

    /// Who has their card with them.
    pub fn renewal() -> Self {
        Self {
            kind: "renewal",
            ..Self::lost()
        }
    }
}

/// An application under way.
#[derive(Debug)]
pub struct Applicant {
    pub kiosk: Kiosk,
    pub session: String,
    /// How long a page may take to come.
    pub patience: Duration,
    scanned: usize,
}

impl Applicant {
    /// Touches the screen; the application has begun when this returns.
    pub fn start(mut kiosk: Kiosk) -> Self {
        // A device is there a moment before it says that it is ready.
        let receipt = wait_for("the devices are ready", PAGE, || {
            let receipt = kiosk.request("start-application", json!({"language": "en"}));
            (receipt["reason"] != "device-offline").then_some(receipt)
        });
        assert_eq!(receipt["outcome"], "accepted", "{receipt}");
        let session = receipt["session"].as_str().unwrap().to_owned();
        let mut begun = Self {
            kiosk,
            session,
            patience: PAGE,
            scanned: 0,
        };
        begun.wait("choose-kind");
        begun
    }

    /// What the page says of the application.
    pub fn page(&self) -> Value {
        self.kiosk.page()["application"].clone()
    }

    /// The step that the page asks for; empty when it has ended.
    pub fn step(&self) -> String {
        self.page()["step"].as_str().unwrap_or_default().to_owned()
    }

    /// The number of the step that the page asks for.
    pub fn number(&self) -> Value {
        self.page()["number"].clone()
    }

    /// Waits until the page asks for this step.
    pub fn wait(&mut self, step: &str) -> Value {
        self.until(step, |page| page["step"] == step)
    }

    /// Waits until it has ended, and gives the whole prompt.
    pub fn ended(&mut self) -> Value {
        self.until("the end", |page| page["outcome"].is_string());
        self.kiosk.page().clone()
    }

    fn until(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let session = self.session.clone();
        self.kiosk.shows(what, self.patience, |prompt| {
            prompt["session"] == session && fits(&prompt["application"])
        });
        self.page()
    }

    /// Enters something at the present step and gives the receipt. The page is then what followed from it.
    pub fn enter(&mut self, input: &Value) -> Value {
        self.enter_at(&self.number(), input)
    }

    /// Enters something for the step of this number.
    pub fn enter_at(&mut self, number: &Value, input: &Value) -> Value {
        let body = json!({"session": self.session, "step": number, "input": input});
        self.kiosk.request("application-input", body)
    }

    /// The same; it must be accepted.
    pub fn entered(&mut self, input: &Value) {
        let receipt = self.enter(input);
        assert_eq!(receipt["outcome"], "accepted", "{input}: {receipt}");
    }

    /// Sends a picture that the next entry names.
    pub fn blob(&mut self, bytes: &[u8]) -> String {
        let (id, receipt) = self.kiosk.blob(bytes);
        assert_eq!(receipt["outcome"], "accepted", "{receipt}");
        id
    }

    /// What the citizen enters at the present step; none: it is not their turn.
    pub fn answer(&mut self, citizen: &Citizen) -> Option<Value> {
        Some(match self.step().as_str() {
            "choose-kind" => json!({"kind": citizen.kind}),
            "choose-residence" => json!({"residence": "local"}),
            "key-number" => json!({"number": citizen.number}),
            "confirm-identity" => json!({"confirm_identity": true}),
            "give-portrait" => self.portrait(&citizen.portrait),
            "retake-live-photo" => json!({"retry": {}}),
            "give-phone" => json!({"phone": {"first": citizen.phone, "second": citizen.phone}}),
            "attach-documents" => match citizen.scans.get(self.scanned) {
                Some(scan) => {
                    self.scanned += 1;
                    json!({"document": {"kind": "household-register", "scan": self.blob(scan)}})
                }
                None => json!({"documents_done": {}}),
            },
            "sign" => json!({"signature": self.blob(&citizen.signature)}),
            "choose-payment" => json!({"payment_method": citizen.payment}),
            _ => return None,
        })
    }

    /// A portrait from the booth that passes its checks, as an entry.
    pub fn portrait(&mut self, picture: &[u8]) -> Value {
        let checks = PortraitCheck::ALL.iter();
        let checks: Vec<_> = checks
            .map(|check| json!({"check": check, "passed": true}))
            .collect();
        json!({"portrait": {"way": "booth", "picture": self.blob(picture), "checks": checks}})
    }

    /// Goes on until the page is as wanted: enters what the citizen has to enter, and waits for what devices and the centre do.
    pub fn walk(&mut self, citizen: &Citizen, wanted: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + WALK;
        loop {
            let page = self.page();
            if wanted(&page) {
                return page;
            }
            let goes_on = page["outcome"].is_null() && Instant::now() < end;
            assert!(goes_on, "it does not come to what is wanted: {page}");
            if let Some(input) = self.answer(citizen) {
                self.entered(&input);
            } else {
                self.changes_from(&page["number"]);
            }
        }
    }

    /// Waits until the page asks for something else than the step of this number, or has ended.
    pub fn changes_from(&mut self, number: &Value) {
        self.until("what follows", |page| page["number"] != *number);
    }

    /// Goes on until the page asks for this step.
    pub fn walk_to(&mut self, citizen: &Citizen, step: &str) -> Value {
        self.walk(citizen, |page| page["step"] == step)
    }

    /// Goes on to the end; how it ended.
    pub fn walk_through(&mut self, citizen: &Citizen) -> Value {
        self.walk(citizen, |page| page["outcome"].is_string())
    }
}

/// `station.toml` for a station whose clock is believed: without that no age can be told (A5), and nothing is granted.
pub fn believed(text: &str) -> String {
    let changed = text.replace("trust = \"auto\"", "trust = \"always\"");
    assert_ne!(
        changed, text,
        "the shipped station.toml has no trust = \"auto\""
    );
    changed
}

/// `station.toml` for a kiosk with a payment terminal, `terminal-1`.
pub fn with_terminal(text: &str) -> String {
    let peripherals = "# peripherals = [\"printer-1\"]";
    assert!(
        text.contains(peripherals),
        "the shipped station.toml names no peripherals"
    );
    let text = text.replace(peripherals, "peripherals = [\"terminal-1\"]");
    format!("{text}\n[[device]]\nid = \"terminal-1\"\nkind = \"payment-terminal\"\n")
}

/// More kiosks that take applications, with the devices of the first one.
pub fn more_kiosks(text: &str, names: impl IntoIterator<Item = String>) -> String {
    let shared = text
        .lines()
        .find(|line| line.starts_with("application = {"));
    let shared = shared.unwrap();
    let kiosk = |name| format!("\n\n[[kiosk]]\nid = {name:?}\nmachine = \"machine-1\"\n{shared}\n");
    let kiosks: Vec<_> = names.into_iter().map(kiosk).collect();
    format!("{text}{}", kiosks.concat())
}

/// Starts the station and waits until it can serve.
pub fn start(station: &mut Station, devices: &[&str]) -> Devices {
    station.start();
    let running = Devices::start(&station.layout, devices);
    await_devices(station);
    running
}

/// Waits until the devices that serve applications are there: after a start their adapters try again after a pause.
pub fn await_devices(station: &Station) {
    for device in SERVING {
        let figure = format!("station_device_online{{device=\"{device}\"}}");
        wait_for(device, Duration::from_secs(30), || {
            (station.metric(&figure)? > 0.0).then_some(())
        });
    }
}

/// A grant that holds, for people who are registered here. It flags the citizen of [`NUMBER`] where `flags`: the one hash is of that
/// number under this salt (Argon2id, as link.md says).
pub fn grant(version: u32, flags: bool) -> Instruction {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now_ms = u64::try_from(now.as_millis()).unwrap();
    let flagged = FlaggedHash::new("7540d939b00e6b969b254363b5b9da9c").unwrap();
    Instruction::GrantIssued(GrantIssued {
        version,
        valid_from_ms: now_ms - 3_600_000,
        valid_until_ms: now_ms + 86_400_000,
        kinds: ApplicationKind::ALL.to_vec(),
        residences: vec![Residence::Local],
        provisional_max: 100_000,
        salt: GrantSalt::new("07".repeat(32)).unwrap(),
        flagged: if flags { vec![flagged] } else { Vec::new() },
    })
}

/// Says something as the centre, and waits until the station has followed it.
pub async fn tell(centre: &TestCentre, station: &Station, instruction: &Instruction) {
    let followed = || {
        let figure = "station_instructions_total{outcome=\"followed\"}";
        station.metric(figure).unwrap_or_default()
    };
    let before = followed();
    centre.tell(instruction).await;
    wait_for("the station follows", Duration::from_secs(30), || {
        (followed() > before).then_some(())
    });
}
