//! The events of a session, from its beginning to the signature (A1 to A11).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::station::bodies;
use super::{
    ApplicationDevices, ApplicationPolicy, ApplicationStep, Comparison, Document, EligibilityBasis,
    Fingerprint, MaskedPhone, Portrait, PortraitChecked, SaltedCode, SealedBlob,
};
use crate::acceptance::AcceptanceSite;
use crate::citizen::{MaskedName, NumberTail};
use crate::civil::CivilDate;
use crate::ids::{CardSerial, DeviceId, SessionId};
use crate::lookup::LookupTag;
use crate::message::application::StepName;
use crate::sealed::SealedField;
use crate::validity::Expiry;
use crate::words::application::{
    ApplicationKind, ApplicationRefusal, EligibilityVerdict, FacePair, FingerPosition, InputFault,
    Language, PaymentFault, PortraitCheck, SmsSkipped,
};
use crate::words::{Completion, Hand, Residence};

bodies! {
    /// Somebody is not served here; the window's address is shown (A1 to A5).
    ApplicationRefused {
        /// The session.
        session: SessionId,
        /// Why.
        reason: ApplicationRefusal,
        /// The day from which the card is renewed, where it is too early (A3).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        opens: Option<CivilDate>,
        /// The day until which it was, where it is too late (A3).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        closes: Option<CivilDate>,
    }
    /// An application began.
    ApplicationStarted {
        /// The session.
        session: SessionId,
        /// At which kiosk.
        kiosk: DeviceId,
        /// The devices that serve it.
        devices: ApplicationDevices,
        /// Who accepts: the head of its number.
        site: AcceptanceSite,
        /// The language.
        language: Language,
        /// The policy it runs under.
        policy: Box<ApplicationPolicy>,
    }
    /// The citizen, a device or the centre is asked for the next step.
    ApplicationStepped {
        /// The session.
        session: SessionId,
        /// Counts up within the session.
        number: u32,
        /// What is asked for.
        step: ApplicationStep,
        /// The device serves another session: the step is asked again when it is free.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        awaits: Option<DeviceId>,
    }
    /// The citizen chose another language.
    ApplicationLanguageChosen {
        /// The session.
        session: SessionId,
        /// The language.
        language: Language,
    }
    /// The citizen chose what to apply for (A1). What was entered before is given up.
    ApplicationKindChosen {
        /// The session.
        session: SessionId,
        /// What.
        kind: ApplicationKind,
    }
    /// The citizen said where they are registered (A2).
    ApplicationResidenceChosen {
        /// The session.
        session: SessionId,
        /// Where.
        residence: Residence,
    }
    /// The present card was read (A3).
    ApplicationCardRead {
        /// The session.
        session: SessionId,
        /// The chip's serial.
        card: CardSerial,
        /// Tag of the citizen number.
        number: LookupTag,
        /// Its tags under superseded keys that are still tried.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        older: Vec<LookupTag>,
        /// The name, masked, where the chip has one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<MaskedName>,
        /// The last four characters of the number.
        number_tail: NumberTail,
        /// What the chip holds in writing, sealed: JSON with `number` and, where the chip has them, `name`, `ethnic_group`, `address`,
        /// `issuer`.
        holder: SealedField,
        /// The card's last day, where the reader reads it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expiry: Option<Expiry>,
        /// Hands the chip holds fingerprints of.
        hands: Vec<Hand>,
        /// Which fingers these are, as far as the chip says it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        fingers: Vec<FingerPosition>,
        /// Whether the chip's picture was read.
        picture: bool,
        /// Whether they are of the age; none: the clock is not synchronised.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of_age: Option<bool>,
        /// Whether the grant in force flags them; none: there is no grant.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        flagged: Option<bool>,
    }
    /// The present card could not be read: back to the choice of kind (A3).
    ApplicationCardUnreadable {
        /// The session.
        session: SessionId,
        /// How the command ended.
        completion: Completion,
    }
    /// The citizen keyed the number, and its checksum fits (A3).
    ApplicationNumberKeyed {
        /// The session.
        session: SessionId,
        /// Tag of the citizen number.
        number: LookupTag,
        /// Its tags under superseded keys that are still tried.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        older: Vec<LookupTag>,
        /// The last four characters of it.
        number_tail: NumberTail,
        /// The number, sealed: JSON with `number`.
        holder: SealedField,
        /// Whether they are of the age; none: the clock is not synchronised.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of_age: Option<bool>,
        /// Whether the grant in force flags them; none: there is no grant.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        flagged: Option<bool>,
    }
    /// What the citizen entered cannot be used; they are asked again, or go to the window.
    ApplicationInputRejected {
        /// The session.
        session: SessionId,
        /// Of which step.
        number: u32,
        /// What is wrong.
        fault: InputFault,
    }
    /// The citizen said whether it is they (A4).
    ApplicationIdentityConfirmed {
        /// The session.
        session: SessionId,
        /// It is.
        confirmed: bool,
    }
    /// The citizen went back, or was led back. What was entered at `to` and after it is given up.
    ApplicationSteppedBack {
        /// The session.
        session: SessionId,
        /// To which step.
        to: StepName,
        /// Why it was not the citizen who wanted it, where a code to pay by is the reason (A12).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        payment_fault: Option<PaymentFault>,
    }
    /// The centre is asked whether they may apply here (A2, A5).
    ApplicationEligibilityAsked {
        /// The session.
        session: SessionId,
        /// Counts up within the session: the answer names it.
        question: u32,
        /// What is applied for.
        kind: ApplicationKind,
        /// Registered residence.
        residence: Residence,
        /// Tag of the citizen number.
        number: LookupTag,
        /// The person, sealed.
        holder: SealedField,
    }
    /// Whether they may apply here is decided (A2, A5, A17).
    ApplicationEligibilityDecided {
        /// The session.
        session: SessionId,
        /// What.
        verdict: EligibilityVerdict,
        /// By whom.
        basis: EligibilityBasis,
        /// The name, masked, as the centre has it; none: it did not say, or a card says it (A4).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<MaskedName>,
    }
    /// A portrait came (A6). It is used only if no check failed.
    ApplicationPortraitSubmitted {
        /// The session.
        session: SessionId,
        /// Which attempt, from 1.
        attempt: u16,
        /// The portrait.
        portrait: Portrait,
        /// Its checks.
        checks: Vec<PortraitChecked>,
    }
    /// A portrait did not pass; each failed check is named to the citizen (A6).
    ApplicationPortraitRejected {
        /// The session.
        session: SessionId,
        /// Which attempt, from 1.
        attempt: u16,
        /// What failed; none: it was not checked at all.
        failed: Vec<PortraitCheck>,
    }
    /// The live photo is sealed on disk (A7).
    ApplicationLivePhotoArchived {
        /// The session.
        session: SessionId,
        /// Which attempt, from 1.
        attempt: u16,
        /// The photo.
        photo: SealedBlob,
    }
    /// The live photo cannot be compared; what is wrong with it is named to the citizen (A7).
    ApplicationLivePhotoRejected {
        /// The session.
        session: SessionId,
        /// Which attempt, from 1.
        attempt: u16,
        /// What is wrong.
        failed: Vec<PortraitCheck>,
    }
    /// Two faces were compared, or the comparison waits for the centre (A7).
    ApplicationFacesCompared {
        /// The session.
        session: SessionId,
        /// Which two.
        pair: FacePair,
        /// What came of it.
        comparison: Comparison,
    }
    /// The citizen gave a phone number, twice the same (A8).
    ApplicationPhoneGiven {
        /// The session.
        session: SessionId,
        /// Masked.
        masked: MaskedPhone,
        /// Sealed.
        phone: SealedField,
    }
    /// The centre is asked to send a code to the phone (A8).
    ApplicationSmsAsked {
        /// The session.
        session: SessionId,
        /// Counts up within the session: the answer names it.
        question: u32,
        /// Where to, sealed.
        phone: SealedField,
    }
    /// The centre sent a code (A8).
    ApplicationSmsSent {
        /// The session.
        session: SessionId,
        /// What the code is compared with.
        code: SaltedCode,
        /// How long it is valid, in s.
        valid_s: u32,
    }
    /// The citizen keyed the code that was sent (A8).
    ApplicationSmsConfirmed {
        /// The session.
        session: SessionId,
    }
    /// The phone number is not confirmed by a code (A8).
    ApplicationSmsSkipped {
        /// The session.
        session: SessionId,
        /// Why.
        reason: SmsSkipped,
    }
    /// A finger was captured with enough quality (A9).
    ApplicationFingerCaptured {
        /// The session.
        session: SessionId,
        /// Which attempt, from 1.
        attempt: u16,
        /// The fingerprint.
        finger: Fingerprint,
    }
    /// A finger could not be captured (A9).
    ApplicationFingerFailed {
        /// The session.
        session: SessionId,
        /// Which hand.
        hand: Hand,
        /// Which attempt, from 1.
        attempt: u16,
        /// How the command ended.
        completion: Completion,
        /// Quality, 0 to 100, where there was an image.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        quality: Option<u16>,
    }
    /// A finger was compared with what the old card holds, or could not be (A9).
    ApplicationFingerCompared {
        /// The session.
        session: SessionId,
        /// Which hand.
        hand: Hand,
        /// What came of it.
        comparison: Comparison,
    }
    /// A document was scanned (A10).
    ApplicationDocumentAttached {
        /// The session.
        session: SessionId,
        /// The document.
        document: Document,
    }
    /// The citizen wants to attach nothing more (A10).
    ApplicationDocumentsDone {
        /// The session.
        session: SessionId,
    }
    /// The citizen signed (A11).
    ApplicationSigned {
        /// The session.
        session: SessionId,
        /// The signature.
        signature: SealedBlob,
    }
}
