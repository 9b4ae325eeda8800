//! How the blob store stands, for the figures.

use crate::metrics::Metrics;

/// How the blob store stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StoreStanding {
    /// Everything that may go up is there.
    Current,
    /// Blobs and keys go up.
    Sending,
    /// Events go first, or the link rests.
    Waiting,
    /// The folder or the bucket is not there.
    Missing,
    /// Access is denied.
    Denied,
    /// No answer within the deadline.
    NoAnswer,
    /// Anything else.
    Failed,
}

impl StoreStanding {
    const ALL: [Self; 7] = [
        Self::Current,
        Self::Sending,
        Self::Waiting,
        Self::Missing,
        Self::Denied,
        Self::NoAnswer,
        Self::Failed,
    ];

    const fn word(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Sending => "sending",
            Self::Waiting => "waiting",
            Self::Missing => "missing",
            Self::Denied => "denied",
            Self::NoAnswer => "no-answer",
            Self::Failed => "failed",
        }
    }
}

/// Shows how the store stands; changes are told once.
#[derive(Debug)]
pub(super) struct Board {
    metrics: Metrics,
    shown: Option<StoreStanding>,
}

impl Board {
    pub(super) fn new(metrics: Metrics) -> Self {
        Self {
            metrics,
            shown: None,
        }
    }

    pub(super) fn stands(&mut self, standing: StoreStanding) {
        if self.shown == Some(standing) {
            return;
        }
        self.shown = Some(standing);
        tracing::info!(store = standing.word(), "the centre's blob store");
        for other in StoreStanding::ALL {
            self.metrics
                .upload
                .standing
                .with_label_values(&[other.word()])
                .set(i64::from(other == standing));
        }
    }

    /// So many things wait, the first of them so many events behind the log's end.
    pub(super) fn to_send(&self, count: usize, behind: u64) {
        self.metrics
            .upload
            .to_send
            .set(i64::try_from(count).unwrap_or(i64::MAX));
        let behind = i64::try_from(behind).unwrap_or(i64::MAX);
        self.metrics.upload.events_behind.set(behind);
    }

    pub(super) fn sent(&self, kind: &str) {
        self.metrics.upload.sent.with_label_values(&[kind]).inc();
    }
}
