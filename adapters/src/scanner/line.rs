//! The line to the module: one instruction at a time, each with its time limit. Answers carry no number, so
//! after any doubt whose answer comes next the line has to fall silent before it is used again.

use std::io;
use std::time::{Duration, Instant};

use thiserror::Error;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::acknowledgement::{Acknowledgement, Confirmation, Parameters};
use super::image::{IMAGE_BYTES, Image};
use super::instruction::Instruction;
use super::packet::{Decoder, Kind, Packet, PacketError};
use super::{Address, ScannerConfig};
use crate::port::Port;

/// Bytes that are read at once.
const READ_BYTES: usize = 4096;
/// Answers that may fail to come in a row until the line is opened anew.
const SILENCES_MAX: u8 = 3;

/// Why an instruction brought nothing.
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
    Packet(#[from] PacketError),
    #[error("the answer is not of the form that belongs to the instruction")]
    Form,
    #[error("the module takes another password")]
    WrongPassword,
    #[error("the module says {0:?}")]
    Refused(Confirmation),
    #[error("the line does not fall silent")]
    Chatter,
}

/// A line that is opened when it is needed.
#[derive(Debug)]
pub(super) struct Line {
    config: ScannerConfig,
    open: Option<Open>,
    pause_ms: u64,
    not_before: Instant,
    heard_at: Option<Instant>,
}

#[derive(Debug)]
struct Open {
    port: Port,
    decoder: Decoder,
    module: u32,
    /// Bytes that were read and not decoded yet.
    rest: Zeroizing<Vec<u8>>,
    /// Whether an answer to an earlier instruction may still come.
    is_doubtful: bool,
    silences: u8,
}

impl Line {
    pub(super) fn new(config: ScannerConfig) -> Self {
        Self {
            pause_ms: config.backoff_ms_min,
            config,
            open: None,
            not_before: Instant::now(),
            heard_at: None,
        }
    }

    /// When the module answered last.
    pub(super) const fn heard_at(&self) -> Option<Instant> {
        self.heard_at
    }

