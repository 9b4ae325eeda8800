//! The acknowledgement result as the memory file has it: the shipped profile's code, whatever profile the machine serves.

use edge_config::profile::AckResult;
use serde::{Deserialize as _, Deserializer, Serializer, de};

const RESULTS: [AckResult; 5] = [
    AckResult::None,
    AckResult::Accepted,
    AckResult::Done,
    AckResult::Failed,
    AckResult::Rejected,
];

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "the form that serde calls it in"
)]
pub(super) fn serialize<S: Serializer>(result: &AckResult, to: S) -> Result<S::Ok, S::Error> {
    let at = RESULTS.iter().position(|known| known == result);
    to.serialize_u8(at.and_then(|at| u8::try_from(at).ok()).unwrap_or(0))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<AckResult, D::Error> {
    let at = usize::from(u8::deserialize(from)?);
    let known = RESULTS.get(at).copied();
    known.ok_or_else(|| de::Error::custom("no result of a command"))
}
