//! Where the dispenser is reached: a port or a serial line, and a connection that can be cut.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use crate::scanner::{PseudoTerminal, link_to};

/// Where the dispenser is reached, and in what frames.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DispenserLine {
    /// Modbus TCP on this address; port 0 for any free one.
    Tcp(SocketAddr),
    /// RTU frames on this address, as behind a serial-over-TCP adapter; port 0 for any free one.
    RtuOverTcp(SocketAddr),
    /// RTU frames at a pseudo-terminal, and a link to it at this path.
    Serial(PathBuf),
}

/// A line that is there.
pub(super) enum Open {
    Tcp(TcpListener),
    RtuOverTcp(TcpListener),
    Serial(PseudoTerminal),
}

impl DispenserLine {
    /// The open line, and the same line with the port that it got.
    pub(super) async fn open(self) -> io::Result<(Open, Self)> {
        Ok(match self {
            Self::Tcp(at) => {
                let listener = TcpListener::bind(at).await?;
                let at = listener.local_addr()?;
                (Open::Tcp(listener), Self::Tcp(at))
            }
            Self::RtuOverTcp(at) => {
                let listener = TcpListener::bind(at).await?;
                let at = listener.local_addr()?;
                (Open::RtuOverTcp(listener), Self::RtuOverTcp(at))
            }
            Self::Serial(path) => {
                let line = PseudoTerminal::open()?;
                link_to(line.path(), &path)?;
                (Open::Serial(line), Self::Serial(path))
            }
        })
    }
}

/// A connection that can be cut.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) stream: TcpStream,
    pub(super) cut: Arc<AtomicBool>,
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.cut.load(Ordering::SeqCst) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
