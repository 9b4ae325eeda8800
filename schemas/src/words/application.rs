//! The words of an application (自助受理), A1 to A17.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Hand, words};
use crate::application::ApplicationReason;
use crate::message::peripheral::PaymentMethod;

words!(
    /// The language that a kiosk's citizen reads.
    Language {
        /// 简体中文
        ZhCn,
        /// English
        En,
    }
);
words!(
    /// What is applied for (A1).
    ApplicationKind {
        /// Renewal on expiry, 到期换领.
        Renewal,
        /// Replacement of a lost card, 丢失补领.
        Lost,
        /// Replacement of a damaged card, 损坏换领.
        Damaged,
        /// First issue, 首次申领: at the window.
        FirstIssue,
        /// Temporary card, 临时身份证: at the window.
        Temporary,
    }
);

impl ApplicationKind {
    /// The reason of GA/T 2000.10 that goes with it; none for what is not done here (A1).
    pub const fn reason(self) -> Option<ApplicationReason> {
        match self {
            Self::Renewal => Some(ApplicationReason::Expiry),
            Self::Lost => Some(ApplicationReason::Loss),
            Self::Damaged => Some(ApplicationReason::Damage),
            Self::FirstIssue | Self::Temporary => None,
        }
    }
}

words!(
    /// How a portrait comes (A6).
    PortraitWay {
        /// By the barcode of a photo receipt: the centre has it.
        Receipt,
        /// From the kiosk's own booth.
        Booth,
        /// Uploaded from a phone.
        Upload,
        /// Prepared earlier: the centre has it.
        Prepared,
    }
);

impl PortraitWay {
    /// Whether the picture itself comes to the station.
    pub const fn has_image(self) -> bool {
        match self {
            Self::Booth | Self::Upload => true,
            Self::Receipt | Self::Prepared => false,
        }
    }
}

words!(
    /// What a portrait is checked for (GA/T 461). The unit of what was measured stands with each.
    PortraitCheck {
        /// One face, no other. Faces.
        OneFace,
        /// The picture's size. Pixels of the shorter side.
        Size,
        /// The face's share of the picture's height. Percent.
        FaceSize,
        /// The face is in the middle. Percent of the width that it is off.
        Centred,
        /// The head is upright. Degrees of roll.
        HeadUpright,
        /// The face looks straight ahead. Degrees of yaw.
        LooksAhead,
        /// Both eyes are open. Percent.
        EyesOpen,
        /// The mouth is closed. Percent.
        MouthClosed,
        /// No glasses that hide the eyes. Percent.
        EyesVisible,
        /// Nothing covers the head or the face. Percent.
        Uncovered,
        /// Both ears are to be seen. Ears.
        EarsVisible,
        /// White background. Percent.
        Background,
        /// Even light. Percent.
        Lighting,
        /// Sharp enough. Percent.
        Sharpness,
    }
);
words!(
    /// Which two faces are compared (A7).
    FacePair {
        /// The submitted portrait with the historical one.
        PortraitHistorical,
        /// The live photo with the historical portrait.
        LiveHistorical,
    }
);
words!(
    /// What the centre compares at its review with what it has of the person (A7, A9).
    ReviewedPair {
        /// The submitted portrait with the historical one.
        PortraitHistorical,
        /// The live photo with the historical portrait.
        LiveHistorical,
        /// The right hand's finger with the historical fingerprint.
        RightFinger,
        /// The left hand's finger with the historical fingerprint.
        LeftFinger,
    }
);
words!(
    /// Why a comparison could not be made here: the centre makes it at its review.
    ComparisonPending {
        /// There is nothing to compare with: no old card, or none with a picture or fingerprints.
        NoReference,
        /// The picture itself is not at the station.
        NoImage,
        /// What compares is away.
        MatcherAway,
        /// What compares cannot read one of the two.
        Unsupported,
        /// What compares failed, or did not answer in time.
        MatcherFailed,
    }
);
words!(
    /// A finger (GA/T 1012 positions 11 to 20).
    FingerPosition {
        /// 右手拇指, 11
        RightThumb,
        /// 右手食指, 12
        RightIndex,
        /// 右手中指, 13
        RightMiddle,
        /// 右手环指, 14
        RightRing,
        /// 右手小指, 15
        RightLittle,
        /// 左手拇指, 16
        LeftThumb,
        /// 左手食指, 17
        LeftIndex,
        /// 左手中指, 18
        LeftMiddle,
        /// 左手环指, 19
        LeftRing,
        /// 左手小指, 20
        LeftLittle,
    }
);

