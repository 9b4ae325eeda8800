//! Events from epoch to epoch.

use std::sync::Arc;

use super::store::Inner;
use crate::error::LogFailed;
use crate::store::{Events, SledStore, Store as _};

/// Events in index order. Ends after the first error.
pub(super) struct Walk {
    epochs: Arc<Inner>,
    next: u64,
    end: u64,
    open: Option<OpenEpoch>,
    ended: bool,
}

struct OpenEpoch {
    events: Events,
    /// The index behind its last event; none for the newest.
    end: Option<u64>,
    /// Keeps the epoch open while its events are read.
    _store: Arc<SledStore>,
}

impl Walk {
    pub(super) fn new(epochs: Arc<Inner>, range: std::ops::Range<u64>) -> Self {
        Self {
            epochs,
            next: range.start,
            end: range.end,
            open: None,
            ended: false,
        }
    }

    fn step(&mut self) -> Option<Result<(u64, Vec<u8>), LogFailed>> {
        while self.next < self.end {
            if self.open.is_none() {
                match self.enter() {
                    Ok(open) => self.open = Some(open),
                    Err(failed) => return Some(Err(failed)),
                }
            }
            let open = self.open.as_mut()?;
            match open.events.next() {
                Some(Ok((index, event))) => {
                    self.next = index.saturating_add(1);
                    return Some(Ok((index, event)));
                }
                Some(Err(failed)) => return Some(Err(failed)),
                None => {}
            }
            // The newest ends where it ends; a closed one holds all that was in it.
            let end = open.end?;
            if self.next < end.min(self.end) {
                let next = self.next;
                return Some(Err(LogFailed::Store(format!("no event at index {next}"))));
            }
            self.open = None;
        }
        None
    }

    fn enter(&self) -> Result<OpenEpoch, LogFailed> {
        let (store, end) = self.epochs.epoch_of(self.next)?;
        let until = end.map_or(self.end, |end| end.min(self.end));
        Ok(OpenEpoch {
            events: store.events(self.next..until),
            end,
            _store: store,
        })
    }
}

impl Iterator for Walk {
    type Item = Result<(u64, Vec<u8>), LogFailed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.step();
        self.ended = !matches!(next, Some(Ok(_)));
        if self.ended {
            self.open = None;
        }
        next
    }
}
