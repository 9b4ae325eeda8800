//! How the facts make the state. Total: whatever is in the log can be applied, and an event about
//! something unknown changes nothing. No rule lives here.

mod application;
mod commission;
mod custody;
mod device;
mod evidence;
mod fee;
mod machine;
mod papers;
mod payment;
mod printed;
mod session;

use schemas::event::Event;
use schemas::time::Now;

use crate::erasure;
use crate::grant;
use crate::state::{Batch, State};

/// An event in its place in the log.
#[derive(Debug, Clone, Copy)]
pub struct Recorded<'a> {
    /// Its index.
    pub index: u64,
    /// When it was recorded.
    pub now: &'a Now,
    /// The event.
    pub event: &'a Event,
}

/// Applies an event.
#[allow(
    clippy::too_many_lines,
    reason = "one closed match over all events, a line or two for each"
)]
pub fn evolve(state: &mut State, recorded: Recorded<'_>) {
    state.next_index = recorded.index.saturating_add(1);
    state.lookup.date(recorded.now);
    payment::apply(state, recorded);
    grant::apply(&mut state.grant, recorded.event);
    match recorded.event {
        Event::GatewayStarted(_) => {
            device::forget_presence(state);
            commission::orphaned(state);
            papers::lost(state);
        }
        Event::CommissionStarted(b) => commission::started(state, recorded, b),
        Event::ExerciseAsked(b) => commission::asked(state, recorded, b),
        Event::ExerciseEnded(b) => commission::ended(state, recorded, b),
        Event::ServiceChanged(b) => state.reasons = b.reasons.iter().copied().collect(),
        Event::PresenceChanged(b) => device::presence_changed(state, recorded, b),
        Event::StatusChanged(b) => {
            device::of(state, &b.device).status = Some((b.status, b.detail.clone()));
        }
        Event::DeviceFlapping(b) => device::flapping(state, recorded, &b.device),
        Event::DeviceSteady(b) => device::steady(state, recorded, b),
        Event::DeviceIdentified(b) => {
            device::of(state, &b.device).identity = Some(b.identity.clone());
        }
        Event::DeviceContradicted(b) => device::contradicted(state, recorded, b),
        Event::DeviceAccepted(b) => device::accepted(state, recorded, b),
        Event::DeviceCounted(b) => device::counted(state, recorded, b),
        Event::MaintenanceChanged(b) => device::maintenance(state, recorded, b),
        Event::MaintenanceOverdue(b) => device::overdue(state, b),
        Event::LogIncarnated(b) => {
            state.incarnation = Some(b.incarnation);
            state.centre.revision = b.downlink_revision;
            state.centre.number = b.downlink_number;
        }
        Event::InstructionFollowed(b) => {
            state.centre.revision = Some(b.revision);
            state.centre.number = Some(b.number);
        }
        Event::InstructionRefused(b) => state.centre.revision = Some(b.revision),
        Event::PolicyChanged(b) => state.centre.policy = Some((b.version, b.sha256.clone())),
        Event::CentreKeyChanged(b) => {
            state.centre.key = Some(b.public_key.clone());
            state.centre.key_change = Some(b.clone());
        }
        Event::LookupKeyChanged(b) => evidence::lookup_key_changed(state, recorded, b),
        Event::LookupKeyRetired(b) => evidence::lookup_key_retired(state, b),
        Event::ErasureAsked(b) => {
            state.erasures.insert(b.session.clone());
            papers::withdrawn(state, &b.session);
        }
        Event::ErasureDone(b) => erasure::done(state, recorded, b),
        Event::ErasureConfirmed(b) => erasure::confirmed(state, recorded, b),
        Event::CardsCarriedOver(b) => custody::carried_over(state, b),
        Event::StockTaken(b) => {
            state.uncounted.remove(&b.machine);
        }
        Event::SlotFound(b) => custody::slot_found(state, b),
        Event::WitnessAhead(_)
        | Event::Commissioned(_)
        | Event::WindowTicketOpened(_)
        | Event::WitnessDismissed(_)
        | Event::KeyRotated(_)
        | Event::ManifestReceived(_)
        | Event::CentreContradicted(_)
        | Event::SnapshotTaken(_)
        | Event::DeviceReported(_)
        | Event::DeviceReplied(_)
        | Event::PaperReported(_)
        | Event::PrintReported(_)
        | Event::SignatureReported(_)
        | Event::RequestRefused(_)
        | Event::OperatorRejected(_)
        | Event::PickupNoRecord(_)
        | Event::PickupNotArrived(_)
        | Event::PickupHeld(_)
        | Event::PickupAlreadyCollected(_)
        | Event::PickupNotEligible(_)
        | Event::CardsMissing(_)
        | Event::CardPlaced(_)
        | Event::CardMismatched(_)
        | Event::CardPresented(_)
        | Event::ApplicationRecorded(_)
        | Event::PaymentExpired(_)
        | Event::PaymentNoted(_)
        | Event::PaymentsReconciled(_)
        | Event::PickupRecorded(_) => {}
        Event::ApplicationRefused(_)
        | Event::ApplicationStarted(_)
        | Event::ApplicationStepped(_)
        | Event::ApplicationLanguageChosen(_)
        | Event::ApplicationKindChosen(_)
        | Event::ApplicationResidenceChosen(_)
        | Event::ApplicationCardRead(_)
        | Event::ApplicationCardUnreadable(_)
        | Event::ApplicationNumberKeyed(_)
        | Event::ApplicationInputRejected(_)
        | Event::ApplicationIdentityConfirmed(_)
        | Event::ApplicationSteppedBack(_)
        | Event::ApplicationEligibilityAsked(_)
        | Event::ApplicationEligibilityDecided(_)
        | Event::ApplicationPortraitSubmitted(_)
        | Event::ApplicationPortraitRejected(_)
        | Event::ApplicationLivePhotoArchived(_)
        | Event::ApplicationLivePhotoRejected(_)
        | Event::ApplicationFacesCompared(_)
        | Event::ApplicationPhoneGiven(_)
        | Event::ApplicationSmsAsked(_)
        | Event::ApplicationSmsSent(_)
        | Event::ApplicationSmsConfirmed(_)
        | Event::ApplicationSmsSkipped(_)
        | Event::ApplicationFingerCaptured(_)
        | Event::ApplicationFingerFailed(_)
        | Event::ApplicationFingerCompared(_)
        | Event::ApplicationDocumentAttached(_)
        | Event::ApplicationDocumentsDone(_)
        | Event::ApplicationSigned(_)
        | Event::ApplicationAccepted(_)
        | Event::WindowTicketIssued(_)
        | Event::ApplicationEnded(_)
        | Event::ApplicationConfirmed(_)
        | Event::ApplicationCompensated(_)
        | Event::WindowTicketClosed(_)
        | Event::ApplicationLapsed(_)
        | Event::NoticeAsked(_)
        | Event::AcceptancesCarriedOver(_)
        | Event::PaymentOrdered(_)
        | Event::PaymentReported(_)
        | Event::PaymentWayChosen(_)
        | Event::PaymentCodeAsked(_)
        | Event::PaymentCodeReceived(_)
        | Event::PaymentConfirmed(_)
        | Event::RefundAsked(_)
        | Event::PaymentRefunded(_)
        | Event::GrantReceived(_) => {
            application::apply(state, recorded);
        }
        Event::PapersIssued(b) => papers::issued(state, recorded, b),
        Event::PapersNotHandedOut(b) => papers::not_handed_out(state, recorded, b),
        Event::CardTaken(b) => session::taken(state, recorded, b),
        Event::BatchAnnounced(b) => {
            state.batches.insert(b.batch.clone(), Batch::default());
        }
        Event::CardsAnnounced(b) => custody::announced(state, b),
        Event::CardArrived(b) => custody::arrived(state, b),
        Event::CardSurplus(b) => custody::surplus(state, b),
        Event::BatchClosed(b) => {
            if let Some(batch) = state.batches.get_mut(&b.batch) {
                batch.closed = true;
            }
        }
        Event::CardMoved(b) => custody::moved(state, recorded, b),
        Event::CardHeld(b) => custody::hold(state, &b.card, Some(b.reason)),
        Event::CardReleased(b) => custody::hold(state, &b.card, None),
        Event::MachineBlocked(b) => machine::blocked(state, b),
        Event::MachineResolved(b) => machine::resolved(state, b),
        Event::MotionIntended(b) => machine::intended(state, recorded, b),
        Event::MotionUnconfirmed(b) => machine::unconfirmed(state, recorded, b),
        Event::MotionAccepted(b) => machine::accepted(state, recorded, b),
        Event::SequenceLearned(b) => machine::learned(state, recorded, b),
        Event::MotionCleared(b) => machine::cleared(state, recorded, b),
        Event::MotionCompleted(b) => machine::completed(state, b),
        Event::ActStarted(b) => session::act_started(state, b),
        Event::ActEnded(b) => session::act_ended(state, b),
        Event::PickupStarted(b) => session::pickup_started(state, recorded, b),
        Event::PickupStep(b) => session::step(state, recorded, b),
        Event::CardVerified(b) => session::verified(state, b),
        Event::FingerPresent(b) => session::finger_present(state, recorded, b),
        Event::FingerCompared(b) => session::finger_compared(state, recorded, b),
        Event::PhotoArchived(b) => session::photo_archived(state, b),
        Event::OldCardChecked(b) => session::old_card_checked(state, b),
        Event::OldCardRecycled(b) => session::old_card_recycled(state, b),
        Event::CardRetracted(b) => session::retracted(state, b),
        Event::PickupEnding(b) => session::ending(state, b),
        Event::PickupEnded(b) => session::pickup_ended(state, b),
    }
}
