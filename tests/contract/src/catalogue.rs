//! Every message on the wire and the channel it travels on. Seen from the gateway: it receives what devices publish and
//! sends what they subscribe to.

use schemars::{Schema, schema_for};
use schemas::downlink::application as j;
use schemas::message::{
    application as a, command as c, device as d, face as f, kiosk as k, manifest as m, paper as r,
    peripheral as p,
};
use schemas::{downlink as i, face_matcher as fm, matcher as v, uplink};

/// A message with its type.
#[derive(Debug)]
pub struct Message {
    /// Name of its schema file.
    pub name: &'static str,
    /// The schema of its type.
    pub schema: fn() -> Schema,
    /// Whether the type reads this JSON.
    pub reads: fn(&str) -> Result<(), serde_json::Error>,
    /// How the type prints what it reads (`{:?}`).
    pub prints: fn(&str) -> Result<String, serde_json::Error>,
}

macro_rules! messages {
    ($($name:literal = $body:ty;)+) => {
        &[$(Message {
            name: $name,
            schema: || schema_for!($body),
            reads: |text| serde_json::from_str::<$body>(text).map(drop),
            prints: |text| serde_json::from_str::<$body>(text).map(|read| format!("{read:?}")),
        }),+]
    };
}

/// Every message. `manifest` is a file in the inbox, not on a topic.
pub const MESSAGES: &[Message] = messages! {
    "life" = d::Life;
    "description" = d::Description;
    "status" = d::Status;
    "measurement" = d::Measurement;
    "device-event" = d::DeviceEvent;
    "move-command" = c::MoveCommand;
    "move-reply" = c::MoveReply;
    "query-command" = c::QueryCommand;
    "query-reply" = c::QueryReply;
    "read-command" = c::ReadCommand;
    "read-reply" = c::ReadReply;
    "match-command" = c::MatchCommand;
    "match-reply" = c::MatchReply;
    "match-on-sensor-command" = c::MatchOnSensorCommand;
    "match-on-sensor-reply" = c::MatchOnSensorReply;
    "capture-command" = c::CaptureCommand;
    "capture-reply" = c::CaptureReply;
    "compare-faces-command" = f::CompareFacesCommand;
    "compare-faces-reply" = f::CompareFacesReply;
    "capture-finger-command" = f::CaptureFingerCommand;
    "capture-finger-reply" = f::CaptureFingerReply;
    "start-pickup" = k::StartPickup;
    "start-application" = a::StartApplication;
    "application-input" = a::ApplicationInput;
    "cancel" = k::Cancel;
    "get-session" = k::GetSession;
    "get-papers" = k::GetPapers;
    "receive-batch" = k::ReceiveBatch;
    "scan-card" = k::ScanCard;
    "close-batch" = k::CloseBatch;
    "load-card" = k::LoadCard;
    "unload-card" = k::UnloadCard;
    "stock-take" = k::StockTake;
    "place-card" = k::PlaceCard;
    "resolve-machine" = k::ResolveMachine;
    "set-maintenance" = k::SetMaintenance;
    "scan" = p::Scan;
    "paper-changed" = p::PaperChanged;
    "print-ended" = p::PrintEnded;
    "signature-ended" = p::SignatureEnded;
    "payment-changed" = p::PaymentChanged;
    "receipt" = k::Receipt;
    "prompt" = k::Prompt;
    "slip" = k::Slip;
    "paper" = r::Paper;
    "manifest" = m::Manifest;
};

/// What adapters and matchers, of fingers and of faces, say to each other over HTTP, by the name of the schema file.
pub const MATCHER: &[Message] = messages! {
    "verify-request" = v::VerifyRequest;
    "verify-answer" = v::VerifyAnswer;
    "quality-request" = v::QualityRequest;
    "quality-answer" = v::QualityAnswer;
    "compare-request" = fm::CompareRequest;
    "compare-answer" = fm::CompareAnswer;
};

/// What stands in the centre's store: beside an event, and as `data` of each instruction, by its CloudEvents type.
pub const CENTRE: &[Message] = messages! {
    "metadata" = uplink::Metadata;
    "centre.custody.manifest-issued.v1" = m::Manifest;
    "centre.log.acknowledged.v1" = i::Acknowledged;
    "centre.policy.issued.v1" = i::PolicyIssued;
    "centre.key.rotated.v1" = i::CentreKeyRotated;
    "centre.erasure.done.v1" = i::ErasureDone;
    "centre.blobs.missing.v1" = i::BlobsMissing;
    "centre.grant.issued.v1" = j::GrantIssued;
    "centre.application.eligibility-answered.v1" = j::EligibilityAnswered;
    "centre.application.sms-code-sent.v1" = j::SmsCodeSent;
    "centre.application.decided.v1" = j::ApplicationDecided;
    "centre.application.window-outcome.v1" = j::WindowOutcome;
    "centre.payment.code-issued.v1" = j::PaymentCodeIssued;
    "centre.payment.confirmed.v1" = j::PaymentConfirmed;
    "centre.payment.refunded.v1" = j::PaymentRefunded;
};

