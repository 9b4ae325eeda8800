//! What an event seals: the blobs that lie beside the log, and the session keys that open them and its fields. An event that seals
//! something and does not say so here would have it swept as an orphan, never sent to the centre, and missed by an erasure.

use super::Event;
use super::application::SealedBlob;
use crate::ids::{BlobHash, SessionId};
use crate::key::SealingKeyId;
use crate::sealed::SealedField;

/// What an event seals, under the name of its session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed<'a> {
    /// The session.
    pub session: &'a SessionId,
    /// Its blobs.
    pub blobs: Vec<&'a BlobHash>,
    /// The keys that these blobs and the event's sealed fields are sealed under. The same one may stand here twice.
    pub keys: Vec<SealingKeyId>,
}

impl Event {
    /// What this event seals and no event before it did; none: nothing. What is repeated of earlier events of its session (an
    /// acceptance, a ticket, a question, the stills of a record) was told there.
    #[allow(
        clippy::too_many_lines,
        reason = "one closed match over all events, a line for each that seals nothing"
    )]
    pub fn sealed(&self) -> Option<Sealed<'_>> {
        use Event as E;
        let sealed = match self {
            E::CardVerified(b) => Sealed::of(&b.session).fields(b.holder.as_ref()),
            E::PhotoArchived(b) => Sealed::of(&b.session).file(&b.blob, &b.key),
            E::ApplicationCardRead(b) => Sealed::of(&b.session).fields([&b.holder]),
            E::ApplicationNumberKeyed(b) => Sealed::of(&b.session).fields([&b.holder]),
            E::ApplicationPhoneGiven(b) => Sealed::of(&b.session).fields([&b.phone]),
            E::ApplicationPortraitSubmitted(b) => Sealed::of(&b.session)
                .fields(b.portrait.receipt.as_ref())
                .blobs(b.portrait.picture.as_ref()),
            E::ApplicationLivePhotoArchived(b) => Sealed::of(&b.session).blobs([&b.photo]),
            E::ApplicationFingerCaptured(b) => Sealed::of(&b.session).blobs([&b.finger.image]),
            E::ApplicationDocumentAttached(b) => Sealed::of(&b.session).blobs([&b.document.scan]),
            E::ApplicationSigned(b) => Sealed::of(&b.session).blobs([&b.signature]),
            E::GatewayStarted(_)
            | E::ServiceChanged(_)
            | E::WitnessAhead(_)
            | E::WitnessDismissed(_)
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
            | E::MaintenanceChanged(_)
            | E::MaintenanceOverdue(_)
            | E::PaperReported(_)
            | E::PrintReported(_)
            | E::SignatureReported(_)
            | E::PaymentReported(_)
            | E::RequestRefused(_)
            | E::OperatorRejected(_)
            | E::MachineBlocked(_)
            | E::MachineResolved(_)
            | E::MotionIntended(_)
            | E::MotionUnconfirmed(_)
            | E::MotionAccepted(_)
            | E::SequenceLearned(_)
            | E::MotionCleared(_)
            | E::MotionCompleted(_)
            | E::KeyRotated(_)
            | E::LookupKeyChanged(_)
            | E::LookupKeyRetired(_)
            | E::ErasureAsked(_)
            | E::ErasureDone(_)
            | E::LogIncarnated(_)
            | E::SnapshotTaken(_)
            | E::CardsCarriedOver(_)
            | E::InstructionFollowed(_)
            | E::InstructionRefused(_)
            | E::ManifestReceived(_)
            | E::PolicyChanged(_)
            | E::CentreKeyChanged(_)
            | E::ErasureConfirmed(_)
            | E::CentreContradicted(_)
            | E::BatchAnnounced(_)
            | E::CardsAnnounced(_)
            | E::CardArrived(_)
            | E::CardSurplus(_)
            | E::CardsMissing(_)
            | E::BatchClosed(_)
            | E::CardMoved(_)
            | E::CardHeld(_)
            | E::CardReleased(_)
            | E::CardPlaced(_)
            | E::ActStarted(_)
            | E::ActEnded(_)
            | E::StockTaken(_)
            | E::CommissionStarted(_)
            | E::ExerciseAsked(_)
            | E::ExerciseEnded(_)
            | E::Commissioned(_)
            | E::PickupNoRecord(_)
            | E::PickupNotArrived(_)
            | E::PickupHeld(_)
            | E::PickupAlreadyCollected(_)
            | E::PickupNotEligible(_)
            | E::PickupStarted(_)
            | E::PickupStep(_)
            | E::CardMismatched(_)
            | E::FingerPresent(_)
            | E::FingerCompared(_)
            | E::OldCardChecked(_)
            | E::OldCardRecycled(_)
            | E::CardPresented(_)
            | E::CardTaken(_)
            | E::CardRetracted(_)
            | E::PickupEnding(_)
            | E::PickupEnded(_)
            | E::SlotFound(_)
            | E::PickupRecorded(_)
            | E::ApplicationRefused(_)
            | E::ApplicationStarted(_)
            | E::ApplicationStepped(_)
            | E::ApplicationLanguageChosen(_)
            | E::ApplicationKindChosen(_)
            | E::ApplicationResidenceChosen(_)
            | E::ApplicationCardUnreadable(_)
            | E::ApplicationInputRejected(_)
            | E::ApplicationIdentityConfirmed(_)
            | E::ApplicationSteppedBack(_)
            | E::ApplicationEligibilityAsked(_)
            | E::ApplicationEligibilityDecided(_)
            | E::ApplicationPortraitRejected(_)
            | E::ApplicationLivePhotoRejected(_)
            | E::ApplicationFacesCompared(_)
            | E::ApplicationSmsAsked(_)
            | E::ApplicationSmsSent(_)
            | E::ApplicationSmsConfirmed(_)
            | E::ApplicationSmsSkipped(_)
            | E::ApplicationFingerFailed(_)
            | E::ApplicationFingerCompared(_)
            | E::ApplicationDocumentsDone(_)
            | E::ApplicationAccepted(_)
            | E::WindowTicketIssued(_)
            | E::ApplicationRecorded(_)
            | E::ApplicationEnded(_)
            | E::ApplicationConfirmed(_)
            | E::ApplicationCompensated(_)
            | E::ApplicationLapsed(_)
            | E::NoticeAsked(_)
            | E::WindowTicketOpened(_)
            | E::PapersIssued(_)
            | E::PapersNotHandedOut(_)
            | E::WindowTicketClosed(_)
            | E::AcceptancesCarriedOver(_)
            | E::PaymentOrdered(_)
            | E::PaymentWayChosen(_)
            | E::PaymentCodeAsked(_)
            | E::PaymentCodeReceived(_)
            | E::PaymentConfirmed(_)
            | E::PaymentExpired(_)
            | E::RefundAsked(_)
            | E::PaymentRefunded(_)
            | E::PaymentNoted(_)
            | E::PaymentsReconciled(_)
            | E::GrantReceived(_) => return None,
        };
        Some(sealed)
    }

    /// The question that this event puts to the centre while a citizen waits: its session, and the key that the centre needs to
    /// understand it. None: it asks nothing.
    pub fn asks_centre(&self) -> Option<(&SessionId, SealingKeyId)> {
        if let Self::ApplicationEligibilityAsked(b) = self {
            Some((&b.session, b.holder.key()?))
        } else if let Self::ApplicationSmsAsked(b) = self {
            Some((&b.session, b.phone.key()?))
        } else {
            None
        }
    }
}

impl<'a> Sealed<'a> {
    const fn of(session: &'a SessionId) -> Self {
        Self {
            session,
            blobs: Vec::new(),
            keys: Vec::new(),
        }
    }

    fn file(mut self, blob: &'a BlobHash, key: &SealingKeyId) -> Self {
        self.blobs.push(blob);
        self.keys.push(key.clone());
        self
    }

    fn blobs(self, blobs: impl IntoIterator<Item = &'a SealedBlob>) -> Self {
        let blobs = blobs.into_iter();
        blobs.fold(self, |sealed, file| sealed.file(&file.blob, &file.key))
    }

    fn fields(mut self, fields: impl IntoIterator<Item = &'a SealedField>) -> Self {
        self.keys
            .extend(fields.into_iter().filter_map(SealedField::key));
        self
    }
}
