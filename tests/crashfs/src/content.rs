//! What a file may hold after a crash: its changes replayed, wholly or page by page.
//!
//! Owns: the sparse content of one file and the choice among its page versions. Pure: bytes and a
//! seeded random source in, content out. It must never invent a page that no prefix of writes made.

use std::collections::{BTreeMap, BTreeSet};

/// The unit that a disk is taken to write as a whole, in bytes.
pub(crate) const PAGE_BYTES: usize = 4096;
const PAGE_BYTES_U64: u64 = 4096;

/// One change of a file's content.
#[derive(Debug)]
pub(crate) enum Change {
    Write {
        offset: u64,
        bytes: Vec<u8>,
    },
    SetSize {
        size: u64,
    },
    Zero {
        offset: u64,
        len: u64,
        keep_size: bool,
    },
}

type Page = Option<Box<[u8; PAGE_BYTES]>>;

/// A file's content; a page that is not there is all zeros.
#[derive(Clone, Debug, Default)]
pub(crate) struct SparseFile {
    pages: BTreeMap<u64, Box<[u8; PAGE_BYTES]>>,
    size: u64,
}

impl SparseFile {
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Offset and bytes of each page that is not a hole; the last one may reach past the size.
    pub(crate) fn pages(&self) -> impl Iterator<Item = (u64, &[u8])> {
        self.pages
            .iter()
            .map(|(page, bytes)| (page * PAGE_BYTES_U64, bytes.as_slice()))
    }

    /// Applies a change and names the pages whose bytes it touched.
    pub(crate) fn apply(&mut self, change: &Change) -> Vec<u64> {
        match change {
            Change::Write { offset, bytes } => self.write(*offset, bytes),
            Change::SetSize { size } => self.set_size(*size),
            Change::Zero {
                offset,
                len,
                keep_size,
            } => self.zero(*offset, *len, *keep_size),
        }
    }

    fn write(&mut self, offset: u64, bytes: &[u8]) -> Vec<u64> {
        let mut touched = Vec::new();
        let mut at = offset;
        let mut rest = bytes;
        while !rest.is_empty() {
            let (page, from) = split(at);
            let (head, tail) = rest.split_at(rest.len().min(PAGE_BYTES - from));
            let target = self
                .pages
                .entry(page)
                .or_insert_with(|| Box::new([0; PAGE_BYTES]));
            for (old, new) in target.iter_mut().skip(from).zip(head) {
                *old = *new;
            }
            touched.push(page);
            at += length(head);
            rest = tail;
        }
        if !bytes.is_empty() {
            self.size = self.size.max(at);
        }
        touched
    }

    fn set_size(&mut self, size: u64) -> Vec<u64> {
        let shrinks = size < self.size;
        self.size = size;
        if !shrinks {
            return Vec::new();
        }
        let (boundary, kept) = split(size);
        let touched: Vec<u64> = self
            .pages
            .range(boundary..)
            .map(|(page, _)| *page)
            .collect();
        if let Some(page) = self.pages.get_mut(&boundary) {
            page.iter_mut().skip(kept).for_each(|byte| *byte = 0);
        }
        let whole = if kept == 0 { boundary } else { boundary + 1 };
        drop(self.pages.split_off(&whole));
        touched
    }

    fn zero(&mut self, offset: u64, len: u64, keep_size: bool) -> Vec<u64> {
        let end = offset.saturating_add(len);
        let first = split(offset).0;
        let last = split(end.saturating_sub(1)).0;
        let touched: Vec<u64> = self
            .pages
            .range(first..=last)
            .map(|(page, _)| *page)
            .collect();
        for page in &touched {
            let base = page * PAGE_BYTES_U64;
            if let Some(bytes) = self.pages.get_mut(page) {
                for (at, byte) in (base..).zip(bytes.iter_mut()) {
                    if (offset..end).contains(&at) {
                        *byte = 0;
                    }
                }
            }
        }
        if !keep_size {
            self.size = self.size.max(end);
        }
        touched
    }

    fn page(&self, page: u64) -> Page {
        self.pages.get(&page).cloned()
    }
}

/// A content that a disk which reorders its writes may hold: `synced`, and of the `later` changes
/// any version of each page on its own.
///
/// Sizes are metadata, and metadata goes through a journal: one prefix of `later` decides the size.
/// A cut of the file within that prefix frees its pages, so their older versions cannot come back;
/// one after the prefix has not happened, so what was written into the freed pages cannot show.
pub(crate) fn tear(
    synced: &SparseFile,
    later: &[Change],
    random: &mut fastrand::Rng,
) -> SparseFile {
    let journalled = random.usize(0..=later.len());
    let mut live = synced.clone();
    let mut size = synced.size;
    let mut versions: BTreeMap<u64, Vec<Page>> = BTreeMap::new();
    let mut frozen_from = u64::MAX;
    for (nth, change) in later.iter().enumerate() {
        let happened = nth < journalled;
        let before = live.size;
        let touched = live.apply(change);
        if live.size < before {
            let boundary = split(live.size).0;
            if happened {
                let known = versions.range(boundary..).map(|(page, _)| *page);
                let pages: BTreeSet<u64> = touched.into_iter().chain(known).collect();
                for page in pages {
                    versions.insert(page, vec![live.page(page)]);
                }
            } else {
                frozen_from = frozen_from.min(boundary);
            }
        } else {
            for page in touched.into_iter().filter(|page| *page < frozen_from) {
                let known = versions
                    .entry(page)
                    .or_insert_with(|| vec![synced.page(page)]);
                known.push(live.page(page));
            }
        }
        if happened {
            size = live.size;
        }
    }
    choose(synced, versions, size, random)
}

