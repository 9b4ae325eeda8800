//! A registered log and what the loop knows of its reading.

use std::io;
use std::time::{Duration, Instant};

use super::checkpoints::Fork;
use super::fault::Fault;
use super::folder::{Folder, read_json, write_json};
use super::link::Page;
use super::log::{Log, NotUsable};
use super::registration::Registration;
use super::stored::Stored;

/// The state is saved, and the station is told, so often at the most.
const SETTLE: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Debug)]
pub(super) struct Followed {
    pub(super) log: Log,
    /// The store may have more of it.
    pub(super) behind: bool,
    /// The connection is new: the last verified event is read once more, and has to be the same.
    doubted: bool,
    /// Since when the store has ended before what was verified.
    short_since: Option<Instant>,
    /// Not saved yet.
    changed: bool,
    settled: Option<Instant>,
    /// Why it cannot be read now.
    pub(super) trouble: Option<String>,
}

impl Followed {
    /// As it was saved, or from its beginning.
    pub(super) fn open(folder: &Folder, registration: Registration) -> io::Result<Self> {
        let path = folder
            .logs()
            .join(format!("{}.json", registration.stream()));
        let log = match read_json(&path)? {
            Some(saved) => Log::restore(registration, saved).map_err(|error: NotUsable| {
                io::Error::other(format!("{}: {error}", path.display()))
            })?,
            None => Log::new(registration),
        };
        Ok(Self {
            log,
            behind: true,
            doubted: true,
            short_since: None,
            changed: false,
            settled: None,
            trouble: None,
        })
    }

    /// The connection was lost: the store may be another one now.
    pub(super) fn doubt(&mut self) {
        self.doubted = true;
        self.behind = true;
        self.short_since = None;
    }

    /// The revision to read from.
    pub(super) fn from(&self) -> u64 {
        let again = u64::from(self.doubted);
        self.log.size().saturating_sub(again)
    }

    /// Whether there is something to read.
    pub(super) fn is_wanted(&self) -> bool {
        self.behind && self.log.fault().is_none()
    }

    /// What the stream gave, when it was asked for up to `len_max` events from [`Self::from`] on.
    pub(super) fn take(&mut self, page: Page, len_max: usize, patience: Duration) -> Option<Fork> {
        let size = self.log.size();
        let events = match page {
            Page::Events(events) => events,
            Page::None => Vec::new(),
            Page::Deleted => {
                self.stop(size, Fault::Deleted);
                return None;
            }
        };
        self.behind = events.len() >= len_max;
        let events = self.agreed(&events, patience)?;
        let proof = self.log.take_all(events);
        self.changed |= size != self.log.size() || self.log.fault().is_some();
        proof
    }

    /// The events behind those that were verified. `None`: the store does not have what it had.
    fn agreed<'a>(&mut self, events: &'a [Stored], patience: Duration) -> Option<&'a [Stored]> {
        let last = self.log.size().checked_sub(1);
        let Some(last) = last.filter(|_| self.doubted) else {
            self.doubted = false;
            return Some(events);
        };
        let Some((first, rest)) = events.split_first() else {
            // A node that is not up to date looks like this for a moment.
            let since = *self.short_since.get_or_insert_with(Instant::now);
            self.behind = true;
            if since.elapsed() >= patience {
                self.stop(last, Fault::StoreBehind);
            }
            return None;
        };
        self.short_since = None;
        self.doubted = false;
        let is_same = Some(hex::encode(first.id).as_str()) == self.log.last_id();
        if first.revision == last && is_same {
            return Some(rest);
        }
        self.stop(last, Fault::OtherHistory);
        None
    }

    /// The store ends before what was verified.
    pub(super) fn is_short(&self) -> bool {
        self.short_since.is_some()
    }

    pub(super) fn stop(&mut self, revision: u64, fault: Fault) {
        self.log.stop(revision, fault);
        self.changed = true;
    }

    /// Something of it was changed that has to be saved.
    pub(super) fn touch(&mut self) {
        self.changed = true;
    }

    /// Whether it is time to save it and to tell the station.
    pub(super) fn is_due(&self) -> bool {
        let is_asked = !self.log.figures().erasures().is_empty() && self.log.fault().is_none();
        let news = self.changed || self.is_owed() || is_asked;
        news && self.settled.is_none_or(|at| at.elapsed() >= SETTLE)
    }

    /// Whether the station is owed an acknowledgement.
    pub(super) fn is_owed(&self) -> bool {
        let log = &self.log;
        log.fault().is_none() && !self.is_short() && log.size() > log.acknowledged()
    }

    pub(super) fn settle(&mut self) {
        self.settled = Some(Instant::now());
    }

    /// Durable when this returns.
    pub(super) fn save(&mut self, folder: &Folder) -> io::Result<()> {
        if self.changed {
            let stream = self.log.registration().stream();
            let path = folder.logs().join(format!("{stream}.json"));
            write_json(&path, &self.log.save())?;
            self.changed = false;
        }
        Ok(())
    }
}
