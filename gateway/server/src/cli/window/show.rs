//! `window show`: what a citizen entered, opened with the officer's own key.

use std::fs::File;
use std::io::{IsTerminal as _, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use schemas::citizen::MaskedName;
use schemas::event::application::Entered;
use schemas::ids::{OperatorId, OrderId, SessionId, TicketNumber};
use schemas::key::SealingKeyId;
use schemas::message::peripheral::Fen;
use schemas::sealed::SealedField;
use schemas::time::rfc3339;
use schemas::words::Residence;
use schemas::words::application::{ApplicationKind, ProvisionalCause, WindowReason};
use serde::Serialize;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::super::commission::ask;
use super::super::place::AtStation;
use super::super::{complain, say};
use super::pictures::{self, Folder, Picture};
use crate::admin::{Client, OpenedTicket};
use crate::sealing::field::{APPLICATION_HOLDER, APPLICATION_PHONE, APPLICATION_RECEIPT};
use crate::sealing::{PrivateKey, SessionKey};

/// No private key of ours comes near this.
const KEY_BYTES_MAX: u64 = 4_096;

#[derive(Debug, Args)]
pub(in crate::cli) struct ShowArgs {
    /// The ticket: W1-7.
    ticket: TicketNumber,
    /// The officer's private key.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The officer; the PIN is read from standard input.
    #[arg(long, value_name = "OPERATOR")]
    operator: OperatorId,
    /// As JSON, also where standard output is no terminal: what is personal goes there.
    #[arg(long)]
    json: bool,
    /// Folder that pictures are written to: one that is not there yet, or is empty and the officer's alone.
    #[arg(long, value_name = "FOLDER")]
    pictures: Option<PathBuf>,
    #[command(flatten)]
    place: AtStation,
}

/// What the officer sees.
#[derive(Serialize)]
struct Shown {
    ticket: TicketNumber,
    session: SessionId,
    kind: Option<ApplicationKind>,
    reason: Option<WindowReason>,
    issued: Option<String>,
    residence: Option<Residence>,
    /// The number that it was accepted under; with it, what the centre still had to decide then.
    acceptance_number: Option<String>,
    provisional: Vec<ProvisionalCause>,
    order: Option<OrderId>,
    fee_fen: Option<Fen>,
    paid: Option<bool>,
    /// The number, and what else the card held in writing.
    person: Option<Map<String, Value>>,
    /// The name as the centre gave it, where no card did.
    masked_name: Option<MaskedName>,
    phone: Option<String>,
    photo_receipt: Option<String>,
    pictures: Vec<Picture>,
}

pub(super) fn run(args: &ShowArgs) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(
        args.json || std::io::stdout().is_terminal(),
        "standard output is no terminal, and what is shown is personal: write --json if it shall go there"
    );
    let key = private_key(&args.key)?;
    let folder = args.pictures.as_deref().map(Folder::check).transpose()?;
    let mut client = args.place.station()?;
    is_for(&mut client, &args.ticket, &key)?;
    let opened = open(args, &mut client, &key)?;
    let keys = opened.keys.iter().map(|form| key.open(form.as_bytes()));
    let keys = Keys(keys.collect::<Result<_, _>>()?);
    let mut shown = shown(&opened, &keys)?;
    let mut whole = true;
    if let Some(folder) = folder {
        let folder = folder.make()?;
        for picture in &mut shown.pictures {
            if let Err(error) = picture.save(&mut client, &keys, &folder) {
                complain(&format!("{}: {error:#}", picture.name()));
                whole = false;
            }
        }
    }
    print(&shown, args.json)?;
    Ok(if whole {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Whether the key opens the ticket, before anybody is asked for a PIN and anything is recorded.
fn is_for(client: &mut Client, number: &TicketNumber, key: &PrivateKey) -> anyhow::Result<()> {
    let tickets = super::tickets(client)?;
    let listed = tickets
        .iter()
        .find(|listed| listed.ticket.ticket == *number);
    let listed = listed.with_context(|| {
        format!("{number} is not among the tickets that wait: `gateway window list` says which do")
    })?;
    anyhow::ensure!(
        !listed.opens.is_empty(),
        "{number}: no key of {} is here for the window any more: it was erased, or the application was before the window had a key. What \
         is not erased can be opened at the centre; nothing was recorded",
        listed.ticket.session
    );
    let ids: Vec<_> = listed.opens.iter().map(ToString::to_string).collect();
    anyhow::ensure!(
        listed.opens.contains(&key.id()),
        "{number} is not sealed to this key ({}), but to {}; nothing was recorded",
        key.id(),
        ids.join(", ")
    );
    Ok(())
}

fn open(args: &ShowArgs, client: &mut Client, key: &PrivateKey) -> anyhow::Result<OpenedTicket> {
    let (ticket, operator) = (&args.ticket, &args.operator);
    let pin = ask::pin(operator)?;
    let asked = serde_json::json!({ "operator": operator, "pin": pin.as_str(), "key": key.id() });
    Ok(client.post_json(&format!("/window/{ticket}/open"), &asked)?)
}

/// The keys of a session: one for each life of the gateway.
pub(super) struct Keys(Vec<SessionKey>);

impl Keys {
    pub(super) fn get(&self, id: &SealingKeyId) -> anyhow::Result<&SessionKey> {
        let mut keys = self.0.iter();
        let key = keys.find(|key| key.id() == id);
        key.context("its key is not here")
    }

    fn field(&self, name: &str, field: &SealedField) -> anyhow::Result<Zeroizing<Vec<u8>>> {
        let id = field.key().context("it names no key")?;
        let opened = self.get(&id)?.open_field(name, field);
        opened.with_context(|| format!("{name} does not open: it was changed"))
    }

    fn text(&self, name: &str, field: &SealedField) -> anyhow::Result<String> {
        let plain = self.field(name, field)?;
        Ok(std::str::from_utf8(&plain)?.to_owned())
    }
}

fn shown(opened: &OpenedTicket, keys: &Keys) -> anyhow::Result<Shown> {
    let OpenedTicket {
        ticket,
        entered,
        acceptance_number,
        provisional,
        ..
    } = opened;
    let fee = ticket.fee.as_ref();
    let Entered {
        residence,
        holder,
        name,
        phone,
        portrait,
        ..
    } = entered;
    let person = holder.as_ref().map(|field| {
        let plain = keys.field(APPLICATION_HOLDER, field)?;
        Ok::<_, anyhow::Error>(serde_json::from_slice(&plain)?)
    });
    let person: Option<Map<String, Value>> = person.transpose()?;
    let is_named = person.as_ref().is_some_and(|p| p.contains_key("name"));
    let phone = phone.as_ref();
    let receipt = portrait.as_ref().and_then(|p| p.receipt.as_ref());
    Ok(Shown {
        ticket: ticket.ticket.clone(),
        session: ticket.session.clone(),
        kind: ticket.kind,
        reason: ticket.reason,
        issued: ticket.issued_ms.map(rfc3339),
        residence: *residence,
        acceptance_number: acceptance_number.clone(),
        provisional: provisional.clone(),
        order: fee.map(|fee| fee.order.clone()),
        fee_fen: fee.map(|fee| fee.amount_fen),
        paid: fee.map(|fee| fee.paid),
        person,
        masked_name: name.clone().filter(|_| !is_named),
        phone: phone
            .map(|field| keys.text(APPLICATION_PHONE, field))
            .transpose()?,
        photo_receipt: receipt
            .map(|field| keys.text(APPLICATION_RECEIPT, field))
            .transpose()?,
        pictures: pictures::of(entered),
    })
}

fn print(shown: &Shown, json: bool) -> anyhow::Result<()> {
    let value = serde_json::to_value(shown)?;
    if json {
        return say(&serde_json::to_string_pretty(&value)?);
    }
    let members = value.as_object().into_iter().flatten();
    let is_said = |value: &Value| !value.is_null() && *value != Value::Array(Vec::new());
    for (name, value) in members.filter(|(name, value)| is_said(value) && *name != "pictures") {
        if let Value::Object(inner) = value {
            for (name, value) in inner {
                say(&format!("{name:19}{}", plain(value)))?;
            }
        } else {
            say(&format!("{name:19}{}", plain(value)))?;
        }
    }
    for picture in &shown.pictures {
        say(&format!("{:19}{}", picture.name(), picture.place()))?;
    }
    Ok(())
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// The officer's key, which nobody else may be able to read.
fn private_key(path: &Path) -> anyhow::Result<PrivateKey> {
    let named = || path.display().to_string();
    let mut file = File::open(path).with_context(named)?;
    let metadata = file.metadata().with_context(named)?;
    let mode = metadata.mode() & 0o777;
    anyhow::ensure!(
        !super::others_may(mode),
        "{} can be read by others (mode {mode:03o}); run: chmod 600 {}",
        path.display(),
        path.display()
    );
    anyhow::ensure!(
        metadata.is_file() && metadata.len() <= KEY_BYTES_MAX,
        "{} is no private key",
        path.display()
    );
    // With room for all of it, so that it does not grow and leave a copy behind.
    let mut text = Zeroizing::new(String::with_capacity(8_192));
    file.read_to_string(&mut text).with_context(named)?;
    PrivateKey::from_text(&text).with_context(named)
}
