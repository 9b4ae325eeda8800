//! The Modbus connection: one call at a time, each with its time limit. After any doubt about the order
//! of answers the connection is dropped and made anew.

use std::time::{Duration, Instant};

use schemas::message::command::SlotMap;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_modbus::ExceptionCode;
use tokio_modbus::client::{Context, Reader, Writer, tcp};
use tokio_modbus::slave::Slave;

use super::DispenserConfig;
use super::codec::{MapError, Snapshot, bitmap_pages, slot_map};
use super::map::{STATUS_WORDS, holding};

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
    /// The device answered: it will not.
    #[error("modbus exception: {0}")]
    Exception(ExceptionCode),
    #[error("not the register map: {0}")]
    Map(#[from] MapError),
    #[error("the slots changed while they were read")]
    Unsteady,
}

/// A connection that is made when it is needed.
pub(super) struct Line {
    config: DispenserConfig,
    context: Option<Context>,
    pause_ms: u64,
    not_before: Instant,
    heartbeat: u16,
    /// Whether this connection has had its first heartbeat.
    greeted: bool,
}

impl Line {
    pub(super) fn new(config: DispenserConfig) -> Self {
        let pause_ms = config.backoff_ms_min;
        Self {
            config,
            context: None,
            pause_ms,
            not_before: Instant::now(),
            heartbeat: 0,
            greeted: false,
        }
    }

    /// Reads the status block.
    pub(super) async fn snapshot(&mut self) -> Result<Snapshot, CallError> {
        let words = self.read_inputs(0, STATUS_WORDS).await?;
        Ok(Snapshot::decode(&words)?)
    }

    /// Reads the slots, between two status blocks that agree about the last command and the count.
    pub(super) async fn slots(&mut self) -> Result<(Snapshot, SlotMap), CallError> {
        let mut before = self.snapshot().await?;
        for _ in 0..BITMAP_ATTEMPTS_MAX {
            let mut words = Vec::new();
            for (address, len) in bitmap_pages(before.columns, before.slots_per_column) {
                words.extend(self.read_inputs(address, len).await?);
            }
            let after = self.snapshot().await?;
            if (before.ack, before.occupied) == (after.ack, after.occupied) {
                let map = slot_map(after.columns, after.slots_per_column, &words);
                return Ok((after, map));
            }
            before = after;
        }
        Err(CallError::Unsteady)
    }

    /// Writes the command block, holdings 0 to 5, in one FC10. Any error but
    /// [`CallError::Exception`], [`CallError::Connect`] and [`CallError::BackingOff`] leaves open
    /// whether the device took it.
    pub(super) async fn command(&mut self, words: [u16; 6]) -> Result<(), CallError> {
        self.write(holding::SEQUENCE, &words).await
    }

    /// Writes the host's heartbeat and its timeout, holdings 6 and 7.
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
        let words = [self.heartbeat, self.config.host_timeout_s];
        self.write(holding::HEARTBEAT, &words).await
    }

    async fn read_inputs(&mut self, address: u16, len: u16) -> Result<Vec<u16>, CallError> {
        let limit = self.call_timeout();
        let context = self.context().await?;
        let answer = timeout(limit, context.read_input_registers(address, len)).await;
        self.settle(answer)
    }

    async fn write(&mut self, address: u16, words: &[u16]) -> Result<(), CallError> {
        let limit = self.call_timeout();
        let context = self.context().await?;
        let answer = timeout(limit, context.write_multiple_registers(address, words)).await;
        self.settle(answer)
    }

    fn settle<T>(
        &mut self,
        answer: Result<tokio_modbus::Result<T>, tokio::time::error::Elapsed>,
    ) -> Result<T, CallError> {
        let error = match answer {
            Ok(Ok(Ok(value))) => return Ok(value),
            Ok(Ok(Err(exception))) => return Err(CallError::Exception(exception)),
            Ok(Err(error)) => CallError::Transport(error),
            Err(_elapsed) => CallError::Timeout,
        };
        // A late answer must never be taken for the answer to the next call.
        self.context = None;
        Err(error)
    }

    const fn call_timeout(&self) -> Duration {
        Duration::from_millis(self.config.call_timeout_ms)
    }

    async fn context(&mut self) -> Result<&mut Context, CallError> {
        if self.context.is_none() {
            if Instant::now() < self.not_before {
                return Err(CallError::BackingOff);
            }
            match connect(&self.config).await {
                Ok(context) => {
                    self.context = Some(context);
                    self.greeted = false;
                    self.pause_ms = self.config.backoff_ms_min;
                    // A device that drops each connection at once is not asked without pause.
                    self.not_before = Instant::now() + Duration::from_millis(self.pause_ms);
                }
                Err(error) => {
                    let jittered = self.pause_ms / 2 + fastrand::u64(0..=self.pause_ms / 2);
                    self.not_before = Instant::now() + Duration::from_millis(jittered);
                    self.pause_ms = (self.pause_ms * 2).min(self.config.backoff_ms_max);
                    return Err(CallError::Connect(error));
                }
            }
        }
        self.context.as_mut().ok_or(CallError::BackingOff)
    }
}

async fn connect(config: &DispenserConfig) -> std::io::Result<Context> {
    let limit = Duration::from_millis(config.connect_timeout_ms);
    let target = (config.host.as_str(), config.port);
    let stream = timeout(limit, TcpStream::connect(target))
        .await
        .map_err(|_elapsed| std::io::Error::from(std::io::ErrorKind::TimedOut))??;
    stream.set_nodelay(true)?;
    Ok(tcp::attach_slave(stream, Slave(config.unit)))
}
