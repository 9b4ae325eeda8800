//! The kernel's side: FUSE requests in, operations of [`Live`] out.
//!
//! Owns: the translation and nothing else. Requests are served by one thread, one after the other,
//! so the record's order is the order in which callers can have seen the effects. There is no
//! write-back cache: a `write` returns after it has been recorded. `sync_file_range`, `sync` and
//! `syncfs` send no request to a FUSE file system, so they make nothing durable here. Locks are
//! left to the kernel. Symbolic links and special files are refused.

use std::ffi::OsStr;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fuser::{
    BsdFileFlags, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation,
    INodeNo, LockOwner, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory,
    ReplyEmpty, ReplyEntry, ReplyOpen, ReplyStatfs, ReplyWrite, Request, TimeOrNow, WriteFlags,
};
use rustix::fs::{FallocateFlags, OFlags};

use crate::live::Live;
use crate::record::NodeId;

/// The kernel is the only one that changes the tree, so what it has cached stays true.
const TTL: Duration = Duration::from_mins(1);
const GENERATION: Generation = Generation(0);
const NO_HANDLE: FileHandle = FileHandle(0);

/// The mounted file system.
#[derive(Debug)]
pub(crate) struct RecordingFs {
    live: Arc<Mutex<Live>>,
}

impl RecordingFs {
    pub(crate) fn new(live: Arc<Mutex<Live>>) -> Self {
        Self { live }
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn entry(&self, node: io::Result<NodeId>, reply: ReplyEntry) {
        match node.and_then(|node| attributes(&self.live(), node)) {
            Ok(attr) => reply.entry(&TTL, &attr, GENERATION),
            Err(error) => reply.error(errno(error)),
        }
    }
}

fn node(ino: INodeNo) -> NodeId {
    NodeId(ino.0)
}

/// An error without a number (a full vector, a poisoned path) is an I/O error to the caller.
fn errno(error: io::Error) -> Errno {
    if error.raw_os_error().is_some() {
        error.into()
    } else {
        Errno::EIO
    }
}

fn empty(result: io::Result<()>, reply: ReplyEmpty) {
    match result {
        Ok(()) => reply.ok(),
        Err(error) => reply.error(errno(error)),
    }
}

fn attributes(live: &Live, node: NodeId) -> io::Result<FileAttr> {
    let meta = live.tree.metadata(node)?;
    let kind = if meta.is_dir() {
        FileType::Directory
    } else {
        FileType::RegularFile
    };
    Ok(FileAttr {
        ino: INodeNo(node.0),
        size: meta.len(),
        blocks: meta.blocks(),
        atime: meta.accessed().unwrap_or(UNIX_EPOCH),
        mtime: meta.modified().unwrap_or(UNIX_EPOCH),
        ctime: meta.modified().unwrap_or(UNIX_EPOCH),
        crtime: UNIX_EPOCH,
        kind,
        perm: u16::try_from(meta.mode() & 0o7777).unwrap_or(0o600),
        nlink: u32::try_from(meta.nlink()).unwrap_or(1),
        uid: meta.uid(),
        gid: meta.gid(),
        rdev: 0,
        blksize: 4096,
        flags: 0,
    })
}

fn moment(time: TimeOrNow) -> SystemTime {
    match time {
        TimeOrNow::SpecificTime(at) => at,
        TimeOrNow::Now => SystemTime::now(),
    }
}

fn list(live: &Live, dir: NodeId, offset: u64, reply: &mut ReplyDirectory) -> io::Result<()> {
    let dots = [
        (dir, OsStr::new(".")),
        (live.tree.parent(dir)?, OsStr::new("..")),
    ];
    let entries = live
        .tree
        .entries(dir)?
        .iter()
        .map(|(name, node)| (*node, name.as_os_str()));
    let start = usize::try_from(offset).map_err(io::Error::other)?;
    for (next, (node, name)) in (1_u64..).zip(dots.into_iter().chain(entries)).skip(start) {
        let directory = live.tree.is_dir(node)?;
        let kind = if directory {
            FileType::Directory
        } else {
            FileType::RegularFile
        };
        if reply.add(INodeNo(node.0), next, kind, name) {
            break;
        }
    }
    Ok(())
}

impl Filesystem for RecordingFs {
    fn lookup(&self, _req: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let found = self.live().tree.child(node(parent), name);
        self.entry(found, reply);
    }

