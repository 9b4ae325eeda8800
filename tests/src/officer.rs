//! An officer at the window (A15): their keys, their terminal, and the pictures that they are given.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::station::{Station, binary};

/// An officer's pair of keys; the files' common name.
pub fn make_key(root: &Path, name: &str) -> PathBuf {
    let pair = root.join(name);
    let made = Command::new(binary("gateway"))
        .args(["window", "make-key"])
        .arg(&pair)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    pair
}

/// A command about this station where standard output is a terminal: what it showed there. The PIN is read from a file.
pub fn on_terminal(station: &Station, args: &[&str], pin: &str) -> String {
    let root = &station.layout.root;
    let (config, typed) = (root.join("station.toml"), root.join("typed"));
    std::fs::write(&typed, pin).unwrap();
    let (gateway, args) = (binary("gateway"), args.join(" "));
    let command = format!(
        "{} {args} --config {} < {}",
        gateway.display(),
        config.display(),
        typed.display()
    );
    let output = Command::new("script")
        .args(["--quiet", "--return", "--command", &command, "/dev/null"])
        .current_dir(root)
        .stdin(Stdio::null())
        .output()
        .expect("script, of the Debian package bsdutils");
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{shown}");
    shown
}

/// The files of a folder, which are the officer's alone as it is: names without their ends, and bytes.
pub fn pictures_in(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(folder), 0o700);
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .map(|path| {
            assert_eq!(mode(&path), 0o600, "{}", path.display());
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read(&path).unwrap())
        })
        .collect()
}
