//! A station around the pure core: a dispenser that moves cards for real and keeps its sequence, a
//! citizen, an operator, time, losses on the way and restarts. What the core asks for is done here,
//! by the same rules as a device does it: a sequence that was taken once never moves again.

mod dispenser;

use std::collections::BTreeMap;

use gateway_core::{
    Announcement, Captured, CardRead, DeviceRules, Effect, Eligibility, Input, KioskRules,
    MachineRules, Order, Outcome, RegistryInput, RegistryPolicy, Reply, Report, Request, Rules,
    State, Watch, pending,
};
use schemas::citizen::{CitizenName, NumberTail};
use schemas::event::Event;
use schemas::event::custody::AnnouncedCard;
use schemas::ids::{
    BatchId, BlobHash, CardSerial, DeviceId, MachineId, OperatorId, RecorderReference,
};
use schemas::key::SealingKeyId;
use schemas::lookup::LookupTag;
use schemas::slot::SlotAddress;
use schemas::time::Now;
use schemas::words::{Completion, DeviceKind, Hand, LookupBy, Residence};

use crate::station;

pub use crate::station::{KIOSKS, boot, device};
pub use dispenser::Dispenser;

/// How the citizen and the devices behave.
#[derive(Debug, Clone, Copy)]
pub struct Manners {
    pub right_score: u16,
    pub left_score: u16,
    pub camera_works: bool,
    pub chip_is_right: bool,
    pub old_card: OldCard,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OldCard {
    Own,
    Foreign,
    None,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            right_score: 80,
            left_score: 80,
            camera_works: true,
            chip_is_right: true,
            old_card: OldCard::Own,
        }
    }
}

pub struct World {
    pub rules: Rules,
    pub state: State,
    pub log: Vec<(Now, Event)>,
    pub now: Now,
    pub dispenser: Dispenser,
    pub manners: Manners,
    pub watch: Watch,
    lives: u32,
}

pub fn machine() -> MachineId {
    MachineId::new("machine-1").unwrap()
}

pub fn serial(n: u16) -> CardSerial {
    CardSerial::new(format!("CARD{n:06}")).unwrap()
}

pub fn number(n: u16) -> LookupTag {
    LookupTag::new(format!("00000001.number{n:016}")).unwrap()
}

pub fn voucher(n: u16) -> LookupTag {
    LookupTag::new(format!("00000001.vouche{n:016}")).unwrap()
}

pub fn slot(n: u16) -> SlotAddress {
    SlotAddress::new(0, n).unwrap()
}

const DEVICES: [&str; 7] = [
    "dispenser-1",
    "reader-1",
    "reader-2",
    "scanner-1",
    "camera-1",
    "kiosk-1",
    "kiosk-2",
];

pub fn operator() -> OperatorId {
    OperatorId::new("operator-1").unwrap()
}

pub fn batch() -> BatchId {
    BatchId::new("batch-1").unwrap()
}

pub fn announced(n: u16) -> AnnouncedCard {
    AnnouncedCard {
        older: Vec::new(),
        serial: serial(n),
        number: number(n),
        voucher: voucher(n),
        name: CitizenName::new("李小明").unwrap().masked(),
        number_tail: NumberTail::new("0011").unwrap(),
        residence: if n == 3 {
            Residence::OtherProvince
        } else {
            Residence::Local
        },
        ground: None,
        old_card_due: n == 2,
        held: n == 4,
    }
}

pub fn rules() -> Rules {
    Rules {
        kiosks: KIOSKS
            .iter()
            .map(|k| {
                (
                    device(k),
                    KioskRules {
                        machine: machine(),
                        application: None,
                    },
                )
            })
            .collect(),
        machines: BTreeMap::from([(
            machine(),
            MachineRules {
                devices: station::machine_devices(),
                recorder: Some(RecorderReference::new("nvr-1/channel-1").unwrap()),
                columns: 1,
                slots_per_column: 8,
            },
        )]),
        devices: installed(),
        registry: RegistryPolicy::default(),
        pickup: station::pickup_policy(),
        eligibility: Eligibility {
            residences: [Residence::Local].into(),
            grounds: [].into(),
        },
        application: None,
        motion_timeout_s: 20,
        query_attempts_max: 3,
        dedupe_days: 7,
    }
}

