//! The files under `schemas/` are those that the types give; none is missing, none is left over.

use std::collections::BTreeSet;
use std::fs;

use contract::{COMMAND, FOLDERS, generated, schemas_folder};

#[test]
fn the_files_are_what_the_types_say() {
    let folder = schemas_folder();
    let files = generated().unwrap();
    for (name, text) in &files {
        let there = fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert!(
            there == *text,
            "schemas/{name} is not what the types say; run: {COMMAND}"
        );
    }
    let wanted: BTreeSet<String> = files
        .into_keys()
        .filter(|name| name.starts_with("json/"))
        .collect();
    let mut there = BTreeSet::new();
    for part in FOLDERS {
        for entry in fs::read_dir(folder.join(part)).unwrap() {
            there.insert(format!(
                "{part}/{}",
                entry.unwrap().file_name().to_string_lossy()
            ));
        }
    }
    assert_eq!(
        there, wanted,
        "files that no type stands for; run: {COMMAND}"
    );
}
