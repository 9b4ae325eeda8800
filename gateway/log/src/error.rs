//! What can go wrong, and how bad it is: a refusal (nothing was written, the log goes on), a failure (the process must
//! end), a closed door (there is no log to use until an operator or more room comes).

use std::path::PathBuf;

use schemas::proof::{CheckpointError, Hash};

/// The runbook page that every quarantine names.
const RUNBOOK: &str = "ops/docs/runbook/quarantine.md";

/// Why an append was not made durable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// Nothing was written; the log goes on.
    #[error(transparent)]
    Refused(#[from] AppendRefusal),
    /// The log is unusable; the process must end.
    #[error(transparent)]
    Failed(#[from] LogFailed),
}

/// Why a call was refused before anything was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendRefusal {
    /// The events were signed for another place.
    #[error("the group was made for index {given}, but the next index is {next}")]
    WrongIndex {
        /// The group's first index.
        given: u64,
        /// The log's next one.
        next: u64,
    },
    /// One event is too long.
    #[error("a signed event of {bytes} bytes is longer than {max_bytes} bytes")]
    EventTooLong {
        /// Its length.
        bytes: usize,
        /// The limit.
        max_bytes: usize,
    },
    /// An event without a byte cannot be genuine.
    #[error("an event holds no bytes")]
    EventEmpty,
    /// One group is too large.
    #[error("a group of {bytes} bytes is larger than {max_bytes} bytes")]
    GroupTooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        max_bytes: usize,
    },
    /// A key is empty or too long.
    #[error("a key of {bytes} bytes is empty or longer than {max_bytes} bytes")]
    Key {
        /// Its length.
        bytes: usize,
        /// The limit.
        max_bytes: usize,
    },
    /// A value is too long.
    #[error("a value of {bytes} bytes is longer than {max_bytes} bytes")]
    ValueTooLong {
        /// Its length.
        bytes: usize,
        /// The limit.
        max_bytes: usize,
    },
    /// Too much is waiting already.
    #[error("the log is busy: {waiting_len} calls of {waiting_bytes} bytes are waiting")]
    Busy {
        /// Calls waiting.
        waiting_len: usize,
        /// Their bytes.
        waiting_bytes: usize,
    },
}

/// The log failed for good. The process must end; at the next start the log is opened and verified anew. Only
/// [`LogFailed::Pruned`] and [`LogFailed::NotCopied`] are no failures, but answers to a reader.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogFailed {
    /// sled reported an error, or could not read back what it should hold.
    #[error("the store failed: {0}")]
    Store(String),
    /// A sync failed: what is on disk is unknown.
    #[error("a sync failed, so what is on disk is unknown: {0}")]
    Sync(String),
    /// `HEAD` or the witness could not be written, or not be signed as it must be.
    #[error("the checkpoint could not be written: {0}")]
    Head(String),
    /// The disk is so full that sled would meet its end.
    #[error("{free_bytes} bytes are left for the log, too few to go on safely")]
    NoRoom {
        /// What is left.
        free_bytes: u64,
    },
    /// A closed epoch could not be copied, and only a copy of it is read: nothing is known of the epoch.
    #[error("a closed epoch cannot be copied to be read: {0}")]
    NotCopied(String),
    /// Nothing failed: what was asked for was pruned, and only its hashes are left.
    #[error("event {index} was pruned: the events that are here begin with {first_index}")]
    Pruned {
        /// What was asked for.
        index: u64,
        /// The first event that is there.
        first_index: u64,
    },
    /// The log was closed, or its committer ended.
    #[error("the log is closed")]
    Closed,
}

/// Why there is no log to use.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error("the log in {folder} is open in another process ({holder})")]
    Locked {
        /// The data folder.
        folder: PathBuf,
        /// What is known of the other process.
        holder: String,
    },
    /// The folder was written by a newer version of this program.
    #[error(
        "the data folder has format {found}, this program knows formats up to {known}: install the newer version again"
    )]
    NewerFormat {
        /// The folder's version.
        found: u32,
        /// The newest this program knows.
        known: u32,
    },
    /// Too little room to begin. The station may run with its log closed until there is some.
    #[error(
        "{free_bytes} bytes are free for the log, {needed_bytes} are needed: make room, then start again"
    )]
    NoRoom {
        /// What is free.
        free_bytes: u64,
        /// What is needed.
        needed_bytes: u64,
    },
    /// The log does not prove itself whole.
    #[error("the log is quarantined: {0}; no event was changed; see {RUNBOOK}")]
    Quarantine(#[from] Quarantine),
    /// sled was linked against another `sync_file_range`, so flush would not mean durable.
    #[error(
        "a flush did not reach this program's own sync: this build cannot keep what it acknowledges"
    )]
    SyncNotOurs,
    /// An option makes no sense.
    #[error("cannot open the log so: {0}")]
    Options(String),
    /// The operating system refused something; `doing` says what.
    #[error("cannot {doing}: {source}")]
    Io {
        /// What was being done.
        doing: String,
        /// The reason.
        source: std::io::Error,
    },
    /// The log failed while it was being opened.
    #[error(transparent)]
    Failed(#[from] LogFailed),
}

