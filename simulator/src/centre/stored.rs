//! An event as the store gave it.

/// What the centre reads of an event in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored {
    /// Its stream.
    pub(super) stream: String,
    /// Its number in the stream, from 0.
    pub(super) revision: u64,
    /// Its id.
    pub(super) id: [u8; 16],
    /// Its type.
    pub(super) event_type: String,
    /// The CloudEvent.
    pub(super) data: Vec<u8>,
    /// The metadata.
    pub(super) metadata: Vec<u8>,
    /// Where it is in the order of the whole store: commit and prepare position.
    pub(super) position: (u64, u64),
}
