//! Building the program under test, with features that differ from those of the tests.
//!
//! Owns: one copy of the program for each set of features. Cargo puts every variant in the same place,
//! and test processes run side by side, so a build and its copy happen under a lock.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use rustix::fs::{FlockOperation, flock};

/// Builds with `cargo build` and these arguments (`["-p", …, "--example", …]`), and returns a copy of
/// the program under the name `variant` in `scratch`, a test's `CARGO_TARGET_TMPDIR`.
///
/// # Errors
/// The build fails, or makes no program.
pub fn program(scratch: &Path, variant: &str, arguments: &[&str]) -> Result<PathBuf> {
    fs::create_dir_all(scratch)?;
    let target = scratch
        .parent()
        .context("the scratch folder lies in the target folder")?;
    let lock = File::create(scratch.join("programs.lock"))?;
    flock(&lock, FlockOperation::LockExclusive)?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .arg("build")
        .args(arguments)
        .arg("--message-format=json")
        .arg("--target-dir")
        .arg(target)
        .output()
        .context("cannot start cargo")?;
    if !output.status.success() {
        bail!(
            "cargo build {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let built = String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(executable)
        .next_back()
        .with_context(|| format!("cargo build {arguments:?} made no program"))?;
    let copy = scratch.join(variant);
    // Another test may be running the copy that is there: it is replaced by name, never overwritten.
    let fresh = scratch.join(format!("{variant}.{}", std::process::id()));
    fs::copy(built, &fresh)?;
    fs::rename(&fresh, &copy)?;
    Ok(copy)
}

fn executable(line: &str) -> Option<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(line).ok()?;
    message.get("executable")?.as_str().map(PathBuf::from)
}
