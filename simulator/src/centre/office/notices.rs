//! Notices to citizens (A12, A17, T2). The station's log asks for each by an event, and the centre sends it: once for each such event, as soon
//! as the phone number can be opened.

use schemas::civil::CivilDate;
use schemas::event::application::{ApplicationCompensated, ApplicationConfirmed, NoticeAsked};
use schemas::event::paper::PapersNotHandedOut;
use schemas::ids::{OrderId, SessionId, TicketNumber};
use schemas::message::kiosk::Text;
use schemas::sealed::SealedField;
use schemas::words::application::NoticeCause;
use serde::{Deserialize, Serialize};
use texts::Message as Words;

use super::bills::Bill;
use super::cases::case_key;
use super::opening::Opened;
use super::{Office, Openers, Sender, Ticket};

/// A notice that is asked for and not sent yet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Notice {
    sender: Sender,
    session: SessionId,
    phone: SealedField,
    about: About,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
enum About {
    Confirmed,
    /// What was confirmed is to be paid first.
    ConfirmedDue {
        order: OrderId,
        by: Option<CivilDate>,
    },
    Rejected(TicketNumber),
    PapersMissed(TicketNumber),
    Asked {
        cause: NoticeCause,
        by: Option<CivilDate>,
    },
}

impl About {
    /// `is_paid`: whether an order is by now.
    fn text(&self, is_paid: impl Fn(&OrderId) -> bool) -> Text {
        match self {
            Self::ConfirmedDue { order, by } if !is_paid(order) => due_by(*by),
            Self::Confirmed | Self::ConfirmedDue { .. } => {
                texts::text(&Words::ApplyNoticeConfirmed)
            }
            Self::Rejected(ticket) => texts::text(&Words::ApplyNoticeRejected {
                ticket: ticket.as_str(),
            }),
            Self::PapersMissed(ticket) => texts::text(&Words::ApplyNoticePapers {
                ticket: ticket.as_str(),
            }),
            Self::Asked { cause, by } => {
                let by = by.map_or_else(|| "—".to_owned(), |by| by.to_string());
                asked(*cause, &by)
            }
        }
    }
}

/// That it stands, and until when it is to be paid, where that is known.
fn due_by(by: Option<CivilDate>) -> Text {
    by.map_or_else(
        || texts::text(&Words::ApplyNoticeConfirmedUnpaid),
        |by| {
            let by = by.to_string();
            texts::text(&Words::ApplyNoticeConfirmedDue { by: &by })
        },
    )
}

fn asked(cause: NoticeCause, by: &str) -> Text {
    match cause {
        NoticeCause::PaymentDue => texts::text(&Words::ApplyNoticePaymentDue { by }),
        NoticeCause::Lapsed => texts::text(&Words::ApplyNoticeLapsed),
        NoticeCause::Refund => texts::text(&Words::ApplyNoticeRefund),
    }
}

impl Office {
    /// It stands, as the station has recorded. Whoever has not paid is told until when they can: no card is made before (A12).
    pub(super) fn stands(&mut self, sender: &Sender, b: ApplicationConfirmed, at_ms: Option<u64>) {
        let key = case_key(sender, &b.session);
        let Some(case) = self.cases.get_mut(&key) else {
            return;
        };
        case.begin_to_pay(at_ms);
        let (phone, by) = (case.phone.clone(), case.pay_by);
        let about = match case.order.clone() {
            Some(order) => About::ConfirmedDue { order, by },
            None => About::Confirmed,
        };
        self.ask_for(sender, b.session, phone, about);
    }

    /// It does not: its ticket is seen to at the window, and the citizen is told where to go.
    pub(super) fn compensated(&mut self, sender: &Sender, b: ApplicationCompensated) {
        self.expect(sender, &b.session, &b.ticket);
        self.ask_for(sender, b.session, b.phone, About::Rejected(b.ticket));
    }

    /// Papers wait at the window.
    pub(super) fn papers_missed(&mut self, sender: &Sender, b: PapersNotHandedOut) {
        self.expect(sender, &b.session, &b.ticket);
        self.ask_for(sender, b.session, b.phone, About::PapersMissed(b.ticket));
    }

    /// Something of a fee, at its time.
    pub(super) fn due(&mut self, sender: &Sender, b: NoticeAsked) {
        let (cause, by) = (b.cause, b.by);
        self.ask_for(sender, b.session, Some(b.phone), About::Asked { cause, by });
    }

    /// Whoever has a ticket keeps its number when it is issued for another reason: it stands once.
    pub(super) fn expect(&mut self, sender: &Sender, session: &SessionId, ticket: &TicketNumber) {
        self.tickets
            .retain(|held| held.sender != *sender || held.number != *ticket);
        self.tickets.push(Ticket {
            sender: sender.clone(),
            session: session.clone(),
            number: ticket.clone(),
        });
    }

    fn ask_for(
        &mut self,
        sender: &Sender,
        session: SessionId,
        phone: Option<SealedField>,
        about: About,
    ) {
        // Nobody who gave no number can be told.
        if let Some(phone) = phone {
            self.notices.push(Notice {
                sender: sender.clone(),
                session,
                phone,
                about,
            });
        }
    }

    /// Sends what can be sent. True: something changed.
    pub(super) fn notify(&mut self, openers: &Openers) -> bool {
        let mut waiting = Vec::new();
        let before = self.notices.len();
        for notice in std::mem::take(&mut self.notices) {
            match openers.phone(&notice.sender, &notice.session, &notice.phone) {
                Ok(Opened::NotYet) => waiting.push(notice),
                Err(error) => {
                    waiting.push(notice);
                    tracing::warn!(%error, "the key of a phone number cannot be read");
                }
                // Of a session that was erased nobody is told anything.
                Ok(Opened::Never) => tracing::warn!("a phone number never opens: nobody is told"),
                Ok(Opened::It(phone)) => {
                    let is_paid =
                        |order: &OrderId| self.bills.get(order).is_some_and(Bill::is_paid);
                    let Text { zh, en } = notice.about.text(is_paid);
                    self.show(phone, format!("{zh} {en}"));
                    self.notices_sent = self.notices_sent.saturating_add(1);
                }
            }
        }
        self.notices = waiting;
        self.notices.len() != before
    }
}
