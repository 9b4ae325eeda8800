//! The words of the refusals: what was probably meant, and how it is written. Units are part of the
//! key, so `hold = "30s"` becomes `hold_s = 30`.

use core::ops::RangeInclusive;
use std::net::SocketAddr;

use toml::de::DeValue;

/// A unit, and how many of the smallest of its kind it holds.
struct Unit {
    /// As it ends a key.
    suffix: &'static str,
    /// As people write it after a number.
    spellings: &'static [&'static str],
    kind: Kind,
    size: u64,
}

#[derive(PartialEq, Eq, Clone, Copy)]
enum Kind {
    Time,
    Room,
}

const UNITS: &[Unit] = &[
    time("ms", &["ms", "msec", "millis"], 1),
    time("s", &["s", "sec", "secs", "second", "seconds"], 1_000),
    time("min", &["m", "min", "mins", "minute", "minutes"], 60_000),
    time("hours", &["h", "hour", "hours"], 3_600_000),
    time("days", &["d", "day", "days"], 86_400_000),
    time("weeks", &["w", "week", "weeks"], 604_800_000),
    room("bytes", &["b", "byte", "bytes"], 1),
    room("kib", &["k", "kb", "kib"], 1 << 10),
    room("mib", &["m", "mb", "mib"], 1 << 20),
    room("gib", &["g", "gb", "gib"], 1 << 30),
];

const fn time(suffix: &'static str, spellings: &'static [&'static str], size: u64) -> Unit {
    Unit {
        suffix,
        spellings,
        kind: Kind::Time,
        size,
    }
}

const fn room(suffix: &'static str, spellings: &'static [&'static str], size: u64) -> Unit {
    Unit {
        suffix,
        spellings,
        kind: Kind::Room,
        size,
    }
}

/// What a value is, in words.
pub(crate) const fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text in quotes",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a point",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a section",
    }
}

/// Something else stands where a whole number is asked for.
pub(crate) fn not_a_number(key: &str, value: &DeValue<'_>, range: &RangeInclusive<i64>) -> String {
    let kind = kind(value);
    if let Some(amount) = amount_in_unit_of(key, value) {
        return format!(
            "{kind} is not a whole number, and the unit is in the key; write {key} = {amount}"
        );
    }
    let (low, high) = (range.start(), range.end());
    format!(
        "{kind} is not a whole number; write for example {key} = {low} (it may be {low} to {high})"
    )
}

/// A key that nothing asked for, among the keys that were.
pub(crate) fn unknown_key(
    path: &str,
    key: &str,
    value: &DeValue<'_>,
    known: &[&'static str],
) -> String {
    let full = if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    };
    let same_stem = known
        .iter()
        .find(|k| unit_of(k).is_some() && stem(k) == stem(key) && **k != key);
    if let Some(meant) = same_stem {
        let suffix = unit_of(meant).map_or("", |unit| unit.suffix);
        let amount = amount(key, value).and_then(|a| a.whole_in(unit_of(meant)?));
        return match amount {
            Some(amount) => {
                format!("{full}: the unit is part of the key; write {meant} = {amount}")
            }
            None => format!(
                "{full}: the unit is part of the key; write {meant} and a whole number in {suffix}"
            ),
        };
    }
    match closest(key, known.iter().copied()) {
        Some(meant) => format!("{full}: no such key; did you mean {meant}?"),
        None => format!(
            "{full}: no such key; there are {}",
            listed(known.iter().copied())
        ),
    }
}

