//! Applications: what stations accepted, and who is eligible. Which of them stand: [`super::deciding`].

use std::io;

use schemas::acceptance::{AcceptanceSite, DailyPlace};
use schemas::citizen::CitizenNumber;
use schemas::civil::CivilDate;
use schemas::downlink::application::{ApplicationDecided, EligibilityAnswered, SmsCodeSent};
use schemas::event::application::{
    ApplicationAccepted, ApplicationEligibilityAsked, ApplicationSmsAsked, Decision, SaltedCode,
};
use schemas::ids::{BatchId, CardSerial, OrderId, SessionId};
use schemas::sealed::SealedField;
use schemas::words::Residence;
use schemas::words::application::{ApplicationKind, EligibilityVerdict, RejectionReason};
use serde::{Deserialize, Serialize};

use super::letters::Letter;
use super::opening::{Holder, Opened};
use super::review::ToCompare;
use super::{Office, Openers, Sender};
use crate::people::People;

/// Completed years from which one may apply (A5).
const AGE_MIN: u16 = 16;
const DAY_MS: u64 = 86_400_000;
/// How long a code is valid, in s.
const CODE_VALID_S: u32 = 300;

/// A question of a station that is not answered yet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Question {
    sender: Sender,
    session: SessionId,
    number: u32,
    about: About,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
enum About {
    Person(SealedField),
    Phone(SealedField),
}

/// An application that a station accepted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Case {
    /// Counts up over all stations.
    pub(super) arrival: u64,
    pub(super) sender: Sender,
    pub(super) session: SessionId,
    pub(super) kind: Option<ApplicationKind>,
    pub(super) residence: Option<Residence>,
    pub(super) is_provisional: bool,
    pub(super) site: AcceptanceSite,
    pub(super) place: DailyPlace,
    pub(super) order: Option<OrderId>,
    /// Within how many days it has to be paid, where it has.
    #[serde(default)]
    pub(super) due_days: Option<u16>,
    /// The last of them; none: they have not begun, or nobody knows on which day.
    #[serde(default)]
    pub(super) pay_by: Option<CivilDate>,
    pub(super) sealed: Option<SealedField>,
    #[serde(default)]
    pub(super) phone: Option<SealedField>,
    pub(super) holder: Option<Holder>,
    /// When it was known who applies, or that nobody will ever know.
    #[serde(default)]
    pub(super) opened: Option<Opening>,
    /// Pictures that its station left to the centre to compare.
    #[serde(default)]
    pub(super) to_compare: Vec<ToCompare>,
    /// The centre has said what it thinks of it.
    #[serde(default)]
    pub(super) is_decided: bool,
    pub(super) standing: Standing,
}

/// The place of a case in the centre's own order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Opening {
    /// Counts up.
    pub(super) number: u64,
    /// When, in ms since 1970.
    pub(super) at_ms: u64,
}

/// How a case stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Standing {
    /// It was not read yet.
    Arrived,
    /// It stands; the card is made when its fee is paid.
    Confirmed,
    /// It does not.
    Rejected(RejectionReason),
    /// Nobody paid in time: its station let it lapse.
    Lapsed,
    /// Its card is made and announced.
    Made { card: CardSerial, batch: BatchId },
}

impl Case {
    /// The days to pay it in begin, once: as the station counts them (A12).
    pub(super) fn begin_to_pay(&mut self, at_ms: Option<u64>) {
        if self.pay_by.is_none() {
            let begun = at_ms.zip(self.due_days);
            let last_ms = begun.map(|(at_ms, days)| at_ms.saturating_add(u64::from(days) * DAY_MS));
            self.pay_by = last_ms.map(CivilDate::in_china);
        }
    }
}

impl Question {
    pub(super) fn who(sender: &Sender, b: ApplicationEligibilityAsked) -> Self {
        Self {
            sender: sender.clone(),
            session: b.session,
            number: b.question,
            about: About::Person(b.holder),
        }
    }

    pub(super) fn code(sender: &Sender, b: ApplicationSmsAsked) -> Self {
        Self {
            sender: sender.clone(),
            session: b.session,
            number: b.question,
            about: About::Phone(b.phone),
        }
    }

    pub(super) fn is_of(&self, sender: &Sender, session: &SessionId) -> bool {
        self.sender == *sender && self.session == *session
    }
}

impl Office {
    pub(super) fn arrived(&mut self, sender: &Sender, b: ApplicationAccepted, at_ms: Option<u64>) {
        self.arrivals += 1;
        let is_provisional = !b.provisional.is_empty();
        let key = case_key(sender, &b.session);
        let to_compare = self.left_to_compare(&key, &b.entered);
        let mut case = Case {
            arrival: self.arrivals,
            sender: sender.clone(),
            kind: b.entered.kind,
            residence: b.entered.residence,
            is_provisional,
            site: b.site,
            place: b.place,
            order: b.order,
            due_days: b.term.map(|term| term.due_days),
            pay_by: None,
            sealed: b.entered.holder,
            phone: b.entered.phone,
            holder: None,
            opened: None,
            to_compare,
            is_decided: false,
            standing: Standing::Arrived,
            session: b.session,
        };
        // The days of one that is provisional count from its confirmation.
        if !is_provisional {
            case.begin_to_pay(at_ms);
        }
        self.cases.entry(key).or_insert(case);
    }

    /// Answers what can be opened. True: something changed.
    pub(super) fn answer(&mut self, openers: &Openers, register: &People, now_ms: u64) -> bool {
        let mut waiting = Vec::new();
        let mut changed = false;
        for question in std::mem::take(&mut self.questions) {
            match self.answer_to(openers, register, &question, now_ms) {
                Ok(Some(letter)) => {
                    let station = question.sender.station.clone();
                    self.post(&station, letter, now_ms);
                    changed = true;
                }
                Ok(None) => waiting.push(question),
                Err(error) => {
                    waiting.push(question);
                    tracing::warn!(%error, "a session's key cannot be read");
                }
            }
        }
        self.questions = waiting;
        changed
    }

