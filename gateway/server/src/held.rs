//! The pictures of an application that are still needed in the clear, for comparisons of faces (A7).
//!
//! In memory only, each under the name that events have for it: a card's picture under the sealed field that names its holder, another one
//! under the hash of its sealed file. So what an event does not name is never used. It must never be written to disk or printed; all
//! of it is wiped when the session ends and when the program ends.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use schemas::ids::{BlobHash, SessionId};
use schemas::message::face::Picture;
use schemas::sealed::SealedField;
use zeroize::Zeroizing;

/// Pictures of a session that came and that nothing has named yet.
const FRESH_MAX: usize = 4;
/// Pictures of a session that were named: its portrait and its live photo, each a few times.
const KEPT_MAX: usize = 8;
/// Cards that were read in a session.
const CARDS_MAX: usize = 4;

/// The bytes of a picture.
pub type PictureBytes = Zeroizing<Vec<u8>>;

/// The place. Cheap to clone.
#[derive(Clone, Default)]
pub struct Held(Arc<Mutex<BTreeMap<SessionId, Session>>>);

#[derive(Default)]
struct Session {
    references: Recent<SealedField, Picture>,
    fresh: Recent<BlobHash, PictureBytes>,
    kept: Recent<BlobHash, PictureBytes>,
}

/// The newest few.
struct Recent<K, V>(VecDeque<(K, Arc<V>)>);

impl<K, V> Default for Recent<K, V> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<K: PartialEq, V> Recent<K, V> {
    fn put(&mut self, key: K, value: Arc<V>, max: usize) {
        self.0.retain(|(other, _)| *other != key);
        self.0.push_back((key, value));
        if self.0.len() > max {
            self.0.pop_front();
        }
    }

    fn get(&self, key: &K) -> Option<Arc<V>> {
        let (_, value) = self.0.iter().find(|(other, _)| other == key)?;
        Some(Arc::clone(value))
    }
}

impl Held {
    /// The applications under way, durably. What belongs to another session is wiped with its last user.
    pub fn only(&self, open: &BTreeSet<SessionId>) {
        let mut sessions = self.sessions();
        sessions.retain(|session, _| open.contains(session));
        for session in open {
            sessions.entry(session.clone()).or_default();
        }
    }

    /// Keeps the picture of the card whose holder this field seals; nothing where no such application is under way.
    pub fn reference(&self, session: &SessionId, holder: &SealedField, picture: Picture) {
        self.with(session, |held| {
            held.references
                .put(holder.clone(), Arc::new(picture), CARDS_MAX);
        });
    }

    /// Keeps a picture until it is named, or until newer ones push it out.
    pub fn came(&self, session: &SessionId, blob: &BlobHash, bytes: &[u8]) {
        self.with(session, |held| {
            let bytes = Arc::new(Zeroizing::new(bytes.to_vec()));
            held.fresh.put(blob.clone(), bytes, FRESH_MAX);
        });
    }

    /// The picture is one that is used later: it is kept to the end of the session.
    pub fn named(&self, session: &SessionId, blob: &BlobHash) {
        self.with(session, |held| {
            if let Some(bytes) = held.fresh.get(blob) {
                held.kept.put(blob.clone(), bytes, KEPT_MAX);
            }
        });
    }

    /// The picture of the card whose holder this field seals: the historical portrait.
    pub fn reference_of(&self, session: &SessionId, holder: &SealedField) -> Option<Arc<Picture>> {
        self.sessions().get(session)?.references.get(holder)
    }

    /// The picture whose sealed file has this hash.
    pub fn picture(&self, session: &SessionId, blob: &BlobHash) -> Option<Arc<PictureBytes>> {
        let sessions = self.sessions();
        let held = sessions.get(session)?;
        held.kept.get(blob).or_else(|| held.fresh.get(blob))
    }

    fn with(&self, session: &SessionId, keep: impl FnOnce(&mut Session)) {
        if let Some(held) = self.sessions().get_mut(session) {
            keep(held);
        }
    }

    fn sessions(&self) -> MutexGuard<'_, BTreeMap<SessionId, Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Held")
            .field("sessions", &self.sessions().len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use schemas::message::face::PictureFormat;

    use super::*;

    fn blob(n: u8) -> BlobHash {
        BlobHash::new(hex::encode([n; 32])).unwrap()
    }

    /// A7, G7: what is held is had by its own name and session only, the newest few of what nothing names, and nothing after the end.
    #[test]
    fn g7_held_pictures_belong_to_one_session_and_end_with_it() {
        let held = Held::default();
        let (one, two) = (SessionId::from_index(1), SessionId::from_index(2));
        held.came(&one, &blob(0), b"nobody asked");
        assert!(held.picture(&one, &blob(0)).is_none());
        held.only(&BTreeSet::from([one.clone(), two.clone()]));
        held.came(&one, &blob(1), b"portrait");
        held.named(&one, &blob(1));
        for n in 2..=9 {
            held.came(&one, &blob(n), b"scan");
        }
        assert_eq!(
            held.picture(&one, &blob(1)).unwrap().as_slice(),
            b"portrait"
        );
        assert!(held.picture(&one, &blob(2)).is_none(), "pushed out");
        assert!(held.picture(&one, &blob(9)).is_some());
        assert!(held.picture(&two, &blob(1)).is_none());
        assert!(!format!("{held:?}").contains("portrait"));
        let last = held.picture(&one, &blob(1)).unwrap();
        held.only(&BTreeSet::from([two]));
        assert_eq!(Arc::strong_count(&last), 1, "wiped with its last user");
    }

    /// A7, G7: a card's picture is had by the field that seals its holder, so that one that was read out of step is nobody's.
    #[test]
    fn a7_a_reference_is_had_by_the_sealed_holder() {
        let held = Held::default();
        let session = SessionId::from_index(1);
        held.only(&BTreeSet::from([session.clone()]));
        let key = schemas::key::SealingKeyId::of(&[7; 16]);
        let field = |tail: &str| SealedField::new(format!("v1.{key}.{}", tail.repeat(20))).unwrap();
        let picture = |byte: u8| Picture {
            format: PictureFormat::Wlt,
            bytes: schemas::message::face::PictureBytes::new(vec![byte; 4]).unwrap(),
        };
        held.reference(&session, &field("AA"), picture(1));
        held.reference(&session, &field("BB"), picture(2));
        let first = held.reference_of(&session, &field("AA")).unwrap();
        assert_eq!(*first, picture(1));
        assert!(held.reference_of(&session, &field("CC")).is_none());
    }
}
