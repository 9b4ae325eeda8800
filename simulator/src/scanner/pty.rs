//! A serial line that there is not: a pseudo-terminal whose other end a host opens like any device file.

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, ptsname, unlockpt};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The device's end of the line. As long as it lives the line is there, also between two openings by a host.
#[derive(Debug)]
pub struct PseudoTerminal {
    end: AsyncFd<OwnedFd>,
    _host: OwnedFd,
    path: PathBuf,
}

impl PseudoTerminal {
    /// Makes a line. Must be called within a tokio runtime.
    pub fn open() -> io::Result<Self> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let end = openpt(flags)?;
        grantpt(&end)?;
        unlockpt(&end)?;
        rustix::io::ioctl_fionbio(&end, true)?;
        let host = ioctl_tiocgptpeer(&end, flags)?;
        let path = ptsname(&end, Vec::new())?.into_bytes();
        #[allow(
            deprecated,
            reason = "its successor is unsafe, for types whose descriptor may change; an owned one does not"
        )]
        let end = AsyncFd::new(end)?;
        Ok(Self {
            end,
            _host: host,
            path: OsString::from_vec(path).into(),
        })
    }

    /// The device file that a host opens.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl AsyncRead for PseudoTerminal {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let mut ready = ready!(self.end.poll_read_ready(context))?;
            let room = buffer.initialize_unfilled();
            match ready.try_io(|end| Ok(rustix::io::read(end, room)?)) {
                Ok(len) => return Poll::Ready(len.map(|len| buffer.advance(len))),
                Err(_would_block) => {}
            }
        }
    }
}

impl AsyncWrite for PseudoTerminal {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.end.poll_write_ready(context))?;
            match ready.try_io(|end| Ok(rustix::io::write(end, bytes)?)) {
                Ok(len) => return Poll::Ready(len),
                Err(_would_block) => {}
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
