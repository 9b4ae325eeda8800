//! The version of the folder's layout, in `FORMAT`.

use super::files::Folder;
use super::upgrade;
use crate::error::{OpenError, Quarantine};

const PREFIX: &str = "station-log ";
/// A step from one version of the layout to the next. It must be safe to run again after a crash in its middle.
type Upgrade = fn(&Folder) -> Result<(), OpenError>;
/// `UPGRADES[n]` leads from version n + 1 to n + 2. The layout of events themselves is never upgraded: their bytes are signed.
const UPGRADES: &[Upgrade] = &[upgrade::into_epochs];

/// Refuses a newer version, upgrades an older one. A folder without the file passes; see [`require`].
pub(super) fn check(folder: &Folder) -> Result<(), OpenError> {
    check_with(folder, UPGRADES)
}

/// Refuses a folder without the file.
pub(super) fn require(folder: &Folder) -> Result<(), OpenError> {
    read(folder)?
        .map(|_| ())
        .ok_or(Quarantine::Missing("FORMAT").into())
}

/// Marks a new folder with the newest version.
pub(super) fn write_newest(folder: &Folder) -> Result<(), OpenError> {
    write(folder, newest(UPGRADES))
}

fn check_with(folder: &Folder, upgrades: &[Upgrade]) -> Result<(), OpenError> {
    let known = newest(upgrades);
    let Some(found) = read(folder)? else {
        return Ok(());
    };
    if found > known {
        return Err(OpenError::NewerFormat { found, known });
    }
    let mut version = found;
    for upgrade in upgrades
        .iter()
        .skip(usize::try_from(found - 1).unwrap_or(usize::MAX))
    {
        upgrade(folder)?;
        version += 1;
        write(folder, version)?;
        tracing::info!(version, "the data folder was upgraded");
    }
    Ok(())
}

fn newest(upgrades: &[Upgrade]) -> u32 {
    u32::try_from(upgrades.len()).map_or(u32::MAX, |steps| steps.saturating_add(1))
}

fn read(folder: &Folder) -> Result<Option<u32>, OpenError> {
    let bytes = match std::fs::read(folder.format()) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(OpenError::Io {
                doing: "read FORMAT".to_owned(),
                source,
            });
        }
    };
    let version = std::str::from_utf8(&bytes)
        .ok()
        .and_then(|text| text.strip_prefix(PREFIX)?.strip_suffix('\n')?.parse().ok())
        .filter(|version| *version > 0);
    version.map(Some).ok_or(Quarantine::Format.into())
}

fn write(folder: &Folder, version: u32) -> Result<(), OpenError> {
    let text = format!("{PREFIX}{version}\n");
    gateway_durable::replace_file(&folder.format(), text.as_bytes(), 0o644)
        .map_err(OpenError::io("write FORMAT"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn leave_a_trace(folder: &Folder) -> Result<(), OpenError> {
        std::fs::write(folder.path().join("trace"), "x").map_err(OpenError::io("write"))
    }

    /// An older folder is upgraded step by step, and only once.
    #[test]
    fn an_older_folder_is_upgraded() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::prepare(place.path()).unwrap();
        write(&folder, 1).unwrap();
        let steps: &[Upgrade] = &[|_| Ok(()), leave_a_trace];
        check_with(&folder, steps).unwrap();
        assert_eq!(read(&folder).unwrap(), Some(3));
        std::fs::remove_file(folder.path().join("trace")).unwrap();
        check_with(&folder, steps).unwrap();
        assert!(
            !folder.path().join("trace").exists(),
            "nothing is done twice"
        );
    }

    /// An upgrade that fails leaves the version of the last step that succeeded.
    #[test]
    fn a_failed_upgrade_is_taken_up_again() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::prepare(place.path()).unwrap();
        write(&folder, 1).unwrap();
        let fails: Upgrade = |_| Err(Quarantine::Format.into());
        assert!(check_with(&folder, &[leave_a_trace, fails]).is_err());
        assert_eq!(read(&folder).unwrap(), Some(2));
    }
}
