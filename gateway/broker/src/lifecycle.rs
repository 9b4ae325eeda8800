//! How a session is taken up, taken over, let go, and ended; and what becomes of its will.
//!
//! A session has at most one connection at a time: a second one waits until the first has driven its
//! commits to their end, so that a duplicate can never overtake the original. A will goes to the handler before the
//! next connection of its client is let in, so that it can never overtake that client's next birth.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::oneshot;

use crate::codec::{self, StoredWill};
use crate::handler::{
    Action, ConnectRefusal, DisconnectReason, Event, Identity, Medium, PublishOutcome,
};
use crate::message::Message;
use crate::session::{Link, Session, Will};
use crate::shared::Shared;
use crate::state::{Context, State};
use crate::trie::SessionKey;
use crate::writer::{Op, Written, settled};

/// What a CONNECT asks of the session.
pub(crate) struct Claim {
    pub(crate) identity: Identity,
    pub(crate) clean_start: bool,
    pub(crate) expiry_s: u32,
    /// The will and its delay in seconds.
    pub(crate) will: Option<(Message, u32)>,
}

/// A session that now belongs to a connection.
pub(crate) struct Claimed {
    pub(crate) key: SessionKey,
    pub(crate) session_present: bool,
    pub(crate) written: Option<Written>,
}

/// A will to publish now.
pub(crate) type DueWill = (Identity, Will);

enum Step {
    Claimed(SessionKey, bool),
    Wait(oneshot::Receiver<()>),
    Refuse(ConnectRefusal),
}

/// Takes the session up for `link`, making it if need be. Waits while another connection has it.
pub(crate) async fn claim(
    shared: &Arc<Shared>,
    claim: &Claim,
    link: &Arc<Link>,
) -> Result<Claimed, ConnectRefusal> {
    loop {
        let (step, written) = with_wills(shared, |state, cx, ops, due| {
            try_claim(state, cx, claim, link, ops, due)
        });
        match step {
            Step::Claimed(key, session_present) => {
                return Ok(Claimed {
                    key,
                    session_present,
                    written,
                });
            }
            // The sender is only ever dropped: when the session was let go.
            Step::Wait(released) => released.await.unwrap_or(()),
            Step::Refuse(reason) => return Err(reason),
        }
    }
}

fn try_claim(
    state: &mut State,
    cx: Context<'_>,
    claim: &Claim,
    link: &Arc<Link>,
    ops: &mut Vec<Op>,
    due: &mut Vec<DueWill>,
) -> Step {
    let known = state.names.get(&claim.identity.client_id).copied();
    let existing = known.and_then(|key| Some((key, state.sessions.get_mut(&key)?)));
    let mut resumed = None;
    if let Some((key, session)) = existing {
        if session.identity.principal != claim.identity.principal {
            return Step::Refuse(ConnectRefusal::ClientIdentifierNotValid);
        }
        if let Some(online) = &session.online {
            online.close(DisconnectReason::TakenOver);
            let (released, wait) = oneshot::channel();
            session.waiting.push(released);
            return Step::Wait(wait);
        }
        let lives = session.expires_at_ms.is_some_and(|at| at > cx.now_ms);
        if claim.clean_start || !session.is_persistent() || !lives {
            discard(state, cx, key, ops, due);
        } else {
            resumed = Some(key);
        }
    }
    let key = match resumed {
        Some(key) => key,
        None if state.sessions.len() >= cx.limits.sessions_max => {
            return Step::Refuse(ConnectRefusal::QuotaExceeded);
        }
        None => state.add(Session::new(claim.identity.clone(), claim.expiry_s)),
    };
    clear_timers(state, key);
    if let Some(session) = state.sessions.get_mut(&key) {
        take_up(session, cx, claim, link, resumed.is_some(), ops);
    }
    Step::Claimed(key, resumed.is_some())
}