/// A word that is not of the set.
pub(crate) fn unknown_word<T>(text: &str, words: &[(&'static str, T)]) -> String {
    let all = || words.iter().map(|(word, _)| *word);
    let allowed = all()
        .map(|word| format!("\"{word}\""))
        .collect::<Vec<_>>()
        .join(", ");
    match closest(text, all()) {
        Some(meant) => format!("\"{text}\" is none of {allowed}; did you mean \"{meant}\"?"),
        None => format!("\"{text}\" is none of {allowed}; write one of them"),
    }
}

/// A text that is no `address:port`.
pub(crate) fn not_an_address(key: &str, text: &str, example: SocketAddr) -> String {
    let port = text.rsplit_once(':').map(|(_, port)| port);
    let why = match port.map(str::parse::<u64>) {
        None => "has no port",
        Some(Ok(port)) if port > 65_535 => "has a port above 65535",
        Some(Err(_)) => "has a port that is not a number",
        Some(Ok(_)) if text.starts_with("localhost") => "names a host; an IP address is needed",
        Some(Ok(_)) => "has no IP address before the port",
    };
    format!("\"{text}\" {why}; write for example {key} = \"{example}\"")
}

/// The known word that differs by a few letters at the most.
fn closest(word: &str, known: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let near = |candidate: &'static str| (strsim::damerau_levenshtein(word, candidate), candidate);
    let (distance, candidate) = known.map(near).min()?;
    (distance <= 1.max(candidate.len() / 3)).then_some(candidate)
}

fn listed(words: impl Iterator<Item = &'static str>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

/// An amount in the smallest unit of its kind.
struct Amount {
    kind: Kind,
    smallest: u64,
}

impl Amount {
    fn whole_in(&self, unit: &Unit) -> Option<u64> {
        (self.kind == unit.kind && self.smallest.is_multiple_of(unit.size))
            .then(|| self.smallest / unit.size)
    }
}

/// What `value` under `key` means, if it is an amount with a unit: `"30s"`, or 30 under `hold_s`. A
/// bare number under a key without a unit is nothing.
fn amount(key: &str, value: &DeValue<'_>) -> Option<Amount> {
    if let DeValue::Integer(digits) = value {
        // An unknown `…_min` is minutes, where a known one is a lower limit.
        let unit = unit_of(key).or_else(|| unit_at_end(key))?;
        let count: u64 = digits.as_str().parse().ok()?;
        return Some(Amount {
            kind: unit.kind,
            smallest: count.checked_mul(unit.size)?,
        });
    }
    spelled(value.as_str()?, None)
}

/// `value` as a whole number of the unit of `key`, if it is an amount of that kind.
fn amount_in_unit_of(key: &str, value: &DeValue<'_>) -> Option<u64> {
    let unit = unit_of(key);
    let DeValue::String(text) = value else {
        return None;
    };
    match unit {
        Some(unit) => spelled(text, Some(unit.kind))?.whole_in(unit),
        // `"3"` where 3 was meant.
        None => text.trim().parse().ok(),
    }
}

/// `"30s"`, `"500 ms"`, `"64MiB"`. `m` is minutes or MiB: `kind` decides where it is known.
fn spelled(text: &str, kind: Option<Kind>) -> Option<Amount> {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, spelling) = text.split_at_checked(end)?;
    let spelling = spelling.trim().to_ascii_lowercase();
    let unit = UNITS.iter().find(|unit| {
        kind.is_none_or(|kind| kind == unit.kind) && unit.spellings.contains(&spelling.as_str())
    })?;
    let count: u64 = digits.parse().ok()?;
    Some(Amount {
        kind: unit.kind,
        smallest: count.checked_mul(unit.size)?,
    })
}

/// The unit that a key carries: its last part, before `_max` and `_min`.
fn unit_of(key: &str) -> Option<&'static Unit> {
    unit_at_end(bare(key))
}

fn unit_at_end(key: &str) -> Option<&'static Unit> {
    let suffix = key.rsplit_once('_').map(|(_, suffix)| suffix)?;
    UNITS.iter().find(|unit| unit.suffix == suffix)
}

/// The key without its unit and its `_max` or `_min`.
fn stem(key: &str) -> &str {
    let bare = bare(key);
    match (unit_of(key), bare.rsplit_once('_')) {
        (Some(_), Some((stem, _))) => stem,
        _ => bare,
    }
}

fn bare(key: &str) -> &str {
    key.strip_suffix("_max")
        .or_else(|| key.strip_suffix("_min"))
        .unwrap_or(key)
}
