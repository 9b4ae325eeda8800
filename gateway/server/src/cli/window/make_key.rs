//! `window make-key`: a pair of files that were not there before.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use super::super::{complain, say};
use crate::sealing::PrivateKey;

#[derive(Debug, Args)]
pub(in crate::cli) struct MakeKeyArgs {
    /// What both files are named after: `officer-1` makes officer-1.private, for the officer alone, and officer-1.public.
    name: PathBuf,
}

pub(super) fn run(args: &MakeKeyArgs) -> anyhow::Result<()> {
    let key = PrivateKey::draw()?;
    let (private, public) = (named(&args.name, ".private"), named(&args.name, ".public"));
    anyhow::ensure!(
        !public.exists(),
        "{} is there already, and its private part may be in use: choose another name",
        public.display()
    );
    write(&private, key.to_pem().as_bytes(), 0o600)?;
    write(&public, format!("{}\n", key.public()).as_bytes(), 0o644)?;
    say(&key.id().to_string())?;
    complain(&format!(
        "{} is the officer's alone: carry it away from this machine. Name {} in station.toml: [window] keys = [{:?}], and restart",
        private.display(),
        public.display(),
        public.display().to_string()
    ));
    Ok(())
}

fn named(name: &Path, end: &str) -> PathBuf {
    let mut file: OsString = name.as_os_str().to_owned();
    file.push(end);
    file.into()
}

fn write(path: &Path, bytes: &[u8], mode: u32) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(mode);
    let written = options.open(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.with_context(|| format!("cannot write {}", path.display()))
}
