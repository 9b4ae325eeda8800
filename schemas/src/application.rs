//! Why a resident ID card is applied for: the codes of GA/T 2000.10-2014, and which of them a kiosk accepts (A1).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::words::words;

words!(
    /// The reason of an application (申领原因). Two digits, the first of them the class.
    ApplicationReason {
        /// First issue, under 16 years (code 11).
        FirstUnder16,
        /// First issue, from 16 years (code 12).
        FirstFrom16,
        /// First issue, a resident of Hong Kong, Macao or Taiwan who settles (code 13).
        Settling,
        /// First issue, an overseas Chinese who returned (code 14).
        ReturnedOverseas,
        /// First issue, naturalised (code 15).
        Naturalised,
        /// Renewal on expiry, 到期换领 (code 22).
        Expiry,
        /// Replacement of a damaged card, 损坏换领 (code 24).
        Damage,
        /// Replacement of a lost card, 丢失补领 (code 41).
        Loss,
    }
);

impl ApplicationReason {
    /// The code of GA/T 2000.10-2014, two digits.
    pub const fn code(self) -> u8 {
        match self {
            Self::FirstUnder16 => 11,
            Self::FirstFrom16 => 12,
            Self::Settling => 13,
            Self::ReturnedOverseas => 14,
            Self::Naturalised => 15,
            Self::Expiry => 22,
            Self::Damage => 24,
            Self::Loss => 41,
        }
    }

    /// The reason with this code, if it is one of those known here.
    pub fn of_code(code: u8) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|reason| reason.code() == code)
    }

    /// `true` for what a kiosk accepts (A1). A first issue goes to the window.
    pub const fn is_self_service(self) -> bool {
        match self {
            Self::Expiry | Self::Damage | Self::Loss => true,
            Self::FirstUnder16
            | Self::FirstFrom16
            | Self::Settling
            | Self::ReturnedOverseas
            | Self::Naturalised => false,
        }
    }
}
