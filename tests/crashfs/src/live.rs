//! The operations themselves: done in the backing folder, then recorded.
//!
//! Owns: the rule that an operation is in the record exactly if it succeeded, and stands there before
//! its caller hears of it. Knows nothing of the kernel's protocol.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{
    DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown,
};
use std::path::Path;

use rustix::fs::FallocateFlags;
use rustix::io::Errno;

use crate::record::{NodeId, NodeMeta, Op, ROOT, Record};
use crate::tree::Tree;

const COPY_BYTES: usize = 1 << 20;
const MODE_BITS: u32 = 0o7777;

/// The tree and its record, changed together.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) tree: Tree,
    pub(crate) record: Record,
}

impl Live {
    /// Takes what is in `backing` as a tree that is wholly on disk.
    pub(crate) fn load(backing: &Path) -> io::Result<Self> {
        let mut live = Self {
            tree: Tree::new(backing),
            record: Record::create()?,
        };
        live.load_folder(ROOT, backing)?;
        live.record.start_here();
        Ok(live)
    }

    fn load_folder(&mut self, dir: NodeId, path: &Path) -> io::Result<()> {
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let meta = entry.metadata()?;
            if !meta.is_dir() && !meta.is_file() {
                return Err(io::Error::other(format!(
                    "{} is neither a file nor a folder",
                    entry.path().display()
                )));
            }
            let node = self.enter(dir, &entry.file_name(), meta.is_dir(), meta.mode())?;
            if meta.is_dir() {
                self.load_folder(node, &entry.path())?;
            } else {
                self.load_file(node, &entry.path())?;
            }
        }
        self.sync(dir);
        Ok(())
    }

    fn load_file(&mut self, node: NodeId, path: &Path) -> io::Result<()> {
        let file = File::open(path)?;
        let mut offset = 0;
        let mut buffer = vec![0; COPY_BYTES];
        loop {
            let len = file.read_at(&mut buffer, offset)?;
            let Some(bytes) = buffer.get(..len).filter(|bytes| !bytes.is_empty()) else {
                break;
            };
            let payload = self.record.keep(bytes)?;
            self.record.push(Op::Write {
                node,
                offset,
                payload,
            });
            offset += u64::try_from(len).map_err(io::Error::other)?;
        }
        self.sync(node);
        Ok(())
    }

    fn enter(
        &mut self,
        dir: NodeId,
        name: &OsStr,
        directory: bool,
        mode: u32,
    ) -> io::Result<NodeId> {
        let node = self.tree.add(dir, name, directory)?;
        self.record.add_node(
            node,
            NodeMeta {
                directory,
                mode: mode & MODE_BITS,
            },
        );
        self.record.push(Op::Enter {
            dir,
            name: name.to_owned(),
            node,
        });
        Ok(node)
    }

    pub(crate) fn create(&mut self, dir: NodeId, name: &OsStr, mode: u32) -> io::Result<NodeId> {
        let path = self.tree.entry_path(dir, name)?;
        let mode = mode & MODE_BITS;
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&path)?;
        // The caller's umask is in `mode` already; this process's own must not narrow it further.
        fs::set_permissions(&path, Permissions::from_mode(mode))?;
        self.enter(dir, name, false, mode)
    }

    pub(crate) fn mkdir(&mut self, dir: NodeId, name: &OsStr, mode: u32) -> io::Result<NodeId> {
        let path = self.tree.entry_path(dir, name)?;
        let mode = mode & MODE_BITS;
        DirBuilder::new().mode(mode).create(&path)?;
        fs::set_permissions(&path, Permissions::from_mode(mode))?;
        self.enter(dir, name, true, mode)
    }

    pub(crate) fn link(&mut self, node: NodeId, dir: NodeId, name: &OsStr) -> io::Result<()> {
        fs::hard_link(self.tree.path(node)?, self.tree.entry_path(dir, name)?)?;
        self.tree.link(node, dir, name)?;
        self.record.push(Op::Enter {
            dir,
            name: name.to_owned(),
            node,
        });
        Ok(())
    }

    pub(crate) fn remove(&mut self, dir: NodeId, name: &OsStr) -> io::Result<()> {
        let node = self.tree.child(dir, name)?;
        let path = self.tree.entry_path(dir, name)?;
        let directory = self.tree.is_dir(node)?;
        if directory {
            fs::remove_dir(path)
        } else {
            fs::remove_file(path)
        }?;
        self.tree.unlink(dir, name)?;
        self.record.push(Op::Remove {
            dir,
            name: name.to_owned(),
        });
        Ok(())
    }

    pub(crate) fn rename(
        &mut self,
        from: (NodeId, &OsStr),
        to: (NodeId, &OsStr),
        keep_target: bool,
    ) -> io::Result<()> {
        let node = self.tree.child(from.0, from.1)?;
        let target = self.tree.child(to.0, to.1).ok();
        if keep_target && target.is_some() {
            return Err(Errno::EXIST.into());
        }
        fs::rename(
            self.tree.entry_path(from.0, from.1)?,
            self.tree.entry_path(to.0, to.1)?,
        )?;
        if target == Some(node) {
            // POSIX: renaming one name of a file to another name of the same file does nothing.
            return Ok(());
        }
        self.tree.unlink(to.0, to.1)?;
        self.tree.unlink(from.0, from.1)?;
        self.tree.link(node, to.0, to.1)?;
        let (from, to) = ((from.0, from.1.to_owned()), (to.0, to.1.to_owned()));
        self.record.push(Op::Rename { node, from, to });
        Ok(())
    }

    pub(crate) fn read(&self, node: NodeId, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        let file = self.tree.file(node)?;
        let mut bytes = vec![0; len];
        let mut filled = 0;
        let mut at = offset;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            let got = file.read_at(rest, at)?;
            if got == 0 {
                break;
            }
            filled += got;
            at += u64::try_from(got).map_err(io::Error::other)?;
        }
        bytes.truncate(filled);
        Ok(bytes)
    }

    /// Writes all of `bytes` or records what the backing folder took of it.
    pub(crate) fn write(&mut self, node: NodeId, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.tree.file(node)?.write_at(bytes, offset)?;
        let taken_bytes = bytes.get(..taken).unwrap_or(bytes);
        let payload = self.record.keep(taken_bytes)?;
        self.record.push(Op::Write {
            node,
            offset,
            payload,
        });
        Ok(taken)
    }

    pub(crate) fn set_size(&mut self, node: NodeId, size: u64) -> io::Result<()> {
        self.tree.file(node)?.set_len(size)?;
        self.record.push(Op::SetSize { node, size });
        Ok(())
    }

    pub(crate) fn set_mode(&mut self, node: NodeId, mode: u32) -> io::Result<()> {
        let mode = mode & MODE_BITS;
        fs::set_permissions(self.tree.path(node)?, Permissions::from_mode(mode))?;
        self.record.set_mode(node, mode);
        Ok(())
    }

    pub(crate) fn set_owner(
        &mut self,
        node: NodeId,
        uid: Option<u32>,
        gid: Option<u32>,
    ) -> io::Result<()> {
        chown(self.tree.path(node)?, uid, gid)
    }

    /// fallocate: reserved room is zeros and perhaps a new size; the content is what is recorded.
    pub(crate) fn allocate(
        &mut self,
        node: NodeId,
        offset: u64,
        len: u64,
        flags: FallocateFlags,
    ) -> io::Result<()> {
        let keep_size = flags.contains(FallocateFlags::KEEP_SIZE);
        let zeroes = flags.intersects(FallocateFlags::ZERO_RANGE | FallocateFlags::PUNCH_HOLE);
        let known =
            FallocateFlags::KEEP_SIZE | FallocateFlags::ZERO_RANGE | FallocateFlags::PUNCH_HOLE;
        if !known.contains(flags) {
            return Err(Errno::OPNOTSUPP.into());
        }
        let file = self.tree.file(node)?;
        rustix::fs::fallocate(&*file, flags, offset, len)?;
        if zeroes {
            self.record.push(Op::Zero {
                node,
                offset,
                len,
                keep_size,
            });
        } else if !keep_size {
            let size = file.metadata()?.len();
            self.record.push(Op::SetSize { node, size });
        }
        Ok(())
    }

    /// A sync of a file or folder. The backing folder itself is not synced: the record is what lasts.
    pub(crate) fn sync(&mut self, node: NodeId) {
        self.record.push(Op::Sync { node });
    }
}
