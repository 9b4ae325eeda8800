//! Events of an application (自助受理), A1 to A17.
//!
//! Nothing in them names a person in the clear: a name and a number are masked, a phone number is masked, what the centre needs
//! is sealed, pictures are blobs. A sealed field keeps the name it was sealed under wherever it is copied to:
//! `application.holder`, `application.phone`, `application.receipt`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::station::bodies;
use crate::acceptance::{AcceptanceSite, DailyPlace};
use crate::citizen::{MaskedName, NumberTail};
use crate::civil::CivilDate;
use crate::fee::FeeTable;
use crate::ids::{
    BlobHash, CardSerial, DeviceId, OperatorId, OrderId, RecorderReference, SessionId, TicketNumber,
};
use crate::key::{RecipientId, SealingKeyId};
use crate::lookup::LookupTag;
use crate::message::application::StepName;
use crate::sealed::SealedField;
use crate::validity::Expiry;
use crate::words::application::{
    ApplicationKind, ApplicationOutcome, ApplicationRefusal, ComparisonPending, DocumentKind,
    EligibilityVerdict, FacePair, FingerPosition, InputFault, Language, NoticeCause, PaymentFault,
    PaymentWay, PortraitCheck, PortraitWay, ProvisionalCause, RejectionReason, SmsSkipped,
    WindowReason, WindowResult,
};
use crate::words::paper::PaperKind;
use crate::words::{Completion, Hand, Residence};

/// The devices that serve a kiosk's applications, as configured when one began. Two kiosks may share one: it serves one step at a
/// time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplicationDevices {
    /// Reads the present card.
    pub reader: DeviceId,
    /// Captures fingerprints.
    pub scanner: DeviceId,
    /// Takes the live photo.
    pub camera: DeviceId,
    /// Compares faces.
    pub face_matcher: DeviceId,
}

/// The values of the policy that an application runs under. Later changes of policy do not touch it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplicationPolicy {
    /// Residences that are accepted (A2).
    pub residences: Vec<Residence>,
    /// Months before the card's expiry from which it is renewed (A3).
    pub renewal_months_before: u16,
    /// Months after it until which it is renewed (A3).
    pub renewal_months_after: u16,
    /// Completed years from which one may apply (A5).
    pub age_min: u16,
    /// Similarity of portrait and historical portrait, 0 to 100 (A7).
    pub portrait_score_min: u16,
    /// Similarity of live photo and historical portrait, 0 to 100 (A7).
    pub live_score_min: u16,
    /// Quality of a fingerprint, 0 to 100 (A9).
    pub finger_quality_min: u16,
    /// Similarity of a finger with the old card's, 0 to 100 (A9).
    pub finger_score_min: u16,
    /// Checks that a portrait must have passed, so that one that was not made counts as failed (A6). Empty: any one, as it was before
    /// this was written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub portrait_checks: Vec<PortraitCheck>,
    /// Attempts to key the number.
    pub number_attempts_max: u16,
    /// Attempts at a portrait.
    pub portrait_attempts_max: u16,
    /// Attempts at the live photo.
    pub live_attempts_max: u16,
    /// Attempts to give the phone number.
    pub phone_attempts_max: u16,
    /// Attempts to key the code of the SMS.
    pub sms_attempts_max: u16,
    /// Attempts per hand.
    pub finger_attempts_max: u16,
    /// Documents that can be attached.
    pub documents_max: u16,
    /// Whether the phone number is confirmed by a code (A8).
    pub sms: bool,
    /// How long the citizen may take for a step, in s.
    pub step_timeout_s: u16,
    /// How long a device may take for a command, in s.
    pub command_timeout_s: u16,
    /// How long the centre may take to say whether somebody is eligible, in s.
    pub centre_wait_s: u16,
    /// How long the centre may take to send an SMS, in s.
    pub sms_wait_s: u16,
    /// How long a payment is waited for at the kiosk, in s.
    pub payment_wait_s: u16,
    /// How long an order can be paid, in hours.
    pub order_hours: u16,
    /// Provisional acceptances under one grant; the grant may allow fewer (A17).
    pub provisional_max: u32,
    /// Ways to pay (A12).
    pub payments: Vec<PaymentWay>,
    /// Fees (A12).
    pub fees: FeeTable,
}

