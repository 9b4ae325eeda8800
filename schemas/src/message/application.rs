//! What a kiosk says and is told in an application (自助受理), A1 to A17. What is personal in it does not print.

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::keyed::{Keyed, PhotoReceipt, SmsCode};
use crate::acceptance::AcceptanceNumber;
use crate::civil::CivilDate;
use crate::event::application::{MaskedPhone, PortraitChecked};
use crate::ids::{BlobId, DeviceId, MessageId, OrderId, SessionId, TicketNumber};
use crate::message::peripheral::Fen;
use crate::order::PaymentCode;
use crate::validity::Expiry;
use crate::words::Residence;
use crate::words::application::{
    ApplicationKind, ApplicationOutcome, ApplicationRefusal, DocumentKind, FingerPosition,
    InputFault, InputName, Language, PageNotice, PaymentFault, PaymentWay, PortraitCheck,
    PortraitWay, WindowReason,
};
use crate::words::paper::PaperState;

/// `request/start-application`: a citizen touches the screen (A1).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StartApplication {
    /// Id of this message; a repetition with the same id is the same request.
    pub message_id: MessageId,
    /// When the request is no longer wanted: wall clock, ms since 1970-01-01 UTC.
    pub deadline_ms: u64,
    /// The language of the screen.
    pub language: Language,
}

/// `request/application-input`: what the citizen entered at a step. One for another step than the present one is refused as
/// `out-of-step` and changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplicationInput {
    /// Id of this message; a repetition with the same id is the same request.
    pub message_id: MessageId,
    /// When the request is no longer wanted: wall clock, ms since 1970-01-01 UTC.
    pub deadline_ms: u64,
    /// The session.
    pub session: SessionId,
    /// The step it answers: `application.number` of the prompt.
    pub step: u32,
    /// What.
    pub input: Entry,
}

/// What a citizen enters.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Entry {
    /// What is applied for (A1).
    Kind(ApplicationKind),
    /// Where they are registered (A2).
    Residence(Residence),
    /// The citizen number as it was keyed. The gateway checks it, so that the refusal can be friendly (A3).
    Number(Keyed),
    /// Whether it is they (A4).
    ConfirmIdentity(bool),
    /// A portrait (A6).
    Portrait(PortraitEntry),
    /// The phone number, both entries (A8).
    Phone(PhoneEntry),
    /// The code of the SMS (A8).
    SmsCode(SmsCode),
    /// A scan of a document (A10).
    Document(DocumentEntry),
    /// There are no more documents (A10).
    DocumentsDone(Nothing),
    /// The signature (A11).
    Signature(BlobId),
    /// How they pay (A12).
    PaymentMethod(PaymentWay),
    /// They pay the order later, with the payment notice (A12).
    PayLater(Nothing),
    /// Back to the step before.
    Back(Nothing),
    /// The same step again.
    Retry(Nothing),
    /// Another language.
    Language(Language),
}

/// Says no more than that it is there: `{}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// Most checks that are reported of a portrait.
const CHECKS_MAX: usize = 16;

/// A portrait (A6): `picture` from the booth or a phone, `receipt` with the way of that name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PortraitEntry {
    /// How it came.
    pub way: PortraitWay,
    /// The picture, published before: JPEG or PNG, 524,288 bytes at the most. Another one is refused as `picture-unusable`, and one
    /// that cannot be decoded, or has more than 2,000 pixels a side, as `picture-damaged`; neither costs an attempt.
    #[serde(default)]
    pub picture: Option<BlobId>,
    /// The barcode of the photo receipt.
    #[serde(default)]
    pub receipt: Option<PhotoReceipt>,
    /// Its checks, as the capture module reports them: 16 at the most.
    #[serde(default, deserialize_with = "few_checks")]
    #[schemars(length(max = 16))]
    pub checks: Vec<PortraitChecked>,
}

fn few_checks<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<PortraitChecked>, D::Error> {
    let checks = Vec::deserialize(from)?;
    if checks.len() > CHECKS_MAX {
        return Err(D::Error::custom("more than 16 checks"));
    }
    Ok(checks)
}

/// A phone number, entered twice (A8).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PhoneEntry {
    /// The first entry.
    pub first: Keyed,
    /// The second one.
    pub second: Keyed,
}

