//! The marker beside the keys: this station's first start was completed, with this origin and key.

use std::path::{Path, PathBuf};

use schemas::proof::NoteKey;

use crate::error::{OpenError, Quarantine};

/// Whether a marker is at `path`, in whatever state. A caller that finds no keys asks this before it makes new ones.
pub fn is_initialised(path: &Path) -> bool {
    path.exists()
}

/// The marker's place and state.
#[derive(Debug)]
pub(super) struct Marker {
    path: PathBuf,
    expected: String,
    present: bool,
}

impl Marker {
    /// A marker that is there but says something else is never taken for a missing one.
    pub(super) fn read(path: PathBuf, key: &NoteKey) -> Result<Self, OpenError> {
        let expected = format!("station-log first start completed\n{}\n", key.to_vkey());
        let present = match std::fs::read(&path) {
            Ok(bytes) if bytes == expected.as_bytes() => true,
            Ok(_) => return Err(Quarantine::Marker.into()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
            Err(source) => {
                return Err(OpenError::Io {
                    doing: "read the marker".to_owned(),
                    source,
                });
            }
        };
        Ok(Self {
            path,
            expected,
            present,
        })
    }

    pub(super) fn is_present(&self) -> bool {
        self.present
    }

    /// The last step of the first start.
    pub(super) fn write(&self) -> Result<(), OpenError> {
        gateway_durable::replace_file(&self.path, self.expected.as_bytes(), 0o600)
            .map_err(OpenError::io("write the marker beside the keys"))
    }
}
