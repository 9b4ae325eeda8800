//! What waits to be sent to one session, and what was sent and not yet acknowledged.
//!
//! A delivery's packet id is derived from its sequence number, so that a delivery that survives a
//! restart is sent again under the id it had, without a write at the moment of sending.

use std::collections::{BTreeMap, VecDeque};

use crate::message::{Message, Qos};

/// Packet ids run from 1 to this.
const PACKET_IDS: u64 = 65_535;

/// A message on its way to one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Delivery {
    /// Position in the session's order; 0 for QoS 0, which has no packet id.
    pub(crate) seq: u64,
    pub(crate) message: Message,
    /// The lower of the sender's and the subscription's.
    pub(crate) qos: Qos,
    pub(crate) retain: bool,
    pub(crate) duplicate: bool,
    pub(crate) subscription_ids: Vec<u32>,
    pub(crate) expires_at_ms: Option<u64>,
    /// It has an entry in the store.
    pub(crate) stored: bool,
}

/// A delivery that was sent.
#[derive(Debug, Clone)]
enum Sent {
    /// Waiting for PUBACK or PUBREC.
    Publish(Delivery),
    /// Waiting for PUBCOMP.
    Released { stored: bool },
}

/// What an acknowledgement settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settled {
    pub(crate) seq: u64,
    pub(crate) stored: bool,
}

/// The next thing to send.
#[derive(Debug, Clone)]
pub(crate) enum Next {
    Publish(Delivery),
    Pubrel(u16),
}

/// A session's outgoing side.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    /// Sequence numbers below this are used.
    next_seq: u64,
    pending: VecDeque<Delivery>,
    sent: BTreeMap<u64, Sent>,
    /// PUBRELs to send again after a reconnect.
    rerelease: VecDeque<u16>,
    bytes: usize,
}

/// Packet id of a sequence number.
pub(crate) fn packet_id(seq: u64) -> u16 {
    u16::try_from(seq % PACKET_IDS + 1).unwrap_or(1)
}

impl Outbox {
    /// An empty outbox whose first sequence number is at least `next_seq`.
    pub(crate) fn starting_at(next_seq: u64) -> Self {
        Self {
            next_seq: next_seq.max(1),
            ..Self::default()
        }
    }

    /// Takes a sequence number.
    pub(crate) fn take_seq(&mut self) -> u64 {
        let seq = self.next_seq.max(1);
        self.next_seq = seq + 1;
        seq
    }

