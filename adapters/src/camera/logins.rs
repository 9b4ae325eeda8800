//! Who the station is to its cameras. Passwords are read from files that nobody else can read, once, at start.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use edge_config::OnvifCamera;
use schemas::ids::DeviceId;
use thiserror::Error;
use zeroize::Zeroizing;

use super::Credentials;

/// Longest password, in bytes; what is longer is another file.
const PASSWORD_BYTES_MAX: u64 = 256;

/// Why a camera's password cannot be used. Nothing of the file's content is in it.
#[derive(Debug, Error)]
#[error("onvif_camera.password_file of {camera}: {path} {why}")]
pub struct LoginRefused {
    camera: DeviceId,
    path: String,
    why: String,
}

/// A login for each camera that has one. None of it prints.
#[derive(Debug, Default)]
pub struct CameraLogins(BTreeMap<DeviceId, Credentials>);

impl CameraLogins {
    /// Reads the files that the configuration names.
    pub fn read(cameras: &[OnvifCamera]) -> Result<Self, LoginRefused> {
        let mut logins = Self::default();
        for camera in cameras {
            let Some(login) = &camera.login else {
                continue;
            };
            let path = &login.password_file;
            let password = password(path).map_err(|why| LoginRefused {
                camera: camera.device.clone(),
                path: path.display().to_string(),
                why,
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
fn password(path: &Path) -> Result<Zeroizing<String>, String> {
    let mut file = File::open(path).map_err(|error| format!("cannot be opened: {error}"))?;
    let metadata = file
        .metadata()
        .map_err(|error| format!("cannot be looked at: {error}"))?;
    let mode = metadata.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(format!(
            "can be read by others (mode {mode:03o}); run: chmod 600 {}",
            path.display()
        ));
    }
    if !metadata.is_file() || metadata.len() > PASSWORD_BYTES_MAX {
        return Err(format!(
            "is no file of at most {PASSWORD_BYTES_MAX} bytes; write the password into it, and nothing else"
        ));
    }
    // With room for all of it, so that it does not grow and leave a copy behind.
    let mut text = Zeroizing::new(String::with_capacity(512));
    let read = (&mut file)
        .take(PASSWORD_BYTES_MAX + 1)
        .read_to_string(&mut text);
    read.map_err(|error| format!("is not text: {error}"))?;
    let line = Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned());
    if line.is_empty() || line.chars().any(char::is_control) {
        return Err("holds no password; write the password into it, as one line".to_owned());
    }
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
                    let error = read.unwrap_err();
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
