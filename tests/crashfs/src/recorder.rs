//! The recorder: a mounted recording file system, and crash images from what it saw.
//!
//! Owns: the mount and its end. It must never hand out an image of a position it has not reached.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fuser::{BackgroundSession, Config, MountOption, SessionACL};
use rustix::mount::{UnmountFlags, unmount};
use thiserror::Error;

use crate::fs::RecordingFs;
use crate::image::{self, Dirs, Mode};
use crate::live::Live;
use crate::record::Seq;

const FUSE_DEVICE: &str = "/dev/fuse";

/// Why a recording could not be made or used.
#[derive(Debug, Error)]
pub enum RecorderError {
    /// The kernel offers no FUSE here, so nothing can be recorded, and nothing has been tested.
    #[error("{FUSE_DEVICE} is missing or closed to this user, no power cut can be recorded")]
    NoFuse(#[source] io::Error),
    /// The backing folder could not be read.
    #[error("the backing folder {} cannot be taken in", .0.display())]
    Backing(PathBuf, #[source] io::Error),
    /// Mounting needs root (or `fusermount3` from Debian's package fuse3).
    #[error("cannot mount on {}", .0.display())]
    Mount(PathBuf, #[source] io::Error),
    /// Something still holds the mounted folder.
    #[error("cannot unmount {}", .0.display())]
    Unmount(PathBuf, #[source] io::Error),
    /// The position lies before the start or after the end of the record.
    #[error("position {at} is outside of the recording, {start} to {end}")]
    OutOfRange {
        /// The position asked for.
        at: Seq,
        /// The first position that has an image.
        start: Seq,
        /// The last position that has an image.
        end: Seq,
    },
    /// The image could not be written.
    #[error("cannot build the crash image in {}", .0.display())]
    Image(PathBuf, #[source] io::Error),
}

/// A recording file system over a backing folder. Dropping it unmounts.
#[derive(Debug)]
pub struct Recorder {
    live: Arc<Mutex<Live>>,
    session: Option<BackgroundSession>,
    mountpoint: PathBuf,
    dirs: Dirs,
}

impl Recorder {
    /// Mounts on `mountpoint` (an empty folder) what lies in `backing`, all of which counts as synced.
    ///
    /// # Errors
    /// No FUSE on this machine, a backing folder with more than files and folders, a refused mount.
    pub fn mount(backing: &Path, mountpoint: &Path) -> Result<Self, RecorderError> {
        std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open(FUSE_DEVICE)
            .map_err(RecorderError::NoFuse)?;
        let live = Live::load(backing)
            .map_err(|error| RecorderError::Backing(backing.to_owned(), error))?;
        let live = Arc::new(Mutex::new(live));
        let mut config = Config::default();
        config.mount_options = vec![
            MountOption::FSName("crashfs".to_owned()),
            MountOption::DefaultPermissions,
            MountOption::NoAtime,
        ];
        // A gateway that gives up root must still reach its data folder.
        config.acl = SessionACL::All;
        let session = fuser::spawn_mount(RecordingFs::new(Arc::clone(&live)), mountpoint, &config)
            .map_err(|error| RecorderError::Mount(mountpoint.to_owned(), error))?;
        let mountpoint = mountpoint.to_owned();
        Ok(Self {
            live,
            session: Some(session),
            mountpoint,
            dirs: Dirs::default(),
        })
    }

    /// Chooses what makes a folder's entries durable in the images.
    #[must_use]
    pub fn with_dirs(mut self, dirs: Dirs) -> Self {
        self.dirs = dirs;
        self
    }

    /// The folder to work in.
    pub fn mountpoint(&self) -> &Path {
        &self.mountpoint
    }

    /// How many operations have been recorded. What had returned to its caller before this call is
    /// among them.
    pub fn seq(&self) -> Seq {
        self.live().record.seq()
    }

    /// The first position with an image: the backing folder as it was when mounted.
    pub fn start(&self) -> Seq {
        self.live().record.start()
    }

    /// Writes into `out` (empty or not there) what a power cut after operation `at` may leave.
    ///
    /// # Errors
    /// A position outside of the recording; an `out` that is not empty or cannot be written.
    pub fn crash_image(&self, at: Seq, mode: Mode, out: &Path) -> Result<(), RecorderError> {
        let live = self.live();
        let (start, end) = (live.record.start(), live.record.seq());
        if !(start..=end).contains(&at) {
            return Err(RecorderError::OutOfRange { at, start, end });
        }
        image::build(&live.record, at, mode, self.dirs, out)
            .map_err(|error| RecorderError::Image(out.to_owned(), error))
    }

    /// Unmounts; the record stays, for images. Whoever worked in the folder must have ended.
    ///
    /// # Errors
    /// The folder is still in use; it stays mounted.
    pub fn unmount(&mut self) -> Result<(), RecorderError> {
        self.unmount_with(UnmountFlags::empty())
    }

    /// The mount goes first, by its own call, because a session that fails to unmount is used up.
    fn unmount_with(&mut self, flags: UnmountFlags) -> Result<(), RecorderError> {
        if self.session.is_none() {
            return Ok(());
        }
        let failed = |error: io::Error| RecorderError::Unmount(self.mountpoint.clone(), error);
        unmount(&self.mountpoint, flags).map_err(|error| failed(error.into()))?;
        match self.session.take() {
            None => Ok(()),
            // A folder that is detached but still in use keeps its session until the last user ends.
            Some(session) if flags.contains(UnmountFlags::DETACH) => {
                drop(session);
                Ok(())
            }
            Some(session) => session.join().map_err(failed),
        }
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        if self.unmount().is_err()
            && let Err(error) = self.unmount_with(UnmountFlags::DETACH)
        {
            eprintln!("crashfs: {error}");
        }
    }
}
