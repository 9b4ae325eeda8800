//! `maintenance` and `device accept`: an operator's word on a machine or a device. The PIN is read from standard input.

use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use schemas::ids::{DeviceId, OperatorId};

use super::place::AtStation;
use super::{approval, say};
use crate::admin::{Accepted, Maintained};

#[derive(Debug, Args)]
pub(super) struct MaintenanceArgs {
    /// The machine or device, by its id in station.toml.
    name: DeviceId,
    /// Out of service, or back into it.
    switch: Switch,
    /// The operator who says so.
    #[arg(long, value_name = "OPERATOR")]
    operator: OperatorId,
    #[command(flatten)]
    place: AtStation,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    /// Out of service: no new session; one under way goes on to its end.
    On,
    /// Back into service.
    Off,
}

#[derive(Debug, Subcommand)]
pub(super) enum DeviceCommand {
    /// Confirm a device as it is now: it was exchanged, or its counts were reset. It is in service again.
    Accept(AcceptArgs),
}

#[derive(Debug, Args)]
pub(super) struct AcceptArgs {
    /// The device, by its id in station.toml.
    device: DeviceId,
    /// The operator who has looked at it.
    #[arg(long, value_name = "OPERATOR")]
    operator: OperatorId,
    #[command(flatten)]
    place: AtStation,
}

pub(super) fn maintenance(args: MaintenanceArgs) -> anyhow::Result<ExitCode> {
    let MaintenanceArgs {
        name,
        switch,
        operator,
        place,
    } = args;
    let station = place.configured()?;
    let mut client = place.station()?;
    approval::one(&station, &operator)?;
    let word = match switch {
        Switch::On => "on",
        Switch::Off => "off",
    };
    let path = format!("/maintenance/{name}/{word}?operator={operator}");
    let Maintained { name, on, operator } = client.post(&path)?;
    let now = if on {
        "out of service; a session under way goes on to its end"
    } else {
        "in service again"
    };
    say(&format!("recorded, by {operator}: {name} is {now}"))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn device(command: DeviceCommand) -> anyhow::Result<ExitCode> {
    let DeviceCommand::Accept(AcceptArgs {
        device,
        operator,
        place,
    }) = command;
    let station = place.configured()?;
    let mut client = place.station()?;
    approval::one(&station, &operator)?;
    let path = format!("/devices/{device}/accept?operator={operator}");
    let Accepted { device, operator } = client.post(&path)?;
    say(&format!(
        "recorded, by {operator}: {device} is accepted as it is now"
    ))?;
    Ok(ExitCode::SUCCESS)
}
