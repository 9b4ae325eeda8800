//! The centre, as far as a station hears of it.

use gateway_core::{Answer, Decided, Input, PeripheralReport};
use schemas::citizen::MaskedName;
use schemas::downlink::application::{
    ApplicationDecided, EligibilityAnswered, PaymentCodeIssued, PaymentConfirmed, SmsCodeSent,
};
use schemas::event::Event;
use schemas::event::application::{Decision, PrintedNumber, Reviewed, SaltedCode};
use schemas::event::paper::PapersIssued;
use schemas::event::payment::GrantReceived;
use schemas::ids::{OrderId, SessionId, TransactionId};
use schemas::message::peripheral::{Fen, PaymentMethod, PaymentState};
use schemas::order::PaymentCode;
use schemas::words::Residence;
use schemas::words::application::{ApplicationKind, EligibilityVerdict, PaymentWay};

use super::Hall;

/// The name that the centre has for every number.
pub const REGISTERED: &str = "*芳";

/// The code that the phone shows.
pub const CODE: &str = "739204";

/// A grant for renewals and replacements of people registered here, from an hour ago on for a day.
fn grant(hall: &Hall, version: u32, provisional_max: u32) -> GrantReceived {
    let wall_ms = hall.now.wall_ms;
    GrantReceived {
        version,
        valid_from_ms: wall_ms - 3_600_000,
        valid_until_ms: wall_ms + 86_400_000,
        kinds: vec![
            ApplicationKind::Renewal,
            ApplicationKind::Lost,
            ApplicationKind::Damaged,
        ],
        residences: vec![Residence::Local],
        provisional_max,
        flagged: 1,
        sha256: "00".repeat(32),
    }
}

impl Hall {
    pub fn granted(&mut self, version: u32, provisional_max: u32) {
        let grant = grant(self, version, provisional_max);
        assert!(self.told(Answer::Grant(grant)));
    }

    /// Answers the newest question of a session. False: there is none that is open.
    pub fn answer(&mut self, session: &SessionId, verdict: EligibilityVerdict) -> bool {
        let events = self.log.iter().rev().map(|(_, event)| event);
        let asked = events.take_while(|event| !about(event, session));
        let asked = asked.into_iter().find_map(|event| match event {
            Event::ApplicationEligibilityAsked(b) if b.session == *session => {
                Some((b.question, false))
            }
            Event::ApplicationSmsAsked(b) if b.session == *session => Some((b.question, true)),
            _ => None,
        });
        let incarnation = self.state.incarnation();
        let session = session.clone();
        match asked {
            Some((question, false)) => self.judged(&session, question, verdict),
            Some((question, true)) => self.told(Answer::SmsSent(SmsCodeSent {
                incarnation,
                session,
                question,
                code: SaltedCode::of([7; 16], CODE),
                valid_s: 300,
            })),
            None => false,
        }
    }

    /// Answers this question about eligibility, and whose number it is.
    pub fn judged(
        &mut self,
        session: &SessionId,
        question: u32,
        verdict: EligibilityVerdict,
    ) -> bool {
        self.told(Answer::Eligibility(EligibilityAnswered {
            incarnation: self.state.incarnation(),
            session: session.clone(),
            question,
            verdict,
            name: MaskedName::new(REGISTERED).ok(),
        }))
    }

    pub fn decided(&mut self, session: &SessionId, outcome: Decision) -> bool {
        self.decided_as(session, outcome, None)
    }

    /// The same; `printed`: the tags of the printed and the final number, where they differ.
    pub fn decided_as(
        &mut self,
        session: &SessionId,
        outcome: Decision,
        printed: Option<Box<PrintedNumber>>,
    ) -> bool {
        let incarnation = self.state.incarnation();
        let session = session.clone();
        self.told(Answer::Decided(Decided {
            told: ApplicationDecided {
                incarnation,
                session,
                outcome,
                comparisons: Vec::new(),
            },
            printed,
        }))
    }

