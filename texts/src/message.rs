//! The typed keys of the catalogues, each with the arguments that its text has.

/// Declares the keys. An argument is a text; what is personal comes masked.
macro_rules! messages {
    ($($name:ident $({ $($arg:ident),+ })? => $id:literal,)+) => {
        /// A text of the catalogues, with its arguments.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Message<'a> {
            $(#[doc = concat!("`", $id, "`")] $name $({ $(#[doc = "Set into the text."] $arg: &'a str),+ })?,)+
        }

        impl<'a> Message<'a> {
            /// Each key and the names of its arguments.
            #[cfg(test)]
            pub(crate) const TABLE: &'static [(&'static str, &'static [&'static str])] =
                &[$(($id, &[$($(stringify!($arg)),+)?])),+];

            /// The key in the catalogues.
            pub fn id(&self) -> &'static str {
                match self {
                    $(Self::$name { .. } => $id,)+
                }
            }

            pub(crate) fn arguments(&self) -> Vec<(&'static str, &'a str)> {
                match *self {
                    $(Self::$name $({ $($arg),+ })? => vec![$($((stringify!($arg), $arg)),+)?],)+
                }
            }
        }
    };
}

messages! {
    // The beginning
    ApplyChooseKind => "apply-choose-kind",
    ApplyChooseResidence => "apply-choose-residence",
    ApplyResidenceChecking => "apply-residence-checking",
    // Who applies (A3, A4)
    ApplyLayCard => "apply-lay-card",
    ApplyLiftCard => "apply-lift-card",
    ApplyCardUnreadable => "apply-card-unreadable",
    ApplyKeyInNumber => "apply-key-in-number",
    ApplyNumberWrong => "apply-number-wrong",
    ApplyConfirmNumber { number } => "apply-confirm-number",
    ApplyConfirmIdentity { name, number } => "apply-confirm-identity",
    // What is not accepted (A1, A3, A5)
    ApplyOutOfScope => "apply-out-of-scope",
    ApplyFirstIssueAtWindow { address } => "apply-first-issue-at-window",
    ApplyTemporaryAtWindow { address } => "apply-temporary-at-window",
    ApplyRenewalEarly { opens } => "apply-renewal-early",
    ApplyRenewalLate { closes } => "apply-renewal-late",
    ApplyRenewalNever => "apply-renewal-never",
    ApplyLossReported => "apply-loss-reported",
    ApplyAlreadyApplied => "apply-already-applied",
    ApplyAtAnotherMachine => "apply-at-another-machine",
    // The portrait, its four ways (A6)
    ApplyPortraitChoose => "apply-portrait-choose",
    ApplyPortraitChecking => "apply-portrait-checking",
    ApplyPortraitFailed { checks } => "apply-portrait-failed",
    // The live photo (A7)
    ApplyLivePhoto => "apply-live-photo",
    ApplyLivePhotoAgain => "apply-live-photo-again",
    ApplyLiveAgain => "apply-live-again",
    // The phone number (A8)
    ApplyPhone => "apply-phone",
    ApplyPhoneWrong => "apply-phone-wrong",
    ApplyPhoneDiffers => "apply-phone-differs",
    ApplySmsSending => "apply-sms-sending",
    ApplySmsCode { phone } => "apply-sms-code",
    ApplySmsCodeWrong => "apply-sms-code-wrong",
    ApplySmsCodeExpired => "apply-sms-code-expired",
    ApplySmsUnavailable => "apply-sms-unavailable",
    ApplySmsLastCode => "apply-sms-last-code",
    ApplySmsNoCodeLeft => "apply-sms-no-code-left",
    // Fingerprints (A9)
    ApplyRightFinger { finger } => "apply-right-finger",
    ApplyLeftFinger { finger } => "apply-left-finger",
    ApplyNoCard => "apply-no-card",
    ApplyReaderAway => "apply-reader-away",
    ApplyNoFinger => "apply-no-finger",
    ApplyDeviceInUse => "apply-device-in-use",
    ApplyFingerAgain => "apply-finger-again",
    ApplyFingerDiffers => "apply-finger-differs",
    // Supporting documents (A10)
    ApplyDocuments => "apply-documents",
    // The signature (A11)
    ApplySignature => "apply-signature",
    // Payment (A12)
    ApplyPayment { amount } => "apply-payment",
    ApplyPayWechat { amount } => "apply-pay-wechat",
    ApplyPayAlipay { amount } => "apply-pay-alipay",
    ApplyPayUnionpayCard { amount } => "apply-pay-unionpay-card",
    ApplyPayQuickpass { amount } => "apply-pay-quickpass",
    ApplyPayCash { amount } => "apply-pay-cash",
    ApplyPayLater { amount } => "apply-pay-later",
    ApplyPaid { amount } => "apply-paid",
    ApplyPayCodeAwaited { amount } => "apply-pay-code-awaited",
    ApplyPaymentWaiting => "apply-payment-waiting",
    ApplyPaymentDeclined => "apply-payment-declined",
    ApplyPaymentCancelled => "apply-payment-cancelled",
    ApplyPaymentTimedOut => "apply-payment-timed-out",
    ApplyPaymentUnknownWait => "apply-payment-unknown-wait",
    ApplyPaymentUnknownChoose => "apply-payment-unknown-choose",
    ApplyPaymentUnknown => "apply-payment-unknown",
    ApplyPaymentNoCode => "apply-payment-no-code",
    ApplyPaymentCodeOver => "apply-payment-code-over",
    ApplyFree => "apply-free",
    // The end (A13, A15, A17)
    ApplyPrinting => "apply-printing",
    ApplyDone => "apply-done",
    ApplyDoneProvisional => "apply-done-provisional",
    ApplyTakePapers => "apply-take-papers",
    ApplyTakeTicket => "apply-take-ticket",
    ApplyPrintFailed => "apply-print-failed",
    ApplyPapersAtWindow { ticket } => "apply-papers-at-window",
    ApplyToWindow { address } => "apply-to-window",
    ApplyCancelled => "apply-cancelled",
    ApplyInterrupted => "apply-interrupted",
    ApplyTimedOut => "apply-timed-out",
    ApplyNotPaid => "apply-not-paid",
    // Notices that follow (A17, T2)
    ApplyNoticeConfirmed => "apply-notice-confirmed",
    ApplyNoticeConfirmedDue { by } => "apply-notice-confirmed-due",
    ApplyNoticeConfirmedUnpaid => "apply-notice-confirmed-unpaid",
    ApplyNoticeRejected { ticket } => "apply-notice-rejected",
    ApplyNoticePapers { ticket } => "apply-notice-papers",
    ApplyNoticePaymentDue { by } => "apply-notice-payment-due",
    ApplyNoticeLapsed => "apply-notice-lapsed",
    ApplyNoticeRefund => "apply-notice-refund",
    // Titles
    DocCertificate => "doc-certificate",
    DocForm => "doc-form",
    DocNotice => "doc-notice",
    DocPaidNotice => "doc-paid-notice",
    DocReceipt => "doc-receipt",
    DocWindowTicket => "doc-window-ticket",
    // Labels
    LabelAcceptedOn => "label-accepted-on",
    LabelAcceptedAt => "label-accepted-at",
    LabelAcceptedBy => "label-accepted-by",
    LabelAcceptanceNumber => "label-acceptance-number",
    LabelOperator => "label-operator",
    OperatorSelfService => "operator-self-service",
    LabelReason => "label-reason",
    LabelName => "label-name",
    LabelSex => "label-sex",
    LabelEthnicity => "label-ethnicity",
    LabelBirthDate => "label-birth-date",
    LabelNumber => "label-number",
    LabelAddress => "label-address",
    LabelValidity => "label-validity",
    ValidityYears { years } => "validity-years",
    ValidityLongTerm => "validity-long-term",
    LabelIssuer => "label-issuer",
    LabelPhone => "label-phone",
    LabelPortrait => "label-portrait",
    LabelRightFinger => "label-right-finger",
    LabelLeftFinger => "label-left-finger",
    LabelDocuments => "label-documents",
    LabelSignature => "label-signature",
    LabelReview => "label-review",
    LabelCollectAt => "label-collect-at",
    LabelCollection => "label-collection",
    CollectionAtMachine => "collection-at-machine",
    LabelHours => "label-hours",
    LabelReadyBy => "label-ready-by",
    ReadyAfterPayment => "ready-after-payment",
    ReadyAfterReview => "ready-after-review",
    ReadyAfterBoth => "ready-after-both",
    LabelStation => "label-station",
    LabelTime => "label-time",
    LabelFee => "label-fee",
    LabelItem => "label-item",
    ItemCardFee => "item-card-fee",
    FeePaid => "fee-paid",
    FeeUnpaid => "fee-unpaid",
    LabelPaymentMethod => "label-payment-method",
    LabelTransaction => "label-transaction",
    LabelOrder => "label-order",
    LabelPayBy => "label-pay-by",
    LabelPayee => "label-payee",
    LabelSession => "label-session",
    LabelWindow => "label-window",
    LabelTicket => "label-ticket",
    LabelToComplete => "label-to-complete",
    LabelNotCaptured => "label-not-captured",
    LabelFingerQuality { finger, quality } => "label-finger-quality",
    LabelPages { count } => "label-pages",
    SexMale => "sex-male",
    SexFemale => "sex-female",
    AmountYuan { amount } => "amount-yuan",
    // Fingers, as GA/T 1011 numbers them
    FingerThumb => "finger-thumb",
    FingerIndex => "finger-index",
    FingerMiddle => "finger-middle",
    FingerRing => "finger-ring",
    FingerLittle => "finger-little",
    // What the papers say
    CertificateBring => "certificate-bring",
    CertificateKeepSafe => "certificate-keep-safe",
    CertificateHeld { days } => "certificate-held",
    CertificateScan => "certificate-scan",
    DocProvisional { causes } => "doc-provisional",
    FormDeclaration => "form-declaration",
    FormOnlyCopy => "form-only-copy",
    NoticeWechat => "notice-wechat",
    NoticeAlipay => "notice-alipay",
    NoticeUnionpayCard => "notice-unionpay-card",
    NoticeQuickpass => "notice-quickpass",
    NoticeCash => "notice-cash",
    NoticeCashMethod => "notice-cash-method",
    NoticeOpenMethod { method } => "notice-open-method",
    NoticeLater => "notice-later",
    NoticeLapses => "notice-lapses",
    NoticeTermToCome => "notice-term-to-come",
    NoticeUnpaidConsequence => "notice-unpaid-consequence",
    NoticePaid => "notice-paid",
    TicketGoOn => "ticket-go-on",
    TicketBring => "ticket-bring",
    TicketValid { until } => "ticket-valid",
    ReceiptVerify => "receipt-verify",
}