/// What the session does next. Each event that names one carries a number that counts up, and an input names it, so that one
/// that is meant for another step changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "step", deny_unknown_fields)]
pub enum ApplicationStep {
    /// The citizen chooses what to apply for (A1).
    ChooseKind,
    /// The citizen says where they are registered (A2).
    ChooseResidence,
    /// The reader waits for the present card (A3).
    ReadCard {
        /// Which attempt, from 1.
        attempt: u16,
    },
    /// The citizen keys the number (A3).
    KeyNumber {
        /// Which attempt, from 1.
        attempt: u16,
    },
    /// The centre is asked whether they may apply here, and who they are (A2, A4, A5).
    AwaitEligibility,
    /// The citizen says that it is they (A4).
    ConfirmIdentity,
    /// The citizen gives a portrait (A6).
    GivePortrait {
        /// Which attempt, from 1.
        attempt: u16,
    },
    /// The portrait is compared (A7).
    ComparePortrait,
    /// The camera takes the live photo (A7).
    TakeLivePhoto {
        /// Which attempt, from 1.
        attempt: u16,
    },
    /// The citizen reads what is wrong with the live photo, and says when the next one is to be taken (A7).
    RetakeLivePhoto {
        /// Which attempt the next one is, from 2.
        attempt: u16,
    },
    /// The live photo is compared (A7).
    CompareLive {
        /// Which attempt at the live photo it belongs to, from 1.
        attempt: u16,
    },
    /// The citizen enters the phone number twice (A8).
    GivePhone {
        /// Which attempt, from 1.
        attempt: u16,
    },
    /// The centre is asked to send a code (A8).
    AwaitSms,
    /// The citizen keys the code (A8).
    KeySmsCode {
        /// Which attempt, from 1.
        attempt: u16,
    },
    /// The scanner captures a finger (A9).
    CaptureFinger {
        /// Which hand.
        hand: Hand,
        /// Which attempt, from 1.
        attempt: u16,
        /// Which finger; none: the one whose print the old card holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        position: Option<FingerPosition>,
    },
    /// The citizen attaches documents (A10).
    AttachDocuments,
    /// The citizen signs (A11).
    Sign,
    /// The citizen chooses how to pay (A12).
    ChoosePayment,
    /// The payment is waited for (A12).
    AwaitPayment,
}

/// Within what time an acceptance has to be paid (A12). It counts from the acceptance, or from when the centre confirms one that is
/// provisional, by a clock that is believed, and ends with a day in China.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentTerm {
    /// Days after the day that it begins on; the last one is included.
    pub due_days: u16,
    /// How many days before its end the citizen is told once more; 0: not at all.
    pub notice_days: u16,
}

/// A picture that is sealed on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SealedBlob {
    /// SHA-256 of the sealed file.
    pub blob: BlobHash,
    /// The key it is sealed under.
    pub key: SealingKeyId,
    /// Length before sealing, in bytes.
    pub len: u32,
}

/// A check of a portrait, as the capture module reports it (A6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PortraitChecked {
    /// What was checked.
    pub check: PortraitCheck,
    /// Whether it passed.
    pub passed: bool,
    /// What was measured, in the unit of the check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<i32>,
}

/// A portrait that passed its checks (A6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Portrait {
    /// How it came.
    pub way: PortraitWay,
    /// The picture, where it is at the station.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<SealedBlob>,
    /// The barcode of the photo receipt, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<SealedField>,
}

/// A fingerprint that was captured (A9).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fingerprint {
    /// Which hand.
    pub hand: Hand,
    /// Which finger; none: the one whose print the old card holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<FingerPosition>,
    /// Quality, 0 to 100.
    pub quality: u16,
    /// The image.
    pub image: SealedBlob,
}

/// A document that was scanned (A10).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// What it is.
    pub kind: DocumentKind,
    /// The scan.
    pub scan: SealedBlob,
}

/// What a citizen has entered: all that the centre, or an officer at the window, needs so that nothing is entered twice (A15).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entered {
    /// What is applied for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<ApplicationKind>,
    /// Registered residence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub residence: Option<Residence>,
    /// Tag of the citizen number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<LookupTag>,
    /// The name, masked, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<MaskedName>,
    /// The last four characters of the number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number_tail: Option<NumberTail>,
    /// The person, sealed: JSON with `number` and what else the card held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<SealedField>,
    /// The portrait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub portrait: Option<Portrait>,
    /// The live photo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<SealedBlob>,
    /// The phone number, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<SealedField>,
    /// The fingerprints, at most one a hand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fingers: Vec<Fingerprint>,
    /// The documents.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<Document>,
    /// The signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<SealedBlob>,
}