/// Which way a message goes, seen from the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Devices publish it.
    Receive,
    /// The gateway publishes it.
    Send,
}

/// What a channel carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payload {
    /// JSON of the message of this name.
    Json(&'static str),
    /// The bytes of a picture.
    Picture,
}

/// A topic.
#[derive(Debug)]
pub struct Channel {
    /// What follows `station/v1/{station}/{device}/`.
    pub topic: &'static str,
    /// Which way.
    pub way: Way,
    /// What it carries.
    pub payload: Payload,
    /// Whether it is retained.
    pub retain: bool,
    /// Whether it carries personal data: then it is never retained and never on a broker's disk.
    pub personal: bool,
    /// What it is for, and when it is acknowledged.
    pub about: &'static str,
}

const fn channel(topic: &'static str, way: Way, payload: Payload, about: &'static str) -> Channel {
    Channel {
        topic,
        way,
        payload,
        retain: false,
        personal: false,
        about,
    }
}

const fn retained(channel: Channel) -> Channel {
    Channel {
        retain: true,
        ..channel
    }
}

const fn personal(channel: Channel) -> Channel {
    Channel {
        personal: true,
        ..channel
    }
}

const fn request(topic: &'static str, name: &'static str, about: &'static str) -> Channel {
    personal(channel(topic, Receive, Json(name), about))
}

use Payload::{Json, Picture};
use Way::{Receive, Send};

