//! What is to go up, in the order of the log: each blob as it is named, the keys of a session behind its end.

use std::collections::{BTreeMap, VecDeque};

use schemas::event::Event;
use schemas::ids::{BlobHash, SessionId};
use schemas::key::SealingKeyId;
use schemas::sealed::SealedField;

/// So many things wait at the most; what is behind them is found in the log when there is room again.
const WAITING_MAX: usize = 4_096;

/// Something that goes up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    Blob(BlobHash),
    /// A blob that the centre asked for: it goes up though it is there.
    Again(BlobHash),
    Key(SealingKeyId),
}

impl Item {
    /// The word for it in the figures.
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Blob(_) | Self::Again(_) => "blob",
            Self::Key(_) => "key",
        }
    }
}

/// Something that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) item: Item,
    /// Whose it is, where an event said so.
    pub(super) session: Option<SessionId>,
    /// The event from which on it is found again after a restart; none: it is found without the log.
    pub(super) from: Option<u64>,
    /// The event behind which nothing more belongs to it.
    pub(super) end: u64,
}

/// What events name and is not known to be up. The events before `looked` were looked through.
#[derive(Debug, Default)]
pub(super) struct Queue {
    looked: u64,
    waiting: VecDeque<Waiting>,
    open: BTreeMap<SessionId, Open>,
}

/// A session that has not ended yet.
#[derive(Debug)]
struct Open {
    from: u64,
    keys: Vec<SealingKeyId>,
}

impl Queue {
    /// Begins with the event at `from`.
    pub(super) fn from(from: u64) -> Self {
        Self {
            looked: from,
            ..Self::default()
        }
    }

    /// Whether an event has to be followed at all.
    pub(super) fn is_wanted(event: &Event) -> bool {
        matches!(
            event,
            Event::PickupStarted(_)
                | Event::CardVerified(_)
                | Event::PhotoArchived(_)
                | Event::PickupEnded(_)
        )
    }

    /// Follows an event.
    pub(super) fn follow(&mut self, index: u64, event: &Event) {
        if let Event::PickupStarted(pickup) = event {
            let open = Open {
                from: index,
                keys: Vec::new(),
            };
            self.open.insert(pickup.session.clone(), open);
        } else if let Event::CardVerified(verified) = event
            && let Some(key) = verified.holder.as_ref().and_then(SealedField::key)
        {
            self.named(&verified.session, key, index);
        } else if let Event::PhotoArchived(photo) = event {
            self.push(Waiting {
                item: Item::Blob(photo.blob.clone()),
                session: Some(photo.session.clone()),
                from: Some(index),
                end: index,
            });
            self.named(&photo.session, photo.key.clone(), index);
        } else if let Event::PickupEnded(pickup) = event
            && let Some(Open { from, keys }) = self.open.remove(&pickup.session)
        {
            for key in keys {
                self.push_key(key, &pickup.session, from, index);
            }
        }
    }

    /// Everything before this index was followed.
    pub(super) fn looked(&mut self, index: u64) {
        self.looked = index;
    }

    /// The next event to look at; none: so much waits already that it has to go up first.
    pub(super) fn next_index(&self) -> Option<u64> {
        (self.waiting.len() < WAITING_MAX).then_some(self.looked)
    }

    pub(super) fn push(&mut self, waiting: Waiting) {
        self.waiting.push_back(waiting);
    }

    /// The next ones that may go up at once, so many at the most: a key not beside its session's blobs, but after them.
    pub(super) fn next(&self, most: usize) -> Vec<Waiting> {
        let first = self.waiting.iter().take(most);
        let mut next: Vec<Waiting> = Vec::with_capacity(most);
        for waiting in first {
            let is_key = matches!(waiting.item, Item::Key(_));
            let behind = |blob: &Waiting| {
                blob.session == waiting.session && matches!(blob.item, Item::Blob(_))
            };
            if !(is_key && waiting.session.is_some() && next.iter().any(behind)) {
                next.push(waiting.clone());
            }
        }
        next
    }

    /// It is up, or will never go up.
    pub(super) fn done(&mut self, done: &Waiting) {
        self.take(done);
    }

    /// It cannot be read here for now: the others go first.
    pub(super) fn defer(&mut self, waiting: &Waiting) {
        if let Some(waiting) = self.take(waiting) {
            self.push(waiting);
        }
    }

