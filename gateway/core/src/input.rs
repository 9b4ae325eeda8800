//! Every trigger there is, in one closed enum. Nothing personal reaches this far: numbers and vouchers
//! are keyed tags, names are masked, photos are hashes, fingerprints are scores.

mod application;
mod registry;
mod window;

use schemas::event::centre::{CentreKeyChanged, Contradiction, InstructionRefusal};
use schemas::event::commission::Commissioned;
use schemas::event::custody::AnnouncedCard;
use schemas::event::paper::PapersIssued;
use schemas::event::station::Presence;
use schemas::ids::{
    BatchId, BlobHash, BootId, CardSerial, DeviceId, MachineId, OperatorId, SessionId,
};
use schemas::key::{LookupKeyId, SealingKeyId};
use schemas::lookup::LookupTag;
use schemas::message::command::{CommandId, Progress};
use schemas::message::device::LastReceipt;
use schemas::message::kiosk::{MaintenanceTarget, PlacedAt, ResolvedPlace};
use schemas::sealed::SealedField;
use schemas::slot::SlotAddress;
use schemas::words::application::{FingerPosition, Language};
use schemas::words::{
    Completion, DeviceStatus, Evidence, Hand, LookupBy, MotionResult, RefusalReason,
};

pub use application::{Answer, BirthDate, Decided, Entry, FacesReply, FingerReply, Person};
pub use registry::{Described, PeripheralReport, RegistryInput};
pub use window::WindowInput;

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// The gateway began a new life; always the first input of one.
    Started {
        /// Version of the program.
        software: String,
        /// This life.
        instance: BootId,
    },
    /// A deadline may have come.
    Tick,
    /// The room on the disk fell below the watermark, or rose above it.
    Room {
        /// Below.
        low: bool,
    },
    /// Two operators found that a device with a receipt ahead of the log is wrong, not the log.
    DismissWitness {
        /// The two; their PINs have been compared.
        approvers: [OperatorId; 2],
    },
    /// A device's `$state`.
    Life {
        /// The device.
        device: DeviceId,
        /// Here or gone.
        presence: Presence,
        /// The life of the device that this is about.
        boot: BootId,
        /// The last receipt the device holds.
        witness: Option<LastReceipt>,
    },
    /// A device's `state`.
    Status {
        /// The device.
        device: DeviceId,
        /// The status.
        status: DeviceStatus,
        /// The device's own code.
        detail: Option<String>,
    },
    /// What concerns the device registry.
    Registry(RegistryInput),
    /// A report of a kiosk's peripheral.
    Peripheral {
        /// The device.
        device: DeviceId,
        /// What it reports.
        report: PeripheralReport,
    },
    /// A device's `event/{type}`.
    Report {
        /// The device.
        device: DeviceId,
        /// What it reports.
        report: Report,
    },
    /// A device's `cmd/{name}/reply`.
    Reply {
        /// The device.
        device: DeviceId,
        /// The command it answers.
        command: CommandId,
        /// The answer.
        reply: Reply,
    },
    /// A kiosk's `request/{name}`.
    Request {
        /// The kiosk, or whatever device sent it.
        kiosk: DeviceId,
        /// Until when it is wanted: wall clock, ms.
        deadline_ms: u64,
        /// What it asks for.
        request: Request,
    },
    /// An operator's name or PIN did not fit (checked before it came here).
    OperatorRejected {
        /// Where.
        device: DeviceId,
        /// The level after `request/`.
        request: String,
        /// The operator, if there is one of that name.
        operator: Option<OperatorId>,
        /// Wrong attempts in a row for that operator.
        attempts: u32,
        /// Whether the operator is locked out now.
        locked: bool,
    },
    /// What is personal of a session shall be destroyed.
    Erase {
        /// The session.
        session: SessionId,
        /// Whether this log has it (looked up before it came here).
        known: bool,
        /// Whether a key of it lies here (looked up before it came here).
        has_keys: bool,
    },
    /// An operator at the machine begins to commission it; the PIN has been compared (V2).
    Commission {
        /// Who.
        operator: OperatorId,
        /// The machine.
        machine: MachineId,
    },
    /// A device of a machine that is being commissioned shall be exercised.
    Exercise {
        /// The session of the commissioning.
        session: SessionId,
        /// Which device, and how.
        trial: Trial,
    },
    /// A commissioning is over: what came of it.
    Commissioned(Box<Commissioned>),
    /// An officer at the window has to do with a ticket (A15).
    Window(WindowInput),
    /// The sealing keys of a session that were here are destroyed.
    Erased {
        /// The session.
        session: SessionId,
        /// The keys.
        keys: Vec<SealingKeyId>,
        /// Whether keys of it have gone up, so that the centre is asked.
        centre_asked: bool,
    },
    /// A new lookup key is durable in its file.
    LookupKeyMade {
        /// The key that new records are tagged with from now on.
        key: LookupKeyId,
        /// A key that was in use before it.
        before: LookupKeyId,
    },
    /// Something stands in the stream from the centre.
    Instructed(Instructed),
    /// All that the centre had told by then has been read, and is recorded.
    CentreHeard {
        /// When the reading began, by the wall clock, in ms.
        read_ms: u64,
    },
    /// The centre's copy of this log contradicts it.
    Contradicted(Contradicted),
    /// The papers of a session were made, as far as they could be; nobody has them yet (A13).
    PapersMade(Box<PapersIssued>),
    /// A superseded lookup key is gone from its file.
    LookupKeyDestroyed {
        /// The key.
        key: LookupKeyId,
    },
}

