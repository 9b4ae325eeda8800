//! What an image owes, what it showed, and the count of many.
//!
//! Owns: the judgement. It must never excuse an entry that was acknowledged before the crash.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use anyhow::{Context, Result};

use crate::record::Seq;
use crate::workload::{Ack, Witnessed, Workload};

/// What a folder must hold after one crash or several.
#[derive(Debug, Default)]
pub(crate) struct Owed {
    /// Values under which each entry was acknowledged: two different ones cannot both be kept.
    entries: BTreeMap<String, Vec<String>>,
    /// What a replaced value may be: the one acknowledged last, or one that was under way.
    latest: BTreeMap<String, BTreeSet<Option<String>>>,
}

impl Owed {
    /// A crash after operation `at` of a run with these acknowledgements, the run's whole number.
    pub(crate) fn crash(&mut self, acks: &[Witnessed], at: Seq) {
        for witnessed in acks {
            let promised = witnessed.seq <= at;
            match &witnessed.ack {
                Ack::Entry { key, value } => {
                    if promised {
                        self.entries
                            .entry(key.clone())
                            .or_default()
                            .push(value.clone());
                    }
                }
                Ack::Latest { key, value } => {
                    let nothing_yet = || BTreeSet::from([None]);
                    let allowed = self.latest.entry(key.clone()).or_insert_with(nothing_yet);
                    if promised {
                        allowed.clear();
                    }
                    allowed.insert(value.clone());
                }
            }
        }
    }

    /// Number of acknowledged entries.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}

/// What one image showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Everything acknowledged is there, once; and how many entries and values there are in all.
    Kept(usize),
    /// These keys were acknowledged and are missing or different.
    Lost(Vec<String>),
    /// These keys are there more than once.
    Doubled(Vec<String>),
    /// The program refused to open the folder, with this complaint.
    Unopened(String),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = |keys: &[String]| keys.first().cloned().unwrap_or_default();
        match self {
            Self::Kept(found) => write!(f, "{found} found, none lost"),
            Self::Lost(keys) => write!(f, "LOST {} (first: {})", keys.len(), first(keys)),
            Self::Doubled(keys) => write!(f, "DOUBLED {} (first: {})", keys.len(), first(keys)),
            Self::Unopened(complaint) => write!(f, "DOES NOT OPEN: {complaint}"),
        }
    }
}

/// Asks the program what it finds in `image`, and compares.
pub(crate) fn judge(workload: &Workload, image: &Path, owed: &Owed) -> Result<Verdict> {
    if owed.len() == 0 && !image.join(&workload.folder).exists() {
        // The power went before the data folder's own entry was on disk: there is nothing to open.
        return Ok(Verdict::Kept(0));
    }
    Ok(
        match workload
            .kept(image)
            .context("cannot verify a crash image")?
        {
            Ok(kept) => compare(&kept, owed),
            Err(complaint) => Verdict::Unopened(complaint),
        },
    )
}

fn compare(kept: &BTreeMap<String, Vec<String>>, owed: &Owed) -> Verdict {
    let found = |key: &String| kept.get(key).and_then(|values| values.first());
    let entries = owed.entries.iter().filter_map(|(key, values)| {
        values
            .iter()
            .any(|value| Some(value) != found(key))
            .then_some(key)
    });
    let latest = owed
        .latest
        .iter()
        .filter_map(|(key, allowed)| (!allowed.contains(&found(key).cloned())).then_some(key));
    let lost: Vec<String> = entries.chain(latest).cloned().collect();
    let doubled: Vec<String> = kept
        .iter()
        .filter(|(_, values)| values.len() > 1)
        .map(|(key, _)| key.clone())
        .collect();
    if !lost.is_empty() {
        Verdict::Lost(lost)
    } else if !doubled.is_empty() {
        Verdict::Doubled(doubled)
    } else {
        Verdict::Kept(kept.len())
    }
}

/// The verdicts of a campaign, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// All images.
    pub images: u32,
    /// Images that were opened and crashed again at least once.
    pub crashed_again: u32,
    /// Images that owed at least one acknowledged entry.
    pub owing: u32,
    /// Images that opened, with everything acknowledged there once.
    pub kept: u32,
    /// Images in which something acknowledged is missing or different.
    pub lost: u32,
    /// Images in which something is there more than once.
    pub doubled: u32,
    /// Images that the program refused.
    pub unopened: u32,
    /// Acknowledged entries owed by all images together.
    pub acknowledged: usize,
}

