//! A client's session, connected or not, and the link to the connection that owns it.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::task::AtomicWaker;
use tokio::sync::oneshot;

use crate::codec::{self, StoredSession};
use crate::handler::{DisconnectReason, Identity};
use crate::message::Message;
use crate::outbox::Outbox;
use crate::trie::Options;
use crate::writer::Op;

/// Sequence numbers set aside in the store at a time.
const SEQ_STEP: u64 = 4_096;

/// How others reach the task of a connection.
#[derive(Debug, Default)]
pub(crate) struct Link {
    /// Wakes the connection's task.
    pub(crate) waker: AtomicWaker,
    /// There may be something in the outbox.
    dirty: AtomicBool,
    close: Mutex<Option<DisconnectReason>>,
}

impl Link {
    /// Something was put into the outbox.
    pub(crate) fn delivered(&self) {
        // One wake is enough until the connection has looked.
        if !self.dirty.swap(true, Ordering::AcqRel) {
            self.waker.wake();
        }
    }

    /// Whether there may be something in the outbox; resets it.
    pub(crate) fn take_dirty(&self) -> bool {
        self.dirty.swap(false, Ordering::AcqRel)
    }

    /// Asks the connection to end. The first reason stands.
    pub(crate) fn close(&self, reason: DisconnectReason) {
        self.close
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(reason);
        self.waker.wake();
    }

    /// Why the connection should end, if it should.
    pub(crate) fn closing(&self) -> Option<DisconnectReason> {
        *self.close.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A client's last will.
#[derive(Debug, Clone)]
pub(crate) struct Will {
    pub(crate) message: Message,
    pub(crate) delay_s: u32,
    /// It has an entry in the store.
    pub(crate) stored: bool,
    /// Found in the store at start: the broker went away, not the client.
    pub(crate) from_restart: bool,
}

/// A session.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) identity: Identity,
    /// 0: ends with its connection, and nothing but a will is stored.
    pub(crate) expiry_s: u32,
    pub(crate) online: Option<Arc<Link>>,
    /// Connections that wait to take the session over.
    pub(crate) waiting: Vec<oneshot::Sender<()>>,
    /// By full filter text, share prefix included.
    pub(crate) subscriptions: BTreeMap<Box<str>, Options>,
    pub(crate) outbox: Outbox,
    /// QoS 2 packet ids received, committed, and not yet released.
    pub(crate) inbound: HashSet<u16>,
    pub(crate) will: Option<Will>,
    /// Set while disconnected.
    pub(crate) expires_at_ms: Option<u64>,
    /// Set while a will is delayed.
    pub(crate) will_due_ms: Option<u64>,
    /// Sequence numbers below this are set aside in the store.
    seq_reserved: u64,
}

impl Session {
    /// A new session, not yet connected.
    pub(crate) fn new(identity: Identity, expiry_s: u32) -> Self {
        Self::restored(identity, expiry_s, 1, None)
    }

    /// A session found in the store.
    pub(crate) fn restored(
        identity: Identity,
        expiry_s: u32,
        seq_reserved: u64,
        expires_at_ms: Option<u64>,
    ) -> Self {
        Self {
            identity,
            expiry_s,
            online: None,
            waiting: Vec::new(),
            subscriptions: BTreeMap::new(),
            outbox: Outbox::starting_at(seq_reserved),
            inbound: HashSet::new(),
            will: None,
            expires_at_ms,
            will_due_ms: None,
            seq_reserved,
        }
    }

    /// Outlives its connection, so the store holds it.
    pub(crate) fn is_persistent(&self) -> bool {
        self.expiry_s > 0
    }

    /// The next sequence number. Before numbers run past what is set aside, more are.
    pub(crate) fn take_seq(&mut self, ops: &mut Vec<Op>) -> u64 {
        let seq = self.outbox.take_seq();
        if self.is_persistent() && seq >= self.seq_reserved {
            self.seq_reserved = seq + SEQ_STEP;
            ops.push(self.record());
        }
        seq
    }

    /// The write that keeps this session's own entry up to date.
    pub(crate) fn record(&self) -> Op {
        let stored = StoredSession {
            principal: Arc::clone(&self.identity.principal),
            expiry_s: self.expiry_s,
            seq_reserved: self.seq_reserved,
            expires_at_ms: self.expires_at_ms,
        };
        Op::put(
            codec::session_key(&self.identity.client_id),
            codec::session_value(&stored),
        )
    }

    /// The writes that remove everything of this session but its will.
    pub(crate) fn erase(&self, ops: &mut Vec<Op>) {
        let client = &*self.identity.client_id;
        if !self.is_persistent() {
            return;
        }
        ops.push(Op::delete(codec::session_key(client)));
        ops.extend(
            self.subscriptions
                .keys()
                .map(|f| Op::delete(codec::subscription_key(client, f))),
        );
        ops.extend(
            self.inbound
                .iter()
                .map(|id| Op::delete(codec::inbound_key(client, *id))),
        );
        let seqs = self.outbox.stored_seqs();
        ops.extend(
            seqs.into_iter()
                .map(|seq| Op::delete(codec::queue_key(client, seq))),
        );
    }
}