impl OpenError {
    /// For `map_err`: names what was being done.
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }
}

/// What is wrong with a log that is quarantined. It is left as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Quarantine {
    /// A part that a completed first start left behind is gone.
    #[error("{0} is missing, though this station was started before")]
    Missing(&'static str),
    /// A part of an epoch is gone that was not pruned.
    #[error("log/{first}/{part} is missing, and the events from {first} on with it")]
    EpochMissing {
        /// The index that the epoch begins with.
        first: u64,
        /// Its part.
        part: &'static str,
    },
    /// An epoch is there with events that `EPOCHS` does not name.
    #[error("EPOCHS does not name log/{first}, which holds events: an older EPOCHS was put there")]
    EpochUnlisted {
        /// The index that the epoch begins with.
        first: u64,
    },
    /// `EPOCHS` is not one.
    #[error("EPOCHS is damaged")]
    Epochs,
    /// The events from the first one on are no longer here, and no epoch's state could be restored.
    #[error(
        "the events before {first} were pruned, and there is no whole snapshot of the state to go on from: put the data folder's snapshots back"
    )]
    NoSnapshot {
        /// The first event that is there.
        first: u64,
    },
    /// The events of closed epochs and the tree that the next epoch began with contradict each other.
    #[error(
        "the events before {size} have root {found}, but the epoch that begins there says {expected}"
    )]
    ClosedEpochs {
        /// The index that the epoch begins with.
        size: u64,
        /// The root over the events.
        found: Hash,
        /// The root that the epoch began with.
        expected: Hash,
    },
    /// The marker beside the keys is gone, but the log is not new.
    #[error(
        "the marker beside the keys is missing, but a log is there: its checkpoint covers {head_events} events, and its folder holds {events}"
    )]
    MarkerMissing {
        /// Events in the log.
        events: u64,
        /// Events that `HEAD` or the witness covers.
        head_events: u64,
    },
    /// The marker is not one, or belongs to another log or key.
    #[error("the marker beside the keys is damaged or of another log or key")]
    Marker,
    /// `FORMAT` is not one.
    #[error("FORMAT is damaged")]
    Format,
    /// `HEAD` is not a checkpoint signed by the station's key.
    #[error("HEAD is damaged or not signed by this station's key: {0}")]
    Head(CheckpointError),
    /// The witness is not a checkpoint signed by the station's key.
    #[error("the witness beside the keys is damaged or not signed by this station's key: {0}")]
    Witness(CheckpointError),
    /// `HEAD`, the witness or the log belongs to another origin or key.
    #[error("{part} is of origin {found:?}, this station is {expected:?}")]
    Origin {
        /// `HEAD`, the witness or the log.
        part: &'static str,
        /// What it says.
        found: String,
        /// What was expected.
        expected: String,
    },
    /// sled cannot open or read its files.
    #[error("the log cannot be read: {0}")]
    Unreadable(String),
    /// Whoever read the events does not accept them, or cannot go on signing.
    #[error("{0}")]
    Refused(String),
    /// An index is missing, or a key is not an index.
    #[error("the log has no event at index {expected}, but one after it")]
    Gap {
        /// The first index that is missing.
        expected: u64,
    },
    /// Events that a checkpoint covers are gone.
    #[error("the log holds {events} events, but the checkpoint in {part} covers {covered}")]
    Shorter {
        /// `HEAD` or the witness.
        part: &'static str,
        /// Events in the log.
        events: u64,
        /// Events that the checkpoint covers.
        covered: u64,
    },
    /// A checkpoint covers only events that were pruned, and their hashes are damaged.
    #[error(
        "the checkpoint in {part} covers {covered} events, which were pruned, and their hashes are damaged: it cannot be compared"
    )]
    Incomparable {
        /// `HEAD` or the witness.
        part: &'static str,
        /// Events that the checkpoint covers.
        covered: u64,
    },
    /// The witness beside the keys is always written after `HEAD`; so an older `HEAD` was put there.
    #[error(
        "the data folder was set back: its HEAD covers {head_events} events and its log holds {events}, but the witness beside the keys covers {witness_events}"
    )]
    SetBack {
        /// Events in the log, which may well be enough.
        events: u64,
        /// Events that `HEAD` covers.
        head_events: u64,
        /// Events that the witness covers.
        witness_events: u64,
    },
    /// Events that a checkpoint covers are others.
    #[error(
        "the log's first {size} events have root {found}, the checkpoint in {part} says {expected}"
    )]
    OtherRoot {
        /// `HEAD` or the witness.
        part: &'static str,
        /// The checkpoint's size.
        size: u64,
        /// The root over the log's events.
        found: Hash,
        /// The checkpoint's root.
        expected: Hash,
    },
}
