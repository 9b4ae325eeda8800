//! Writes one of each document, about invented people, to a folder: `cargo run -p documents --example write-documents -- FOLDER`.
//! A full font, given after it (`NotoSansCJK-Regular.ttc 2`), is used for what the program's own lack.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::disallowed_types,
    reason = "an example reads files, writes them and takes the time; the library does not"
)]

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context;

#[path = "../tests/samples/mod.rs"]
mod samples;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().context("which folder?")?);
    let mut fonts = documents::Fonts::embedded();
    if let Some(file) = arguments.next() {
        let index = arguments
            .next()
            .unwrap_or_default()
            .parse()
            .unwrap_or_default();
        fonts = fonts.with_rare(std::fs::read(file)?, index)?;
    }
    std::fs::create_dir_all(&folder)?;
    for (name, pdf) in samples::all(&fonts)? {
        std::fs::write(folder.join(format!("{name}.pdf")), pdf.as_bytes())?;
    }
    let begin = Instant::now();
    let documents = samples::all(&fonts)?;
    let ms = begin.elapsed().as_millis();
    println!("{} documents in {ms} ms", documents.len());
    let begin = Instant::now();
    let papers = samples::of_application(&fonts)?;
    let ms = begin.elapsed().as_millis();
    println!("the {} papers of an application in {ms} ms", papers.len());
    Ok(())
}