impl FingerPosition {
    /// The hand it is of.
    pub const fn hand(self) -> Hand {
        match self {
            Self::RightThumb
            | Self::RightIndex
            | Self::RightMiddle
            | Self::RightRing
            | Self::RightLittle => Hand::Right,
            Self::LeftThumb
            | Self::LeftIndex
            | Self::LeftMiddle
            | Self::LeftRing
            | Self::LeftLittle => Hand::Left,
        }
    }

    /// The finger of `hand` that is asked for at `attempt` (from 1): thumb, index, middle, ring, little, and the thumb again.
    pub fn asked(hand: Hand, attempt: u16) -> Self {
        let mut of_hand = Self::ALL.iter().copied().filter(|f| f.hand() == hand);
        let nth = usize::from(attempt.saturating_sub(1) % 5);
        let thumb = match hand {
            Hand::Right => Self::RightThumb,
            Hand::Left => Self::LeftThumb,
        };
        of_hand.nth(nth).unwrap_or(thumb)
    }
}

words!(
    /// A document that is scanned (A10).
    DocumentKind {
        /// 户口簿
        HouseholdRegister,
        /// 相片回执
        PhotoReceipt,
        /// 居住证
        ResidencePermit,
        /// 其他证明材料
        Other,
    }
);
words!(
    /// How a citizen pays (A12).
    PaymentWay {
        /// 微信支付
        Wechat,
        /// 支付宝
        Alipay,
        /// 银联卡
        UnionpayCard,
        /// 云闪付
        Quickpass,
        /// 窗口现金
        CashAtWindow,
    }
);

impl PaymentWay {
    /// Whether the phone scans a code that the network gave for the order.
    pub const fn has_code(self) -> bool {
        match self {
            Self::Wechat | Self::Alipay => true,
            Self::UnionpayCard | Self::Quickpass | Self::CashAtWindow => false,
        }
    }

    /// Whether a card is laid on a terminal at the kiosk.
    pub const fn needs_terminal(self) -> bool {
        match self {
            Self::UnionpayCard | Self::Quickpass => true,
            Self::Wechat | Self::Alipay | Self::CashAtWindow => false,
        }
    }

    /// As the payment terminal calls it; none for what is paid at the window.
    pub const fn method(self) -> Option<PaymentMethod> {
        match self {
            Self::Wechat => Some(PaymentMethod::Wechat),
            Self::Alipay => Some(PaymentMethod::Alipay),
            Self::UnionpayCard => Some(PaymentMethod::UnionpayCard),
            Self::Quickpass => Some(PaymentMethod::Quickpass),
            Self::CashAtWindow => None,
        }
    }
}

