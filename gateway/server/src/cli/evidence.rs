//! `export`: events for others.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use gateway_audit::{CHECKPOINT_FILE, EVENTS_FILE, VKEY_FILE};
use schemas::proof::{Checkpoint, NoteKey, SignedNote};

use super::export::{Filter, Form};
use super::partial::Partial;
use super::source::Where;
use super::{complain, progress};

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// bundle: a folder with everything to check the whole log; cose: signed events; json: their content, one a line.
    #[arg(value_enum)]
    form: Form,
    /// Where to: a new folder for a bundle; else a new file, or `-` for standard output.
    output: PathBuf,
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    place: Where,
}

/// Writes events out.
pub(super) fn export(args: ExportArgs) -> anyhow::Result<ExitCode> {
    let ExportArgs {
        form,
        output,
        filter,
        place,
    } = args;
    let written = match form {
        Form::Bundle => {
            anyhow::ensure!(
                filter.is_all(),
                "a bundle is the whole log: leave out --from, --to, --type and --subject"
            );
            anyhow::ensure!(
                output != Path::new("-"),
                "a bundle is a folder, so it cannot go to standard output: name a new folder, or export cose"
            );
            bundle(&place, &output)?
        }
        Form::Cose | Form::Json => {
            let range = filter.range()?;
            let mut source = place.find()?;
            let (anchor, _) = place.anchor(&source)?;
            let beginning = source.beginning(&place, anchor.chain().origin())?;
            beginning
                .require(range.start)
                .with_context(|| format!("give --from {} or more", beginning.first()))?;
            let (events, total) = source.events(range)?;
            let bar = progress::events("exporting", total);
            let events = bar.wrap_iter(events);
            if output == Path::new("-") {
                let out = &mut std::io::stdout().lock();
                filter.write(form, events, (out, "standard output"))?
            } else {
                let (partial, file) = Partial::file(&output)?;
                let name = output.display().to_string();
                let written = write(&filter, form, events, file, &name)?;
                partial.keep()?;
                written
            }
        }
    };
    complain(&format!("{written} events exported"));
    Ok(ExitCode::SUCCESS)
}

fn bundle(place: &Where, folder: &Path) -> anyhow::Result<u64> {
    let mut source = place.find()?;
    let (anchor, _) = place.anchor(&source)?;
    let beginning = source.beginning(place, anchor.chain().origin())?;
    beginning
        .require(0)
        .context("a bundle is the whole log: export what is here as cose or json")?;
    let (_, note) = source.checkpoint()?;
    let size = Checkpoint::parse_body(SignedNote::parse(&note)?.text())?.size;
    let partial = Partial::folder(folder)?;
    let chain = anchor.chain();
    let vkey = NoteKey::new(chain.origin().as_str(), *chain.first())?.to_vkey();
    let small = [(VKEY_FILE, format!("{vkey}\n")), (CHECKPOINT_FILE, note)];
    for (name, text) in small {
        kept(&partial.path().join(name), &text)
            .with_context(|| format!("cannot write {name} of {}", folder.display()))?;
    }
    let (events, _) = source.events(0..size)?;
    let bar = progress::events("exporting", Some(size));
    let path = partial.path().join(EVENTS_FILE);
    let file =
        File::create_new(&path).with_context(|| format!("cannot make {}", path.display()))?;
    let name = folder.join(EVENTS_FILE).display().to_string();
    let events = bar.wrap_iter(events);
    let written = write(&Filter::default(), Form::Cose, events, file, &name)?;
    bar.finish_and_clear();
    anyhow::ensure!(
        written == size,
        "the log holds {written} events, its checkpoint covers {size}: run `gateway verify`"
    );
    partial.keep()?;
    Ok(written)
}

/// Writes a new file; its bytes are on the disk when this returns.
fn kept(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Writes events; their bytes are on the disk when this returns.
fn write(
    filter: &Filter,
    form: Form,
    events: impl Iterator<Item = anyhow::Result<Vec<u8>>>,
    file: File,
    name: &str,
) -> anyhow::Result<u64> {
    let mut out = BufWriter::new(&file);
    let written = filter.write(form, events, (&mut out, name))?;
    file.sync_all()
        .with_context(|| format!("cannot write {name}"))?;
    Ok(written)
}
