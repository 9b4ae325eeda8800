//! The CloudEvent (JSON event format 1.0) around an event's body, with the extension attributes of
//! this contract: clock, boot, and what message caused it.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{EnvelopeError, Source};
use crate::event::Event;
use crate::event::custody as c;
use crate::ids::{BootId, DeviceId, MessageId, SessionId};
use crate::time::{ClockTrust, Now, rfc3339};
use crate::words::RefusalReason;

crate::text::text_newtype!(
    /// The name of a log: `gateway.<province>/station/<id>/<incarnation>` (C2SP tlog-checkpoint, origin).
    Origin, "origin", "^[a-z0-9./-]{1,128}$", "1 to 128 of a-z 0-9 . / -",
    |t| (1..=128).contains(&t.len())
        && t.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'/' | b'-'))
);

/// Who, when and why: everything of an event but its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// Who caused it.
    pub source: Source,
    /// When, as the machine saw it.
    pub now: Now,
    /// The message that caused it, in the last of the events it caused.
    pub cause: Option<Cause>,
}

/// The message that caused a batch of events, and what its sender was told: the idempotency record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// Who sent it.
    pub sender: DeviceId,
    /// The sender's id for it.
    pub message_id: MessageId,
    /// First 16 bytes of SHA-256 of topic, zero byte, payload; keyed, so that it gives nothing away.
    pub digest: [u8; 16],
    /// What the sender was told.
    pub outcome: CauseOutcome,
    /// The session the receipt named.
    pub session: Option<SessionId>,
}

/// What the sender was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CauseOutcome {
    /// Accepted.
    Accepted,
    /// Refused by the rules.
    Refused(RefusalReason),
}

/// The members of the JSON, in the order they are written. Borrowed, since replay reads every event of a log; no member
/// but `data` can hold what JSON has to escape. Attributes of a newer version are passed over, as CloudEvents asks.
#[derive(Debug, Serialize, Deserialize)]
struct Wire<'a> {
    specversion: &'a str,
    id: &'a str,
    source: &'a str,
    #[serde(rename = "type")]
    event_type: &'a str,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    time: &'a str,
    datacontenttype: &'a str,
    dataschema: &'a str,
    /// Wall clock, ms: `time` in the exact form it was taken.
    wallms: &'a str,
    bootid: BootId,
    monotonicms: &'a str,
    clocktrust: ClockTrust,
    #[serde(skip_serializing_if = "Option::is_none")]
    msgsender: Option<DeviceId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    msgid: Option<MessageId>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    msgdigest: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    msgrefused: Option<RefusalReason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    msgsession: Option<SessionId>,
    #[serde(borrow)]
    data: &'a RawValue,
}

const SPEC_VERSION: &str = "1.0";
const DATA_CONTENT_TYPE: &str = "application/json";
const GATEWAY: &str = "gateway";
const DATA_SCHEMA: &str = "urn:station-gateway:schema:event:";

/// The URN of an event type's JSON Schema; the file is `schemas/json/events/<type>.json`.
pub(crate) fn data_schema(type_name: &str) -> String {
    format!("{DATA_SCHEMA}{type_name}")
}

/// The CloudEvent's bytes.
pub(super) fn encode(
    origin: &Origin,
    index: u64,
    meta: &Meta,
    event: &Event,
) -> Result<Vec<u8>, EnvelopeError> {
    let cause = meta.cause.as_ref();
    let source = match &meta.source {
        Source::Device(device) => device.as_str(),
        Source::Gateway => GATEWAY,
    };
    let (id, wall_ms, mono_ms) = (
        index.to_string(),
        meta.now.wall_ms.to_string(),
        meta.now.mono_ms.to_string(),
    );
    let source = format!("{origin}/{source}");
    let time = rfc3339(meta.now.wall_ms);
    let data_schema = data_schema(event.type_name());
    let digest = cause.map(|c| hex::encode(c.digest));
    let data = event.to_data().map_err(EnvelopeError::CloudEvent)?;
    let wire = Wire {
        specversion: SPEC_VERSION,
        id: &id,
        source: &source,
        event_type: event.type_name(),
        subject: subject(event),
        time: &time,
        datacontenttype: DATA_CONTENT_TYPE,
        dataschema: &data_schema,
        wallms: &wall_ms,
        bootid: meta.now.boot.clone(),
        monotonicms: &mono_ms,
        clocktrust: meta.now.trust,
        msgsender: cause.map(|c| c.sender.clone()),
        msgid: cause.map(|c| c.message_id.clone()),
        msgdigest: digest.as_deref(),
        msgrefused: cause.and_then(|c| match c.outcome {
            CauseOutcome::Accepted => None,
            CauseOutcome::Refused(reason) => Some(reason),
        }),
        msgsession: cause.and_then(|c| c.session.clone()),
        data: &data,
    };
    serde_json::to_vec(&wire).map_err(EnvelopeError::CloudEvent)
}

