//! The list of the grant in force (A17): whom the station does not accept while the centre cannot be asked. It is kept beside the log, as
//! keys are, and named by its hash; the log says which one is in force.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use argon2::{Algorithm, Argon2, Params, Version};
use schemas::citizen::CitizenNumber;
use schemas::downlink::application::{FLAGGED_MAX, FlaggedHash, GrantIssued, GrantSalt};
use schemas::event::payment::GrantReceived;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use super::follower::sha256;

const FOLDER: &str = "grants";
/// As link.md, section 6, says.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const HASH_LEN: usize = 16;
/// Persons that are looked for at once. Each takes 19 MiB and a processor for some 20 ms, and there are other things to do meanwhile.
const LOOKUPS_MAX: usize = 2;

/// The list of a grant. It prints nothing of the persons.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrantList {
    version: u32,
    salt: GrantSalt,
    flagged: BTreeSet<FlaggedHash>,
}

/// Why a grant is not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotKept {
    /// It never holds.
    #[error("it ends before it begins")]
    Never,
    /// More persons than a list may have.
    #[error("it flags more than {FLAGGED_MAX} persons")]
    TooLong,
    /// The disk.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Keeps the list of a grant, and says what is recorded of it. Durable when this returns.
pub(super) fn keep(data: &Path, issued: &GrantIssued) -> Result<GrantReceived, NotKept> {
    if issued.valid_until_ms <= issued.valid_from_ms {
        return Err(NotKept::Never);
    }
    if issued.flagged.len() > FLAGGED_MAX {
        return Err(NotKept::TooLong);
    }
    let list = GrantList {
        version: issued.version,
        salt: issued.salt.clone(),
        flagged: issued.flagged.iter().cloned().collect(),
    };
    let text = serde_json::to_vec(&list).map_err(std::io::Error::other)?;
    let sha256 = sha256(&text);
    gateway_durable::make_folder(&data.join(FOLDER), 0o700)?;
    let path = data.join(FOLDER).join(format!("{sha256}.json"));
    gateway_durable::replace_file(&path, &text, 0o600)?;
    Ok(GrantReceived {
        version: issued.version,
        valid_from_ms: issued.valid_from_ms,
        valid_until_ms: issued.valid_until_ms,
        kinds: issued.kinds.clone(),
        residences: issued.residences.clone(),
        provisional_max: issued.provisional_max,
        flagged: u32::try_from(list.flagged.len()).unwrap_or(u32::MAX),
        sha256,
    })
}

/// The list of the grant that the log records, by `State::grant`. None: there is no grant, or its list is lost or was changed. Then nothing
/// is decided alone until the centre issues the next one, which is safe; so it stops no station. Lists that are not in force are
/// removed.
pub fn grant_list(data: &Path, in_force: Option<(u32, &str)>) -> Option<GrantList> {
    let (version, hash) = in_force?;
    let name = format!("{hash}.json");
    remove_others(&data.join(FOLDER), &name);
    let text = match std::fs::read(data.join(FOLDER).join(&name)) {
        Ok(text) => text,
        Err(error) => {
            tracing::error!(version, %error, "the list of the centre's grant cannot be read; nothing is accepted provisionally until the next grant");
            return None;
        }
    };
    let list: Option<GrantList> = serde_json::from_slice(&text).ok();
    let list = list.filter(|list| sha256(&text) == hash && list.version == version);
    if list.is_none() {
        tracing::error!(
            version,
            "the list of the centre's grant was changed; nothing is accepted provisionally until the next grant"
        );
    }
    list
}

/// The list in force, for whoever asks about a person. Cheap to clone.
#[derive(Debug, Clone)]
pub struct GrantDesk(Arc<Desk>);

#[derive(Debug)]
struct Desk {
    data: PathBuf,
    list: Mutex<Option<Arc<GrantList>>>,
    lookups: Arc<Semaphore>,
}

