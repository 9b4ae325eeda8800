//! What an application costs (A12). The amounts are policy.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::application::ApplicationReason;
use crate::message::peripheral::Fen;

/// The fees of a station, in fen. None is free of charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FeeTable {
    /// Renewal on expiry.
    pub renewal: Option<Fen>,
    /// Replacement of a lost card.
    pub loss: Option<Fen>,
    /// Replacement of a damaged card.
    pub damage: Option<Fen>,
}

impl FeeTable {
    /// What an application for `reason` costs; none where it is free. A first issue is.
    pub const fn of(&self, reason: ApplicationReason) -> Option<Fen> {
        match reason {
            ApplicationReason::Expiry => self.renewal,
            ApplicationReason::Loss => self.loss,
            ApplicationReason::Damage => self.damage,
            ApplicationReason::FirstUnder16
            | ApplicationReason::FirstFrom16
            | ApplicationReason::Settling
            | ApplicationReason::ReturnedOverseas
            | ApplicationReason::Naturalised => None,
        }
    }
}
