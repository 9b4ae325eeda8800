//! The facts of the log. One struct per event and version, one closed enum over them: a new event
//! breaks every match that must know it. A shape that has been written is never edited: a change is
//! a new version with a golden file of its own.

pub mod application;
pub mod centre;
pub mod commission;
pub mod custody;
pub mod device;
pub mod evidence;
pub mod paper;
pub mod payment;
pub mod pickup;
pub mod sealed;
pub mod station;

use crate::ids::{CardSerial, DeviceId, SessionId};

/// What an event is about: the CloudEvents attribute `subject`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject<'a> {
    /// A session.
    Session(&'a SessionId),
    /// A card.
    Card(&'a CardSerial),
    /// A device.
    Device(&'a DeviceId),
    /// The station as a whole.
    Station,
}

/// Declares the closed enum of events from a table of variant, type name and struct.
macro_rules! events {
    ($($variant:ident($body:ty) = $name:literal;)+) => {
        /// Any event of the log.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Event { $(#[doc = concat!("`", $name, "`")] $variant($body)),+ }

        /// The CloudEvents `type` of every event and version that was ever written.
        pub const EVENT_TYPES: &[&str] = &[$($name),+];

        impl Event {
            /// The CloudEvents attribute `type`.
            pub const fn type_name(&self) -> &'static str {
                match self { $(Self::$variant(_) => $name),+ }
            }

            /// The body as JSON: the CloudEvents attribute `data`.
            pub fn to_data(&self) -> Result<Box<serde_json::value::RawValue>, serde_json::Error> {
                match self { $(Self::$variant(body) => serde_json::value::to_raw_value(body)),+ }
            }

            /// Reads a body of the type `type_name`. `None`: no such type.
            pub fn from_data(type_name: &str, data: &str) -> Option<Result<Self, serde_json::Error>> {
                match type_name {
                    $($name => Some(serde_json::from_str(data).map(Self::$variant)),)+
                    _ => None,
                }
            }

            /// The JSON Schema of each body, by type name.
            pub fn schemas() -> Vec<(&'static str, schemars::Schema)> {
                vec![$(($name, schemars::schema_for!($body))),+]
            }
        }

        $(impl From<$body> for Event {
            fn from(body: $body) -> Self { Self::$variant(body) }
        })+
    };
}

use application as a;
use centre as n;
use commission as m;
use custody as c;
use device as d;
use evidence as e;
use paper as r;
use payment as y;
use pickup as p;
use station as s;

events! {
    GatewayStarted(s::GatewayStarted) = "station.gateway.started.v1";
    ServiceChanged(s::ServiceChanged) = "station.service.changed.v1";
    WitnessAhead(s::WitnessAhead) = "station.service.witness-ahead.v1";
    WitnessDismissed(s::WitnessDismissed) = "station.service.witness-dismissed.v1";
    PresenceChanged(s::PresenceChanged) = "station.device.presence-changed.v1";
    StatusChanged(s::StatusChanged) = "station.device.status-changed.v1";
    DeviceReported(s::DeviceReported) = "station.device.reported.v1";
    DeviceReplied(s::DeviceReplied) = "station.device.replied.v1";
    DeviceFlapping(d::DeviceFlapping) = "station.device.flapping.v1";
    DeviceSteady(d::DeviceSteady) = "station.device.steady.v1";
    DeviceIdentified(d::DeviceIdentified) = "station.device.identified.v1";
    DeviceContradicted(d::DeviceContradicted) = "station.device.contradicted.v1";
    DeviceAccepted(d::DeviceAccepted) = "station.device.accepted.v1";
    DeviceCounted(d::DeviceCounted) = "station.device.counted.v1";
    MaintenanceChanged(d::MaintenanceChanged) = "station.maintenance.changed.v1";
    MaintenanceOverdue(d::MaintenanceOverdue) = "station.maintenance.overdue.v1";
    PaperReported(d::PaperReported) = "station.peripheral.paper-reported.v1";
    PrintReported(d::PrintReported) = "station.peripheral.print-reported.v1";
    SignatureReported(d::SignatureReported) = "station.peripheral.signature-reported.v1";
    PaymentReported(d::PaymentReported) = "station.peripheral.payment-reported.v1";
    RequestRefused(s::RequestRefused) = "station.request.refused.v1";
    OperatorRejected(s::OperatorRejected) = "station.operator.rejected.v1";
    MachineBlocked(s::MachineBlocked) = "station.machine.blocked.v1";
    MachineResolved(s::MachineResolved) = "station.machine.resolved.v1";
    MotionIntended(s::MotionIntended) = "station.motion.intended.v1";
    MotionUnconfirmed(s::MotionUnconfirmed) = "station.motion.unconfirmed.v1";
    MotionAccepted(s::MotionAccepted) = "station.motion.accepted.v1";
    SequenceLearned(s::SequenceLearned) = "station.motion.sequence-learned.v1";
    MotionCleared(s::MotionCleared) = "station.motion.cleared.v1";
    MotionCompleted(s::MotionCompleted) = "station.motion.completed.v1";
    KeyRotated(e::KeyRotated) = "station.key.rotated.v1";
    LookupKeyChanged(e::LookupKeyChanged) = "station.lookup-key.changed.v1";
    LookupKeyRetired(e::LookupKeyRetired) = "station.lookup-key.retired.v1";
    ErasureAsked(e::ErasureAsked) = "station.erasure.asked.v1";
    ErasureDone(e::ErasureDone) = "station.erasure.done.v1";
    LogIncarnated(e::LogIncarnated) = "station.log.incarnated.v1";
    SnapshotTaken(e::SnapshotTaken) = "station.log.snapshot-taken.v1";
    CardsCarriedOver(e::CardsCarriedOver) = "station.custody.cards-carried-over.v1";
    InstructionFollowed(n::InstructionFollowed) = "station.centre.instruction-followed.v1";
    InstructionRefused(n::InstructionRefused) = "station.centre.instruction-refused.v1";
    ManifestReceived(n::ManifestReceived) = "station.centre.manifest-received.v1";
    PolicyChanged(n::PolicyChanged) = "station.centre.policy-changed.v1";
    CentreKeyChanged(n::CentreKeyChanged) = "station.centre.key-changed.v1";
    ErasureConfirmed(n::ErasureConfirmed) = "station.centre.erasure-confirmed.v1";
    CentreContradicted(n::CentreContradicted) = "station.centre.contradicted.v1";
    BatchAnnounced(c::BatchAnnounced) = "station.custody.batch-announced.v1";
    CardsAnnounced(c::CardsAnnounced) = "station.custody.cards-announced.v1";
    CardArrived(c::CardArrived) = "station.custody.card-arrived.v1";
    CardSurplus(c::CardSurplus) = "station.custody.card-surplus.v1";
    CardsMissing(c::CardsMissing) = "station.custody.cards-missing.v1";
    BatchClosed(c::BatchClosed) = "station.custody.batch-closed.v1";
    CardMoved(c::CardMoved) = "station.custody.card-moved.v1";
    CardHeld(c::CardHeld) = "station.custody.card-held.v1";
    CardReleased(c::CardReleased) = "station.custody.card-released.v1";
    CardPlaced(c::CardPlaced) = "station.custody.card-placed.v1";
    ActStarted(c::ActStarted) = "station.custody.act-started.v1";
    ActEnded(c::ActEnded) = "station.custody.act-ended.v1";
    StockTaken(c::StockTaken) = "station.custody.stock-taken.v1";
    CommissionStarted(m::CommissionStarted) = "station.commission.started.v1";
    ExerciseAsked(m::ExerciseAsked) = "station.commission.exercise-asked.v1";
    ExerciseEnded(m::ExerciseEnded) = "station.commission.exercise-ended.v1";
    Commissioned(m::Commissioned) = "station.commissioned.v1";
    PickupNoRecord(p::PickupNoRecord) = "station.pickup.no-record.v1";
    PickupNotArrived(p::PickupNotArrived) = "station.pickup.not-arrived.v1";
    PickupHeld(p::PickupHeld) = "station.pickup.held.v1";
    PickupAlreadyCollected(p::PickupAlreadyCollected) = "station.pickup.already-collected.v1";
    PickupNotEligible(p::PickupNotEligible) = "station.pickup.not-eligible.v1";
    PickupStarted(p::PickupStarted) = "station.pickup.started.v1";
    PickupStep(p::PickupStep) = "station.pickup.step.v1";
    CardVerified(p::CardVerified) = "station.pickup.card-verified.v1";
    CardMismatched(p::CardMismatched) = "station.pickup.card-mismatched.v1";
    FingerPresent(p::FingerPresent) = "station.pickup.finger-present.v1";
    FingerCompared(p::FingerCompared) = "station.pickup.finger-compared.v1";
    PhotoArchived(p::PhotoArchived) = "station.pickup.photo-archived.v1";
    OldCardChecked(p::OldCardChecked) = "station.pickup.old-card-checked.v1";
    OldCardRecycled(p::OldCardRecycled) = "station.pickup.old-card-recycled.v1";
    CardPresented(p::CardPresented) = "station.pickup.card-presented.v1";
    CardTaken(p::CardTaken) = "station.pickup.card-taken.v1";
    CardRetracted(p::CardRetracted) = "station.pickup.card-retracted.v1";
    PickupEnding(p::PickupEnding) = "station.pickup.ending.v1";
    PickupEnded(p::PickupEnded) = "station.pickup.ended.v1";
    SlotFound(c::SlotFound) = "station.custody.slot-found.v1";
    PickupRecorded(p::PickupRecorded) = "station.pickup.recorded.v1";
    ApplicationRefused(a::ApplicationRefused) = "station.application.refused.v1";
    ApplicationStarted(a::ApplicationStarted) = "station.application.started.v1";
    ApplicationStepped(a::ApplicationStepped) = "station.application.step.v1";
    ApplicationLanguageChosen(a::ApplicationLanguageChosen) = "station.application.language-chosen.v1";
    ApplicationKindChosen(a::ApplicationKindChosen) = "station.application.kind-chosen.v1";
    ApplicationResidenceChosen(a::ApplicationResidenceChosen) = "station.application.residence-chosen.v1";
    ApplicationCardRead(a::ApplicationCardRead) = "station.application.card-read.v1";
    ApplicationCardUnreadable(a::ApplicationCardUnreadable) = "station.application.card-unreadable.v1";
    ApplicationNumberKeyed(a::ApplicationNumberKeyed) = "station.application.number-keyed.v1";
    ApplicationInputRejected(a::ApplicationInputRejected) = "station.application.input-rejected.v1";
    ApplicationIdentityConfirmed(a::ApplicationIdentityConfirmed) = "station.application.identity-confirmed.v1";
    ApplicationSteppedBack(a::ApplicationSteppedBack) = "station.application.stepped-back.v1";
    ApplicationEligibilityAsked(a::ApplicationEligibilityAsked) = "station.application.eligibility-asked.v1";
    ApplicationEligibilityDecided(a::ApplicationEligibilityDecided) = "station.application.eligibility-decided.v1";
    ApplicationPortraitSubmitted(a::ApplicationPortraitSubmitted) = "station.application.portrait-submitted.v1";
    ApplicationPortraitRejected(a::ApplicationPortraitRejected) = "station.application.portrait-rejected.v1";
    ApplicationLivePhotoArchived(a::ApplicationLivePhotoArchived) = "station.application.live-photo-archived.v1";
    ApplicationLivePhotoRejected(a::ApplicationLivePhotoRejected) = "station.application.live-photo-rejected.v1";
    ApplicationFacesCompared(a::ApplicationFacesCompared) = "station.application.faces-compared.v1";
    ApplicationPhoneGiven(a::ApplicationPhoneGiven) = "station.application.phone-given.v1";
    ApplicationSmsAsked(a::ApplicationSmsAsked) = "station.application.sms-asked.v1";
    ApplicationSmsSent(a::ApplicationSmsSent) = "station.application.sms-sent.v1";
    ApplicationSmsConfirmed(a::ApplicationSmsConfirmed) = "station.application.sms-confirmed.v1";
    ApplicationSmsSkipped(a::ApplicationSmsSkipped) = "station.application.sms-skipped.v1";
    ApplicationFingerCaptured(a::ApplicationFingerCaptured) = "station.application.finger-captured.v1";
    ApplicationFingerFailed(a::ApplicationFingerFailed) = "station.application.finger-failed.v1";
    ApplicationFingerCompared(a::ApplicationFingerCompared) = "station.application.finger-compared.v1";
    ApplicationDocumentAttached(a::ApplicationDocumentAttached) = "station.application.document-attached.v1";
    ApplicationDocumentsDone(a::ApplicationDocumentsDone) = "station.application.documents-done.v1";
    ApplicationSigned(a::ApplicationSigned) = "station.application.signed.v1";
    ApplicationAccepted(a::ApplicationAccepted) = "station.application.accepted.v1";
    WindowTicketIssued(a::WindowTicketIssued) = "station.application.window-ticket-issued.v1";
    ApplicationRecorded(a::ApplicationRecorded) = "station.application.recorded.v1";
    ApplicationEnded(a::ApplicationEnded) = "station.application.ended.v1";
    ApplicationConfirmed(a::ApplicationConfirmed) = "station.application.confirmed.v1";
    ApplicationCompensated(a::ApplicationCompensated) = "station.application.compensated.v1";
    ApplicationLapsed(a::ApplicationLapsed) = "station.application.lapsed.v1";
    NoticeAsked(a::NoticeAsked) = "station.notice.asked.v1";
    WindowTicketOpened(a::WindowTicketOpened) = "station.application.window-ticket-opened.v1";
    WindowTicketClosed(a::WindowTicketClosed) = "station.application.window-ticket-closed.v1";
    PapersIssued(r::PapersIssued) = "station.application.papers-issued.v1";
    PapersNotHandedOut(r::PapersNotHandedOut) = "station.application.papers-not-handed-out.v1";
    AcceptancesCarriedOver(a::AcceptancesCarriedOver) = "station.application.carried-over.v1";
    PaymentOrdered(y::PaymentOrdered) = "station.payment.ordered.v1";
    PaymentWayChosen(y::PaymentWayChosen) = "station.payment.way-chosen.v1";
    PaymentCodeAsked(y::PaymentCodeAsked) = "station.payment.code-asked.v1";
    PaymentCodeReceived(y::PaymentCodeReceived) = "station.payment.code-received.v1";
    PaymentConfirmed(y::PaymentConfirmed) = "station.payment.confirmed.v1";
    PaymentExpired(y::PaymentExpired) = "station.payment.expired.v1";
    RefundAsked(y::RefundAsked) = "station.payment.refund-asked.v1";
    PaymentRefunded(y::PaymentRefunded) = "station.payment.refunded.v1";
    PaymentNoted(y::PaymentNoted) = "station.payment.noted.v1";
    PaymentsReconciled(y::PaymentsReconciled) = "station.payment.reconciled.v1";
    GrantReceived(y::GrantReceived) = "station.grant.received.v1";
}
