//! `erase`: what is personal of a session is destroyed; its events and proofs stay.

use std::process::ExitCode;

use clap::Args;
use gateway_core::{Erasure, ErasureStanding};
use schemas::ids::SessionId;
use schemas::time::rfc3339;

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
        before,
    } = place.station()?.post(&path)?;
    if let Some(before) = before {
        say(&format!("{session}: {}", told_before(&before)))?;
        return Ok(ExitCode::SUCCESS);
    }
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

/// Nothing was done, because it was done before, or the centre is at it.
fn told_before(before: &Erasure) -> String {
    let at = format!("{} (event {})", rfc3339(before.wall_ms), before.index);
    match before.standing {
        ErasureStanding::AtStation => {
            format!("erased already, by the station, since {at}; the centre has no key of it")
        }
        ErasureStanding::CentreAsked => format!(
            "under way: no key of it is here any more, and the centre was asked at {at} to destroy those it has; it has not confirmed that \
             yet, and is not asked again"
        ),
        ErasureStanding::AtCentre => format!(
            "erased already: the centre confirmed at {at} that it destroyed its keys, and none is here"
        ),
    }
}
