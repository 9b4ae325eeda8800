//! Synthetic citizens and their cards, the same for the same seed but for the last days of the cards at home, and the manifest that announces them.
//! Numbers are the examples of GB 11643 and others with division codes that do not exist; nobody's.

use std::path::{Path, PathBuf};
use std::{fs, io};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemas::citizen::CitizenNumber;
use schemas::ids::{BatchId, CardSerial};
use schemas::validity::Expiry;
use schemas::words::Hand;
use serde_json::{Value, json};

use crate::expiry::{in_months, present_ends};
use crate::faces::picture;

/// Length of a template (GA/T 1012).
const TEMPLATE_BYTES: usize = 512;
/// Cards a manifest may have.
pub const PEOPLE_LEN_MAX: usize = 240;

const NAMES: [&str; 8] = [
    "张三",
    "李小明",
    "王芳",
    "赵丽华",
    "陈建国",
    "周敏",
    "吴强",
    "欧阳春",
];
const NUMBERS: [&str; 8] = [
    "11010519491231002X",
    "440524188001010014",
    "34052419800101001X",
    "370284200202205310",
    "110101202311012176",
    "810000199408230021",
    "830000199201300022",
    "370284190202205314",
];

/// A card: what is printed on the manifest and stored on the chip.
#[derive(Clone)]
pub struct Card {
    /// The chip's serial.
    pub serial: CardSerial,
    /// The owner's citizen number.
    pub number: String,
    /// The owner's name.
    pub name: String,
    /// Template of the right hand's finger and of the left hand's; none on cards of before.
    pub fingers: Option<[Vec<u8>; 2]>,
    /// The last day.
    pub valid_to: Expiry,
    /// The picture of [`crate::faces::PICTURE_BYTES`]: a mark that says whose, no image.
    pub picture: Vec<u8>,
}

/// A citizen.
#[derive(Clone)]
pub struct Person {
    /// The name.
    pub name: String,
    /// The new card.
    pub card: Card,
    /// The voucher for it.
    pub voucher: String,
    /// Registered residence, as on the manifest.
    pub residence: &'static str,
    /// The card that they have at home where none has to be handed in.
    pub present: Card,
    /// The old card that has to be handed in.
    pub old_card: Option<Card>,
    /// Whether the maker holds the card back.
    pub held: bool,
    right: Vec<u8>,
    left: Vec<u8>,
}

/// How a finger lies on the scanner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quality {
    /// As it should.
    Good,
    /// Wet, dry or crooked: most of it does not fit.
    Poor,
    /// Somebody else's.
    Wrong,
    /// None.
    None,
}

/// A batch of people.
#[derive(Clone)]
pub struct People {
    /// Name of the batch.
    pub batch: BatchId,
    /// The people, in the order of the manifest.
    pub people: Vec<Person>,
}

// Numbers and fingerprints do not print, synthetic or not: the simulator is a pattern for the rest.
impl core::fmt::Debug for People {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("People")
            .field("batch", &self.batch)
            .field("len", &self.people.len())
            .finish_non_exhaustive()
    }
}
impl core::fmt::Debug for Person {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Person")
            .field("card", &self.card)
            .finish_non_exhaustive()
    }
}
impl core::fmt::Debug for Card {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Card")
            .field("serial", &self.serial)
            .finish_non_exhaustive()
    }
}

impl People {
    /// `len` people (at most 300) from `seed`. Of each eight the third has to hand in an old card; of the
    /// first eight, the seventh is registered in another province and the eighth's card is held back.
    ///
    /// # Errors
    /// When a made-up id does not pass its check, which would be a fault of this function.
    pub fn new(batch: BatchId, len: usize, seed: u64) -> Result<Self, schemas::text::Invalid> {
        let mut rng = fastrand::Rng::with_seed(seed);
        let people = (0..len.min(PEOPLE_LEN_MAX))
            .map(|at| person(at, &mut rng))
            .collect::<Result<_, _>>()?;
        Ok(Self { batch, people })
    }

    /// The card of a serial, new or old.
    pub fn card(&self, serial: &CardSerial) -> Option<&Card> {
        self.people
            .iter()
            .flat_map(Person::cards)
            .find(|card| card.serial == *serial)
    }

    /// The person of a citizen number.
    pub fn known(&self, number: &str) -> Option<&Person> {
        let mut people = self.people.iter();
        people.find(|person| person.card.number == number)
    }

    /// What is on the chip of a card that is made for somebody, as [`Card::chip`]: the fingerprints of whom the register knows.
    pub fn chip_of(&self, number: &str, name: &str, serial: &CardSerial) -> Value {
        let known = self.known(number);
        let card = Card {
            serial: serial.clone(),
            number: number.to_owned(),
            name: name.to_owned(),
            fingers: known.map(|person| [person.right.clone(), person.left.clone()]),
            valid_to: known.map_or(Expiry::LongTerm, |person| person.card.valid_to),
            picture: known.map_or_else(
                || vec![0; crate::faces::PICTURE_BYTES],
                |person| person.card.picture.clone(),
            ),
        };
        card.chip()
    }

