//! The station's keys: the Ed25519 key that signs events and checkpoints, the lookup keys that tag citizen numbers
//! and vouchers, and the number of this incarnation of the log.
//!
//! It owns the keys folder (mode 0700, files 0600), which lies apart from the data so that no single backup holds
//! both. It makes keys at the first start only, and must never make new ones over a log that was begun with others: a
//! key that is missing then is quarantined. No private part is ever printed, logged or handed out.

mod files;
mod lookup;
mod ring;
mod signing;

use std::path::{Path, PathBuf};

pub use lookup::{Domain, LookupKeys, NotRotated};
pub use ring::{KeyRing, NotRotated as KeyNotRotated, Settled};
pub use signing::{HeldKeys, SigningKey};

/// The keys of a station, in memory. Cheap to clone; the private parts are shared and wiped with the last clone.
#[derive(Debug, Clone)]
pub struct StationKeys {
    /// Sign events and checkpoints.
    pub signing: HeldKeys,
    /// Tags what must be found again without being kept.
    pub lookup: LookupKeys,
    /// Last level of the log's origin: 1 for the first log of this station.
    pub incarnation: u32,
}

/// Why there are no keys to work with.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// A completed first start left this behind, and it is gone.
    #[error(
        "{part} is missing from {folder}, though this station was started before; nothing was changed; see \
         ops/docs/runbook/quarantine.md"
    )]
    Missing {
        /// The file.
        part: &'static str,
        /// The keys folder.
        folder: PathBuf,
    },
    /// A key file is there but is not one.
    #[error(
        "{part} in {folder} is damaged; nothing was changed; see ops/docs/runbook/quarantine.md"
    )]
    Damaged {
        /// The file.
        part: &'static str,
        /// The keys folder.
        folder: PathBuf,
    },
    /// Others than the owner could read a key.
    #[error("{path} can be read by others (mode {mode:o}): run `chmod {wanted:o}` on it")]
    Permissions {
        /// The file or folder.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// What it should be.
        wanted: u32,
    },
    /// `gateway incarnate` was cut off.
    #[error("a new log of this station was begun and not completed: run `gateway incarnate` again")]
    Incarnating,
    /// One rotation at a time.
    #[error("a rotation of the signing key is under way: try again in a moment")]
    RotationUnderWay,
    /// The system's random source failed.
    #[error("the system gave no random bytes")]
    Random,
    /// The operating system refused something; `doing` says what.
    #[error("cannot {doing}: {source}")]
    Io {
        /// What was being done.
        doing: String,
        /// The reason.
        source: std::io::Error,
    },
}

impl KeysError {
    /// Whether the station must be looked at by its staff before it may start again.
    pub fn is_quarantine(&self) -> bool {
        matches!(
            self,
            Self::Missing { .. } | Self::Damaged { .. } | Self::Incarnating
        )
    }
}

/// The files of one log's own keys, which stay with it when a new log begins. The lookup keys go on: records are carried over.
const OF_ONE_LOG: [&str; 6] = [
    "signing-key.p8",
    "signing-key-next.p8",
    "first-key",
    "last-rotation",
    "witness",
    "initialised",
];
/// There while a new log is being begun: the number of the old one, and how far it has come.
const INCARNATING: &str = "incarnating";

/// How far the beginning of a new log has come (`gateway incarnate`). What may be moved or removed follows from this alone, never
/// from what is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Incarnating {
    /// The old log is being put aside: nothing of the new one exists.
    PuttingAside(u32),
    /// The old log is aside: what is in the present folders belongs to the new one, and nobody has used it.
    Beginning(u32),
}

impl Incarnating {
    /// The number of the old log.
    pub const fn old(self) -> u32 {
        match self {
            Self::PuttingAside(old) | Self::Beginning(old) => old,
        }
    }
}

/// What was begun and not completed, if anything.
pub fn incarnating(folder: &Path) -> Result<Option<Incarnating>, KeysError> {
    let store = files::KeyFolder::open(folder, false)?;
    let Some(text) = store.read(INCARNATING)? else {
        return Ok(None);
    };
    let text = std::str::from_utf8(&text).unwrap_or_default();
    let stage = match text.trim_end().split_once(' ') {
        Some((old, "putting-aside")) => parse_number(old.as_bytes()).map(Incarnating::PuttingAside),
        Some((old, "beginning")) => parse_number(old.as_bytes()).map(Incarnating::Beginning),
        Some(_) | None => None,
    };
    stage.map(Some).ok_or_else(|| store.damaged(INCARNATING))
}

/// From here on the station does not start before [`end_incarnation`].
pub fn begin_incarnation(folder: &Path, old: u32) -> Result<(), KeysError> {
    // The folder may be lost with all that was in it.
    let store = files::KeyFolder::open(folder, true)?;
    store.replace(INCARNATING, format!("{old} putting-aside\n").as_bytes())
}

