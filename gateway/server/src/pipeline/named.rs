//! The sealed files that events name, by session: what a snapshot says of events that it stands for, and what goes with those that are
//! pruned. The folders are not asked what they hold: what lies there and was never named is an orphan.

use std::collections::BTreeMap;

use schemas::event::Event;
use schemas::ids::{BlobHash, SessionId};
use schemas::key::SealingKeyId;
use serde::{Deserialize, Serialize};

use crate::effects::session_of;

/// What was named.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Named(BTreeMap<SessionId, Files>);

/// The files of a session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Files {
    /// The last event of the session so far.
    last: u64,
    #[serde(with = "packed")]
    blobs: Vec<[u8; 32]>,
    #[serde(with = "packed")]
    keys: Vec<[u8; 16]>,
}

impl Named {
    /// Takes an event in.
    pub(super) fn follow(&mut self, index: u64, event: &Event) {
        if let Some(sealed) = event.sealed() {
            let files = self.0.entry(sealed.session.clone()).or_default();
            files.last = index;
            for blob in sealed.blobs {
                add(&mut files.blobs, raw(blob));
            }
            for key in sealed.keys {
                add(&mut files.keys, key.to_raw());
            }
        } else if let Some(files) = session_of(event).and_then(|id| self.0.get_mut(id)) {
            files.last = index;
        }
    }

    /// What a snapshot of version 1 lists is of no known session. It stays for ever: nobody can say any more whether an event named it.
    pub(crate) fn of_nobody(&mut self, blobs: &[BlobHash], keys: &[SealingKeyId]) {
        if blobs.is_empty() && keys.is_empty() {
            return;
        }
        let files = self.0.entry(SessionId::from_index(u64::MAX)).or_default();
        files.last = u64::MAX;
        files.blobs.extend(blobs.iter().map(raw));
        files.keys.extend(keys.iter().map(SealingKeyId::to_raw));
    }

    /// The blobs.
    pub(crate) fn blobs(&self) -> impl Iterator<Item = BlobHash> {
        let names = self.0.values().flat_map(|files| &files.blobs);
        names.filter_map(name)
    }

    /// The session keys.
    pub(crate) fn keys(&self) -> impl Iterator<Item = SealingKeyId> {
        let names = self.0.values().flat_map(|files| &files.keys);
        names.map(SealingKeyId::of)
    }

    /// The blobs of sessions of which no event is left before `first_index`, but for those whose case `is_open`.
    pub(super) fn pruned(
        &self,
        first_index: u64,
        is_open: impl Fn(&SessionId) -> bool,
    ) -> Vec<BlobHash> {
        let over = |(session, files): &(&SessionId, &Files)| {
            files.last < first_index && !files.blobs.is_empty() && !is_open(session)
        };
        let sessions = self.0.iter().filter(over);
        sessions
            .flat_map(|(_, files)| files.blobs.iter().filter_map(name))
            .collect()
    }

    /// Forgets what is not here any more, of sessions of which no event is left before `first_index`. What an event names and is missing
    /// may be brought back, and must not be an orphan then.
    pub(super) fn forget(
        &mut self,
        first_index: u64,
        has_blob: impl Fn(&BlobHash) -> bool,
        has_key: impl Fn(&SealingKeyId) -> bool,
    ) {
        self.0.retain(|_, files| {
            if files.last < first_index {
                files
                    .blobs
                    .retain(|raw| name(raw).is_some_and(|name| has_blob(&name)));
                files.keys.retain(|raw| has_key(&SealingKeyId::of(raw)));
            }
            !(files.blobs.is_empty() && files.keys.is_empty())
        });
    }
}

fn add<T: PartialEq>(names: &mut Vec<T>, name: T) {
    if !names.contains(&name) {
        names.push(name);
    }
}

fn raw(blob: &BlobHash) -> [u8; 32] {
    let mut raw = [0; 32];
    // A blob hash is 64 hexadecimal digits by construction.
    match hex::decode_to_slice(blob.as_str(), &mut raw) {
        Ok(()) | Err(_) => raw,
    }
}

fn name(raw: &[u8; 32]) -> Option<BlobHash> {
    BlobHash::new(hex::encode(raw)).ok()
}

