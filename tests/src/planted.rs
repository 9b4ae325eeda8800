//! An applicant whose personal data is distinctive, so that it can be looked for in all that a station left (G7).

use crate::application::Citizen;
use crate::canary::{PHONE, needles};
use crate::picture::png;
use crate::search::Needle;

/// Who applies: their place among the invented people.
pub const WHO: usize = 1;
/// What is on the receipt of their photo.
pub const RECEIPT: &str = "330100A7741CANARY";
/// What their pictures say: portrait, page, signature.
pub const PICTURES: [&str; 3] = [
    "canary portrait of somebody",
    "canary page of a register",
    "canary signature of somebody",
];
/// The first bytes of the picture in the citizen's chip.
const CHIP_PICTURE: &[u8] = b"simulated face 001";

/// Who renews their card.
pub fn citizen() -> Citizen {
    Citizen {
        phone: PHONE.to_owned(),
        portrait: png(PICTURES[0]),
        scans: vec![png(PICTURES[1])],
        signature: png(PICTURES[2]),
        ..Citizen::renewal()
    }
}

/// All that names them or shows them.
pub fn planted() -> Vec<Needle> {
    let mut planted = needles();
    planted.extend(PICTURES.map(|text| Needle::text(text, text, None)));
    planted.push(Needle::text("photo receipt", RECEIPT, None));
    planted.push(Needle::bytes("picture of the chip", CHIP_PICTURE));
    planted
}
