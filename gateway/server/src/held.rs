//! What of an application is still needed in the clear: pictures for comparisons of faces (A7), and what its papers state (A11, A13).
//!
//! In memory only, each under the name that events have for it: a person, with their card's picture, under the sealed field that names
//! them, a phone number under its sealed field, another picture under the hash of its sealed file. So what an event does not name is never
//! used, and what the state names is never pushed out: an entry that is made again is sealed anew, and nothing will ever name it. It must never be written to disk or printed; all
//! of it is wiped when the session ends and when the program ends.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gateway_core::Named;
use schemas::cardholder::{CardAddress, CardIssuer, EthnicGroup};
use schemas::citizen::{CitizenName, CitizenNumber, PhoneNumber};
use schemas::ids::{BlobHash, SessionId};
use schemas::message::face::Picture;
use schemas::sealed::SealedField;
use zeroize::Zeroizing;

/// Pictures of a session that came and that nothing has named yet.
const FRESH_MAX: usize = 4;
/// Pictures of a session that an entry spoke of, beside those that the state names: its portrait, its live photo and its signature, each a
/// few times.
const KEPT_MAX: usize = 8;
/// People and phone numbers of a session beside those that the state names: as many entries as a kiosk may have under way before it hears
/// what became of the first (the broker's receive maximum, 64), and some cards.
const SAID_MAX: usize = 72;

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
    /// What is durably named.
    named: Named,
    references: Recent<SealedField, Picture>,
    people: Recent<SealedField, Applicant>,
    phones: Recent<SealedField, PhoneNumber>,
    signatures: Recent<BlobHash, PictureBytes>,
    fresh: Recent<BlobHash, PictureBytes>,
    kept: Recent<BlobHash, PictureBytes>,
}

/// What is named, and the newest few of the rest.
struct Recent<K, V>(VecDeque<(K, Arc<V>)>);

impl<K, V> Default for Recent<K, V> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<K: PartialEq, V> Recent<K, V> {
    fn put(&mut self, key: K, value: Arc<V>, max: usize, is_named: impl Fn(&K) -> bool) {
        self.0.retain(|(other, _)| *other != key);
        self.0.push_back((key, value));
        let unnamed = |(other, _): &(K, Arc<V>)| !is_named(other);
        while self.0.iter().filter(|held| unnamed(held)).count() > max {
            let Some(oldest) = self.0.iter().position(unnamed) else {
                return;
            };
            self.0.remove(oldest);
        }
    }

    fn get(&self, key: &K) -> Option<Arc<V>> {
        let (_, value) = self.0.iter().find(|(other, _)| other == key)?;
        Some(Arc::clone(value))
    }
}

impl Held {
    /// The applications under way, and what each has named, durably. What belongs to another session is wiped with its last user.
    pub fn only(&self, open: BTreeMap<SessionId, Named>) {
        let mut sessions = self.sessions();
        sessions.retain(|session, _| open.contains_key(session));
        for (session, named) in open {
            sessions.entry(session).or_default().named = named;
        }
    }

    /// Keeps the picture of the card whose holder this field seals; nothing where no such application is under way.
    pub fn reference(&self, session: &SessionId, holder: &SealedField, picture: Picture) {
        self.with(session, |held| {
            let is_named = |field: &_| held.named.holder.as_ref() == Some(field);
            let (holder, picture) = (holder.clone(), Arc::new(picture));
            held.references.put(holder, picture, SAID_MAX, is_named);
        });
    }

    /// Keeps who applies, under the field that seals them.
    pub fn person(&self, session: &SessionId, holder: &SealedField, person: Applicant) {
        self.with(session, |held| {
            let is_named = |field: &_| held.named.holder.as_ref() == Some(field);
            let (holder, person) = (holder.clone(), Arc::new(person));
            held.people.put(holder, person, SAID_MAX, is_named);
        });
    }

    /// Keeps a phone number, under the field that seals it.
    pub fn phone(&self, session: &SessionId, sealed: &SealedField, phone: PhoneNumber) {
        self.with(session, |held| {
            let is_named = |field: &_| held.named.phone.as_ref() == Some(field);
            let (sealed, phone) = (sealed.clone(), Arc::new(phone));
            held.phones.put(sealed, phone, SAID_MAX, is_named);
        });
    }

