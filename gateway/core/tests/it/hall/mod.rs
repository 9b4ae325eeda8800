//! A hall around the pure core: kiosks that take applications, devices that two of them share, a centre that answers or not. What is
//! asked is done here, as devices, citizens and the centre do it.

mod centre;
pub mod citizen;
pub mod payment;
pub mod prelude;

use std::collections::BTreeMap;

use gateway_core::{
    Answer, ApplicationRules, BirthDate, Captured, CardRead, DeviceRules, Effect, Eligibility,
    Entry, FacesReply, FingerReply, Input, Instructed, KioskRules, MachineRules, Order, Outcome,
    Person, ReadFailure, RegistryPolicy, Reply, Request, Rules, State, Told, View, pending, views,
};
use schemas::acceptance::AcceptanceSite;
use schemas::citizen::{MaskedName, NumberTail};
use schemas::civil::CivilDate;
use schemas::event::Event;
use schemas::event::application::{ApplicationDevices, ApplicationPolicy, PaymentTerm, SealedBlob};
use schemas::fee::FeeTable;
use schemas::ids::{BlobHash, CardSerial, MachineId, RecorderReference, SessionId};
use schemas::key::SealingKeyId;
use schemas::lookup::LookupTag;
use schemas::message::application::ApplicationPrompt;
use schemas::message::peripheral::Fen;
use schemas::sealed::SealedField;
use schemas::time::Now;
use schemas::validity::Expiry;
use schemas::words::application::{FingerPosition, Language, PaymentWay, PortraitCheck};
use schemas::words::{Completion, DeviceKind, Hand, Residence};

use crate::station;

pub use crate::station::{KIOSKS, boot, device};
pub use centre::{CODE, REGISTERED};
use citizen::Card;

/// All devices; both kiosks share those that are not kiosks.
pub const DEVICES: [&str; 7] = [
    "kiosk-1",
    "kiosk-2",
    "reader-3",
    "scanner-2",
    "camera-2",
    "faces-1",
    "terminal-1",
];
/// What must never be in an event: a birth date, as the standard and as people write it.
pub const BIRTH_DATES: [&str; 3] = ["19900307", "1990-03-07", "20200307"];

/// Within what time a fee has to be paid.
pub const TERM: PaymentTerm = PaymentTerm {
    due_days: 15,
    notice_days: 3,
};

pub struct Hall {
    pub rules: Rules,
    pub state: State,
    pub log: Vec<(Now, Event)>,
    pub now: Now,
    pub revision: u64,
    lives: u32,
}

pub fn sealed(n: u8) -> SealedField {
    let body = format!("{n:02}").repeat(20);
    SealedField::new(format!("v1.{}.{body}", "0a".repeat(16))).unwrap()
}

pub fn blob(n: u8) -> SealedBlob {
    SealedBlob {
        blob: BlobHash::new(format!("{n:02x}").repeat(32)).unwrap(),
        key: SealingKeyId::of(&[7; 16]),
        len: 1_000,
    }
}

pub fn policy() -> ApplicationPolicy {
    ApplicationPolicy {
        residences: vec![Residence::Local, Residence::Province],
        renewal_months_before: 6,
        renewal_months_after: 6,
        age_min: 16,
        portrait_score_min: 95,
        live_score_min: 60,
        finger_quality_min: 50,
        finger_score_min: 60,
        portrait_checks: vec![PortraitCheck::EyesOpen, PortraitCheck::Background],
        number_attempts_max: 3,
        portrait_attempts_max: 3,
        live_attempts_max: 2,
        phone_attempts_max: 2,
        sms_attempts_max: 2,
        finger_attempts_max: 3,
        documents_max: 2,
        sms: true,
        step_timeout_s: 90,
        command_timeout_s: 20,
        centre_wait_s: 5,
        sms_wait_s: 20,
        payment_wait_s: 120,
        order_hours: 72,
        provisional_max: 100,
        payments: PaymentWay::ALL.to_vec(),
        fees: FeeTable {
            renewal: Fen::new(2_000).ok(),
            loss: Fen::new(4_000).ok(),
            damage: Fen::new(4_000).ok(),
        },
    }
}

