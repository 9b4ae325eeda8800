//! What the centre reads of a station's data folder, by the simulator's own opener.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::config::Layout;
use crate::left;
use crate::station::{CENTRE_PRIVATE, binary};

/// A line for each sealed thing of a stopped station.
pub fn open(layout: &Layout) -> Vec<Value> {
    open_in(layout, &layout.data())
}

/// The same of what lies in another folder, for example of what the centre received.
pub fn open_in(layout: &Layout, data: &Path) -> Vec<Value> {
    let key = layout.root.join("centre-seal-key.private");
    std::fs::write(&key, CENTRE_PRIVATE).unwrap();
    let events = layout.root.join("events.cose");
    std::fs::write(&events, left::exported(layout)).unwrap();
    let output = Command::new(binary("simulator"))
        .arg("open-sealed")
        .arg("--key")
        .arg(&key)
        .arg("--data")
        .arg(data)
        .arg("--events")
        .arg(&events)
        .arg("--photos")
        .arg(layout.root.join("photos"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// How many things of this kind and session were opened, and how many stayed closed.
pub fn count(lines: &[Value], what: &str, session: &str) -> (usize, usize) {
    let of = |opened: bool| {
        lines
            .iter()
            .filter(|line| {
                line["what"] == what && line["session"] == session && line["opened"] == opened
            })
            .count()
    };
    (of(true), of(false))
}