/// What stands at one revision of the stream from the centre.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instructed {
    /// The revision.
    pub revision: u64,
    /// SHA-256 of its signed bytes: 64 hexadecimal digits.
    pub sha256: String,
    /// Its number under the centre's signature and what it tells, all that it needs done beforehand (a file in the inbox, a policy
    /// checked and kept); or why it cannot be followed.
    pub told: Result<(u64, Told), InstructionRefusal>,
}

/// What the centre tells the station.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// A manifest; it lies in the inbox.
    Manifest(BatchId),
    /// A policy; it is kept.
    Policy {
        /// Counts up.
        version: u32,
        /// SHA-256 of its text: 64 hexadecimal digits.
        sha256: String,
    },
    /// The centre signs with another key; that key's holder signed too.
    Key(CentreKeyChanged),
    /// The centre destroyed its keys of a session.
    ErasureDone(SessionId),
    /// The centre lacks blobs; those that are here are marked to go up again.
    BlobsMissing,
    /// Of applications, payments and grants.
    Answer(Box<Answer>),
}

/// Where the centre's copy contradicts this log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradicted {
    /// How.
    pub contradiction: Contradiction,
    /// The index or size at which they differ.
    pub at: u64,
    /// What the centre has there.
    pub centre: String,
    /// What this log has there.
    pub own: Option<String>,
}

/// What shall be exercised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trial {
    /// The dispenser counts.
    Inventory,
    /// The dispenser carries a loaded card to the reader and back.
    Carry,
    /// The intake's reader reads a card.
    IntakeCard,
    /// The scanner sees a finger.
    Finger,
    /// The camera takes a still.
    Photo,
}

/// What a device reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// `media-taken`: the outlet is empty again.
    MediaTaken,
    /// `finger-present`: a finger lies on the scanner.
    FingerPresent {
        /// The comparison it belongs to.
        command: Option<CommandId>,
    },
    /// Anything else: recorded, no rule waits for it.
    Other {
        /// The level after `event/`.
        name: String,
        /// The device's own code.
        detail: Option<String>,
    },
}

/// What a device answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// To a move.
    Moved {
        /// The sequence it answers.
        sequence: u16,
        /// What came of it.
        outcome: MotionResult,
        /// What the sensors say.
        evidence: Evidence,
        /// Occupied slots, after an inventory.
        slots: Option<Vec<SlotAddress>>,
    },
    /// To a query.
    Queried {
        /// The last command the device took.
        last: Progress,
        /// What the sensors say.
        evidence: Evidence,
        /// Occupied slots, where they were asked for and nothing moved.
        slots: Option<Vec<SlotAddress>>,
    },
    /// To a read.
    Read(Result<CardRead, ReadFailure>),
    /// To a comparison.
    Matched {
        /// How it ended.
        completion: Completion,
        /// Similarity, 0 to 100.
        score: Option<u16>,
    },
    /// To a comparison with what is enrolled on the sensor.
    MatchedOnSensor(Completion),
    /// To a capture: the sealed photo, or why there is none.
    Captured(Result<Captured, Completion>),
    /// To the capture of a finger for an application (A9).
    Finger(FingerReply),
    /// To a comparison of faces (A7).
    Faces(FacesReply),
}

/// A photo that is sealed on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Captured {
    /// SHA-256 of the sealed file.
    pub blob: BlobHash,
    /// The key it is sealed under.
    pub key: SealingKeyId,
    /// Length before sealing, in bytes.
    pub len: u32,
}

