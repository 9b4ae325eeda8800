//! The scanner as a device: the module behind a serial-over-TCP adapter, or at a serial line.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use adapters::scanner::acknowledgement::{Acknowledgement, Confirmation};
use adapters::scanner::instruction::{Instruction, Light};
use adapters::scanner::packet::{Decoder, Kind, Packet, PacketError};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};
use zeroize::Zeroizing;

use super::ScannerFault;
use super::module::Module;
use crate::device::Power;
use crate::faults::Faults;
use crate::powered::{listening, with_each};

/// Speed of a line that is slow, in bit/s.
const SLOW_BITS_PER_S: u32 = 9_600;
/// Bits of a byte on a serial line: a start bit, eight, a stop bit.
const BITS_PER_BYTE: u64 = 10;

/// What a scanner is.
#[derive(Debug, Clone)]
pub struct ScannerOptions {
    /// The password that it takes.
    pub password: u32,
    /// How long it takes to take an image, in ms.
    pub capture_ms: u64,
    /// Speed of its line, in bit/s; none: as fast as it goes. At 57,600 an image takes 6.4 s.
    pub bits_per_s: Option<u32>,
    /// How it fails.
    pub faults: Faults<ScannerFault>,
}

/// What lies on the glass at the moment: a sample of a finger.
type FingerNow = dyn Fn() -> Option<Vec<u8>> + Send + Sync;

/// A scanner. Cheap to clone.
#[derive(Clone)]
pub struct ZfmScanner {
    shared: Arc<Shared>,
}

struct Shared {
    options: ScannerOptions,
    module: Mutex<Module>,
    finger: Box<FingerNow>,
    light: Box<dyn Fn(Light) + Send + Sync>,
}

impl core::fmt::Debug for ZfmScanner {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ZfmScanner")
            .field("options", &self.shared.options)
            .finish_non_exhaustive()
    }
}

/// Why a conversation with a host ends.
enum Hangup {
    Broken(io::Error),
    /// The scanner has broken off.
    Cut,
}

impl From<io::Error> for Hangup {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

impl ZfmScanner {
    /// A scanner on which `finger` says what lies, and which says to `light` when its ring changes.
    pub fn new(
        options: ScannerOptions,
        finger: impl Fn() -> Option<Vec<u8>> + Send + Sync + 'static,
        light: impl Fn(Light) + Send + Sync + 'static,
    ) -> Self {
        let module = Mutex::new(Module::new(options.password, options.faults.clone()));
        Self {
            shared: Arc::new(Shared {
                options,
                module,
                finger: Box::new(finger),
                light: Box::new(light),
            }),
        }
    }

    /// Serves hosts on `listener`, and on its address again after each time without power, until the power is
    /// [`Power::Closed`] or its sender is gone.
    pub async fn serve(self, listener: TcpListener, power: watch::Receiver<Power>) {
        let hosts = |listener| {
            with_each(listener, |stream| {
                let (device, power) = (self.clone(), power.clone());
                async move { device.speak(stream, power).await }
            })
        };
        listening("scanner", listener, power.clone(), hosts).await;
    }

    /// Speaks with a host on any line until the line ends. A silent scanner takes everything and says nothing.
    ///
    /// # Errors
    /// The line breaks otherwise than by its end.
    pub async fn speak<S>(&self, mut line: S, power: watch::Receiver<Power>) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut decoder = Decoder::default();
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
                while let Some(packet) = decoder.next_packet() {
                    if *power.borrow() == Power::Silent {
                        continue;
                    }
                    match self.answer(&mut line, packet).await {
                        Ok(()) => {}
                        Err(Hangup::Cut) => return line.shutdown().await,
                        Err(Hangup::Broken(error)) => return Err(error),
                    }
                }
            }
        }
    }

    async fn answer<S>(
        &self,
        line: &mut S,
        packet: Result<Packet, PacketError>,
    ) -> Result<(), Hangup>
    where
        S: AsyncWrite + Unpin,
    {
        let instruction = packet.ok().and_then(|packet| Instruction::of(&packet));
        let Some(instruction) = instruction else {
            let refused = Acknowledgement::new(Confirmation::PacketError, &[]);
            return send(line, &refused.to_packet()).await;
        };
        if instruction == Instruction::TakeImage {
            sleep(Duration::from_millis(self.shared.options.capture_ms)).await;
        }
        let finger = (self.shared.finger)().map(Zeroizing::new);
        let (answer, light, size) = {
            let mut module = self.module();
            let before = module.light;
            let answer = module.answer(instruction, finger);
            let light = Some(module.light).filter(|light| *light != before);
            (answer, light, module.packet_bytes())
        };
        if let Some(light) = light {
            (self.shared.light)(light);
        }
        send(line, &answer.acknowledgement.to_packet()).await?;
        match answer.data {
            Some(data) => self.send_data(line, &data, size).await,
            None => Ok(()),
        }
    }

    /// Sends data packets, at the speed of the line.
    async fn send_data<S>(&self, line: &mut S, data: &[u8], size: usize) -> Result<(), Hangup>
    where
        S: AsyncWrite + Unpin,
    {
        let faults = &self.shared.options.faults;
        let slow = faults.take(ScannerFault::Slow);
        let speed = slow
            .then_some(SLOW_BITS_PER_S)
            .or(self.shared.options.bits_per_s);
        let mut pace = Pace::new(speed);
        let count = data.len().div_ceil(size);
        for (at, part) in data.chunks(size).enumerate() {
            let kind = if at + 1 == count {
                Kind::LastData
            } else {
                Kind::Data
            };
            let mut bytes = encode(&Packet::new(kind, part))?;
            let in_middle = at == count / 2;
            if in_middle && faults.take(ScannerFault::BadSum) {
                if let Some(last) = bytes.last_mut() {
                    *last ^= 0x55;
                }
            } else if in_middle && faults.take(ScannerFault::HalfPacket) {
                let half = bytes.len() / 2;
                bytes.truncate(half);
                return Ok(write(line, &bytes).await?);
            } else if in_middle && faults.take(ScannerFault::Disconnect) {
                return Err(Hangup::Cut);
            }
            write(line, &bytes).await?;
            pace.keep(bytes.len()).await;
        }
        Ok(())
    }

    fn module(&self) -> MutexGuard<'_, Module> {
        self.shared
            .module
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// How fast a line is.
struct Pace {
    bits_per_s: Option<u32>,
    began: Instant,
    bytes: u64,
}

impl Pace {
    fn new(bits_per_s: Option<u32>) -> Self {
        Self {
            bits_per_s,
            began: Instant::now(),
            bytes: 0,
        }
    }

    /// Waits as long as a line takes for all bytes so far.
    async fn keep(&mut self, len: usize) {
        self.bytes += u64::try_from(len).unwrap_or(u64::MAX);
        if let Some(speed) = self.bits_per_s {
            let micros = self.bytes * BITS_PER_BYTE * 1_000_000 / u64::from(speed.max(1));
            sleep_until(self.began + Duration::from_micros(micros)).await;
        }
    }
}

async fn send<S>(line: &mut S, packet: &Packet) -> Result<(), Hangup>
where
    S: AsyncWrite + Unpin,
{
    Ok(write(line, &encode(packet)?).await?)
}

async fn write<S>(line: &mut S, bytes: &[u8]) -> io::Result<()>
where
    S: AsyncWrite + Unpin,
{
    line.write_all(bytes).await?;
    line.flush().await
}

fn encode(packet: &Packet) -> io::Result<Zeroizing<Vec<u8>>> {
    packet.encode().map_err(io::Error::other)
}
