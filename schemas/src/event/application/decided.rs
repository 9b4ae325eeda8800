//! What was decided and compared, and by whom.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::acceptance::{AcceptanceSite, DailyPlace};
use crate::ids::DeviceId;
use crate::lookup::LookupTag;
use crate::matcher::Score;
use crate::words::application::{ComparisonPending, RejectionReason, ReviewedPair};

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

/// A comparison that the centre made at its review (A7, A9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reviewed {
    /// What was compared.
    pub pair: ReviewedPair,
    /// Similarity, 0 to 100.
    pub score: Score,
    /// The score needed.
    pub score_min: Score,
    /// Whether it is reached.
    pub matched: bool,
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
