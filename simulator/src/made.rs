//! Cards that a centre's maker has made, as their chips lie in its folder: `<serial>.json`, what a reader says of the card.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemas::ids::CardSerial;
use schemas::validity::Expiry;
use schemas::words::Hand;
use serde::{Deserialize, Deserializer};

use crate::people::Card;

/// The folder, and the chips that were looked at: a chip does not change.
#[derive(Default)]
pub struct MadeCards {
    folder: Option<PathBuf>,
    known: Mutex<BTreeMap<CardSerial, Card>>,
}

/// A chip as [`Card::chip`] writes it.
#[derive(Deserialize)]
struct Chip {
    serial: CardSerial,
    number: String,
    name: String,
    fingers: Vec<Finger>,
    picture: Picture,
    expiry: Expiry,
}

#[derive(Deserialize)]
struct Finger {
    hand: Hand,
    #[serde(deserialize_with = "bytes")]
    template: Vec<u8>,
}

#[derive(Deserialize)]
struct Picture {
    #[serde(deserialize_with = "bytes")]
    bytes: Vec<u8>,
}

fn bytes<'de, D: Deserializer<'de>>(de: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(de)?;
    STANDARD.decode(text).map_err(serde::de::Error::custom)
}

impl MadeCards {
    /// Those that lie in `folder` when they are looked for; none: nobody makes cards. It need not exist yet.
    pub fn in_folder(folder: Option<PathBuf>) -> Self {
        Self {
            folder,
            known: Mutex::default(),
        }
    }

    /// The card of a serial, if it was made. Reads its file the first time.
    pub fn card(&self, serial: &CardSerial) -> Option<Card> {
        let folder = self.folder.as_deref()?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(card) = known.get(serial) {
            return Some(card.clone());
        }
        let card = read(folder, serial)?;
        known.insert(serial.clone(), card.clone());
        Some(card)
    }
}

fn read(folder: &Path, serial: &CardSerial) -> Option<Card> {
    // A serial is letters and digits, so it cannot lead out of the folder.
    let bytes = std::fs::read(folder.join(format!("{serial}.json"))).ok()?;
    let chip: Chip = serde_json::from_slice(&bytes).ok()?;
    let template = |hand| {
        let finger = chip.fingers.iter().find(|finger| finger.hand == hand);
        finger.map(|finger| finger.template.clone())
    };
    let fingers = template(Hand::Right).zip(template(Hand::Left));
    Some(Card {
        fingers: fingers.map(|(right, left)| [right, left]),
        serial: chip.serial,
        number: chip.number,
        name: chip.name,
        valid_to: chip.expiry,
        picture: chip.picture.bytes,
    })
}

impl core::fmt::Debug for MadeCards {
    // Chips hold persons.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("MadeCards")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use schemas::ids::BatchId;

    use super::*;
    use crate::people::People;

    /// P3, P4: the chip that was made is the one that a reader finds, with the fingers of its owner; one that was not is none.
    #[test]
    fn p3_p4_a_made_chip_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let people = People::new(BatchId::new("demo-1").unwrap(), 2, 1).unwrap();
        let owner = people.people.first().unwrap();
        let serial = CardSerial::new("4D41440000000001").unwrap();
        let made = MadeCards::in_folder(Some(folder.path().to_owned()));
        assert!(made.card(&serial).is_none(), "it is not made yet");
        let chip = people.chip_of(&owner.card.number, &owner.name, &serial);
        let file = folder.path().join(format!("{serial}.json"));
        std::fs::write(file, chip.to_string()).unwrap();
        let card = made.card(&serial).unwrap();
        assert_eq!(card.chip(), chip);
        assert_eq!(card.fingers, owner.card.fingers);
        assert!(MadeCards::default().card(&serial).is_none());
    }
}
