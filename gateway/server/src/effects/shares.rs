//! The gateway's own share of each pickup (P9) and application (A16): for every message of the session, the time from its arrival until what
//! follows from it has been sent. Kept per session until it ends, then a figure without a name.

use std::collections::BTreeMap;
use std::time::Duration;

use schemas::event::Event;
use schemas::ids::SessionId;

use crate::metrics::Metrics;

/// Sessions that are timed at once.
const SESSIONS_MAX: usize = 256;

/// The shares of the sessions under way.
#[derive(Debug, Default)]
pub(super) struct Shares(BTreeMap<SessionId, Duration>);

impl Shares {
    pub(super) fn add(&mut self, session: SessionId, share: Duration) {
        if self.0.len() < SESSIONS_MAX || self.0.contains_key(&session) {
            *self.0.entry(session).or_default() += share;
        }
    }

    /// The pickups and applications that ended with these events become figures. Other sessions are forgotten at their end.
    pub(super) fn ended(&mut self, recorded: &[(u64, Event)], metrics: &Metrics) {
        for (_, event) in recorded {
            if let Event::PickupEnded(body) = event {
                if let Some(share) = self.0.remove(&body.session) {
                    metrics.pickup_seconds.observe(share.as_secs_f64());
                }
            } else if let Event::ApplicationEnded(body) = event {
                if let Some(share) = self.0.remove(&body.session) {
                    metrics.application_seconds.observe(share.as_secs_f64());
                }
            } else if let Event::ActEnded(body) = event {
                self.0.remove(&body.session);
            }
        }
    }
}

