//! The reader as a device: the security module behind a serial-over-TCP adapter, or at a serial line.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use adapters::reader::SamId;
use adapters::reader::frame::{self, Body, Decoder, FrameError};
use adapters::reader::reply::{Reply, SamResult};
use adapters::reader::request::Request;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::sleep;

use super::faults::{ReaderFault, ReaderFaults};
use super::sam::Sam;
use crate::device::Power;
use crate::people::Card;
use crate::powered::{listening, with_each};

/// How many times as long a slow reader takes.
const SLOW_FACTOR: u32 = 10;

/// What a reader is.
#[derive(Debug, Clone)]
pub struct ReaderOptions {
    /// Its identity.
    pub sam_id: SamId,
    /// How long it takes to find a card, or to select it, in ms.
    pub find_ms: u64,
    /// How long it takes to read one, in ms.
    pub read_ms: u64,
    /// How it fails.
    pub faults: ReaderFaults,
}

/// What lies on the reader at the moment.
type CardNow = dyn Fn() -> Option<Card> + Send + Sync;

/// A reader. Cheap to clone.
#[derive(Clone)]
pub struct SamReader {
    shared: Arc<Shared>,
}

struct Shared {
    options: ReaderOptions,
    sam: Mutex<Sam>,
    card: Box<CardNow>,
    /// Counts how often a host has looked for a card.
    finds: watch::Sender<u64>,
}

impl core::fmt::Debug for SamReader {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SamReader")
            .field("options", &self.shared.options)
            .finish_non_exhaustive()
    }
}

/// Why a conversation with a host ends.
enum Hangup {
    Broken(io::Error),
    /// The reader has broken off.
    Cut,
}

impl From<io::Error> for Hangup {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

impl SamReader {
    /// A reader on which `card` says what lies.
    pub fn new(
        options: ReaderOptions,
        card: impl Fn() -> Option<Card> + Send + Sync + 'static,
    ) -> Self {
        let sam = Mutex::new(Sam::new(options.sam_id, options.faults.clone()));
        Self {
            shared: Arc::new(Shared {
                options,
                sam,
                card: Box::new(card),
                finds: watch::Sender::new(0),
            }),
        }
    }

    /// Looks at what lies on it. To be called whenever that may have changed, so that a card which is lifted
    /// and laid down again between two requests is noticed.
    pub fn look(&self) {
        let card = (self.shared.card)();
        self.sam().see(card);
    }

    /// Changes whenever a host looks for a card.
    pub fn finds(&self) -> watch::Receiver<u64> {
        self.shared.finds.subscribe()
    }

    /// Serves hosts on `listener`, and on its address again after each time without power, until the power is
    /// [`Power::Closed`] or its sender is gone.
    pub async fn serve(self, listener: TcpListener, power: watch::Receiver<Power>) {
        let hosts = |listener| {
            self.sam().power_on();
            with_each(listener, |stream| {
                let (device, power) = (self.clone(), power.clone());
                async move { device.speak(stream, power).await }
            })
        };
        listening("reader", listener, power.clone(), hosts).await;
    }

    /// Speaks with a host on any line until the line ends. A silent reader takes everything and says nothing.
    ///
    /// # Errors
    /// The line breaks otherwise than by its end.
    pub async fn speak<S>(&self, mut line: S, power: watch::Receiver<Power>) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut decoder = Decoder::of_requests();
        let mut buffer = [0; 512];
        loop {
            let len = line.read(&mut buffer).await?;
            if len == 0 {
                return Ok(());
            }
            let mut rest = buffer.get(..len).unwrap_or_default();
            while !rest.is_empty() {
                let taken = decoder.push(rest);
                rest = rest.get(taken..).unwrap_or_default();
                while let Some(frame) = decoder.next_frame() {
                    if *power.borrow() == Power::Silent {
                        continue;
                    }
                    match self.answer(&mut line, frame).await {
                        Ok(()) => {}
                        Err(Hangup::Cut) => return line.shutdown().await,
                        Err(Hangup::Broken(error)) => return Err(error),
                    }
                }
            }
        }
    }

    async fn answer<S>(&self, line: &mut S, frame: Result<Body, FrameError>) -> Result<(), Hangup>
    where
        S: AsyncWrite + Unpin,
    {
        let request = match frame {
            Ok(body) => Request::decode(&body),
            Err(FrameError::Checksum) => return send(line, SamResult::ChecksumError).await,
            Err(FrameError::Length(_)) => return send(line, SamResult::LengthError).await,
        };
        let Some(request) = request else {
            return send(line, SamResult::SequenceError).await;
        };
        if request == Request::FindCard {
            self.shared
                .finds
                .send_modify(|count| *count = count.wrapping_add(1));
        }
        let faults = &self.shared.options.faults;
        let is_read = matches!(request, Request::ReadBase | Request::ReadWithFingerprint);
        let slow = is_read && faults.take(ReaderFault::Slow);
        sleep(self.duration(request) * if slow { SLOW_FACTOR } else { 1 }).await;
        self.look();
        let reply = self.sam().answer(request);
        let mut bytes = encode(&reply)?;
        let is_content = is_read && reply.result == SamResult::Success;
        if is_content
            && faults.take(ReaderFault::BadChecksum)
            && let Some(check) = bytes.last_mut()
        {
            *check ^= 0x55;
        }
        let cut = is_content && faults.take(ReaderFault::Disconnect);
        if cut || (is_content && faults.take(ReaderFault::HalfFrame)) {
            let half = bytes.len() / 2;
            bytes.truncate(half);
        }
        line.write_all(&bytes).await?;
        line.flush().await?;
        if cut { Err(Hangup::Cut) } else { Ok(()) }
    }

    fn duration(&self, request: Request) -> Duration {
        let options = &self.shared.options;
        let ms = match request {
            Request::FindCard | Request::SelectCard => options.find_ms,
            Request::ReadBase | Request::ReadWithFingerprint => options.read_ms,
            Request::ResetSam
            | Request::SamStatus
            | Request::SamId
            | Request::ReadExtra
            | Request::ReadNewAddress
            | Request::ReadManagementNumber
            | Request::SetBaud(_)
            | Request::SetRadioBytes(_) => 0,
        };
        Duration::from_millis(ms)
    }

    fn sam(&self) -> MutexGuard<'_, Sam> {
        self.shared
            .sam
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

async fn send<S>(line: &mut S, result: SamResult) -> Result<(), Hangup>
where
    S: AsyncWrite + Unpin,
{
    line.write_all(&encode(&Reply::new(result, &[]))?).await?;
    Ok(line.flush().await?)
}

fn encode(reply: &Reply) -> io::Result<zeroize::Zeroizing<Vec<u8>>> {
    frame::encode(&reply.to_body()).map_err(io::Error::other)
}
