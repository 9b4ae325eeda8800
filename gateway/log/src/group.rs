//! What callers hand to the log.

/// The signed events of one command, in index order. After a crash either all of them are there or none is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch(pub Vec<Vec<u8>>);

/// Commands that are made durable together, and what is to be done then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group<T> {
    /// The index that the first event was signed for. Must be the log's next one.
    pub first_index: u64,
    /// One for each command. A group without events is durable once everything before it is.
    pub batches: Vec<Batch>,
    /// Whether a checkpoint over exactly the events up to and with this group is signed and stored before it is answered.
    pub seal: bool,
    /// Whether an epoch begins with this group's first event.
    pub epoch: bool,
    /// Acknowledgements, receipts, device commands: whatever waits for durability.
    pub value: T,
}

impl<T> Group<T> {
    /// A group without events yet.
    pub fn new(first_index: u64, value: T) -> Self {
        Self {
            first_index,
            batches: Vec::new(),
            seal: false,
            epoch: false,
            value,
        }
    }

    /// Adds the events of one command.
    pub fn batch(mut self, events: Vec<Vec<u8>>) -> Self {
        self.batches.push(Batch(events));
        self
    }

    /// Has the flush end with this group, and a checkpoint over exactly that size signed and stored before it is answered.
    /// See [`crate::Log::sealed_head`].
    pub fn sealed(mut self) -> Self {
        self.seal = true;
        self
    }

    /// Has an epoch begin with this group's first event: a snapshot of the state before it ([`crate::Log::open_restoring`]). A
    /// checkpoint over the group follows at once, as with [`Group::sealed`].
    pub fn beginning_epoch(mut self) -> Self {
        self.epoch = true;
        self.sealed()
    }

    /// Number of events.
    pub fn event_count(&self) -> usize {
        self.batches.iter().map(|batch| batch.0.len()).sum()
    }
}

/// A change to one key: its new value, or `None` to remove it.
pub type KvOp = (Vec<u8>, Option<Vec<u8>>);

/// A key-value area of its own beside the events. What is in it is derived or can be lost with the log, never evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Space(&'static str);

impl Space {
    /// Sessions, queued and retained messages of the broker.
    pub const BROKER: Self = Self("kv.broker");
    /// Acknowledgements and cursors of the uplink: a few pairs.
    pub const SYNC: Self = Self("kv.sync");
    /// What is known of the way of blobs to the centre: it grows with what the centre asks for.
    pub const UPLOAD: Self = Self("kv.upload");
    /// Projections that are rebuilt from the events when missing.
    pub const PROJECTION: Self = Self("kv.projection");

    /// Every space.
    pub(crate) const ALL: [Self; 4] = [Self::BROKER, Self::SYNC, Self::UPLOAD, Self::PROJECTION];

    pub(crate) fn name(self) -> &'static str {
        self.0
    }
}
