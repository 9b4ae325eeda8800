//! Papers, once what they are about is durable: set on another thread, recorded, and then given to the kiosk (A11 to A13, A15).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use futures_util::FutureExt as _;
use gateway_core::{FeeStanding, Input};
use gateway_log::Log;
use schemas::envelope;
use schemas::event::Event;
use schemas::ids::{DeviceId, SessionId};
use schemas::time::ClockTrust;
use schemas::words::paper::PaperFault;
use tokio::sync::Semaphore;

use super::{Errand, Finding};
use crate::held::Held;
use crate::metrics::Metrics;
use crate::papers::{Facts, Occasion, PaperDesk, Printer, of_acceptance, of_ticket};
use crate::slips;

/// Sessions whose papers are set at once: it is work for a processor, and the loop needs one too.
const SETTING_MAX: usize = 1;

/// Papers under way.
#[derive(Debug)]
pub(super) struct Papers {
    desk: PaperDesk,
    /// None where nobody accepts applications.
    printer: Option<Arc<Printer>>,
    setting: Arc<Semaphore>,
    metrics: Metrics,
}

impl Papers {
    pub(super) fn new(desk: PaperDesk, printer: Option<Arc<Printer>>, metrics: Metrics) -> Self {
        Self {
            desk,
            printer,
            setting: Arc::new(Semaphore::new(SETTING_MAX)),
            metrics,
        }
    }

    /// Whether papers of this session lie here for the kiosk.
    pub(super) fn has(&self, kiosk: &DeviceId, session: &SessionId) -> bool {
        self.desk.has(kiosk, session)
    }

    /// The kiosk gets the papers of this session again.
    pub(super) fn again(&self, kiosk: &DeviceId, session: &SessionId) {
        self.desk.again(kiosk, session);
    }

    /// What is durable of papers, and what is durable that papers are due of. `due`: the sessions that wait for papers, each with its
    /// fee. What the papers need is taken from what is held, which ends with the session.
    pub(super) fn follow(
        &self,
        recorded: &[(u64, Event)],
        due: &BTreeMap<SessionId, Option<FeeStanding>>,
        held: &Held,
        log: &Log,
    ) -> Vec<Errand> {
        let mut errands = Vec::new();
        for (index, event) in recorded {
            if let Event::PapersIssued(record) = event {
                self.desk.issue(record);
                self.desk.missed(&record.missing);
            } else if let Event::PapersNotHandedOut(missed) = event {
                // What was left out was counted when the others were issued.
                if !is_issued(recorded, &missed.session) {
                    self.desk.missed(&missed.missing);
                }
            } else if let Some(session) = withdrawn(event) {
                self.desk.withdraw(session);
            } else if let Some(facts) = facts(event, due, held) {
                errands.push(self.lapse(&facts.session));
                errands.push(self.make(facts, *index, log.clone()));
            }
        }
        errands
    }

    /// Sets the papers and keeps them, for the loop to record.
    fn make(&self, facts: Facts, index: u64, log: Log) -> Errand {
        let (desk, metrics) = (self.desk.clone(), self.metrics.clone());
        desk.expect(&facts.session);
        let (printer, setting) = (self.printer.clone(), Arc::clone(&self.setting));
        async move {
            let (kiosk, session, kinds) =
                (facts.kiosk.clone(), facts.session.clone(), facts.kinds());
            let mut heads = log.heads();
            let covered = heads.wait_for(|head| head.checkpoint.size > index);
            // A checkpoint comes at the latest a second after its event. Without one the log has ended.
            if facts.has_proof() && covered.await.is_err() {
                return Finding::Nothing;
            }
            let Ok(_turn) = setting.acquire().await else {
                return Finding::Nothing;
            };
            let set = panics::off_runtime(move || {
                let began = Instant::now();
                let set = occasion(&facts, index, &log)
                    .map(|occasion| Some(printer?.set(&facts, &occasion)));
                metrics
                    .papers_seconds
                    .observe(began.elapsed().as_secs_f64());
                set
            });
            let set = match set.await {
                Ok(Ok(set)) => set,
                Ok(Err(error)) => {
                    tracing::error!(%session, error = format!("{error:#}"), "the event that papers are about cannot be read");
                    None
                }
                // What a panic says may quote what was set.
                Err(_panicked) => None,
            };
            let failed = || kinds.into_iter().map(|kind| (kind, Err(PaperFault::Failed)));
            let set = set.unwrap_or_else(|| failed().collect());
            match desk.keep(&kiosk, &session, set) {
                Some(record) => Finding::Tell(Input::PapersMade(Box::new(record))),
                None => Finding::Nothing,
            }
        }
        .boxed()
    }

    /// Wipes the papers when their time is over.
    fn lapse(&self, session: &SessionId) -> Errand {
        let (desk, session) = (self.desk.clone(), session.clone());
        async move {
            tokio::time::sleep(desk.held()).await;
            desk.forget(&session);
            Finding::Nothing
        }
        .boxed()
    }
}

/// The session whose papers nobody is to have any more.
#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "a few of the events take papers away"
)]
const fn withdrawn(event: &Event) -> Option<&SessionId> {
    match event {
        Event::ErasureAsked(b) => Some(&b.session),
        Event::ApplicationCompensated(b) => Some(&b.session),
        Event::ApplicationLapsed(b) => Some(&b.session),
        _ => None,
    }
}

/// Whether papers of this session were issued just now.
fn is_issued(recorded: &[(u64, Event)], session: &SessionId) -> bool {
    let of = |event: &Event| matches!(event, Event::PapersIssued(b) if b.session == *session);
    recorded.iter().any(|(_, event)| of(event))
}

/// What the papers state that are due of this event, if there are any.
fn facts(
    event: &Event,
    due: &BTreeMap<SessionId, Option<FeeStanding>>,
    held: &Held,
) -> Option<Facts> {
    if let Event::ApplicationAccepted(accepted) = event {
        let fee = due.get(&accepted.session)?;
        Some(of_acceptance(accepted, fee.clone(), held))
    } else if let Event::WindowTicketIssued(ticket) = event {
        due.get(&ticket.session).map(|_| of_ticket(ticket))
    } else {
        None
    }
}

/// When the event was recorded, and by what it is found.
fn occasion(facts: &Facts, index: u64, log: &Log) -> anyhow::Result<Occasion> {
    let stored = log.read(index..index + 1).next();
    let (_, signed) = stored.ok_or_else(|| anyhow::anyhow!("it is not in the log"))??;
    let now = envelope::read(&signed)?.meta.now;
    let proof = if facts.has_proof() {
        slips::proof(log, index)?.to_string()
    } else {
        String::new()
    };
    Ok(Occasion {
        at_ms: now.wall_ms,
        is_dated: now.trust == ClockTrust::Synchronised,
        proof,
    })
}
