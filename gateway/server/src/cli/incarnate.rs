//! `incarnate`: a new log for a station whose old one cannot go on. Two operators approve it.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use edge_config::Station;
use gateway_core::LeftBehind;
use schemas::event::Event;
use schemas::ids::OperatorId;
use schemas::words::IncarnationReason;

use super::place::{AtStation, Scratch};
use super::{approval, interrupt, progress, say};
use crate::incarnation::{self, Survey, Wish, data_aside};
use crate::keys;

/// Why.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Reason {
    /// The disk with the log is lost or damaged.
    DiskLost,
    /// The log was set back to an earlier state.
    RolledBack,
    /// A second machine ran under the same origin.
    Cloned,
    /// The signing key is lost, or may be in other hands.
    KeyLost,
}

#[derive(Debug, Args)]
pub(super) struct IncarnateArgs {
    /// Why the old log cannot go on.
    #[arg(long, value_enum)]
    reason: Reason,
    /// An operator who approves; given twice, for two of them. Their PINs are read from standard input, a line each.
    #[arg(long = "approver", value_name = "OPERATOR", required = true)]
    approvers: Vec<OperatorId>,
    /// The last checkpoint of the old log that the centre holds.
    #[arg(long, value_name = "FILE")]
    centre_checkpoint: Option<PathBuf>,
    /// The number of the old log, where the keys folder is lost with it.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..i64::from(u32::MAX)))]
    old: Option<u32>,
    /// Only look, and say what would be done.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    place: AtStation,
    #[command(flatten)]
    scratch: Scratch,
}

pub(super) fn run(args: IncarnateArgs) -> anyhow::Result<ExitCode> {
    let IncarnateArgs {
        reason,
        approvers,
        centre_checkpoint,
        old,
        dry_run,
        place,
        scratch,
    } = args;
    let station = place.configured()?;
    let approvers = approval::two(approvers)?;
    approval::known(&station, &approvers)?;
    let folder = &station.storage.keys_folder;
    // A lost folder is made, but not by who only looks.
    let alone = (!dry_run || folder.exists())
        .then(|| keys::lock(folder, !dry_run))
        .transpose()?;
    interrupt::leave_nothing_at_signals()?;
    let bar = progress::bytes("copying what is left of the old log");
    let survey = incarnation::survey(&station, old, &scratch.folder(), |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let survey = survey.context("the old log cannot be looked at; is the station stopped?")?;
    let centre_checkpoint = match centre_checkpoint {
        Some(path) => {
            let note = std::fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            let checkpoint = survey
                .check_centre(&note)
                .with_context(|| path.display().to_string())?;
            say(&format!(
                "the centre holds {} events of the old log",
                checkpoint.size
            ))?;
            Some(note)
        }
        None => None,
    };
    tell(&station, &survey)?;
    let Some(alone) = alone.filter(|_| !dry_run) else {
        say("nothing was changed")?;
        return Ok(ExitCode::SUCCESS);
    };
    approval::ask(&station, &approvers)?;
    let reason = match reason {
        Reason::DiskLost => IncarnationReason::DiskLost,
        Reason::RolledBack => IncarnationReason::RolledBack,
        Reason::Cloned => IncarnationReason::Cloned,
        Reason::KeyLost => IncarnationReason::KeyLost,
    };
    let wish = Wish {
        reason,
        approvers,
        centre_checkpoint,
    };
    let origin = incarnation::perform(&station, &survey, wish, &alone)?;
    say(&format!(
        "the new log is {origin}. Start the station, then take stock of every machine (request/stock-take)."
    ))?;
    Ok(ExitCode::SUCCESS)
}

fn tell(station: &Station, survey: &Survey) -> anyhow::Result<()> {
    say(&format!("old log     {}", survey.old_origin))?;
    say(&format!(
        "read        {} events that prove themselves",
        survey.events
    ))?;
    if survey.first > 0 {
        say(&format!(
            "            a snapshot stands for the first {}, which were pruned",
            survey.first
        ))?;
    }
    // Given again after it was complete, it would begin yet another log.
    if survey.old > 1 {
        say(&format!(
            "note        this log was itself begun by `gateway incarnate`; going on puts it aside and begins log {}",
            survey.old.saturating_add(1)
        ))?;
    }
    if let Some(ended) = &survey.ended {
        say(&format!("            and no more: {ended}"))?;
    }
    match &survey.checkpoint {
        Some((checkpoint, _)) => say(&format!(
            "checkpoint  over {} events is the last that is here",
            checkpoint.size
        ))?,
        None => say("checkpoint  none that is genuine is here")?,
    }
    say(&format!(
        "carried     {} custody records",
        survey.carried.cards
    ))?;
    tell_centre(survey)?;
    if !station.storage.data_folder.exists() {
        return Ok(());
    }
    let aside = data_aside(&station.storage.data_folder, survey.old);
    say(&format!(
        "put aside   {} (photos and sealed keys in it still have to go to the centre)",
        aside.display()
    ))
}

/// What the centre told, and what it has to settle.
fn tell_centre(survey: &Survey) -> anyhow::Result<()> {
    let changed = |event: &Event| matches!(event, Event::CentreKeyChanged(_));
    if survey.carried.events.iter().any(changed) {
        say("            the key that the centre signs with now")?;
    }
    match &survey.policy {
        Some(Ok((policy, _))) => say(&format!(
            "            policy {} of the centre",
            policy.version
        ))?,
        Some(Err(why)) => say(&format!(
            "            not the centre's policy, so the configured one holds until the centre issues it again: {why}"
        ))?,
        None => {}
    }
    let LeftBehind {
        acceptances,
        tickets,
        orders,
        refunds,
    } = survey.carried.left;
    if survey.carried.left != LeftBehind::default() {
        say(&format!(
            "left        {acceptances} undecided acceptances, {tickets} open tickets, {orders} open orders, {refunds} payments to give back: the centre settles them (quarantine.md)"
        ))?;
    }
    Ok(())
}
