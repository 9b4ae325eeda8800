//! The folder of sealed session keys, and how keys are destroyed. All of it blocks.
//!
//! Destroying a key leaves an empty note of its name (`<key id>.erased`) until the event that says so is durable: after a
//! crash in between it is still known which keys were here.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use schemas::envelope::Origin;
use schemas::ids::SessionId;
use schemas::key::SealingKeyId;

use super::file::{self, Owner};
use super::key::SessionKey;
use super::recipient::Recipient;
use super::sweep::Sweep;

const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
pub(super) const KEY: &str = "json";
pub(super) const NOTE: &str = "erased";
/// Of the note that `leaving` keeps.
pub(super) const SENT: &str = "sent";
/// No key file of ours comes near this.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// The folder. Cheap to clone.
#[derive(Debug, Clone)]
pub struct KeyStore {
    pub(super) folder: PathBuf,
    origin: Origin,
}

/// The keys of a session that were destroyed here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erased(pub Vec<SealingKeyId>);

impl KeyStore {
    /// Makes the folder if need be. `origin`: the log that is running.
    pub fn open(folder: &Path, origin: Origin) -> std::io::Result<Self> {
        gateway_durable::make_folder(folder, FOLDER_MODE)?;
        Ok(Self {
            folder: folder.to_owned(),
            origin,
        })
    }

    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Writes a key's file; durable when this returns.
    pub(super) fn write(&self, key: &SessionKey, recipients: &[Recipient]) -> std::io::Result<()> {
        let bytes = file::encode(key, recipients).map_err(std::io::Error::other)?;
        gateway_durable::replace_file(&self.path(key.id(), KEY), &bytes, FILE_MODE)
    }

    /// Whether the key's file is here.
    pub fn holds(&self, key: &SealingKeyId) -> bool {
        self.path(key, KEY).exists()
    }

    /// Destroys every key of a session of this log, and what officers open of it. Done again after a crash it says the same.
    pub fn erase(&self, session: &SessionId) -> std::io::Result<Erased> {
        self.destroy_window_forms(session)?;
        let mine = |owner: &Owner| self.is_own(owner, session);
        let mut keys: BTreeSet<_> = self.owned(NOTE, mine)?.into_iter().collect();
        keys.extend(self.owned(KEY, mine)?);
        for key in &keys {
            // A note alone does not show that its key is gone: an attempt may have failed after it.
            if self.path(key, KEY).try_exists()? {
                self.destroy(session, key)?;
            }
        }
        gateway_durable::sync_folder(&self.folder)?;
        Ok(Erased(keys.into_iter().collect()))
    }

    /// Destroys those of these keys that are still here. The log says whose they are, whatever their files say or whether they
    /// can be read at all.
    pub fn erase_named(
        &self,
        session: &SessionId,
        named: &BTreeSet<SealingKeyId>,
    ) -> std::io::Result<Vec<SealingKeyId>> {
        let mut erased = Vec::new();
        for key in named {
            if self.path(key, KEY).try_exists()? {
                self.destroy(session, key)?;
                erased.push(key.clone());
            }
        }
        gateway_durable::sync_folder(&self.folder)?;
        Ok(erased)
    }

    fn destroy(&self, session: &SessionId, key: &SealingKeyId) -> std::io::Result<()> {
        let note = serde_json::to_vec(&Owner {
            session: session.clone(),
            origin: self.origin.as_str().to_owned(),
        })?;
        let (path, note_path) = (self.path(key, KEY), self.path(key, NOTE));
        gateway_durable::replace_file(&note_path, &note, FILE_MODE)
            .map_err(at("write", &note_path))?;
        std::fs::remove_file(&path).map_err(at("remove", &path))
    }

    /// The event that names the destroyed keys is durable: their notes go. What stays of them goes at the next start.
    pub fn forget_notes(&self, keys: &[SealingKeyId]) {
        for key in keys {
            remove(&self.path(key, NOTE));
            remove(&self.path(key, SENT));
        }
    }