impl GrantDesk {
    /// Of the station whose data lies there. There is no grant yet.
    pub fn new(data: &Path) -> Self {
        Self(Arc::new(Desk {
            data: data.to_owned(),
            list: Mutex::default(),
            lookups: Arc::new(Semaphore::new(LOOKUPS_MAX)),
        }))
    }

    /// The log records this grant as the one in force: its version and the SHA-256 of its list. Reads the list.
    pub fn took(&self, in_force: Option<(u32, &str)>) {
        let list = grant_list(&self.0.data, in_force).map(Arc::new);
        *self.0.list.lock().unwrap_or_else(PoisonError::into_inner) = list;
    }

    fn list(&self) -> Option<Arc<GrantList>> {
        self.0
            .list
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Whether the list flags somebody, with its version; none where there is no list.
    pub async fn flags(&self, number: CitizenNumber) -> Option<(u32, bool)> {
        let list = self.list()?;
        if list.flagged.is_empty() {
            return Some((list.version, false));
        }
        let permit = Arc::clone(&self.0.lookups).acquire_owned().await.ok()?;
        let looked = panics::off_runtime(move || {
            let found = list.flags(&number);
            drop(permit);
            found
        });
        looked.await.ok().flatten()
    }
}

impl GrantList {
    /// Whether the list flags somebody, with its version: what the rules want to know of a person. It takes some 20 ms on purpose, and
    /// belongs on a thread of its own. None: the hash cannot be made.
    pub fn flags(&self, number: &CitizenNumber) -> Option<(u32, bool)> {
        let mut salt = [0; 32];
        hex::decode_to_slice(self.salt.as_str(), &mut salt).ok()?;
        let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(HASH_LEN)).ok()?;
        let mut hash = Zeroizing::new([0; HASH_LEN]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(number.expose().as_bytes(), &salt, hash.as_mut_slice())
            .ok()?;
        let hash = FlaggedHash::new(hex::encode(hash.as_slice())).ok()?;
        Some((self.version, self.flagged.contains(&hash)))
    }
}

impl core::fmt::Debug for GrantList {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("GrantList")
            .field("version", &self.version)
            .field("flagged", &self.flagged.len())
            .finish_non_exhaustive()
    }
}

