//! Where made papers lie until they are no longer asked for: the newest session's of each kiosk.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use documents::Pdf;
use schemas::event::paper::{IssuedPaper, MissingPaper, PapersIssued};
use schemas::ids::{DeviceId, MessageId, PaperHash, SessionId};
use schemas::message::paper::{Paper, PaperBytes, job_of};
use schemas::words::paper::{PaperFault, PaperKind};

use crate::effects::personal_json;
use crate::metrics::Metrics;
use crate::outlet::{Outgoing, Outlet};
use crate::sealing::random;

/// Bytes of a message beside the paper itself.
const HEAD_BYTES: usize = 1_024;

/// The place. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PaperDesk(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    outlet: Arc<dyn Outlet>,
    metrics: Metrics,
    held: Duration,
    made: Mutex<BTreeMap<DeviceId, Made>>,
    /// Sessions whose papers are being set.
    setting: Mutex<BTreeSet<SessionId>>,
}

/// The papers of a session.
#[derive(Debug)]
pub(crate) struct Made {
    session: SessionId,
    papers: Vec<(PaperKind, PaperHash, Arc<Pdf>)>,
    /// The log says that they were made.
    issued: bool,
}

impl PaperDesk {
    /// `held`: how long papers stay after their session's end.
    pub fn new(outlet: Arc<dyn Outlet>, metrics: Metrics, held: Duration) -> Self {
        Self(Arc::new(Inner {
            outlet,
            metrics,
            held,
            made: Mutex::default(),
            setting: Mutex::default(),
        }))
    }

    /// How long papers stay.
    pub(crate) fn held(&self) -> Duration {
        self.0.held
    }

    /// The papers of this session are being set.
    pub(crate) fn expect(&self, session: &SessionId) {
        self.setting().insert(session.clone());
    }

    /// Keeps what was made, and says what is to be recorded of it. Nobody gets any of it before that is durable. None: the session has
    /// ended otherwise while its papers were set, and nothing of them is kept.
    pub(crate) fn keep(
        &self,
        kiosk: &DeviceId,
        session: &SessionId,
        set: Vec<(PaperKind, Result<Pdf, PaperFault>)>,
    ) -> Option<PapersIssued> {
        let mut record = PapersIssued {
            session: session.clone(),
            kiosk: kiosk.clone(),
            papers: Vec::new(),
            missing: Vec::new(),
        };
        let mut papers = Vec::new();
        for (paper, pdf) in set {
            match pdf {
                Ok(pdf) => {
                    let sha256 = PaperHash::of(pdf.as_bytes());
                    papers.push((paper, sha256.clone(), Arc::new(pdf)));
                    record.papers.push(IssuedPaper { paper, sha256 });
                }
                Err(fault) => record.missing.push(MissingPaper { paper, fault }),
            }
        }
        let made = Made {
            session: session.clone(),
            papers,
            issued: false,
        };
        // Held until they are here, so that nobody withdraws them in between.
        let mut setting = self.setting();
        if !setting.remove(session) {
            return None;
        }
        self.made().insert(kiosk.clone(), made);
        drop(setting);
        Some(record)
    }

    /// The log says what was made: the kiosk gets it.
    pub(crate) fn issue(&self, record: &PapersIssued) {
        let papers = {
            let mut all = self.made();
            let made = all.get_mut(&record.kiosk);
            let Some(made) = made.filter(|made| made.session == record.session) else {
                return;
            };
            made.issued = true;
            made.papers.clone()
        };
        self.send(&record.kiosk, &record.session, papers, "issued");
    }

    /// The log says which papers did not come to their citizen.
    pub(crate) fn missed(&self, missing: &[MissingPaper]) {
        for missing in missing {
            self.count(missing.paper, missing.fault.as_str());
        }
    }

    /// Whether papers of this session lie here for the kiosk. Those that the log does not say are made yet come to it once it does, so
    /// that nobody may take them for gone.
    pub(crate) fn has(&self, kiosk: &DeviceId, session: &SessionId) -> bool {
        let all = self.made();
        let made = all.get(kiosk);
        made.is_some_and(|made| made.session == *session && !made.papers.is_empty())
    }

    /// The kiosk gets the papers of this session again, if they were issued and are still here.
    pub(crate) fn again(&self, kiosk: &DeviceId, session: &SessionId) {
        let papers = {
            let all = self.made();
            let made = all.get(kiosk);
            let made = made.filter(|made| made.session == *session && made.issued);
            made.map_or_else(Vec::new, |made| made.papers.clone())
        };
        self.send(kiosk, session, papers, "again");
    }

    /// The papers of this session are wiped, with their last user.
    pub(crate) fn forget(&self, session: &SessionId) {
        self.made().retain(|_, made| made.session != *session);
    }

    /// Nobody is to have papers of this session any more, made or being set.
    pub(crate) fn withdraw(&self, session: &SessionId) {
        self.setting().remove(session);
        self.forget(session);
    }

    fn send(
        &self,
        kiosk: &DeviceId,
        session: &SessionId,
        papers: Vec<(PaperKind, PaperHash, Arc<Pdf>)>,
        result: &'static str,
    ) {
        for (kind, sha256, pdf) in papers {
            match outgoing(kiosk, session, kind, sha256, &pdf) {
                Some(mut message) => {
                    // Of no use to anybody once the papers are gone here.
                    message.expiry_s = Some(u32::try_from(self.0.held.as_secs()).unwrap_or(1));
                    self.0.outlet.send(message);
                    self.count(kind, result);
                }
                None => self.count(kind, PaperFault::Failed.as_str()),
            }
        }
    }

    fn count(&self, kind: PaperKind, result: &str) {
        let labels = [kind.as_str(), result];
        self.0.metrics.papers.with_label_values(&labels).inc();
    }

    fn setting(&self) -> MutexGuard<'_, BTreeSet<SessionId>> {
        self.0
            .setting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn made(&self) -> MutexGuard<'_, BTreeMap<DeviceId, Made>> {
        self.0.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// None: it is longer than a message may be, or there are no random bytes.
fn outgoing(
    kiosk: &DeviceId,
    session: &SessionId,
    kind: PaperKind,
    sha256: PaperHash,
    pdf: &Pdf,
) -> Option<Outgoing> {
    let mut id = [0; 16];
    random(&mut id).ok()?;
    let id = uuid::Builder::from_random_bytes(id).into_uuid();
    let paper = Paper {
        message_id: MessageId::new(id.to_string()).ok()?,
        session: session.clone(),
        paper: kind,
        media: kind.media(),
        job: job_of(session, kind).ok()?,
        sha256,
        pdf: PaperBytes::new(pdf.as_bytes().to_vec()).ok()?,
    };
    Some(Outgoing {
        device: kiosk.clone(),
        channel: "papers".to_owned(),
        payload: personal_json(&paper, HEAD_BYTES + paper.pdf.base64_len()),
        assured: true,
        expiry_s: None,
    })
}
