//! Carries a connection's bytes between its socket and gRPC, as the line's faults let them pass.

use std::io;
use std::pin::Pin;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};

use crate::faults::{Cut, Faults, Line};

/// Read at once.
const READ_LEN: usize = 16 << 10;
/// Reads that are on the line at once: 1 MiB, as a long fat network holds them.
const ON_THE_LINE: usize = 64;
/// A slow line passes bytes in pieces of so much time.
const PIECES_PER_S: usize = 20;

/// Bytes on the line; none: the sender has closed.
type Sent = (Instant, Option<Vec<u8>>);

/// Carries until one side has closed, or a cut. Cuts count from the call on.
pub(super) fn run(
    socket: TcpStream,
    pipe: DuplexStream,
    faults: &Faults,
    reset: watch::Receiver<bool>,
) -> impl Future<Output = ()> + use<> {
    let pump = Pump {
        cuts: faults.cuts(),
        line: faults.line(),
        reset,
        faults: faults.clone(),
    };
    pump.carry_all(socket, pipe)
}

struct Pump {
    cuts: watch::Receiver<(u64, Option<Cut>)>,
    line: watch::Receiver<Line>,
    reset: watch::Receiver<bool>,
    faults: Faults,
}

impl Pump {
    async fn carry_all(mut self, mut socket: TcpStream, pipe: DuplexStream) {
        let (mut from_client, mut to_client) = socket.split();
        let (mut from_server, mut to_server) = tokio::io::split(pipe);
        let faults = self.faults.clone();
        let count = |bytes| faults.count_received(bytes);
        let (line, back) = (self.line.clone(), self.line.clone());
        let mut upward = Box::pin(carry(&mut from_client, &mut to_server, line, count));
        let downward = Box::pin(carry(&mut from_server, &mut to_client, back, |_bytes| {}));
        let how = self.until_cut(upward.as_mut(), downward).await;
        if how == Cut::HalfClose && to_client.shutdown().await.is_ok() {
            // Its answers must go somewhere, or the server would wait with the next request.
            let mut unheard = tokio::io::sink();
            tokio::select! {
                _ended = upward => {}
                _ended = tokio::io::copy(&mut from_server, &mut unheard) => {}
                _ = self.reset.wait_for(|reset| *reset) => {}
                _ = self.cuts.changed() => {}
            }
        } else {
            drop(upward);
        }
        if how == Cut::Reset
            && let Err(error) = socket.set_zero_linger()
        {
            tracing::debug!(%error, "a connection had ended before its reset");
        }
    }

    /// Carries both directions until the server's is at its end. Says how the connection ends.
    async fn until_cut(
        &mut self,
        mut upward: Pin<&mut impl Future<Output = io::Result<()>>>,
        mut downward: Pin<Box<impl Future<Output = io::Result<()>>>>,
    ) -> Cut {
        let mut client_closed = false;
        loop {
            tokio::select! {
                biased;
                _ = self.reset.wait_for(|reset| *reset) => return Cut::Reset,
                Ok(()) = self.cuts.changed() => {
                    if let Some(how) = self.cuts.borrow_and_update().1 {
                        return how;
                    }
                }
                ended = &mut downward => {
                    // The server has said all; a client that has not may go on.
                    let goes_on = ended.is_ok() && !client_closed;
                    return if goes_on { Cut::HalfClose } else { Cut::Close };
                }
                ended = &mut upward, if !client_closed => match ended {
                    // The client has said all; it may still listen.
                    Ok(()) => client_closed = true,
                    Err(_lost) => return Cut::Close,
                },
            }
        }
    }
}

/// Carries one direction to its end.
async fn carry(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    line: watch::Receiver<Line>,
    count: impl Fn(usize),
) -> io::Result<()> {
    let (sender, receiver) = mpsc::channel(ON_THE_LINE);
    tokio::try_join!(take(from, sender, count), give(to, receiver, line)).map(drop)
}

async fn take(
    from: &mut (impl AsyncRead + Unpin),
    line: mpsc::Sender<Sent>,
    count: impl Fn(usize),
) -> io::Result<()> {
    let mut buffer = vec![0; READ_LEN];
    loop {
        // A reset ends a direction as a close does: what was sent before it still arrives.
        let len = from.read(&mut buffer).await.unwrap_or(0);
        count(len);
        let bytes = buffer.get(..len).filter(|bytes| !bytes.is_empty());
        let sent = bytes.map(<[u8]>::to_vec);
        let closed = sent.is_none();
        // If the other end has gone, it says why.
        let gone = line.send((Instant::now(), sent)).await.is_err();
        if closed || gone {
            return Ok(());
        }
    }
}

async fn give(
    to: &mut (impl AsyncWrite + Unpin),
    mut sent: mpsc::Receiver<Sent>,
    mut line: watch::Receiver<Line>,
) -> io::Result<()> {
    while let Some((at, bytes)) = sent.recv().await {
        let latency = line.borrow().latency;
        if latency > Duration::ZERO {
            sleep_until(at + latency).await;
        }
        let Some(bytes) = bytes else {
            passable(&mut line).await?;
            break;
        };
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            passable(&mut line).await?;
            let rate = line.borrow().bytes_per_s;
            let piece_len = rate.map_or(rest.len(), |rate| {
                let rate = usize::try_from(rate.get()).unwrap_or(usize::MAX);
                (rate / PIECES_PER_S).clamp(1, rest.len())
            });
            let (piece, later) = rest.split_at(piece_len);
            rest = later;
            if let Some(rate) = rate {
                let bytes = u32::try_from(piece.len()).unwrap_or(u32::MAX);
                sleep(Duration::from_secs(bytes.into()) / rate.get()).await;
                passable(&mut line).await?;
            }
            to.write_all(piece).await?;
        }
        to.flush().await?;
    }
    to.shutdown().await
}

/// Waits while the line is a black hole.
async fn passable(line: &mut watch::Receiver<Line>) -> io::Result<()> {
    let waited = line.wait_for(|line| !line.black_hole).await;
    waited.map(drop).map_err(io::Error::other)
}