/// What stays behind is removed at the next start.
fn remove_others(folder: &Path, name: &str) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        if entry.file_name() != *name
            && let Err(error) = std::fs::remove_file(entry.path())
        {
            tracing::warn!(%error, "the list of an older grant is not removed");
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;
    use schemas::words::Residence;
    use schemas::words::application::ApplicationKind;

    const FLAGGED: &str = "11010519491231002X";
    const OTHER: &str = "440524188001010014";
    /// Of the number above under a salt of 32 bytes 07, by the reference library of Argon2.
    const HASH: &str = "7540d939b00e6b969b254363b5b9da9c";

    fn issued(version: u32) -> GrantIssued {
        GrantIssued {
            version,
            valid_from_ms: 1,
            valid_until_ms: 2,
            kinds: vec![ApplicationKind::Renewal],
            residences: vec![Residence::Local],
            provisional_max: 5,
            salt: GrantSalt::new("07".repeat(32)).unwrap(),
            flagged: vec![FlaggedHash::new(HASH).unwrap()],
        }
    }

    /// A17, G7: the list in force flags whom the centre named, and nobody else; what is kept does not name them.
    #[test]
    fn a17_the_list_flags_whom_the_centre_named() {
        let data = tempfile::tempdir().unwrap();
        let received = keep(data.path(), &issued(3)).unwrap();
        assert_eq!((received.version, received.flagged), (3, 1));
        let list = grant_list(data.path(), Some((3, &received.sha256))).unwrap();
        let flags = |number| list.flags(&CitizenNumber::new(number).unwrap());
        assert_eq!(flags(FLAGGED), Some((3, true)));
        assert_eq!(flags(OTHER), Some((3, false)));
        let path = data
            .path()
            .join(FOLDER)
            .join(format!("{}.json", received.sha256));
        assert!(!std::fs::read_to_string(path).unwrap().contains(FLAGGED));
    }

    /// A17: a list that is lost, changed or of another version is not looked into; older ones go.
    #[test]
    fn a17_only_the_list_in_force_is_looked_into() {
        let data = tempfile::tempdir().unwrap();
        let old = keep(data.path(), &issued(3)).unwrap();
        let new = keep(data.path(), &issued(4)).unwrap();
        assert!(grant_list(data.path(), None).is_none());
        assert!(grant_list(data.path(), Some((5, &new.sha256))).is_none());
        assert!(grant_list(data.path(), Some((4, &new.sha256))).is_some());
        let path = |hash: &str| data.path().join(FOLDER).join(format!("{hash}.json"));
        assert!(!path(&old.sha256).exists());
        let text = std::fs::read_to_string(path(&new.sha256)).unwrap();
        std::fs::write(path(&new.sha256), text.replace(HASH, &"0".repeat(32))).unwrap();
        assert!(grant_list(data.path(), Some((4, &new.sha256))).is_none());
    }

    /// A17: a grant that never holds, or flags too many, is not taken.
    #[test]
    fn a17_a_grant_that_cannot_hold_is_not_taken() {
        let data = tempfile::tempdir().unwrap();
        let never = GrantIssued {
            valid_until_ms: 1,
            ..issued(3)
        };
        assert!(matches!(keep(data.path(), &never), Err(NotKept::Never)));
        let one = issued(3).flagged;
        let long = GrantIssued {
            flagged: vec![one.first().unwrap().clone(); FLAGGED_MAX + 1],
            ..issued(3)
        };
        assert!(matches!(keep(data.path(), &long), Err(NotKept::TooLong)));
    }

    /// A17: the desk looks into the list in force and no other: none before there is a grant, the new one after it was replaced, none where
    /// the one in force was lost.
    #[tokio::test]
    async fn a17_the_desk_looks_into_the_list_in_force() {
        let data = tempfile::tempdir().unwrap();
        let desk = GrantDesk::new(data.path());
        let flags = |number| desk.flags(CitizenNumber::new(number).unwrap());
        assert_eq!(flags(FLAGGED).await, None);
        let first = keep(data.path(), &issued(3)).unwrap();
        assert_eq!(flags(FLAGGED).await, None, "kept, and not yet recorded");
        desk.took(Some((3, &first.sha256)));
        assert_eq!(flags(FLAGGED).await, Some((3, true)));
        assert_eq!(flags(OTHER).await, Some((3, false)));
        let nobody = GrantIssued {
            flagged: Vec::new(),
            ..issued(4)
        };
        let second = keep(data.path(), &nobody).unwrap();
        desk.took(Some((4, &second.sha256)));
        assert_eq!(flags(FLAGGED).await, Some((4, false)));
        let third = keep(data.path(), &issued(5)).unwrap();
        let name = format!("{}.json", third.sha256);
        std::fs::remove_file(data.path().join(FOLDER).join(name)).unwrap();
        desk.took(Some((5, &third.sha256)));
        assert_eq!(flags(FLAGGED).await, None, "lost");
    }

    /// A17: many who ask at once are all answered, so many at a time.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a17_lookups_are_bounded() {
        let data = tempfile::tempdir().unwrap();
        let kept = keep(data.path(), &issued(3)).unwrap();
        let desk = GrantDesk::new(data.path());
        desk.took(Some((3, &kept.sha256)));
        let asking = (0..6).map(|_| {
            let desk = desk.clone();
            tokio::spawn(async move { desk.flags(CitizenNumber::new(FLAGGED).unwrap()).await })
        });
        let asking: Vec<_> = asking.collect();
        while desk.0.lookups.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        for answer in asking {
            assert_eq!(answer.await.unwrap(), Some((3, true)));
        }
        assert_eq!(desk.0.lookups.available_permits(), LOOKUPS_MAX);
    }
}
