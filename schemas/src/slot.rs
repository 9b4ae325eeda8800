//! A card's place in a dispenser.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::Invalid;

/// Columns a dispenser may have; a machine of 2,000 cards has 8 rows of 250 (device class of the
/// larger pickup machines).
pub const COLUMNS_MAX: u16 = 32;
/// Slots a column may have.
pub const SLOTS_PER_COLUMN_MAX: u16 = 500;

/// Column and slot in a dispenser, both from 0, written `3/17`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlotAddress {
    /// Column, from 0, below [`COLUMNS_MAX`].
    column: u16,
    /// Slot within the column, from 0, below [`SLOTS_PER_COLUMN_MAX`].
    slot: u16,
}

impl SlotAddress {
    /// Checks that column and slot are within what any dispenser has.
    pub fn new(column: u16, slot: u16) -> Result<Self, Invalid> {
        if column < COLUMNS_MAX && slot < SLOTS_PER_COLUMN_MAX {
            Ok(Self { column, slot })
        } else {
            Err(Invalid {
                what: "slot address",
                rule: "column below 32 and slot below 500",
            })
        }
    }

    /// Column, from 0.
    pub const fn column(self) -> u16 {
        self.column
    }

    /// Slot within the column, from 0.
    pub const fn slot(self) -> u16 {
        self.slot
    }
}

impl core::fmt::Display for SlotAddress {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}/{}", self.column, self.slot)
    }
}

impl<'de> Deserialize<'de> for SlotAddress {
    fn deserialize<D: serde::Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Raw {
            column: u16,
            slot: u16,
        }
        let raw = Raw::deserialize(de)?;
        Self::new(raw.column, raw.slot).map_err(serde::de::Error::custom)
    }
}
