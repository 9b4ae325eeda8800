//! Searches bytes for planted ones, in every form in which they might have been written down.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Something that was planted, and its forms.
#[derive(Debug)]
pub struct Needle {
    pub what: String,
    forms: Vec<(&'static str, Vec<u8>)>,
}

impl Needle {
    /// A text. `gbk`: the same in GBK, for text that is not ASCII.
    pub fn text(what: &str, text: &str, gbk: Option<&[u8]>) -> Self {
        let mut forms = forms(text.as_bytes());
        let utf16: Vec<u16> = text.encode_utf16().collect();
        let le = utf16.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let be = utf16.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        forms.extend([("UTF-16LE", le), ("UTF-16BE", be)]);
        if !text.is_ascii() {
            // As JSON may write it.
            for escape in [
                |unit| format!("\\u{unit:04x}"),
                |unit| format!("\\u{unit:04X}"),
            ] {
                let units: Vec<String> = utf16.iter().map(escape).collect();
                forms.push(("JSON escape", units.concat().into_bytes()));
            }
        }
        if let Some(gbk) = gbk {
            forms.extend(self::forms(gbk));
        }
        Self {
            what: what.to_owned(),
            forms,
        }
    }

    /// Bytes.
    pub fn bytes(what: &str, bytes: &[u8]) -> Self {
        Self {
            what: what.to_owned(),
            forms: forms(bytes),
        }
    }
}

fn forms(bytes: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut forms = vec![
        ("raw", bytes.to_vec()),
        ("hex", hex::encode(bytes).into_bytes()),
        ("HEX", hex::encode_upper(bytes).into_bytes()),
    ];
    // Wherever it begins within three bytes: the characters that depend on its own bytes alone.
    for skew in 0..3 {
        let mut shifted = vec![0; skew];
        shifted.extend_from_slice(bytes);
        let first = (skew * 8usize).div_ceil(6);
        let end = shifted.len() * 8 / 6;
        for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            let form = engine.encode(&shifted).as_bytes()[first..end].to_vec();
            forms.push(("base64", form));
        }
    }
    forms
}

/// A place and what is there.
#[derive(Debug)]
pub struct Place {
    pub name: String,
    pub bytes: Vec<u8>,
}

/// Everything that was found: what, in which form, where.
pub fn find(needles: &[Needle], places: &[Place]) -> Vec<String> {
    let mut found = Vec::new();
    // By the first two bytes: one pass over each place.
    let mut heads = vec![Vec::new(); 1 << 16];
    for needle in needles {
        for (form, bytes) in &needle.forms {
            let head = usize::from(u16::from_be_bytes([bytes[0], bytes[1]]));
            heads[head].push((needle, form, bytes));
        }
    }
    for place in places {
        for at in 0..place.bytes.len().saturating_sub(1) {
            let head = usize::from(u16::from_be_bytes([place.bytes[at], place.bytes[at + 1]]));
            for (needle, form, bytes) in &heads[head] {
                if place.bytes[at..].starts_with(bytes) {
                    found.push(format!(
                        "{} ({form}) in {} at {at}",
                        needle.what, place.name
                    ));
                }
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

/// Every file under a folder, whole.
pub fn files(folder: &Path, places: &mut Vec<Place>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, places);
        } else if path.is_file() {
            // A station that was killed leaves its socket.
            places.push(Place {
                name: path.display().to_string(),
                bytes: std::fs::read(&path).unwrap(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    const MARK: &[u8] = b"a photo's bytes";

    /// The search itself: each form is found wherever it begins, and nothing else is.
    #[test]
    fn the_search_finds_every_form() {
        let gbk = [0xC0, 0xEE, 0xD0, 0xA1, 0xC3, 0xF7];
        let (name, number) = ("李小明", "440524188001010014");
        let needles = [
            Needle::text("name", name, Some(&gbk)),
            Needle::text("number", number, None),
            Needle::bytes("photo", MARK),
        ];
        let utf16 = |text: &str, big: bool| -> Vec<u8> {
            let bytes = |unit: u16| {
                if big {
                    unit.to_be_bytes()
                } else {
                    unit.to_le_bytes()
                }
            };
            text.encode_utf16().flat_map(bytes).collect()
        };
        let mut written = vec![
            ("name", name.as_bytes().to_vec()),
            ("name", gbk.to_vec()),
            ("name", utf16(name, false)),
            ("name", utf16(name, true)),
            ("name", br"\u674e\u5c0f\u660e".to_vec()),
            ("number", utf16(number, false)),
            ("number", hex::encode(number).into_bytes()),
            ("number", hex::encode_upper(number).into_bytes()),
            ("photo", MARK.to_vec()),
        ];
        for before in ["", "a", "ab", "abc"] {
            for (what, text) in [("name", name), ("number", number)] {
                let text = format!("{before}{text}xyz");
                written.push((what, STANDARD.encode(text).into_bytes()));
            }
        }
        for (what, bytes) in written {
            let place = Place {
                name: "planted".to_owned(),
                bytes: [b"before ".as_slice(), &bytes, b" after"].concat(),
            };
            let found = find(&needles, &[place]);
            assert!(
                !found.is_empty() && found.iter().all(|hit| hit.starts_with(what)),
                "{found:?}"
            );
        }
        let nothing = Place {
            name: "nothing".to_owned(),
            bytes: b"**\xe6\x98\x8e 002X SIM00000002".to_vec(),
        };
        assert!(find(&needles, &[nothing]).is_empty());
    }
}