/// Who decided that somebody may apply here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(
    rename_all = "kebab-case",
    rename_all_fields = "snake_case",
    tag = "by",
    deny_unknown_fields
)]
pub enum EligibilityBasis {
    /// The centre.
    Centre,
    /// The station, under a grant: the centre did not answer in time (A17).
    Grant {
        /// The grant's version.
        version: u32,
        /// How long it had been valid, in s.
        age_s: u64,
    },
}

/// What came of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "result", deny_unknown_fields)]
pub enum Comparison {
    /// It was made.
    Compared {
        /// By which device.
        device: DeviceId,
        /// Similarity, 0 to 100.
        score: u16,
        /// The score needed.
        score_min: u16,
        /// Whether it is reached.
        matched: bool,
    },
    /// It was not: the centre makes it at its review.
    Pending {
        /// Why.
        reason: ComparisonPending,
    },
}

/// What the centre decided about an acceptance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(
    rename_all = "kebab-case",
    rename_all_fields = "snake_case",
    tag = "decision",
    deny_unknown_fields
)]
pub enum Decision {
    /// It stands.
    Confirmed {
        /// Who gave its final number.
        site: AcceptanceSite,
        /// Where that number stands.
        place: DailyPlace,
    },
    /// It does not.
    Rejected {
        /// Why.
        reason: RejectionReason,
    },
}

/// The number on a certificate whose application the centre gave another one: the barcode still leads to the card (P1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrintedNumber {
    /// Tag of the printed number.
    pub printed: LookupTag,
    /// Tags of the final number under each key that was tried then, the newest first. A manifest names this number.
    pub known: Vec<LookupTag>,
}

/// Printed numbers in one event at the most, so that the signed event stays under 6 KB.
pub const PRINTED_PER_EVENT_MAX: usize = 8;

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
    /// The application is accepted (A13). From here on the centre decides it.
    ApplicationAccepted {
        /// The session.
        session: SessionId,
        /// At which kiosk.
        kiosk: DeviceId,
        /// Who accepts: the head of its number.
        site: AcceptanceSite,
        /// Where its number stands. Never given twice.
        place: DailyPlace,
        /// Code of the reason (GA/T 2000.10).
        reason: u8,
        /// What makes it provisional; empty: it is accepted (A17).
        provisional: Vec<ProvisionalCause>,
        /// The order of its fee, if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        order: Option<OrderId>,
        /// Within what time that has to be paid; none: it is paid, or free of charge.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        term: Option<PaymentTerm>,
        /// The papers that its citizen is to have (A13); empty: it was accepted before that was written.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        papers: Vec<PaperKind>,
        /// All that was entered.
        entered: Box<Entered>,
    }
    /// Nobody paid in time, by the word of the centre, or by the station's clock once it had heard all that the centre told until after that
    /// time: what was accepted has lapsed, and the person may apply again (A12). What is recorded as paid from now on is asked back.
    ApplicationLapsed {
        /// The session.
        session: SessionId,
        /// The order that nobody paid.
        order: OrderId,
    }
    /// The centre is asked to send the citizen a message (T2).
    NoticeAsked {
        /// The session.
        session: SessionId,
        /// What about. Once for each session and cause.
        cause: NoticeCause,
        /// The last day on which the fee can be paid, where the message is about that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<CivilDate>,
        /// Where to, sealed.
        phone: SealedField,
    }
    /// The citizen goes to the window with a ticket, and never starts over (A9, A15).
    WindowTicketIssued {
        /// The session.
        session: SessionId,
        /// The kiosk that began it.
        kiosk: DeviceId,
        /// The ticket.
        ticket: TicketNumber,
        /// Why.
        reason: WindowReason,
        /// How long it is held, in hours; none: it was issued before that was written.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        held_h: Option<u16>,
        /// All that was entered.
        entered: Box<Entered>,
    }
    /// Where the footage of an application is found (A14). It stands before the end of the session, in one batch with it.
    ApplicationRecorded {
        /// The session.
        session: SessionId,
        /// The camera.
        camera: DeviceId,
        /// What the recorder calls the camera's footage, as configured when the session ended; none: it is not configured.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        recorder: Option<RecorderReference>,
        /// When the session began, by the station's wall clock, in ms since 1970-01-01 UTC.
        from_ms: u64,
        /// When it ended, by the same clock.
        until_ms: u64,
        /// All live photos, in the order of their archiving.
        stills: Vec<BlobHash>,
    }
    /// The session ended; the kiosk is free for the next.
    ApplicationEnded {
        /// The session.
        session: SessionId,
        /// At which kiosk.
        kiosk: DeviceId,
        /// How.
        outcome: ApplicationOutcome,
    }
    /// The centre decided that an acceptance stands (A17).
    ApplicationConfirmed {
        /// The session.
        session: SessionId,
        /// Who gave its final number.
        site: AcceptanceSite,
        /// Where that number stands.
        place: DailyPlace,
        /// Whether it is another number than the one that was given here.
        renumbered: bool,
        /// By what the printed number is found from here on, where it is another one (P1).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        printed: Option<Box<PrintedNumber>>,
    }
    /// The centre decided that an acceptance does not stand: the citizen is told, and goes to the window with the ticket that is
    /// issued with this (A15, A17). What was paid is asked back by an event of its own.
    ApplicationCompensated {
        /// The session.
        session: SessionId,
        /// Why.
        reason: RejectionReason,
        /// The ticket.
        ticket: TicketNumber,
        /// How long it is held, in hours; none: it was issued before that was written.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        held_h: Option<u16>,
        /// Where the citizen is told, sealed; none where no number was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        phone: Option<SealedField>,
    }
    /// What a new log takes over of an earlier one of the station: how far its acceptance numbers have come, so that none is given twice.
    AcceptancesCarriedOver {
        /// The newest number's place.
        place: DailyPlace,
        /// Printed numbers whose cards are not announced yet, in parts.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        printed: Vec<PrintedNumber>,
    }
    /// An officer at the window was given what opens a ticket (A15).
    WindowTicketOpened {
        /// The session.
        session: SessionId,
        /// The ticket.
        ticket: TicketNumber,
        /// Who asked; their PIN fitted.
        by: OperatorId,
        /// Whose private key opens what was given.
        key: RecipientId,
    }
    /// What became of a ticket.
    WindowTicketClosed {
        /// The session.
        session: SessionId,
        /// The ticket.
        ticket: TicketNumber,
        /// What.
        result: WindowResult,
        /// The officer who said so at this station; none: the centre did, or nobody in time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<OperatorId>,
    }
}

