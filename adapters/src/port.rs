//! The bytes' way to a device: a TCP connection or a serial line.

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use serial2_tokio::{CharSize, FlowControl, SerialPort, Settings};
pub use serial2_tokio::{Parity, StopBits};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// An open way.
#[derive(Debug)]
pub(crate) enum Port {
    Tcp(TcpStream),
    Serial(SerialPort),
}

impl Port {
    pub(crate) async fn connect(host: &str, port: u16, limit: Duration) -> io::Result<Self> {
        let connected = timeout(limit, TcpStream::connect((host, port))).await;
        let stream = connected.map_err(|_elapsed| io::Error::from(io::ErrorKind::TimedOut))??;
        stream.set_nodelay(true)?;
        Ok(Self::Tcp(stream))
    }

    /// Opens a serial line as `line` says, raw, without flow control.
    pub(crate) fn open_as(path: &Path, line: LineSettings) -> io::Result<Self> {
        let set = |mut settings: Settings| {
            settings.set_raw();
            settings.set_baud_rate(line.bits_per_s)?;
            settings.set_char_size(CharSize::Bits8);
            settings.set_parity(line.parity);
            settings.set_stop_bits(line.stop_bits);
            settings.set_flow_control(FlowControl::None);
            Ok(settings)
        };
        Ok(Self::Serial(SerialPort::open(path, set)?))
    }

    /// Opens a serial line: 8N1, raw, without flow control.
    pub(crate) fn open(path: &Path, bits_per_s: u32) -> io::Result<Self> {
        Ok(Self::Serial(SerialPort::open(path, bits_per_s)?))
    }
}

/// How a serial line is set; 8 data bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineSettings {
    /// Speed, in bit/s.
    pub bits_per_s: u32,
    /// Parity.
    pub parity: Parity,
    /// Stop bits.
    pub stop_bits: StopBits,
}

impl LineSettings {
    /// What Modbus asks every device to know: 19200 8E1 (Modbus over Serial Line 1.02, 2.5.1).
    pub const MODBUS: Self = Self {
        bits_per_s: 19_200,
        parity: Parity::Even,
        stop_bits: StopBits::One,
    };
}

impl AsyncRead for Port {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Serial(port) => Pin::new(port).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Port {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Serial(port) => Pin::new(port).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(context),
            Self::Serial(port) => Pin::new(port).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Serial(port) => Pin::new(port).poll_shutdown(context),
        }
    }
}