    /// The owner of a card, new or old, and its place in the manifest.
    pub fn owner(&self, serial: &CardSerial) -> Option<(usize, &Person)> {
        self.people
            .iter()
            .enumerate()
            .find(|(_, person)| person.cards().any(|card| card.serial == *serial))
    }

    /// The sample that a scanner gets of a person's finger; none for [`Quality::None`].
    pub fn sample(
        &self,
        person: usize,
        hand: Hand,
        quality: Quality,
        noise: u64,
    ) -> Option<Vec<u8>> {
        let mut rng = fastrand::Rng::with_seed(noise);
        let (who, share) = match quality {
            Quality::Good => (person, 6),
            Quality::Poor => (person, 75),
            Quality::Wrong => ((person + 1) % self.people.len().max(1), 6),
            Quality::None => return None,
        };
        let person = self.people.get(who)?;
        let mut sample = match hand {
            Hand::Right => person.right.clone(),
            Hand::Left => person.left.clone(),
        };
        // A live finger never lies twice in the same way.
        for byte in &mut sample {
            *byte = if rng.u8(0..100) < share {
                rng.u8(..)
            } else {
                byte.wrapping_add(rng.u8(0..5)).wrapping_sub(2)
            };
        }
        Some(sample)
    }

    /// The manifest as JSON.
    pub fn manifest(&self) -> Value {
        let cards: Vec<Value> = self
            .people
            .iter()
            .map(|person| {
                json!({
                    "serial": person.card.serial,
                    "number": person.card.number,
                    "name": person.name,
                    "voucher": person.voucher,
                    "residence": person.residence,
                    "old_card_due": person.old_card.is_some(),
                    "held": person.held,
                })
            })
            .collect();
        json!({ "batch": self.batch, "cards": cards })
    }

    /// Writes `<batch>.json` into the inbox, whole or not at all.
    pub fn write_manifest(&self, inbox: &Path) -> io::Result<PathBuf> {
        fs::create_dir_all(inbox)?;
        let path = inbox.join(format!("{}.json", self.batch));
        let temporary = path.with_extension("json.new");
        fs::write(&temporary, serde_json::to_vec_pretty(&self.manifest())?)?;
        fs::rename(&temporary, &path)?;
        Ok(path)
    }
}

impl Person {
    /// The card that they hold before they have the new one.
    pub fn present_card(&self) -> &Card {
        self.old_card.as_ref().unwrap_or(&self.present)
    }

    fn cards(&self) -> impl Iterator<Item = &Card> {
        [&self.card, &self.present]
            .into_iter()
            .chain(&self.old_card)
    }
}

/// What is written on every card beside its holder.
pub(crate) const ADDRESS: &str = "测试省测试市测试路1号";
pub(crate) const ISSUER: &str = "测试市公安局";
/// 汉 (GB/T 3304).
pub(crate) const ETHNIC_GROUP: &str = "01";

impl Card {
    /// The chip's content as a reader publishes it in `cmd/read/reply`.
    pub fn chip(&self) -> Value {
        let fingers: Vec<Value> = self
            .fingers
            .iter()
            .flat_map(|[right, left]| {
                [("right", "right-thumb", right), ("left", "left-thumb", left)]
            })
            .map(|(hand, position, template)| {
                json!({ "hand": hand, "position": position, "template": STANDARD.encode(template) })
            })
            .collect();
        let chip = json!({
            "serial": self.serial,
            "number": self.number,
            "name": self.name,
            "fingers": fingers,
            "picture": { "format": "wlt", "bytes": STANDARD.encode(&self.picture) },
            "expiry": self.valid_to,
            "address": ADDRESS,
            "issuer": ISSUER,
        });
        let Value::Object(mut chip) = chip else {
            return chip;
        };
        if !self.is_permit() {
            chip.insert("ethnic_group".to_owned(), json!(ETHNIC_GROUP));
        }
        Value::Object(chip)
    }

    /// Whether it is a residence permit of Hong Kong, Macao or Taiwan, by the division code; its chip has a layout of its own.
    pub(crate) fn is_permit(&self) -> bool {
        ["81", "82", "83"]
            .iter()
            .any(|code| self.number.starts_with(code))
    }
}

/// Similarity of a sample and a template, 0 to 100: the share of bytes that lie within 8 of each other,
/// less what chance gives (17 of 256).
pub fn similarity(sample: &[u8], template: &[u8]) -> u16 {
    let len = sample.len().max(template.len()).max(1);
    let close = sample
        .iter()
        .zip(template)
        .filter(|(a, b)| {
            let distance = a.wrapping_sub(**b);
            distance.min(distance.wrapping_neg()) <= 8
        })
        .count();
    // In 1/25600 of the length, so that everything stays whole: (close - 17/256 len) / (239/256 len).
    let above_chance = (close * 256).saturating_sub(len * 17);
    u16::try_from(above_chance * 100 / (len * 239))
        .unwrap_or(100)
        .min(100)
}

