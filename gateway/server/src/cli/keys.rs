//! `keys`: the station's keys, as far as they may be shown, and their rotation.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Subcommand;
use schemas::chain::KeyChain;
use schemas::envelope::{self, Entry, KeyId};
use schemas::event::Event;
use schemas::proof::NoteKey;

use super::place::AtStation;
use super::say;
use super::source::{Source, Where};
use crate::admin::{LookupRotated, Rotated};

#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// The signing keys of this log, first to last, with their fingerprints.
    Show(Where),
    /// The verifier keys (C2SP), one a line, for a file that auditors keep.
    Vkey(Where),
    /// What the centre has to know of this station once: a file that its operator carries there. Compare the fingerprint on both sides.
    Register(Where),
    /// Change the signing key. The station must run; it goes on at once with the new key.
    Rotate(AtStation),
    /// Change the lookup key that new records are tagged with. The station must run; older keys are tried as long as a record
    /// needs them, and then destroyed by the station itself.
    RotateLookup(AtStation),
}

pub(super) fn run(command: KeysCommand) -> anyhow::Result<ExitCode> {
    match command {
        KeysCommand::Show(place) => show(&place)?,
        KeysCommand::Vkey(place) => {
            for vkey in vkeys(&place)? {
                say(&vkey)?;
            }
        }
        KeysCommand::Register(place) => register(&place)?,
        KeysCommand::Rotate(place) => {
            let Rotated { index, vkey } = place.station()?.post("/keys/rotate")?;
            say(&format!(
                "the signing key changed with event {index}; the centre reads it there. Now signs:\n{vkey}"
            ))?;
        }
        KeysCommand::RotateLookup(place) => {
            let LookupRotated { key, before } = place.station()?.post("/keys/rotate-lookup")?;
            say(&format!(
                "new records are tagged under {key}; {before} is still tried"
            ))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The registration goes to standard output, what to do with it to standard error.
fn register(place: &Where) -> anyhow::Result<()> {
    let keys = vkeys(place)?;
    let first = keys.first().context("a log has a first key")?;
    let key = NoteKey::from_vkey(first)?;
    let origin = key.name();
    let station = origin
        .split('/')
        .nth(2)
        .context("an origin names its station")?;
    let first_key = hex::encode(key.public_key());
    let registration = serde_json::json!({
        "station": station, "origin": origin, "first_key": first_key,
    });
    say(&format!("{registration:#}"))?;
    let fingerprint = hex::encode(KeyId::of(key.public_key()).0);
    super::complain(&format!(
        "carry this to the centre; its fingerprint there must be {fingerprint}"
    ));
    Ok(())
}

fn show(place: &Where) -> anyhow::Result<()> {
    let keys = vkeys(place)?;
    let last = keys.len();
    for (number, vkey) in (1..).zip(&keys) {
        let key = NoteKey::from_vkey(vkey)?;
        let id = hex::encode(KeyId::of(key.public_key()).0);
        let standing = if number == last {
            "signs now"
        } else {
            "signed before"
        };
        say(&format!(
            "key {number} of {last}, {standing}\n  id          {id}\n  vkey        {vkey}\n  public key  {}",
            hex::encode(key.public_key())
        ))?;
    }
    Ok(())
}

/// A stopped station's rotations are in its log, which is read for them.
fn vkeys(place: &Where) -> anyhow::Result<Vec<String>> {
    let mut source = place.find()?;
    if let Source::Station(_, standing) = &source {
        return Ok(standing.vkeys.clone());
    }
    let (anchor, _) = place.anchor(&source)?;
    let mut chain = anchor.chain();
    let beginning = source.beginning(place, chain.origin())?;
    let first = beginning.first();
    for (index, event) in beginning.rotations {
        follow(&mut chain, index, &event)?;
    }
    let (events, total) = source.events(first..u64::MAX)?;
    let bar = super::progress::events("reading the log", total);
    for (index, event) in (first..).zip(bar.wrap_iter(events)) {
        follow(&mut chain, index, &event?)?;
    }
    bar.finish_and_clear();
    let keys = std::iter::once(*chain.first()).chain(chain.rotations().map(|(_, key)| *key));
    keys.map(|key| Ok(NoteKey::new(chain.origin().as_str(), key)?.to_vkey()))
        .collect()
}

/// Follows the chain over an event that changes the key; another one changes nothing.
fn follow(chain: &mut KeyChain, index: u64, event: &[u8]) -> anyhow::Result<()> {
    if let Ok(Entry {
        event: Event::KeyRotated(rotation),
        ..
    }) = envelope::read(event)
    {
        chain.rotate(index, &rotation, &gateway_audit::check)?;
    }
    Ok(())
}
