//! What the centre has seen of the store as a whole: which streams there are, and what came on the streams of alerts.

use std::collections::{BTreeMap, VecDeque};

use schemas::envelope::Signed;
use schemas::ids::StationId;
use schemas::uplink::signed_bytes;
use serde::{Deserialize, Serialize};

use super::log::{Log, check};
use super::stored::Stored;

/// Alerts of a station that are kept.
const ALERTS_LEN_MAX: usize = 50;
/// Unknown streams that are kept: whoever can write into the store cannot fill the centre's memory.
const UNKNOWN_LEN_MAX: usize = 500;

/// Saved beside the logs. Where it is lost, the store is looked through once more.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Seen {
    /// How far the order of the whole store was looked through: commit and prepare position.
    pub(super) position: Option<(u64, u64)>,
    /// Streams of logs that are not registered.
    pub(super) unknown: BTreeMap<String, Unknown>,
    pub(super) alerts: BTreeMap<StationId, Alerts>,
}

/// A stream that has the name of a log's, and is not registered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unknown {
    /// Events in it.
    pub events: u64,
    /// Its first event was read, or may not be.
    pub is_read: bool,
    /// The log that its first event names.
    pub origin: Option<String>,
    /// The id of the key that its first event names: 16 hexadecimal digits. Nobody has checked it.
    pub fingerprint: Option<String>,
}

/// The alerts of a station.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Alerts {
    /// The revision that is read next.
    pub(super) next: u64,
    /// The newest last.
    pub(super) newest: VecDeque<Alert>,
}

/// A marked copy of an event, ahead of its log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Its revision in the stream of alerts.
    pub revision: u64,
    /// Its place in the log; none where it is no signed event.
    pub index: Option<u64>,
    /// The type, as the store has it.
    pub event_type: String,
    /// The CloudEvents `time` and `subject`.
    pub time: Option<String>,
    /// What it is about.
    pub subject: Option<String>,
    /// Whether it is signed by the log's key.
    pub genuine: bool,
}

#[derive(Deserialize)]
struct Shown {
    time: Option<String>,
    subject: Option<String>,
}

impl Seen {
    /// An event of an unregistered stream.
    pub(super) fn unknown(&mut self, stored: &Stored) {
        let is_full = self.unknown.len() >= UNKNOWN_LEN_MAX;
        if is_full && !self.unknown.contains_key(&stored.stream) {
            return;
        }
        let unknown = self.unknown.entry(stored.stream.clone()).or_default();
        unknown.events = unknown.events.max(stored.revision.saturating_add(1));
    }
}

impl Unknown {
    /// What the first event of the stream says of itself.
    pub(super) fn look_at(&mut self, first: &Stored) {
        let signed = signed_bytes(&first.data, &first.metadata);
        if let Ok((bytes, _)) = signed
            && let Ok(signed) = Signed::read(&bytes)
        {
            self.origin = Some(signed.origin().to_string());
            self.fingerprint = Some(hex::encode(signed.key_id().0));
        }
    }
}

impl Alerts {
    /// The log has another key: those that could not be verified are read again.
    pub(super) fn doubt(&mut self) {
        let unverified = self.newest.iter().position(|alert| !alert.genuine);
        if let Some(at) = unverified {
            let again = self.newest.drain(at..).next();
            self.next = again.map_or(self.next, |alert| alert.revision);
        }
    }

    /// Takes copies of events, whose logs are these.
    pub(super) fn take<'a>(&mut self, stored: &Stored, logs: impl Iterator<Item = &'a Log>) {
        self.next = stored.revision.saturating_add(1);
        self.newest.push_back(read(stored, logs));
        if self.newest.len() > ALERTS_LEN_MAX {
            self.newest.pop_front();
        }
    }
}

fn read<'a>(stored: &Stored, mut logs: impl Iterator<Item = &'a Log>) -> Alert {
    let shown: Option<Shown> = serde_json::from_slice(&stored.data).ok();
    let mut alert = Alert {
        revision: stored.revision,
        index: None,
        event_type: stored.event_type.clone(),
        time: shown.as_ref().and_then(|shown| shown.time.clone()),
        subject: shown.and_then(|shown| shown.subject),
        genuine: false,
    };
    if let Ok((bytes, _)) = signed_bytes(&stored.data, &stored.metadata)
        && let Ok(signed) = Signed::read(&bytes)
    {
        let index = signed.index();
        alert.index = Some(index);
        let log = logs.find(|log| log.chain().origin() == signed.origin());
        alert.genuine = log.is_some_and(|log| {
            let key = log.chain().in_force(index);
            log.chain().is_by(signed.key_id(), index)
                && signed.is_genuine(|message, signature| check(key, message, signature))
        });
    }
    alert
}