    fn getattr(&self, _req: &Request, ino: INodeNo, _fh: Option<FileHandle>, reply: ReplyAttr) {
        match attributes(&self.live(), node(ino)) {
            Ok(attr) => reply.attr(&TTL, &attr),
            Err(error) => reply.error(errno(error)),
        }
    }

    fn setattr(
        &self,
        _req: &Request,
        ino: INodeNo,
        mode: Option<u32>,
        uid: Option<u32>,
        gid: Option<u32>,
        size: Option<u64>,
        atime: Option<TimeOrNow>,
        mtime: Option<TimeOrNow>,
        _ctime: Option<SystemTime>,
        _fh: Option<FileHandle>,
        _crtime: Option<SystemTime>,
        _chgtime: Option<SystemTime>,
        _bkuptime: Option<SystemTime>,
        _flags: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let change = |live: &mut Live| -> io::Result<FileAttr> {
            if let Some(mode) = mode {
                live.set_mode(node(ino), mode)?;
            }
            if uid.is_some() || gid.is_some() {
                live.set_owner(node(ino), uid, gid)?;
            }
            if let Some(size) = size {
                live.set_size(node(ino), size)?;
            }
            if let Some(mtime) = mtime.filter(|_| !live.tree.is_dir(node(ino)).unwrap_or(true)) {
                let times = std::fs::FileTimes::new().set_modified(moment(mtime));
                let times = atime.map_or(times, |at| times.set_accessed(moment(at)));
                live.tree.file(node(ino))?.set_times(times)?;
            }
            attributes(live, node(ino))
        };
        match change(&mut self.live()) {
            Ok(attr) => reply.attr(&TTL, &attr),
            Err(error) => reply.error(errno(error)),
        }
    }

    fn mkdir(
        &self,
        _req: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        _umask: u32,
        reply: ReplyEntry,
    ) {
        let made = self.live().mkdir(node(parent), name, mode);
        self.entry(made, reply);
    }

    fn unlink(&self, _req: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        empty(self.live().remove(node(parent), name), reply);
    }

    fn rmdir(&self, _req: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        empty(self.live().remove(node(parent), name), reply);
    }

    fn rename(
        &self,
        _req: &Request,
        parent: INodeNo,
        name: &OsStr,
        newparent: INodeNo,
        newname: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        if flags.intersects(RenameFlags::RENAME_EXCHANGE | RenameFlags::RENAME_WHITEOUT) {
            reply.error(Errno::EINVAL);
            return;
        }
        let keep_target = flags.contains(RenameFlags::RENAME_NOREPLACE);
        let (from, to) = ((node(parent), name), (node(newparent), newname));
        empty(self.live().rename(from, to, keep_target), reply);
    }

    fn link(
        &self,
        _req: &Request,
        ino: INodeNo,
        newparent: INodeNo,
        newname: &OsStr,
        reply: ReplyEntry,
    ) {
        let linked = self
            .live()
            .link(node(ino), node(newparent), newname)
            .map(|()| node(ino));
        self.entry(linked, reply);
    }

    fn open(&self, _req: &Request, ino: INodeNo, _flags: OpenFlags, reply: ReplyOpen) {
        let opened = self.live().tree.open(node(ino));
        match opened {
            Ok(()) => reply.opened(NO_HANDLE, FopenFlags::FOPEN_KEEP_CACHE),
            Err(error) => reply.error(errno(error)),
        }
    }

