//! Marked copies of what the centre must know ahead of a backlog, on a small stream of their own. The stream is its own cursor: its
//! last event names the index from which on alerts are sent.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gateway_log::{Log, LogFailed};
use schemas::envelope::{self, Signed};
use schemas::event::Event;
use schemas::uplink::{Record, is_alert, signed_bytes};

use crate::backoff::Backoff;
use crate::chunk::Unreadable;
use crate::downlink::Stored;
use crate::uplink::off_loop;
use crate::{Pace, Store, StoreError, Stores};

/// Alerts in one append.
const APPEND_LEN: usize = 32;

/// Where in the log the alerts are, so that nobody reads weeks of it to find a few. Whoever follows the log says each event. All clones
/// are one.
#[derive(Debug, Clone, Default)]
pub struct AlertIndex(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    indexes: BTreeSet<u64>,
    /// Before this index nobody knows where alerts are.
    unsearched: u64,
}

impl AlertIndex {
    /// Of alerts at these indexes.
    pub fn of(indexes: impl IntoIterator<Item = u64>) -> Self {
        let indexes = indexes.into_iter().collect();
        Self(Arc::new(Mutex::new(Known {
            indexes,
            unsearched: 0,
        })))
    }

    /// Of a log of which nobody has followed the events before this index. They are looked through once, as far as the alerts' stream does
    /// not have them.
    pub fn unknown_before(unsearched: u64) -> Self {
        Self(Arc::new(Mutex::new(Known {
            indexes: BTreeSet::new(),
            unsearched,
        })))
    }

    /// Takes an event in. It must not be durable yet: [`Alerts`] looks behind what is durable, once, and passes over what it was not told of.
    pub fn follow(&self, index: u64, event: &Event) {
        if is_alert(event) {
            self.known().indexes.insert(index);
        }
    }

    /// Forgets what is not in the log any more.
    pub fn forget_before(&self, first_index: u64) {
        let mut known = self.known();
        known.indexes = known.indexes.split_off(&first_index);
    }

    /// The indexes, ascending; none while there are events that nobody has looked through.
    pub fn to_vec(&self) -> Option<Vec<u64>> {
        let known = self.known();
        (known.unsearched == 0).then(|| known.indexes.iter().copied().collect())
    }

    /// The first few within the range, ascending.
    fn within(&self, range: Range<u64>) -> Vec<u64> {
        // A range that ends before it begins makes a set panic.
        let before = |index: &u64| *index < range.end;
        let known = self.known();
        let alerts = known.indexes.range(range.start..).copied();
        alerts.take_while(before).take(APPEND_LEN).collect()
    }

