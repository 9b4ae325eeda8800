//! `verify` and `export`: whole logs.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use gateway_audit::{CHECKPOINT_FILE, EVENTS_FILE, VKEY_FILE, Verify};
use schemas::proof::{Checkpoint, NoteKey, SignedNote};

use super::export::{Filter, Form};
use super::source::{Source, Where};
use super::{EXIT_DAMAGED, complain, progress, say};

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    place: Where,
    /// An older checkpoint of the same log that must fit too; may be given several times.
    #[arg(long = "old-checkpoint", value_name = "FILE")]
    old: Vec<PathBuf>,
}

/// Reads every event and checks everything that can be checked.
pub(super) fn verify(args: VerifyArgs) -> anyhow::Result<ExitCode> {
    let VerifyArgs { place, old } = args;
    let mut source = place.find()?;
    let (anchor, trust) = place.anchor(&source)?;
    let beginning = source.beginning(&place, anchor.chain().origin())?;
    let first_index = beginning.first();
    let mut verify = Verify::new(&anchor).behind(beginning.tree, beginning.rotations);
    let checkpoints = source.checkpoints(&place)?;
    let set_back = is_set_back(&checkpoints);
    for (name, note) in checkpoints {
        verify = verify.checkpoint(name, note);
    }
    for path in old {
        let note = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        verify = verify.checkpoint(path.display().to_string(), note);
    }
    if matches!(source, Source::Bundle(_)) {
        verify = verify.closed();
    }
    let chain = anchor.chain();
    let first = NoteKey::new(chain.origin().as_str(), *chain.first())?;
    say(&format!(
        "log         {}, read from {}",
        chain.origin(),
        source.name()
    ))?;
    say(&format!(
        "first key   {} (as {trust} says)",
        first.to_vkey()
    ))?;
    if first_index > 0 {
        say(&format!(
            "pruned      the first {first_index} events; what is left of them, their tree, is verified with the rest"
        ))?;
    }
    let (events, total) = source.events(first_index..u64::MAX)?;
    let bar = progress::events("verifying", total);
    let outcome = verify.run(events, |done| bar.set_position(done));
    bar.finish_and_clear();
    let report = match outcome {
        Ok(report) => report,
        Err(error) => {
            complain(&format!("the events break off: {error:#}"));
            return Ok(ExitCode::from(EXIT_DAMAGED));
        }
    };
    say(&format!("events      {}", report.events))?;
    say(&format!("root        {}", report.root))?;
    say(&format!(
        "rotations   {} of the signing key",
        report.rotations
    ))?;
    if report.unknown_types > 0 {
        say(&format!(
            "newer       {} events are genuine, of types this version does not know",
            report.unknown_types
        ))?;
    }
    let covered = report.covered.unwrap_or(0);
    say(&format!(
        "checkpoint  over {covered} events; {} newer ones",
        report.events.saturating_sub(covered)
    ))?;
    if set_back {
        complain(
            "HEAD covers less than the witness beside the keys: the data folder was set back to an earlier state",
        );
    }
    if report.is_whole() && !set_back {
        say("whole: every event is genuine and in its place")?;
        return Ok(ExitCode::SUCCESS);
    }
    for finding in &report.findings {
        complain(&finding.to_string());
    }
    let more = report
        .faults
        .saturating_sub(report.findings.len().try_into().unwrap_or(0));
    if more > 0 {
        complain(&format!("and {more} more"));
    }
    let faults = report.faults.saturating_add(u64::from(set_back));
    complain(&format!(
        "DAMAGED: {faults} faults; see ops/docs/runbook/evidence.md"
    ));
    Ok(ExitCode::from(EXIT_DAMAGED))
}

/// Whether the first checkpoint, `HEAD`, covers less than another: it is the newest that there is.
fn is_set_back(checkpoints: &[(String, String)]) -> bool {
    let mut sizes = checkpoints.iter().map(|(_, note)| {
        let note = SignedNote::parse(note).ok()?;
        Checkpoint::parse_body(note.text())
            .ok()
            .map(|body| body.size)
    });
    let head = sizes.next().flatten();
    sizes.any(|size| size > head)
}

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// bundle: a folder with everything to check the whole log; cose: signed events; json: their content, one a line.
    #[arg(value_enum)]
    form: Form,
    /// Where to: a new folder for a bundle, else a file; `-` is standard output.
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
            bundle(&place, &output)?
        }
        Form::Cose | Form::Json => {
            let mut source = place.find()?;
            let (anchor, _) = place.anchor(&source)?;
            let beginning = source.beginning(&place, anchor.chain().origin())?;
            beginning
                .require(filter.range().start)
                .with_context(|| format!("give --from {} or more", beginning.first()))?;
            let (events, total) = source.events(filter.range())?;
            let bar = progress::events("exporting", total);
            let events = bar.wrap_iter(events);
            if output == Path::new("-") {
                filter.write(form, events, &mut std::io::stdout().lock())?
            } else {
                let mut file = create(&output)?;
                filter.write(form, events, &mut file)?
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
    let (_, note) = source
        .checkpoints(place)?
        .into_iter()
        .next()
        .context("no checkpoint")?;
    let size = Checkpoint::parse_body(SignedNote::parse(&note)?.text())?.size;
    std::fs::create_dir(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let chain = anchor.chain();
    let vkey = NoteKey::new(chain.origin().as_str(), *chain.first())?.to_vkey();
    std::fs::write(folder.join(VKEY_FILE), format!("{vkey}\n"))?;
    std::fs::write(folder.join(CHECKPOINT_FILE), note)?;
    let (events, _) = source.events(0..size)?;
    let bar = progress::events("exporting", Some(size));
    let mut file = create(&folder.join(EVENTS_FILE))?;
    let written = Filter::default().write(Form::Cose, bar.wrap_iter(events), &mut file)?;
    bar.finish_and_clear();
    anyhow::ensure!(
        written == size,
        "the log holds {written} events, its checkpoint covers {size}: run `gateway verify`"
    );
    Ok(written)
}

fn create(path: &Path) -> anyhow::Result<std::io::BufWriter<std::fs::File>> {
    let file = std::fs::File::create_new(path);
    let file = file.with_context(|| format!("cannot make {}", path.display()))?;
    Ok(std::io::BufWriter::new(file))
}
