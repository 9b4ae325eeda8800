//! What is to go up, in the order of the log: each blob as it is named, the keys of a session behind its end. Where a session asks the
//! centre something, a copy of the key that the question is sealed under goes before everything: a citizen waits for the answer.

use std::collections::{BTreeMap, VecDeque};

use schemas::event::Event;
use schemas::ids::{BlobHash, SessionId};
use schemas::key::SealingKeyId;

/// So many things wait at the most; what is behind them is found in the log when there is room again.
const WAITING_MAX: usize = 4_096;

/// Something that goes up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    Blob(BlobHash),
    /// A blob that the centre asked for: it goes up though it is there.
    Again(BlobHash),
    /// A key whose session has ended.
    Key(SealingKeyId),
    /// A copy of a key whose session asked the centre something, and may go on.
    Copy(SealingKeyId),
}

impl Item {
    /// The word for it in the figures.
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Blob(_) | Self::Again(_) => "blob",
            Self::Key(_) => "key",
            Self::Copy(_) => "key-copy",
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
    /// Those of which a copy goes up, or went.
    copied: Vec<SealingKeyId>,
}

impl Open {
    const fn from(index: u64) -> Self {
        Self {
            from: index,
            keys: Vec::new(),
            copied: Vec::new(),
        }
    }
}

/// The session that an event begins, of those that have something to send.
fn begins(event: &Event) -> Option<&SessionId> {
    if let Event::PickupStarted(pickup) = event {
        Some(&pickup.session)
    } else if let Event::ApplicationStarted(application) = event {
        Some(&application.session)
    } else {
        None
    }
}

/// The session that an event ends.
fn ends(event: &Event) -> Option<&SessionId> {
    if let Event::PickupEnded(pickup) = event {
        Some(&pickup.session)
    } else if let Event::ApplicationEnded(application) = event {
        Some(&application.session)
    } else {
        None
    }
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
        begins(event).is_some()
            || ends(event).is_some()
            || event.asks_centre().is_some()
            || event.sealed().is_some()
    }

    /// Follows an event.
    pub(super) fn follow(&mut self, index: u64, event: &Event) {
        if let Some(session) = begins(event) {
            self.open.insert(session.clone(), Open::from(index));
        } else if let Some(session) = ends(event) {
            self.ended(session, index);
        } else if let Some((session, key)) = event.asks_centre() {
            self.asked(session, key, index);
        } else if let Some(sealed) = event.sealed() {
            for blob in sealed.blobs {
                self.push(Waiting {
                    item: Item::Blob(blob.clone()),
                    session: Some(sealed.session.clone()),
                    from: Some(index),
                    end: index,
                });
            }
            for key in sealed.keys {
                self.named(sealed.session, key, index);
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

    /// What a session asked: a copy of the key goes up, once, and first.
    fn asked(&mut self, session: &SessionId, key: SealingKeyId, index: u64) {
        let Some(open) = self.open.get_mut(session) else {
            return;
        };
        if open.copied.contains(&key) {
            return;
        }
        open.copied.push(key.clone());
        self.waiting.push_front(Waiting {
            item: Item::Copy(key),
            session: Some(session.clone()),
            from: Some(index),
            end: index,
        });
    }

    /// Nobody waits for an answer any more, and the keys go up for good.
    fn ended(&mut self, session: &SessionId, index: u64) {
        let Some(open) = self.open.remove(session) else {
            return;
        };
        self.waiting.retain(|waiting| {
            !(matches!(waiting.item, Item::Copy(_)) && waiting.session.as_ref() == Some(session))
        });
        for key in open.keys {
            self.push_key(key, session, open.from, index);
        }
    }

    /// A key that an event names goes up when its session has ended, whoever else has it on its list: only then is it known which
    /// event ended it.
    fn named(&mut self, session: &SessionId, key: SealingKeyId, index: u64) {
        match self.open.get_mut(session) {
            Some(open) if open.keys.contains(&key) => {}
            Some(open) => {
                let item = Item::Key(key.clone());
                self.waiting.retain(|waiting| waiting.item != item);
                open.keys.push(key);
            }
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
    use super::super::fixtures::{applied, asked, ended, given_up, keyed, photo, signed, started};
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

    /// A2, G7: a question to the centre sends a copy of its session's key, once and before all else; the key itself waits for the end
    /// of the session, as that of a session without a question does.
    #[test]
    fn a2_a_copy_of_a_key_goes_with_the_question() {
        let mut queue = Queue::default();
        let quiet = [applied("s-1"), keyed("s-1", &key(1))];
        follow(&mut queue, &quiet);
        follow(&mut queue, &[signed("s-1", &blob(1), &key(1))]);
        let asking = [applied("s-3"), keyed("s-3", &key(3))];
        follow(&mut queue, &asking);
        assert_eq!(items(&queue.next(8)), [Item::Blob(blob(1))]);
        follow(&mut queue, &[asked("s-3", &key(3))]);
        let both = [Item::Copy(key(3)), Item::Blob(blob(1))];
        assert_eq!(items(&queue.next(8)), both);
        let copy = queue.next(1).remove(0);
        queue.done(&copy);
        follow(&mut queue, &[asked("s-3", &key(3))]);
        assert_eq!(items(&queue.next(8)), both[1..], "it is there");
        assert_eq!(queue.up_to(), 0, "both sessions are open");
        follow(&mut queue, &[given_up("s-3")]);
        assert_eq!(items(&queue.next(8)), [both[1].clone(), Item::Key(key(3))]);
    }

    /// G7: a session that ends before the copy is up needs none; a key that was on its way in another life waits for the end that the
    /// log has.
    #[test]
    fn g7_a_session_that_is_over_sends_its_key_once() {
        let mut queue = Queue::default();
        queue.push(Waiting {
            item: Item::Key(key(1)),
            session: None,
            from: None,
            end: 0,
        });
        follow(&mut queue, &[applied("s-1"), keyed("s-1", &key(1))]);
        assert_eq!(items(&queue.next(8)), []);
        follow(&mut queue, &[asked("s-1", &key(1)), given_up("s-1")]);
        let next = queue.next(8);
        assert_eq!(items(&next), [Item::Key(key(1))]);
        assert_eq!(next.first().unwrap().end, 3);
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
