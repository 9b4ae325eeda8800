//! `window`: the officer's tool (A15). It lists the tickets that wait, opens with the officer's own key what was entered at the kiosk, and
//! has the outcome recorded.
//!
//! The station gives out ciphertext alone; it is opened here, in the officer's process, and shown to nobody but the officer. It must never
//! be logged, and never be written anywhere that the officer did not name.

mod make_key;
mod pictures;
mod show;

use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use schemas::ids::{OperatorId, TicketNumber};
use schemas::time::rfc3339;
use schemas::words::application::{WindowReason, WindowResult};
use serde::Serialize;

use super::commission::ask;
use super::place::AtStation;
use super::say;
use crate::admin::{Client, ListedTicket};

#[derive(Debug, Subcommand)]
pub(super) enum WindowCommand {
    /// Make an officer's pair of keys. The public one is named in station.toml, under [window].
    MakeKey(make_key::MakeKeyArgs),
    /// The tickets that wait for an officer, the oldest first. Nothing personal is in the list.
    List(ListArgs),
    /// Open what was entered at the kiosk, with the officer's own key. That it was opened, and by whom, is recorded.
    Show(show::ShowArgs),
    /// Record what became of a ticket. What the window opens of it is destroyed.
    Close(CloseArgs),
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// As JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: AtStation,
}

#[derive(Debug, Args)]
pub(super) struct CloseArgs {
    /// The ticket: W1-7.
    ticket: TicketNumber,
    /// What became of it.
    #[arg(long)]
    result: Outcome,
    /// The officer who says so; the PIN is read from standard input.
    #[arg(long, value_name = "OPERATOR")]
    operator: OperatorId,
    #[command(flatten)]
    place: AtStation,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Outcome {
    /// Accepted at the window.
    Accepted,
    /// Refused at the window.
    Refused,
    /// Nobody came.
    NotCome,
    /// The papers that the kiosk did not hand out were handed out.
    PapersHandedOut,
}

impl From<Outcome> for WindowResult {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Accepted => Self::Accepted,
            Outcome::Refused => Self::Refused,
            Outcome::NotCome => Self::NotCome,
            Outcome::PapersHandedOut => Self::PapersHandedOut,
        }
    }
}

pub(super) fn run(command: WindowCommand) -> anyhow::Result<ExitCode> {
    match command {
        WindowCommand::MakeKey(args) => make_key::run(&args)?,
        WindowCommand::List(args) => list(&args)?,
        WindowCommand::Show(args) => return show::run(&args),
        WindowCommand::Close(args) => close(&args)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn list(args: &ListArgs) -> anyhow::Result<()> {
    let tickets = tickets(&mut args.place.station()?)?;
    if args.json {
        return say(&serde_json::to_string_pretty(&tickets)?);
    }
    if tickets.is_empty() {
        return say("no ticket waits");
    }
    tickets.iter().try_for_each(|listed| say(&line(listed)))
}

fn line(listed: &ListedTicket) -> String {
    let ticket = &listed.ticket;
    let [kind, reason] = [
        ticket.kind.as_ref().map(word),
        ticket.reason.as_ref().map(word),
    ]
    .map(|word| word.unwrap_or_else(|| "-".to_owned()));
    let issued = ticket.issued_ms.map_or_else(|| "-".to_owned(), rfc3339);
    let is_nobody = matches!(
        ticket.reason,
        Some(WindowReason::NumberFailed | WindowReason::TooManyNumbers)
    );
    let opens = if is_nobody && listed.opens.is_empty() {
        "nothing of a person was entered"
    } else if listed.opens.is_empty() {
        "can be opened at the centre only"
    } else {
        "can be opened here"
    };
    let (number, session) = (&ticket.ticket, &ticket.session);
    format!("{number}  {kind}  {reason}  {issued}  {session}  {opens}")
}

fn close(args: &CloseArgs) -> anyhow::Result<()> {
    let CloseArgs {
        ticket,
        result,
        operator,
        place,
    } = args;
    let result = WindowResult::from(*result);
    let mut client = place.station()?;
    let pin = ask::pin(operator)?;
    let asked = serde_json::json!({ "operator": operator, "pin": pin.as_str(), "result": result });
    let ticket: TicketNumber = client.post_json(&format!("/window/{ticket}/close"), &asked)?;
    say(&format!(
        "recorded, by {operator}: {ticket} is closed, {}; the centre reads it in the log",
        word(&result)
    ))
}

fn tickets(client: &mut Client) -> anyhow::Result<Vec<ListedTicket>> {
    Ok(client.get("/window")?)
}

/// A word of the contract.
fn word(word: &impl Serialize) -> String {
    let value = serde_json::to_value(word).unwrap_or_default();
    value.as_str().unwrap_or("-").to_owned()
}

/// Whether anybody but the owner may do something with what has this mode.
const fn others_may(mode: u32) -> bool {
    mode & 0o077 != 0
}
