//! What the handle and the connection share: the outbox, what is retained, what is remembered. The lock
//! is held for memory operations only, never across an await.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use schemas::ids::{BootId, DeviceId};
use schemas::message::PROTOCOL_VERSION;
use schemas::message::device::{LastReceipt, Life, LifeState};
use schemas::topic::{FromDevice, Topics};
use tokio::sync::{Notify, watch};

use super::memory::CommandMemory;
use super::outbox::{Outbox, Outgoing};
use super::{LinkConfig, LinkError, checked, encode, new_uuid};

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) config: LinkConfig,
    pub(super) boot_id: BootId,
    topics: Topics,
    state: Mutex<State>,
    /// Something waits in the outbox.
    pub(super) wake: Notify,
    closing: watch::Sender<bool>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) outbox: Outbox,
    pub(super) memory: CommandMemory,
    pub(super) last_receipt: Option<LastReceipt>,
    pub(super) connected: bool,
    life: LifeState,
    retained: BTreeMap<String, Bytes>,
}

impl Shared {
    pub(super) fn new(config: LinkConfig) -> Self {
        let topics = Topics::new(config.station.clone());
        config.figures.note(|now| now.is_present = true);
        let state = State {
            outbox: Outbox::new(&config.limits, config.confirmation),
            memory: CommandMemory::new(config.limits.commands_remembered_max),
            last_receipt: config.last_receipt,
            connected: false,
            life: LifeState::Online,
            retained: BTreeMap::new(),
        };
        Self {
            config,
            boot_id: checked(BootId::new(new_uuid())),
            topics,
            state: Mutex::new(state),
            wake: Notify::new(),
            closing: watch::Sender::new(false),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // The state is consistent between any two statements that could panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn device(&self) -> &DeviceId {
        &self.config.device
    }

    pub(super) fn topic(&self, channel: &FromDevice) -> String {
        self.topics.from_device(self.device(), channel)
    }

    /// `station/v1/{station}/{device}/`.
    pub(super) fn base(&self) -> String {
        format!("{}/", self.topics.device(self.device()))
    }

    pub(super) fn push(&self, message: Outgoing) -> Result<(), LinkError> {
        if *self.closing.borrow() {
            return Err(LinkError::Closed);
        }
        self.lock().outbox.push(message)?;
        self.wake.notify_one();
        Ok(())
    }

    /// Remembers a retained message for every coming connection, and sends it if it is new.
    pub(super) fn retain(&self, topic: String, payload: Bytes) {
        let mut state = self.lock();
        if state.retained.get(&topic) == Some(&payload) {
            return;
        }
        state.retained.insert(topic.clone(), payload.clone());
        if state.connected
            && let Err(error) = state.outbox.push(retained(topic, payload))
        {
            tracing::error!(%error, "a retained message was not sent");
        }
        drop(state);
        self.wake.notify_one();
    }

    pub(super) fn set_present(&self, present: bool) {
        let life = if present {
            LifeState::Online
        } else {
            LifeState::Lost
        };
        let mut state = self.lock();
        if state.life == life {
            return;
        }
        state.life = life;
        self.config.figures.note(|now| now.is_present = present);
        if state.connected {
            let message = self.life(&state, life);
            if let Err(error) = state.outbox.push(message) {
                tracing::error!(%error, "the device's life was not sent");
            }
        }
        drop(state);
        self.wake.notify_one();
    }

    pub(super) fn close(&self) {
        {
            let mut state = self.lock();
            let message = self.life(&state, LifeState::Offline);
            if let Err(error) = state.outbox.push(message) {
                tracing::error!(%error, "no goodbye was sent");
            }
        }
        self.closing.send_replace(true);
        self.wake.notify_one();
    }

    pub(super) fn closing(&self) -> watch::Receiver<bool> {
        self.closing.subscribe()
    }

    /// A connection stands: birth, description and all that is retained go out before anything else.
    pub(super) fn connected(&self) {
        let mut state = self.lock();
        state.connected = true;
        self.config.figures.note(|now| {
            now.is_connected = true;
            now.connections += 1;
        });
        let mut births = vec![self.life(&state, state.life)];
        let desc = self.topic(&FromDevice::Description);
        // A device that has named itself since is in what is retained.
        if !state.retained.contains_key(&desc) {
            match encode(&self.config.description) {
                Ok(payload) => births.push(retained(desc, payload)),
                Err(error) => tracing::error!(%error, "no description was sent"),
            }
        }
        for (topic, payload) in &state.retained {
            births.push(retained(topic.clone(), payload.clone()));
        }
        if *self.closing.borrow() {
            births.push(self.life(&state, LifeState::Offline));
        }
        state.outbox.begin_life(births);
    }

    pub(super) fn disconnected(&self) {
        let mut state = self.lock();
        state.connected = false;
        self.config.figures.note(|now| now.is_connected = false);
        state.outbox.disconnected();
    }

    /// The last will: this life is lost.
    pub(super) fn will(&self) -> (String, Bytes) {
        let state = self.lock();
        let message = self.life(&state, LifeState::Lost);
        (message.topic, message.payload)
    }

    fn life(&self, state: &State, life: LifeState) -> Outgoing {
        let life = Life {
            state: life,
            protocol: PROTOCOL_VERSION,
            boot_id: self.boot_id.clone(),
            last_receipt: state.last_receipt,
        };
        // Four plain fields always serialise; an empty payload would only clear what is retained.
        let payload = encode(&life).unwrap_or_default();
        retained(self.topic(&FromDevice::State), payload)
    }
}

fn retained(topic: String, payload: Bytes) -> Outgoing {
    Outgoing {
        topic,
        payload,
        retain: true,
        message_id: None,
        done: None,
    }
}
