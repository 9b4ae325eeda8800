//! The next events of the log, as much as goes up in one append.

use gateway_log::{Log, SignedHead};
use schemas::uplink::Record;

/// How large an append may be. The store takes 1 MiB at the most in its older versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkLimits {
    /// Events.
    pub events_max: usize,
    /// Bytes, as the store counts them.
    pub bytes_max: usize,
}

impl Default for ChunkLimits {
    fn default() -> Self {
        Self {
            events_max: 250,
            bytes_max: 256 * 1024,
        }
    }
}

impl ChunkLimits {
    /// Half of it, and one event at the least. None: it cannot be halved.
    pub(crate) fn halved(self) -> Option<Self> {
        (self.events_max > 1).then_some(Self {
            events_max: self.events_max / 2,
            bytes_max: self.bytes_max / 2,
        })
    }
}

/// Events that go up together.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    pub(crate) from: u64,
    pub(crate) records: Vec<Record>,
    pub(crate) bytes: usize,
}

impl Chunk {
    /// The index behind it.
    pub(crate) fn end(&self) -> u64 {
        self.from + u64::try_from(self.records.len()).unwrap_or(0)
    }
}

/// The log cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("the log cannot be read")]
    Log(#[from] gateway_log::LogFailed),
    #[error("event {0} is not as it was written")]
    Event(u64, #[source] schemas::envelope::EnvelopeError),
}

/// The events from `from` on that the newest checkpoint covers, up to the limits; one at the least, where there is one. The last
/// one carries that checkpoint, so that nothing is at the centre that the station has not signed for as a whole. Reads the disk.
pub(crate) fn next(log: &Log, from: u64, limits: ChunkLimits) -> Result<Chunk, Unreadable> {
    let SignedHead { checkpoint, note } = log.head();
    let mut chunk = Chunk {
        from,
        ..Chunk::default()
    };
    let most = u64::try_from(limits.events_max).unwrap_or(u64::MAX);
    let mut last = None;
    let end = from.saturating_add(most).min(checkpoint.size).max(from);
    for stored in log.read(from..end) {
        let (index, signed) = stored?;
        let record = Record::of(&signed, None).map_err(|error| Unreadable::Event(index, error))?;
        let len = record.append_len();
        if !chunk.records.is_empty() && chunk.bytes + len + note.len() > limits.bytes_max {
            break;
        }
        chunk.bytes += len;
        chunk.records.push(record);
        last = Some((index, signed));
    }
    if let (Some((index, signed)), Some(record)) = (last, chunk.records.last_mut()) {
        *record =
            Record::of(&signed, Some(&note)).map_err(|error| Unreadable::Event(index, error))?;
        chunk.bytes += note.len();
    }
    Ok(chunk)
}
