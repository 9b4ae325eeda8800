//! `dismiss-witness`: a device holds a receipt ahead of the log, and it is the device that is wrong.

use std::process::ExitCode;

use clap::Args;
use schemas::ids::OperatorId;

use super::place::AtStation;
use super::{approval, say};
use crate::admin::Dismissed;

#[derive(Debug, Args)]
pub(super) struct DismissArgs {
    /// An operator who approves; given twice, for two of them. Their PINs are read from standard input, a line each.
    #[arg(long = "approver", value_name = "OPERATOR", required = true)]
    approvers: Vec<OperatorId>,
    #[command(flatten)]
    place: AtStation,
}

pub(super) fn run(args: DismissArgs) -> anyhow::Result<ExitCode> {
    let DismissArgs { approvers, place } = args;
    let station = place.configured()?;
    let mut client = place.station()?;
    let approvers = approval::two(approvers)?;
    approval::ask(&station, &approvers)?;
    let [one, other] = approvers;
    let Dismissed { one, other } =
        client.post(&format!("/witness/dismiss?one={one}&other={other}"))?;
    say(&format!(
        "recorded, approved by {one} and {other}: the station goes on. A device that still holds such a receipt stops it again \
         when it is started; clear its memory first"
    ))?;
    Ok(ExitCode::SUCCESS)
}
