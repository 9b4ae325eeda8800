//! The MQTT side of a device: birth, last will, description, status, properties, events, commands and
//! their replies, as `station/v1/{station}/{device}/…`.
//!
//! Owns the promise of the device's side: a message stays here until it is confirmed, and goes out again
//! with the same id after each reconnect; a command that comes twice is acted on once and answered
//! again. Must never look into what a command asks for, and never log a payload.

mod config;
mod connection;
mod figures;
mod inbound;
mod memory;
mod outbox;
mod shared;
#[cfg(feature = "tls")]
pub mod tls;

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use schemas::ids::{BlobId, BootId, MessageId};
use schemas::message::command::CommandId;
use schemas::message::device::{Code, Description, DeviceEvent, LastReceipt, Measurement, Status};
use schemas::topic::FromDevice;
use schemas::words::DeviceStatus;
use serde::Serialize;
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout_at;
use zeroize::Zeroizing;

pub use config::{Broker, Confirmation, LinkConfig, LinkLimits};
pub use figures::{Counted, Figures};
pub use inbound::{Command, Inbound};

use memory::Reply;
use outbox::Outgoing;
use shared::Shared;

/// Room for a reply: that of a reader with two fingerprints of 512 bytes has 2 KiB.
const REPLY_BYTES: usize = 8 * 1024;

/// Why a message was not taken, or not confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LinkError {
    /// As many messages wait as the limit allows; the broker has been away for long.
    #[error("the outbox is full")]
    OutboxFull,
    /// The payload is larger than the limit.
    #[error("a payload of {len} bytes is larger than the limit of {max}")]
    TooLarge {
        /// Its length.
        len: usize,
        /// The limit.
        max: usize,
    },
    /// The broker refused it for good (MQTT 5, PUBACK reason code).
    #[error("refused by the broker: {0}")]
    Refused(String),
    /// The link was shut down before the message was confirmed.
    #[error("the link is closed")]
    Closed,
    /// The message cannot be written as JSON.
    #[error("not serialisable: {0}")]
    Encoding(String),
}

/// Resolves when the message is confirmed. Dropping it does not withdraw the message.
#[derive(Debug)]
pub struct Confirmed(oneshot::Receiver<Result<(), LinkError>>);

impl Confirmed {
    /// Waits for the confirmation.
    pub async fn wait(self) -> Result<(), LinkError> {
        self.0.await.unwrap_or(Err(LinkError::Closed))
    }
}

/// A device's connection to the broker. Dropping it cuts the connection, so that the broker publishes
/// the last will; [`Link::shutdown`] says goodbye.
#[derive(Debug)]
pub struct Link {
    handle: LinkHandle,
    task: JoinHandle<()>,
}

/// What the parts of a device speak through. Cheap to clone.
#[derive(Debug, Clone)]
pub struct LinkHandle {
    shared: Arc<Shared>,
}

impl Link {
    /// Starts the connection and keeps it up until [`Link::shutdown`] or drop. Must be called within a
    /// tokio runtime. Commands, receipts and prompts come out of the receiver.
    pub fn start(config: LinkConfig) -> (Self, mpsc::Receiver<Inbound>) {
        let (sender, receiver) = mpsc::channel(config.limits.inbound_len_max);
        let shared = Arc::new(Shared::new(config));
        let task = tokio::spawn(connection::run(Arc::clone(&shared), sender));
        let handle = LinkHandle { shared };
        (Self { handle, task }, receiver)
    }

    /// A handle for the parts of the device.
    pub fn handle(&self) -> LinkHandle {
        self.handle.clone()
    }

