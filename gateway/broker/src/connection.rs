//! One connected client: reads packets, drives commits, writes acknowledgements and deliveries.
//!
//! One task, one loop, no lock held while waiting. An acknowledgement is written only from `settle`
//! and `reply`, that is, after the handler's future and the store's have resolved. An idle connection
//! holds no buffer.

use std::collections::{HashMap, HashSet};
use std::future::poll_fn;
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesOrdered;
use mqtt_protocol_core::mqtt::common::Cursor;
use mqtt_protocol_core::mqtt::connection::{PacketBuildResult, PacketBuilder};
use mqtt_protocol_core::mqtt::result_code::MqttError;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use crate::encode::{self, Aliases};
use crate::handler::{DisconnectReason, Event, Identity, Version};
use crate::pipeline::{Commit, Writing};
use crate::session::Link;
use crate::shared::Shared;
use crate::trie::SessionKey;
use crate::wire::{self, WireError};

/// Bytes read at a time, on the stack.
const READ_BYTES: usize = 8 * 1_024;
/// Output beyond which no more deliveries are fetched.
const OUT_HIGH_BYTES: usize = 64 * 1_024;
/// Output beyond which nothing more is read.
const OUT_STOP_BYTES: usize = 256 * 1_024;

/// A byte stream, whatever carries it.
pub(crate) trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Socket for T {}

/// Why the loop ends.
pub(crate) type Ended = DisconnectReason;

/// What the handshake found out.
pub(crate) struct Established {
    pub(crate) socket: Box<dyn Socket>,
    pub(crate) frames: PacketBuilder,
    /// Bytes that came in behind the CONNECT.
    pub(crate) unread: Vec<u8>,
    /// CONNACK.
    pub(crate) out: Vec<u8>,
    pub(crate) version: Version,
    pub(crate) identity: Identity,
    pub(crate) key: SessionKey,
    pub(crate) link: Arc<Link>,
    pub(crate) keep_alive_s: u16,
    pub(crate) expiry_s: u32,
    /// The client's Receive Maximum.
    pub(crate) receive_max: Option<u16>,
    /// The client's Maximum Packet Size.
    pub(crate) packet_bytes_max: Option<u32>,
    /// The client's Topic Alias Maximum.
    pub(crate) topic_alias_max: u16,
    /// QoS 2 packet ids committed by earlier connections of the session and not yet released.
    pub(crate) received: HashSet<u16>,
    pub(crate) peer: SocketAddr,
    pub(crate) session_present: bool,
}

/// A connected client.
pub(crate) struct Connection {
    pub(crate) shared: Arc<Shared>,
    socket: Box<dyn Socket>,
    /// The socket failed: nothing more is read or written.
    dead: bool,
    frames: PacketBuilder,
    unread: Vec<u8>,
    pub(crate) out: Vec<u8>,
    out_at: usize,
    flush: bool,
    pub(crate) version: Version,
    pub(crate) identity: Identity,
    pub(crate) key: SessionKey,
    pub(crate) link: Arc<Link>,
    pub(crate) expiry_s: u32,
    pub(crate) inflight_max: usize,
    pub(crate) packet_bytes_max: u32,
    /// Handler futures, in the order of their PUBLISH packets.
    pub(crate) commits: FuturesOrdered<Commit>,
    /// What waits for the store, in order.
    pub(crate) writes: FuturesOrdered<Writing>,
    /// QoS 2 packet ids whose commit is under way: a duplicate of these gets no answer of its own.
    pub(crate) committing: HashSet<u16>,
    /// QoS 2 packet ids committed and not yet released.
    pub(crate) received: HashSet<u16>,
    /// QoS 1 and 2 PUBLISH packets of this connection that count against Receive Maximum.
    pub(crate) window: usize,
    /// Topic aliases the client set.
    pub(crate) aliases: HashMap<u16, Arc<str>>,
    /// Topic aliases given to the client.
    pub(crate) given: Aliases,
    /// There may be deliveries to fetch.
    pub(crate) fetch: bool,
    keep_alive: Option<Duration>,
    heard: Instant,
    wrote: Instant,
    timer: Pin<Box<Sleep>>,
}

impl Connection {
    pub(crate) fn new(shared: Arc<Shared>, from: Established) -> Self {
        let now = Instant::now();
        let inflight_max = shared
            .limits
            .outbound_inflight_max
            .min(from.receive_max.unwrap_or(u16::MAX));
        let given = Aliases::new(from.topic_alias_max.min(shared.limits.topic_alias_max));
        Self {
            shared,
            socket: from.socket,
            dead: false,
            frames: from.frames,
            unread: from.unread,
            out: from.out,
            out_at: 0,
            flush: false,
            version: from.version,
            identity: from.identity,
            key: from.key,
            link: from.link,
            expiry_s: from.expiry_s,
            inflight_max: usize::from(inflight_max),
            packet_bytes_max: from.packet_bytes_max.unwrap_or(u32::MAX),
            commits: FuturesOrdered::new(),
            writes: FuturesOrdered::new(),
            committing: HashSet::new(),
            received: from.received,
            window: 0,
            aliases: HashMap::new(),
            given,
            fetch: true,
            keep_alive: (from.keep_alive_s > 0)
                .then(|| Duration::from_millis(u64::from(from.keep_alive_s) * 1_500)),
            heard: now,
            wrote: now,
            timer: Box::pin(tokio::time::sleep_until(now)),
        }
    }

