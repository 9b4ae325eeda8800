//! `commission`: every device of a machine is exercised before the point opens (现场调试, V2), step by step with the operator; the result
//! is one signed event and a report.

pub(super) mod ask;
mod checks;
mod exercises;
mod html;
mod report;
mod steps;
mod words;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use aws_lc_rs::digest::{Context, SHA256};
use clap::Args;
use edge_config::{DEFAULT_POLICY, DEFAULT_STATION, Station};
use schemas::event::commission::Commissioned;
use schemas::ids::{MachineId, OperatorId, SessionId};
use schemas::words::{CommissionResult, CommissionStepName, RefusalReason};

use super::place::AtStation;
use super::{complain, say};
use crate::admin::{Begun, Client, Recorded, Report};

/// Exit code of a commissioning in which something failed.
const EXIT_FAILED: u8 = 1;
/// Exit code of one that could not be run.
const EXIT_NOT_RUN: u8 = 2;

#[derive(Debug, Args)]
pub(super) struct CommissionArgs {
    /// The operator; asked for where it is not given.
    #[arg(long, value_name = "NAME")]
    operator: Option<OperatorId>,
    /// The machine; may be left out where the station has one.
    #[arg(long, value_name = "ID")]
    machine: Option<MachineId>,
    /// Folder that the report is written to, as text and as a page, with the event's proof.
    #[arg(long, value_name = "FOLDER")]
    report: Option<PathBuf>,
    /// A step to leave out; may be given several times. The report names it: broker, kiosk, dispenser, inventory, motion, reader,
    /// intake-reader, intake-card, scanner, finger, matcher, camera, centre, clock, disk, keys.
    #[arg(long, value_name = "STEP", value_parser = step_name)]
    skip: Vec<CommissionStepName>,
    #[command(flatten)]
    place: AtStation,
}

fn step_name(text: &str) -> Result<CommissionStepName, String> {
    let all = CommissionStepName::ALL.iter();
    let found = all.copied().find(|step| words::word(*step) == text);
    found.ok_or_else(|| "no such step".to_owned())
}

pub(super) fn run(args: CommissionArgs) -> ExitCode {
    match commission(args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(EXIT_FAILED),
        Err(error) => {
            complain(&format!("{error:#}"));
            ExitCode::from(EXIT_NOT_RUN)
        }
    }
}

/// Whether nothing failed.
fn commission(args: CommissionArgs) -> anyhow::Result<bool> {
    let station = args.place.configured()?;
    let machine = machine_of(&station, args.machine)?;
    if let Some(folder) = &args.report {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("the report cannot be written to {}", folder.display()))?;
    }
    let mut client = args.place.station()?;
    let operator = match args.operator {
        Some(operator) => operator,
        None => OperatorId::new(ask::line("操作员 Operator")?)?,
    };
    let session = begin(&mut client, &machine, &operator)?;
    say(&format!("调试 Commissioning {machine}, {session}"))?;
    let mut round = steps::Round::new(client, &station, &machine, session.clone(), args.skip)?;
    let steps = round.all()?;
    let mut client = round.into_client();
    let body = Report {
        machine,
        operator,
        steps,
    };
    let recorded: Recorded =
        client.post_json(&format!("/commission/sessions/{session}/report"), &body)?;
    finish(&mut client, &recorded, args.report.as_deref())?;
    Ok(!failed(&recorded.event))
}

fn machine_of(station: &Station, named: Option<MachineId>) -> anyhow::Result<MachineId> {
    let ids: Vec<_> = station
        .machines
        .iter()
        .map(|machine| machine.id.to_string())
        .collect();
    match (named, station.machines.as_slice()) {
        (Some(named), _) if station.machine(&named).is_some() => Ok(named),
        (None, [machine]) => Ok(machine.id.clone()),
        _ => anyhow::bail!(
            "name a machine of the station: --machine {}",
            ids.join(" or ")
        ),
    }
}

fn begin(
    client: &mut Client,
    machine: &MachineId,
    operator: &OperatorId,
) -> anyhow::Result<SessionId> {
    let pin = ask::pin(operator)?;
    let who = serde_json::json!({ "operator": operator, "pin": pin.as_str() });
    let begun: Begun = client.post_json(&format!("/commission/{machine}"), &who)?;
    let why = match begun {
        Begun {
            session: Some(session),
            ..
        } => return Ok(session),
        Begun {
            refused: Some(RefusalReason::MachineBusy),
            ..
        } => "somebody is served at the machine, or commissions it: try again when it is free",
        Begun {
            refused: Some(RefusalReason::MachineBlocked),
            ..
        } => "the machine is blocked: see ops/docs/runbook/machine-blocked.md",
        Begun {
            refused: Some(reason),
            ..
        } => &texts::refusal(reason).en,
        Begun { .. } => "the operator was not admitted: see the station's log",
    };
    anyhow::bail!("{machine} cannot be commissioned now: {why}")
}

/// Whether any step failed.
fn failed(event: &Commissioned) -> bool {
    let mut steps = event.steps.iter();
    steps.any(|step| step.result == CommissionResult::Failed)
}

/// The proof waits for a checkpoint for a moment; without one the report says how to get it later.
fn finish(client: &mut Client, recorded: &Recorded, folder: Option<&Path>) -> anyhow::Result<()> {
    let proof = client.get_text(&format!("/proof/{}", recorded.index)).ok();
    let text = report::text(recorded, proof.is_some());
    say(&text)?;
    let Some(folder) = folder else {
        return Ok(());
    };
    let name = format!("commission-{}-{}", recorded.event.machine, recorded.index);
    let write = |ending: &str, text: &str| {
        let file = folder.join(format!("{name}.{ending}"));
        std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        say(&file.display().to_string())
    };
    write("txt", &text)?;
    write("html", &html::page(recorded, proof.is_some()))?;
    proof.map_or(Ok(()), |proof| write("tlog-proof", &proof))
}

/// SHA-256 of station.toml and policy.toml, one after the other; the shipped texts where none is named.
pub(super) fn configuration(
    station: Option<&Path>,
    policy: Option<&Path>,
) -> anyhow::Result<String> {
    let mut digest = Context::new(&SHA256);
    for (file, shipped) in [(station, DEFAULT_STATION), (policy, DEFAULT_POLICY)] {
        match file {
            None => digest.update(shipped.as_bytes()),
            Some(file) => digest.update(
                &std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?,
            ),
        }
    }
    Ok(hex::encode(digest.finish()))
}