    /// Publishes what is still waiting (for at most `goodbye_ms_max`), says goodbye and disconnects.
    pub async fn shutdown(mut self) {
        self.handle.shared.close();
        // A failed join is a panic of the task, which the runtime has printed.
        (&mut self.task).await.ok();
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl LinkHandle {
    /// This life of the device.
    pub fn boot_id(&self) -> &BootId {
        &self.shared.boot_id
    }

    /// Whether the broker has accepted the connection and it still stands.
    pub fn is_connected(&self) -> bool {
        self.shared.lock().connected
    }

    /// The newest receipt this device holds.
    pub fn last_receipt(&self) -> Option<LastReceipt> {
        self.shared.lock().last_receipt
    }

    /// Says anew what the device is: `desc`, retained. For a device that names itself only when it has been asked.
    pub fn describe(&self, description: &Description) {
        self.retain(&FromDevice::Description, description);
    }

    /// Says the device's status: `state`, retained. The same status again is not sent.
    pub fn status(&self, status: DeviceStatus, detail: Option<Code>) {
        self.retain(&FromDevice::Status, &Status { status, detail });
    }

    /// Says a measurement: `prop/{name}`, retained. The same value again is not sent. `name` is a
    /// level of a topic: lower-case letters, digits, hyphens.
    pub fn property(&self, name: &str, value: f64, unit: Option<&str>) {
        let figures = &self.shared.config.figures;
        figures.note(|now| {
            now.properties.insert(name.to_owned(), value);
        });
        let unit = unit.map(str::to_owned);
        self.retain(
            &FromDevice::Property(name.to_owned()),
            &Measurement { value, unit },
        );
    }

    /// Says whether the device behind an adapter is there: `$state`, retained. True from the start.
    pub fn present(&self, present: bool) {
        self.shared.set_present(present);
    }

    /// Reports something that happened: `event/{name}`.
    pub fn event(
        &self,
        name: &str,
        command_id: Option<CommandId>,
        detail: Option<Code>,
    ) -> Result<Confirmed, LinkError> {
        let message_id = new_message_id();
        let event = DeviceEvent {
            message_id: message_id.clone(),
            command_id,
            detail,
        };
        let payload = encode(&event)?;
        self.send(
            &FromDevice::Event(name.to_owned()),
            payload,
            Some(message_id),
        )
    }

    /// Answers a command on `cmd/{name}/reply`, and remembers the answer for its repetition. `reply` is
    /// the whole JSON message with `message_id` in it. Its bytes are wiped when nothing holds them any more.
    pub fn reply(
        &self,
        command_id: &CommandId,
        name: &str,
        message_id: MessageId,
        reply: &impl Serialize,
    ) -> Result<Confirmed, LinkError> {
        let payload = encode_wiped(reply)?;
        let channel = FromDevice::Reply(name.to_owned());
        let reply = Reply {
            topic: self.shared.topic(&channel),
            payload: payload.clone(),
            message_id: message_id.clone(),
        };
        self.shared.lock().memory.answered(command_id, reply);
        self.send(&channel, payload, Some(message_id))
    }

    /// Forgets a command that could not be answered: its repetition is a new command.
    pub fn forget(&self, command_id: &CommandId) {
        self.shared.lock().memory.forget(command_id);
    }

    /// Publishes the image that a command asked for on a `blob/{id}/{command}` of its own and waits until it is confirmed. `None`: it
    /// was not, or not until `until`. After that, or when this is dropped, it is not sent again: it is of somebody who may have left.
    pub async fn confirmed_image(
        &self,
        command: &CommandId,
        bytes: Bytes,
        until: Instant,
    ) -> Option<BlobId> {
        let id = new_blob_id();
        let channel = FromDevice::Image(id.clone(), command.clone());
        let _withdrawn = Withdrawn {
            shared: &self.shared,
            topic: self.shared.topic(&channel),
        };
        let confirmed = match self.send(&channel, bytes, None) {
            Ok(confirmed) => timeout_at(until.into(), confirmed.wait()).await,
            Err(error) => Ok(Err(error)),
        };
        match confirmed {
            Ok(Ok(())) => Some(id),
            Ok(Err(error)) => {
                tracing::warn!(%error, "an image was not taken");
                None
            }
            Err(_elapsed) => {
                tracing::warn!("an image was not confirmed in time");
                None
            }
        }
    }

    /// Publishes a kiosk's request on `request/{name}`.
    pub fn request(
        &self,
        name: &str,
        message_id: MessageId,
        request: &impl Serialize,
    ) -> Result<Confirmed, LinkError> {
        let channel = FromDevice::Request(name.to_owned());
        self.send(&channel, encode(request)?, Some(message_id))
    }

    fn retain(&self, channel: &FromDevice, message: &impl Serialize) {
        match encode(message) {
            Ok(payload) => self.shared.retain(self.shared.topic(channel), payload),
            Err(error) => tracing::error!(%error, "a retained message was not sent"),
        }
    }

    fn send(
        &self,
        channel: &FromDevice,
        payload: Bytes,
        message_id: Option<MessageId>,
    ) -> Result<Confirmed, LinkError> {
        let (done, confirmed) = oneshot::channel();
        self.shared.push(Outgoing {
            topic: self.shared.topic(channel),
            payload,
            retain: false,
            message_id,
            done: Some(done),
        })?;
        Ok(Confirmed(confirmed))
    }
}

/// Takes a message back when it is dropped, if it still waits.
struct Withdrawn<'a> {
    shared: &'a Shared,
    topic: String,
}

impl Drop for Withdrawn<'_> {
    fn drop(&mut self) {
        self.shared.lock().outbox.withdraw(&self.topic);
    }
}

fn encode(message: &impl Serialize) -> Result<Bytes, LinkError> {
    serde_json::to_vec(message)
        .map(Bytes::from)
        .map_err(|error| LinkError::Encoding(error.to_string()))
}

/// A reply may carry what a card says. The buffer is larger than the largest reply, so that it does not
/// grow and leave a copy behind.
fn encode_wiped(message: &impl Serialize) -> Result<Bytes, LinkError> {
    let mut payload = Zeroizing::new(Vec::with_capacity(REPLY_BYTES));
    serde_json::to_writer(&mut *payload, message)
        .map_err(|error| LinkError::Encoding(error.to_string()))?;
    Ok(Bytes::from_owner(payload))
}

/// A new UUID of version 4 (RFC 9562) in lower case with hyphens.
pub fn new_uuid() -> String {
    uuid::Builder::from_random_bytes(fastrand::u128(..).to_be_bytes())
        .into_uuid()
        .hyphenated()
        .to_string()
}

/// A new message id. A UUID is one, so this cannot fail.
pub fn new_message_id() -> MessageId {
    checked(MessageId::new(new_uuid()))
}

/// A new blob id. A UUID is one, so this cannot fail.
pub fn new_blob_id() -> BlobId {
    checked(BlobId::new(new_uuid()))
}

pub(crate) fn checked<T>(made: Result<T, schemas::text::Invalid>) -> T {
    match made {
        Ok(id) => id,
        Err(error) => unreachable!("{error}"),
    }
}
