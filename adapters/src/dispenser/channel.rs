//! The way to the device: Modbus TCP, or RTU frames over TCP or a serial line.
//!
//! Must never take an answer for that of another request. Modbus TCP numbers its requests. RTU frames carry no number, so a way of
//! them is used only after it was silent for a while and has then answered a probe, whose answer has a length that no other
//! recent answer has. An answer that is late after that has no way any more: its way was closed when it did not come.

use std::io;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_modbus::client::{Client as _, Context, rtu, tcp};
use tokio_modbus::slave::Slave;
use tokio_modbus::{Request, Response};

use super::line::CallError;
use super::{Address, DispenserConfig};
use crate::port::{LineSettings, Port};

/// How often a line may go on talking before it is given up.
const SETTLE_READS_MAX: u16 = 64;
/// Bytes that are read at once while a line settles.
const SETTLE_BYTES: usize = 256;

/// An open way.
pub(super) struct Channel {
    context: Context,
    limit: Duration,
    /// Silence that ends a frame; none where something else tells frames apart.
    gap: Duration,
    /// When the last frame had ended for so long.
    free_at: Instant,
}

impl Channel {
    /// Opens the way. `turn` differs from that of the last attempts.
    pub(super) async fn open(config: &DispenserConfig, turn: u16) -> Result<Self, CallError> {
        let limit = Duration::from_millis(config.connect_timeout_ms);
        let unit = Slave(config.unit);
        let (mut port, gap) = match &config.address {
            Address::Tcp { host, port } | Address::RtuOverTcp { host, port } => {
                let port = Port::connect(host, *port, limit).await;
                (port.map_err(CallError::Connect)?, Duration::ZERO)
            }
            Address::Serial { path, line } => {
                let port = Port::open_as(path, *line);
                (port.map_err(CallError::Connect)?, silence(*line))
            }
        };
        let is_rtu = config.address.is_rtu();
        let context = if is_rtu {
            fall_silent(&mut port, Duration::from_millis(config.settle_ms)).await?;
            rtu::attach_slave(port, unit)
        } else {
            tcp::attach_slave(port, unit)
        };
        let mut channel = Self {
            context,
            limit: Duration::from_millis(config.call_timeout_ms),
            gap,
            free_at: Instant::now(),
        };
        if is_rtu {
            channel.probe(config, turn).await?;
        }
        Ok(channel)
    }

    /// Asks for fewer words than the adapter ever reads at once, and for another number of them each time. A device answers in
    /// turn: after an answer of this length none to an earlier request comes any more.
    async fn probe(&mut self, config: &DispenserConfig, turn: u16) -> Result<(), CallError> {
        let status = config.profile.status();
        let len = 1 + turn % (status.len - 1).max(1);
        match self.read_inputs(status.first, len).await {
            // Refused is answered too, but an exception has no length of its own: whose it was is not known.
            Err(CallError::Exception(exception)) => Err(CallError::Probe(exception)),
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Reads input registers.
    pub(super) async fn read_inputs(
        &mut self,
        address: u16,
        len: u16,
    ) -> Result<Vec<u16>, CallError> {
        let answer = self.call(Request::ReadInputRegisters(address, len)).await?;
        let Response::ReadInputRegisters(words) = answer else {
            return Err(CallError::Foreign);
        };
        if words.len() == usize::from(len) {
            Ok(words)
        } else {
            Err(CallError::Foreign)
        }
    }

    /// Writes holding registers by one FC10.
    pub(super) async fn write(&mut self, address: u16, words: &[u16]) -> Result<(), CallError> {
        let request = Request::WriteMultipleRegisters(address, words.into());
        let Response::WriteMultipleRegisters(at, len) = self.call(request).await? else {
            return Err(CallError::Foreign);
        };
        if at == address && usize::from(len) == words.len() {
            Ok(())
        } else {
            Err(CallError::Foreign)
        }
    }

    async fn call(&mut self, request: Request<'_>) -> Result<Response, CallError> {
        sleep_until(self.free_at).await;
        let answer = timeout(self.limit, self.context.call(request)).await;
        self.free_at = Instant::now() + self.gap;
        match answer {
            Ok(Ok(Ok(response))) => Ok(response),
            Ok(Ok(Err(exception))) => Err(CallError::Exception(exception)),
            Ok(Err(error)) => Err(CallError::Transport(error)),
            Err(_elapsed) => Err(CallError::Timeout),
        }
    }
}

/// The silence between two frames: 3.5 characters of 11 bits; 1.75 ms above 19200 bit/s (Modbus over Serial Line 1.02, 2.5.1.1).
fn silence(line: LineSettings) -> Duration {
    if line.bits_per_s > 19_200 {
        return Duration::from_micros(1_750);
    }
    let us = 38_500_000u64.div_ceil(u64::from(line.bits_per_s.max(1)));
    Duration::from_micros(us)
}

/// Reads on until nothing comes any more.
async fn fall_silent(port: &mut Port, settle: Duration) -> Result<(), CallError> {
    let mut buffer = [0; SETTLE_BYTES];
    for _ in 0..SETTLE_READS_MAX {
        match timeout(settle, port.read(&mut buffer)).await {
            Err(_elapsed) => return Ok(()),
            Ok(Ok(0)) => {
                return Err(CallError::Connect(io::ErrorKind::UnexpectedEof.into()));
            }
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(CallError::Connect(error)),
        }
    }
    Err(CallError::Chatter)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// G1: frames on a serial line stand as far apart as Modbus asks for.
    #[test]
    fn g1_frames_keep_their_distance() {
        for (bits_per_s, us) in [
            (1_200, 32_084),
            (9_600, 4_011),
            (19_200, 2_006),
            (38_400, 1_750),
            (115_200, 1_750),
        ] {
            let line = LineSettings {
                bits_per_s,
                ..LineSettings::MODBUS
            };
            assert_eq!(silence(line), Duration::from_micros(us), "{bits_per_s}");
        }
    }
}
