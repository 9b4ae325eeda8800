//! Which connection is the current one. An acknowledgement belongs to the connection that its message came by: on another
//! one its packet id may be another message's.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

/// The connections so far, and the wish for the next one.
#[derive(Debug, Default)]
pub(super) struct Line {
    number: AtomicU64,
    again: Notify,
}

impl Line {
    /// The current connection.
    pub(super) fn number(&self) -> u64 {
        self.number.load(Ordering::Acquire)
    }

    /// What came before is of another connection from now on.
    pub(super) fn next(&self) {
        self.number.fetch_add(1, Ordering::AcqRel);
    }

    /// Asks for another connection, if `number` is still the current one. The broker then brings again what was not
    /// acknowledged.
    pub(super) fn ask_again(&self, number: u64) {
        if number == self.number() {
            self.again.notify_one();
        }
    }

    /// Resolves when another connection is asked for.
    pub(super) async fn asked_again(&self) {
        self.again.notified().await;
    }
}