/// The session an event belongs to.
#[allow(
    clippy::too_many_lines,
    reason = "one closed match over all events, a line for each"
)]
pub fn session_of(event: &Event) -> Option<&SessionId> {
    use Event as E;
    match event {
        E::MotionIntended(b) => Some(&b.session),
        E::CardMoved(b) => b.session.as_ref(),
        E::ActStarted(b) => Some(&b.session),
        E::CommissionStarted(b) => Some(&b.session),
        E::ExerciseAsked(b) => Some(&b.session),
        E::ExerciseEnded(b) => Some(&b.session),
        E::Commissioned(b) => Some(&b.session),
        E::ActEnded(b) => Some(&b.session),
        E::StockTaken(b) => Some(&b.session),
        E::PickupStarted(b) => Some(&b.session),
        E::PickupStep(b) => Some(&b.session),
        E::CardVerified(b) => Some(&b.session),
        E::CardMismatched(b) => Some(&b.session),
        E::FingerPresent(b) => Some(&b.session),
        E::FingerCompared(b) => Some(&b.session),
        E::PhotoArchived(b) => Some(&b.session),
        E::OldCardChecked(b) => Some(&b.session),
        E::OldCardRecycled(b) => Some(&b.session),
        E::CardPresented(b) => Some(&b.session),
        E::CardTaken(b) => Some(&b.session),
        E::CardRetracted(b) => Some(&b.session),
        E::PickupEnding(b) => Some(&b.session),
        E::PickupEnded(b) => Some(&b.session),
        E::PickupRecorded(b) => Some(&b.session),
        E::ApplicationRefused(b) => Some(&b.session),
        E::ApplicationStarted(b) => Some(&b.session),
        E::ApplicationStepped(b) => Some(&b.session),
        E::ApplicationLanguageChosen(b) => Some(&b.session),
        E::ApplicationKindChosen(b) => Some(&b.session),
        E::ApplicationResidenceChosen(b) => Some(&b.session),
        E::ApplicationCardRead(b) => Some(&b.session),
        E::ApplicationCardUnreadable(b) => Some(&b.session),
        E::ApplicationNumberKeyed(b) => Some(&b.session),
        E::ApplicationInputRejected(b) => Some(&b.session),
        E::ApplicationIdentityConfirmed(b) => Some(&b.session),
        E::ApplicationSteppedBack(b) => Some(&b.session),
        E::ApplicationEligibilityAsked(b) => Some(&b.session),
        E::ApplicationEligibilityDecided(b) => Some(&b.session),
        E::ApplicationPortraitSubmitted(b) => Some(&b.session),
        E::ApplicationPortraitRejected(b) => Some(&b.session),
        E::ApplicationLivePhotoArchived(b) => Some(&b.session),
        E::ApplicationLivePhotoRejected(b) => Some(&b.session),
        E::ApplicationFacesCompared(b) => Some(&b.session),
        E::ApplicationPhoneGiven(b) => Some(&b.session),
        E::ApplicationSmsAsked(b) => Some(&b.session),
        E::ApplicationSmsSent(b) => Some(&b.session),
        E::ApplicationSmsConfirmed(b) => Some(&b.session),
        E::ApplicationSmsSkipped(b) => Some(&b.session),
        E::ApplicationFingerCaptured(b) => Some(&b.session),
        E::ApplicationFingerFailed(b) => Some(&b.session),
        E::ApplicationFingerCompared(b) => Some(&b.session),
        E::ApplicationDocumentAttached(b) => Some(&b.session),
        E::ApplicationDocumentsDone(b) => Some(&b.session),
        E::ApplicationSigned(b) => Some(&b.session),
        E::ApplicationAccepted(b) => Some(&b.session),
        E::WindowTicketIssued(b) => Some(&b.session),
        E::ApplicationRecorded(b) => Some(&b.session),
        E::ApplicationEnded(b) => Some(&b.session),
        E::ApplicationConfirmed(b) => Some(&b.session),
        E::ApplicationCompensated(b) => Some(&b.session),
        E::ApplicationLapsed(b) => Some(&b.session),
        E::NoticeAsked(b) => Some(&b.session),
        E::WindowTicketOpened(b) => Some(&b.session),
        E::WindowTicketClosed(b) => Some(&b.session),
        E::PapersIssued(b) => Some(&b.session),
        E::PapersNotHandedOut(b) => Some(&b.session),
        E::PaymentCodeAsked(b) => Some(&b.session),
        E::PaymentCodeReceived(b) => Some(&b.session),
        E::PaymentOrdered(b) => Some(&b.session),
        E::ErasureAsked(b) => Some(&b.session),
        E::ErasureDone(b) => Some(&b.session),
        E::GatewayStarted(_)
        | E::ServiceChanged(_)
        | E::PresenceChanged(_)
        | E::StatusChanged(_)
        | E::DeviceReported(_)
        | E::DeviceReplied(_)
        | E::DeviceFlapping(_)
        | E::DeviceSteady(_)
        | E::DeviceIdentified(_)
        | E::DeviceContradicted(_)
        | E::DeviceAccepted(_)
        | E::DeviceCounted(_)
        | E::PaperReported(_)
        | E::PrintReported(_)
        | E::SignatureReported(_)
        | E::PaymentReported(_)
        | E::MaintenanceChanged(_)
        | E::MaintenanceOverdue(_)
        | E::RequestRefused(_)
        | E::OperatorRejected(_)
        | E::MachineBlocked(_)
        | E::MachineResolved(_)
        | E::MotionUnconfirmed(_)
        | E::MotionAccepted(_)
        | E::SequenceLearned(_)
        | E::MotionCleared(_)
        | E::MotionCompleted(_)
        | E::BatchAnnounced(_)
        | E::CardsAnnounced(_)
        | E::CardArrived(_)
        | E::CardSurplus(_)
        | E::CardsMissing(_)
        | E::CardPlaced(_)
        | E::WitnessAhead(_)
        | E::WitnessDismissed(_)
        | E::KeyRotated(_)
        | E::InstructionFollowed(_)
        | E::InstructionRefused(_)
        | E::ManifestReceived(_)
        | E::PolicyChanged(_)
        | E::CentreKeyChanged(_)
        | E::ErasureConfirmed(_)
        | E::CentreContradicted(_)
        | E::LookupKeyChanged(_)
        | E::LookupKeyRetired(_)
        | E::LogIncarnated(_)
        | E::SnapshotTaken(_)
        | E::CardsCarriedOver(_)
        | E::BatchClosed(_)
        | E::CardHeld(_)
        | E::CardReleased(_)
        | E::SlotFound(_)
        | E::PickupNoRecord(_)
        | E::PickupNotArrived(_)
        | E::PickupHeld(_)
        | E::PickupAlreadyCollected(_)
        | E::PickupNotEligible(_)
        | E::PaymentWayChosen(_)
        | E::PaymentConfirmed(_)
        | E::PaymentExpired(_)
        | E::RefundAsked(_)
        | E::PaymentRefunded(_)
        | E::PaymentNoted(_)
        | E::PaymentsReconciled(_)
        | E::AcceptancesCarriedOver(_)
        | E::GrantReceived(_) => None,
    }
}
