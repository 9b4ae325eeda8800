//! What of an application is still needed in the clear: pictures for comparisons of faces (A7), and what its papers state (A11, A13).
//!
//! In memory only, each under the name that events have for it: a person, with their card's picture, under the sealed field that names
//! them, a phone number under its sealed field, another picture under the hash of its sealed file. So what an event does not name is never used. It must never be written to disk or printed; all
//! of it is wiped when the session ends and when the program ends.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use schemas::cardholder::{CardAddress, CardIssuer, EthnicGroup};
use schemas::citizen::{CitizenName, CitizenNumber, PhoneNumber};
use schemas::ids::{BlobHash, SessionId};
use schemas::message::face::Picture;
use schemas::sealed::SealedField;
use zeroize::Zeroizing;

/// Pictures of a session that came and that nothing has named yet.
const FRESH_MAX: usize = 4;
/// Pictures of a session that were named: its portrait and its live photo, each a few times.
const KEPT_MAX: usize = 8;
/// Cards that were read in a session, and numbers that were keyed.
const PEOPLE_MAX: usize = 4;
/// Phone numbers and signatures of a session: each may be given again.
const GIVEN_MAX: usize = 2;

/// The bytes of a picture.
pub type PictureBytes = Zeroizing<Vec<u8>>;

/// Who applies, as their papers state it. It does not print.
#[derive(Debug)]
pub struct Applicant {
    /// The citizen number.
    pub number: CitizenNumber,
    /// The name; this and all below none where no card was read that states it.
    pub name: Option<CitizenName>,
    /// The ethnic group.
    pub ethnic_group: Option<EthnicGroup>,
    /// The registered address.
    pub address: Option<CardAddress>,
    /// Who issued the card.
    pub issuer: Option<CardIssuer>,
}

impl Applicant {
    /// Of whom only the number is known.
    pub const fn keyed(number: CitizenNumber) -> Self {
        Self {
            number,
            name: None,
            ethnic_group: None,
            address: None,
            issuer: None,
        }
    }
}

/// The place. Cheap to clone.
#[derive(Clone, Default)]
pub struct Held(Arc<Mutex<BTreeMap<SessionId, Session>>>);

#[derive(Default)]
struct Session {
    references: Recent<SealedField, Picture>,
    people: Recent<SealedField, Applicant>,
    phones: Recent<SealedField, PhoneNumber>,
    signatures: Recent<BlobHash, PictureBytes>,
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
                .put(holder.clone(), Arc::new(picture), PEOPLE_MAX);
        });
    }

    /// Keeps who applies, under the field that seals them.
    pub fn person(&self, session: &SessionId, holder: &SealedField, person: Applicant) {
        self.with(session, |held| {
            held.people
                .put(holder.clone(), Arc::new(person), PEOPLE_MAX);
        });
    }

    /// Keeps a phone number, under the field that seals it.
    pub fn phone(&self, session: &SessionId, sealed: &SealedField, phone: PhoneNumber) {
        self.with(session, |held| {
            held.phones.put(sealed.clone(), Arc::new(phone), GIVEN_MAX);
        });
    }

    /// The picture is a signature: it is kept to the end of the session.
    pub fn signed(&self, session: &SessionId, blob: &BlobHash) {
        self.with(session, |held| {
            if let Some(bytes) = held.fresh.get(blob) {
                held.signatures.put(blob.clone(), bytes, GIVEN_MAX);
            }
        });
    }

    /// Keeps a picture until it is named, or until newer ones push it out.
    pub fn came(&self, session: &SessionId, blob: &BlobHash, bytes: &[u8]) {
        self.with(session, |held| {
            let bytes = Arc::new(Zeroizing::new(bytes.to_vec()));
            held.fresh.put(blob.clone(), bytes, FRESH_MAX);
        });
    }

    /// The picture is one that is used later: it is kept to the end of the session. False: it is not here, or not any more.
    pub fn named(&self, session: &SessionId, blob: &BlobHash) -> bool {
        let mut sessions = self.sessions();
        let Some(held) = sessions.get_mut(session) else {
            return false;
        };
        let found = held.fresh.get(blob).or_else(|| held.kept.get(blob));
        let Some(bytes) = found else { return false };
        held.kept.put(blob.clone(), bytes, KEPT_MAX);
        true
    }

    /// The picture of the card whose holder this field seals: the historical portrait.
    pub fn reference_of(&self, session: &SessionId, holder: &SealedField) -> Option<Arc<Picture>> {
        self.sessions().get(session)?.references.get(holder)
    }

    /// Whom this field seals.
    pub fn person_of(&self, session: &SessionId, holder: &SealedField) -> Option<Arc<Applicant>> {
        self.sessions().get(session)?.people.get(holder)
    }

    /// The phone number that this field seals.
    pub fn phone_of(&self, session: &SessionId, sealed: &SealedField) -> Option<Arc<PhoneNumber>> {
        self.sessions().get(session)?.phones.get(sealed)
    }

    /// The signature whose sealed file has this hash.
    pub fn signature(&self, session: &SessionId, blob: &BlobHash) -> Option<Arc<PictureBytes>> {
        self.sessions().get(session)?.signatures.get(blob)
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
        assert!(held.named(&one, &blob(1)));
        for n in 2..=9 {
            held.came(&one, &blob(n), b"scan");
        }
        assert!(held.named(&one, &blob(1)), "as often as it is named");
        assert!(!held.named(&one, &blob(2)), "not here any more");
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

    /// A11, A13, G7: what papers state is had by the fields and hashes that events name, does not print, and ends with the session.
    #[test]
    fn a13_what_papers_state_is_held_to_the_end_of_the_session() {
        let held = Held::default();
        let session = SessionId::from_index(1);
        held.only(&BTreeSet::from([session.clone()]));
        let key = schemas::key::SealingKeyId::of(&[7; 16]);
        let field = |tail: &str| SealedField::new(format!("v1.{key}.{}", tail.repeat(20))).unwrap();
        let number = CitizenNumber::new("11010519491231002X").unwrap();
        held.person(&session, &field("AA"), Applicant::keyed(number.clone()));
        held.phone(
            &session,
            &field("BB"),
            PhoneNumber::new("13812345678").unwrap(),
        );
        held.came(&session, &blob(1), b"signature");
        held.signed(&session, &blob(1));
        for n in 2..=9 {
            held.came(&session, &blob(n), b"scan");
        }
        let person = held.person_of(&session, &field("AA")).unwrap();
        assert_eq!(person.number, number);
        assert!(!format!("{person:?}").contains("1949"));
        let phone = held.phone_of(&session, &field("BB")).unwrap();
        assert_eq!(phone.expose(), "13812345678");
        let signature = held.signature(&session, &blob(1)).unwrap();
        assert_eq!(signature.as_slice(), b"signature");
        assert!(held.person_of(&session, &field("BB")).is_none());
        held.only(&BTreeSet::new());
        assert!(held.person_of(&session, &field("AA")).is_none());
        assert_eq!(Arc::strong_count(&signature), 1, "wiped with its last user");
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