/// What was read from a chip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardRead {
    /// Which fingers the chip holds prints of, as far as it says so.
    pub fingers: Vec<FingerPosition>,
    /// The chip's serial.
    pub serial: CardSerial,
    /// Tags of the number under each key in use.
    pub number: Vec<LookupTag>,
    /// Hands with fingerprints on the chip, in the order of [`Hand`], each once.
    pub hands: Vec<Hand>,
    /// Number and name, sealed; none where the reader serves no session.
    pub holder: Option<SealedField>,
    /// Who it is, for an application (A3).
    pub person: Option<Box<Person>>,
}

/// Why nothing was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadFailure(
    /// How the command ended.
    pub Completion,
);

/// What a kiosk asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// P1.
    StartPickup {
        /// How.
        by: LookupBy,
        /// Tags of the number or voucher under each key in use.
        tags: Vec<LookupTag>,
    },
    /// A1.
    StartApplication {
        /// The language of the screen.
        language: Language,
    },
    /// A13: papers again that the gateway does not hold any more. Those that it holds are given without asking the rules.
    PapersGone {
        /// The session.
        session: SessionId,
    },
    /// What a citizen entered at a step of an application.
    ApplicationInput {
        /// The session.
        session: SessionId,
        /// The step it answers.
        step: u32,
        /// What.
        entry: Box<Entry>,
    },
    /// The citizen does not want to go on.
    Cancel {
        /// The session.
        session: SessionId,
    },
    /// C1.
    ReceiveBatch {
        /// Who.
        operator: OperatorId,
        /// The batch.
        batch: BatchId,
        /// What the manifest announces; none where it is missing or unreadable.
        manifest: Option<Announcement>,
    },
    /// C1.
    ScanCard {
        /// Who.
        operator: OperatorId,
        /// The batch.
        batch: BatchId,
        /// The card.
        card: CardSerial,
    },
    /// C1.
    CloseBatch {
        /// Who.
        operator: OperatorId,
        /// The batch.
        batch: BatchId,
    },
    /// C2.
    LoadCard {
        /// Who.
        operator: OperatorId,
        /// The card.
        card: CardSerial,
        /// The machine.
        machine: MachineId,
        /// The slot.
        slot: SlotAddress,
    },
    /// C2.
    UnloadCard {
        /// Who.
        operator: OperatorId,
        /// The card.
        card: CardSerial,
    },
    /// C2.
    StockTake {
        /// Who.
        operator: OperatorId,
        /// The machine.
        machine: MachineId,
    },
    /// An operator places a card by hand (C3).
    PlaceCard {
        /// Who.
        operator: OperatorId,
        /// The card.
        card: CardSerial,
        /// Where they put it.
        to: PlacedAt,
        /// Whether it may be collected again.
        release_hold: bool,
    },
    /// An operator has opened the machine and says where the card is.
    ResolveMachine {
        /// Who.
        operator: OperatorId,
        /// The machine.
        machine: MachineId,
        /// Where the card in question is now.
        card_now: ResolvedPlace,
    },
    /// An operator takes a machine or a device out of service, or back into it.
    SetMaintenance {
        /// Who.
        operator: OperatorId,
        /// The machine or device.
        target: MaintenanceTarget,
        /// Out of service.
        on: bool,
    },
    /// Refused before it could be understood as one of the above; recorded as such.
    Unserviceable {
        /// The level after `request/`.
        name: String,
        /// Why.
        reason: RefusalReason,
    },
}

impl Request {
    /// The level after `request/`.
    pub fn name(&self) -> &str {
        match self {
            Self::StartPickup { .. } => "start-pickup",
            Self::StartApplication { .. } => "start-application",
            Self::ApplicationInput { .. } => "application-input",
            Self::PapersGone { .. } => "get-papers",
            Self::Cancel { .. } => "cancel",
            Self::ReceiveBatch { .. } => "receive-batch",
            Self::ScanCard { .. } => "scan-card",
            Self::CloseBatch { .. } => "close-batch",
            Self::LoadCard { .. } => "load-card",
            Self::UnloadCard { .. } => "unload-card",
            Self::StockTake { .. } => "stock-take",
            Self::PlaceCard { .. } => "place-card",
            Self::ResolveMachine { .. } => "resolve-machine",
            Self::SetMaintenance { .. } => "set-maintenance",
            Self::Unserviceable { name, .. } => name,
        }
    }
}

/// A manifest, with everything personal taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// SHA-256 of the manifest's bytes, hexadecimal.
    pub manifest_sha256: String,
    /// Its cards: 1 to `BATCH_CARDS_MAX`, each serial once.
    pub cards: Vec<AnnouncedCard>,
}