    /// Looks through the events from this index on that nobody has followed. Reads the disk.
    fn search(&self, log: &Log, from: u64) -> Result<(), LogFailed> {
        let from = from.max(log.first_index());
        let unsearched = self.known().unsearched;
        if from < unsearched {
            for stored in log.read(from..unsearched) {
                let (index, signed) = stored?;
                if let Ok(entry) = envelope::read(&signed) {
                    self.follow(index, &entry.event);
                }
            }
        }
        self.known().unsearched = 0;
        Ok(())
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Carries the alerts.
#[derive(Debug)]
pub struct Alerts<S> {
    /// The log.
    pub log: Log,
    /// Where its alerts are.
    pub index: AlertIndex,
    /// Connections.
    pub stores: Arc<S>,
    /// The stream.
    pub stream: String,
    /// For deadlines only: alerts do not wait.
    pub pace: Pace,
    /// A random number, so that stations do not try again in step.
    pub chance: fn() -> u32,
}

/// Alerts found, and up to where.
struct Found {
    records: Vec<Record>,
    end: u64,
}

impl<S: Stores> Alerts<S> {
    /// Carries for ever. May be dropped at any moment.
    pub async fn run(self) {
        let mut backoff = Backoff::new();
        let mut looked = None;
        loop {
            if let Err(error) = self.carry(&mut looked, &mut backoff).await {
                tracing::debug!(%error, "alerts do not reach the centre");
            }
            tokio::time::sleep(backoff.next((self.chance)())).await;
        }
    }

    /// `looked`: before this index every alert was sent in this life, or was there already. None: nobody was asked yet.
    async fn carry(
        &self,
        looked: &mut Option<u64>,
        backoff: &mut Backoff,
    ) -> Result<(), StoreError> {
        let mut heads = self.log.heads();
        let mut from = match *looked {
            Some(from) => from,
            None => self.begin().await?,
        };
        loop {
            *looked = Some(from);
            // From here on a connection is made only when there is something to say: alerts are rare.
            let found = self.find(from).await?;
            if found.records.is_empty() {
                from = found.end;
                if from < self.log.size() {
                    continue;
                }
                backoff.reset();
                if heads.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
                continue;
            }
            self.send(found.records).await?;
            from = found.end;
        }
    }

    /// Where alerts are looked for from: behind the last one that the stream has of this log.
    async fn begin(&self) -> Result<u64, StoreError> {
        let first = self.log.first_index();
        let last = self.stores.connect()?.last(&self.stream).await?;
        let behind = last.and_then(|last| self.index_of(&last));
        let from = behind.map_or(first, |index| first.max(index.saturating_add(1)));
        let (log, index) = (self.log.clone(), self.index.clone());
        // What comes from now on is not held up by what is old and goes up with the log.
        if let Err(error) = off_loop(move || index.search(&log, from)).await? {
            tracing::error!(%error, "the log cannot be looked through for alerts of an earlier version's time");
        }
        Ok(from)
    }

    /// Sends those that the stream does not have yet.
    async fn send(&self, mut records: Vec<Record>) -> Result<(), StoreError> {
        let store = self.stores.connect()?;
        let last = store.last(&self.stream).await?;
        let behind = last.as_ref().and_then(|last| self.index_of(last));
        records.retain(|record| behind.is_none_or(|behind| index(record) > Some(behind)));
        let mut expected = last.map(|last| last.revision);
        for part in records.chunks(APPEND_LEN) {
            let bytes = part.iter().map(Record::append_len).sum();
            let deadline = self.pace.deadline(bytes).max(Duration::from_secs(10));
            store
                .append(&self.stream, expected, part.to_vec(), deadline)
                .await?;
            let len = u64::try_from(part.len()).unwrap_or(0);
            expected = Some(expected.map_or(len.saturating_sub(1), |last| last + len));
        }
        Ok(())
    }

    /// The index of an alert that the stream has, if it is of this log and not of one before it.
    fn index_of(&self, last: &Stored) -> Option<u64> {
        let (signed, _) = signed_bytes(&last.data, &last.metadata).ok()?;
        let signed = Signed::read(&signed).ok()?;
        (signed.origin().as_str() == self.log.origin()).then(|| signed.index())
    }

    async fn find(&self, from: u64) -> Result<Found, StoreError> {
        let (log, index) = (self.log.clone(), self.index.clone());
        let found = off_loop(move || find(&log, &index, from)).await?;
        found.map_err(|error| StoreError::Failed(error.to_string()))
    }
}

fn find(log: &Log, alerts: &AlertIndex, from: u64) -> Result<Found, Unreadable> {
    // What is not durable yet is not in the log's size, and is found when it is.
    let size = log.size();
    let indexes = alerts.within(from.max(log.first_index())..size);
    let mut found = Found {
        records: Vec::with_capacity(indexes.len()),
        end: size.max(from),
    };
    if let (APPEND_LEN.., Some(last)) = (indexes.len(), indexes.last()) {
        found.end = last.saturating_add(1);
    }
    for index in indexes {
        for stored in log.read(index..index.saturating_add(1)) {
            let (index, signed) = stored?;
            let record = Record::of(&signed, None);
            found
                .records
                .push(record.map_err(|error| Unreadable::Event(index, error))?);
        }
    }
    Ok(found)
}

fn index(record: &Record) -> Option<u64> {
    let metadata: Option<schemas::uplink::Metadata> = serde_json::from_slice(&record.metadata).ok();
    metadata.map(|metadata| metadata.index)
}