/// What is installed: the devices of the machine, the kiosks, and a printer that the first kiosk brings.
fn installed() -> BTreeMap<DeviceId, DeviceRules> {
    use DeviceKind as K;
    let kinds = [
        K::Dispenser,
        K::Reader,
        K::Reader,
        K::Scanner,
        K::Camera,
        K::Kiosk,
        K::Kiosk,
    ];
    let rules = |kind, owner: Option<&str>| DeviceRules {
        kind,
        serial: None,
        firmware: None,
        place: None,
        owner: owner.map(device),
    };
    let own = DEVICES.iter().zip(kinds);
    let own = own.map(|(name, kind)| (device(name), rules(kind, None)));
    let brought = (device("printer-1"), rules(K::Printer, Some("kiosk-1")));
    own.chain([brought]).collect()
}

impl World {
    /// A station with its devices online and nothing in it.
    pub fn new() -> Self {
        let mut world = Self {
            rules: rules(),
            state: State::default(),
            log: Vec::new(),
            now: station::first_moment(),
            dispenser: Dispenser::default(),
            manners: Manners::default(),
            watch: Watch::default(),
            lives: 0,
        };
        world.restart();
        world
    }

    /// The same with cards 1 to 4 in slots 0 to 3, by the operator's hands.
    pub fn stocked() -> Self {
        let mut world = Self::new();
        world.settle();
        let cards = (1..=5).map(announced).collect();
        let manifest = Announcement {
            manifest_sha256: "00".repeat(32),
            cards,
        };
        world.accept(Request::ReceiveBatch {
            operator: operator(),
            batch: batch(),
            manifest: Some(manifest),
        });
        for n in 1..=4 {
            world.accept(Request::ScanCard {
                operator: operator(),
                batch: batch(),
                card: serial(n),
            });
            world.dispenser.hopper = Some(serial(n));
            world.accept(Request::LoadCard {
                operator: operator(),
                card: serial(n),
                machine: machine(),
                slot: slot(n - 1),
            });
            world.settle();
        }
        world
    }

    fn accept(&mut self, request: Request) {
        let outcome = self.request("kiosk-1", request);
        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    }

    /// Decides and records, as the pipeline does; what is decided must leave the state that replay
    /// leaves.
    pub fn input(&mut self, mut input: Input) -> Outcome {
        let look = self
            .watch
            .look(&self.state, &self.rules, &mut input, &self.now);
        let outcome = if look.pass {
            self.decide(&input)
        } else {
            Outcome::Unchanged
        };
        for more in look.more {
            self.decide(&more);
        }
        outcome
    }

    fn decide(&mut self, input: &Input) -> Outcome {
        let (state, log) = (&mut self.state, &mut self.log);
        station::decided(state, log, &self.rules, &self.now, input)
    }

    pub fn request(&mut self, kiosk: &str, request: Request) -> Outcome {
        let deadline_ms = self.now.wall_ms + 60_000;
        self.input(Input::Request {
            kiosk: device(kiosk),
            deadline_ms,
            request,
        })
    }

    pub fn start_pickup(&mut self, kiosk: &str, n: u16) -> Outcome {
        self.request(
            kiosk,
            Request::StartPickup {
                by: LookupBy::Voucher,
                tags: vec![voucher(n)],
            },
        )
    }

    pub fn advance(&mut self, ms: u64) {
        self.now.mono_ms += ms;
        self.now.wall_ms += ms;
        self.input(Input::Tick);
        for due in self.watch.due(&self.state, &self.rules, &self.now) {
            self.input(due);
        }
    }

