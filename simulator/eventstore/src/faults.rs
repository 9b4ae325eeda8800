//! Faults on command, of one node.
//!
//! Faults of the line stand between the socket and gRPC: a client sees what it would see on a real network.
//! Faults of the answers are what a server says that is overloaded, or denies, or is cut off after a commit.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// How an overloaded server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Overload {
    /// It is not overloaded.
    #[default]
    No,
    /// `UNAVAILABLE`, "Server Is Too Busy".
    TooBusy,
    /// `ABORTED`, "Operation timed out". Of an append, nothing is committed.
    Timeout,
    /// `RESOURCE_EXHAUSTED`, as proxies and limits before a server say it.
    ResourceExhausted,
}

/// How all connections end at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cut {
    /// RST.
    Reset,
    /// FIN in both directions.
    Close,
    /// FIN in the direction of the client only: what it sends still arrives, and answers are lost.
    HalfClose,
}

/// What the line does to bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Line {
    /// Of each direction.
    pub(crate) latency: Duration,
    /// Of each direction of each connection.
    pub(crate) bytes_per_s: Option<NonZeroU32>,
    pub(crate) black_hole: bool,
}

/// What a node's listener does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Listening {
    #[default]
    Bound,
    Refusing,
    /// Why it could not come back.
    Failed(String),
}

/// All faults of a node at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FaultState {
    /// Delay of each direction, in ms.
    pub latency_ms: u64,
    /// Bytes a second of each direction of each connection; 0: not limited.
    pub bytes_per_s: u32,
    /// Connections are accepted and kept, and no byte moves.
    pub black_hole: bool,
    /// The node does not listen.
    pub refuse: bool,
    /// How it answers, if it is overloaded.
    pub overloaded: Overload,
    /// Every call is denied.
    pub access_denied: bool,
    /// That many appends are answered with a wrong expected version.
    pub wrong_expected_version: u32,
    /// That many answers to appends are lost after the commit, with their connections.
    pub lose_answer: u32,
    /// That many appends are committed and answered with nothing in the answer.
    pub empty_answer: u32,
}

/// The faults of a node. Clones are the same faults.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    line: watch::Sender<Line>,
    /// Counts the cuts, and says how the last one was.
    cut: watch::Sender<(u64, Option<Cut>)>,
    refuse: watch::Sender<bool>,
    listener: watch::Sender<Listening>,
    overloaded: AtomicU8,
    access_denied: AtomicBool,
    wrong_expected_version: AtomicU32,
    lose_answer: AtomicU32,
    empty_answer: AtomicU32,
    received: AtomicU64,
}

impl Faults {
    /// Ends all faults that last. The node listens again when this returns.
    ///
    /// # Errors
    /// The address cannot be bound again.
    pub async fn clear(&self) -> Result<(), String> {
        self.state.line.send_replace(Line::default());
        self.overload(Overload::No);
        self.deny_access(false);
        self.wrong_expected_version(0);
        self.lose_answer(0);
        self.empty_answer(0);
        self.refuse(false).await
    }

    /// Delays each byte by this, in each direction; zero: not at all.
    pub fn latency(&self, latency: Duration) {
        self.state.line.send_modify(|line| line.latency = latency);
    }

    /// Limits each direction of each connection to so many bytes a second; none: no limit.
    pub fn slow(&self, bytes_per_s: Option<NonZeroU32>) {
        self.state
            .line
            .send_modify(|line| line.bytes_per_s = bytes_per_s);
    }

    /// Accepts and keeps connections, and moves no byte of them, old and new ones. What was sent meanwhile
    /// arrives when it ends.
    pub fn black_hole(&self, on: bool) {
        self.state.line.send_modify(|line| line.black_hole = on);
    }

    /// Ends all connections that there are now.
    pub fn cut(&self, how: Cut) {
        self.state.cut.send_modify(|(count, last)| {
            *count += 1;
            *last = Some(how);
        });
    }