fn rules() -> Rules {
    let application = ApplicationDevices {
        reader: device("reader-3"),
        scanner: device("scanner-2"),
        camera: device("camera-2"),
        face_matcher: device("faces-1"),
    };
    let machine = MachineId::new("machine-1").unwrap();
    let kiosk = |name: &&str| {
        let own = KioskRules {
            machine: machine.clone(),
            application: Some(application.clone()),
        };
        (device(name), own)
    };
    let kinds = |name: &str| match name.split('-').next().unwrap() {
        "kiosk" => DeviceKind::Kiosk,
        "reader" => DeviceKind::Reader,
        "scanner" => DeviceKind::Scanner,
        "camera" => DeviceKind::Camera,
        "faces" => DeviceKind::FaceMatcher,
        _ => DeviceKind::PaymentTerminal,
    };
    let installed = |name: &&str| {
        let own = DeviceRules {
            kind: kinds(name),
            serial: None,
            firmware: None,
            place: None,
            owner: (*name == "terminal-1").then(|| device("kiosk-1")),
        };
        (device(name), own)
    };
    Rules {
        kiosks: KIOSKS.iter().map(kiosk).collect(),
        machines: BTreeMap::from([(
            machine.clone(),
            MachineRules {
                devices: station::machine_devices(),
                recorder: None,
                columns: 1,
                slots_per_column: 8,
            },
        )]),
        devices: DEVICES.iter().map(installed).collect(),
        registry: RegistryPolicy::default(),
        pickup: station::pickup_policy(),
        eligibility: Eligibility {
            residences: [Residence::Local].into(),
            grounds: [].into(),
        },
        application: Some(ApplicationRules {
            site: AcceptanceSite::new("110105001").unwrap(),
            policy: policy(),
            ticket_held_h: 72,
            term: TERM,
            recorders: BTreeMap::from([(
                device("camera-2"),
                RecorderReference::new("nvr-1/channel-2").unwrap(),
            )]),
        }),
        motion_timeout_s: 20,
        query_attempts_max: 3,
        dedupe_days: 7,
    }
}

impl Hall {
    /// A hall with its devices online. 2026-11-22, 08:00 in China.
    pub fn new() -> Self {
        let mut hall = Self {
            rules: rules(),
            state: State::default(),
            log: Vec::new(),
            now: station::first_moment(),
            revision: 0,
            lives: 0,
        };
        hall.restart();
        hall
    }

    /// Decides and records, as the pipeline does.
    pub fn input(&mut self, input: Input) -> Outcome {
        let (state, log) = (&mut self.state, &mut self.log);
        station::decided(state, log, &self.rules, &self.now, &input)
    }

    pub fn request(&mut self, kiosk: &str, request: Request) -> Outcome {
        let deadline_ms = self.now.wall_ms + 60_000;
        self.input(Input::Request {
            kiosk: device(kiosk),
            deadline_ms,
            request,
        })
    }

    pub fn start(&mut self, kiosk: &str) -> Outcome {
        let language = Language::ZhCn;
        self.request(kiosk, Request::StartApplication { language })
    }

    /// Begins, and says which session it is.
    pub fn begin(&mut self, kiosk: &str) -> SessionId {
        match self.start(kiosk) {
            Outcome::Accepted(Some(session)) => session,
            other => panic!("{other:?}"),
        }
    }

    /// Enters something at the present step.
    pub fn enter(&mut self, kiosk: &str, entry: Entry) -> Outcome {
        let (session, step) = match self.prompt(kiosk) {
            Some((session, prompt)) => (session, prompt.number.unwrap_or(0)),
            None => (SessionId::from_index(0), 0),
        };
        self.enter_at(kiosk, session, step, entry)
    }

    pub fn enter_at(
        &mut self,
        kiosk: &str,
        session: SessionId,
        step: u32,
        entry: Entry,
    ) -> Outcome {
        let entry = Box::new(entry);
        self.request(
            kiosk,
            Request::ApplicationInput {
                session,
                step,
                entry,
            },
        )
    }

    pub fn view(&self, kiosk: &str) -> View {
        views(&self.state, &self.rules)
            .remove(&device(kiosk))
            .unwrap()
    }

    /// What the kiosk shows of an application, under way or ended.
    pub fn prompt(&self, kiosk: &str) -> Option<(SessionId, ApplicationPrompt)> {
        let view = self.view(kiosk);
        view.session.zip(view.application.map(|prompt| *prompt))
    }

    pub fn advance(&mut self, ms: u64) {
        self.now.mono_ms += ms;
        self.now.wall_ms += ms;
        self.input(Input::Tick);
    }

    /// Lets the next deadline come. False: there is none.
    pub fn wait(&mut self) -> bool {
        let deadline = gateway_core::next_deadline(&self.state, &self.now);
        match deadline.map(|deadline| deadline.left_ms(&self.now)) {
            Some(ms) => {
                self.advance(ms);
                true
            }
            None => false,
        }
    }

    /// The gateway is killed and started again.
    pub fn restart(&mut self) {
        self.lives += 1;
        self.state = self.replay();
        self.input(Input::Started {
            software: "test".into(),
            instance: boot(self.lives),
        });
        for name in DEVICES {
            self.online(name);
        }
    }