impl Tally {
    pub(crate) fn count(&mut self, owed: &Owed, verdict: &Verdict, crashes: usize) {
        self.images += 1;
        self.crashed_again += u32::from(crashes > 1);
        self.owing += u32::from(owed.len() > 0);
        self.acknowledged += owed.len();
        match verdict {
            Verdict::Kept(_) => self.kept += 1,
            Verdict::Lost(_) => self.lost += 1,
            Verdict::Doubled(_) => self.doubled += 1,
            Verdict::Unopened(_) => self.unopened += 1,
        }
    }

    /// True if every image opened with all that it owed.
    pub fn is_clean(&self) -> bool {
        self.images > 0 && self.kept == self.images
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} images ({} owing, {} crashed again), {} acknowledged in all: {} kept, {} lost, \
             {} doubled, {} not opened",
            self.images,
            self.owing,
            self.crashed_again,
            self.acknowledged,
            self.kept,
            self.lost,
            self.doubled,
            self.unopened
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn witnessed(seq: Seq, ack: Ack) -> Witnessed {
        Witnessed { ack, seq }
    }

    fn entry(seq: Seq, key: &str, value: &str) -> Witnessed {
        witnessed(
            seq,
            Ack::Entry {
                key: key.to_owned(),
                value: value.to_owned(),
            },
        )
    }

    fn latest(seq: Seq, key: &str, value: Option<&str>) -> Witnessed {
        witnessed(
            seq,
            Ack::Latest {
                key: key.to_owned(),
                value: value.map(str::to_owned),
            },
        )
    }

    fn check(crashes: &[(&[Witnessed], Seq)], kept: &[(&str, &[&str])], expected: &Verdict) {
        let mut owed = Owed::default();
        for (acks, at) in crashes {
            owed.crash(acks, *at);
        }
        let owned = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
        let kept = kept
            .iter()
            .map(|(key, values)| ((*key).to_owned(), owned(values)))
            .collect();
        assert_eq!(&compare(&kept, &owed), expected, "{kept:?}");
    }

    fn lost(key: &str) -> Verdict {
        Verdict::Lost(vec![key.to_owned()])
    }

    /// G2: an entry is owed from its acknowledgement on, unchanged and once.
    #[test]
    fn entries_are_owed_once() {
        let acks = [entry(5, "1", "a"), entry(9, "2", "b")];
        check(&[(&acks, 4)], &[], &Verdict::Kept(0));
        check(&[(&acks, 5)], &[], &lost("1"));
        check(&[(&acks, 8)], &[("1", &["a"])], &Verdict::Kept(1));
        check(&[(&acks, 8)], &[("1", &["b"])], &lost("1"));
        check(&[(&acks, 9)], &[("1", &["a"])], &lost("2"));
        check(
            &[(&acks, 8)],
            &[("1", &["a", "a"])],
            &Verdict::Doubled(vec!["1".to_owned()]),
        );
        check(
            &[(&acks, 8)],
            &[("1", &["a"]), ("2", &["b"]), ("3", &["?"])],
            &Verdict::Kept(3),
        );
        let again = [entry(3, "1", "other")];
        check(&[(&acks, 8), (&again, 3)], &[("1", &["a"])], &lost("1"));
        check(
            &[(&acks, 8), (&again, 2)],
            &[("1", &["a"])],
            &Verdict::Kept(1),
        );
    }

    /// G2: a replaced value is the last one acknowledged or one that was under way.
    #[test]
    fn replaced_values_never_go_back() {
        let acks = [
            latest(3, "k", Some("a")),
            latest(6, "k", Some("b")),
            latest(9, "k", None),
        ];
        check(&[(&acks, 2)], &[], &Verdict::Kept(0));
        check(&[(&acks, 4)], &[("k", &["a"])], &Verdict::Kept(1));
        check(&[(&acks, 4)], &[("k", &["b"])], &Verdict::Kept(1));
        check(&[(&acks, 6)], &[("k", &["a"])], &lost("k"));
        check(&[(&acks, 6)], &[], &Verdict::Kept(0));
        check(&[(&acks, 9)], &[("k", &["b"])], &lost("k"));
        let again = [latest(2, "k", Some("c"))];
        check(
            &[(&acks, 6), (&again, 1)],
            &[("k", &["b"])],
            &Verdict::Kept(1),
        );
        check(&[(&acks, 6), (&again, 1)], &[("k", &["a"])], &lost("k"));
        check(&[(&acks, 6), (&again, 2)], &[("k", &["b"])], &lost("k"));
    }
}