/// Reads a CloudEvent back; origin and index must be those of the signed header.
pub(super) fn decode(
    origin: &Origin,
    index: u64,
    bytes: &[u8],
) -> Result<(Meta, Event), EnvelopeError> {
    let wire: Wire<'_> = serde_json::from_slice(bytes).map_err(EnvelopeError::CloudEvent)?;
    let attribute = |ok: bool, name| {
        if ok {
            Ok(())
        } else {
            Err(EnvelopeError::Attribute(name))
        }
    };
    attribute(wire.specversion == SPEC_VERSION, "specversion")?;
    attribute(wire.datacontenttype == DATA_CONTENT_TYPE, "datacontenttype")?;
    attribute(is_decimal(wire.id, index), "id")?;
    attribute(
        wire.dataschema.strip_prefix(DATA_SCHEMA) == Some(wire.event_type),
        "dataschema",
    )?;
    let now = Now {
        wall_ms: wire
            .wallms
            .parse()
            .map_err(|_malformed| EnvelopeError::Attribute("wallms"))?,
        boot: wire.bootid.clone(),
        mono_ms: wire
            .monotonicms
            .parse()
            .map_err(|_malformed| EnvelopeError::Attribute("monotonicms"))?,
        trust: wire.clocktrust,
    };
    attribute(wire.time == rfc3339(now.wall_ms), "time")?;
    let source = wire
        .source
        .strip_prefix(origin.as_str())
        .and_then(|s| s.strip_prefix('/'));
    let source = match source.ok_or(EnvelopeError::Attribute("source"))? {
        GATEWAY => Source::Gateway,
        device => Source::Device(
            DeviceId::new(device).map_err(|_malformed| EnvelopeError::Attribute("source"))?,
        ),
    };
    let event = match Event::from_data(wire.event_type, wire.data.get()) {
        Some(event) => event.map_err(EnvelopeError::CloudEvent)?,
        None => return Err(EnvelopeError::UnknownType(wire.event_type.to_owned())),
    };
    attribute(wire.subject == subject(&event), "subject")?;
    let cause = cause(wire)?;
    Ok((Meta { source, now, cause }, event))
}

/// Whether `text` is `number` in decimal digits, as it is written: no sign, no zeros in front.
fn is_decimal(text: &str, number: u64) -> bool {
    let padded = text.len() > 1 && text.starts_with('0');
    text.parse() == Ok(number) && !text.starts_with('+') && !padded
}

fn cause(wire: Wire<'_>) -> Result<Option<Cause>, EnvelopeError> {
    let (sender, message_id, digest) = match (wire.msgsender, wire.msgid, wire.msgdigest) {
        (None, None, None) => return Ok(None),
        (Some(sender), Some(id), Some(digest)) => (sender, id, digest),
        _ => return Err(EnvelopeError::Attribute("msgid")),
    };
    let mut bytes = [0; 16];
    hex::decode_to_slice(digest, &mut bytes)
        .map_err(|_malformed| EnvelopeError::Attribute("msgdigest"))?;
    let outcome = wire
        .msgrefused
        .map_or(CauseOutcome::Accepted, CauseOutcome::Refused);
    Ok(Some(Cause {
        sender,
        message_id,
        digest: bytes,
        outcome,
        session: wire.msgsession,
    }))
}

