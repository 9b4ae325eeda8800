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
pub(crate) struct RoomKeeper {
    folder: PathBuf,
    options: RoomOptions,
    /// Whether the reserve is held. Changed by swapping, so that of two who look at once only one acts.
    reserved: AtomicBool,
    free_bytes: FreeBytes,
}

/// How much may still be written in a folder, in bytes; an argument so that a full disk can be played.
type FreeBytes = fn(&Path) -> std::io::Result<u64>;

impl RoomKeeper {
    /// Refuses to begin with too little room; else makes sure of the reserve.
    pub(crate) fn open(folder: &Path, options: RoomOptions) -> Result<Self, OpenError> {
        Self::open_with(folder, options, free_bytes)
    }

    fn open_with(
        folder: &Path,
        options: RoomOptions,
        free_bytes: FreeBytes,
    ) -> Result<Self, OpenError> {
        let reserve = folder.join("RESERVE");
        let held_bytes = reserve.metadata().map_or(0, |metadata| metadata.len());
        let free = free_bytes(folder).map_err(OpenError::io("ask for free room"))?;
        let missing_bytes = options.reserve_bytes.saturating_sub(held_bytes);
        let needed_bytes = options.critical_bytes.saturating_add(missing_bytes);
        if free < needed_bytes {
            return Err(OpenError::NoRoom {
                free_bytes: free,
                needed_bytes,
            });
        }
        let reserved = AtomicBool::new(true);
        let keeper = Self {
            folder: folder.to_owned(),
            options,
            reserved,
            free_bytes,
        };
        if held_bytes != options.reserve_bytes {
            keeper
                .take_reserve()
                .map_err(OpenError::io("set room aside"))?;
        }
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
        let free_bytes = (self.free_bytes)(&self.folder)?.saturating_sub(given_back);
        let level = self.level(free_bytes);
        match level {
            RoomLevel::Critical if self.reserved.swap(false, Ordering::AcqRel) => {
                self.give_reserve_back()?;
                tracing::error!(
                    free_bytes,
                    "disk nearly full: the log's reserve was given back"
                );
            }
            RoomLevel::Ample if !self.reserved.swap(true, Ordering::AcqRel) => {
                self.take_reserve()?;
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
        let free_bytes = (self.free_bytes)(&self.folder).map_err(failed)?;
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
pub(crate) fn free_bytes(folder: &Path) -> std::io::Result<u64> {
    let stat = rustix::fs::statvfs(folder)?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;

    const OPTIONS: RoomOptions = RoomOptions {
        low_bytes: 4000,
        critical_bytes: 2000,
        reserve_bytes: 1000,
        floor_bytes: 500,
    };
    /// What the played disk has free. One test uses it.
    static FREE: AtomicU64 = AtomicU64::new(0);

    /// G4: a filling disk is noticed in steps, the reserve is given back once and not counted as room, the log fails
    /// before the disk's end, and everything goes on by itself when there is room again.
    #[test]
    fn a_filling_disk_is_noticed_in_steps() {
        let place = tempfile::tempdir().unwrap();
        let held = || place.path().join("RESERVE").metadata().unwrap().len();
        let open =
            || RoomKeeper::open_with(place.path(), OPTIONS, |_| Ok(FREE.load(Ordering::SeqCst)));
        FREE.store(2999, Ordering::SeqCst);
        assert!(matches!(
            open(),
            Err(OpenError::NoRoom {
                free_bytes: 2999,
                needed_bytes: 3000
            })
        ));
        FREE.store(9000, Ordering::SeqCst);
        let keeper = open().unwrap_or_else(|error| unreachable!("{error}"));
        // Free bytes as the disk tells them; level; reserve afterwards; whether a write may begin.
        let steps = [
            (9000, RoomLevel::Ample, 1000, true),
            (3999, RoomLevel::Low, 1000, true),
            (1999, RoomLevel::Critical, 0, true),
            (2999, RoomLevel::Critical, 0, true),
            (499, RoomLevel::Critical, 0, false),
            (3500, RoomLevel::Low, 0, true),
            (5000, RoomLevel::Ample, 1000, true),
        ];
        for (free, level, reserve, may_write) in steps {
            FREE.store(free, Ordering::SeqCst);
            assert_eq!(keeper.look().unwrap().level, level, "{free} free");
            assert_eq!(held(), reserve, "{free} free");
            assert_eq!(keeper.before_write().is_ok(), may_write, "{free} free");
        }
    }
}
