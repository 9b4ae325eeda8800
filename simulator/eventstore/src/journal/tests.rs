//! Half-written tails, damage, two processes.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("journal")
    }

    /// The frames' contents, as text.
    fn open(&self) -> Result<(Journal, Vec<String>), OpenError> {
        let mut seen = Vec::new();
        let journal = Journal::open(&self.path(), |content, _| {
            seen.push(String::from_utf8(content.to_vec()).unwrap());
            true
        })?;
        Ok((journal, seen))
    }

    fn write(&self, contents: &[&str]) {
        let (mut journal, _) = self.open().unwrap();
        for content in contents {
            let mut frame = vec![0; HEAD_LEN];
            frame.extend_from_slice(content.as_bytes());
            journal.append(&mut frame).unwrap();
        }
    }

    fn len(&self) -> u64 {
        std::fs::metadata(self.path()).unwrap().len()
    }

    fn file(&self) -> File {
        OpenOptions::new().write(true).open(self.path()).unwrap()
    }
}

#[test]
fn a_tail_cut_anywhere_costs_the_last_frame_only() {
    let place = Place::new();
    place.write(&["first", "second"]);
    let (before, whole) = (
        place.len() - as_u64(HEAD_LEN + "second".len()),
        std::fs::read(place.path()).unwrap(),
    );
    for len in before..place.len() {
        std::fs::write(place.path(), &whole).unwrap();
        place.file().set_len(len).unwrap();
        let (_journal, seen) = place.open().unwrap();
        assert_eq!(seen, ["first"], "{len}");
        assert_eq!(place.len(), before);
    }
}

#[test]
fn a_tail_of_zeros_or_with_a_wrong_byte_is_cut_off_and_written_over() {
    let place = Place::new();
    place.write(&["first", "second"]);
    place.file().write_all_at(b"S", place.len() - 6).unwrap();
    place.write(&["third"]);
    place.file().set_len(place.len() + 5_000).unwrap();
    assert_eq!(place.open().unwrap().1, ["first", "third"]);
}

#[test]
fn damage_before_a_whole_frame_is_an_error() {
    let place = Place::new();
    place.write(&["first", "second", "third"]);
    place.file().write_all_at(b"F", 32 + 12).unwrap();
    let error = place.open().unwrap_err();
    assert!(
        matches!(error, OpenError::Damaged { at: 32, .. }),
        "{error}"
    );
}

#[test]
fn a_journal_has_one_owner() {
    let place = Place::new();
    let (held, _) = place.open().unwrap();
    assert!(matches!(place.open(), Err(OpenError::InUse(_))));
    let reader = held.file();
    drop(held);
    place.open().unwrap();
    drop(reader);
}
