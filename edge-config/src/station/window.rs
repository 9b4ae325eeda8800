//! `[window]`: the officers who go on with what citizens began at a kiosk (A15).

use std::path::PathBuf;

use crate::reader::Section;

/// Officers with a key of their own.
const KEYS_MAX: usize = 8;

/// The window.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Window {
    /// Files with the officers' X25519 public keys, to which the keys of applications are sealed too: 64 hexadecimal digits or PEM. At
    /// most 8; none: only the centre opens what a ticket holds.
    pub keys: Vec<PathBuf>,
}

pub(super) fn read(s: &mut Section<'_>) -> Window {
    let keys = s.paths("keys", KEYS_MAX);
    if keys.as_ref().is_none_or(Vec::is_empty) {
        s.refuse(
            "keys",
            "names nobody who may open tickets; write keys = [\"officer-1.public\"], or leave [window] out",
        );
    }
    Window {
        keys: keys.unwrap_or_default(),
    }
}

/// Tickets come from applications.
pub(super) fn check(root: &Section<'_>) {
    if root.has("window") && !root.has("application") {
        root.refuse(
            "window",
            "nobody applies at this station; write [application], or leave [window] out",
        );
    }
}