    fn answer_to(
        &mut self,
        openers: &Openers,
        register: &People,
        question: &Question,
        now_ms: u64,
    ) -> io::Result<Option<Letter>> {
        let (sender, session) = (&question.sender, &question.session);
        match &question.about {
            About::Person(field) => {
                let (verdict, name) = match openers.holder(sender, session, field)? {
                    Opened::NotYet => return Ok(None),
                    Opened::Never => (EligibilityVerdict::Window, None),
                    Opened::It(holder) => (self.verdict(&holder, now_ms), holder.name_in(register)),
                };
                let name = name.filter(|_| verdict == EligibilityVerdict::Eligible);
                Ok(Some(Letter::Eligibility(EligibilityAnswered {
                    incarnation: sender.incarnation,
                    session: session.clone(),
                    question: question.number,
                    verdict,
                    name: name.map(|name| name.masked()),
                })))
            }
            About::Phone(field) => {
                let phone = match openers.phone(sender, session, field)? {
                    Opened::NotYet => return Ok(None),
                    // Nobody can be sent anything: the code that is never shown fits nothing.
                    Opened::Never => None,
                    Opened::It(phone) => Some(phone),
                };
                let (salt, code) = draw()?;
                if let Some(phone) = phone {
                    self.show(phone, format!("验证码 {code}，5 分钟内有效。Code {code}"));
                }
                Ok(Some(Letter::Code(SmsCodeSent {
                    incarnation: sender.incarnation,
                    session: session.clone(),
                    question: question.number,
                    code: SaltedCode::of(salt, &code),
                    valid_s: CODE_VALID_S,
                })))
            }
        }
    }

    fn verdict(&self, holder: &Holder, now_ms: u64) -> EligibilityVerdict {
        if self.faults.reject {
            return EligibilityVerdict::NotInScope;
        }
        let today = CivilDate::in_china(now_ms);
        let number = CitizenNumber::new(&holder.number).ok();
        let age = number.and_then(|number| number.birth_date().age_on(today));
        if age.is_none_or(|age| age < AGE_MIN) {
            EligibilityVerdict::UnderAge
        } else if self.is_flagged(&holder.number) {
            EligibilityVerdict::Flagged
        } else if self.keeps_one_of(&holder.number) {
            EligibilityVerdict::AlreadyApplied
        } else {
            EligibilityVerdict::Eligible
        }
    }

    /// The station says that nobody paid. Until its log says that somebody did no card is made, so none is lost.
    pub(super) fn lapsed(&mut self, sender: &Sender, session: &SessionId) {
        if let Some(case) = self.cases.get_mut(&case_key(sender, session)) {
            case.standing = Standing::Lapsed;
        }
    }

    /// The centre gives up an application that nobody paid.
    pub(super) fn give_up(&mut self, order: &OrderId, now_ms: u64) -> Result<(), String> {
        let bill = self.bills.get(order).ok_or("no such order")?;
        if bill.is_confirmed || !bill.payments.is_empty() {
            return Err("it is paid".to_owned());
        }
        let mut cases = self.cases.values_mut();
        let case = cases.find(|case| case.order.as_ref() == Some(order));
        let case = case.ok_or("nothing was accepted for it")?;
        if !matches!(case.standing, Standing::Arrived | Standing::Confirmed) {
            return Err("it does not stand any more".to_owned());
        }
        let reason = RejectionReason::NotPaid;
        case.standing = Standing::Rejected(reason);
        let decided = ApplicationDecided {
            incarnation: case.sender.incarnation,
            session: case.session.clone(),
            outcome: Decision::Rejected { reason },
            comparisons: Vec::new(),
        };
        let station = case.sender.station.clone();
        self.post(&station, Letter::Decided(decided), now_ms);
        Ok(())
    }

    /// A station heard of a payment before it heard that its application was given up: its log says which was first.
    pub(super) fn paid_after_all(&mut self, order: &OrderId) {
        let mut cases = self.cases.values_mut();
        let given_up = Standing::Rejected(RejectionReason::NotPaid);
        let case = cases.find(|case| case.order.as_ref() == Some(order));
        if let Some(case) = case.filter(|case| case.standing == given_up) {
            // One that was given up before it was decided is decided now.
            case.standing = if case.is_decided {
                Standing::Confirmed
            } else {
                Standing::Arrived
            };
        }
    }

    /// Whether another application of this person stands.
    pub(super) fn keeps_one_of(&self, number: &str) -> bool {
        self.cases.values().any(|case| {
            let stands = match &case.standing {
                Standing::Confirmed | Standing::Made { .. } => true,
                Standing::Arrived | Standing::Rejected(_) | Standing::Lapsed => false,
            };
            stands && case.holder.as_ref().is_some_and(|h| h.number == number)
        })
    }
}

/// What a case goes by.
pub(super) fn case_key(sender: &Sender, session: &SessionId) -> String {
    format!("{}/{session}", sender.stream)
}

/// Salt, and a code of six digits.
fn draw() -> io::Result<([u8; 16], String)> {
    let mut bytes = [0; 20];
    aws_lc_rs::rand::fill(&mut bytes)
        .map_err(|_unspecified| io::Error::other("no random numbers"))?;
    let (salt, number) = bytes.split_at(16);
    let number = number
        .iter()
        .fold(0u32, |n, byte| (n << 8) | u32::from(*byte));
    let salt = <[u8; 16]>::try_from(salt).map_err(io::Error::other)?;
    Ok((salt, format!("{:06}", number % 1_000_000)))
}
