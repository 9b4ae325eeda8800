//! The sections of a profile, and what holds between them.

use schemas::slot::{COLUMNS_MAX, SLOTS_PER_COLUMN_MAX};

use super::codes::{HOPPER, OPERATIONS, POSITIONS, RESULTS, STATES, codes};
use super::{
    Constants, DispenserProfile, Holdings, Inputs, Limits, READ_WORDS_MAX, SensorBits, WordOrder,
    errors,
};
use crate::reader::Section;

/// Slots that one read of the bitmap has.
const SLOTS_MAX: i64 = 2_000;
const WORDS: core::ops::RangeInclusive<i64> = 0..=65_535;

pub(super) fn profile(root: &mut Section<'_>) -> Option<DispenserProfile> {
    let head = root.required("profile", head).flatten();
    let word_order = root.required("words", |s| s.word("order", ORDERS, WordOrder::HighFirst));
    let limits = root.required("limits", limits).flatten();
    let constants = root.required("constants", constants).flatten();
    let inputs = root.required("inputs", Inputs::read).flatten();
    let holdings = root.required("holdings", Holdings::read).flatten();
    let sensors = root.required("sensors", SensorBits::read).flatten();
    let commands = root
        .required("commands", |s| codes(s, OPERATIONS))
        .flatten();
    let states = root.required("states", |s| codes(s, STATES)).flatten();
    let results = root.required("results", |s| codes(s, RESULTS)).flatten();
    let positions = root
        .required("positions", |s| codes(s, POSITIONS))
        .flatten();
    let hopper = root.required("hopper", |s| codes(s, HOPPER)).flatten();
    let refusals = root.required("refusals", errors::refusals).flatten();
    let errors = root.list("error", errors::error);
    errors::check(root, &errors, refusals.as_ref());
    if let (Some(inputs), Some(limits)) = (&inputs, &limits) {
        bitmap_fits(root, inputs, *limits);
    }
    let (name, version) = head?;
    Some(DispenserProfile {
        name,
        version,
        word_order: word_order?,
        limits: limits?,
        constants: constants?,
        inputs: inputs?,
        holdings: holdings?,
        sensors: sensors?,
        commands: commands?,
        states: states?,
        results: results?,
        positions: positions?,
        hopper: hopper?,
        refusals: refusals?,
        errors: errors.into_iter().map(|at| at.value).collect(),
    })
}

const ORDERS: &[(&str, WordOrder)] = &[
    ("high-first", WordOrder::HighFirst),
    ("low-first", WordOrder::LowFirst),
];

fn head(s: &mut Section<'_>) -> Option<(String, u16)> {
    let name = s.required_text("name", "\"dispenser\"");
    let fits = |name: &str| {
        (1..=32).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    if name.is_some_and(|name| !fits(name)) {
        s.refuse(
            "name",
            "is not 1 to 32 letters, digits or hyphens; write for example name = \"dispenser\"",
        );
    }
    let version = s.required_number("version", 1..=65_535);
    Some((name?.to_owned(), version?))
}

fn limits(s: &mut Section<'_>) -> Option<Limits> {
    let columns = s.required_number("columns", 1..=i64::from(COLUMNS_MAX));
    let slots_per_column =
        s.required_number("slots_per_column", 1..=i64::from(SLOTS_PER_COLUMN_MAX));
    let slots = s.required_number("slots", 1..=SLOTS_MAX);
    let sequence_ahead = s.required_number("sequence_ahead", 1..=1_000);
    Some(Limits {
        columns: columns?,
        slots_per_column: slots_per_column?,
        slots: slots?,
        sequence_ahead: sequence_ahead?,
    })
}

fn constants(s: &mut Section<'_>) -> Option<Constants> {
    let map_version = s.required_number("map_version", WORDS);
    let kind = s.required_number("kind", WORDS);
    let no_slot: Option<u16> = s.required_number("no_slot", WORDS);
    let is_slot = |number: u16| number < COLUMNS_MAX.max(SLOTS_PER_COLUMN_MAX);
    if no_slot.is_some_and(is_slot) {
        s.refuse(
            "no_slot",
            "is the number of a slot; write one that no slot has, for example 0xFFFF",
        );
    }
    Some(Constants {
        map_version: map_version?,
        kind: kind?,
        no_slot: no_slot?,
    })
}

/// The bitmap of the largest machine ends before the address space and before the status block.
fn bitmap_fits(root: &Section<'_>, inputs: &Inputs, limits: Limits) {
    let words = limits.slots.div_ceil(16).min(READ_WORDS_MAX);
    let (first, end) = (
        u32::from(inputs.bitmap),
        u32::from(inputs.bitmap) + u32::from(words),
    );
    let status = u32::from(inputs.status().first);
    if end > 0x1_0000 || (first < status && end > status) {
        root.refuse_in("inputs", "bitmap", format!(
            "inputs.bitmap: {} slots are {words} words, and behind {first} there is no room for them; write another address",
            limits.slots
        ));
    }
}
