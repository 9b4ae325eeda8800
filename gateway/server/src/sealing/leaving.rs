//! Keys that go up to the centre. All of it blocks.
//!
//! A key gets an empty note (`<key id>.sent`) before its first byte leaves: from then on the centre may have it, whatever became of
//! the answer. The note goes with the key's file, once the centre has acknowledged the end of its session.

use schemas::key::SealingKeyId;

use super::store::{KEY, KeyStore, NOTE, SENT, at, remove};

const FILE_MODE: u32 = 0o600;

impl KeyStore {
    /// A key's file, to be sent to the centre. From now on it counts as known there. None where it is not here any more.
    pub fn begin_sending(&self, key: &SealingKeyId) -> std::io::Result<Option<Vec<u8>>> {
        let path = self.path(key, KEY);
        if !path.try_exists()? {
            return Ok(None);
        }
        let bytes = std::fs::read(&path).map_err(at("read", &path))?;
        let note = self.path(key, SENT);
        if !note.try_exists()? {
            gateway_durable::replace_file(&note, &[], FILE_MODE).map_err(at("write", &note))?;
        }
        Ok(Some(bytes))
    }

    /// The centre has it, and acknowledged the end of its session: nothing of it is kept here. Done again it changes nothing.
    pub fn sent(&self, key: &SealingKeyId) -> std::io::Result<()> {
        let path = self.path(key, KEY);
        if path.try_exists()? {
            std::fs::remove_file(&path).map_err(at("remove", &path))?;
        }
        gateway_durable::sync_folder(&self.folder)?;
        // From here on the log, which names the key, says it: it is named, and is not here.
        remove(&self.path(key, SENT));
        Ok(())
    }

    /// Whether any of these may be at the centre already.
    pub fn any_sent(&self, keys: &[SealingKeyId]) -> std::io::Result<bool> {
        for key in keys {
            if self.path(key, SENT).try_exists()? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Removes what is left of a key that went up, if nothing else of it is here.
    pub(super) fn forget_sent(&self, key: &SealingKeyId) {
        if !self.path(key, KEY).exists() && !self.path(key, NOTE).exists() {
            remove(&self.path(key, SENT));
        }
    }

    /// The keys that are here and may be at the centre too.
    pub fn leaving(&self) -> std::io::Result<Vec<SealingKeyId>> {
        let mut keys = self.named_by(SENT)?;
        keys.retain(|key| self.holds(key));
        Ok(keys)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::super::key::tests::key;
    use super::super::store::tests::{recipients, store};
    use super::*;

    /// G7: from before a key leaves until nothing of it is here, it is known that the centre may have it; a crash in between changes
    /// nothing of that.
    #[test]
    fn a_key_that_may_be_at_the_centre_is_known_as_such() {
        let place = tempfile::tempdir().unwrap();
        let store = store(place.path());
        let (one, two) = (key("s-1"), key("s-2"));
        for key in [&one, &two] {
            store.write(key, &recipients()).unwrap();
        }
        let ids = [one.id().clone()];
        assert!(!store.any_sent(&ids).unwrap());
        let bytes = store.begin_sending(one.id()).unwrap().unwrap();
        assert_eq!(bytes, std::fs::read(store.path(one.id(), KEY)).unwrap());
        assert!(store.any_sent(&ids).unwrap());
        let sweep = store.sweep().unwrap();
        sweep.finish(|_| true, |_| false);
        assert!(
            store.any_sent(&ids).unwrap(),
            "after a crash before the answer"
        );
        store.sent(one.id()).unwrap();
        assert!(!store.holds(one.id()) && !store.any_sent(&ids).unwrap());
        assert_eq!(store.begin_sending(one.id()).unwrap(), None);

        store.begin_sending(two.id()).unwrap();
        let erased = store.erase(two.session()).unwrap();
        assert_eq!(erased.0, [two.id().clone()]);
        assert!(store.any_sent(&erased.0).unwrap());
        store.forget_notes(&erased.0);
        let left = std::fs::read_dir(place.path().join("session-keys")).unwrap();
        assert_eq!(left.count(), 0);
    }

    /// A crash after the file of a key that went up was removed, and before its note was.
    #[test]
    fn the_note_of_a_key_that_went_up_is_swept() {
        let place = tempfile::tempdir().unwrap();
        let store = store(place.path());
        let key = key("s-1");
        store.write(&key, &recipients()).unwrap();
        store.begin_sending(key.id()).unwrap();
        std::fs::remove_file(store.path(key.id(), KEY)).unwrap();
        store.sweep().unwrap().finish(|_| false, |_| false);
        assert!(!store.any_sent(&[key.id().clone()]).unwrap());
    }
}