    /// Whether a key of a session of this log is here, or what officers open of it.
    pub fn holds_any_of(&self, session: &SessionId) -> std::io::Result<bool> {
        let keys = self.owned(KEY, |owner| self.is_own(owner, session))?;
        Ok(!keys.is_empty() || !self.window_forms(session)?.is_empty())
    }

    /// The keys that are here.
    pub fn names(&self) -> std::io::Result<Vec<SealingKeyId>> {
        self.named_by(KEY)
    }

    pub(super) fn named_by(&self, extension: &str) -> std::io::Result<Vec<SealingKeyId>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let is_key = path.extension().is_some_and(|kind| kind == extension);
            let id = path.file_stem().and_then(|stem| stem.to_str());
            names.extend(
                id.filter(|_| is_key)
                    .and_then(|id| SealingKeyId::new(id).ok()),
            );
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Begins a sweep: every key counts as an orphan until an event names it. Changes nothing yet.
    pub fn sweep(&self) -> std::io::Result<Sweep> {
        let mut sweep = Sweep::new(self.clone());
        for entry in std::fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let id = path.file_stem().and_then(|stem| stem.to_str());
            let id = id.map(SealingKeyId::new);
            let extension = path.extension().and_then(|extension| extension.to_str());
            match (id, extension) {
                (Some(Ok(id)), Some(KEY)) => sweep.found(&id),
                (Some(Ok(id)), Some(NOTE)) => sweep.note(id),
                (Some(Ok(id)), Some(SENT)) => sweep.sent(id),
                // `<key id>.json.tmp`.
                (_, Some("tmp")) => sweep.half(path),
                _ => {}
            }
        }
        Ok(sweep)
    }

    /// The session of this log that a key is of; none where it is of an earlier log, or its file cannot be read.
    pub fn session_of(&self, key: &SealingKeyId) -> Option<SessionId> {
        let owner = owner(&self.path(key, KEY))?;
        (owner.origin == self.origin.as_str()).then_some(owner.session)
    }

    /// The same of a key that was destroyed.
    pub(super) fn session_of_note(&self, key: &SealingKeyId) -> Option<SessionId> {
        let owner = owner(&self.path(key, NOTE))?;
        (owner.origin == self.origin.as_str()).then_some(owner.session)
    }

    pub(super) fn remove_key(&self, key: &SealingKeyId) {
        remove(&self.path(key, KEY));
    }

    fn owned(
        &self,
        kind: &str,
        mine: impl Fn(&Owner) -> bool,
    ) -> std::io::Result<Vec<SealingKeyId>> {
        let mut keys = Vec::new();
        for entry in std::fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let is_kind = path.extension().is_some_and(|extension| extension == kind);
            let id = path.file_stem().and_then(|stem| stem.to_str());
            if let Some(Ok(id)) = id.filter(|_| is_kind).map(SealingKeyId::new)
                && owner(&path).is_some_and(|owner| mine(&owner))
            {
                keys.push(id);
            }
        }
        Ok(keys)
    }

    pub(super) fn path(&self, key: &SealingKeyId, extension: &str) -> PathBuf {
        // A key id is 32 digits, so it cannot lead out of the folder.
        self.folder.join(format!("{key}.{extension}"))
    }
}

/// For `map_err`: names what was being done. Whoever asked is told no more than the error.
pub(super) fn at(
    doing: &str,
    path: &Path,
) -> impl FnOnce(std::io::Error) -> std::io::Error + use<> {
    let doing = format!("cannot {doing} {}", path.display());
    move |error| std::io::Error::new(error.kind(), format!("{doing}: {error}"))
}

/// Removes a file. One that stays is told; it goes at a later start.
pub(super) fn remove(path: &Path) {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(path = %path.display(), %error, "a file of session keys could not be removed");
        }
        Ok(()) | Err(_) => {}
    }
}

