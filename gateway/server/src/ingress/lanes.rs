//! The order of each sender's messages. A place is taken when the message comes; the turn comes when every earlier
//! message of the same sender has entered the queue (or was refused), whatever it waited for.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use schemas::ids::DeviceId;
use tokio::sync::oneshot;

/// The last place taken in each sender's lane. Senders are devices of the configuration, so there are few.
#[derive(Debug, Default)]
pub(super) struct Lanes(Mutex<HashMap<DeviceId, oneshot::Receiver<()>>>);

/// A place in a lane.
#[derive(Debug)]
pub(super) struct Ticket {
    before: Option<oneshot::Receiver<()>>,
    turn: Turn,
}

/// It is this message's turn, until this is dropped.
#[derive(Debug)]
pub(super) struct Turn(#[allow(dead_code, reason = "dropping it is its use")] oneshot::Sender<()>);

impl Lanes {
    pub(super) fn ticket(&self, sender: &DeviceId) -> Ticket {
        let (turn, after) = oneshot::channel();
        let mut lanes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = lanes.insert(sender.clone(), after);
        Ticket {
            before,
            turn: Turn(turn),
        }
    }
}

impl Ticket {
    /// Waits for the turn. An abandoned ticket never holds up the lane: the next one passes at once. That happens only
    /// when a whole connection is given up, and then all its messages are.
    pub(super) async fn turn(self) -> Turn {
        if let Some(before) = self.before {
            // Only ever ends by the sender being dropped; that is the signal.
            drop(before.await);
        }
        self.turn
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    /// G2: messages of one sender keep their order, whatever the first waits for; other senders do not wait.
    #[tokio::test]
    async fn turns_come_in_the_order_of_the_tickets() {
        let lanes = Lanes::default();
        let (a, b) = (DeviceId::new("a").unwrap(), DeviceId::new("b").unwrap());
        let (first, second, other) = (lanes.ticket(&a), lanes.ticket(&a), lanes.ticket(&b));
        drop(other.turn().await);
        let first = first.turn().await;
        let second = tokio::spawn(second.turn());
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        drop(first);
        drop(second.await.unwrap());
    }
}
