//! The live tree: which names lead to which node, and where its bytes lie in the backing folder.
//!
//! Owns: the namespace and the open files of the mounted file system. It is the only one that touches
//! the backing folder. It must never let two nodes share an identity, even when the file system
//! below reuses an inode number.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::io::Errno;

use crate::record::{NodeId, ROOT};

/// One file of the backing folder that someone holds open.
#[derive(Debug)]
struct Opened {
    file: Arc<File>,
    handles: u64,
}

#[derive(Debug, Default)]
struct Node {
    /// The entries of a folder; `None` for a file.
    entries: Option<BTreeMap<OsString, NodeId>>,
    /// Every name that leads here: several for a linked file, none once it is removed.
    names: Vec<(NodeId, OsString)>,
    opened: Option<Opened>,
}

/// The namespace over one backing folder.
#[derive(Debug)]
pub(crate) struct Tree {
    backing: PathBuf,
    nodes: BTreeMap<NodeId, Node>,
    next: u64,
}

impl Tree {
    pub(crate) fn new(backing: &Path) -> Self {
        let root = Node {
            entries: Some(BTreeMap::new()),
            ..Node::default()
        };
        Self {
            backing: backing.to_owned(),
            nodes: BTreeMap::from([(ROOT, root)]),
            next: ROOT.0 + 1,
        }
    }

    /// Adds a node under a name that is free. The caller has made the file or folder itself.
    pub(crate) fn add(&mut self, dir: NodeId, name: &OsStr, directory: bool) -> io::Result<NodeId> {
        let node = NodeId(self.next);
        self.next += 1;
        let entries = directory.then(BTreeMap::new);
        self.nodes.insert(
            node,
            Node {
                entries,
                ..Node::default()
            },
        );
        self.link(node, dir, name)?;
        Ok(node)
    }

    /// Gives a node one more name.
    pub(crate) fn link(&mut self, node: NodeId, dir: NodeId, name: &OsStr) -> io::Result<()> {
        self.entries_mut(dir)?.insert(name.to_owned(), node);
        self.node_mut(node)?.names.push((dir, name.to_owned()));
        Ok(())
    }

    /// Takes a name away, if it is there.
    pub(crate) fn unlink(&mut self, dir: NodeId, name: &OsStr) -> io::Result<()> {
        if let Some(node) = self.entries_mut(dir)?.remove(name) {
            self.node_mut(node)?
                .names
                .retain(|(d, n)| *d != dir || n != name);
        }
        Ok(())
    }

    pub(crate) fn child(&self, dir: NodeId, name: &OsStr) -> io::Result<NodeId> {
        let found = self.entries(dir)?.get(name).copied();
        found.ok_or_else(|| Errno::NOENT.into())
    }

    pub(crate) fn entries(&self, dir: NodeId) -> io::Result<&BTreeMap<OsString, NodeId>> {
        self.node(dir)?
            .entries
            .as_ref()
            .ok_or_else(|| Errno::NOTDIR.into())
    }

    pub(crate) fn is_dir(&self, node: NodeId) -> io::Result<bool> {
        Ok(self.node(node)?.entries.is_some())
    }

    /// The folder that holds a folder; the root holds itself.
    pub(crate) fn parent(&self, dir: NodeId) -> io::Result<NodeId> {
        Ok(self
            .node(dir)?
            .names
            .first()
            .map_or(ROOT, |(parent, _)| *parent))
    }

    /// Where a node lies in the backing folder; refused for a node that has lost its last name.
    pub(crate) fn path(&self, node: NodeId) -> io::Result<PathBuf> {
        let mut names = Vec::new();
        let mut at = node;
        while at != ROOT {
            let (dir, name) = self.node(at)?.names.first().ok_or(Errno::NOENT)?;
            names.push(name);
            at = *dir;
        }
        Ok(names
            .iter()
            .rev()
            .fold(self.backing.clone(), |path, name| path.join(name)))
    }

    /// Where an entry lies, or would lie, in the backing folder.
    pub(crate) fn entry_path(&self, dir: NodeId, name: &OsStr) -> io::Result<PathBuf> {
        Ok(self.path(dir)?.join(name))
    }

    pub(crate) fn metadata(&self, node: NodeId) -> io::Result<fs::Metadata> {
        match &self.node(node)?.opened {
            Some(opened) => opened.file.metadata(),
            None => fs::symlink_metadata(self.path(node)?),
        }
    }

    /// The backing file of a node, for one operation; reachable without a name while it is open.
    pub(crate) fn file(&self, node: NodeId) -> io::Result<Arc<File>> {
        if self.is_dir(node)? {
            return Err(Errno::ISDIR.into());
        }
        match &self.node(node)?.opened {
            Some(opened) => Ok(Arc::clone(&opened.file)),
            None => Ok(Arc::new(open_both_ways(&self.path(node)?)?)),
        }
    }

    /// Counts one more handle on a node.
    pub(crate) fn open(&mut self, node: NodeId) -> io::Result<()> {
        let file = self.file(node)?;
        let opened = self
            .node_mut(node)?
            .opened
            .get_or_insert(Opened { file, handles: 0 });
        opened.handles += 1;
        Ok(())
    }

    /// Counts one handle less; the last one closes the backing file.
    pub(crate) fn release(&mut self, node: NodeId) -> io::Result<()> {
        let slot = &mut self.node_mut(node)?.opened;
        if let Some(opened) = slot {
            opened.handles = opened.handles.saturating_sub(1);
            if opened.handles == 0 {
                *slot = None;
            }
        }
        Ok(())
    }

    fn node(&self, node: NodeId) -> io::Result<&Node> {
        self.nodes.get(&node).ok_or_else(|| Errno::NOENT.into())
    }

    fn node_mut(&mut self, node: NodeId) -> io::Result<&mut Node> {
        self.nodes.get_mut(&node).ok_or_else(|| Errno::NOENT.into())
    }

    fn entries_mut(&mut self, dir: NodeId) -> io::Result<&mut BTreeMap<OsString, NodeId>> {
        self.node_mut(dir)?
            .entries
            .as_mut()
            .ok_or_else(|| Errno::NOTDIR.into())
    }
}

/// The mode that a child opened a file with is the kernel's concern; here it is always both.
fn open_both_ways(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open(path)
}
