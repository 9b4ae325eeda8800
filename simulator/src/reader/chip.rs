//! What the chip of a synthetic card gives to a SAM_V module.

use adapters::reader::Personal;
use adapters::reader::content::{ContentError, ManagementNumber, encode};
use adapters::reader::text::{CardText, CitizenText, PermitText};
use schemas::validity::Expiry;
use zeroize::Zeroizing;

use crate::people::{ADDRESS, Card, ETHNIC_GROUP, ISSUER};

/// The card management number. `None`: the card's serial is not the 16 hexadecimal digits of a chip.
pub(super) fn management_number(card: &Card) -> Option<ManagementNumber> {
    let digits = card.serial.as_str();
    let serial = u64::from_str_radix(digits, 16).ok()?;
    (digits.len() == 16).then(|| ManagementNumber {
        issuer: *b"SIM\0",
        serial: serial.to_be_bytes(),
        card: [0; 16],
    })
}

/// Text, photo and, where it is asked for, fingerprints.
pub(super) fn content(card: &Card, fingers: bool) -> Result<Zeroizing<Vec<u8>>, ContentError> {
    let text = text(card).encode()?;
    let photo = &card.picture;
    let blocks = Zeroizing::new(card.fingers.iter().flatten().flatten().copied().collect());
    let blocks: &Vec<u8> = &blocks;
    if fingers {
        encode(&[&text, photo, blocks])
    } else {
        encode(&[&text, photo])
    }
}

/// 8 digits, or 长期.
fn last_day(expiry: Expiry) -> String {
    match expiry {
        Expiry::On(date) => date.digits(),
        Expiry::LongTerm => "长期".to_owned(),
    }
}

fn text(card: &Card) -> CardText {
    let (birth, sequence) = (card.number.get(6..14), card.number.get(16..17));
    let is_male = sequence.and_then(|digit| digit.parse().ok()).unwrap_or(1) % 2 == 1;
    let common = CitizenText {
        name: Personal::new(card.name.as_str()),
        sex: Personal::new(if is_male { "1" } else { "2" }),
        ethnic_group: Personal::new(ETHNIC_GROUP),
        birth: Personal::new(birth.unwrap_or_default()),
        address: Personal::new(ADDRESS),
        number: Personal::new(card.number.as_str()),
        issuer: Personal::new(ISSUER),
        valid_from: Personal::new("20260101"),
        valid_to: Personal::new(last_day(card.valid_to)),
    };
    if !card.is_permit() {
        return CardText::Citizen(common);
    }
    CardText::Permit(PermitText {
        name: common.name,
        sex: common.sex,
        birth: common.birth,
        address: common.address,
        number: common.number,
        issuer: common.issuer,
        valid_from: common.valid_from,
        valid_to: common.valid_to,
        pass_number: Personal::new("H12345678"),
        issue_count: Personal::new("01"),
    })
}