fn person(at: usize, rng: &mut fastrand::Rng) -> Result<Person, schemas::text::Invalid> {
    let (right, left) = (template(16 - 5, rng), template(16, rng));
    let number = match NUMBERS.get(at) {
        Some(number) => (*number).to_owned(),
        None => made_up_number(at)?,
    };
    let name = NAMES.get(at % NAMES.len()).copied().unwrap_or("张三");
    // Serials are those of chips, 8 bytes in hexadecimal digits: "SIM" or "OLD" in ASCII, then the number.
    let serial = CardSerial::new(format!("53494D{:010}", at + 1))?;
    let has_old_card = at % 8 == 2;
    let old_card = has_old_card
        .then(|| {
            CardSerial::new(format!("4F4C44{:010}", at + 1)).map(|serial| Card {
                serial,
                number: number.clone(),
                name: name.to_owned(),
                fingers: None,
                valid_to: in_months(1),
                picture: picture(at),
            })
        })
        .transpose()?;
    let fingers = Some([right.clone(), left.clone()]);
    let present = Card {
        serial: CardSerial::new(format!("505245{:010}", at + 1))?,
        number: number.clone(),
        name: name.to_owned(),
        fingers: fingers.clone(),
        valid_to: present_ends(at),
        picture: picture(at),
    };
    Ok(Person {
        name: name.to_owned(),
        present,
        card: Card {
            serial,
            number,
            name: name.to_owned(),
            fingers,
            valid_to: Expiry::from_chip("20461101")?,
            picture: picture(at),
        },
        voucher: format!("11010500120261101{:05}", at + 1),
        residence: if at == 6 { "other-province" } else { "local" },
        old_card,
        held: at == 7,
        right,
        left,
    })
}

/// A template as the chip's vectors have it: head, registration, finger, quality, then what it measures.
fn template(finger: u8, rng: &mut fastrand::Rng) -> Vec<u8> {
    let mut bytes: Vec<u8> = core::iter::repeat_with(|| rng.u8(..))
        .take(TEMPLATE_BYTES)
        .collect();
    for (place, value) in bytes.iter_mut().zip([0x43, 0, 0, 0, 1, finger, 80]) {
        *place = value;
    }
    bytes
}

/// A number with the division code 190000, which does not exist, and a check character that fits. (One that begins with 9 is a
/// foreigner's.)
fn made_up_number(at: usize) -> Result<String, schemas::text::Invalid> {
    let body = format!("19000019{:02}0101{:03}", 50 + at / 900 % 50, at % 900 + 1);
    let mut last = CitizenNumber::new(&body).map(|_| body.clone());
    for check in "0123456789X".chars() {
        let number = format!("{body}{check}");
        last = CitizenNumber::new(&number).map(|_| number);
        if last.is_ok() {
            break;
        }
    }
    last
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;
    use crate::faces::face_of;
    use schemas::message::manifest::Manifest;

    fn people(len: usize) -> People {
        People::new(BatchId::new("demo-1").unwrap(), len, 7).unwrap()
    }

    /// C1: what is made up reads as a manifest of the contract, the largest there is included.
    #[test]
    fn the_manifest_is_one() {
        let text = people(PEOPLE_LEN_MAX).manifest().to_string();
        let manifest: Manifest = serde_json::from_str(&text).unwrap();
        assert_eq!(manifest.cards.len(), PEOPLE_LEN_MAX);
        assert_eq!(manifest.cards.iter().filter(|card| card.held).count(), 1);
        assert_eq!(people(9).manifest(), people(9).manifest());
    }

    /// A7: each card bears the picture of its owner.
    #[test]
    fn a7_cards_bear_the_picture_of_their_owner() {
        for (at, person) in people(12).people.iter().enumerate() {
            for card in person.cards() {
                assert_eq!(face_of(&card.picture), Some(at));
            }
        }
    }

    /// P4: the right finger scores high, a bad one in between, another's near nothing.
    #[test]
    fn fingers_are_told_apart() {
        let people = people(4);
        let template = people.people.first().unwrap().right.clone();
        for noise in 0..50 {
            let score = |quality| {
                similarity(
                    &people.sample(0, Hand::Right, quality, noise).unwrap(),
                    &template,
                )
            };
            assert!(score(Quality::Good) >= 85);
            assert!((5..50).contains(&score(Quality::Poor)));
            assert!(score(Quality::Wrong) <= 10);
        }
        assert_eq!(similarity(&template, &template), 100);
        assert_eq!(similarity(&[], &template), 0);
    }
}
