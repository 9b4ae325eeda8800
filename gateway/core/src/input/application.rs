//! What comes in for applications, with everything personal taken out: sealed, masked, tagged, or a result.

use schemas::citizen::{MaskedName, NumberTail};
use schemas::civil::CivilDate;
use schemas::downlink::application::{
    ApplicationDecided, EligibilityAnswered, PaymentCodeIssued, PaymentConfirmed, PaymentRefunded,
    SmsCodeSent, WindowOutcome,
};
use schemas::event::application::{MaskedPhone, PortraitChecked, PrintedNumber, SealedBlob};
use schemas::event::payment::GrantReceived;
use schemas::lookup::LookupTag;
use schemas::message::face::{ComparedPicture, FaceRefusal};
use schemas::message::keyed::SmsCode;
use schemas::sealed::SealedField;
use schemas::validity::Expiry;
use schemas::words::application::{
    ApplicationKind, DocumentKind, InputFault, Language, PaymentWay, PortraitWay,
};
use schemas::words::{Completion, Residence};

/// A birth date. A rule counts with it; it does not print, and nothing keeps it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BirthDate(pub CivilDate);

impl core::fmt::Debug for BirthDate {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("BirthDate(hidden)")
    }
}

/// The centre's decision, with what the rules cannot work out of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// What it says.
    pub told: ApplicationDecided,
    /// Tags of the two numbers, where it gave another one than was printed.
    pub printed: Option<Box<PrintedNumber>>,
}

/// Who applies, by the card or by the number that was keyed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Tags of the number under each key in use, the newest first.
    pub number: Vec<LookupTag>,
    /// Whether the number is that of a resident ID card (A5).
    pub resident: bool,
    /// The last four characters of the number.
    pub number_tail: NumberTail,
    /// The name, masked, where it is known.
    pub name: Option<MaskedName>,
    /// For the age (A5).
    pub born: BirthDate,
    /// What is known in writing, sealed for the session; none where it serves none.
    pub holder: Option<SealedField>,
    /// The card's last day, where it was read (A3).
    pub expiry: Option<Expiry>,
    /// Whether the chip's picture was read, and is held for the comparison (A7).
    pub picture: bool,
    /// Whether the grant of this version flags the person; none where there is no list (A17).
    pub flagged: Option<(u32, bool)>,
}

/// What a citizen entered, after the checks that need it in the clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A1.
    Kind(ApplicationKind),
    /// A2.
    Residence(Residence),
    /// A3: the person; none: what was keyed is no citizen number.
    Number(Option<Box<Person>>),
    /// A4.
    ConfirmIdentity(bool),
    /// A6.
    Portrait {
        /// How it came.
        way: PortraitWay,
        /// The picture; none: there is none of that name for this session.
        picture: Option<SealedBlob>,
        /// The photo receipt, sealed.
        receipt: Option<SealedField>,
        /// Its checks.
        checks: Vec<PortraitChecked>,
    },
    /// A8: masked and sealed, or what is wrong with it.
    Phone(Result<(MaskedPhone, SealedField), InputFault>),
    /// A8.
    SmsCode(SmsCode),
    /// A10; none: there is no scan of that name for this session.
    Document(DocumentKind, Option<SealedBlob>),
    /// A10.
    DocumentsDone,
    /// A11; none: there is no image of that name for this session.
    Signature(Option<SealedBlob>),
    /// A12.
    Payment(PaymentWay),
    /// A12: the order is paid later.
    PayLater,
    /// Back to the step before.
    Back,
    /// The same step again.
    Retry,
    /// Another language.
    Language(Language),
}

/// A finger that was captured for an application (A9).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FingerReply {
    /// How the command ended.
    pub completion: Completion,
    /// Quality, 0 to 100.
    pub quality: Option<u16>,
    /// The image; none also where it is not here.
    pub image: Option<SealedBlob>,
    /// Similarity with the old card's, 0 to 100, where it was compared.
    pub score: Option<u16>,
}

/// Two faces that were compared (A7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FacesReply {
    /// How the command ended.
    pub completion: Completion,
    /// Similarity, 0 to 100.
    pub score: Option<u16>,
    /// Why there is none.
    pub refusal: Option<FaceRefusal>,
    /// Which picture that is about, where it is known.
    pub which: Option<ComparedPicture>,
}

/// What the centre tells of applications, payments and grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A2, A5.
    Eligibility(EligibilityAnswered),
    /// A8.
    SmsSent(SmsCodeSent),
    /// A15, A17.
    Decided(Decided),
    /// A15.
    Window(WindowOutcome),
    /// A12.
    PaymentCode(PaymentCodeIssued),
    /// A12.
    Paid(PaymentConfirmed),
    /// A12.
    Refunded(PaymentRefunded),
    /// A17. Its list is kept, durably.
    Grant(GrantReceived),
}
