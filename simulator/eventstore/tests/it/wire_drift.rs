//! The generated types are those that the files under `proto` give; none is missing, none is left over.

use std::collections::BTreeSet;
use std::fs;

use crate::generate::{COMMAND, folder, generated};

#[test]
fn the_generated_types_are_what_the_protos_say() {
    let files = generated().unwrap();
    for (name, text) in &files {
        let there = fs::read_to_string(folder().join(name)).unwrap_or_default();
        assert!(there == *text, "{name} is out of date; run: {COMMAND}");
    }
    let there: BTreeSet<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(there, files.into_keys().collect());
}