    pub fn replay(&self) -> State {
        station::replay(&self.log)
    }

    pub fn online(&mut self, name: &str) {
        self.input(station::life(name, self.lives, true));
    }

    pub fn lost(&mut self, name: &str) {
        self.input(station::life(name, self.lives, false));
    }

    /// What the centre says; whether it was followed.
    pub fn told(&mut self, answer: Answer) -> bool {
        self.revision += 1;
        let told = Told::Answer(Box::new(answer));
        self.input(Input::Instructed(Instructed {
            revision: self.revision,
            sha256: "00".repeat(32),
            told: Ok((self.revision, told)),
        }));
        let (_, last) = self.log.last().unwrap();
        !matches!(last, Event::InstructionRefused(_))
    }

    /// The open effects that a kiosk's session caused.
    pub fn effects(&self) -> Vec<Effect> {
        pending(&self.state)
    }

    pub fn reply(&mut self, effect: &Effect, reply: Reply) -> Outcome {
        self.input(Input::Reply {
            device: effect.device.clone(),
            command: effect.id.clone(),
            reply,
        })
    }

    /// As an orderly device answers.
    pub fn orderly(&self, effect: &Effect) -> Reply {
        match &effect.order {
            Order::Read => Reply::Read(Ok(card(&person(1, Card::Good, self.grant_version())))),
            Order::Capture { .. } => {
                let SealedBlob { blob, key, len } = blob(0x11);
                Reply::Captured(Ok(Captured { blob, key, len }))
            }
            Order::CaptureFinger { compare, .. } => Reply::Finger(FingerReply {
                completion: Completion::Success,
                quality: Some(80),
                image: Some(blob(0x22)),
                score: compare.then_some(90),
            }),
            Order::CompareFaces { .. } => Reply::Faces(FacesReply {
                completion: Completion::Success,
                score: Some(97),
                refusal: None,
                which: None,
            }),
            other => panic!("no device of this hall is asked {other:?}"),
        }
    }

    /// The grant that the list of flagged persons belongs to.
    pub fn grant_version(&self) -> Option<u32> {
        self.log.iter().rev().find_map(|(_, event)| match event {
            Event::GrantReceived(grant) => Some(grant.version),
            _ => None,
        })
    }

    pub fn types(&self) -> Vec<&'static str> {
        station::types(&self.log)
    }

    pub fn count(&self, type_name: &str) -> usize {
        let named = self.types().into_iter().filter(|name| *name == type_name);
        named.count()
    }
}

/// The tag of somebody's number under a key.
fn tag(key: &str, who: u8) -> LookupTag {
    LookupTag::new(format!("{key}.{who:02}ECAwQFBgcICQoLDA0ODw")).unwrap()
}

/// A person of 36 years, by a card that ends on 2027-03-01, or with what else the case says.
pub fn person(who: u8, card: Card, grant: Option<u32>) -> Person {
    let day = |y, m, d| CivilDate::new(y, m, d).unwrap();
    let born = match card {
        Card::Child => day(2020, 3, 7),
        _ => day(1990, 3, 7),
    };
    let expiry = (card != Card::Undated).then_some(match card {
        Card::Early => Expiry::On(day(2030, 1, 1)),
        Card::Late => Expiry::On(day(2020, 1, 1)),
        Card::LongTerm => Expiry::LongTerm,
        _ => Expiry::On(day(2027, 3, 1)),
    });
    let mut number = vec![tag("0a1b2c3d", who)];
    if card == Card::Retagged {
        number.insert(0, tag("4e5f6071", who));
    }
    Person {
        number,
        resident: card != Card::Permit,
        number_tail: NumberTail::new("002X").unwrap(),
        name: MaskedName::new("**明").ok(),
        born: BirthDate(born),
        holder: Some(sealed(1)),
        expiry,
        picture: card != Card::Plain,
        flagged: grant.map(|version| (version, card == Card::Flagged)),
    }
}

/// What a reader reads of a person's card.
pub fn card(person: &Person) -> CardRead {
    let hands = if person.picture {
        vec![Hand::Right, Hand::Left]
    } else {
        vec![]
    };
    CardRead {
        fingers: vec![FingerPosition::LeftIndex],
        serial: CardSerial::new("AB12345678").unwrap(),
        number: person.number.clone(),
        hands,
        holder: None,
        person: Some(Box::new(person.clone())),
    }
}

pub const UNREADABLE: Reply = Reply::Read(Err(ReadFailure(Completion::SequenceError)));

impl Hall {
    /// Records an event as an earlier log left it.
    pub fn record(&mut self, event: Event) {
        station::record(&mut self.state, &mut self.log, &self.now, event);
    }
}
