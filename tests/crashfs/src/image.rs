//! Crash images: the folder that a power cut at one position may leave behind.
//!
//! Owns: which names survive, which content each file keeps, and the writing of both into an empty
//! folder. It reads the record and changes nothing in it; the same position, mode and seed always
//! give the same image.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::content::{Change, SparseFile, tear};
use crate::record::{NodeId, Op, ROOT, Record, Seq};

/// How much a power cut takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Whatever was not synced is gone: a file holds what it held at its last fsync or fdatasync, a
    /// folder the entries of its last fsync. Each file and each folder stands for itself.
    Strict,
    /// A disk that reorders: each 4 KB page of a file is, on its own, as last synced or as any later
    /// write made it. Names come from a journal: those of one moment since the last sync of a folder.
    Page {
        /// Decides every choice.
        seed: u64,
    },
}

/// What makes a folder's entries durable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dirs {
    /// Only an fsync of that folder, as POSIX has it.
    #[default]
    OwnSync,
    /// Any fsync, of files too, since it commits the journal, as ext4 does in practice.
    AnySync,
}

type Names = BTreeMap<NodeId, BTreeMap<OsString, NodeId>>;

/// The record up to the moment of the crash, sorted by what is asked of it.
struct Survey<'a> {
    record: &'a Record,
    /// Position of the last sync of each node.
    synced: BTreeMap<NodeId, Seq>,
    /// Position of the last sync of any folder, and of anything at all.
    synced_dir: Seq,
    synced_any: Seq,
    content: BTreeMap<NodeId, Vec<(Seq, &'a Op)>>,
    names: Vec<(Seq, &'a Op)>,
}

impl<'a> Survey<'a> {
    fn at(record: &'a Record, at: Seq) -> Self {
        let mut survey = Self {
            record,
            synced: BTreeMap::new(),
            synced_dir: 0,
            synced_any: 0,
            content: BTreeMap::new(),
            names: Vec::new(),
        };
        for (seq, op) in record.until(at) {
            match op {
                Op::Write { node, .. } | Op::SetSize { node, .. } | Op::Zero { node, .. } => {
                    survey.content.entry(*node).or_default().push((seq, op));
                }
                Op::Enter { .. } | Op::Remove { .. } | Op::Rename { .. } => {
                    survey.names.push((seq, op));
                }
                Op::Sync { node } => {
                    survey.synced.insert(*node, seq);
                    survey.synced_any = seq;
                    if record.node(*node).is_some_and(|meta| meta.directory) {
                        survey.synced_dir = seq;
                    }
                }
            }
        }
        survey
    }

    fn synced(&self, node: NodeId) -> Seq {
        self.synced.get(&node).copied().unwrap_or(0)
    }

    /// The names that survive, where `happened(folder, position)` says which entries were kept.
    fn names(&self, happened: impl Fn(NodeId, Seq) -> bool) -> Names {
        let mut names = Names::new();
        let mut set = |seq: Seq, dir: NodeId, name: &OsString, node: Option<NodeId>| {
            if happened(dir, seq) {
                let entries = names.entry(dir).or_default();
                match node {
                    Some(node) => entries.insert(name.clone(), node),
                    None => entries.remove(name),
                };
            }
        };
        for (seq, op) in &self.names {
            match op {
                Op::Enter { dir, name, node } => set(*seq, *dir, name, Some(*node)),
                Op::Remove { dir, name } => set(*seq, *dir, name, None),
                Op::Rename { node, from, to } => {
                    set(*seq, from.0, &from.1, None);
                    set(*seq, to.0, &to.1, Some(*node));
                }
                Op::Write { .. } | Op::SetSize { .. } | Op::Zero { .. } | Op::Sync { .. } => {}
            }
        }
        names
    }

    fn strict_names(&self, dirs: Dirs) -> Names {
        match dirs {
            Dirs::OwnSync => self.names(|dir, seq| seq <= self.synced(dir)),
            Dirs::AnySync => self.names(|_, seq| seq <= self.synced_any),
        }
    }

    /// The names of one moment: everything since the last sync may be lost from some point on.
    /// All of it and none of it are the likeliest in practice, and are drawn more often.
    fn journalled_names(&self, dirs: Dirs, random: &mut fastrand::Rng) -> Names {
        let forced = match dirs {
            Dirs::OwnSync => self.synced_dir,
            Dirs::AnySync => self.synced_any,
        };
        let open: Vec<Seq> = self
            .names
            .iter()
            .map(|(seq, _)| *seq)
            .filter(|seq| *seq > forced)
            .collect();
        let kept = match random.u8(0..4) {
            0 => 0,
            1 => open.len(),
            _ => random.usize(0..=open.len()),
        };
        let last = kept
            .checked_sub(1)
            .and_then(|nth| open.get(nth))
            .copied()
            .unwrap_or(forced);
        self.names(|_, seq| seq <= last)
    }

    fn content(&self, node: NodeId, mode: Mode) -> io::Result<SparseFile> {
        let synced = self.synced(node);
        let mut file = SparseFile::default();
        let mut later = Vec::new();
        for (seq, op) in self.content.get(&node).into_iter().flatten() {
            if *seq <= synced {
                file.apply(&self.change(op)?);
            } else if mode != Mode::Strict {
                later.push(self.change(op)?);
            }
        }
        Ok(match mode {
            Mode::Strict => file,
            // Each file draws from its own stream, so that one file more does not change the others.
            Mode::Page { seed } => {
                let mut random = fastrand::Rng::with_seed(seed ^ node.0.rotate_left(32));
                tear(&file, &later, &mut random)
            }
        })
    }

    fn change(&self, op: &Op) -> io::Result<Change> {
        Ok(match op {
            Op::Write {
                offset, payload, ..
            } => Change::Write {
                offset: *offset,
                bytes: self.record.payload(*payload)?,
            },
            Op::SetSize { size, .. } => Change::SetSize { size: *size },
            Op::Zero {
                offset,
                len,
                keep_size,
                ..
            } => Change::Zero {
                offset: *offset,
                len: *len,
                keep_size: *keep_size,
            },
            Op::Enter { .. } | Op::Remove { .. } | Op::Rename { .. } | Op::Sync { .. } => {
                return Err(io::Error::other("not a change of content"));
            }
        })
    }
}

/// Builds the image of a crash after operation `at` in `out`, a folder that is empty or not there.
pub(crate) fn build(
    record: &Record,
    at: Seq,
    mode: Mode,
    dirs: Dirs,
    out: &Path,
) -> io::Result<()> {
    fs::create_dir_all(out)?;
    if fs::read_dir(out)?.next().is_some() {
        return Err(io::Error::new(
            io::ErrorKind::DirectoryNotEmpty,
            format!("{} is not empty", out.display()),
        ));
    }
    let survey = Survey::at(record, at);
    let names = match mode {
        Mode::Strict => survey.strict_names(dirs),
        Mode::Page { seed } => survey.journalled_names(dirs, &mut fastrand::Rng::with_seed(seed)),
    };
    let mut writer = Writer {
        survey,
        names,
        mode,
        files: BTreeMap::new(),
        dirs: BTreeSet::new(),
    };
    writer.folder(ROOT, out)
}

struct Writer<'a> {
    survey: Survey<'a>,
    names: Names,
    mode: Mode,
    /// Where each file was written first; its further names become links.
    files: BTreeMap<NodeId, PathBuf>,
    /// A folder whose move was half kept has two names; it is written under the first.
    dirs: BTreeSet<NodeId>,
}