fn take_up(
    session: &mut Session,
    cx: Context<'_>,
    claim: &Claim,
    link: &Arc<Link>,
    resumed: bool,
    ops: &mut Vec<Op>,
) {
    if resumed && claim.expiry_s == 0 {
        // From now on it ends with its connection, so nothing of it may be found after a restart.
        session.erase(ops);
    }
    session.expiry_s = claim.expiry_s;
    session.online = Some(Arc::clone(link));
    session.outbox.resume();
    link.delivered();
    if session.is_persistent() {
        ops.push(session.record());
    }
    let client = &claim.identity.client_id;
    let old_stored = session.will.take().is_some_and(|will| will.stored);
    session.will = claim.will.clone().map(|(message, delay_s)| {
        let stored = cx.handler.storage(&message.topic).medium == Medium::Durable;
        Will {
            message,
            delay_s,
            stored,
            from_restart: false,
        }
    });
    match &session.will {
        Some(will) if will.stored => {
            let stored = StoredWill {
                principal: Arc::clone(&claim.identity.principal),
                delay_s: will.delay_s,
                message: will.message.clone(),
            };
            ops.push(Op::put(codec::will_key(client), codec::will_value(&stored)));
        }
        Some(_) | None if old_stored => ops.push(Op::delete(codec::will_key(client))),
        Some(_) | None => {}
    }
}

/// Ends a session that is not connected.
fn discard(
    state: &mut State,
    cx: Context<'_>,
    key: SessionKey,
    ops: &mut Vec<Op>,
    due: &mut Vec<DueWill>,
) {
    clear_timers(state, key);
    let Some(mut session) = state.remove(key, cx.limits) else {
        return;
    };
    session.erase(ops);
    match session.will.take() {
        // The broker went away, not the client: it is back before the will was due.
        Some(will) if will.from_restart => {
            ops.push(Op::delete(codec::will_key(&session.identity.client_id)));
        }
        Some(will) => due.push((session.identity, will)),
        None => {}
    }
}

fn clear_timers(state: &mut State, key: SessionKey) {
    if let Some(session) = state.sessions.get_mut(&key) {
        for at in [session.expires_at_ms.take(), session.will_due_ms.take()]
            .into_iter()
            .flatten()
        {
            state.timers.remove(&(at, key));
        }
    }
}

/// Lets a session go when its connection has ended and its commits are settled. `expiry_s` is the
/// last word of the client (DISCONNECT may change it).
pub(crate) fn release(
    shared: &Arc<Shared>,
    key: SessionKey,
    reason: DisconnectReason,
    expiry_s: u32,
) {
    let ((), _written) = with_wills(shared, |state, cx, ops, due| {
        let_go(state, cx, key, reason, expiry_s, ops, due);
    });
    shared.timers_changed.notify_one();
}

fn let_go(
    state: &mut State,
    cx: Context<'_>,
    key: SessionKey,
    reason: DisconnectReason,
    expiry_s: u32,
    ops: &mut Vec<Op>,
    due: &mut Vec<DueWill>,
) {
    let Some(session) = state.sessions.get_mut(&key) else {
        return;
    };
    session.online = None;
    // Dropping the senders wakes whoever waits for the session.
    session.waiting.clear();
    session.outbox.park();
    if expiry_s == 0 {
        session.erase(ops);
    }
    session.expiry_s = expiry_s;
    match (reason, session.will.take()) {
        (DisconnectReason::ClientDisconnect, Some(will)) => {
            if will.stored {
                ops.push(Op::delete(codec::will_key(&session.identity.client_id)));
            }
        }
        // It stays in the store, and is published after the next start unless the client is back.
        (_, None) | (DisconnectReason::ServerShuttingDown, Some(_)) => {}
        (_, Some(will)) => {
            let delay_s = will.delay_s.min(session.expiry_s);
            if delay_s == 0 {
                due.push((session.identity.clone(), will));
            } else {
                session.will = Some(will);
                session.will_due_ms = Some(after(cx.now_ms, delay_s));
            }
        }
    }
    if session.is_persistent() {
        let expires_at_ms = after(cx.now_ms, session.expiry_s);
        session.expires_at_ms = Some(expires_at_ms);
        ops.push(session.record());
        let timers = [session.expires_at_ms, session.will_due_ms];
        state
            .timers
            .extend(timers.into_iter().flatten().map(|at| (at, key)));
    } else {
        state.remove(key, cx.limits);
    }
}