    /// Messages waiting and in flight.
    pub(crate) fn len(&self) -> usize {
        self.pending.len() + self.sent.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Queues a delivery at the end.
    pub(crate) fn push(&mut self, delivery: Delivery) {
        self.bytes += delivery.message.bytes();
        self.pending.push_back(delivery);
    }

    /// Restores a delivery or a release found in the store, in order of its sequence number.
    pub(crate) fn restore_released(&mut self, seq: u64) {
        self.next_seq = self.next_seq.max(seq + 1);
        self.sent.insert(seq, Sent::Released { stored: true });
    }

    /// Restores a delivery found in the store, in order of its sequence number.
    pub(crate) fn restore(&mut self, delivery: Delivery) {
        self.next_seq = self.next_seq.max(delivery.seq + 1);
        self.push(delivery);
    }

    /// The next packet to send, if the window of `inflight_max` allows. Deliveries that ran out are
    /// put into `expired`.
    pub(crate) fn next(
        &mut self,
        inflight_max: usize,
        now_ms: u64,
        expired: &mut Vec<Delivery>,
    ) -> Option<Next> {
        if let Some(id) = self.rerelease.pop_front() {
            return Some(Next::Pubrel(id));
        }
        loop {
            let head = self.pending.front()?;
            let runs_out = head.expires_at_ms.is_some_and(|at| at <= now_ms);
            if !runs_out
                && head.qos != Qos::AtMostOnce
                && !self.window_admits(head.seq, inflight_max)
            {
                return None;
            }
            let delivery = self.pending.pop_front()?;
            if runs_out {
                self.bytes -= delivery.message.bytes();
                expired.push(delivery);
            } else if delivery.qos == Qos::AtMostOnce {
                self.bytes -= delivery.message.bytes();
                return Some(Next::Publish(delivery));
            } else {
                self.sent
                    .insert(delivery.seq, Sent::Publish(delivery.clone()));
                return Some(Next::Publish(delivery));
            }
        }
    }

    fn window_admits(&self, seq: u64, inflight_max: usize) -> bool {
        // Ids repeat after 65,535: the oldest one in flight must be nearer than that.
        let oldest = self.sent.first_key_value().map_or(seq, |(seq, _)| *seq);
        self.sent.len() < inflight_max && seq.abs_diff(oldest) < PACKET_IDS
    }

    /// The sequence number in flight under a packet id.
    fn seq_of(&self, id: u16) -> Option<u64> {
        let (&oldest, _) = self.sent.first_key_value()?;
        let distance = (u64::from(id) + PACKET_IDS - u64::from(packet_id(oldest))) % PACKET_IDS;
        let seq = oldest + distance;
        self.sent.contains_key(&seq).then_some(seq)
    }

    /// PUBACK: done with a QoS 1 delivery.
    pub(crate) fn puback(&mut self, id: u16) -> Option<Settled> {
        let seq = self.seq_of(id)?;
        match self.sent.get(&seq) {
            Some(Sent::Publish(delivery)) if delivery.qos == Qos::AtLeastOnce => self.settle(seq),
            Some(Sent::Publish(_) | Sent::Released { .. }) | None => None,
        }
    }

    /// PUBREC with success: the message was received, its release is to be sent.
    pub(crate) fn pubrec(&mut self, id: u16) -> Option<Settled> {
        let seq = self.seq_of(id)?;
        let settled = match self.sent.get(&seq)? {
            Sent::Publish(delivery) if delivery.qos == Qos::ExactlyOnce => {
                self.bytes -= delivery.message.bytes();
                Settled {
                    seq,
                    stored: delivery.stored,
                }
            }
            Sent::Released { stored } => Settled {
                seq,
                stored: *stored,
            },
            Sent::Publish(_) => return None,
        };
        self.sent.insert(
            seq,
            Sent::Released {
                stored: settled.stored,
            },
        );
        Some(settled)
    }

    /// PUBREC with an error: the client does not want it; done.
    pub(crate) fn pubrec_refused(&mut self, id: u16) -> Option<Settled> {
        let seq = self.seq_of(id)?;
        matches!(self.sent.get(&seq)?, Sent::Publish(_)).then_some(())?;
        self.settle(seq)
    }

    /// PUBCOMP: done with a QoS 2 delivery.
    pub(crate) fn pubcomp(&mut self, id: u16) -> Option<Settled> {
        let seq = self.seq_of(id)?;
        matches!(self.sent.get(&seq)?, Sent::Released { .. }).then_some(())?;
        self.settle(seq)
    }

    /// A delivery that was taken with `next` and not sent after all.
    pub(crate) fn discard(&mut self, seq: u64) {
        // QoS 0 (number 0) is not in flight, and already forgotten.
        self.settle(seq);
    }

    fn settle(&mut self, seq: u64) -> Option<Settled> {
        let stored = match self.sent.remove(&seq)? {
            Sent::Publish(delivery) => {
                self.bytes -= delivery.message.bytes();
                delivery.stored
            }
            Sent::Released { stored } => stored,
        };
        Some(Settled { seq, stored })
    }

    /// The connection is gone: what was in flight waits again, in order, marked as a duplicate; QoS 0
    /// is forgotten.
    pub(crate) fn park(&mut self) {
        let dropped: usize = self
            .pending
            .iter()
            .filter(|d| d.seq == 0)
            .map(|d| d.message.bytes())
            .sum();
        self.bytes -= dropped;
        self.pending.retain(|d| d.seq != 0);
        self.rerelease.clear();
        let sent = std::mem::take(&mut self.sent);
        for (seq, state) in sent.into_iter().rev() {
            match state {
                Sent::Publish(mut delivery) => {
                    delivery.duplicate = true;
                    self.pending.push_front(delivery);
                }
                Sent::Released { stored } => {
                    self.sent.insert(seq, Sent::Released { stored });
                }
            }
        }
    }

    /// A connection took the session up: releases under way are sent again first.
    pub(crate) fn resume(&mut self) {
        self.rerelease = self.sent.keys().map(|seq| packet_id(*seq)).collect();
    }

    /// Sequence numbers of everything that has an entry in the store.
    pub(crate) fn stored_seqs(&self) -> Vec<u64> {
        let waiting = self.pending.iter().filter(|d| d.stored).map(|d| d.seq);
        let sent = self.sent.iter().filter_map(|(seq, state)| match state {
            Sent::Publish(delivery) => delivery.stored.then_some(*seq),
            Sent::Released { stored } => stored.then_some(*seq),
        });
        waiting.chain(sent).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
    use super::*;

    fn delivery(outbox: &mut Outbox, qos: Qos) -> Delivery {
        let seq = if qos == Qos::AtMostOnce {
            0
        } else {
            outbox.take_seq()
        };
        Delivery {
            seq,
            message: Message::new("t", "x"),
            qos,
            retain: false,
            duplicate: false,
            subscription_ids: Vec::new(),
            expires_at_ms: None,
            stored: false,
        }
    }

    fn sent(outbox: &mut Outbox, window: usize) -> Option<(u16, bool)> {
        match outbox.next(window, 0, &mut Vec::new())? {
            Next::Publish(d) => Some((packet_id(d.seq), d.duplicate)),
            Next::Pubrel(_) => panic!("a release"),
        }
    }

    #[test]
    fn packet_ids_wrap_and_are_found_again() {
        let mut outbox = Outbox::starting_at(PACKET_IDS - 3);
        for _ in 0..6 {
            let d = delivery(&mut outbox, Qos::AtLeastOnce);
            outbox.push(d);
        }
        let ids: Vec<_> = std::iter::from_fn(|| sent(&mut outbox, 10))
            .map(|(id, _)| id)
            .collect();
        assert_eq!(ids, [65_533, 65_534, 65_535, 1, 2, 3]);
        for id in [1, 65_533, 3, 2, 65_535, 65_534] {
            assert!(outbox.puback(id).is_some(), "{id}");
            assert!(outbox.puback(id).is_none(), "{id} twice");
        }
        assert_eq!((outbox.len(), outbox.bytes()), (0, 0));
    }

    #[test]
    fn after_a_reconnect_order_and_ids_stay_and_releases_come_first() {
        let mut outbox = Outbox::starting_at(1);
        for qos in [
            Qos::ExactlyOnce,
            Qos::AtLeastOnce,
            Qos::AtMostOnce,
            Qos::AtLeastOnce,
        ] {
            let d = delivery(&mut outbox, qos);
            outbox.push(d);
        }
        assert_eq!(sent(&mut outbox, 2), Some((2, false)));
        assert_eq!(sent(&mut outbox, 2), Some((3, false)));
        assert!(outbox.pubrec(2).is_some());
        outbox.park();
        outbox.resume();
        assert!(matches!(
            outbox.next(2, 0, &mut Vec::new()),
            Some(Next::Pubrel(2))
        ));
        assert_eq!(sent(&mut outbox, 2), Some((3, true)));
        assert_eq!(sent(&mut outbox, 2), None);
        assert!(outbox.pubcomp(2).is_some());
        assert_eq!(sent(&mut outbox, 2), Some((4, false)));
        assert!(outbox.puback(4).is_some() && outbox.puback(3).is_some());
        assert_eq!((outbox.len(), outbox.bytes()), (0, 0));
    }
}
