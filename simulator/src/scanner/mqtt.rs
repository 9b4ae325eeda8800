//! A scanner that speaks MQTT itself: waits for the finger of the hand it was told, says that one is there, compares.

use std::sync::Arc;
use std::time::Duration;

use adapters::link::{Command, LinkHandle, new_message_id};
use schemas::message::command::{MatchCommand, MatchReply};
use schemas::message::device::Description;
use schemas::words::{Completion, DeviceKind, Hand};
use tokio::time::{sleep, timeout};

use crate::device::sent;
use crate::people::similarity;
use crate::world::World;

pub(crate) fn description() -> Description {
    Description {
        kind: DeviceKind::Scanner,
        vendor: "simulated".to_owned(),
        model: "one-to-one scanner".to_owned(),
        firmware: env!("CARGO_PKG_VERSION").to_owned(),
        commands: vec!["match".to_owned()],
        events: vec!["finger-present".to_owned()],
        serial: None,
        totals: Vec::new(),
    }
}

pub(crate) async fn act(world: Arc<World>, match_ms: u64, link: LinkHandle, command: Command) {
    let Command::Match(command) = command else {
        return;
    };
    let lamp = Lamp::new(&world, command.hand);
    let limit = Duration::from_secs(u64::from(command.timeout_s));
    let Ok(sample) = timeout(limit, wait_for_finger(&world)).await else {
        drop(lamp);
        return reply(&link, &command, Completion::TimeOut, None);
    };
    let event = link.event("finger-present", Some(command.command_id.clone()), None);
    sent("finger-present", event);
    sleep(Duration::from_millis(match_ms)).await;
    let score = command
        .templates
        .iter()
        .map(|template| similarity(&sample, template.expose()))
        .max()
        .unwrap_or(0);
    // The finger is lifted before the outcome is known, so that the next attempt needs a new one.
    world.finger.send_replace(None);
    drop(lamp);
    reply(&link, &command, Completion::Success, Some(score));
}

fn reply(link: &LinkHandle, command: &MatchCommand, completion: Completion, score: Option<u16>) {
    let message_id = new_message_id();
    let message = MatchReply {
        message_id: message_id.clone(),
        command_id: command.command_id.clone(),
        completion,
        score,
    };
    sent(
        "match reply",
        link.reply(&command.command_id, "match", message_id, &message),
    );
}

/// What the sensor gets of the finger that lies on it. A finger of the other hand is a finger too: the scanner
/// cannot tell. With nobody at the machine it is whoever tries it out: the first of the invented people.
pub(super) fn finger_now(world: &World) -> Option<Vec<u8>> {
    let finger = (*world.finger.borrow())?;
    let who = world.visitor().unwrap_or(0);
    let noise = fastrand::u64(..);
    world.people.sample(who, finger.hand, finger.quality, noise)
}

async fn wait_for_finger(world: &World) -> Vec<u8> {
    let mut fingers = world.finger.subscribe();
    loop {
        fingers.borrow_and_update();
        if let Some(sample) = finger_now(world) {
            return sample;
        }
        if fingers.changed().await.is_err() {
            core::future::pending::<()>().await;
        }
    }
}

/// The scanner's lamp: on while this lives.
struct Lamp<'a>(&'a World);

impl<'a> Lamp<'a> {
    fn new(world: &'a World, hand: Hand) -> Self {
        world.finger_wanted.send_replace(Some(hand));
        Self(world)
    }
}

impl Drop for Lamp<'_> {
    fn drop(&mut self) {
        self.0.finger_wanted.send_replace(None);
    }
}
