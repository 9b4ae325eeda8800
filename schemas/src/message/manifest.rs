//! The manifest of a batch as the maker or the centre sends it: a JSON file. It holds personal data
//! and lives in the inbox only until its batch is recorded.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::citizen::{CitizenName, CitizenNumber, VoucherCode};
use crate::ids::{BatchId, CardSerial};
use crate::words::{Residence, ResidenceGround};

/// A manifest: 1 to 240 cards.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The batch; equal to the file's name.
    pub batch: BatchId,
    /// The cards.
    pub cards: Vec<ManifestCard>,
}

/// A card on a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ManifestCard {
    /// The chip's serial.
    pub serial: CardSerial,
    /// The owner's citizen number.
    pub number: CitizenNumber,
    /// The owner's name.
    pub name: CitizenName,
    /// The voucher the owner holds.
    pub voucher: VoucherCode,
    /// Registered residence.
    pub residence: Residence,
    /// Why somebody registered elsewhere may collect here.
    #[serde(default)]
    pub ground: Option<ResidenceGround>,
    /// Whether an old card has to be handed in (P6).
    #[serde(default)]
    pub old_card_due: bool,
    /// Whether the card is held back from the beginning.
    #[serde(default)]
    pub held: bool,
}
