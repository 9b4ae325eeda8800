//! Erasures that are under way, and who waits for one.
//!
//! Level-triggered: what the rules want erased is begun, once in each life, and done again after a crash until the event
//! that says so is durable. A failure is tried again; it must never be told as done.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::FutureExt as _;
use gateway_core::{Erasure, Input};
use gateway_log::{Log, LogFailed};
use schemas::envelope;
use schemas::event::Event;
use schemas::event::evidence::ErasureDone;
use schemas::ids::SessionId;
use schemas::key::SealingKeyId;
use schemas::words::RefusalReason;
use tokio::sync::oneshot;

use super::{Errand, Finding};
use crate::sealing::{Erased, SealingDesk};

/// After a failure the disk is given this long.
const RETRY_PAUSE: Duration = Duration::from_secs(10);
/// Who may wait for one erasure at once.
const WAITING_MAX: usize = 16;

/// What became of a request to erase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EraseAnswer {
    /// Every key that was here is destroyed, and the event that says so is durable.
    Done {
        /// The keys.
        keys: Vec<SealingKeyId>,
        /// Whether keys of the session have gone up, so that the centre is asked.
        centre_asked: bool,
    },
    /// It was erased before, or the centre is asked already: nothing was done.
    Before(Erasure),
    /// The rules said no.
    Refused(RefusalReason),
    /// Whether there is such a session could not be read: why. Nothing is recorded.
    NotLookedUp(String),
    /// It is recorded, and something stands in the way: why. It goes on by itself.
    NotYet(String),
}

/// What became of a request to erase, once its group is durable.
#[derive(Debug)]
pub struct EraseAsked {
    /// The session.
    pub session: SessionId,
    /// The answer, where there is nothing to wait for.
    pub answer: Option<EraseAnswer>,
    /// Who waits.
    pub done: oneshot::Sender<EraseAnswer>,
}

#[derive(Debug)]
pub(super) struct Erasures {
    sealing: SealingDesk,
    under_way: BTreeSet<SessionId>,
    waiting: BTreeMap<SessionId, Vec<oneshot::Sender<EraseAnswer>>>,
}

impl Erasures {
    pub(super) fn new(sealing: SealingDesk) -> Self {
        Self {
            sealing,
            under_way: BTreeSet::new(),
            waiting: BTreeMap::new(),
        }
    }

    /// It is durable that a session's keys are destroyed.
    pub(super) fn done(&mut self, event: &ErasureDone) {
        self.under_way.remove(&event.session);
        self.sealing.store().forget_notes(&event.keys);
        for done in self.waiting.remove(&event.session).unwrap_or_default() {
            let answer = EraseAnswer::Done {
                keys: event.keys.clone(),
                centre_asked: event.centre_asked,
            };
            // Whoever asked may be gone; the event stays.
            done.send(answer).ok();
        }
    }

    pub(super) fn asked(&mut self, asked: EraseAsked) {
        let EraseAsked {
            session,
            answer,
            done,
        } = asked;
        if let Some(answer) = answer {
            done.send(answer).ok();
            return;
        }
        let waiting = self.waiting.entry(session).or_default();
        if waiting.len() < WAITING_MAX {
            waiting.push(done);
        } else {
            let why = format!("{WAITING_MAX} others wait for it already");
            done.send(EraseAnswer::NotYet(why)).ok();
        }
    }

    /// An attempt failed. Who waits hears why; it is tried again until it is done.
    pub(super) fn failed(&mut self, session: SessionId, why: &str, log: &Log) -> Errand {
        for done in self.waiting.remove(&session).unwrap_or_default() {
            done.send(EraseAnswer::NotYet(why.to_owned())).ok();
        }
        let again = erase(self.sealing.clone(), log.clone(), session);
        async move {
            tokio::time::sleep(RETRY_PAUSE).await;
            again.await
        }
        .boxed()
    }

    /// What is to be erased now and is not under way yet.
    pub(super) fn begin(&mut self, wanted: BTreeSet<SessionId>, log: &Log) -> Vec<Errand> {
        let new: Vec<_> = wanted.difference(&self.under_way).cloned().collect();
        new.into_iter()
            .map(|session| {
                self.under_way.insert(session.clone());
                erase(self.sealing.clone(), log.clone(), session)
            })
            .collect()
    }
}

fn erase(sealing: SealingDesk, log: Log, session: SessionId) -> Errand {
    async move {
        match attempt(&sealing, &log, &session).await {
            Ok((keys, centre_asked)) => Finding::Tell(Input::Erased {
                session,
                keys,
                centre_asked,
            }),
            Err(error) => {
                let why = format!("{error:#}");
                tracing::error!(%session, error = why, "the keys of a session could not be destroyed; it is tried again");
                Finding::NotErased { session, why }
            }
        }
    }
    .boxed()
}

async fn attempt(
    sealing: &SealingDesk,
    log: &Log,
    session: &SessionId,
) -> anyhow::Result<(Vec<SealingKeyId>, bool)> {
    let Erased(mut here) = sealing.erase(session).await?;
    let (log, of) = (log.clone(), session.clone());
    // What was pruned had gone up.
    let pruned = index_of(session).is_some_and(|index| index < log.first_index());
    let named = panics::off_runtime(move || named(&log, &of)).await??;
    // A file that does not say whose it is, or cannot be read, is found by the name that the log has for it.
    let missing: BTreeSet<_> = named
        .iter()
        .filter(|key| !here.contains(key))
        .cloned()
        .collect();
    let found = sealing.erase_named(session, missing.clone()).await?;
    let gone = missing.iter().any(|key| !found.contains(key));
    here.extend(found);
    here.sort();
    let (store, keys) = (sealing.store().clone(), here.clone());
    // One that was on its way when it was destroyed here may have arrived all the same.
    let on_its_way = panics::off_runtime(move || store.any_sent(&keys)).await??;
    Ok((here, pruned || gone || on_its_way))
}

/// The keys of a session that the log names and does not say were destroyed here. Reads the whole log from the session on:
/// an erasure is rare.
fn named(log: &Log, session: &SessionId) -> Result<BTreeSet<SealingKeyId>, LogFailed> {
    let (mut named, mut destroyed) = (BTreeSet::new(), BTreeSet::new());
    let quoted = format!("\"{session}\"");
    let size = log.size();
    let begun = index_of(session).unwrap_or(0).max(log.first_index());
    for stored in log.read(begun.min(size)..size) {
        let (_, signed) = stored?;
        // Most events are another session's; reading them all would take many times as long.
        if !holds(&signed, quoted.as_bytes()) {
            continue;
        }
        let Ok(entry) = envelope::read(&signed) else {
            continue;
        };
        if super::session_of(&entry.event) != Some(session) {
            continue;
        }
        if let Event::ErasureDone(done) = &entry.event {
            destroyed.extend(done.keys.iter().cloned());
        } else if let Some(sealed) = entry.event.sealed() {
            named.extend(sealed.keys);
        }
    }
    Ok(&named - &destroyed)
}

/// The event that opened a session: its name says where.
pub(crate) fn index_of(session: &SessionId) -> Option<u64> {
    session.as_str().strip_prefix("s-")?.parse().ok()
}

fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}
