//! Writes the generated types of the protocol into `src/generated`.

use std::fs;

#[path = "../tests/it/generate/mod.rs"]
mod generate;

fn main() -> anyhow::Result<()> {
    let folder = generate::folder();
    let files = generate::generated()?;
    for (name, text) in &files {
        fs::write(folder.join(name), text)?;
    }
    println!("{} files written by: {}", files.len(), generate::COMMAND);
    Ok(())
}