impl Writer<'_> {
    fn folder(&mut self, dir: NodeId, out: &Path) -> io::Result<()> {
        self.dirs.insert(dir);
        let entries = self.names.get(&dir).cloned().unwrap_or_default();
        for (name, node) in entries {
            let path = out.join(name);
            let meta = self.survey.record.node(node);
            let Some(meta) = meta else {
                return Err(io::Error::other(
                    "a name leads to a node that was never recorded",
                ));
            };
            if !meta.directory {
                self.file(node, meta.mode, path)?;
            } else if !self.dirs.contains(&node) {
                DirBuilder::new().mode(0o700).create(&path)?;
                self.folder(node, &path)?;
                fs::set_permissions(&path, Permissions::from_mode(meta.mode))?;
            }
        }
        Ok(())
    }

    fn file(&mut self, node: NodeId, mode: u32, path: PathBuf) -> io::Result<()> {
        if let Some(first) = self.files.get(&node) {
            return fs::hard_link(first, path);
        }
        let content = self.survey.content(node, self.mode)?;
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        for (offset, page) in content.pages() {
            file.write_all_at(page, offset)?;
        }
        file.set_len(content.size())?;
        file.set_permissions(Permissions::from_mode(mode))?;
        self.files.insert(node, path);
        Ok(())
    }
}