/// Every channel.
pub const CHANNELS: &[Channel] = &[
    retained(channel(
        "$state",
        Receive,
        Json("life"),
        "Birth, goodbye and last will. A change is logged and acknowledged when durable.",
    )),
    retained(channel(
        "desc",
        Receive,
        Json("description"),
        "What the device is.",
    )),
    retained(channel(
        "state",
        Receive,
        Json("status"),
        "The device's status. A change is logged and acknowledged when durable.",
    )),
    retained(channel(
        "prop/{name}",
        Receive,
        Json("measurement"),
        "A measurement. Never logged, acknowledged at once.",
    )),
    channel(
        "event/{type}",
        Receive,
        Json("device-event"),
        "Something that happened at the device. Logged; acknowledged when durable.",
    ),
    channel(
        "event/paper-changed",
        Receive,
        Json("paper-changed"),
        "From a printer: its paper. Logged; acknowledged when durable.",
    ),
    channel(
        "event/print-ended",
        Receive,
        Json("print-ended"),
        "From a printer: what came of a job. Logged; acknowledged when durable.",
    ),
    channel(
        "event/signature-ended",
        Receive,
        Json("signature-ended"),
        "From a signature pad: what came of a job (A11). Its image is a blob, published before. Logged; acknowledged when durable.",
    ),
    channel(
        "event/payment-changed",
        Receive,
        Json("payment-changed"),
        "From a payment terminal: how a payment stands there (A12). Logged; acknowledged when durable.",
    ),
    personal(channel(
        "scan",
        Receive,
        Json("scan"),
        "From a barcode scanner to the kiosk that it belongs to (P1, A6). Checked by the gateway, never logged; acknowledged at once.",
    )),
    personal(channel(
        "blob/{blob}",
        Receive,
        Picture,
        "From a kiosk: a portrait, a scan or a signature, at most 1 MiB: JPEG or PNG. Sealed at once; acknowledged when the sealed file is durable. \
         Without an application at the kiosk it is refused for good (MQTT 5: not authorised).",
    )),
    personal(channel(
        "blob/{blob}/{command}",
        Receive,
        Picture,
        "From a camera or a scanner: the image that a command asked for, at most 1 MiB: JPEG or PNG. Taken while the gateway waits for that command \
         of this device, and refused for good otherwise (MQTT 5: not authorised): it may show somebody who has left. Sealed at once; acknowledged \
         when the sealed file is durable.",
    )),
    channel(
        "cmd/move",
        Send,
        Json("move-command"),
        "To a dispenser: move a card. The same sequence never moves twice.",
    ),
    channel(
        "cmd/move/reply",
        Receive,
        Json("move-reply"),
        "What came of a motion. Logged; acknowledged when durable.",
    ),
    channel(
        "cmd/query",
        Send,
        Json("query-command"),
        "To a dispenser: say what you did last; move nothing.",
    ),
    channel(
        "cmd/query/reply",
        Receive,
        Json("query-reply"),
        "The last command and the sensors. Logged; acknowledged when durable.",
    ),
    channel(
        "cmd/read",
        Send,
        Json("read-command"),
        "To a reader: read a chip.",
    ),
    personal(channel(
        "cmd/read/reply",
        Receive,
        Json("read-reply"),
        "What the chip holds. The outcome is logged, never the content.",
    )),
    personal(channel(
        "cmd/match",
        Send,
        Json("match-command"),
        "To a scanner: capture a finger, compare it with the chip's templates.",
    )),
    personal(channel(
        "cmd/match/reply",
        Receive,
        Json("match-reply"),
        "The score. Logged; acknowledged when durable.",
    )),
    channel(
        "cmd/match-on-sensor",
        Send,
        Json("match-on-sensor-command"),
        "To a scanner with a library of its own: compare a finger with what is enrolled there. No workflow sends it.",
    ),
    channel(
        "cmd/match-on-sensor/reply",
        Receive,
        Json("match-on-sensor-reply"),
        "Which enrolled finger fits. Logged; acknowledged when durable.",
    ),
    channel(
        "cmd/capture",
        Send,
        Json("capture-command"),
        "To a camera: take a photo, publish it on `blob/{blob}/{command}`, then reply.",
    ),
    channel(
        "cmd/capture/reply",
        Receive,
        Json("capture-reply"),
        "Which blob is the photo. Logged; acknowledged when durable.",
    ),
    personal(channel(
        "cmd/capture-finger",
        Send,
        Json("capture-finger-command"),
        "To a scanner: take the image of a finger for an application, publish it on `blob/{blob}/{command}`, then reply (A9).",
    )),
    personal(channel(
        "cmd/capture-finger/reply",
        Receive,
        Json("capture-finger-reply"),
        "Quality, blob and score. Logged; acknowledged when durable.",
    )),
    personal(channel(
        "cmd/compare-faces",
        Send,
        Json("compare-faces-command"),
        "To a face matcher: compare two pictures (A7).",
    )),
    personal(channel(
        "cmd/compare-faces/reply",
        Receive,
        Json("compare-faces-reply"),
        "The score. Logged; acknowledged when durable.",
    )),
    request(
        "request/start-application",
        "start-application",
        "A citizen wants to apply for a card (A1).",
    ),
    request(
        "request/application-input",
        "application-input",
        "What a citizen entered at a step of an application. What is personal in it is sealed, never logged.",
    ),
    request(
        "request/start-pickup",
        "start-pickup",
        "A citizen wants a card (P1).",
    ),
    request(
        "request/cancel",
        "cancel",
        "The citizen does not want to go on.",
    ),
    request(
        "request/get-session",
        "get-session",
        "Show me the present prompt again. Not logged.",
    ),
    request(
        "request/get-papers",
        "get-papers",
        "Send me the papers of the session that just ended again, while they are held (A13). Not logged.",
    ),
    request(
        "request/receive-batch",
        "receive-batch",
        "Take the manifest of a batch from the inbox (C1).",
    ),
    request(
        "request/scan-card",
        "scan-card",
        "A card of a batch is in the operator's hand (C1).",
    ),
    request(
        "request/close-batch",
        "close-batch",
        "Nothing more arrives; name what is missing (C1).",
    ),
    request(
        "request/load-card",
        "load-card",
        "The card lies in the hopper, put it into the slot (C2).",
    ),
    request(
        "request/unload-card",
        "unload-card",
        "Give the card out to the operator (C2).",
    ),
    request(
        "request/stock-take",
        "stock-take",
        "Compare slots with records (C2).",
    ),
    request(
        "request/place-card",
        "place-card",
        "An operator places a card that no other act can place (C3).",
    ),
    request(
        "request/resolve-machine",
        "resolve-machine",
        "The operator has opened the machine and says where the card is.",
    ),
    request(
        "request/set-maintenance",
        "set-maintenance",
        "A machine or a device is taken out of service by an operator, or back into it.",
    ),
    channel(
        "receipt/{message}",
        Send,
        Json("receipt"),
        "What became of a message; a repetition of the message gets the same receipt. Behind an external broker every device waits for it.",
    ),
    personal(channel(
        "session",
        Send,
        Json("prompt"),
        "What the kiosk shall show. Names are masked. How the last session ended is told for three minutes.",
    )),
    channel(
        "slip",
        Send,
        Json("slip"),
        "What the kiosk prints for the citizen after a pickup (P7): how the event that records it can be found and proven later.",
    ),
    personal(channel(
        "papers",
        Send,
        Json("paper"),
        "A paper to be printed for the citizen, a message for each (A11 to A13, A15). For the kiosk alone, once the log records it; it expires with what is held.",
    )),
];
