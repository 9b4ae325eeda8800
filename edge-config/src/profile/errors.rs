//! The machine's error codes: a name and what to do.

use crate::reader::{At, Section};

/// Names end up behind a code of four digits and a hyphen, in 32 characters.
const NAME_LEN_MAX: usize = 27;
/// One line of an operator's screen, or two.
const ADVICE_LEN_MAX: usize = 160;

/// A code, or a range of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorCode {
    /// The first code.
    pub first: u16,
    /// The last one; the first again where it is one code.
    pub last: u16,
    /// Its name, as XFS4IoT writes names: `mediaJam`.
    pub name: String,
    /// What to do about it, one line.
    pub advice: String,
}

impl ErrorCode {
    /// Whether it speaks of `code`.
    pub fn has(&self, code: u16) -> bool {
        (self.first..=self.last).contains(&code)
    }
}

/// Codes of what the adapter itself rejects: nothing moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusals {
    /// Another motion is under way.
    pub busy: u16,
    /// There is no such slot.
    pub slot_unknown: u16,
    /// The sequence was used before for another command.
    pub sequence_reused: u16,
    /// The sequence is neither the acknowledged one nor one that may follow it.
    pub sequence_out_of_turn: u16,
    /// The device refused the write with another Modbus exception, which is added to this.
    pub exception: u16,
}

const CODES: core::ops::RangeInclusive<i64> = 1..=0xFFFF;

pub(super) fn refusals(s: &mut Section<'_>) -> Option<Refusals> {
    let busy = s.required_number("busy", CODES);
    let slot_unknown = s.required_number("slot_unknown", CODES);
    let reused = s.required_number("sequence_reused", CODES);
    let out_of_turn = s.required_number("sequence_out_of_turn", CODES);
    let exception = s.required_number("exception", 0x100..=0xFF00);
    if exception.is_some_and(|code: u16| code.trailing_zeros() < 8) {
        s.refuse(
            "exception",
            "has an exception in its last two digits; write 00 there, for example 0xE600",
        );
    }
    Some(Refusals {
        busy: busy?,
        slot_unknown: slot_unknown?,
        sequence_reused: reused?,
        sequence_out_of_turn: out_of_turn?,
        exception: exception?,
    })
}

pub(super) fn error(s: &mut Section<'_>) -> Option<ErrorCode> {
    let first: Option<u16> = s.required_number("code", CODES);
    let last: Option<u16> = s.optional_number("last", CODES);
    let name = s.required_text("name", "\"mediaJam\"");
    let advice = s.required_text("advice", "\"Take out the card by hand.\"");
    if let (Some(first), Some(last)) = (first, last)
        && last <= first
    {
        s.refuse("last", format!("is not above code = {first:#06X}; write a higher one, or leave it out for a single code"));
    }
    let fits = |name: &str| {
        (1..=NAME_LEN_MAX).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    if name.is_some_and(|name| !fits(name)) {
        s.refuse("name", format!("is not 1 to {NAME_LEN_MAX} letters or digits; write for example name = \"mediaJam\""));
    }
    let is_line = |text: &str| {
        (1..=ADVICE_LEN_MAX).contains(&text.chars().count()) && !text.contains(char::is_control)
    };
    if advice.is_some_and(|text| !is_line(text)) {
        s.refuse(
            "advice",
            format!(
                "is not one line of 1 to {ADVICE_LEN_MAX} characters; write what an operator does"
            ),
        );
    }
    let first = first?;
    Some(ErrorCode {
        first,
        last: last.unwrap_or(first),
        name: name?.to_owned(),
        advice: advice?.to_owned(),
    })
}

/// No code has two meanings, and what the adapter rejects has one.
pub(super) fn check(root: &Section<'_>, errors: &[At<'_, ErrorCode>], refusals: Option<&Refusals>) {
    for (at, error) in errors.iter().enumerate() {
        let overlaps = |other: &&At<'_, ErrorCode>| {
            other.value.first <= error.value.last && error.value.first <= other.value.last
        };
        if let Some(other) = errors.iter().take(at).find(overlaps) {
            root.refuse_at(
                &error.span("code"),
                format!(
                    "error.code: {} has this code already; write each code once",
                    other.value.name
                ),
            );
        }
    }
    let Some(refusals) = refusals else { return };
    for (key, code) in [
        ("busy", refusals.busy),
        ("slot_unknown", refusals.slot_unknown),
        ("sequence_reused", refusals.sequence_reused),
        ("sequence_out_of_turn", refusals.sequence_out_of_turn),
        ("exception", refusals.exception),
    ] {
        if !errors.iter().any(|error| error.value.has(code)) {
            root.refuse_in("refusals", key, format!(
                "refusals.{key}: {code:#06X} has no name; write an [[error]] with code = {code:#06X}"
            ));
        }
    }
}
