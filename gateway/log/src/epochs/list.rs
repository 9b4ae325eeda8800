//! `EPOCHS`: the first index of every epoch of the log.
//!
//! Its replacement is the moment at which an epoch begins or is pruned. It ends with a hash of itself, so that a changed file is
//! damage and never another list; an older copy contradicts the folders or `HEAD`.

use std::io;
use std::path::Path;

use schemas::proof::Hash;

use crate::error::{OpenError, Quarantine};

const TITLE: &str = "station-log epochs\n";
const CHECK: &str = "check ";

/// First indexes, ascending. There is always one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EpochList {
    /// What came before it was pruned.
    oldest: u64,
    later: Vec<u64>,
}

impl EpochList {
    /// Of a log that begins.
    pub(crate) fn first() -> Self {
        Self {
            oldest: 0,
            later: Vec::new(),
        }
    }

    /// `None` when there is no such file.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, OpenError> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(OpenError::io("read EPOCHS")(source)),
        };
        let list = String::from_utf8(bytes).ok().and_then(|text| parse(&text));
        list.map(Some).ok_or(Quarantine::Epochs.into())
    }

    /// Puts it there so that after a power cut either the old list or this one is there.
    pub(crate) fn write(&self, path: &Path) -> io::Result<()> {
        gateway_durable::replace_file(path, self.to_text().as_bytes(), 0o644)
    }

    /// The first event that is there.
    pub(crate) fn oldest(&self) -> u64 {
        self.oldest
    }

    /// The epoch that is written to.
    pub(crate) fn newest(&self) -> u64 {
        self.later.last().copied().unwrap_or(self.oldest)
    }

    /// The oldest first.
    pub(crate) fn firsts(&self) -> impl DoubleEndedIterator<Item = u64> + Clone {
        std::iter::once(self.oldest).chain(self.later.iter().copied())
    }

    /// The epoch that an event belongs to; none for an event before the oldest.
    pub(crate) fn epoch_of(&self, index: u64) -> Option<u64> {
        self.firsts().rev().find(|first| *first <= index)
    }

    /// The index behind the last event of an epoch; none for the newest.
    pub(crate) fn end_of(&self, first: u64) -> Option<u64> {
        self.later.iter().copied().find(|next| *next > first)
    }

    /// With another one begun. One that is not behind the newest changes nothing.
    pub(crate) fn with(&self, first: u64) -> Self {
        let mut list = self.clone();
        if first > self.newest() {
            list.later.push(first);
        }
        list
    }

    /// Without the newest; none when there is no other.
    pub(crate) fn without_newest(&self) -> Option<Self> {
        let mut list = self.clone();
        list.later.pop().map(|_| list)
    }

    /// Without those before the epoch that begins at `oldest`, which must be one.
    pub(crate) fn from(&self, oldest: u64) -> Self {
        Self {
            oldest,
            later: self.firsts().filter(|first| *first > oldest).collect(),
        }
    }

    fn to_text(&self) -> String {
        let firsts: String = self
            .firsts()
            .map(|first| first.to_string() + "\n")
            .collect();
        let list = TITLE.to_owned() + &firsts;
        let check = Hash::leaf(list.as_bytes());
        format!("{list}{CHECK}{check}\n")
    }
}

fn parse(text: &str) -> Option<EpochList> {
    let lines = text.strip_prefix(TITLE)?;
    let mut firsts = lines.lines().map_while(|line| line.parse::<u64>().ok());
    let mut list = EpochList {
        oldest: firsts.next()?,
        later: Vec::new(),
    };
    for first in firsts {
        if first <= list.newest() {
            return None;
        }
        list.later.push(first);
    }
    // Written again it is the same, its check included.
    (list.to_text() == text).then_some(list)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_list_says_which_epoch_an_event_belongs_to() {
        let list = EpochList::first().with(200).with(350);
        let place = |index| {
            list.epoch_of(index)
                .map(|first| (first, list.end_of(first)))
        };
        assert_eq!(place(0), Some((0, Some(200))));
        assert_eq!(place(199), Some((0, Some(200))));
        assert_eq!(place(200), Some((200, Some(350))));
        assert_eq!(place(9_000), Some((350, None)));
        let pruned = list.from(200);
        assert_eq!(pruned.epoch_of(199), None);
        assert_eq!((pruned.oldest(), pruned.newest()), (200, 350));
    }

    /// G2: no change of a byte and no cut makes another list of it.
    #[test]
    fn a_changed_list_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("EPOCHS");
        assert_eq!(EpochList::read(&path).unwrap(), None);
        let list = EpochList::first().with(200).with(350).from(200);
        list.write(&path).unwrap();
        assert_eq!(EpochList::read(&path).unwrap(), Some(list));
        let bytes = std::fs::read(&path).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            if let Some(byte) = changed.get_mut(at) {
                *byte ^= 1;
            }
            std::fs::write(&path, &changed).unwrap();
            assert!(EpochList::read(&path).is_err(), "byte {at} changed");
            std::fs::write(&path, bytes.get(..at).unwrap()).unwrap();
            assert!(EpochList::read(&path).is_err(), "cut to {at} bytes");
        }
    }
}
