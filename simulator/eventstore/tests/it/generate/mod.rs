//! Generates the protocol's types from the files under `proto`, without a protocol compiler.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// How to write the generated files anew.
pub(crate) const COMMAND: &str = "cargo run -p simulated-eventstore --example write_wire";

const PROTOS: [&str; 6] = [
    "gossip.proto",
    "persistent.proto",
    "serverfeatures.proto",
    "shared.proto",
    "status.proto",
    "streams.proto",
];

/// Where the generated files are kept.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/generated")
}

/// File names and their text.
pub(crate) fn generated() -> anyhow::Result<BTreeMap<String, String>> {
    let protos = Path::new(env!("CARGO_MANIFEST_DIR")).join("proto");
    let descriptors = protox::compile(PROTOS, [&protos])?;
    let out = tempfile::tempdir()?;
    tonic_build::configure()
        .build_client(false)
        .build_transport(false)
        .bytes(["."])
        .extern_path(".event_store.client.Empty", "()")
        .out_dir(out.path())
        .include_file("mod.rs")
        .compile_fds(descriptors)?;
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(out.path())? {
        let path = entry?.path();
        let name = path.file_name().context("a file without a name")?;
        files.insert(
            name.to_string_lossy().into_owned(),
            fs::read_to_string(&path)?,
        );
    }
    Ok(files)
}
