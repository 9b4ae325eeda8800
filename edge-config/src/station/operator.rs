//! Operators: who may load cards, and the hash of their PIN.

use core::fmt;
use core::str::FromStr;

use schemas::ids::OperatorId;

use crate::reader::Section;

/// A member of the staff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// Who.
    pub id: OperatorId,
    /// The hash of the PIN.
    pub pin_hash: PinHash,
}

/// An argon2id hash in PHC form (`$argon2id$v=19$m=…,t=…,p=…$salt$hash`), checked by shape. It does
/// not print: a hash of a short PIN can be searched.
#[derive(Clone, PartialEq, Eq)]
pub struct PinHash(String);

/// Most memory a hash may ask for, in KiB: a station is a small machine.
const MEMORY_KIB_MAX: u32 = 262_144;
/// Least memory, in KiB, and passes: below this a short PIN is found in minutes (RFC 9106, section 4,
/// scaled to a small machine).
const MEMORY_KIB_MIN: u32 = 8_192;
const PASSES_MAX: u32 = 10;
const LANES_MAX: u32 = 8;

impl PinHash {
    /// The PHC string, for the comparison.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PinHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PinHash(hidden)")
    }
}

/// Why a text is no usable PIN hash. It never quotes the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PinHashError {
    /// Not `$argon2id$v=19$m=…,t=…,p=…$salt$hash`.
    #[error("not an argon2id hash in PHC form")]
    Shape,
    /// Memory, passes or lanes out of range.
    #[error("its cost is out of range: m 8192 to 262144 KiB, t 1 to 10, p 1 to 8")]
    Cost,
}

impl FromStr for PinHash {
    type Err = PinHashError;

    fn from_str(text: &str) -> Result<Self, PinHashError> {
        let mut parts = text.split('$');
        let shape = (parts.next(), parts.next(), parts.next());
        if shape != (Some(""), Some("argon2id"), Some("v=19")) {
            return Err(PinHashError::Shape);
        }
        let (Some(cost), Some(salt), Some(hash), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(PinHashError::Shape);
        };
        // 8 bytes of salt at the least, 16 bytes of hash (RFC 9106, section 3.1), in base64.
        if !is_base64(salt, 11..=64) || !is_base64(hash, 22..=86) {
            return Err(PinHashError::Shape);
        }
        check_cost(cost)?;
        Ok(Self(text.to_owned()))
    }
}

fn check_cost(cost: &str) -> Result<(), PinHashError> {
    let mut costs = cost.split(',');
    let mut number = |name: &str| -> Option<u32> { costs.next()?.strip_prefix(name)?.parse().ok() };
    let (memory, passes, lanes) = (number("m="), number("t="), number("p="));
    let (Some(memory), Some(passes), Some(lanes), None) = (memory, passes, lanes, costs.next())
    else {
        return Err(PinHashError::Shape);
    };
    let fits = (MEMORY_KIB_MIN..=MEMORY_KIB_MAX).contains(&memory)
        && (1..=PASSES_MAX).contains(&passes)
        && (1..=LANES_MAX).contains(&lanes);
    if fits {
        Ok(())
    } else {
        Err(PinHashError::Cost)
    }
}

fn is_base64(text: &str, len: core::ops::RangeInclusive<usize>) -> bool {
    len.contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/')
}

const EXAMPLE: &str = "\"$argon2id$v=19$…\", made by: gateway hash-pin";

pub(crate) fn read(s: &mut Section<'_>) -> Option<Operator> {
    let id = s.parsed("id", "\"operator-1\"");
    let pin_hash = s.parsed("pin_hash", EXAMPLE);
    Some(Operator {
        id: id?,
        pin_hash: pin_hash?,
    })
}
