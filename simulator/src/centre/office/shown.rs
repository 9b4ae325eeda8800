//! What the centre's pages show of applications. Nothing personal.

use std::collections::BTreeMap;

use schemas::ids::{CardSerial, OrderId, StationId};
use schemas::words::application::{ApplicationKind, RejectionReason};
use serde::Serialize;

use super::cases::{Case, Standing};
use super::{Day, Office, OfficeFaults};

/// The office at a glance.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct OfficeShown {
    /// The applications, the newest last.
    pub cases: Vec<CaseShown>,
    /// Questions of stations that are not answered, because a key has not come.
    pub questions: usize,
    /// Letters that are late, kept back, or on their way.
    pub letters: usize,
    /// Orders that are paid, of all that were opened.
    pub paid: usize,
    /// Orders that were opened.
    pub orders: usize,
    /// Refunds that stations asked for.
    pub refunds: u64,
    /// Of these, what stations have recorded as given back.
    pub refunded: u64,
    /// Notices of decisions that were sent to phones.
    pub notices: u64,
    /// Notices that wait until a phone number can be opened.
    pub notices_waiting: usize,
    /// Days of stations as both have them, the newest last.
    pub days: Vec<Day>,
    /// What the centre has more than a station, all its days together, in fen.
    pub differences_fen: BTreeMap<StationId, i64>,
    /// Window tickets that no officer has seen to.
    pub tickets: usize,
    /// How it misbehaves.
    pub faults: OfficeFaults,
}

/// How an application stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CaseStanding {
    /// It was not read yet.
    Arrived,
    /// It stands; its card waits for the payment.
    Confirmed,
    /// It does not.
    Rejected,
    /// Nobody paid in time.
    Lapsed,
    /// Its card is made and announced.
    Made,
}

/// How a fee stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeeStanding {
    /// There is none.
    Free,
    /// Nobody has paid it.
    Open,
    /// It is paid.
    Paid,
    /// Money of its order is still to be given back.
    Refunding,
    /// All that was to be given back of its order was, as the station has recorded.
    Refunded,
}

/// An application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CaseShown {
    /// The station that accepted it.
    pub station: String,
    /// The session.
    pub session: String,
    /// What is applied for.
    pub kind: Option<ApplicationKind>,
    /// Whether the station accepted it provisionally.
    pub provisional: bool,
    /// How it stands.
    pub standing: CaseStanding,
    /// Why it was rejected.
    pub rejected: Option<RejectionReason>,
    /// The order of its fee.
    pub order: Option<OrderId>,
    /// How that fee stands.
    pub fee: FeeStanding,
    /// Its card, once it is made.
    pub card: Option<CardSerial>,
}

impl Office {
    pub(super) fn shown(&self) -> OfficeShown {
        let mut cases: Vec<&Case> = self.cases.values().collect();
        cases.sort_by_key(|case| case.arrival);
        let paid = self.bills.values().filter(|bill| bill.is_paid());
        OfficeShown {
            cases: cases
                .into_iter()
                .map(|case| self.case_shown(case))
                .collect(),
            questions: self.questions.len(),
            letters: self.outbox.len(),
            paid: paid.count(),
            orders: self.bills.len(),
            refunds: self.bills.values().map(|b| u64::from(b.refunds)).sum(),
            refunded: self.bills.values().map(|b| u64::from(b.refunded)).sum(),
            notices: self.notices_sent,
            notices_waiting: self.notices.len(),
            days: self.days.iter().cloned().collect(),
            differences_fen: self.differences_fen.clone(),
            tickets: self.tickets.len(),
            faults: self.faults,
        }
    }

    fn case_shown(&self, case: &Case) -> CaseShown {
        let (standing, rejected, card) = match &case.standing {
            Standing::Arrived => (CaseStanding::Arrived, None, None),
            Standing::Confirmed => (CaseStanding::Confirmed, None, None),
            Standing::Rejected(reason) => (CaseStanding::Rejected, Some(*reason), None),
            Standing::Lapsed => (CaseStanding::Lapsed, None, None),
            Standing::Made { card, .. } => (CaseStanding::Made, None, Some(card.clone())),
        };
        CaseShown {
            station: case.sender.station.to_string(),
            session: case.session.to_string(),
            kind: case.kind,
            provisional: case.is_provisional,
            standing,
            rejected,
            order: case.order.clone(),
            fee: self.fee_of(case),
            card,
        }
    }

    fn fee_of(&self, case: &Case) -> FeeStanding {
        let Some(order) = &case.order else {
            return FeeStanding::Free;
        };
        match self.bills.get(order) {
            Some(bill) if bill.is_paid() => FeeStanding::Paid,
            Some(bill) if bill.is_given_back && bill.refunded < bill.refunds => {
                FeeStanding::Refunding
            }
            Some(bill) if bill.is_given_back => FeeStanding::Refunded,
            Some(_) | None => FeeStanding::Open,
        }
    }
}
