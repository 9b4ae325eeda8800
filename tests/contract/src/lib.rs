//! The contract's files, written from its types: JSON Schemas, AsyncAPI, golden events.
//!
//! `write-contract` writes them; the tests show that they have not drifted, that the examples fit them, and that every
//! golden event still reads and encodes to the same bytes. This crate decides nothing about the contract: what it says
//! stands in the types of `schemas`.

pub mod asyncapi;
pub mod catalogue;
pub mod examples;
pub mod golden;
pub mod schema;

use std::collections::BTreeMap;
use std::path::PathBuf;

/// The command that repairs drift.
pub const COMMAND: &str = "cargo run -p contract --bin write-contract";

/// The folder `schemas/` of the workspace.
pub fn schemas_folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas"))
}

/// The folders under `schemas/` in which every file is generated.
pub const FOLDERS: &[&str] = &[
    "json/centre",
    "json/events",
    "json/matcher",
    "json/messages",
];

/// Every generated file with its text, by its path under `schemas/`. Golden events are not among them: they are
/// written once and never again.
///
/// # Errors
/// A schema that cannot be written as JSON or YAML.
pub fn generated() -> anyhow::Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    for message in catalogue::MESSAGES {
        let text = schema::message(message)?;
        files.insert(format!("json/messages/{}.json", message.name), text);
    }
    for part in catalogue::CENTRE {
        let text = schema::centre(part)?;
        files.insert(format!("json/centre/{}.json", part.name), text);
    }
    for part in catalogue::MATCHER {
        let text = schema::matcher(part)?;
        files.insert(format!("json/matcher/{}.json", part.name), text);
    }
    for (type_name, body) in schemas::event::Event::schemas() {
        files.insert(
            format!("json/events/{type_name}.json"),
            schema::event(type_name, body)?,
        );
    }
    files.insert("asyncapi.yaml".to_owned(), asyncapi::text()?);
    Ok(files)
}