/// A document (A10).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DocumentEntry {
    /// What it is.
    pub kind: DocumentKind,
    /// The scan, published before.
    pub scan: BlobId,
}

/// What is asked for, as a kiosk chooses its page by. In the order in which it is asked.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum StepName {
    /// Choose what to apply for.
    ChooseKind,
    /// Choose the residence.
    ChooseResidence,
    /// Lay the card on the reader.
    ReadCard,
    /// Key the number.
    KeyNumber,
    /// The centre is asked.
    AwaitEligibility,
    /// Say whether it is you.
    ConfirmIdentity,
    /// Give a portrait.
    GivePortrait,
    /// The portrait is compared.
    ComparePortrait,
    /// Look into the camera.
    TakeLivePhoto,
    /// Read what is wrong with the live photo (`failed_checks`), and say when the next one is to be taken (`retry`).
    RetakeLivePhoto,
    /// The live photo is compared.
    CompareLive,
    /// Enter the phone number twice.
    GivePhone,
    /// A code is sent.
    AwaitSms,
    /// Enter the code.
    KeySmsCode,
    /// Put the right hand's finger on the scanner.
    RightFinger,
    /// Put the left hand's finger on the scanner.
    LeftFinger,
    /// Scan documents, if there are any.
    AttachDocuments,
    /// Sign.
    Sign,
    /// Choose how to pay.
    ChoosePayment,
    /// Pay.
    AwaitPayment,
}

/// What a prompt says of an application: all that a kiosk needs to draw its page, and to draw it again after its own restart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplicationPrompt {
    /// The language of the screen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// The step's number, for the answer; none where nothing is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u32>,
    /// The step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<StepName>,
    /// What may be entered now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<InputName>,
    /// The kinds there are to choose from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<ApplicationKind>,
    /// The residences there are to choose from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub residences: Vec<Residence>,
    /// The ways to pay there are to choose from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub payments: Vec<PaymentWay>,
    /// Attempts left, this one included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts_left: Option<u16>,
    /// What was wrong with the last entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<InputFault>,
    /// What happened before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<PageNotice>,
    /// The card could not be read the last time (A3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card_unreadable: Option<bool>,
    /// Checks that the last portrait (A6) or live photo (A7) did not pass.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed_checks: Vec<PortraitCheck>,
    /// Which finger is asked for; none: the one whose print the old card holds, which does not say which it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<FingerPosition>,
    /// The device that serves somebody else first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub awaits: Option<DeviceId>,
    /// What is applied for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<ApplicationKind>,
    /// The residence that was chosen (A2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub residence: Option<Residence>,
    /// The documents that were scanned so far (A10).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<DocumentKind>,
    /// The present card's last day (A3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry: Option<Expiry>,
    /// The phone number, masked (A8).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<MaskedPhone>,
    /// The fee, in fen (A12).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee_fen: Option<Fen>,
    /// The order of the fee.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// How it is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<PaymentWay>,
    /// What a phone scans to pay it, to be drawn as a QR code; none: none has come, or it is paid otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_code: Option<PaymentCode>,
    /// What became of the last payment, where it did not come about; none also once another way to pay is chosen (A12).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_fault: Option<PaymentFault>,
    /// Whether it is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid: Option<bool>,
    /// How the session ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<ApplicationOutcome>,
    /// Why somebody is not served here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<ApplicationRefusal>,
    /// The day from which the card can be renewed, where it is too early (A3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens: Option<CivilDate>,
    /// The day until which it could be, where it is too late (A3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closes: Option<CivilDate>,
    /// The acceptance number, for the citizen's own eyes.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "for_the_citizen"
    )]
    pub acceptance_number: Option<AcceptanceNumber>,
    /// Whether the centre has the last word on it (A17).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provisional: Option<bool>,
    /// The ticket to the window (A15).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<TicketNumber>,
    /// Why it was issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_reason: Option<WindowReason>,
    /// How the papers stand (A13).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub papers: Option<PaperState>,
}

/// A citizen may read the number of their own application; nothing else writes it in the clear.
#[allow(clippy::ref_option, reason = "the form that serde calls it in")]
fn for_the_citizen<S: Serializer>(
    number: &Option<AcceptanceNumber>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    number
        .as_ref()
        .map(AcceptanceNumber::expose)
        .serialize(serializer)
}