/// Names of one length, one behind the other: a snapshot has hundreds of thousands of them.
mod packed {
    use serde::de::{Error, Visitor};
    use serde::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer, const N: usize>(
        names: &[[u8; N]],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(names.as_flattened())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>, const N: usize>(
        deserializer: D,
    ) -> Result<Vec<[u8; N]>, D::Error> {
        deserializer.deserialize_byte_buf(Names::<N>)
    }

    struct Names<const N: usize>;

    impl<const N: usize> Visitor<'_> for Names<N> {
        type Value = Vec<[u8; N]>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "names of {N} bytes each")
        }

        fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Self::Value, E> {
            let (names, rest) = bytes.as_chunks::<N>();
            if rest.is_empty() {
                Ok(names.to_vec())
            } else {
                Err(E::invalid_length(bytes.len(), &self))
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use schemas::event::evidence::ErasureAsked;
    use schemas::event::pickup::PhotoArchived;
    use schemas::words::PhotoView;

    use super::*;

    fn blob(n: u8) -> BlobHash {
        BlobHash::new(hex::encode([n; 32])).unwrap()
    }

    fn photo(session: u64, n: u8) -> Event {
        Event::from(PhotoArchived {
            session: SessionId::from_index(session),
            view: PhotoView::Frontal,
            blob: blob(n),
            key: SealingKeyId::of(&[n; 16]),
            len: 5,
        })
    }

    /// Sessions 10 and 20 with a photo each, in events 11 and 21; what the centre says of session 10 is event 30.
    fn named() -> Named {
        let mut named = Named::default();
        named.follow(11, &photo(10, 1));
        named.follow(21, &photo(20, 2));
        named
    }

    fn none(_: &SessionId) -> bool {
        false
    }

    /// G7: the blobs of a session go with the last of its events that is pruned, and not while its case is open.
    #[test]
    fn blobs_go_with_the_last_event_of_their_session() {
        let mut named = named();
        assert_eq!(named.pruned(11, none), []);
        assert_eq!(named.pruned(12, none), [blob(1)]);
        assert_eq!(named.pruned(22, none), [blob(1), blob(2)]);
        let open = SessionId::from_index(10);
        assert_eq!(named.pruned(22, |session| *session == open), [blob(2)]);
        let asked = ErasureAsked {
            session: open.clone(),
        };
        named.follow(30, &asked.into());
        assert_eq!(named.pruned(30, none), [blob(2)], "event 30 is here");
        assert_eq!(named.pruned(31, none), [blob(1), blob(2)]);
    }

    /// G7: what is gone with its events is not listed any more; what an event names stays listed though it is missing.
    #[test]
    fn what_went_with_its_events_is_forgotten() {
        let mut named = named();
        named.forget(21, |_| false, |_| false);
        assert!(named.blobs().eq([blob(2)]) && named.keys().count() == 1);
        named.forget(22, |blob_here| *blob_here == blob(2), |_| false);
        assert!(named.blobs().eq([blob(2)]) && named.keys().count() == 0);
        named.forget(22, |_| false, |_| false);
        assert_eq!(named, Named::default());
    }

    /// G4: a snapshot says the same of what was named as the events do, in few bytes; a cut one is refused.
    #[test]
    fn it_is_written_packed_and_read_again() {
        let mut many = named();
        for n in 3..=100 {
            many.follow(40, &photo(39, n));
        }
        let mut bytes = Vec::new();
        ciborium::into_writer(&many, &mut bytes).unwrap();
        assert!(bytes.len() < 100 * 48 + 200, "{}", bytes.len());
        assert_eq!(ciborium::from_reader::<Named, _>(&bytes[..]).unwrap(), many);
        let cut = r#"{"s-1":{"last":1,"blobs":[1,2,3],"keys":[]}}"#;
        assert!(serde_json::from_str::<Named>(cut).is_err());
    }

    /// G4: what a snapshot of version 1 lists stays.
    #[test]
    fn what_an_older_program_listed_stays() {
        let mut named = Named::default();
        named.of_nobody(&[blob(7)], &[]);
        assert_eq!(named.pruned(1_000, none), []);
        named.forget(1_000, |_| true, |_| true);
        assert!(named.blobs().eq([blob(7)]));
    }
}
