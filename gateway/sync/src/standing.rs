//! How the link stands, for metrics and the console.

use tokio::sync::watch;

/// Why the link does not carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LinkFault {
    /// The centre's name does not resolve.
    Dns,
    /// Nobody accepts connections there.
    Refused,
    /// Connections are not answered, or calls are not: a black hole.
    NoAnswer,
    /// The TLS handshake fails.
    Tls,
    /// The connection broke.
    Broken,
    /// Another node leads the cluster.
    LeaderChange,
    /// The store has too much to do.
    Overloaded,
    /// The credentials do not allow it.
    Denied,
    /// The stream was deleted at the centre.
    Deleted,
    /// The stream has less than the centre has acknowledged: it was deleted, its store was set back, or it is another store.
    StreamShort,
    /// The store failed otherwise.
    Failed,
}

impl LinkFault {
    /// Every fault.
    pub const ALL: [Self; 11] = [
        Self::Dns,
        Self::Refused,
        Self::NoAnswer,
        Self::Tls,
        Self::Broken,
        Self::LeaderChange,
        Self::Overloaded,
        Self::Denied,
        Self::Deleted,
        Self::StreamShort,
        Self::Failed,
    ];

    /// As a label.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Refused => "refused",
            Self::NoAnswer => "no-answer",
            Self::Tls => "tls",
            Self::Broken => "broken",
            Self::LeaderChange => "leader-change",
            Self::Overloaded => "overloaded",
            Self::Denied => "denied",
            Self::Deleted => "deleted",
            Self::StreamShort => "stream-short",
            Self::Failed => "failed",
        }
    }
}

/// How the link stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LinkStanding {
    /// Being made.
    #[default]
    Connecting,
    /// The centre has everything that is durable here.
    Current,
    /// A backlog goes up.
    Draining,
    /// Outside the hours in which the link may be used.
    Resting,
    /// It does not carry; tried again by itself.
    Down(LinkFault),
    /// The centre's copy contradicts this log: nothing is sent any more.
    Forked,
}

impl LinkStanding {
    /// As a label.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Current => "current",
            Self::Draining => "draining",
            Self::Resting => "resting",
            Self::Down(fault) => fault.word(),
            Self::Forked => "forked",
        }
    }
}

/// What is known of the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LinkFigures {
    /// How it stands.
    pub standing: LinkStanding,
    /// Events that the centre's stream is known to have.
    pub sent: u64,
    /// Connections made in this life.
    pub connections: u64,
    /// Bytes handed over in this life.
    pub bytes: u64,
}

/// Where the figures are kept. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Board(watch::Sender<LinkFigures>);

impl Board {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(LinkFigures::default()))
    }

    pub(crate) fn watch(&self) -> watch::Receiver<LinkFigures> {
        self.0.subscribe()
    }

    pub(crate) fn stands(&self, standing: LinkStanding) {
        self.0.send_if_modified(|figures| {
            let changed = figures.standing != standing;
            if changed {
                tracing::info!(link = standing.word(), "the link to the centre");
                figures.standing = standing;
            }
            changed
        });
    }

    pub(crate) fn connected(&self) {
        self.0.send_modify(|figures| figures.connections += 1);
    }

    pub(crate) fn sent(&self, events: u64, bytes: usize) {
        self.0.send_modify(|figures| {
            figures.sent = events;
            figures.bytes += u64::try_from(bytes).unwrap_or(u64::MAX);
        });
    }
}
