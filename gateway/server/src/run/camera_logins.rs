//! Who the station is to its cameras. Passwords are read from files that nobody else can read, once, at start.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use adapters::camera::Credentials;
use anyhow::{Context as _, ensure};
use edge_config::OnvifCamera;
use schemas::ids::DeviceId;
use zeroize::Zeroizing;

/// Longest password, in bytes; what is longer is another file.
const PASSWORD_BYTES_MAX: u64 = 256;

/// A login for each camera that has one. None of it prints.
#[derive(Debug, Default)]
pub struct CameraLogins(BTreeMap<DeviceId, Credentials>);

impl CameraLogins {
    /// Reads the files that the configuration names.
    pub(super) fn read(cameras: &[OnvifCamera]) -> anyhow::Result<Self> {
        let mut logins = Self::default();
        for camera in cameras {
            let Some(login) = &camera.login else {
                continue;
            };
            let path = &login.password_file;
            let password = password(path).with_context(|| {
                format!(
                    "onvif_camera.password_file of {}: {}",
                    camera.device,
                    path.display()
                )
            })?;
            let credentials = Credentials::new(login.user.to_string(), password);
            logins.insert(camera.device.clone(), credentials);
        }
        Ok(logins)
    }

    /// Of the camera `device`.
    pub fn of(&self, device: &DeviceId) -> Option<&Credentials> {
        self.0.get(device)
    }

    /// For the camera `device`.
    pub fn insert(&mut self, device: DeviceId, credentials: Credentials) {
        self.0.insert(device, credentials);
    }
}

/// The first line of a file that only its owner can read.
fn password(path: &Path) -> anyhow::Result<Zeroizing<String>> {
    let mut file = File::open(path).context("cannot be opened")?;
    let metadata = file.metadata().context("cannot be looked at")?;
    let mode = metadata.mode() & 0o777;
    let others = mode & 0o077;
    ensure!(
        others == 0,
        "can be read by others (mode {mode:03o}); run: chmod 600 {}",
        path.display()
    );
    ensure!(
        metadata.is_file() && metadata.len() <= PASSWORD_BYTES_MAX,
        "is no file of at most {PASSWORD_BYTES_MAX} bytes; write the password into it, and nothing else"
    );
    // With room for all of it, so that it does not grow and leave a copy behind.
    let mut text = Zeroizing::new(String::with_capacity(512));
    let read = (&mut file)
        .take(PASSWORD_BYTES_MAX + 1)
        .read_to_string(&mut text);
    read.context("is not text")?;
    let line = Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned());
    ensure!(
        !line.is_empty() && !line.chars().any(char::is_control),
        "holds no password; write the password into it, as one line"
    );
    Ok(line)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    /// G7: a password comes from a file of its owner's only, and no refusal quotes it.
    #[test]
    fn g7_a_password_is_read_from_a_private_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("camera.password");
        for (text, mode, said) in [
            ("secret-word\n", 0o600, None),
            ("secret-word", 0o400, None),
            ("secret-word\n", 0o640, Some("mode 640); run: chmod 600 ")),
            ("secret-word\n", 0o604, Some("mode 604)")),
            ("\n", 0o600, Some("as one line")),
            ("secret-word\nsecret-more\n", 0o600, Some("as one line")),
            (&"secret-word".repeat(50), 0o600, Some("at most 256 bytes")),
        ] {
            std::fs::write(&file, text).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
            let read = password(&file);
            match said {
                None => assert_eq!(*read.unwrap(), "secret-word"),
                Some(said) => {
                    let error = format!("{:#}", read.unwrap_err());
                    assert!(
                        error.contains(said) && !error.contains("secret-"),
                        "{error}"
                    );
                }
            }
            std::fs::remove_file(&file).unwrap();
        }
        assert!(password(&file).is_err());
    }
}