    fn create(
        &self,
        _req: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        _umask: u32,
        _flags: i32,
        reply: ReplyCreate,
    ) {
        let create = |live: &mut Live| -> io::Result<FileAttr> {
            let made = live.create(node(parent), name, mode)?;
            live.tree.open(made)?;
            attributes(live, made)
        };
        match create(&mut self.live()) {
            Ok(attr) => {
                reply.created(
                    &TTL,
                    &attr,
                    GENERATION,
                    NO_HANDLE,
                    FopenFlags::FOPEN_KEEP_CACHE,
                );
            }
            Err(error) => reply.error(errno(error)),
        }
    }

    fn read(
        &self,
        _req: &Request,
        ino: INodeNo,
        _fh: FileHandle,
        offset: u64,
        size: u32,
        _flags: OpenFlags,
        _lock_owner: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let len = usize::try_from(size).unwrap_or(0);
        match self.live().read(node(ino), offset, len) {
            Ok(bytes) => reply.data(&bytes),
            Err(error) => reply.error(errno(error)),
        }
    }

    fn write(
        &self,
        _req: &Request,
        ino: INodeNo,
        _fh: FileHandle,
        offset: u64,
        data: &[u8],
        _write_flags: WriteFlags,
        flags: OpenFlags,
        _lock_owner: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let mut live = self.live();
        match live.write(node(ino), offset, data) {
            Ok(taken) => {
                // O_SYNC contains O_DSYNC; either promises that this write is on disk now.
                if flags.0.cast_unsigned() & OFlags::DSYNC.bits() != 0 {
                    live.sync(node(ino));
                }
                reply.written(u32::try_from(taken).unwrap_or(0));
            }
            Err(error) => reply.error(errno(error)),
        }
    }

    fn flush(
        &self,
        _req: &Request,
        _ino: INodeNo,
        _fh: FileHandle,
        _lock_owner: LockOwner,
        reply: ReplyEmpty,
    ) {
        reply.ok();
    }

    fn release(
        &self,
        _req: &Request,
        ino: INodeNo,
        _fh: FileHandle,
        _flags: OpenFlags,
        _lock_owner: Option<LockOwner>,
        _flush: bool,
        reply: ReplyEmpty,
    ) {
        empty(self.live().tree.release(node(ino)), reply);
    }

    fn fsync(
        &self,
        _req: &Request,
        ino: INodeNo,
        _fh: FileHandle,
        _datasync: bool,
        reply: ReplyEmpty,
    ) {
        self.live().sync(node(ino));
        reply.ok();
    }

    fn readdir(
        &self,
        _req: &Request,
        ino: INodeNo,
        _fh: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        match list(&self.live(), node(ino), offset, &mut reply) {
            Ok(()) => reply.ok(),
            Err(error) => reply.error(errno(error)),
        }
    }

    fn fsyncdir(
        &self,
        _req: &Request,
        ino: INodeNo,
        _fh: FileHandle,
        _datasync: bool,
        reply: ReplyEmpty,
    ) {
        self.live().sync(node(ino));
        reply.ok();
    }

    fn statfs(&self, _req: &Request, ino: INodeNo, reply: ReplyStatfs) {
        let path = self.live().tree.path(node(ino));
        match path.and_then(|path| Ok(rustix::fs::statvfs(path)?)) {
            Ok(at) => reply.statfs(
                at.f_blocks,
                at.f_bfree,
                at.f_bavail,
                at.f_files,
                at.f_ffree,
                u32::try_from(at.f_bsize).unwrap_or(4096),
                255,
                u32::try_from(at.f_frsize).unwrap_or(4096),
            ),
            Err(error) => reply.error(errno(error)),
        }
    }

    fn fallocate(
        &self,
        _req: &Request,
        ino: INodeNo,
        _fh: FileHandle,
        offset: u64,
        length: u64,
        mode: i32,
        reply: ReplyEmpty,
    ) {
        let flags = FallocateFlags::from_bits_retain(mode.cast_unsigned());
        empty(
            self.live().allocate(node(ino), offset, length, flags),
            reply,
        );
    }
}
