//! From the store's entries back to the state, at start.

use std::sync::Arc;

use crate::codec::{self, Record, StoredSession, StoredWill};
use crate::config::Limits;
use crate::handler::Identity;
use crate::session::{Session, Will};
use crate::state::State;
use crate::store::{Entry, StoreError};
use crate::topic;
use crate::trie::Subscriber;
use crate::writer::Op;

/// The state as stored, and the writes that tidy the store up.
pub(crate) fn restore(
    mut entries: Vec<Entry>,
    limits: &Limits,
    now_ms: u64,
) -> Result<(State, Vec<Op>), StoreError> {
    // Key order puts queued messages in the order of their sequence numbers.
    entries.sort_unstable();
    let mut restoring = Restoring {
        state: State::default(),
        ops: Vec::new(),
        limits,
        now_ms,
    };
    let mut rest = Vec::new();
    for (key, value) in entries {
        match codec::read(&key, &value)? {
            Record::Session { client, session } => restoring.session(key, &client, session),
            other @ (Record::Subscription { .. }
            | Record::Queued { .. }
            | Record::Released { .. }
            | Record::Inbound { .. }
            | Record::Retained(_)
            | Record::Will { .. }) => rest.push((key, other)),
        }
    }
    for (key, record) in rest {
        if !restoring.record(record) {
            restoring.ops.push(Op::delete(key));
        }
    }
    Ok((restoring.state, restoring.ops))
}

struct Restoring<'a> {
    state: State,
    ops: Vec<Op>,
    limits: &'a Limits,
    now_ms: u64,
}

impl Restoring<'_> {
    fn session(&mut self, key: Vec<u8>, client: &str, stored: StoredSession) {
        // None means that it was connected when the broker went away.
        let full = self
            .now_ms
            .saturating_add(u64::from(stored.expiry_s) * 1_000);
        let expires_at_ms = stored.expires_at_ms.unwrap_or(full).min(full);
        if expires_at_ms <= self.now_ms || stored.expiry_s == 0 {
            self.ops.push(Op::delete(key));
            return;
        }
        let identity = Identity::new(client, stored.principal);
        let session = Session::restored(
            identity,
            stored.expiry_s,
            stored.seq_reserved,
            Some(expires_at_ms),
        );
        self.ops.push(session.record());
        let key = self.state.add(session);
        self.state.timers.insert((expires_at_ms, key));
    }

    /// False when the entry has no place any more.
    fn record(&mut self, record: Record) -> bool {
        match record {
            Record::Session { .. } => true,
            Record::Subscription {
                client,
                filter,
                options,
            } => {
                let Some(parsed) = topic::parse_filter(&filter, self.limits) else {
                    return false;
                };
                let Some(key) = self.state.names.get(&*client).copied() else {
                    return false;
                };
                self.state.trie.insert(
                    parsed,
                    Subscriber {
                        session: key,
                        options,
                    },
                );
                self.with(&client, |s| {
                    s.subscriptions.insert(filter.into(), options);
                })
            }
            Record::Queued { client, delivery } => {
                self.with(&client, |s| s.outbox.restore(delivery))
            }
            Record::Released { client, seq } => {
                self.with(&client, |s| s.outbox.restore_released(seq))
            }
            Record::Inbound { client, id } => self.with(&client, |s| {
                s.inbound.insert(id);
            }),
            Record::Retained(retained) => {
                retained.expires_at_ms.is_none_or(|at| at > self.now_ms)
                    && self.state.retained.insert(
                        retained,
                        self.limits.retained_count_max,
                        self.limits.retained_bytes_max,
                    )
            }
            Record::Will { client, will } => {
                self.will(&client, will);
                true
            }
        }
    }

    fn with(&mut self, client: &str, act: impl FnOnce(&mut Session)) -> bool {
        let session = self
            .state
            .names
            .get(client)
            .and_then(|key| self.state.sessions.get_mut(key));
        session.map(act).is_some()
    }

    fn will(&mut self, client: &str, stored: StoredWill) {
        let delay_ms = (u64::from(stored.delay_s) * 1_000).max(self.limits.will_restart_delay_ms);
        let due_ms = self.now_ms.saturating_add(delay_ms);
        let key = self.state.names.get(client).copied().unwrap_or_else(|| {
            // A session that ended with the broker, kept only as long as its will is due.
            let identity = Identity::new(client, Arc::clone(&stored.principal));
            let key = self
                .state
                .add(Session::restored(identity, 0, 1, Some(due_ms)));
            self.state.timers.insert((due_ms, key));
            key
        });
        if let Some(session) = self.state.sessions.get_mut(&key) {
            session.will = Some(Will {
                message: stored.message,
                delay_s: stored.delay_s,
                stored: true,
                from_restart: true,
            });
            session.will_due_ms = Some(due_ms);
            self.state.timers.insert((due_ms, key));
        }
    }
}