/// Takes one version of each page. How much of the new reaches the disk differs from file to file,
/// since an even mix alone would almost never leave a long file all old but for one page.
fn choose(
    synced: &SparseFile,
    versions: BTreeMap<u64, Vec<Page>>,
    size: u64,
    random: &mut fastrand::Rng,
) -> SparseFile {
    let newer_share = [0.1, 0.5, 0.9]
        .get(random.usize(0..3))
        .copied()
        .unwrap_or(0.5);
    let mut torn = SparseFile {
        pages: synced.pages.clone(),
        size,
    };
    for (page, mut known) in versions {
        let pick = if known.len() > 1 && random.f64() < newer_share {
            random.usize(1..known.len())
        } else {
            0
        };
        match known.swap_remove(pick) {
            Some(bytes) => torn.pages.insert(page, bytes),
            None => torn.pages.remove(&page),
        };
    }
    drop(torn.pages.split_off(&size.div_ceil(PAGE_BYTES_U64)));
    torn
}

/// Page number, and offset within the page.
fn split(offset: u64) -> (u64, usize) {
    let within = usize::try_from(offset % PAGE_BYTES_U64).unwrap_or(0);
    (offset / PAGE_BYTES_U64, within)
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, reason = "a test fails by panicking")]

    use super::*;

    fn write(offset: u64, byte: u8, len: usize) -> Change {
        Change::Write {
            offset,
            bytes: vec![byte; len],
        }
    }

    fn flat(file: &SparseFile) -> Vec<u8> {
        let mut bytes = vec![
            0;
            usize::try_from(file.size())
                .unwrap_or(0)
                .next_multiple_of(4096)
        ];
        for (offset, page) in file.pages() {
            let at = usize::try_from(offset).unwrap_or(0);
            bytes[at..at + PAGE_BYTES].copy_from_slice(page);
        }
        bytes.truncate(usize::try_from(file.size()).unwrap_or(0));
        bytes
    }

    /// G2: the model agrees with a plain byte vector for any sequence of changes.
    #[test]
    fn a_sparse_file_is_a_file() {
        for seed in 0..200 {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut file = SparseFile::default();
            let mut plain: Vec<u8> = Vec::new();
            for step in 0..40_u8 {
                let offset = random.usize(0..20_000);
                let len = random.usize(1..9_000);
                let end = offset + len;
                let at = u64::try_from(offset).unwrap_or(0);
                match random.u8(0..3) {
                    0 => {
                        plain.resize(plain.len().max(end), 0);
                        plain[offset..end].fill(step + 1);
                        file.apply(&write(at, step + 1, len));
                    }
                    1 => {
                        plain.resize(offset, 0);
                        file.apply(&Change::SetSize { size: at });
                    }
                    _ => {
                        let stop = end.min(plain.len());
                        if offset < stop {
                            plain[offset..stop].fill(0);
                        }
                        let len = u64::try_from(len).unwrap_or(0);
                        file.apply(&Change::Zero {
                            offset: at,
                            len,
                            keep_size: true,
                        });
                    }
                }
                assert_eq!(flat(&file), plain, "seed {seed}, step {step}");
            }
        }
    }

    /// G2: a torn file keeps, page by page, old or new, and both are seen; pages are never mixed.
    #[test]
    fn pages_tear_one_by_one() {
        let mut synced = SparseFile::default();
        synced.apply(&write(0, b'a', 4 * PAGE_BYTES));
        let later = [
            write(0, b'b', 4 * PAGE_BYTES),
            write(4096, b'c', PAGE_BYTES),
        ];
        let mut seen = BTreeSet::new();
        for seed in 0..300 {
            let torn = tear(&synced, &later, &mut fastrand::Rng::with_seed(seed));
            let bytes = flat(&torn);
            assert_eq!(bytes.len(), 4 * PAGE_BYTES);
            for page in bytes.chunks(PAGE_BYTES) {
                assert!(page.iter().all(|byte| *byte == page[0]), "a page was mixed");
            }
            seen.insert(
                bytes
                    .iter()
                    .step_by(PAGE_BYTES)
                    .copied()
                    .collect::<Vec<u8>>(),
            );
        }
        assert!(
            seen.iter()
                .all(|pages| pages[1] != b'b' || pages[0] != b'c')
        );
        assert!(
            seen.contains(b"abab".as_slice()) && seen.contains(b"bcbb".as_slice()),
            "{seen:?}"
        );
        assert_eq!(
            seen.len(),
            2 * 3 * 2 * 2,
            "every combination is possible: {seen:?}"
        );
    }

    /// G2: after a cut and a rewrite, the old bytes never stand beside the new size.
    #[test]
    fn a_cut_is_journalled() {
        let mut synced = SparseFile::default();
        synced.apply(&write(0, b'a', 2 * PAGE_BYTES));
        let later = [Change::SetSize { size: 0 }, write(0, b'b', PAGE_BYTES)];
        let mut seen = BTreeSet::new();
        for seed in 0..200 {
            let torn = tear(&synced, &later, &mut fastrand::Rng::with_seed(seed));
            let bytes = flat(&torn);
            seen.insert((bytes.len(), bytes.first().copied()));
        }
        let expected = [
            (0, None),
            (4096, Some(0)),
            (4096, Some(b'b')),
            (8192, Some(b'a')),
        ];
        assert_eq!(seen, BTreeSet::from(expected));
    }
}
