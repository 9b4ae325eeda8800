//! `link`: how the link to the centre stands, and a backlog that drains.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::place::AtStation;
use super::{progress, say};
use crate::admin::LinkReport;

/// The standing of a link whose two sides have different pasts.
const FORKED: &str = "forked";
const LOOK_EVERY: Duration = Duration::from_millis(250);

#[derive(Debug, Args)]
pub(super) struct LinkArgs {
    #[command(flatten)]
    place: AtStation,
    /// Show a progress bar until the centre has everything that is here when the command begins, or the link forks: then nothing more goes up.
    #[arg(long)]
    watch: bool,
}

pub(super) fn run(args: LinkArgs) -> anyhow::Result<ExitCode> {
    let mut station = args.place.station()?;
    let mut look = || -> anyhow::Result<LinkReport> { Ok(station.get("/link")?) };
    let report = look()?;
    if args.watch && report.configured {
        let until = report.size;
        let bar = progress::events("to the centre", Some(until));
        let mut now = report;
        // A fork ends only with this log.
        while now.sent < until && now.standing != FORKED {
            bar.set_position(now.sent);
            bar.set_message(format!("to the centre ({})", now.standing));
            std::thread::sleep(LOOK_EVERY);
            now = look()?;
        }
        bar.finish_and_clear();
        return show(&now);
    }
    show(&report)
}

fn show(report: &LinkReport) -> anyhow::Result<ExitCode> {
    if !report.configured {
        say("no centre is configured: write store = \"esdb://…\" under [centre] in station.toml")?;
        return Ok(ExitCode::SUCCESS);
    }
    let acknowledged = report
        .acknowledged
        .map_or_else(|| "nothing".to_owned(), |size| format!("{size} events"));
    let (stored, unsent) = if report.standing == FORKED {
        // The centre has other events than these: no number of its own is one of ours.
        (
            "other events than here".to_owned(),
            "nothing is sent, see ops/docs/runbook/fork.md".to_owned(),
        )
    } else {
        let unsent = report.size.saturating_sub(report.sent);
        (report.sent.to_string(), unsent.to_string())
    };
    say(&format!(
        "the link is {}\n  events here           {}\n  in the centre's store {stored}\n  still to be sent      {unsent}\n  acknowledged          {acknowledged}",
        report.standing, report.size,
    ))?;
    Ok(ExitCode::SUCCESS)
}