    /// Looks from the front, where it is.
    fn take(&mut self, wanted: &Waiting) -> Option<Waiting> {
        let at = self.waiting.iter().position(|waiting| waiting == wanted)?;
        self.waiting.remove(at)
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Everything before this index is up, or never will go up.
    pub(super) fn up_to(&self) -> u64 {
        let waiting = self.waiting.iter().filter_map(|waiting| waiting.from);
        let open = self.open.values().map(|open| open.from);
        waiting.chain(open).fold(self.looked, u64::min)
    }

    /// A key that an event names goes up when its session has ended.
    fn named(&mut self, session: &SessionId, key: SealingKeyId, index: u64) {
        match self.open.get_mut(session) {
            Some(open) if open.keys.contains(&key) => {}
            Some(open) => open.keys.push(key),
            None => self.push_key(key, session, index, index),
        }
    }

    fn push_key(&mut self, key: SealingKeyId, session: &SessionId, from: u64, end: u64) {
        self.push(Waiting {
            item: Item::Key(key),
            session: Some(session.clone()),
            from: Some(from),
            end,
        });
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::super::fixtures::{ended, photo, started};
    use super::*;

    fn blob(n: u32) -> BlobHash {
        BlobHash::new(format!("{n:064x}")).unwrap()
    }

    fn key(n: u8) -> SealingKeyId {
        SealingKeyId::of(&[n; 16])
    }

    fn follow(queue: &mut Queue, events: &[Event]) {
        for event in events {
            let index = queue.looked;
            queue.follow(index, event);
            queue.looked(index + 1);
        }
    }

    /// A session of two photos.
    fn session(n: u8) -> [Event; 4] {
        let name = format!("s-{n}");
        let shot = |at: u32| photo(&name, &blob(u32::from(n) * 2 + at), &key(n)).into();
        [started(&name).into(), shot(0), shot(1), ended(&name).into()]
    }

    fn items(waiting: &[Waiting]) -> Vec<Item> {
        waiting.iter().map(|waiting| waiting.item.clone()).collect()
    }

    /// G7: the keys of a session go after its end and after its blobs, whoever else goes beside them.
    #[test]
    fn a_key_goes_after_its_sessions_blobs() {
        let mut queue = Queue::default();
        let [first, shot, other, end] = session(1);
        follow(&mut queue, &[first, shot, other]);
        let blobs = [Item::Blob(blob(2)), Item::Blob(blob(3))];
        assert_eq!(items(&queue.next(8)), blobs, "no key before the end");
        follow(&mut queue, &[end]);
        follow(&mut queue, &session(2));
        let next = queue.next(8);
        let both = [2, 3, 4, 5].map(|n| Item::Blob(blob(n)));
        assert_eq!(items(&next), both, "no key beside its session's blobs");
        for done in next.iter().take(2) {
            queue.done(done);
        }
        let keyed = [Item::Key(key(1)), both[2].clone(), both[3].clone()];
        assert_eq!(items(&queue.next(8)), keyed);
        assert_eq!(queue.next(8).first().unwrap().end, 3);
        assert_eq!(items(&queue.next(1)), keyed[..1]);
    }

    /// G4: what is not up yet holds back the index from which on it is found again; what cannot be read lets the others pass.
    #[test]
    fn the_index_stays_before_what_is_not_up() {
        let mut queue = Queue::from(0);
        follow(&mut queue, &session(1));
        assert_eq!((queue.up_to(), queue.looked), (0, 4));
        let bad = queue.next(1).remove(0);
        queue.defer(&bad);
        assert_eq!(items(&queue.next(1)), [Item::Blob(blob(3))]);
        while queue.len() > 1 {
            let next = queue.next(1).remove(0);
            queue.done(&next);
        }
        assert_eq!(items(&queue.next(1)), std::slice::from_ref(&bad.item));
        assert_eq!(queue.up_to(), 1, "the event that names it");
        queue.done(&bad);
        assert_eq!(queue.up_to(), 4);
        follow(&mut queue, &[started("s-2").into()]);
        assert_eq!(queue.up_to(), 4, "an open session may get keys");
    }

    /// G4: however long the station was alone, only so much is held in memory.
    #[test]
    fn a_full_queue_looks_no_further() {
        let mut queue = Queue::default();
        let mut n = 0;
        while queue.next_index().is_some() {
            follow(&mut queue, &[photo("s-1", &blob(n), &key(1)).into()]);
            n += 1;
        }
        assert!(queue.len() <= WAITING_MAX + 1);
        for done in queue.next(2) {
            queue.done(&done);
        }
        assert_eq!(queue.next_index(), Some(u64::from(n)));
    }
}