    /// The gateway is killed and started again: the state is what the log says, the devices announce
    /// themselves again.
    pub fn restart(&mut self) {
        self.lives += 1;
        self.state = self.replay();
        self.watch = Watch::default();
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

    /// The registry's own inputs.
    pub fn registry(&mut self, input: RegistryInput) -> Outcome {
        self.input(Input::Registry(input))
    }

    pub fn online(&mut self, name: &str) {
        self.input(station::life(name, self.lives, true));
    }

    pub fn lost(&mut self, name: &str) {
        self.input(station::life(name, self.lives, false));
    }

    /// Does one open effect; `lose_reply`: the device acts, and its answer never arrives.
    pub fn act(&mut self, pick: usize, lose_reply: bool) -> bool {
        let effects = pending(&self.state);
        if effects.is_empty() {
            return false;
        }
        let effect = effects[pick % effects.len()].clone();
        let reply = self.perform(&effect);
        if !lose_reply {
            self.input(Input::Reply {
                device: effect.device,
                command: effect.id,
                reply,
            });
        }
        true
    }

    fn perform(&mut self, effect: &Effect) -> Reply {
        match &effect.order {
            Order::Move { sequence, motion } => self.dispenser.perform(*sequence, *motion),
            Order::Query { slots } => self.dispenser.query(*slots),
            Order::Read if effect.device == device("reader-1") => Reply::Read(self.read_chip()),
            Order::Read => Reply::Read(self.read_old_card()),
            Order::Match { hand, .. } => {
                let report = Report::FingerPresent {
                    command: Some(effect.id.clone()),
                };
                self.input(Input::Report {
                    device: effect.device.clone(),
                    report,
                });
                let score = match hand {
                    Hand::Right => self.manners.right_score,
                    Hand::Left => self.manners.left_score,
                };
                Reply::Matched {
                    completion: Completion::Success,
                    score: Some(score),
                }
            }
            Order::TouchSensor => Reply::MatchedOnSensor(Completion::Success),
            Order::Capture { .. } if self.manners.camera_works => Reply::Captured(Ok(Captured {
                blob: BlobHash::new("ab".repeat(32)).unwrap(),
                key: SealingKeyId::of(&[7; 16]),
                len: 1000,
            })),
            Order::Capture { .. } => Reply::Captured(Err(Completion::HardwareError)),
            Order::CaptureFinger { .. } | Order::CompareFaces { .. } => {
                unreachable!("no kiosk of this world takes applications")
            }
        }
    }

    fn read_chip(&self) -> Result<CardRead, gateway_core::ReadFailure> {
        let card = self
            .dispenser
            .reader
            .clone()
            .ok_or(gateway_core::ReadFailure(Completion::TimeOut))?;
        let n: u16 = card.as_str()[4..].parse().unwrap();
        let n = if self.manners.chip_is_right {
            n
        } else {
            n + 100
        };
        Ok(CardRead {
            fingers: Vec::new(),
            serial: serial(n),
            number: vec![number(n)],
            hands: vec![Hand::Right, Hand::Left],
            holder: None,
            person: None,
        })
    }

    fn read_old_card(&self) -> Result<CardRead, gateway_core::ReadFailure> {
        let card = |n: u16, owner| CardRead {
            fingers: Vec::new(),
            serial: serial(n),
            number: vec![number(owner)],
            hands: vec![],
            holder: None,
            person: None,
        };
        match self.manners.old_card {
            OldCard::Own => Ok(card(900, 2)),
            OldCard::Foreign => Ok(card(901, 77)),
            OldCard::None => Err(gateway_core::ReadFailure(Completion::TimeOut)),
        }
    }

    /// The citizen takes what lies in the outlet; the dispenser reports it unless the report is lost.
    pub fn take_card(&mut self, lose_report: bool) {
        if self.dispenser.outlet.is_some() {
            self.dispenser.take();
            if !lose_report {
                self.input(Input::Report {
                    device: device("dispenser-1"),
                    report: Report::MediaTaken,
                });
            }
        }
    }

    /// Does all that is open, with time passing where nothing is, until nothing is left but what is done every day.
    pub fn settle(&mut self) {
        for _ in 0..2_000 {
            if self.act(0, false) {
                continue;
            }
            match gateway_core::next_deadline(&self.state, &self.now) {
                Some(deadline) if deadline.left_ms(&self.now) < 3_600_000 => {
                    let ms = deadline.left_ms(&self.now);
                    self.advance(ms);
                }
                Some(_) | None => return,
            }
        }
        panic!("the station does not come to rest");
    }

    pub fn types(&self) -> Vec<&'static str> {
        station::types(&self.log)
    }

    pub fn last_types(&self, count: usize) -> Vec<&'static str> {
        let types = self.types();
        types[types.len().saturating_sub(count)..].to_vec()
    }
}