/// Whose key, or note, a file holds.
pub(super) fn owner(path: &Path) -> Option<Owner> {
    let len = path.metadata().ok()?.len();
    let bytes = (len <= FILE_BYTES_MAX).then(|| std::fs::read(path));
    file::owner(&bytes?.ok()?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
pub(super) mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::super::key::tests::key;
    use super::*;

    pub(in crate::sealing) fn store(place: &Path) -> KeyStore {
        let origin = Origin::new("gateway.demo/station/demo/1").unwrap();
        KeyStore::open(&place.join("session-keys"), origin).unwrap()
    }

    pub(in crate::sealing) fn recipients() -> [Recipient; 1] {
        [Recipient::from_bytes(&[9; 32]).unwrap()]
    }

    /// G7: a key's file is the owner's alone; erasing a session destroys its keys and no other's, and says so twice.
    #[test]
    fn erasing_destroys_a_sessions_keys_and_says_which() {
        let place = tempfile::tempdir().unwrap();
        let store = store(place.path());
        let (one, again, other) = (key("s-1"), key("s-1"), key("s-2"));
        for key in [&one, &again, &other] {
            store.write(key, &recipients()).unwrap();
            let mode = store.path(key.id(), KEY).metadata().unwrap().permissions();
            assert_eq!(mode.mode() & 0o777, 0o600);
        }
        let mut expected = vec![one.id().clone(), again.id().clone()];
        expected.sort();
        let erased = store.erase(one.session()).unwrap();
        assert_eq!(erased.0, expected);
        assert!(!store.holds(one.id()) && !store.holds(again.id()) && store.holds(other.id()));
        assert_eq!(store.erase(one.session()).unwrap(), erased, "after a crash");
        store.forget_notes(&erased.0);
        assert_eq!(store.erase(one.session()).unwrap(), Erased(Vec::new()));
    }

    /// G7: an attempt that failed half-way does not make the next one believe that the key is gone, even where its file no longer says
    /// whose it is.
    #[test]
    fn a_note_does_not_pass_for_a_destroyed_key() {
        let place = tempfile::tempdir().unwrap();
        let store = store(place.path());
        let key = key("s-1");
        store.write(&key, &recipients()).unwrap();
        let (session, path) = (key.session(), store.path(key.id(), KEY));
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        let named = BTreeSet::from([key.id().clone()]);
        let error = store.erase_named(session, &named).unwrap_err();
        assert!(
            error.to_string().contains(path.to_str().unwrap()),
            "{error}"
        );
        store.erase(session).unwrap_err();
        std::fs::remove_dir(&path).unwrap();
        assert_eq!(
            store.erase(session).unwrap(),
            Erased(vec![key.id().clone()])
        );
    }

    /// evidence.md 6: a key that no event names and no open session has is swept; those of an earlier log stay.
    #[test]
    fn orphan_keys_are_swept() {
        let place = tempfile::tempdir().unwrap();
        let store = store(place.path());
        let (named, orphan, open) = (key("s-1"), key("s-2"), key("s-3"));
        for key in [&named, &orphan, &open] {
            store.write(key, &recipients()).unwrap();
        }
        let earlier = SessionKey {
            origin: Origin::new("gateway.demo/station/demo/0").unwrap(),
            ..key("s-2")
        };
        store.write(&earlier, &recipients()).unwrap();
        let half = store.path(orphan.id(), "json.tmp");
        std::fs::write(&half, b"half").unwrap();
        store.erase(&SessionId::new("s-9").unwrap()).unwrap();
        let mut sweep = store.sweep().unwrap();
        sweep.named(named.id());
        assert!(sweep.is_foreign(earlier.id()));
        let kept = sweep.finish(|session| session == open.session(), |_| false);
        assert_eq!(kept, (3, 1));
        assert!(store.holds(named.id()) && store.holds(open.id()) && store.holds(earlier.id()));
        assert!(!store.holds(orphan.id()) && !half.exists());
    }
}