    /// The picture is a signature: it is kept to the end of the session. False: it is not here, or not any more.
    pub fn signed(&self, session: &SessionId, blob: &BlobHash) -> bool {
        let mut sessions = self.sessions();
        let Some(held) = sessions.get_mut(session) else {
            return false;
        };
        let found = held.fresh.get(blob).or_else(|| held.kept.get(blob));
        let Some(bytes) = found else { return false };
        let is_named = |picture: &_| held.named.pictures.contains(picture);
        held.signatures.put(blob.clone(), bytes, KEPT_MAX, is_named);
        true
    }

    /// Keeps a picture until it is named, or until newer ones push it out.
    pub fn came(&self, session: &SessionId, blob: &BlobHash, bytes: &[u8]) {
        self.with(session, |held| {
            let bytes = Arc::new(Zeroizing::new(bytes.to_vec()));
            held.fresh.put(blob.clone(), bytes, FRESH_MAX, |_| false);
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
        let is_named = |picture: &_| held.named.pictures.contains(picture);
        held.kept.put(blob.clone(), bytes, KEPT_MAX, is_named);
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

    /// Applications that have named nothing yet.
    fn opened<'a>(sessions: impl IntoIterator<Item = &'a SessionId>) -> BTreeMap<SessionId, Named> {
        let sessions = sessions.into_iter().cloned();
        sessions
            .map(|session| (session, Named::default()))
            .collect()
    }

    /// A7, G7: what is held is had by its own name and session only, the newest few of what nothing names, and nothing after the end.
    #[test]
    fn g7_held_pictures_belong_to_one_session_and_end_with_it() {
        let held = Held::default();
        let (one, two) = (SessionId::from_index(1), SessionId::from_index(2));
        held.came(&one, &blob(0), b"nobody asked");
        assert!(held.picture(&one, &blob(0)).is_none());
        held.only(opened([&one, &two]));
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
        held.only(opened([&two]));
        assert_eq!(Arc::strong_count(&last), 1, "wiped with its last user");
    }

    /// A11, A13, G7: what papers state is had by the fields and hashes that events name, does not print, and ends with the session.
    #[test]
    fn a13_what_papers_state_is_held_to_the_end_of_the_session() {
        let held = Held::default();
        let session = SessionId::from_index(1);
        held.only(opened([&session]));
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
        held.only(BTreeMap::new());
        assert!(held.person_of(&session, &field("AA")).is_none());
        assert_eq!(Arc::strong_count(&signature), 1, "wiped with its last user");
    }

    /// A7, G7: a card's picture is had by the field that seals its holder, so that one that was read out of step is nobody's.
    #[test]
    fn a7_a_reference_is_had_by_the_sealed_holder() {
        let held = Held::default();
        let session = SessionId::from_index(1);
        held.only(opened([&session]));
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

    /// A11, A13: entries that are made again and again push out nothing that the state names, nor what one kiosk may have under way.
    #[test]
    fn a13_what_is_named_stays_however_often_it_is_entered_again() {
        let held = Held::default();
        let session = SessionId::from_index(1);
        held.only(opened([&session]));
        let key = schemas::key::SealingKeyId::of(&[7; 16]);
        let field =
            |n: usize| SealedField::new(format!("v1.{key}.{}", format!("{n:04}").repeat(10)));
        let field = |n| field(n).unwrap();
        let say = |n: usize| {
            let number = CitizenNumber::new("11010519491231002X").unwrap();
            held.person(&session, &field(n), Applicant::keyed(number));
            let phone = PhoneNumber::new("13812345678").unwrap();
            held.phone(&session, &field(n), phone);
            let blob = BlobHash::new(format!("{n:064x}")).unwrap();
            held.came(&session, &blob, b"a picture");
            held.named(&session, &blob);
            held.signed(&session, &blob);
            blob
        };
        let holds = |n: usize| {
            let field = field(n);
            held.person_of(&session, &field).is_some() && held.phone_of(&session, &field).is_some()
        };
        let first = say(0);
        (1..64).for_each(|n| drop(say(n)));
        assert!(holds(0), "all that a kiosk may send before it is answered");
        let signed = say(64);
        let named = Named {
            holder: Some(field(0)),
            phone: Some(field(0)),
            pictures: vec![signed.clone()],
        };
        held.only(BTreeMap::from([(session.clone(), named)]));
        (100..300).for_each(|n| drop(say(n)));
        assert!(
            holds(0) && !holds(1),
            "what is named, and no more than that"
        );
        assert!(held.signature(&session, &signed).is_some());
        assert!(held.picture(&session, &signed).is_some());
        assert!(held.signature(&session, &first).is_none());
    }
}
