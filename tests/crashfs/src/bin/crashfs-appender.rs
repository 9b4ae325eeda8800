//! The smallest program with the promise: append a line, sync, acknowledge.
//!
//! A control for the harness, not a part of the station. `FOLDER [--no-sync]` appends for ever,
//! `FOLDER --verify` prints the lines that are whole. It must never share code with the recorder.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments
        .next()
        .context("usage: crashfs-appender FOLDER [--no-sync|--verify]")?;
    let folder = Path::new(&folder);
    match arguments.next().as_deref() {
        None => append(folder, true),
        Some("--no-sync") => append(folder, false),
        Some("--verify") => {
            for (index, value) in whole_lines(folder)? {
                println!("{index} {value}");
            }
            Ok(())
        }
        Some(other) => anyhow::bail!("unknown option {other}"),
    }
}

/// The value that belongs to an index: long enough that entries cross pages at all offsets.
fn value(index: u64) -> String {
    let mixed = index.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(17);
    format!("{mixed:016x}").repeat(40)
}

fn whole_lines(folder: &Path) -> Result<Vec<(u64, String)>> {
    let text = fs::read(folder.join("lines"))?;
    let mut lines = Vec::new();
    for (index, line) in (0..).zip(String::from_utf8_lossy(&text).split_inclusive('\n')) {
        if line != format!("{index} {}\n", value(index)) {
            break;
        }
        lines.push((index, value(index)));
    }
    Ok(lines)
}

fn append(folder: &Path, sync: bool) -> Result<()> {
    fs::create_dir_all(folder)?;
    let path = folder.join("lines");
    let mut file = OpenOptions::new().append(true).create(true).open(&path)?;
    // What is not whole was not acknowledged; it must not stand in front of what comes next.
    let kept = whole_lines(folder)?;
    let bytes: usize = kept
        .iter()
        .map(|(index, value)| format!("{index} {value}\n").len())
        .sum();
    file.set_len(u64::try_from(bytes)?)?;
    file.sync_all()?;
    File::open(folder)?.sync_all()?;
    File::open(folder.parent().context("a folder without a parent")?)?.sync_all()?;
    let mut stdout = std::io::stdout().lock();
    for index in u64::try_from(kept.len())?.. {
        let value = value(index);
        file.write_all(format!("{index} {value}\n").as_bytes())?;
        if sync {
            file.sync_data()?;
        }
        writeln!(stdout, "{index} {value}")?;
        stdout.flush()?;
    }
    Ok(())
}
