//! The line to the reader: one request at a time, each with its time limit. Replies carry no number, so
//! after any doubt whose answer comes next the line has to fall silent before it is used again.

use std::io;
use std::time::{Duration, Instant};

use thiserror::Error;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{timeout, timeout_at};
use zeroize::Zeroizing;

use super::frame::{Decoder, FrameError};
use super::reply::{Reply, SamResult};
use super::request::{Baud, Request};
use super::{Address, ReaderConfig, SamId};
use crate::port::Port;

/// Bytes that are read at once.
const READ_BYTES: usize = 4096;
/// Answers that may fail to come in a row until the line is opened anew.
const SILENCES_MAX: u8 = 3;
/// How often the line may go on talking before it is opened anew.
const SETTLE_READS_MAX: u16 = 64;

/// Why a request brought nothing.
#[derive(Debug, Error)]
pub(super) enum AskError {
    #[error("open: {0}")]
    Open(io::Error),
    #[error("not open yet, the next attempt comes later")]
    BackingOff,
    #[error("no answer in time")]
    Timeout,
    #[error("the line broke: {0}")]
    Broken(#[from] io::Error),
    #[error("what came is no answer: {0}")]
    Frame(#[from] FrameError),
    #[error("the answer is not of the form that belongs to the request")]
    Form,
    #[error("the security module is not well: {0:?}")]
    Ill(SamResult),
    #[error("the line does not fall silent")]
    Chatter,
}

/// A line that is opened when it is needed.
#[derive(Debug)]
pub(super) struct Line {
    config: ReaderConfig,
    open: Option<Open>,
    pause_ms: u64,
    not_before: Instant,
    /// The speed at which the reader answered last.
    baud: Option<Baud>,
    heard_at: Option<Instant>,
}

#[derive(Debug)]
struct Open {
    port: Port,
    decoder: Decoder,
    id: SamId,
    /// Whether an answer to an earlier request may still come.
    is_doubtful: bool,
    silences: u8,
}

impl Line {
    pub(super) fn new(config: ReaderConfig) -> Self {
        Self {
            pause_ms: config.backoff_ms_min,
            config,
            open: None,
            not_before: Instant::now(),
            baud: None,
            heard_at: None,
        }
    }

    /// When the reader answered last.
    pub(super) const fn heard_at(&self) -> Option<Instant> {
        self.heard_at
    }

    /// Opens the line if it is not open, and says who is at its other end.
    pub(super) async fn ready(&mut self) -> Result<SamId, AskError> {
        if let Some(open) = &self.open {
            return Ok(open.id);
        }
        if Instant::now() < self.not_before {
            return Err(AskError::BackingOff);
        }
        match self.find_reader().await {
            Ok(open) => {
                let id = open.id;
                self.heard_at = Some(Instant::now());
                self.open = Some(open);
                self.pause_ms = self.config.backoff_ms_min;
                // A reader that drops each connection at once is not asked without pause.
                self.not_before = Instant::now() + Duration::from_millis(self.pause_ms);
                Ok(id)
            }
            Err(error) => {
                self.back_off();
                Err(error)
            }
        }
    }

    /// Closes the line; it is opened again after a pause.
    pub(super) fn close(&mut self) {
        self.open = None;
        self.back_off();
    }

    fn back_off(&mut self) {
        let jittered = self.pause_ms / 2 + fastrand::u64(0..=self.pause_ms / 2);
        self.not_before = Instant::now() + Duration::from_millis(jittered);
        self.pause_ms = (self.pause_ms * 2).min(self.config.backoff_ms_max);
    }

    /// Asks a short request.
    pub(super) async fn ask(&mut self, request: Request) -> Result<Reply, AskError> {
        let limit = Duration::from_millis(self.config.request_timeout_ms);
        self.ask_within(request, limit).await
    }

    /// Asks for what a card holds.
    pub(super) async fn ask_card(&mut self, request: Request) -> Result<Reply, AskError> {
        let limit = Duration::from_millis(self.config.read_timeout_ms);
        self.ask_within(request, limit).await
    }

    async fn ask_within(&mut self, request: Request, limit: Duration) -> Result<Reply, AskError> {
        let settle = Duration::from_millis(self.config.settle_ms);
        let open = self.open.as_mut().ok_or(AskError::BackingOff)?;
        let answer = open.exchange(request, limit, settle).await;
        let usable = match &answer {
            Ok(_) => true,
            Err(AskError::Timeout | AskError::Frame(_)) => open.silences < SILENCES_MAX,
            Err(_) => false,
        };
        if answer.is_ok() {
            self.heard_at = Some(Instant::now());
        } else if !usable {
            self.open = None;
        }
        answer
    }

    /// A way on which a reader answers. On a serial line of unknown speed it is asked at each, at the last
    /// good one first.
    async fn find_reader(&mut self) -> Result<Open, AskError> {
        let limit = Duration::from_millis(self.config.connect_timeout_ms);
        match self.config.address.clone() {
            Address::Tcp { host, port } => {
                let port = Port::connect(&host, port, limit).await;
                self.greet(port.map_err(AskError::Open)?).await
            }
            Address::Serial { path, baud } => {
                let bauds = match (baud, self.baud) {
                    (Some(baud), _) => vec![baud],
                    (None, last) => last.into_iter().chain(Baud::ALL).collect(),
                };
                let mut last = AskError::Timeout;
                for baud in bauds {
                    let port = Port::open(&path, baud.bits_per_s()).map_err(AskError::Open)?;
                    match self.greet(port).await {
                        Ok(open) => {
                            self.baud = Some(baud);
                            return Ok(open);
                        }
                        // At another speed its answers are rubbish, if it answers at all.
                        Err(error @ AskError::Ill(_)) => return Err(error),
                        Err(error) => last = error,
                    }
                }
                Err(last)
            }
        }
    }

    /// Asks how the security module is and who it is.
    async fn greet(&self, port: Port) -> Result<Open, AskError> {
        let limit = Duration::from_millis(self.config.request_timeout_ms);
        let settle = Duration::from_millis(self.config.settle_ms);
        let mut open = Open {
            port,
            decoder: Decoder::of_replies(),
            id: SamId {
                maker: [0; 2],
                numbers: [0; 3],
            },
            // What an earlier connection asked may still be answered.
            is_doubtful: true,
            silences: 0,
        };
        let status = open.exchange(Request::SamStatus, limit, settle).await?;
        if status.result != SamResult::Success {
            return Err(AskError::Ill(status.result));
        }
        let reply = open.exchange(Request::SamId, limit, settle).await?;
        open.id = SamId::decode(&reply.data).ok_or(AskError::Form)?;
        Ok(open)
    }
}

impl Open {
    async fn exchange(
        &mut self,
        request: Request,
        limit: Duration,
        settle: Duration,
    ) -> Result<Reply, AskError> {
        if self.is_doubtful {
            self.fall_silent(settle).await?;
        }
        self.is_doubtful = true;
        let until = tokio::time::Instant::now() + limit;
        let answered = timeout_at(until, self.send_and_receive(request)).await;
        let Ok(answer) = answered else {
            self.silences = self.silences.saturating_add(1);
            return Err(AskError::Timeout);
        };
        let reply = answer?;
        self.silences = 0;
        // More than one answer: whatever follows is nobody's.
        self.is_doubtful = self.decoder.held_len() > 0;
        Ok(reply)
    }

    async fn send_and_receive(&mut self, request: Request) -> Result<Reply, AskError> {
        self.port.write_all(&request.encode()?).await?;
        self.port.flush().await?;
        let mut buffer = Zeroizing::new([0; READ_BYTES]);
        loop {
            let len = self.port.read(buffer.as_mut_slice()).await?;
            if len == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            let mut rest = buffer.get(..len).unwrap_or_default();
            while !rest.is_empty() {
                let taken = self.decoder.push(rest);
                rest = rest.get(taken..).unwrap_or_default();
                match self.decoder.next_frame() {
                    Some(Ok(body)) => return Reply::from_body(&body).ok_or(AskError::Form),
                    Some(Err(FrameError::Checksum)) => return Err(FrameError::Checksum.into()),
                    // Rubbish before the answer.
                    Some(Err(FrameError::Length(_))) | None => {}
                }
            }
        }
    }

    /// Reads on until nothing comes any more.
    async fn fall_silent(&mut self, settle: Duration) -> Result<(), AskError> {
        let mut buffer = Zeroizing::new([0; READ_BYTES]);
        for _ in 0..SETTLE_READS_MAX {
            match timeout(settle, self.port.read(buffer.as_mut_slice())).await {
                Err(_elapsed) => {
                    self.decoder.clear();
                    return Ok(());
                }
                Ok(Ok(0)) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return Err(error.into()),
            }
        }
        Err(AskError::Chatter)
    }
}
