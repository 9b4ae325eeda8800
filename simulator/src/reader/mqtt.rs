//! A reader that speaks MQTT itself, as any device of the station may.

use std::sync::Arc;
use std::time::Duration;

use adapters::link::{Command, LinkHandle, new_message_id};
use schemas::ids::CardSerial;
use schemas::message::command::ReadCommand;
use schemas::message::device::Description;
use schemas::words::{Completion, DeviceKind};
use serde_json::json;
use tokio::time::{sleep, timeout};

use super::Place;
use super::faults::ReaderFault;
use crate::device::sent;
use crate::world::World;

pub(crate) fn description(place: Place) -> Description {
    Description {
        kind: DeviceKind::Reader,
        vendor: "simulated".to_owned(),
        model: match place {
            Place::Inner => "inner reader".to_owned(),
            Place::Intake => "intake reader".to_owned(),
        },
        firmware: env!("CARGO_PKG_VERSION").to_owned(),
        commands: vec!["read".to_owned()],
        events: Vec::new(),
        serial: None,
        totals: Vec::new(),
    }
}

pub(crate) async fn act(
    world: Arc<World>,
    place: Place,
    read_ms: u64,
    link: LinkHandle,
    command: Command,
) {
    let Command::Read(command) = command else {
        return;
    };
    let _wanted = (place == Place::Intake).then(|| Wanted::new(&world));
    let limit = Duration::from_secs(u64::from(command.timeout_s));
    let card = timeout(limit, wait_for_card(&world, place)).await;
    sleep(Duration::from_millis(read_ms)).await;
    let (completion, chip) = match card {
        Err(_elapsed) => (Completion::TimeOut, None),
        Ok(_) if place.faults(&world).take(ReaderFault::Unreadable) => {
            (Completion::SequenceError, None)
        }
        Ok(serial) => match world.card(&serial) {
            Some(card) => (Completion::Success, Some(card.chip())),
            None => (Completion::HardwareError, None),
        },
    };
    reply(&link, &command, completion, chip);
}

fn reply(
    link: &LinkHandle,
    command: &ReadCommand,
    completion: Completion,
    chip: Option<serde_json::Value>,
) {
    let message_id = new_message_id();
    let mut message = json!({
        "message_id": message_id,
        "command_id": command.command_id,
        "completion": completion,
    });
    if let (Some(chip), Some(fields)) = (chip, message.as_object_mut()) {
        fields.insert("card".to_owned(), chip);
    }
    sent(
        "read reply",
        link.reply(&command.command_id, "read", message_id, &message),
    );
}

async fn wait_for_card(world: &World, place: Place) -> CardSerial {
    let mut changes = world.dispenser.changes();
    loop {
        changes.borrow_and_update();
        if let Some(card) = place.card(world) {
            return card;
        }
        if changes.changed().await.is_err() {
            core::future::pending::<()>().await;
        }
    }
}

/// The intake's lamp: on while this lives.
struct Wanted<'a>(&'a World);

impl<'a> Wanted<'a> {
    fn new(world: &'a World) -> Self {
        world.intake_wanted.send_replace(true);
        Self(world)
    }
}

impl Drop for Wanted<'_> {
    fn drop(&mut self) {
        self.0.intake_wanted.send_replace(false);
    }
}
