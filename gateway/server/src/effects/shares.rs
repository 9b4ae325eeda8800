//! The gateway's own share of each pickup (P9): for every message of the session, the time from its arrival until what
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

    /// The pickups that ended with these events become figures. Other sessions are forgotten at their end.
    pub(super) fn ended(&mut self, recorded: &[(u64, Event)], metrics: &Metrics) {
        for (_, event) in recorded {
            if let Event::PickupEnded(body) = event {
                if let Some(share) = self.0.remove(&body.session) {
                    metrics.pickup_seconds.observe(share.as_secs_f64());
                }
            } else if let Event::ActEnded(body) = event {
                self.0.remove(&body.session);
            }
        }
    }
}

/// The session an event belongs to.
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
        | E::PickupNotEligible(_) => None,
    }
}
