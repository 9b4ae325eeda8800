//! Policies that the centre issued: files named by their hash in the data folder. The log says which one is in force.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use edge_config::{ConfigErrors, Policy};
use gateway_core::CentreLink;

const FOLDER: &str = "policies";
const FOLDER_MODE: u32 = 0o700;

/// Checks a policy's text.
pub(super) fn parse(text: &str) -> Result<Policy, ConfigErrors> {
    edge_config::parse_policy(text, "the centre's policy")
}

/// Keeps a policy's text; durable when this returns.
pub fn keep_policy(data: &Path, sha256: &str, text: &str) -> std::io::Result<()> {
    let path = path(data, sha256);
    if let Some(folder) = path.parent() {
        gateway_durable::make_folder(folder, FOLDER_MODE)?;
    }
    gateway_durable::replace_file(&path, text.as_bytes(), 0o600)
}

/// The policy that the centre issued last and the log records; none: the configuration's own holds. One that is missing or was
/// changed stops the station from starting, because its rules would be others than the log says.
pub fn policy_in_force(data: &Path, told: &CentreLink) -> anyhow::Result<Option<Policy>> {
    let Some((version, sha256)) = &told.policy else {
        return Ok(None);
    };
    let text = issued_policy(data, *version, sha256)?;
    Ok(Some(parse(&text).map_err(anyhow::Error::from)?))
}

/// The text of a policy that the centre issued, as it was kept.
pub fn issued_policy(data: &Path, version: u32, sha256: &str) -> anyhow::Result<String> {
    let path = path(data, sha256);
    let text = std::fs::read_to_string(&path).with_context(|| {
        format!(
            "policy {version} of the centre is in force, and {} cannot be read: bring it back from a copy of the data folder",
            path.display()
        )
    })?;
    anyhow::ensure!(
        super::follower::sha256(text.as_bytes()) == *sha256,
        "policy {version} of the centre is in force, and {} is not that policy: bring it back from a copy of the data folder",
        path.display()
    );
    Ok(text)
}

fn path(data: &Path, sha256: &str) -> PathBuf {
    data.join(FOLDER).join(format!("{sha256}.toml"))
}
