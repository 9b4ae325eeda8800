//! Writes the contract's files from its types into `schemas/`, removes generated files that no type stands for any
//! more, and makes golden events for types that have none. It never touches a golden event that is there.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use contract::{FOLDERS, examples, generated, golden, schemas_folder};
use schemas::event::EVENT_TYPES;

fn main() -> anyhow::Result<()> {
    let folder = schemas_folder();
    let files = generated()?;
    for (name, text) in &files {
        write(&folder.join(name), text)?;
    }
    for part in FOLDERS {
        for entry in fs::read_dir(folder.join(part))? {
            let path = entry?.path();
            let name = path.strip_prefix(&folder)?.to_string_lossy().into_owned();
            if !files.contains_key(&name) {
                fs::remove_file(&path)
                    .with_context(|| format!("cannot remove {}", path.display()))?;
            }
        }
    }
    let made = new_golden(&folder.join("golden"))?;
    println!("{} files written, {made} golden events made", files.len());
    Ok(())
}

fn new_golden(folder: &Path) -> anyhow::Result<usize> {
    let key = golden::TestKey::new()?;
    let bodies = examples::events()?;
    let mut made = 0;
    for type_name in EVENT_TYPES {
        let (json, cose) = (
            folder.join(format!("{type_name}.json")),
            folder.join(format!("{type_name}.cose")),
        );
        if json.exists() || cose.exists() {
            continue;
        }
        let body = bodies.get(*type_name);
        let body = body
            .with_context(|| format!("tests/contract/examples/events.json has no {type_name}"))?;
        let signed =
            golden::make(&key, type_name, body).with_context(|| (*type_name).to_owned())?;
        write(&json, &format!("{}\n", golden::payload(&signed)?))?;
        write(&cose, &format!("{}\n", hex::encode(&signed)))?;
        made += 1;
    }
    Ok(made)
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