    /// Opens the line if it is not open, and gives the password. `true`: it has just been opened.
    pub(super) async fn ready(&mut self) -> Result<bool, AskError> {
        if self.open.is_some() {
            return Ok(false);
        }
        if Instant::now() < self.not_before {
            return Err(AskError::BackingOff);
        }
        match self.greet().await {
            Ok(open) => {
                self.heard_at = Some(Instant::now());
                self.open = Some(open);
                self.pause_ms = self.config.backoff_ms_min;
                // A module that drops each connection at once is not asked without pause.
                self.not_before = Instant::now() + Duration::from_millis(self.pause_ms);
                Ok(true)
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

    /// Gives an instruction without data packets.
    pub(super) async fn ask(
        &mut self,
        instruction: Instruction,
    ) -> Result<Acknowledgement, AskError> {
        let limits = Limits::of(&self.config);
        let open = self.open.as_mut().ok_or(AskError::BackingOff)?;
        let answer = open.exchange(instruction, limits).await;
        self.settle(answer)
    }

    /// The module's parameters.
    pub(super) async fn parameters(&mut self) -> Result<Parameters, AskError> {
        let answer = self.ask(Instruction::ReadParameters).await?;
        if answer.confirmation != Confirmation::Done {
            return Err(AskError::Refused(answer.confirmation));
        }
        Parameters::decode(&answer.data).ok_or(AskError::Form)
    }

    /// The image that the module holds.
    pub(super) async fn upload(&mut self) -> Result<Image, AskError> {
        let limits = Limits::of(&self.config);
        let open = self.open.as_mut().ok_or(AskError::BackingOff)?;
        let image = match timeout(limits.upload, open.upload(limits)).await {
            Ok(image) => image,
            Err(_elapsed) => Err(AskError::Timeout),
        };
        self.settle(image)
    }

    fn settle<T>(&mut self, answer: Result<T, AskError>) -> Result<T, AskError> {
        let usable = match &answer {
            Ok(_) | Err(AskError::Refused(_)) => {
                self.heard_at = Some(Instant::now());
                true
            }
            Err(AskError::Timeout) => self.open.as_mut().is_some_and(|open| {
                open.silences = open.silences.saturating_add(1);
                open.silences < SILENCES_MAX
            }),
            Err(AskError::Packet(_)) => true,
            Err(_) => false,
        };
        if !usable {
            self.open = None;
        }
        answer
    }

    async fn greet(&self) -> Result<Open, AskError> {
        let limits = Limits::of(&self.config);
        let port = match &self.config.address {
            Address::Tcp { host, port } => {
                let limit = Duration::from_millis(self.config.connect_timeout_ms);
                Port::connect(host, *port, limit).await
            }
            Address::Serial { path, bits_per_s } => Port::open(path, *bits_per_s),
        };
        let mut open = Open {
            port: port.map_err(AskError::Open)?,
            decoder: Decoder::default(),
            module: self.config.module_address,
            rest: Zeroizing::new(Vec::with_capacity(READ_BYTES)),
            // What an earlier connection asked may still be answered.
            is_doubtful: true,
            silences: 0,
        };
        let password = Instruction::VerifyPassword(self.config.password.expose());
        let answer = open.exchange(password, limits).await?.confirmation;
        if answer == Confirmation::Done {
            Ok(open)
        } else if answer == Confirmation::WrongPassword {
            Err(AskError::WrongPassword)
        } else {
            Err(AskError::Refused(answer))
        }
    }
}

/// How long things may take.
#[derive(Debug, Clone, Copy)]
struct Limits {
    request: Duration,
    upload: Duration,
    settle: Duration,
}

impl Limits {
    const fn of(config: &ScannerConfig) -> Self {
        Self {
            request: Duration::from_millis(config.request_timeout_ms),
            upload: Duration::from_millis(config.upload_timeout_ms),
            settle: Duration::from_millis(config.settle_ms),
        }
    }
}

impl Open {
    async fn exchange(
        &mut self,
        instruction: Instruction,
        limits: Limits,
    ) -> Result<Acknowledgement, AskError> {
        if self.is_doubtful {
            self.fall_silent(limits).await?;
        }
        self.is_doubtful = true;
        let mut packet = instruction.to_packet();
        packet.address = self.module;
        let sending = async {
            self.port.write_all(&packet.encode()?).await?;
            self.port.flush().await?;
            self.receive().await
        };
        let answered = timeout(limits.request, sending).await;
        let packet = answered.map_err(|_elapsed| AskError::Timeout)??;
        let answer = Acknowledgement::of(&packet).ok_or(AskError::Form)?;
        self.silences = 0;
        // Data packets follow this answer; after any other, what comes is nobody's.
        self.is_doubtful = instruction != Instruction::UploadImage
            && self.rest.len() + self.decoder.held_len() > 0;
        Ok(answer)
    }

    /// The image, packet by packet; a packet that does not come within the limit of a request breaks it off.
    async fn upload(&mut self, limits: Limits) -> Result<Image, AskError> {
        let answer = self.exchange(Instruction::UploadImage, limits).await?;
        if answer.confirmation != Confirmation::Done {
            return Err(AskError::Refused(answer.confirmation));
        }
        self.is_doubtful = true;
        let mut bytes = Zeroizing::new(Vec::with_capacity(IMAGE_BYTES));
        loop {
            let received = timeout(limits.request, self.receive()).await;
            let packet = received.map_err(|_elapsed| AskError::Timeout)??;
            let more = match packet.kind {
                Kind::Data => true,
                Kind::LastData => false,
                Kind::Command | Kind::Acknowledge => return Err(AskError::Form),
            };
            if bytes.len() + packet.content.len() > IMAGE_BYTES {
                return Err(AskError::Form);
            }
            bytes.extend_from_slice(&packet.content);
            if !more {
                self.is_doubtful = false;
                return Image::new(bytes).ok_or(AskError::Form);
            }
        }
    }

    /// The next packet of this module.
    async fn receive(&mut self) -> Result<Packet, AskError> {
        loop {
            match self.decoder.next_packet() {
                Some(Ok(packet)) if packet.address == self.module => return Ok(packet),
                Some(Err(PacketError::Sum)) => return Err(PacketError::Sum.into()),
                // Another module's, or rubbish before the answer.
                Some(Ok(_) | Err(PacketError::Length(_) | PacketError::Kind(_))) => continue,
                None => {}
            }
            if self.rest.is_empty() {
                self.read_more().await?;
            }
            let taken = self.decoder.push(&self.rest);
            self.rest.drain(..taken);
        }
    }

    async fn read_more(&mut self) -> Result<(), AskError> {
        let mut buffer = Zeroizing::new([0; READ_BYTES]);
        let len = self.port.read(buffer.as_mut_slice()).await?;
        if len == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        self.rest
            .extend_from_slice(buffer.get(..len).unwrap_or_default());
        Ok(())
    }

    /// Reads on until nothing comes any more: the rest of an image, at the longest.
    async fn fall_silent(&mut self, limits: Limits) -> Result<(), AskError> {
        let silent = timeout(limits.upload, async {
            loop {
                self.rest.clear();
                self.decoder.clear();
                match timeout(limits.settle, self.read_more()).await {
                    Err(_elapsed) => return Ok(()),
                    Ok(read) => read?,
                }
            }
        });
        silent.await.unwrap_or(Err(AskError::Chatter))
    }
}
