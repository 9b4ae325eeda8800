//! The papers that a citizen takes away (A11 to A13, A15): of whom they are due, and what the fee on them is.

use schemas::acceptance::AcceptanceNumber;
use schemas::civil::CivilDate;
use schemas::event::paper::MissingPaper;
use schemas::ids::{DeviceId, OrderId, SessionId, TransactionId};
use schemas::message::peripheral::Fen;
use schemas::sealed::SealedField;
use schemas::time::Now;
use schemas::words::application::{ApplicationKind, ApplicationOutcome, PaymentWay};
use schemas::words::paper::{PaperFault, PaperKind, PaperState};
use serde::{Deserialize, Serialize};

use super::{Acceptance, Application, EndedApplication};
use crate::payment::Order;
use crate::state::State;

/// How long a kiosk may say that it has not got its papers, in ms: as long as a station may hold papers at the most (`papers_held_s`).
/// After that their citizen is gone.
const ASKED_FOR_MS: u64 = 600_000;

/// Papers of an acceptance that its citizen is to have, and what a ticket needs to say where they have not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OwedPapers {
    pub(crate) kiosk: DeviceId,
    pub(crate) papers: Vec<PaperKind>,
    pub(crate) kind: Option<ApplicationKind>,
    /// Index of the event that holds what was entered.
    pub(crate) entered: Option<u64>,
    pub(crate) phone: Option<SealedField>,
}

impl OwedPapers {
    /// Of an acceptance; none: its log is from before papers were owed, and does not say whether they were handed out.
    pub(crate) fn of(acceptance: &Acceptance) -> Option<Self> {
        (!acceptance.papers.is_empty()).then(|| Self {
            kiosk: acceptance.kiosk.clone(),
            papers: acceptance.papers.clone(),
            kind: acceptance.kind,
            entered: acceptance.index,
            phone: acceptance.phone.clone(),
        })
    }

    /// All of them, for the same reason.
    pub(crate) fn all_missing(&self, fault: PaperFault) -> Vec<MissingPaper> {
        let papers = self.papers.iter().copied();
        papers.map(|paper| MissingPaper { paper, fault }).collect()
    }
}

/// How the fee of an application stands when its papers are made (A12).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeeStanding {
    /// The order.
    pub order: OrderId,
    /// How much.
    pub amount: Fen,
    /// How it is paid.
    pub way: PaymentWay,
    /// Whether it is.
    pub paid: bool,
    /// The network's transaction that paid it, where that is known.
    pub transaction: Option<TransactionId>,
    /// The last day on which it can be paid, where that is known.
    pub by: Option<CivilDate>,
}

/// How the papers of a session stand that ends in this way; none where there are none.
pub(crate) fn begin(outcome: ApplicationOutcome) -> Option<PaperState> {
    let has_papers = matches!(
        outcome,
        ApplicationOutcome::Accepted | ApplicationOutcome::Provisional | ApplicationOutcome::Window
    );
    has_papers.then_some(PaperState::Printing)
}

impl Application {
    /// The papers of its acceptance (A13).
    pub(crate) fn papers(&self) -> Vec<PaperKind> {
        let has_fee = self.order.is_some() && self.fee().is_some();
        let notice = has_fee.then_some(PaperKind::PaymentNotice);
        let papers = [PaperKind::Certificate, PaperKind::RegistrationForm];
        papers.into_iter().chain(notice).collect()
    }
}

impl EndedApplication {
    /// The papers that went to the kiosk not long before `now`.
    pub(crate) fn handed_out_by(&self, now: &Now) -> Option<&OwedPapers> {
        let owed = self.handed_out.as_ref();
        owed.filter(|_| self.asked_for_left_ms(now).is_some())
    }

    /// For how long the kiosk may still say that its papers never came, in ms; none where it may not any more.
    fn asked_for_left_ms(&self, now: &Now) -> Option<u64> {
        let since = self
            .handed_out
            .as_ref()
            .and(self.handed_out_since.as_ref())?;
        let left_ms = ASKED_FOR_MS.checked_sub(since.elapsed_ms(now));
        left_ms.filter(|left_ms| *left_ms > 0)
    }

    fn fee_standing(&self, state: &State) -> Option<FeeStanding> {
        let order = state.payments.orders.get(self.order.as_ref()?);
        let kept = order.and_then(Order::kept);
        Some(FeeStanding {
            transaction: kept.and_then(|receipt| receipt.transaction.clone()),
            order: self.order.clone()?,
            amount: self.fee?,
            way: self.way?,
            paid: self.paid,
            by: state.payable_until(&self.session),
        })
    }
}

impl State {
    /// The number of an acceptance that the centre has not decided, as it is printed.
    pub fn printed_number(&self, session: &SessionId) -> Option<AcceptanceNumber> {
        let acceptance = self.acceptances.get(session)?;
        Some(AcceptanceNumber::of(&acceptance.site, acceptance.place))
    }

    /// The sessions whose papers went to a kiosk, however long ago.
    pub fn papers_handed_out(&self) -> impl Iterator<Item = &SessionId> {
        let last = self.applications.last.values();
        let handed_out = last.filter(|ended| ended.handed_out.is_some());
        handed_out.map(|ended| &ended.session)
    }

    /// The sessions whose papers went to a kiosk that may still say at `now` that they never came: a ticket would follow (A15).
    pub fn papers_asked_for(&self, now: &Now) -> impl Iterator<Item = &SessionId> {
        let last = self.applications.last.values();
        let asked_for = last.filter(|ended| ended.asked_for_left_ms(now).is_some());
        asked_for.map(|ended| &ended.session)
    }

    /// The sessions whose papers are being made, and the fee of each, where there is one.
    pub fn papers_due(&self) -> impl Iterator<Item = (&SessionId, Option<FeeStanding>)> {
        let last = self.applications.last.values();
        let due = last.filter(|ended| ended.papers == Some(PaperState::Printing));
        due.map(|ended| (&ended.session, ended.fee_standing(self)))
    }
}

/// In how many ms a kiosk's time to ask for its papers is over, and what was kept for that can go.
pub fn papers_left_ms(state: &State, now: &Now) -> Option<u64> {
    let last = state.applications.last.values();
    last.filter_map(|ended| ended.asked_for_left_ms(now)).min()
}