    /// Serves until something ends the connection.
    pub(crate) async fn serve(&mut self) -> Ended {
        poll_fn(|cx| self.poll_serve(cx)).await
    }

    /// Drives what is under way to its end, acknowledging where the socket still can.
    pub(crate) async fn drain(&mut self, ended: Ended) {
        self.dead |= matches!(ended, Ended::ConnectionLost | Ended::WriteStalled);
        let limit = Duration::from_millis(self.shared.limits.drain_ms_max);
        let drained = tokio::time::timeout(limit, poll_fn(|cx| self.poll_drain(cx))).await;
        if drained.is_err() {
            tracing::warn!(
                commits = self.commits.len(),
                "commits did not settle in time; their messages stay unacknowledged"
            );
        }
    }

    /// Says why (MQTT 5), closes, and lingers so that the word reaches the client.
    pub(crate) async fn farewell(mut self, ended: Ended) {
        if self.dead {
            return;
        }
        if encode::disconnect(&mut self.out, self.version, ended).is_err() {
            return;
        }
        let limit = Duration::from_millis(self.shared.limits.linger_ms_max);
        let linger = async {
            if poll_fn(|cx| self.poll_flush_all(cx)).await.is_ok() {
                close_and_linger(&mut self.socket).await;
            }
        };
        // A client that does not close its side in time is cut off.
        drop(tokio::time::timeout(limit, linger).await);
    }

    fn poll_serve(&mut self, cx: &mut Context<'_>) -> Poll<Ended> {
        self.link.waker.register(cx.waker());
        loop {
            if let Some(reason) = self.link.closing() {
                return Poll::Ready(reason);
            }
            match self.step(cx) {
                Err(ended) => return Poll::Ready(ended),
                Ok(true) => {}
                Ok(false) => break,
            }
        }
        self.poll_timer(cx)
    }

    /// One round of everything. True when there may be more to do at once.
    fn step(&mut self, cx: &mut Context<'_>) -> Result<bool, Ended> {
        let settled = self.poll_settle(cx)?;
        if self.link.take_dirty() || self.fetch {
            self.fetch_deliveries();
        }
        let written = self.poll_write(cx)?;
        let read = self.poll_read(cx)?;
        Ok(settled || written || read)
    }

