//! The one deterministic form of a signed event (RFC 8949, section 4.2.1), written and taken apart without a tree of CBOR values:
//! replay reads every event of a log. Any other encoding of the same values is not a signed event.

use super::{KeyId, Origin};

/// COSE_Sign1, tagged 18, an array of four.
const BEGIN: &[u8] = &[0xd2, 0x84];
/// A map of five: 1 (alg) −8, 3 (content type) `application/cloudevents+json`, 4 (key id) 8 bytes.
const HEADER: &[u8] = b"\xa5\x01\x27\x03\x78\x1capplication/cloudevents+json\x04\x48";
const INDEX: &[u8] = b"\x61i";
const ORIGIN: &[u8] = b"\x61o";
/// The empty unprotected header.
const UNPROTECTED: &[u8] = &[0xa0];

const NIL: u8 = 0xf6;
const MAJOR_UNSIGNED: u8 = 0;
const MAJOR_BYTES: u8 = 2;
const MAJOR_TEXT: u8 = 3;
const SIGNATURE_LEN: usize = 64;

/// The signed bytes, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parts<'a> {
    pub(super) key_id: KeyId,
    pub(super) index: u64,
    pub(super) origin: Origin,
    pub(super) protected: &'a [u8],
    pub(super) payload: &'a [u8],
    pub(super) signature: &'a [u8; SIGNATURE_LEN],
}

/// `None`: not in this form.
pub(super) fn split(signed: &[u8]) -> Option<Parts<'_>> {
    let rest = signed.strip_prefix(BEGIN)?;
    let (protected, rest) = string(rest, MAJOR_BYTES)?;
    let rest = rest.strip_prefix(UNPROTECTED)?;
    let (payload, rest) = string(rest, MAJOR_BYTES)?;
    let (signature, rest) = string(rest, MAJOR_BYTES)?;
    let signature = signature.try_into().ok()?;
    if !rest.is_empty() {
        return None;
    }
    let header = protected.strip_prefix(HEADER)?;
    let (key_id, header) = header.split_first_chunk::<8>()?;
    let (index, header) = head(header.strip_prefix(INDEX)?, MAJOR_UNSIGNED)?;
    let (origin, header) = string(header.strip_prefix(ORIGIN)?, MAJOR_TEXT)?;
    let origin = Origin::new(std::str::from_utf8(origin).ok()?).ok()?;
    header.is_empty().then_some(Parts {
        key_id: KeyId(*key_id),
        index,
        origin,
        protected,
        payload,
        signature,
    })
}

/// The protected header of an event.
pub(super) fn protected(origin: &Origin, index: u64, key_id: KeyId) -> Vec<u8> {
    let origin = origin.as_str().as_bytes();
    let mut out = Vec::with_capacity(HEADER.len() + origin.len() + 24);
    out.extend_from_slice(HEADER);
    out.extend_from_slice(&key_id.0);
    out.extend_from_slice(INDEX);
    push_head(&mut out, MAJOR_UNSIGNED, index);
    out.extend_from_slice(ORIGIN);
    push_string(&mut out, MAJOR_TEXT, origin);
    out
}

/// The signed bytes.
pub(super) fn join(protected: &[u8], payload: &[u8], signature: &[u8; SIGNATURE_LEN]) -> Vec<u8> {
    let mut out = Vec::with_capacity(protected.len() + payload.len() + SIGNATURE_LEN + 16);
    out.extend_from_slice(BEGIN);
    push_string(&mut out, MAJOR_BYTES, protected);
    out.extend_from_slice(UNPROTECTED);
    push_string(&mut out, MAJOR_BYTES, payload);
    push_string(&mut out, MAJOR_BYTES, signature);
    out
}

/// The signed bytes with nil for the payload.
pub(super) fn detached(protected: &[u8], signature: &[u8; SIGNATURE_LEN]) -> Vec<u8> {
    let mut out = Vec::with_capacity(protected.len() + SIGNATURE_LEN + 12);
    out.extend_from_slice(BEGIN);
    push_string(&mut out, MAJOR_BYTES, protected);
    out.extend_from_slice(UNPROTECTED);
    out.push(NIL);
    push_string(&mut out, MAJOR_BYTES, signature);
    out
}

/// The signed bytes, from their detached form and the payload.
pub(super) fn attach(detached: &[u8], payload: &[u8]) -> Option<Vec<u8>> {
    let rest = detached.strip_prefix(BEGIN)?;
    let (protected, rest) = string(rest, MAJOR_BYTES)?;
    let rest = rest.strip_prefix(UNPROTECTED)?.strip_prefix(&[NIL])?;
    let (signature, rest) = string(rest, MAJOR_BYTES)?;
    let whole = join(protected, payload, signature.try_into().ok()?);
    (rest.is_empty() && split(&whole).is_some()).then_some(whole)
}

