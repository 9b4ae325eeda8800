//! Values in chunks: sled moves what is larger than a page's share into blob files, which it never syncs, so no value
//! that it sees is longer than [`CHUNK_BYTES`].
//!
//! A pair is stored under `key length (2 bytes) ‖ key ‖ chunk number (2 bytes)`, big-endian. Each chunk begins with the number of
//! chunks (2 bytes), so that a replaced value's surplus can be found and a missing chunk noticed.

use std::collections::BTreeMap;

use crate::error::LogFailed;

/// Longest piece of a value, in bytes.
pub(super) const CHUNK_BYTES: usize = 4096;

/// The stored key of one chunk.
pub(super) fn chunk_key(key: &[u8], chunk: u16) -> Vec<u8> {
    let mut stored = prefix(key);
    stored.extend_from_slice(&chunk.to_be_bytes());
    stored
}

/// The stored values of a value's chunks, in order. At least one, so that an empty value is a value.
pub(super) fn split(value: &[u8]) -> Result<Vec<Vec<u8>>, LogFailed> {
    let count = value.len().div_ceil(CHUNK_BYTES).max(1);
    let count = u16::try_from(count).or(Err(LogFailed::Store(format!(
        "a value of {} bytes has too many chunks",
        value.len()
    ))))?;
    let piece = |bytes: &[u8]| [count.to_be_bytes().as_slice(), bytes].concat();
    if value.is_empty() {
        return Ok(vec![piece(&[])]);
    }
    Ok(value.chunks(CHUNK_BYTES).map(piece).collect())
}

/// How many chunks a stored chunk says that its value has.
pub(super) fn count(stored: &[u8]) -> Result<u16, LogFailed> {
    stored
        .first_chunk::<2>()
        .map(|count| u16::from_be_bytes(*count))
        .ok_or_else(damaged)
}

/// Puts pairs together from stored chunks in key order.
pub(super) fn join(
    stored: impl Iterator<Item = Result<(Vec<u8>, Vec<u8>), LogFailed>>,
) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, LogFailed> {
    let mut pairs: BTreeMap<Vec<u8>, (u16, u16, Vec<u8>)> = BTreeMap::new();
    for chunk in stored {
        let (stored_key, stored_value) = chunk?;
        let (key, number) = parse_key(&stored_key)?;
        let total = count(&stored_value)?;
        let piece = stored_value.get(2..).unwrap_or_default();
        let (next, of, value) = pairs.entry(key).or_insert((0, total, Vec::new()));
        if *next != number || *of != total {
            return Err(damaged());
        }
        *next += 1;
        value.extend_from_slice(piece);
    }
    if pairs.values().any(|(seen, total, _)| seen != total) {
        return Err(damaged());
    }
    Ok(pairs
        .into_iter()
        .map(|(key, (_, _, value))| (key, value))
        .collect())
}

fn prefix(key: &[u8]) -> Vec<u8> {
    // Keys are at most a kilobyte long (Limits); one that were longer would be cut here and not be found again.
    let length = u16::try_from(key.len()).unwrap_or(u16::MAX);
    [length.to_be_bytes().as_slice(), key].concat()
}

fn parse_key(stored: &[u8]) -> Result<(Vec<u8>, u16), LogFailed> {
    let (length, rest) = stored.split_first_chunk::<2>().ok_or_else(damaged)?;
    let (key, number) = rest.split_last_chunk::<2>().ok_or_else(damaged)?;
    if usize::from(u16::from_be_bytes(*length)) != key.len() {
        return Err(damaged());
    }
    Ok((key.to_vec(), u16::from_be_bytes(*number)))
}

fn damaged() -> LogFailed {
    LogFailed::Store("a key-value pair is not whole".to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_any_length_comes_back_whole() {
        for length in [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 65_536] {
            let value: Vec<u8> = (0..=255).cycle().take(length).collect();
            let stored = split(&value).unwrap();
            assert!(stored.iter().all(|chunk| chunk.len() <= CHUNK_BYTES + 2));
            let chunks = (0..)
                .zip(stored)
                .map(|(n, chunk)| Ok((chunk_key(b"key", n), chunk)));
            let joined = join(chunks).unwrap();
            assert_eq!(
                joined.get(b"key".as_slice()),
                Some(&value),
                "{length} bytes"
            );
        }
    }

    #[test]
    fn a_missing_chunk_is_noticed() {
        let stored = split(&[7; 3 * CHUNK_BYTES]).unwrap();
        for missing in 0..3 {
            let chunks = (0..).zip(stored.clone()).filter(|(n, _)| *n != missing);
            let chunks = chunks.map(|(n, chunk)| Ok((chunk_key(b"key", n), chunk)));
            assert!(join(chunks).is_err(), "chunk {missing}");
        }
    }
}