    fn poll_settle(&mut self, cx: &mut Context<'_>) -> Result<bool, Ended> {
        let mut any = false;
        while let Poll::Ready(Some(done)) = self.commits.poll_next_unpin(cx) {
            any = true;
            self.settle(done)?;
        }
        while let Poll::Ready(Some((result, reply))) = self.writes.poll_next_unpin(cx) {
            any = true;
            self.reply(result, reply)?;
        }
        Ok(any)
    }

    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            // A refusal that would close the connection has nothing left to close.
            let settled = self.poll_settle(cx).unwrap_or(true);
            let written = !self.dead && {
                let result = self.poll_write(cx);
                self.dead |= result.is_err();
                result.unwrap_or(false)
            };
            if !settled && !written {
                break;
            }
        }
        let flushed = self.dead || self.pending_out() == 0;
        if self.commits.is_empty() && self.writes.is_empty() && flushed {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    fn pending_out(&self) -> usize {
        self.out.len() - self.out_at
    }

    /// Whether there is room to fetch more deliveries.
    pub(crate) fn has_room(&self) -> bool {
        self.pending_out() < OUT_HIGH_BYTES
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Result<bool, Ended> {
        let mut any = false;
        while let Some(rest) = self.out.get(self.out_at..).filter(|rest| !rest.is_empty()) {
            match Pin::new(&mut self.socket).poll_write(cx, rest) {
                Poll::Pending => break,
                Poll::Ready(Ok(written)) if written > 0 => {
                    self.out_at += written;
                    self.flush = true;
                    any = true;
                }
                Poll::Ready(_) => {
                    self.dead = true;
                    return Err(Ended::ConnectionLost);
                }
            }
        }
        if self.pending_out() == 0 {
            // An idle connection holds no buffer; a busy one keeps a small one.
            self.out_at = 0;
            self.out.clear();
            if self.out.capacity() > OUT_HIGH_BYTES || self.commits.is_empty() {
                self.out = Vec::new();
            }
        }
        if any {
            self.wrote = Instant::now();
        }
        if self.flush && Pin::new(&mut self.socket).poll_flush(cx).is_ready() {
            self.flush = false;
        }
        Ok(any)
    }

    fn poll_flush_all(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        self.poll_write(cx)?;
        if self.pending_out() > 0 {
            return Poll::Pending;
        }
        ready!(Pin::new(&mut self.socket).poll_flush(cx)).map_err(|_lost| Ended::ConnectionLost)?;
        Poll::Ready(Ok(()))
    }

    /// Nothing is read while the window of commits is full, or while the client does not read.
    fn is_paused(&self) -> bool {
        self.commits.len() + self.writes.len() >= usize::from(self.shared.limits.receive_max)
            || self.pending_out() >= OUT_STOP_BYTES
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Result<bool, Ended> {
        if self.is_paused() {
            self.heard = Instant::now();
            return Ok(false);
        }
        if !self.unread.is_empty() {
            let unread = std::mem::take(&mut self.unread);
            self.feed(&unread)?;
            return Ok(true);
        }
        let mut space = [MaybeUninit::uninit(); READ_BYTES];
        let mut buffer = ReadBuf::uninit(&mut space);
        match Pin::new(&mut self.socket).poll_read(cx, &mut buffer) {
            Poll::Pending => Ok(false),
            Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                self.heard = Instant::now();
                self.feed(buffer.filled())?;
                Ok(true)
            }
            Poll::Ready(_) => {
                self.dead = true;
                Err(Ended::ConnectionLost)
            }
        }
    }

    /// Handles the packets in `bytes`; what the window does not admit is kept for later.
    fn feed(&mut self, bytes: &[u8]) -> Result<(), Ended> {
        let mut cursor = Cursor::new(bytes);
        while !cursor.remaining_slice().is_empty() {
            if self.is_paused() {
                self.unread = cursor.remaining_slice().to_vec();
                return Ok(());
            }
            match frame(&mut self.frames, &mut cursor) {
                Ok(Some(raw)) => {
                    let packet = wire::packet(self.version, &raw);
                    let packet = packet.map_err(|error| self.wire_error(error))?;
                    self.handle(packet)?;
                }
                Ok(None) => {}
                Err(ended) => {
                    if ended == Ended::Internal {
                        self.panicked();
                    }
                    return Err(ended);
                }
            }
        }
        Ok(())
    }

    fn wire_error(&self, error: WireError) -> Ended {
        match error {
            WireError::Malformed => Ended::MalformedPacket,
            WireError::Protocol | WireError::UnsupportedVersion | WireError::ClientIdentifier => {
                Ended::ProtocolError
            }
            WireError::Panicked => {
                self.panicked();
                Ended::MalformedPacket
            }
        }
    }

    fn panicked(&self) {
        self.shared.counters.panics.add();
        self.shared.handler.observe(Event::PanicCaught);
    }

    /// Ends a connection that is silent too long or does not take its data.
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<Ended> {
        let stall = Duration::from_millis(self.shared.limits.write_stall_ms_max);
        loop {
            let silent = self.keep_alive.map(|limit| self.heard + limit);
            let stalled = (self.pending_out() > 0).then(|| self.wrote + stall);
            let Some(next) = silent.into_iter().chain(stalled).min() else {
                return Poll::Pending;
            };
            let now = Instant::now();
            if silent.is_some_and(|at| at <= now) {
                return Poll::Ready(Ended::KeepAliveTimeout);
            }
            if stalled.is_some_and(|at| at <= now) {
                self.dead = true;
                return Poll::Ready(Ended::WriteStalled);
            }
            // It may fire early: then the loop finds the deadline that holds now.
            if self.timer.deadline() > next || self.timer.is_elapsed() {
                self.timer.as_mut().reset(next);
            }
            ready!(self.timer.as_mut().poll(cx));
        }
    }
}

/// The next whole packet, if there is one.
pub(crate) fn frame(
    frames: &mut PacketBuilder,
    cursor: &mut Cursor<&[u8]>,
) -> Result<Option<mqtt_protocol_core::mqtt::connection::RawPacket>, Ended> {
    match catch_unwind(AssertUnwindSafe(|| frames.feed(cursor))) {
        Ok(PacketBuildResult::Complete(raw)) => Ok(Some(raw)),
        Ok(PacketBuildResult::Incomplete) => Ok(None),
        Ok(PacketBuildResult::Error(MqttError::PacketTooLarge)) => Err(Ended::PacketTooLarge),
        Ok(PacketBuildResult::Error(_)) => Err(Ended::MalformedPacket),
        Err(_panic) => Err(Ended::Internal),
    }
}

/// Closes our side, then reads and forgets until the client closes its own. Without this, unread input
/// would make the kernel answer with a reset, and the reset can overtake the last packet.
pub(crate) async fn close_and_linger(socket: &mut (dyn Socket + '_)) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    if socket.shutdown().await.is_err() {
        return;
    }
    let mut sink = [0; 1_024];
    while socket.read(&mut sink).await.is_ok_and(|n| n > 0) {}
}
