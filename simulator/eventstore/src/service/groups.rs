//! Groups of subscribers that share a stream: each event goes to one of them, until it is acknowledged.
//!
//! Groups live in memory: a restart forgets them, as nothing here is promised to be kept.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tonic::Status;
use uuid::Uuid;

use super::read::Source;
use super::subscribe::readable;
use crate::store::{Direction, Entry, Store, Window};

/// Name of the log as a stream.
pub(super) const ALL: &str = "$all";

/// Stream and group.
type Key = (String, String);

/// All groups of a server.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    groups: Mutex<HashMap<Key, Arc<Group>>>,
}

#[derive(Debug)]
pub(super) struct Group {
    source: Source,
    retries_max: u32,
    state: Mutex<State>,
    /// Changes when there may be something to take; true when the group is deleted.
    changed: watch::Sender<bool>,
}

#[derive(Debug)]
struct State {
    /// The next revision or sequence number.
    next: u64,
    again: VecDeque<Given>,
    given: HashMap<Uuid, (Given, Uuid)>,
}

/// An event that is given to a subscriber.
#[derive(Debug, Clone, Copy)]
pub(super) struct Given {
    pub(super) entry: Entry,
    pub(super) retries: u32,
}

/// What a subscriber wants to be done with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Not given again.
    Done,
    Retry,
}

impl Groups {
    /// False: there is such a group.
    pub(super) fn create(&self, key: Key, group: Group) -> bool {
        let mut groups = lock(&self.groups);
        if groups.contains_key(&key) {
            return false;
        }
        groups.insert(key, Arc::new(group));
        true
    }

    pub(super) fn get(&self, key: &Key) -> Option<Arc<Group>> {
        lock(&self.groups).get(key).cloned()
    }

    /// False: there is no such group.
    pub(super) fn delete(&self, key: &Key) -> bool {
        let group = lock(&self.groups).remove(key);
        if let Some(group) = &group {
            group.changed.send_replace(true);
        }
        group.is_some()
    }
}

impl Group {
    pub(super) fn new(source: Source, next: u64, retries_max: u32) -> Self {
        Self {
            source,
            retries_max,
            state: Mutex::new(State {
                next,
                again: VecDeque::new(),
                given: HashMap::new(),
            }),
            changed: watch::Sender::new(false),
        }
    }

    /// Changes when events came back; true when the group is deleted.
    pub(super) fn watch(&self) -> watch::Receiver<bool> {
        self.changed.subscribe()
    }

    /// Gives the next event to a subscriber.
    pub(super) fn take(&self, store: &Store, subscriber: Uuid) -> Result<Option<Given>, Status> {
        let mut state = lock(&self.state);
        let given = match state.again.pop_front() {
            Some(given) => Some(given),
            None => self.read(store, &mut state.next)?,
        };
        if let Some(given) = given {
            state.given.insert(given.entry.id, (given, subscriber));
        }
        Ok(given)
    }

    fn read(&self, store: &Store, next: &mut u64) -> Result<Option<Given>, Status> {
        loop {
            let page = store.look(|index| {
                let mut range = readable(index, &self.source)?;
                range.start = range.start.max(*next);
                let window = Window {
                    range,
                    direction: Direction::Forwards,
                };
                Ok::<_, Status>(match &self.source {
                    Source::Stream(name) => index.stream_page(name, window, 1),
                    Source::All(filter) => index.all_page(filter.as_ref(), window, 1),
                })
            })?;
            if page.considered == 0 {
                return Ok(None);
            }
            *next = page.rest.range.start;
            if let Some(entry) = page.entries.first() {
                return Ok(Some(Given {
                    entry: *entry,
                    retries: 0,
                }));
            }
        }
    }

    pub(super) fn settle(&self, ids: impl Iterator<Item = Uuid>, verdict: Verdict) {
        let mut state = lock(&self.state);
        for id in ids {
            let Some((given, _)) = state.given.remove(&id) else {
                continue;
            };
            let retries = given.retries + 1;
            if verdict == Verdict::Retry && retries <= self.retries_max {
                state.again.push_back(Given { retries, ..given });
            }
        }
        drop(state);
        self.changed.send_modify(|_deleted| ());
    }

    /// Takes back what a subscriber has not settled.
    pub(super) fn release(&self, subscriber: Uuid) {
        let mut state = lock(&self.state);
        let ids: Vec<Uuid> = state
            .given
            .iter()
            .filter(|(_, (_, holder))| *holder == subscriber)
            .map(|(id, _)| *id)
            .collect();
        let mut back: Vec<Given> = ids
            .iter()
            .filter_map(|id| state.given.remove(id))
            .map(|(given, _)| given)
            .collect();
        back.sort_by_key(|given| given.entry.position);
        state.again.extend(back);
        drop(state);
        self.changed.send_modify(|_deleted| ());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
