//! Room on the log's disk. sled must never meet its end: its error is sticky and leaves the folder in doubt.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{LogFailed, OpenError};

/// When to be careful, in bytes of the log's file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoomOptions {
    /// Below this, no new sessions.
    pub low_bytes: u64,
    /// Below this, the reserve is given back so that what has begun can be finished.
    pub critical_bytes: u64,
    /// Preallocated; 0 for none.
    pub reserve_bytes: u64,
    /// Below this, reserve given back and all, the log fails before sled does.
    pub floor_bytes: u64,
}

impl Default for RoomOptions {
    fn default() -> Self {
        Self {
            low_bytes: 128 << 20,
            critical_bytes: 48 << 20,
            reserve_bytes: 16 << 20,
            floor_bytes: 8 << 20,
        }
    }
}

/// What is left for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Free bytes, the reserve not counted.
    pub free_bytes: u64,
    /// What that means.
    pub level: RoomLevel,
}

/// How careful to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RoomLevel {
    /// Go on.
    Ample,
    /// Begin nothing new.
    Low,
    /// Finish what has begun; the reserve has been given back for it.
    Critical,
}

/// Watches one folder's file system and keeps its reserve.
#[derive(Debug)]
pub(crate) struct RoomKeeper {
    folder: PathBuf,
    options: RoomOptions,
    reserved: AtomicBool,
}

impl RoomKeeper {
    /// Refuses to begin with too little room; else makes sure of the reserve.
    pub(crate) fn open(folder: &Path, options: RoomOptions) -> Result<Self, OpenError> {
        let reserve = folder.join("RESERVE");
        let held_bytes = reserve.metadata().map_or(0, |metadata| metadata.len());
        let free_bytes = free_bytes(folder).map_err(OpenError::io("ask for free room"))?;
        let needed_bytes =
            options.critical_bytes + options.reserve_bytes.saturating_sub(held_bytes);
        if free_bytes < needed_bytes {
            return Err(OpenError::NoRoom {
                free_bytes,
                needed_bytes,
            });
        }
        let keeper = Self {
            folder: folder.to_owned(),
            options,
            reserved: AtomicBool::new(false),
        };
        if held_bytes != options.reserve_bytes {
            keeper
                .take_reserve()
                .map_err(OpenError::io("set room aside"))?;
        }
        keeper.reserved.store(true, Ordering::Release);
        Ok(keeper)
    }

    /// Looks, and gives the reserve back or takes it again as needed.
    pub(crate) fn look(&self) -> std::io::Result<Room> {
        let reserved = self.reserved.load(Ordering::Acquire);
        let given_back = if reserved {
            0
        } else {
            self.options.reserve_bytes
        };
        let free_bytes = free_bytes(&self.folder)?.saturating_sub(given_back);
        let level = self.level(free_bytes);
        match level {
            RoomLevel::Critical if reserved => {
                self.reserved.store(false, Ordering::Release);
                self.give_reserve_back()?;
                tracing::error!(
                    free_bytes,
                    "disk nearly full: the log's reserve was given back"
                );
            }
            RoomLevel::Ample if !reserved => {
                self.take_reserve()?;
                self.reserved.store(true, Ordering::Release);
                tracing::info!(
                    free_bytes,
                    "there is room again: the log's reserve was taken"
                );
            }
            RoomLevel::Ample | RoomLevel::Low | RoomLevel::Critical => {}
        }
        Ok(Room { free_bytes, level })
    }

    /// Fails when a write of `bytes` could bring sled to the end of the disk.
    pub(crate) fn before_write(&self) -> Result<(), LogFailed> {
        let failed = |error: std::io::Error| LogFailed::Store(error.to_string());
        let room = self.look().map_err(failed)?;
        if room.level < RoomLevel::Critical {
            return Ok(());
        }
        let free_bytes = free_bytes(&self.folder).map_err(failed)?;
        if free_bytes < self.options.floor_bytes {
            return Err(LogFailed::NoRoom { free_bytes });
        }
        Ok(())
    }

    fn level(&self, free_bytes: u64) -> RoomLevel {
        if free_bytes < self.options.critical_bytes {
            RoomLevel::Critical
        } else if free_bytes < self.options.low_bytes {
            RoomLevel::Low
        } else {
            RoomLevel::Ample
        }
    }

    fn take_reserve(&self) -> std::io::Result<()> {
        let file = File::create(self.folder.join("RESERVE"))?;
        if self.options.reserve_bytes > 0 {
            gateway_durable::allocate(&file, self.options.reserve_bytes)?;
        }
        Ok(())
    }

    fn give_reserve_back(&self) -> std::io::Result<()> {
        let file = File::create(self.folder.join("RESERVE"))?;
        gateway_durable::sync_file(&file)
    }
}

/// What an ordinary process may still write on the file system of `folder`, in bytes.
fn free_bytes(folder: &Path) -> std::io::Result<u64> {
    let stat = rustix::fs::statvfs(folder)?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}