fn after(now_ms: u64, seconds: u32) -> u64 {
    now_ms.saturating_add(u64::from(seconds) * 1_000)
}

/// Publishes wills that are due and ends sessions that ran out. Returns when to look again.
pub(crate) fn tend(shared: &Arc<Shared>) -> Option<u64> {
    let (next, _written) = with_wills(shared, |state, cx, ops, due| {
        while let Some(&(at, key)) = state.timers.first()
            && at <= cx.now_ms
        {
            state.timers.remove(&(at, key));
            tend_session(state, cx, key, ops, due);
        }
        state.timers.first().map(|(at, _)| *at)
    });
    next
}

fn tend_session(
    state: &mut State,
    cx: Context<'_>,
    key: SessionKey,
    ops: &mut Vec<Op>,
    due: &mut Vec<DueWill>,
) {
    let Some(session) = state.sessions.get_mut(&key) else {
        return;
    };
    if session.will_due_ms.is_some_and(|at| at <= cx.now_ms) {
        session.will_due_ms = None;
        due.extend(
            session
                .will
                .take()
                .map(|will| (session.identity.clone(), will)),
        );
    }
    if session.expires_at_ms.is_some_and(|at| at <= cx.now_ms) {
        let identity = session.identity.clone();
        discard(state, cx, key, ops, due);
        cx.handler.observe(Event::SessionExpired { identity });
    }
}

/// Removes retained messages that ran out.
pub(crate) fn sweep_retained(shared: &Shared) {
    let ((), _written) = shared.change(|state, cx, ops| {
        for retained in state.retained.expired(cx.now_ms) {
            let topic = &retained.message.topic;
            state.retained.remove(topic);
            ops.push(Op::delete(codec::retained_key(topic)));
        }
    });
}

/// Changes the state and hands the wills that became due to the handler. No session is taken up in between: whoever
/// takes one up waits for this.
fn with_wills<R>(
    shared: &Arc<Shared>,
    change: impl FnOnce(&mut State, Context<'_>, &mut Vec<Op>, &mut Vec<DueWill>) -> R,
) -> (R, Option<Written>) {
    // Not the state's lock: the handler may publish.
    let in_turn = shared.wills_in_turn();
    let mut due = Vec::new();
    let changed = shared.change(|state, cx, ops| change(state, cx, ops, &mut due));
    for (identity, will) in due {
        let handler = &shared.handler;
        let outcome = if handler.authorise(&identity, Action::Will, &will.message.topic) {
            handler.publish(&identity, will.message.clone())
        } else {
            std::future::ready(PublishOutcome::Consumed).boxed()
        };
        tokio::spawn(publish_will(Arc::clone(shared), identity, will, outcome));
    }
    drop(in_turn);
    changed
}

async fn publish_will(
    shared: Arc<Shared>,
    identity: Identity,
    will: Will,
    outcome: BoxFuture<'static, PublishOutcome>,
) {
    let outcome = outcome.await;
    let ((), written) = shared.change(|state, cx, ops| {
        if outcome == PublishOutcome::Accepted {
            state.route(cx, &will.message, None, ops);
        }
        let client = &identity.client_id;
        let replaced = state
            .names
            .get(client)
            .and_then(|key| state.sessions.get(key))
            .is_some_and(|session| session.will.as_ref().is_some_and(|newer| newer.stored));
        // Only now: until the handler has it, a crash must find the will again.
        if will.stored && !replaced {
            ops.push(Op::delete(codec::will_key(client)));
        }
    });
    // The writer has reported a failure already; the will then comes again after a restart.
    drop(settled(written).await);
}