/// What an event is about: a session before a card, a card before a device.
#[allow(
    clippy::too_many_lines,
    reason = "one closed match over all events, a line for each"
)]
fn subject(event: &Event) -> Option<&str> {
    use Event as E;
    let text = match event {
        E::GatewayStarted(_)
        | E::ServiceChanged(_)
        | E::WitnessDismissed(_)
        | E::KeyRotated(_)
        | E::LogIncarnated(_)
        | E::InstructionFollowed(_)
        | E::InstructionRefused(_)
        | E::PolicyChanged(_)
        | E::CentreKeyChanged(_)
        | E::CentreContradicted(_)
        | E::SnapshotTaken(_)
        | E::PaymentsReconciled(_)
        | E::GrantReceived(_)
        | E::AcceptancesCarriedOver(_)
        | E::CardsCarriedOver(_) => return None,
        E::WitnessAhead(b) => b.device.as_str(),
        E::PresenceChanged(b) => b.device.as_str(),
        E::StatusChanged(b) => b.device.as_str(),
        E::DeviceReported(b) => b.device.as_str(),
        E::DeviceReplied(b) => b.device.as_str(),
        E::DeviceFlapping(b) => b.device.as_str(),
        E::DeviceSteady(b) => b.device.as_str(),
        E::DeviceIdentified(b) => b.device.as_str(),
        E::DeviceContradicted(b) => b.device.as_str(),
        E::DeviceAccepted(b) => b.device.as_str(),
        E::DeviceCounted(b) => b.device.as_str(),
        E::PaperReported(b) => b.device.as_str(),
        E::PrintReported(b) => b.device.as_str(),
        E::SignatureReported(b) => b.device.as_str(),
        E::PaymentReported(b) => b.device.as_str(),
        E::MaintenanceChanged(b) => b.target.as_str(),
        E::MaintenanceOverdue(b) => b.target.as_str(),
        E::RequestRefused(b) => b.device.as_str(),
        E::OperatorRejected(b) => b.device.as_str(),
        E::MachineBlocked(b) => b.machine.as_str(),
        E::MachineResolved(b) => b.machine.as_str(),
        E::MotionIntended(b) => b.session.as_str(),
        E::CommissionStarted(b) => b.session.as_str(),
        E::ExerciseAsked(b) => b.session.as_str(),
        E::ExerciseEnded(b) => b.session.as_str(),
        E::Commissioned(b) => b.session.as_str(),
        E::MotionUnconfirmed(b) => b.dispenser.as_str(),
        E::MotionAccepted(b) => b.dispenser.as_str(),
        E::SequenceLearned(b) => b.dispenser.as_str(),
        E::MotionCleared(b) => b.dispenser.as_str(),
        E::MotionCompleted(b) => b.dispenser.as_str(),
        E::LookupKeyChanged(b) => b.key.as_str(),
        E::LookupKeyRetired(b) => b.key.as_str(),
        E::ManifestReceived(b) => b.batch.as_str(),
        E::ErasureConfirmed(b) => b.session.as_str(),
        E::ErasureAsked(b) => b.session.as_str(),
        E::ErasureDone(b) => b.session.as_str(),
        E::BatchAnnounced(c::BatchAnnounced { batch, .. })
        | E::CardsAnnounced(c::CardsAnnounced { batch, .. })
        | E::CardsMissing(c::CardsMissing { batch, .. })
        | E::BatchClosed(c::BatchClosed { batch, .. }) => batch.as_str(),
        E::CardArrived(b) => b.card.as_str(),
        E::CardSurplus(b) => b.card.as_str(),
        E::CardMoved(b) => b.card.as_str(),
        E::CardHeld(b) => b.card.as_str(),
        E::CardReleased(b) => b.card.as_str(),
        E::CardPlaced(b) => b.card.as_str(),
        E::ActStarted(b) => b.session.as_str(),
        E::ActEnded(b) => b.session.as_str(),
        E::StockTaken(b) => b.session.as_str(),
        E::SlotFound(b) => b.machine.as_str(),
        E::PickupNoRecord(b) => b.kiosk.as_str(),
        E::PickupNotArrived(b) => b.card.as_str(),
        E::PickupHeld(b) => b.card.as_str(),
        E::PickupAlreadyCollected(b) => b.card.as_str(),
        E::PickupNotEligible(b) => b.card.as_str(),
        E::PickupStarted(b) => b.session.as_str(),
        E::PickupStep(b) => b.session.as_str(),
        E::CardVerified(b) => b.session.as_str(),
        E::CardMismatched(b) => b.session.as_str(),
        E::FingerPresent(b) => b.session.as_str(),
        E::FingerCompared(b) => b.session.as_str(),
        E::PhotoArchived(b) => b.session.as_str(),
        E::OldCardChecked(b) => b.session.as_str(),
        E::OldCardRecycled(b) => b.session.as_str(),
        E::CardPresented(b) => b.session.as_str(),
        E::CardTaken(b) => b.session.as_str(),
        E::CardRetracted(b) => b.session.as_str(),
        E::PickupEnding(b) => b.session.as_str(),
        E::PickupEnded(b) => b.session.as_str(),
        E::PickupRecorded(b) => b.session.as_str(),
        E::ApplicationRefused(b) => b.session.as_str(),
        E::ApplicationStarted(b) => b.session.as_str(),
        E::ApplicationStepped(b) => b.session.as_str(),
        E::ApplicationLanguageChosen(b) => b.session.as_str(),
        E::ApplicationKindChosen(b) => b.session.as_str(),
        E::ApplicationResidenceChosen(b) => b.session.as_str(),
        E::ApplicationCardRead(b) => b.session.as_str(),
        E::ApplicationCardUnreadable(b) => b.session.as_str(),
        E::ApplicationNumberKeyed(b) => b.session.as_str(),
        E::ApplicationInputRejected(b) => b.session.as_str(),
        E::ApplicationIdentityConfirmed(b) => b.session.as_str(),
        E::ApplicationSteppedBack(b) => b.session.as_str(),
        E::ApplicationEligibilityAsked(b) => b.session.as_str(),
        E::ApplicationEligibilityDecided(b) => b.session.as_str(),
        E::ApplicationPortraitSubmitted(b) => b.session.as_str(),
        E::ApplicationPortraitRejected(b) => b.session.as_str(),
        E::ApplicationLivePhotoArchived(b) => b.session.as_str(),
        E::ApplicationLivePhotoRejected(b) => b.session.as_str(),
        E::ApplicationFacesCompared(b) => b.session.as_str(),
        E::ApplicationPhoneGiven(b) => b.session.as_str(),
        E::ApplicationSmsAsked(b) => b.session.as_str(),
        E::ApplicationSmsSent(b) => b.session.as_str(),
        E::ApplicationSmsConfirmed(b) => b.session.as_str(),
        E::ApplicationSmsSkipped(b) => b.session.as_str(),
        E::ApplicationFingerCaptured(b) => b.session.as_str(),
        E::ApplicationFingerFailed(b) => b.session.as_str(),
        E::ApplicationFingerCompared(b) => b.session.as_str(),
        E::ApplicationDocumentAttached(b) => b.session.as_str(),
        E::ApplicationDocumentsDone(b) => b.session.as_str(),
        E::ApplicationSigned(b) => b.session.as_str(),
        E::ApplicationAccepted(b) => b.session.as_str(),
        E::WindowTicketIssued(b) => b.session.as_str(),
        E::ApplicationRecorded(b) => b.session.as_str(),
        E::ApplicationEnded(b) => b.session.as_str(),
        E::ApplicationConfirmed(b) => b.session.as_str(),
        E::ApplicationCompensated(b) => b.session.as_str(),
        E::ApplicationLapsed(b) => b.session.as_str(),
        E::NoticeAsked(b) => b.session.as_str(),
        E::WindowTicketOpened(b) => b.session.as_str(),
        E::WindowTicketClosed(b) => b.session.as_str(),
        E::PapersIssued(b) => b.session.as_str(),
        E::PapersNotHandedOut(b) => b.session.as_str(),
        E::PaymentOrdered(b) => b.session.as_str(),
        E::PaymentWayChosen(b) => b.order.as_str(),
        E::PaymentCodeAsked(b) => b.session.as_str(),
        E::PaymentCodeReceived(b) => b.session.as_str(),
        E::PaymentConfirmed(b) => b.order.as_str(),
        E::PaymentExpired(b) => b.order.as_str(),
        E::RefundAsked(b) => b.order.as_str(),
        E::PaymentRefunded(b) => b.order.as_str(),
        E::PaymentNoted(b) => b.order.as_str(),
    };
    Some(text)
}
