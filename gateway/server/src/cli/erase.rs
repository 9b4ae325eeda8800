//! `erase`: what is personal of a session is destroyed; its events and proofs stay.

use std::process::ExitCode;

use clap::Args;
use schemas::ids::SessionId;

use super::place::AtStation;
use super::say;
use crate::admin::Erased;

#[derive(Debug, Args)]
pub(super) struct EraseArgs {
    /// The session, as its events name it: s-41.
    session: SessionId,
    /// The number of the log that the session is of, where the station had an earlier one: the last part of the events' source. Session
    /// names begin anew with each log.
    #[arg(long, value_name = "NUMBER")]
    incarnation: Option<u32>,
    #[command(flatten)]
    place: AtStation,
}

pub(super) fn run(args: EraseArgs) -> anyhow::Result<ExitCode> {
    let EraseArgs {
        session,
        incarnation,
        place,
    } = args;
    let of = incarnation.map_or_else(String::new, |number| format!("?incarnation={number}"));
    let path = format!("/sessions/{session}/erase{of}");
    let Erased {
        session,
        keys,
        centre_asked,
    } = place.station()?.post(&path)?;
    match (keys.len(), centre_asked) {
        (0, false) => say(&format!(
            "{session}: no sealing key of it is here: nothing of it was sealed, or it was erased before"
        ))?,
        (0, true) => say(&format!(
            "{session}: its keys have gone to the centre, which is asked to destroy them"
        ))?,
        (len, _) => {
            say(&format!(
                "{session}: {len} sealing keys destroyed; nobody can open what was sealed under them"
            ))?;
            if centre_asked {
                say("other keys of it have gone to the centre, which is asked to destroy them")?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
