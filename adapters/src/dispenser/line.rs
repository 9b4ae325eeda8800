//! The Modbus connection: one call at a time, each with its time limit. After any doubt about the order
//! of answers the connection is dropped and made anew.

use std::sync::Arc;
use std::time::{Duration, Instant};

use edge_config::profile::{DispenserProfile, Group};
use schemas::message::command::SlotMap;
use thiserror::Error;
use tokio_modbus::ExceptionCode;

use super::DispenserConfig;
use super::channel::Channel;
use super::codec::{MapError, Snapshot, bitmap_pages, slot_map};

/// Reads of the bitmap until two status blocks around it agree.
const BITMAP_ATTEMPTS_MAX: u16 = 5;

/// Why a call brought nothing.
#[derive(Debug, Error)]
pub(super) enum CallError {
    #[error("connect: {0}")]
    Connect(std::io::Error),
    #[error("no connection yet, the next attempt comes later")]
    BackingOff,
    #[error("no answer in time")]
    Timeout,
    #[error("{0}")]
    Transport(tokio_modbus::Error),
    #[error("the answer does not belong to the request")]
    Foreign,
    #[error("the line does not fall silent")]
    Chatter,
    #[error("modbus exception to the first read: {0}")]
    Probe(ExceptionCode),
    /// The device answered: it will not.
    #[error("modbus exception: {0}")]
    Exception(ExceptionCode),
    #[error("the registers do not follow the profile {profile}: {error}")]
    Map { profile: String, error: MapError },
    #[error("the slots changed while they were read")]
    Unsteady,
}

impl CallError {
    /// Whether the device spoke, and it is its registers that are not as expected.
    pub(super) const fn is_of_profile(&self) -> bool {
        matches!(self, Self::Map { .. } | Self::Exception(_) | Self::Probe(_))
    }
}

/// A connection that is made when it is needed.
pub(super) struct Line {
    config: DispenserConfig,
    profile: Arc<DispenserProfile>,
    /// The status block of the profile.
    status: Group,
    channel: Option<Channel>,
    /// Attempts to connect so far.
    turn: u16,
    pause_ms: u64,
    not_before: Instant,
    heartbeat: u16,
    /// Whether this connection has had its first heartbeat.
    greeted: bool,
}

impl Line {
    pub(super) fn new(config: DispenserConfig) -> Self {
        Self {
            profile: Arc::clone(&config.profile),
            status: config.profile.status(),
            channel: None,
            turn: 0,
            pause_ms: config.backoff_ms_min,
            config,
            not_before: Instant::now(),
            heartbeat: 0,
            greeted: false,
        }
    }

    /// Whether there is a connection.
    pub(super) const fn is_open(&self) -> bool {
        self.channel.is_some()
    }

    /// Reads the status block.
    pub(super) async fn snapshot(&mut self) -> Result<Snapshot, CallError> {
        let words = self.read_inputs(self.status.first, self.status.len).await?;
        Snapshot::decode(&self.profile, &words).map_err(|error| CallError::Map {
            profile: self.profile.to_string(),
            error,
        })
    }

    /// Reads the slots, between two status blocks that agree about the last command and the count.
    pub(super) async fn slots(&mut self) -> Result<(Snapshot, SlotMap), CallError> {
        let mut before = self.snapshot().await?;
        for _ in 0..BITMAP_ATTEMPTS_MAX {
            let mut words = Vec::new();
            let pages = bitmap_pages(&self.profile, before.columns, before.slots_per_column);
            for (address, len) in pages {
                words.extend(self.read_inputs(address, len).await?);
            }
            let after = self.snapshot().await?;
            let same = |seen: &Snapshot| (seen.ack, seen.occupied, seen.state, seen.position);
            if same(&before) == same(&after) {
                let map = slot_map(after.columns, after.slots_per_column, &words);
                return Ok((after, map));
            }
            before = after;
        }
        Err(CallError::Unsteady)
    }

    /// Writes the command block in one FC10. Any error but [`CallError::Exception`], [`CallError::Connect`] and
    /// [`CallError::BackingOff`] leaves open whether the device took it.
    pub(super) async fn command(&mut self, words: [u16; 6]) -> Result<(), CallError> {
        self.write(self.profile.command_block().first, &words).await
    }

    /// Writes the host's heartbeat and its timeout.
    pub(super) async fn heartbeat(&mut self) -> Result<(), CallError> {
        self.beat().await?;
        if !self.greeted {
            // Only a change counts, and the first value may be the one that an earlier life left behind.
            self.beat().await?;
            self.greeted = true;
        }
        Ok(())
    }

    async fn beat(&mut self) -> Result<(), CallError> {
        self.heartbeat = self.heartbeat.wrapping_add(1);
        let (holdings, block) = (self.profile.holdings, self.profile.host_block());
        let mut words = [self.heartbeat, self.config.host_timeout_s];
        if block.first != holdings.heartbeat {
            words.reverse();
        }
        self.write(block.first, &words).await
    }

    async fn read_inputs(&mut self, address: u16, len: u16) -> Result<Vec<u16>, CallError> {
        let answer = self.channel().await?.read_inputs(address, len).await;
        self.settle(answer)
    }

    async fn write(&mut self, address: u16, words: &[u16]) -> Result<(), CallError> {
        let answer = self.channel().await?.write(address, words).await;
        self.settle(answer)
    }

    fn settle<T>(&mut self, answer: Result<T, CallError>) -> Result<T, CallError> {
        if !matches!(answer, Ok(_) | Err(CallError::Exception(_))) {
            // A late answer must never be taken for the answer to the next call.
            self.channel = None;
        }
        answer
    }

    async fn channel(&mut self) -> Result<&mut Channel, CallError> {
        if self.channel.is_none() {
            if Instant::now() < self.not_before {
                return Err(CallError::BackingOff);
            }
            self.turn = self.turn.wrapping_add(1);
            match Channel::open(&self.config, self.turn).await {
                Ok(channel) => {
                    self.channel = Some(channel);
                    self.greeted = false;
                    self.pause_ms = self.config.backoff_ms_min;
                    // A device that drops each connection at once is not asked without pause.
                    self.not_before = Instant::now() + Duration::from_millis(self.pause_ms);
                }
                Err(error) => {
                    let jittered = self.pause_ms / 2 + fastrand::u64(0..=self.pause_ms / 2);
                    self.not_before = Instant::now() + Duration::from_millis(jittered);
                    self.pause_ms = (self.pause_ms * 2).min(self.config.backoff_ms_max);
                    return Err(error);
                }
            }
        }
        self.channel.as_mut().ok_or(CallError::BackingOff)
    }
}