words!(
    /// Why somebody is not served here (A1 to A5). Nothing is kept of it but this.
    ApplicationRefusal {
        /// First issue and temporary cards are done at the window (A1).
        KindAtWindow,
        /// The station takes no applications of this residence (A2).
        ResidenceNotAccepted,
        /// The card can be renewed later (A3).
        RenewalTooEarly,
        /// The card could have been renewed earlier (A3).
        RenewalTooLate,
        /// The card does not expire (A3).
        CardLongTerm,
        /// Under the age (A5).
        UnderAge,
        /// No card was issued before (A5).
        NotIssuedBefore,
        /// Flagged (A5).
        Flagged,
        /// The card was reported as lost (C5).
        ReportedLost,
        /// Another application runs.
        AlreadyApplied,
        /// The same number is in an application that is under way at another kiosk now.
        AtAnotherMachine,
        /// Outside of what is accepted here, for another reason of the centre's.
        NotInScope,
    }
);
words!(
    /// Why a citizen goes to the window with a ticket (A9, A15).
    WindowReason {
        /// What only the centre knows cannot be decided here now, and no grant covers it (A17).
        NoGrant,
        /// The clock is not synchronised, so a rule of the calendar cannot be judged (A17).
        ClockNotTrusted,
        /// As many provisional acceptances as the grant or the policy allow are given (A17).
        ProvisionalLimit,
        /// The centre wants an officer to look (A2, A5).
        CentreAsks,
        /// No portrait that passes its checks (A6).
        PortraitFailed,
        /// The portrait is not like the historical one (A7).
        PortraitDiffers,
        /// The live photo is not like the historical portrait (A7).
        LiveDiffers,
        /// No live photo could be taken, or none that can be compared (A7).
        NoLivePhoto,
        /// No usable number (A3).
        NumberFailed,
        /// No usable phone number, or its code was not confirmed (A8).
        PhoneFailed,
        /// Fingerprints could not be captured (A9).
        FingersNotCaptured,
        /// The fingerprints are not those of the old card (A9).
        FingersDiffer,
        /// A device failed, or was in use too long: logs from before `device-busy` say so. Now it is said what is missing instead.
        DeviceFailed,
        /// A device that others use too was in use all the time that it was waited for.
        DeviceBusy,
        /// The numbers of several people were keyed; one session asks the centre about so many and no more (A4).
        TooManyNumbers,
        /// All acceptance numbers of the day are given.
        NumbersExhausted,
        /// The centre's review rejected it (A15).
        ReviewRejected,
        /// It is accepted, and papers of it were not handed out at the kiosk (A13).
        PapersNotHandedOut,
    }
);
words!(
    /// How a session of application ended.
    ApplicationOutcome {
        /// Accepted.
        Accepted,
        /// Accepted provisionally: the centre has the last word (A17).
        Provisional,
        /// To the window, with a ticket (A15).
        Window,
        /// Not served here (A5).
        Refused,
        /// The citizen cancelled.
        Cancelled,
        /// The citizen did not go on in time.
        TimedOut,
        /// A device failed before anything was entered.
        DeviceFailed,
        /// The gateway was restarted in the middle.
        Interrupted,
        /// It was accepted, and lapsed because nobody paid in time (A12). No session ends so; what was accepted does, later.
        NotPaid,
    }
);
words!(
    /// What makes an acceptance provisional (A17).
    ProvisionalCause {
        /// Eligibility was decided under a grant.
        Eligibility,
        /// A comparison is still to be made (A7, A9).
        Comparison,
        /// The clock was not synchronised: the number may be another one.
        Clock,
        /// The portrait is the centre's to fetch (A6).
        Portrait,
        /// The phone number was not confirmed by a code, though it should be (A8).
        Phone,
        /// The card did not say when it expires, so that nobody here could tell whether it is time to renew it (A3).
        Expiry,
    }
);
words!(
    /// What the centre says of somebody's eligibility (A2, A5).
    EligibilityVerdict {
        /// May apply here.
        Eligible,
        /// An officer has to look.
        Window,
        /// Under the age.
        UnderAge,
        /// No card was issued before.
        NotIssuedBefore,
        /// Flagged.
        Flagged,
        /// The card was reported as lost.
        ReportedLost,
        /// Another application runs.
        AlreadyApplied,
        /// Not of this residence.
        ResidenceNotAccepted,
        /// For another reason.
        NotInScope,
    }
);
words!(
    /// Why the centre rejects an application that was accepted.
    RejectionReason {
        /// The same was accepted elsewhere before, in the centre's own order.
        AlreadyAppliedElsewhere,
        /// Not eligible.
        NotEligible,
        /// The portrait does not do, or is another person's.
        Portrait,
        /// The fingerprints do not do, or are another person's.
        Fingerprints,
        /// Documents are missing or do not do.
        Documents,
        /// The person is not the one applied for.
        Identity,
        /// The fee was not paid in time (A12).
        NotPaid,
        /// For another reason.
        Other,
    }
);
words!(
    /// What became of a window ticket.
    WindowResult {
        /// Accepted there.
        Accepted,
        /// Refused there.
        Refused,
        /// Nobody came.
        NotCome,
        /// Nobody closed it in the time that it is held.
        Lapsed,
        /// The papers that the kiosk did not hand out were handed out there (A13).
        PapersHandedOut,
    }
);
words!(
    /// What a page says of what happened before, beside a fault of an entry and the checks of a portrait.
    PageNotice {
        /// The card was read already: to be read again it has to be lifted first (A3).
        LiftCard,
        /// No live photo came, or it was not alike (A7).
        LiveAgain,
        /// No code could be sent, and the number is taken as it is (A8).
        SmsUnavailable,
        /// The last code was sent: with another number the way leads to the window (A8).
        LastCode,
        /// No code is left for another number: the way leads to the window (A8).
        NoCodeLeft,
        /// No card was laid down in time (A3).
        NoCard,
        /// The reader is away, or does not answer (A3).
        ReaderAway,
        /// No finger came in time (A9).
        NoFinger,
        /// The image of the finger was too poor (A9).
        FingerAgain,
        /// The print is not that of the old card (A9).
        FingerDiffers,
    }
);
words!(
    /// What is wrong with what a citizen entered. The same step is asked again.
    InputFault {
        /// Not a citizen number (A3).
        NumberInvalid,
        /// Not a mobile number (A8).
        PhoneInvalid,
        /// The two entries differ (A8).
        PhonesDiffer,
        /// Not the code that was sent (A8).
        CodeWrong,
        /// The code's time is over (A8).
        CodeExpired,
    }
);
words!(
    /// Why a payment did not come about (A12).
    PaymentFault {
        /// The network said no.
        Declined,
        /// The citizen stopped it, and nothing was paid.
        Cancelled,
        /// Nobody paid in time, and nothing was paid.
        TimedOut,
        /// It may be paid or not: the network is asked.
        Unknown,
        /// The centre gave no code to pay by.
        NoCode,
        /// The time of the code to pay by is over.
        CodeOver,
    }
);
words!(
    /// Why a phone number was not confirmed by a code (A8).
    SmsSkipped {
        /// Policy asks for none.
        Policy,
        /// The centre did not say in time that it sent one.
        NotSent,
    }
);
words!(
    /// What a step takes from the citizen.
    InputName {
        /// One of the kinds.
        Kind,
        /// One of the residences.
        Residence,
        /// The citizen number.
        Number,
        /// That it is they, or not.
        ConfirmIdentity,
        /// A portrait.
        Portrait,
        /// The phone number, twice.
        Phone,
        /// The code of the SMS.
        SmsCode,
        /// A scan of a document.
        Document,
        /// No more documents.
        DocumentsDone,
        /// The signature.
        Signature,
        /// One of the ways to pay.
        PaymentMethod,
        /// That the order is paid later, with the payment notice.
        PayLater,
        /// The step before.
        Back,
        /// The same again.
        Retry,
        /// Another language.
        Language,
    }
);
words!(
    /// Why a payment is given back.
    RefundCause {
        /// Its session ended without an acceptance before it was confirmed.
        SessionEnded,
        /// Its order had expired.
        OrderExpired,
        /// It was paid twice.
        PaidTwice,
        /// The centre rejected the application.
        Rejected,
        /// Not the amount of the order.
        WrongAmount,
        /// What it was for had lapsed.
        Lapsed,
        /// It was paid by a code that was void, because another way to pay was chosen.
        VoidCode,
    }
);
words!(
    /// What a citizen is told by message (T2). Never twice of the same application.
    NoticeCause {
        /// The fee is still to be paid, and the time for it ends soon (A12).
        PaymentDue,
        /// The fee was not paid in time: the application has lapsed (A12).
        Lapsed,
        /// What was paid is given back (A12).
        Refund,
    }
);
words!(
    /// What is odd about a confirmation of a payment.
    PaymentOddity {
        /// The same transaction was confirmed before: nothing follows.
        Repeated,
        /// Another transaction for an order that is paid.
        SecondPayment,
        /// No such order.
        UnknownOrder,
        /// The order had expired.
        OrderExpired,
        /// Another amount than ordered.
        WrongAmount,
        /// By a code that is void.
        VoidCode,
    }
);