crate::text::text_newtype!(
    /// A mobile number with its middle hidden: what events and screens may hold.
    MaskedPhone, "masked phone number", "^1[3-9][0-9]\\*{4}[0-9]{4}$", "three digits, four stars, four digits",
    |t| matches!(t.as_bytes(), [b'1', b'3'..=b'9', third, b'*', b'*', b'*', b'*', tail @ ..]
        if third.is_ascii_digit() && tail.len() == 4 && tail.iter().all(u8::is_ascii_digit))
);

crate::text::text_newtype!(
    /// What a code of an SMS is compared with: `<16 bytes of salt, hex>.<SHA-256 of salt ‖ code, hex>`. It is of use to nobody
    /// once the code's time is over.
    SaltedCode, "salted code", "^[0-9a-f]{32}\\.[0-9a-f]{64}$", "32 and 64 lower-case hexadecimal digits with a dot between",
    |t| t.split_once('.').is_some_and(|(salt, hash)| {
        let hex = |t: &str, len: usize| t.len() == len && t.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        hex(salt, 32) && hex(hash, 64)
    })
);

impl SaltedCode {
    /// The code as the centre sends it, salted.
    pub fn of(salt: [u8; 16], code: &str) -> Self {
        Self(format!("{}.{}", hex::encode(salt), digest(&salt, code)))
    }

    /// Whether `code` is the one that was sent.
    pub fn is(&self, code: &str) -> bool {
        self.0.split_once('.').is_some_and(|(salt, hash)| {
            let mut raw = [0; 16];
            hex::decode_to_slice(salt, &mut raw).is_ok() && digest(&raw, code) == hash
        })
    }
}

fn digest(salt: &[u8; 16], code: &str) -> String {
    use sha2::Digest as _;
    let hash = sha2::Sha256::new()
        .chain_update(salt)
        .chain_update(code.as_bytes());
    hex::encode(hash.finalize())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;
    use crate::citizen::PhoneNumber;

    /// A8: a code fits what it was salted as, and nothing else does.
    #[test]
    fn a_code_fits_its_salt() {
        let code = SaltedCode::of([7; 16], "041193");
        assert!(code.is("041193"));
        for other in ["041194", "", "41193"] {
            assert!(!code.is(other), "{other}");
        }
        assert_ne!(code, SaltedCode::of([8; 16], "041193"));
        assert_eq!(SaltedCode::new(code.as_str()).unwrap(), code);
    }

    /// G7: what is masked is taken, what is not is refused.
    #[test]
    fn only_a_masked_phone_number_is_one() {
        let phone = PhoneNumber::new("13812345678").unwrap();
        assert!(MaskedPhone::new(phone.masked()).is_ok());
        assert!(MaskedPhone::new(phone.expose()).is_err());
    }
}