/// Puts the old log's keys aside and raises the number; whatever was moved before stays moved. Data must be aside already.
pub fn put_aside(folder: &Path, old: u32) -> Result<(), KeysError> {
    let (store, aside) = (
        files::KeyFolder::open(folder, false)?,
        keys_aside(folder, old),
    );
    let there = files::KeyFolder::open(&aside, true)?;
    for part in OF_ONE_LOG {
        if folder.join(part).exists() && !aside.join(part).exists() {
            store.move_to(part, &aside)?;
        }
    }
    // Whoever checks the old log finds its number beside its keys.
    there.replace("incarnation", format!("{old}\n").as_bytes())?;
    store.replace(
        "incarnation",
        format!("{}\n", old.saturating_add(1)).as_bytes(),
    )?;
    store.replace(INCARNATING, format!("{old} beginning\n").as_bytes())
}

/// Removes the keys of a new log that was begun and not completed.
pub fn remove_begun(folder: &Path) -> Result<(), KeysError> {
    let store = files::KeyFolder::open(folder, false)?;
    OF_ONE_LOG.iter().try_for_each(|part| store.remove(part))
}

/// The new log is begun.
pub fn end_incarnation(folder: &Path) -> Result<(), KeysError> {
    files::KeyFolder::open(folder, false)?.remove(INCARNATING)
}

/// Held by whoever works with the keys, a station or a command that changes them; gone with the process.
#[derive(Debug)]
pub struct KeysLock {
    _held: std::fs::File,
}

/// Takes the keys folder for this process alone. `may_make`: it may be lost.
pub fn lock(folder: &Path, may_make: bool) -> Result<KeysLock, KeysError> {
    files::KeyFolder::open(folder, may_make)?;
    let held = || -> std::io::Result<std::fs::File> {
        let file = std::fs::File::open(folder)?;
        rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive)?;
        Ok(file)
    };
    held()
        .map(|held| KeysLock { _held: held })
        .map_err(|source| KeysError::Io {
            doing: format!(
                "take the keys folder {}: a station or `gateway incarnate` uses it",
                folder.display()
            ),
            source,
        })
}

/// Where the keys of an old log lie.
pub fn keys_aside(folder: &Path, old: u32) -> PathBuf {
    folder.join(format!("incarnation-{old}"))
}

/// Opens the keys in `folder`. At the very first start, which is one where neither the log's `marker` nor a log in
/// `data` exists, whatever is missing is made; each file is durable before this returns. Later, a missing part is an
/// error: a key made anew would make the old log unreadable to its auditors, and tags unfindable.
pub fn open(folder: &Path, data: &Path, marker: &Path) -> Result<StationKeys, KeysError> {
    let begun = gateway_log::is_initialised(marker) || gateway_log::holds_log(data);
    let store = files::KeyFolder::open(folder, !begun)?;
    let keys = StationKeys {
        signing: signing::open(&store)?,
        lookup: lookup::open(&store)?,
        incarnation: incarnation(&store)?,
    };
    store.check_modes()?;
    Ok(keys)
}

/// The verifier key of the log's first key, read from the folder without its private parts. `origin` names the log of an
/// incarnation.
pub fn first_vkey<E>(
    folder: &Path,
    origin: impl FnOnce(u32) -> Result<schemas::envelope::Origin, E>,
) -> anyhow::Result<String>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let origin = origin(present_incarnation(folder)?)?;
    let key = schemas::proof::NoteKey::new(origin.as_str(), first_public(folder)?)?;
    Ok(key.to_vkey())
}

/// The public parts of the signing keys that are in the folder, present and next.
pub fn held_publics(folder: &Path) -> Vec<[u8; 32]> {
    let held = files::KeyFolder::open(folder, false)
        .ok()
        .map(|store| signing::held(&store));
    held.unwrap_or_default()
}

/// The public part of the log's first key.
pub fn first_public(folder: &Path) -> Result<[u8; 32], KeysError> {
    signing::first(&files::KeyFolder::open(folder, false)?)
}

/// Where the log puts its marker that the first start was completed.
pub fn marker_path(folder: &Path) -> PathBuf {
    folder.join("initialised")
}

/// Where the log keeps its newest checkpoint a second time, apart from the data.
pub fn witness_path(folder: &Path) -> PathBuf {
    folder.join("witness")
}

fn incarnation(store: &files::KeyFolder) -> Result<u32, KeysError> {
    const PART: &str = "incarnation";
    let text = store.read_or_make(PART, || Ok(b"1\n".to_vec().into()))?;
    parse_number(&text).ok_or_else(|| store.damaged(PART))
}

