//! Keys that are at the centre, and stay here until it has acknowledged the end of their session: an acknowledged event names them there.

use std::collections::BTreeSet;

use schemas::key::SealingKeyId;

/// The keys, by the event that ended their session.
#[derive(Debug, Default)]
pub(super) struct Held(BTreeSet<(u64, SealingKeyId)>);

impl Held {
    /// This one was read back. `end`: the event that ended its session.
    pub(super) fn hold(&mut self, end: u64, key: SealingKeyId) {
        self.0.insert((end, key));
    }

    /// One that may go, where so many events are acknowledged.
    pub(super) fn ripe(&self, acknowledged: u64) -> Option<&SealingKeyId> {
        let (end, key) = self.0.first()?;
        (*end < acknowledged).then_some(key)
    }

    /// The one that [`Self::ripe`] named is gone.
    pub(super) fn released(&mut self) {
        self.0.pop_first();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    /// G7: a key stays until the event that ended its session is acknowledged, whatever came up before it.
    #[test]
    fn a_key_stays_until_its_sessions_end_is_acknowledged() {
        let key = |n: u8| SealingKeyId::new(hex::encode([n; 16])).unwrap();
        let mut held = Held::default();
        held.hold(9, key(1));
        held.hold(4, key(2));
        assert_eq!(held.ripe(0), None);
        assert_eq!(held.ripe(4), None, "event 4 is the fifth");
        assert_eq!(held.ripe(5), Some(&key(2)));
        held.released();
        assert_eq!(held.ripe(9), None);
        assert_eq!(held.ripe(10), Some(&key(1)));
    }
}
