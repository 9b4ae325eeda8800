//! What the machine still knows after a loss of power: where each card is, the acknowledgement registers,
//! the counters, and how often each sequence began to move.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use edge_config::profile::AckResult;
use schemas::ids::CardSerial;
use schemas::slot::SlotAddress;
use schemas::words::CarriagePosition;
use serde::{Deserialize, Serialize};

/// Motions that are remembered.
const HISTORY_LEN_MAX: usize = 20_000;

/// A card in the transport.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carried {
    /// Which card.
    pub card: CardSerial,
    /// Where.
    pub position: CarriagePosition,
}

/// How often a sequence began to move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MotionRecord {
    /// The sequence; 0 for what the machine did by itself.
    pub sequence: u16,
    /// The command's code in the profile.
    pub command: u16,
    /// How often it began to move. More than 1 is what must never happen.
    pub count: u32,
}

/// Where a card is, for those who look from outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "place")]
pub enum CardPlace {
    /// Outside the machine, as far as it knows.
    Elsewhere,
    /// In the hopper.
    Hopper,
    /// In a slot.
    Slot {
        /// Which.
        slot: SlotAddress,
    },
    /// In the transport or at the outlet.
    Transport {
        /// Where.
        position: CarriagePosition,
    },
    /// In the reject bin.
    Reject,
    /// In the recycle bin.
    Recycle,
    /// In the hands of the citizen or the operator who took it.
    Taken,
}

/// The memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    pub(super) sequence: u16,
    pub(super) command: u16,
    #[serde(with = "super::result")]
    pub(super) result: AckResult,
    pub(super) detail: u16,
    pub(super) block: [u16; 6],
    pub(super) named_slot: Option<SlotAddress>,
    pub(super) last_error: u16,
    /// `column/slot` to card.
    slots: BTreeMap<String, CardSerial>,
    pub(super) hopper: Vec<CardSerial>,
    pub(super) carried: Option<Carried>,
    pub(super) reject: Vec<CardSerial>,
    pub(super) recycle: Vec<CardSerial>,
    pub(super) intake: Option<CardSerial>,
    pub(super) taken: Vec<CardSerial>,
    pub(super) dispensed_total: u32,
    pub(super) retracted_total: u32,
    history: Vec<MotionRecord>,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            sequence: 0,
            command: 0,
            result: AckResult::None,
            detail: 0,
            block: [0; 6],
            named_slot: None,
            last_error: 0,
            slots: BTreeMap::new(),
            hopper: Vec::new(),
            carried: None,
            reject: Vec::new(),
            recycle: Vec::new(),
            intake: None,
            taken: Vec::new(),
            dispensed_total: 0,
            retracted_total: 0,
            history: Vec::new(),
        }
    }
}

impl Memory {
    /// Reads the file; a machine that has none is new and empty.
    pub fn load(path: &Path) -> io::Result<Self> {
        match std::fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(io::Error::other),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    /// Writes a new file and renames it over the old one, both on the disk before this returns: what the
    /// machine has acknowledged survives a loss of power of the computer it runs on.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        let bytes = serde_json::to_vec(self).map_err(io::Error::other)?;
        let temporary = path.with_extension("new");
        let mut file = File::create(&temporary)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)?;
        // The new name is an entry of the folder, which is on the disk only after this.
        let folder = path.parent().filter(|parent| *parent != Path::new(""));
        File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
    }

    /// The card in a slot.
    pub fn slot(&self, slot: SlotAddress) -> Option<&CardSerial> {
        self.slots.get(&slot.to_string())
    }

    /// The occupied slots and their cards, by `column/slot`.
    pub const fn slots(&self) -> &BTreeMap<String, CardSerial> {
        &self.slots
    }

    /// The card in the transport or at the outlet.
    pub const fn carried(&self) -> Option<&Carried> {
        self.carried.as_ref()
    }

    /// What moved, oldest first.
    pub fn history(&self) -> &[MotionRecord] {
        &self.history
    }

    /// The sequence that was acknowledged last; 0 for none.
    pub const fn last_sequence(&self) -> u16 {
        self.sequence
    }

    /// Where a card is.
    pub fn place(&self, card: &CardSerial) -> CardPlace {
        if let Some(carried) = self.carried.as_ref().filter(|c| c.card == *card) {
            let position = carried.position;
            return CardPlace::Transport { position };
        }
        let slot = self.slots.iter().find(|(_, held)| *held == card);
        if let Some(slot) = slot.and_then(|(key, _)| parse_slot(key)) {
            return CardPlace::Slot { slot };
        }
        for (bin, place) in [
            (&self.hopper, CardPlace::Hopper),
            (&self.reject, CardPlace::Reject),
            (&self.recycle, CardPlace::Recycle),
            (&self.taken, CardPlace::Taken),
        ] {
            if bin.contains(card) {
                return place;
            }
        }
        CardPlace::Elsewhere
    }

    pub(super) fn put(&mut self, slot: SlotAddress, card: CardSerial) {
        self.slots.insert(slot.to_string(), card);
    }

    pub(super) fn take(&mut self, slot: SlotAddress) -> Option<CardSerial> {
        self.slots.remove(&slot.to_string())
    }

    /// Takes a card out of every place it may be in: by hand, it can be in one only.
    pub(super) fn pick_up(&mut self, card: &CardSerial) {
        for bin in [
            &mut self.hopper,
            &mut self.reject,
            &mut self.recycle,
            &mut self.taken,
        ] {
            bin.retain(|held| held != card);
        }
        self.slots.retain(|_, held| held != card);
        self.carried.take_if(|carried| carried.card == *card);
        self.intake.take_if(|held| held == card);
    }

    pub(super) fn record_motion(&mut self, sequence: u16, command: u16) {
        let known = self
            .history
            .iter_mut()
            .rev()
            .take(64)
            .find(|m| sequence != 0 && m.sequence == sequence && m.command == command);
        if let Some(known) = known {
            known.count += 1;
            return;
        }
        if self.history.len() >= HISTORY_LEN_MAX {
            self.history.remove(0);
        }
        self.history.push(MotionRecord {
            sequence,
            command,
            count: 1,
        });
    }
}

fn parse_slot(key: &str) -> Option<SlotAddress> {
    let (column, slot) = key.split_once('/')?;
    SlotAddress::new(column.parse().ok()?, slot.parse().ok()?).ok()
}
