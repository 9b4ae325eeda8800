//! The paths below `tile/`, as c2sp.org/tlog-tiles writes them. Each resource has one path; any other spelling names nothing.

use std::ops::Range;

use schemas::proof::{TILE_HEIGHT, TILE_WIDTH};

/// The highest level that a path may name.
const LEVEL_MAX: u8 = 63;

/// What a tile is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Hashes of this tile level.
    Hashes(u8),
    /// The events themselves.
    Entries,
}

/// A tile, or a bundle of entries, full or partial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tile {
    pub(super) kind: Kind,
    /// Its number within its level.
    pub(super) index: u64,
    /// Hashes or entries in it: 1 to 256.
    pub(super) width: usize,
}

impl Tile {
    /// Reads `<L>/<N>[.p/<W>]` or `entries/<N>[.p/<W>]`.
    pub(super) fn parse(path: &str) -> Option<Self> {
        let (kind, rest) = path.split_once('/')?;
        let kind = match kind {
            "entries" => Kind::Entries,
            level => Kind::Hashes(number(level).filter(|level| *level <= LEVEL_MAX)?),
        };
        let (index, width) = match rest.split_once(".p/") {
            None => (rest, TILE_WIDTH),
            Some((index, width)) => {
                let width = number::<usize>(width)?;
                (index, Some(width).filter(|w| (1..TILE_WIDTH).contains(w))?)
            }
        };
        Some(Self {
            kind,
            index: tile_index(index)?,
            width,
        })
    }

    /// The numbers of its hashes within its level, or of its events, if a tree of `size` events has all of them. A hash counts only when
    /// the tile below it is full.
    pub(super) fn range_within(&self, size: u64) -> Option<Range<u64>> {
        let level = match self.kind {
            Kind::Hashes(level) => level,
            Kind::Entries => 0,
        };
        let there = size
            .checked_shr(u32::from(level) * u32::from(TILE_HEIGHT))
            .unwrap_or(0);
        let first = self.index.checked_mul(u64::try_from(TILE_WIDTH).ok()?)?;
        let end = first.checked_add(u64::try_from(self.width).ok()?)?;
        (end <= there).then_some(first..end)
    }
}

/// A decimal number without sign or leading zeros.
fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let canonical = text == "0" || !text.starts_with('0');
    (digits && canonical).then(|| text.parse().ok()).flatten()
}

/// `x001/x234/067`: groups of three digits, all but the last marked, the first of several not zero.
fn tile_index(text: &str) -> Option<u64> {
    if text.starts_with("x000/") {
        return None;
    }
    let (groups, last) = text
        .rsplit_once('/')
        .map_or((None, text), |(groups, last)| (Some(groups), last));
    let groups = groups
        .into_iter()
        .flat_map(|groups| groups.split('/'))
        .map(|group| group.strip_prefix('x'));
    groups.chain([Some(last)]).try_fold(0_u64, |index, group| {
        let group =
            group.filter(|g| g.len() == 3 && g.bytes().all(|byte| byte.is_ascii_digit()))?;
        index.checked_mul(1_000)?.checked_add(group.parse().ok()?)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    fn hashes(level: u8, index: u64, width: usize) -> Tile {
        Tile {
            kind: Kind::Hashes(level),
            index,
            width,
        }
    }

    /// G3: the paths of c2sp.org/tlog-tiles, with its own example.
    #[test]
    fn paths_are_read() {
        for (path, tile) in [
            ("0/x001/x234/067", hashes(0, 1_234_067, 256)),
            ("0/000", hashes(0, 0, 256)),
            ("1/x001/000", hashes(1, 1_000, 256)),
            ("63/005.p/255", hashes(63, 5, 255)),
            (
                "0/x018/x446/x744/x073/x709/x551/615",
                hashes(0, u64::MAX, 256),
            ),
        ] {
            assert_eq!(Tile::parse(path), Some(tile), "{path}");
        }
        let entries = Tile::parse("entries/x001/002.p/7").unwrap();
        assert_eq!(
            (entries.kind, entries.index, entries.width),
            (Kind::Entries, 1_002, 7)
        );
    }

    /// G3: no second spelling, nothing beyond the numbers there are.
    #[test]
    fn other_spellings_name_nothing() {
        for path in [
            "",
            "0",
            "0/",
            "/000",
            "00/000",
            "64/000",
            "-1/000",
            "+0/000",
            "entry/000",
            "0/0",
            "0/0000",
            "0/x000/001",
            "0/001/002",
            "0/x001",
            "0/x001/x002",
            "0/x01/002",
            "0/+01",
            "0/000.p/0",
            "0/000.p/256",
            "0/000.p/01",
            "0/000.p/",
            "0/000.p/1/2",
            "0/000.p/1.p/1",
            "0/000/",
            "0//000",
            "0/x018/x446/x744/x073/x709/x551/616",
            "0/０００",
        ] {
            assert_eq!(Tile::parse(path), None, "{path}");
        }
    }

    /// G3: the specification's tree of 70,000 leaves, and one that just fills its first tile.
    #[test]
    fn what_a_tree_holds() {
        let within = |path: &str, size| Tile::parse(path).unwrap().range_within(size).is_some();
        for (there, not_there) in [
            ("0/272", "0/273"),
            ("0/273.p/112", "0/273.p/113"),
            ("1/000", "1/001"),
            ("1/001.p/17", "1/001.p/18"),
            ("2/000.p/1", "2/000.p/2"),
            ("entries/273.p/112", "entries/273.p/113"),
        ] {
            assert!(within(there, 70_000), "{there}");
            assert!(!within(not_there, 70_000), "{not_there}");
        }
        assert!(!within("3/000.p/1", 70_000) && !within("63/000.p/1", u64::MAX));
        assert!(within("0/000", 256) && within("1/000.p/1", 256));
        assert!(!within("0/001.p/1", 256) && !within("1/000.p/1", 255) && !within("0/000.p/1", 0));
        let tile = Tile::parse("0/273.p/112").unwrap();
        assert_eq!(tile.range_within(70_000), Some(69_888..70_000));
        let last = Tile::parse("0/x018/x446/x744/x073/x709/x551/615").unwrap();
        assert_eq!(last.range_within(u64::MAX), None);
    }
}