    /// Stops listening, or comes back at the same address; connections stay. It is done when this returns.
    ///
    /// # Errors
    /// The address cannot be bound again.
    pub async fn refuse(&self, on: bool) -> Result<(), String> {
        let mut listener = self.state.listener.subscribe();
        self.state.refuse.send_replace(on);
        let done = |state: &Listening| match state {
            Listening::Bound | Listening::Failed(_) => !on,
            Listening::Refusing => on,
        };
        match listener.wait_for(done).await.as_deref() {
            Ok(Listening::Failed(why)) => Err(why.clone()),
            Ok(Listening::Bound | Listening::Refusing) => Ok(()),
            Err(_ended) => Err("the node has ended".to_owned()),
        }
    }

    /// Answers as an overloaded server does.
    pub fn overload(&self, how: Overload) {
        let number = match how {
            Overload::No => 0,
            Overload::TooBusy => 1,
            Overload::Timeout => 2,
            Overload::ResourceExhausted => 3,
        };
        self.state.overloaded.store(number, Ordering::SeqCst);
    }

    /// Denies every call.
    pub fn deny_access(&self, on: bool) {
        self.state.access_denied.store(on, Ordering::SeqCst);
    }

    /// Answers the next appends with a wrong expected version; the current one that it names is the true one.
    pub fn wrong_expected_version(&self, appends: u32) {
        self.state
            .wrong_expected_version
            .store(appends, Ordering::SeqCst);
    }

    /// Loses the answers to the next appends: they are committed, then their connection is reset.
    pub fn lose_answer(&self, appends: u32) {
        self.state.lose_answer.store(appends, Ordering::SeqCst);
    }

    /// Commits the next appends and answers them with an answer that says neither success nor refusal, as a server of another
    /// version may.
    pub fn empty_answer(&self, appends: u32) {
        self.state.empty_answer.store(appends, Ordering::SeqCst);
    }

    /// Bytes that clients have sent to this node, whether they were let through or not.
    pub fn received(&self) -> u64 {
        self.state.received.load(Ordering::SeqCst)
    }

    /// All faults now.
    pub fn state(&self) -> FaultState {
        let line = *self.state.line.borrow();
        FaultState {
            latency_ms: u64::try_from(line.latency.as_millis()).unwrap_or(u64::MAX),
            bytes_per_s: line.bytes_per_s.map_or(0, NonZeroU32::get),
            black_hole: line.black_hole,
            refuse: *self.state.refuse.borrow(),
            overloaded: self.overloaded(),
            access_denied: self.access_denied(),
            wrong_expected_version: self.state.wrong_expected_version.load(Ordering::SeqCst),
            lose_answer: self.state.lose_answer.load(Ordering::SeqCst),
            empty_answer: self.state.empty_answer.load(Ordering::SeqCst),
        }
    }

    pub(crate) fn count_received(&self, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.state.received.fetch_add(bytes, Ordering::SeqCst);
    }

    pub(crate) fn line(&self) -> watch::Receiver<Line> {
        self.state.line.subscribe()
    }

    pub(crate) fn cuts(&self) -> watch::Receiver<(u64, Option<Cut>)> {
        self.state.cut.subscribe()
    }

    pub(crate) fn refusing(&self) -> watch::Receiver<bool> {
        self.state.refuse.subscribe()
    }

    /// Said by the listener.
    pub(crate) fn listener_is(&self, state: Listening) {
        self.state.listener.send_replace(state);
    }

    pub(crate) fn overloaded(&self) -> Overload {
        match self.state.overloaded.load(Ordering::SeqCst) {
            1 => Overload::TooBusy,
            2 => Overload::Timeout,
            3 => Overload::ResourceExhausted,
            _ => Overload::No,
        }
    }

    pub(crate) fn access_denied(&self) -> bool {
        self.state.access_denied.load(Ordering::SeqCst)
    }

    /// Whether this append is answered with a wrong expected version.
    pub(crate) fn takes_wrong_version(&self) -> bool {
        takes_one(&self.state.wrong_expected_version)
    }

    /// Whether the answer to this append is lost.
    pub(crate) fn takes_lost_answer(&self) -> bool {
        takes_one(&self.state.lose_answer)
    }

    /// Whether this append is answered with nothing.
    pub(crate) fn takes_empty_answer(&self) -> bool {
        takes_one(&self.state.empty_answer)
    }
}

fn takes_one(left: &AtomicU32) -> bool {
    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
        left.checked_sub(1)
    })
    .is_ok()
}