    /// The same, for what was compared.
    pub fn reviewed(
        &mut self,
        session: &SessionId,
        outcome: Decision,
        comparisons: Vec<Reviewed>,
    ) -> bool {
        let told = ApplicationDecided {
            incarnation: self.state.incarnation(),
            session: session.clone(),
            outcome,
            comparisons,
        };
        let printed = None;
        self.told(Answer::Decided(Decided { told, printed }))
    }

    /// All that the centre told so far was read.
    pub fn centre_read(&mut self) {
        let read_ms = self.now.wall_ms;
        self.input(Input::CentreHeard { read_ms });
    }

    /// A payment of long ago is told.
    pub fn paid_at(&mut self, order: &OrderId, fee: u32, transaction: u32, paid_ms: u64) -> bool {
        self.told(Answer::Paid(PaymentConfirmed {
            order: order.clone(),
            amount_fen: Fen::new(fee).unwrap(),
            transaction: TransactionId::new(format!("T{transaction}")).unwrap(),
            way: None,
            paid_ms: Some(paid_ms),
            code: None,
        }))
    }

    /// All papers of a session were made.
    pub fn papers(&mut self, session: &SessionId, kiosk: &str) {
        self.input(Input::PapersMade(Box::new(PapersIssued {
            session: session.clone(),
            kiosk: super::device(kiosk),
            papers: Vec::new(),
            missing: Vec::new(),
        })));
    }

    /// The newest order.
    pub fn order(&self) -> OrderId {
        let events = self.log.iter().rev().map(|(_, event)| event);
        let mut orders = events.filter_map(|event| match event {
            Event::PaymentOrdered(b) => Some(b.order.clone()),
            _ => None,
        });
        orders.next().unwrap()
    }

    /// What the terminal says of an order of 20 yuan.
    pub fn terminal(&mut self, order: &OrderId, method: PaymentMethod, state: PaymentState) {
        let report = PeripheralReport::Payment {
            order: order.clone(),
            amount_fen: Fen::new(2_000).unwrap(),
            method,
            state,
        };
        self.input(Input::Peripheral {
            device: super::device("terminal-1"),
            report,
        });
    }

    /// The newest question for a code to pay by.
    pub fn code_question(&self) -> u32 {
        let events = self.log.iter().rev().map(|(_, event)| event);
        let mut asked = events.filter_map(|event| match event {
            Event::PaymentCodeAsked(b) => Some(b.question),
            _ => None,
        });
        asked.next().unwrap()
    }

    /// Answers it, with a code that is valid for so long.
    pub fn give_code(&mut self, session: &SessionId, question: u32, valid_ms: u64) -> bool {
        self.told(Answer::PaymentCode(PaymentCodeIssued {
            incarnation: self.state.incarnation(),
            session: session.clone(),
            question,
            code: PaymentCode::new(format!("weixin://wxpay/bizpayurl?pr=invented{question}"))
                .unwrap(),
            expires_ms: self.now.wall_ms + valid_ms,
        }))
    }

    /// A citizen scanned the code of a question, and paid 20 yuan.
    pub fn scanned(&mut self, order: &OrderId, question: u32, transaction: u32) -> bool {
        self.told(Answer::Paid(PaymentConfirmed {
            order: order.clone(),
            amount_fen: Fen::new(2_000).unwrap(),
            transaction: TransactionId::new(format!("T{transaction}")).unwrap(),
            way: Some(PaymentWay::Wechat),
            paid_ms: Some(self.now.wall_ms),
            code: Some(question),
        }))
    }

    pub fn paid(&mut self, order: &OrderId, amount: u32, transaction: u32) -> bool {
        self.told(Answer::Paid(PaymentConfirmed {
            order: order.clone(),
            amount_fen: Fen::new(amount).unwrap(),
            transaction: TransactionId::new(format!("T{transaction}")).unwrap(),
            way: None,
            paid_ms: None,
            code: None,
        }))
    }
}

fn about(event: &Event, session: &SessionId) -> bool {
    match event {
        Event::ApplicationEligibilityDecided(b) => b.session == *session,
        Event::ApplicationSmsSent(b) => b.session == *session,
        Event::ApplicationSmsSkipped(b) => b.session == *session,
        _ => false,
    }
}