fn parse_number(text: &[u8]) -> Option<u32> {
    let number = std::str::from_utf8(text).ok()?.trim().parse().ok()?;
    (number > 0).then_some(number)
}

/// The number of the present log, without making anything.
pub fn present_incarnation(folder: &Path) -> Result<u32, KeysError> {
    let store = files::KeyFolder::open(folder, false)?;
    incarnation(&store)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    struct Station {
        place: tempfile::TempDir,
    }

    impl Station {
        fn new() -> Self {
            Self {
                place: tempfile::tempdir().unwrap(),
            }
        }
        fn keys(&self) -> PathBuf {
            self.place.path().join("keys")
        }
        fn data(&self) -> PathBuf {
            self.place.path().join("data")
        }
        fn open(&self) -> Result<StationKeys, KeysError> {
            open(&self.keys(), &self.data(), &marker_path(&self.keys()))
        }
    }

    /// G2, G3: the first start makes the keys, 0600 in a 0700 folder; a later start finds the same.
    #[test]
    fn keys_are_made_once_and_for_the_owner_only() {
        let station = Station::new();
        let first = station.open().unwrap();
        let second = station.open().unwrap();
        let public = |keys: &StationKeys| keys.signing.current.public_key();
        assert_eq!(public(&first), public(&second));
        assert_eq!(first.signing.first, public(&first));
        assert_eq!(
            first.lookup.tags(Domain::Number, "11010519491231002X"),
            second.lookup.tags(Domain::Number, "11010519491231002X")
        );
        assert_eq!((first.incarnation, second.incarnation), (1, 1));
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&station.keys()), 0o700);
        let files: Vec<_> = std::fs::read_dir(station.keys())
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert_eq!(files.len(), 4);
        for file in files {
            assert_eq!(mode(&file.path()), 0o600, "{}", file.path().display());
        }
    }

    /// evidence.md 3.4: first start: keys, then `HEAD`, then the log; any part missing later is quarantined.
    #[test]
    fn a_key_missing_from_a_station_that_was_started_is_quarantined() {
        for part in ["signing-key.p8", "first-key", "lookup-keys", "incarnation"] {
            let station = Station::new();
            station.open().unwrap();
            std::fs::write(marker_path(&station.keys()), "done").unwrap();
            std::fs::remove_file(station.keys().join(part)).unwrap();
            let error = station.open().unwrap_err();
            assert!(error.is_quarantine(), "{part}: {error}");
            assert!(
                error.to_string().contains("ops/docs/runbook/quarantine.md"),
                "{error}"
            );
            assert!(
                !station.keys().join(part).exists(),
                "{part} must not be made anew"
            );
        }
    }

    #[test]
    fn all_keys_missing_beside_a_log_is_quarantined() {
        let station = Station::new();
        std::fs::create_dir_all(station.data().join("log")).unwrap();
        assert!(station.open().unwrap_err().is_quarantine());
    }

    /// A first start that was interrupted between two keys is completed by the next.
    #[test]
    fn an_interrupted_first_start_is_completed() {
        let station = Station::new();
        let first = station.open().unwrap();
        std::fs::remove_file(station.keys().join("lookup-keys")).unwrap();
        let second = station.open().unwrap();
        let public = |keys: &StationKeys| keys.signing.current.public_key();
        assert_eq!(public(&first), public(&second));
        assert_eq!(first.signing.first, public(&first));
    }

    #[test]
    fn damaged_keys_are_quarantined() {
        for part in ["signing-key.p8", "first-key", "lookup-keys", "incarnation"] {
            for bytes in [&b""[..], b"nonsense", b"0"] {
                let station = Station::new();
                station.open().unwrap();
                std::fs::write(station.keys().join(part), bytes).unwrap();
                assert!(
                    station.open().unwrap_err().is_quarantine(),
                    "{part} {bytes:?}"
                );
            }
        }
    }

    #[test]
    fn keys_that_others_can_read_are_refused() {
        // The witness is written by the log, and holds for every other file that is put there.
        for name in ["signing-key.p8", "witness"] {
            let station = Station::new();
            station.open().unwrap();
            let path = station.keys().join(name);
            let mut file = std::fs::File::options();
            drop(file.create(true).append(true).open(&path).unwrap());
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
            station.open().unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
            assert!(matches!(
                station.open(),
                Err(KeysError::Permissions { wanted: 0o600, .. })
            ));
        }
    }

    /// G7: nothing that prints shows a key.
    #[test]
    fn keys_do_not_print() {
        let station = Station::new();
        let keys = station.open().unwrap();
        let lookup = std::fs::read_to_string(station.keys().join("lookup-keys")).unwrap();
        let secret = lookup.split_whitespace().nth(1).unwrap();
        assert!(!format!("{keys:?}").contains(secret));
    }
}
