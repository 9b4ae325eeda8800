//! The words of the papers that a citizen takes away (A11 to A13, A15).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::words;

words!(
    /// A paper.
    PaperKind {
        /// The collection certificate, 领取凭证.
        Certificate,
        /// The registration form, 申领登记表.
        RegistrationForm,
        /// The payment notice, or the receipt of what was paid, 缴费通知.
        PaymentNotice,
        /// The ticket to the window, 人工窗口转办单.
        WindowTicket,
    }
);
words!(
    /// What a paper is printed on.
    PaperMedia {
        /// ISO 216 A4, upright.
        A4,
        /// ISO 216 A5, upright.
        A5,
        /// The roll of a receipt printer, 80 mm wide, cut where the page ends.
        Roll80mm,
    }
);
words!(
    /// Why a paper was left out.
    PaperFault {
        /// No font of the station has a character of it.
        Character,
        /// More text than the paper holds.
        TooLong,
        /// The signature is not there, or cannot be read.
        Signature,
        /// What it states is not held in memory any more.
        NotHeld,
        /// It could not be made.
        Failed,
        /// Somebody else was at the kiosk by the time that it was made.
        TooLate,
    }
);
words!(
    /// How the papers of a session stand.
    PaperState {
        /// They are being made.
        Printing,
        /// All of them went to the kiosk.
        Issued,
        /// At least one was left out: the staff has to help.
        Incomplete,
    }
);

impl PaperKind {
    /// What it is printed on.
    pub const fn media(self) -> PaperMedia {
        match self {
            Self::Certificate => PaperMedia::A5,
            Self::RegistrationForm => PaperMedia::A4,
            Self::PaymentNotice | Self::WindowTicket => PaperMedia::Roll80mm,
        }
    }

    /// As it stands in the contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::RegistrationForm => "registration-form",
            Self::PaymentNotice => "payment-notice",
            Self::WindowTicket => "window-ticket",
        }
    }
}

impl PaperFault {
    /// As it stands in the contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Character => "character",
            Self::TooLong => "too-long",
            Self::Signature => "signature",
            Self::NotHeld => "not-held",
            Self::Failed => "failed",
            Self::TooLate => "too-late",
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    /// G6: figures are labelled with the words of the contract.
    #[test]
    fn g6_words_are_those_of_the_contract() {
        for kind in PaperKind::ALL {
            let word = serde_json::to_value(kind).unwrap();
            assert_eq!(word.as_str(), Some(kind.as_str()));
        }
        for fault in PaperFault::ALL {
            let word = serde_json::to_value(fault).unwrap();
            assert_eq!(word.as_str(), Some(fault.as_str()));
        }
        let media = PaperMedia::ALL.iter().map(serde_json::to_value);
        let media: Vec<_> = media.map(Result::unwrap).collect();
        assert_eq!(media, ["a4", "a5", "roll80mm"]);
    }
}
