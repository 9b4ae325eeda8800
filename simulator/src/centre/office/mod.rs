//! What the centre does about applications: it says who is eligible, sends codes, confirms payments, decides what was accepted in the order
//! in which it learns who applied, has the cards made and announces them, and grants stations what they may decide alone.
//!
//! All it knows is from the logs and from the counter (the demonstration's people: a citizen who pays, a phone that shows what was
//! sent). It opens what is sealed with the centre's private key, so its file holds personal data, and nothing of that is ever shown but
//! on the phone.

mod asked;
mod bills;
mod cases;
mod codes;
pub(super) mod counter;
mod days;
mod deciding;
mod grants;
mod letters;
mod maker;
mod notices;
mod opening;
mod review;
pub(super) mod serving;
mod shown;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use schemas::envelope::Entry;
use schemas::event::Event;
use schemas::ids::{OrderId, SessionId, StationId, TicketNumber};
use schemas::time::ClockTrust;
use schemas::words::application::FacePair;
use serde::{Deserialize, Serialize};

pub use asked::{Asked, OfficeFaults};
pub use days::{Day, Sums};
pub use grants::GrantTerms;
pub use shown::{CaseShown, CaseStanding, FeeStanding, OfficeShown};

use bills::Bill;
use cases::{Case, Question};
use grants::Granted;
use letters::{Letter, Posted};
use notices::Notice;
pub(super) use opening::Openers;

/// Everything the office knows. Saved before anything is said of it.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Office {
    /// The next event of each log, by stream: what was taken is not taken again.
    read: BTreeMap<String, u64>,
    questions: Vec<Question>,
    /// By stream and session.
    cases: BTreeMap<String, Case>,
    arrivals: u64,
    openings: u64,
    /// Faces that are left to the centre to compare, of sessions under way, as cases go.
    pending: BTreeMap<String, BTreeSet<FacePair>>,
    bills: BTreeMap<OrderId, Bill>,
    /// Window tickets that no officer has seen to, by number and station.
    tickets: Vec<Ticket>,
    /// What phones were sent, the newest last.
    messages: VecDeque<Message>,
    /// Notices that wait for the key of their phone number, and how many were sent.
    notices: Vec<Notice>,
    notices_sent: u64,
    /// Days of stations, the newest last; what terminals took since the last one, by stream; and what the networks have more than a station
    /// had heard of at the end of its days, in fen.
    days: VecDeque<Day>,
    terminals: BTreeMap<String, Sums>,
    differences_fen: BTreeMap<StationId, i64>,
    outbox: VecDeque<Posted>,
    granted: BTreeMap<StationId, Granted>,
    made: u32,
    transactions: u64,
    faults: OfficeFaults,
    /// Citizen numbers of the flagged: configured, not remembered.
    #[serde(skip)]
    flagged: BTreeSet<String>,
}

/// A log, as it is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sender {
    pub(super) stream: String,
    pub(super) station: StationId,
    pub(super) incarnation: u32,
    pub(super) origin: String,
}

/// An event in its place in a log.
#[derive(Debug, Clone)]
pub(super) struct Heard {
    pub(super) index: u64,
    pub(super) event: Event,
    /// When, by the station's wall clock, where that could be believed.
    pub(super) at_ms: Option<u64>,
}

/// A window ticket.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Ticket {
    sender: Sender,
    session: SessionId,
    number: TicketNumber,
}

/// What a phone shows. Personal data, synthetic.
#[derive(Clone, Serialize, Deserialize)]
struct Message {
    phone: String,
    text: String,
}

impl core::fmt::Debug for Message {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Message(hidden)")
    }
}

impl core::fmt::Debug for Office {
    // It holds persons.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Office")
            .field("cases", &self.cases.len())
            .finish_non_exhaustive()
    }
}

/// Messages that the phone keeps.
const MESSAGES_MAX: usize = 50;

