//! `verify`: a whole log.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use gateway_audit::{Anchor, Report, Verify};
use schemas::proof::{Checkpoint, NoteKey, SignedNote};

use super::source::{HEAD, Source, WITNESS, Where, Witness};
use super::{EXIT_DAMAGED, complain, damage, progress, say, words};

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
    // Before the log is copied: a wrong file says nothing about the log.
    let old: Vec<_> = old
        .iter()
        .map(|path| kept(path))
        .collect::<anyhow::Result<_>>()?;
    match look(&place, old) {
        Err(error) if damage::is_of_the_log(&error) => {
            complain(&words(&error));
            Ok(damaged(1))
        }
        outcome => outcome,
    }
}

/// A checkpoint that somebody kept, by the name of its file. Whether it is genuine shows later.
fn kept(path: &Path) -> anyhow::Result<(String, String)> {
    let name = path.display().to_string();
    let note = std::fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
    SignedNote::parse(&note)
        .map_err(anyhow::Error::from)
        .and_then(|note| Ok(Checkpoint::parse_body(note.text())?))
        .with_context(|| format!("{name} is not a checkpoint, so nothing was compared"))?;
    Ok((name, note))
}

fn look(place: &Where, old: Vec<(String, String)>) -> anyhow::Result<ExitCode> {
    let mut source = place.find()?;
    let (anchor, trust) = place.anchor(&source)?;
    let beginning = source.beginning(place, anchor.chain().origin())?;
    let first_index = beginning.first();
    let mut verify = Verify::new(&anchor).behind(beginning.tree, beginning.rotations);
    let (name, note) = source.checkpoint()?;
    verify = verify.checkpoint(name, note);
    let witness = source.witness(place)?;
    verify = match &witness {
        Witness::Note(note) => verify.checkpoint(WITNESS, note.clone()),
        Witness::Missing => verify.missing(WITNESS),
        Witness::NoKeys(_) | Witness::NotAsked => verify,
    };
    for (name, note) in old {
        verify = verify.checkpoint(name, note);
    }
    if matches!(source, Source::Bundle(_)) {
        verify = verify.closed();
    }
    tell_source(&anchor, &trust, source.name(), first_index)?;
    if let Witness::NoKeys(folder) = witness {
        say(&format!(
            "witness     none was compared: there is no folder {}; an older copy of the whole data folder would not show",
            folder.display()
        ))?;
    }
    let (events, total) = source.events(first_index..u64::MAX)?;
    let bar = progress::events("verifying", total);
    let report = verify.try_run(events, damage::is_of_the_log, |done| {
        bar.set_position(done.saturating_sub(first_index));
    });
    bar.finish_and_clear();
    let report =
        report.context("not every event could be looked at, so nothing is said of the log")?;
    tell(&report)?;
    judge(&report)
}

fn tell_source(anchor: &Anchor, trust: &str, source: &str, first_index: u64) -> anyhow::Result<()> {
    let chain = anchor.chain();
    let first = NoteKey::new(chain.origin().as_str(), *chain.first())?;
    say(&format!(
        "log         {}, read from {source}",
        chain.origin()
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
    Ok(())
}

fn tell(report: &Report) -> anyhow::Result<()> {
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
    match report.covered {
        Some(covered) => say(&format!(
            "checkpoint  over {covered} events; {} newer ones",
            report.events.saturating_sub(covered)
        )),
        None => say("checkpoint  none that holds"),
    }
}

fn judge(report: &Report) -> anyhow::Result<ExitCode> {
    let set_back = is_set_back(report);
    if report.is_whole() && !set_back {
        say("whole: every event is genuine and in its place")?;
        return Ok(ExitCode::SUCCESS);
    }
    if set_back {
        complain(&format!(
            "{HEAD} covers less than {WITNESS}: the data folder was set back to an earlier state"
        ));
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
    Ok(damaged(report.faults.saturating_add(u64::from(set_back))))
}

/// The witness is written after `HEAD`, so it never covers more. Of one that does not hold the size is hearsay.
fn is_set_back(report: &Report) -> bool {
    let size = |name| {
        let mut held = report.held.iter();
        held.find(|held| held.name == name).map(|held| held.size)
    };
    size(HEAD)
        .zip(size(WITNESS))
        .is_some_and(|(head, witness)| head < witness)
}

/// The last line of every log that is not whole.
fn damaged(faults: u64) -> ExitCode {
    let noun = if faults == 1 { "fault" } else { "faults" };
    complain(&format!(
        "DAMAGED: {faults} {noun}; see ops/docs/runbook/evidence.md"
    ));
    ExitCode::from(EXIT_DAMAGED)
}