/// The Sig_structure that is signed (RFC 9052, section 4.4): the array of `Signature1`, the protected header, no external data,
/// the payload.
pub(super) fn to_sign(protected: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(protected.len() + payload.len() + 24);
    out.extend_from_slice(b"\x84\x6aSignature1");
    push_string(&mut out, MAJOR_BYTES, protected);
    push_string(&mut out, MAJOR_BYTES, b"");
    push_string(&mut out, MAJOR_BYTES, payload);
    out
}

fn push_string(out: &mut Vec<u8>, major: u8, bytes: &[u8]) {
    // A length always fits 64 bits.
    push_head(out, major, u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    out.extend_from_slice(bytes);
}

/// An item's head, in its shortest form.
fn push_head(out: &mut Vec<u8>, major: u8, argument: u64) {
    let major = major << 5;
    if let Ok(short @ 0..24) = u8::try_from(argument) {
        out.push(major + short);
    } else if let Ok(argument) = u8::try_from(argument) {
        out.extend_from_slice(&[major + 24, argument]);
    } else if let Ok(argument) = u16::try_from(argument) {
        out.push(major + 25);
        out.extend_from_slice(&argument.to_be_bytes());
    } else if let Ok(argument) = u32::try_from(argument) {
        out.push(major + 26);
        out.extend_from_slice(&argument.to_be_bytes());
    } else {
        out.push(major + 27);
        out.extend_from_slice(&argument.to_be_bytes());
    }
}

/// How long the event is that `bytes` begin with. `None`: more bytes are needed. An event is looked for in the form of this
/// contract only.
pub(super) fn len(bytes: &[u8]) -> Result<Option<usize>, NotAnEvent> {
    let Some(begin) = bytes.get(..BEGIN.len()) else {
        return Ok(None);
    };
    if begin != BEGIN {
        return Err(NotAnEvent);
    }
    let mut at = BEGIN.len();
    for part in [Part::Bytes, Part::Unprotected, Part::Bytes, Part::Bytes] {
        let rest = bytes.get(at..).unwrap_or_default();
        at += match part {
            Part::Unprotected => match rest.first() {
                None => return Ok(None),
                Some(first) if [*first] == *UNPROTECTED => 1,
                Some(_) => return Err(NotAnEvent),
            },
            Part::Bytes => match string_len(rest)? {
                None => return Ok(None),
                Some(len) => len,
            },
        };
    }
    Ok((at <= bytes.len()).then_some(at))
}

/// Bytes that do not begin as a signed event does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotAnEvent;

#[derive(Clone, Copy)]
enum Part {
    Bytes,
    Unprotected,
}

/// The length of a byte string with its head. `None`: its head is cut off.
fn string_len(bytes: &[u8]) -> Result<Option<usize>, NotAnEvent> {
    let Some(first) = bytes.first() else {
        return Ok(None);
    };
    let head_len = match first & 0x1f {
        0..24 => 1,
        24 => 2,
        25 => 3,
        _ => return Err(NotAnEvent),
    };
    if bytes.len() < head_len {
        return Ok(None);
    }
    let (len, _) = head(bytes, MAJOR_BYTES).ok_or(NotAnEvent)?;
    let len = usize::try_from(len).map_err(|_too_long| NotAnEvent)?;
    Ok(Some(head_len + len))
}

/// A byte or text string, and what follows it.
fn string(bytes: &[u8], major: u8) -> Option<(&[u8], &[u8])> {
    let (len, rest) = head(bytes, major)?;
    rest.split_at_checked(usize::try_from(len).ok()?)
}

/// The argument of an item's head, in its shortest form only, and what follows it.
fn head(bytes: &[u8], major: u8) -> Option<(u64, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    if first >> 5 != major {
        return None;
    }
    let (argument, rest, least) = match first & 0x1f {
        short @ 0..24 => (u64::from(short), rest, 0),
        24 => rest
            .split_first_chunk()
            .map(|(be, rest)| (u64::from(u8::from_be_bytes(*be)), rest, 24))?,
        25 => rest
            .split_first_chunk()
            .map(|(be, rest)| (u64::from(u16::from_be_bytes(*be)), rest, 1 << 8))?,
        26 => rest
            .split_first_chunk()
            .map(|(be, rest)| (u64::from(u32::from_be_bytes(*be)), rest, 1 << 16))?,
        27 => rest
            .split_first_chunk()
            .map(|(be, rest)| (u64::from_be_bytes(*be), rest, 1 << 32))?,
        _ => return None,
    };
    (argument >= least).then_some((argument, rest))
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]
mod tests {
    use coset::cbor::value::Value;
    use coset::{
        ContentType, CoseSign1, Label, RegisteredLabelWithPrivate, TaggedCborSerializable as _,
        iana,
    };

    use super::*;
    use crate::envelope::{Meta, Source, seal};
    use crate::event::Event;
    use crate::ids::BootId;
    use crate::time::{ClockTrust, Now};

    fn sealed(index: u64) -> Vec<u8> {
        let origin = Origin::new("gateway.demo/station/demo/1").unwrap();
        let body = r#"{"device":"kiosk-1","report":"door-open","detail":null}"#;
        let event = Event::from_data("station.device.reported.v1", body);
        let now = Now {
            wall_ms: 1_700_000_000_000,
            boot: BootId::new("0190b7a2-1f00-7000-8000-000000000001").unwrap(),
            mono_ms: 1,
            trust: ClockTrust::Synchronised,
        };
        let meta = Meta {
            source: Source::Gateway,
            now,
            cause: None,
        };
        let key_id = KeyId([7; 8]);
        seal(
            &origin,
            index,
            &meta,
            &event.unwrap().unwrap(),
            key_id,
            |_| [9; 64],
        )
        .unwrap()
    }

    /// What a general COSE library makes of the same bytes: its parts, and whether it would write them as they are.
    fn general(signed: &[u8]) -> Option<(KeyId, u64, Origin, Vec<u8>)> {
        let message = CoseSign1::from_tagged_slice(signed).ok()?;
        assert_eq!(message.clone().to_tagged_vec().unwrap(), signed);
        let header = &message.protected.header;
        assert_eq!(
            header.alg,
            Some(RegisteredLabelWithPrivate::Assigned(iana::Algorithm::EdDSA))
        );
        let content_type = ContentType::Text("application/cloudevents+json".to_owned());
        assert_eq!(header.content_type, Some(content_type));
        assert!(message.unprotected.is_empty() && header.crit.is_empty());
        let key_id = KeyId(header.key_id.as_slice().try_into().unwrap());
        let [
            (Label::Text(i), index),
            (Label::Text(o), Value::Text(origin)),
        ] = header.rest.as_slice()
        else {
            return None;
        };
        assert_eq!((i.as_str(), o.as_str()), ("i", "o"));
        let index = u64::try_from(index.as_integer().unwrap()).unwrap();
        Some((
            key_id,
            index,
            Origin::new(origin.as_str()).unwrap(),
            message.payload.unwrap(),
        ))
    }

    fn parts(signed: &[u8]) -> Option<(KeyId, u64, Origin, Vec<u8>)> {
        split(signed).map(|parts| {
            (
                parts.key_id,
                parts.index,
                parts.origin,
                parts.payload.to_vec(),
            )
        })
    }

    /// G3: what is written is what a general COSE library reads, and would write, whatever the index takes in bytes; it finds the same
    /// structure to be signed.
    #[test]
    fn a_general_library_reads_and_writes_the_same_bytes() {
        for index in [
            0,
            23,
            24,
            255,
            256,
            65_535,
            65_536,
            u64::from(u32::MAX),
            u64::MAX,
        ] {
            let signed = sealed(index);
            assert_eq!(parts(&signed).unwrap().1, index);
            assert_eq!(parts(&signed), general(&signed));
            let ours = split(&signed).unwrap();
            let message = CoseSign1::from_tagged_slice(&signed).unwrap();
            assert_eq!(to_sign(ours.protected, ours.payload), message.tbs_data(&[]));
        }
    }

    /// G3: whatever bit is changed, byte cut off or put in, nothing is accepted that a general COSE library refuses or reads otherwise.
    #[test]
    fn nothing_is_accepted_that_a_general_library_refuses() {
        for index in [5, 200, 70_000] {
            let whole = sealed(index);
            let mut altered: Vec<Vec<u8>> = Vec::new();
            for at in 0..whole.len() {
                for bit in 0..8 {
                    let mut bytes = whole.clone();
                    bytes[at] ^= 1 << bit;
                    altered.push(bytes);
                }
                altered.push(whole[..at].to_vec());
                altered.push([&whole[..at], &[0x18], &whole[at..]].concat());
            }
            altered.push([whole.as_slice(), &[0]].concat());
            for bytes in altered {
                if let Some(parts) = parts(&bytes) {
                    assert_eq!(Some(parts), general(&bytes), "{}", hex::encode(&bytes));
                }
            }
        }
    }
}