impl Heard {
    /// Of the few events that concern the office.
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "the office waits for a few kinds of events"
    )]
    pub(super) fn of(index: u64, entry: &Entry) -> Option<Self> {
        let (event, now) = (&entry.event, &entry.meta.now);
        let is_dated = now.trust == ClockTrust::Synchronised;
        match event {
            Event::ApplicationEligibilityAsked(_)
            | Event::ApplicationSmsAsked(_)
            | Event::ApplicationFacesCompared(_)
            | Event::ApplicationAccepted(_)
            | Event::ApplicationEnded(_)
            | Event::ApplicationLapsed(_)
            | Event::NoticeAsked(_)
            | Event::ApplicationConfirmed(_)
            | Event::ApplicationCompensated(_)
            | Event::WindowTicketIssued(_)
            | Event::WindowTicketClosed(_)
            | Event::PapersNotHandedOut(_)
            | Event::PaymentOrdered(_)
            | Event::PaymentWayChosen(_)
            | Event::PaymentCodeAsked(_)
            | Event::PaymentConfirmed(_)
            | Event::PaymentNoted(_)
            | Event::PaymentsReconciled(_)
            | Event::PaymentExpired(_)
            | Event::RefundAsked(_)
            | Event::PaymentRefunded(_) => Some(Self {
                index,
                event: event.clone(),
                at_ms: is_dated.then_some(now.wall_ms),
            }),
            _ => None,
        }
    }
}

impl Office {
    /// Takes an event that was verified. False: it was taken before.
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "the office waits for a few kinds of events"
    )]
    pub(super) fn take(&mut self, sender: &Sender, heard: Heard, now_ms: u64) -> bool {
        let next = self.read.entry(sender.stream.clone()).or_default();
        if heard.index < *next {
            return false;
        }
        *next = heard.index.saturating_add(1);
        match heard.event {
            Event::ApplicationEligibilityAsked(b) => self.questions.push(Question::who(sender, b)),
            Event::ApplicationSmsAsked(b) => self.questions.push(Question::code(sender, b)),
            Event::ApplicationFacesCompared(b) => self.faces_compared(sender, &b),
            Event::ApplicationAccepted(b) => self.arrived(sender, b, heard.at_ms),
            // Whoever asked is gone.
            Event::ApplicationEnded(b) => {
                self.nothing_to_compare(sender, &b.session);
                self.questions.retain(|q| !q.is_of(sender, &b.session));
            }
            Event::ApplicationLapsed(b) => self.lapsed(sender, &b.session),
            Event::NoticeAsked(b) => self.due(sender, b),
            Event::ApplicationConfirmed(b) => self.stands(sender, b, heard.at_ms),
            Event::ApplicationCompensated(b) => self.compensated(sender, b),
            Event::WindowTicketIssued(b) => self.expect(sender, &b.session, &b.ticket),
            Event::PapersNotHandedOut(b) => self.papers_missed(sender, b),
            Event::WindowTicketClosed(b) => self
                .tickets
                .retain(|t| t.sender != *sender || t.number != b.ticket),
            Event::PaymentCodeAsked(b) => self.give_code(sender, b, now_ms),
            event => self.billed(sender, event, now_ms),
        }
        true
    }

    /// Says something to a station, now or later as the faults have it.
    fn post(&mut self, station: &StationId, letter: Letter, now_ms: u64) {
        let late_ms = u64::from(self.faults.late_s).saturating_mul(1_000);
        let due_ms = if letter.is_answer() {
            now_ms.saturating_add(late_ms)
        } else {
            now_ms
        };
        self.outbox.push_back(Posted {
            station: station.clone(),
            letter,
            due_ms,
        });
    }

    fn show(&mut self, phone: String, text: String) {
        self.messages.push_back(Message { phone, text });
        if self.messages.len() > MESSAGES_MAX {
            self.messages.pop_front();
        }
    }
}
