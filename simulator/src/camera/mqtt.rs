//! A camera that speaks MQTT itself: draws a photo, publishes it, and replies once the photo is confirmed.

use std::time::{Duration, Instant};

use adapters::link::{Command, LinkHandle, new_message_id};
use bytes::Bytes;
use schemas::ids::BlobId;
use schemas::message::command::{CaptureCommand, CaptureReply};
use schemas::message::device::Description;
use schemas::words::{Completion, DeviceKind};
use tokio::time::sleep;

use super::clock::wall_ms;
use super::draw;
use crate::device::sent;

pub(crate) fn description() -> Description {
    Description {
        kind: DeviceKind::Camera,
        vendor: "simulated".to_owned(),
        model: "drawing camera".to_owned(),
        firmware: env!("CARGO_PKG_VERSION").to_owned(),
        commands: vec!["capture".to_owned()],
        events: Vec::new(),
        serial: None,
        totals: Vec::new(),
    }
}

pub(crate) async fn act(capture_ms: u64, link: LinkHandle, command: Command) {
    let Command::Capture(command) = command else {
        return;
    };
    let until = Instant::now() + Duration::from_secs(u64::from(command.timeout_s));
    sleep(Duration::from_millis(capture_ms)).await;
    let photo = match draw(command.view, wall_ms()) {
        Ok(photo) => {
            let photo = Bytes::from(photo);
            link.confirmed_image(&command.command_id, photo, until)
                .await
        }
        Err(error) => {
            tracing::error!(%error, "no photo");
            None
        }
    };
    let completion = if photo.is_some() {
        Completion::Success
    } else {
        Completion::HardwareError
    };
    reply(&link, &command, completion, photo);
}

fn reply(
    link: &LinkHandle,
    command: &CaptureCommand,
    completion: Completion,
    blob: Option<BlobId>,
) {
    let message_id = new_message_id();
    let message = CaptureReply {
        message_id: message_id.clone(),
        command_id: command.command_id.clone(),
        completion,
        blob,
    };
    sent(
        "capture reply",
        link.reply(&command.command_id, "capture", message_id, &message),
    );
}
