//! Applications (A1 to A17) as the log tells of them. A session belongs to a kiosk; what the citizen entered is in it until it
//! ends, and then only what the centre still has to decide is kept.

mod effects;
mod failed;
mod named;
mod order;
mod papers;
mod ticket;
mod view;

use std::collections::{BTreeMap, BTreeSet};

use schemas::acceptance::{AcceptanceSite, DailyPlace};
use schemas::civil::CivilDate;
use schemas::event::application::{
    ApplicationDevices, ApplicationPolicy, ApplicationStep, Comparison, EligibilityBasis, Entered,
    MaskedPhone, SaltedCode,
};
use schemas::ids::{BlobHash, DeviceId, OrderId, SessionId, TicketNumber};
use schemas::lookup::LookupTag;
use schemas::message::peripheral::{Fen, PaymentMethod};
use schemas::order::PaymentCode;
use schemas::sealed::SealedField;
use schemas::time::Deadline;
use schemas::validity::Expiry;
use schemas::words::Hand;
use schemas::words::application::{
    ApplicationKind, ApplicationOutcome, ApplicationRefusal, FingerPosition, InputFault, Language,
    PageNotice, PaymentFault, PaymentWay, PortraitCheck, ProvisionalCause, SmsSkipped,
    WindowReason,
};
use schemas::words::paper::{PaperKind, PaperState};
use serde::{Deserialize, Serialize};

use crate::device::Moment;
use crate::state::State;

pub(crate) use effects::{deadlines, effects};
pub(crate) use failed::Failed;
pub use named::Named;
pub(crate) use order::{Next, back_from, device_of, finger, name_of, next};
pub use papers::{FeeStanding, papers_left_ms};
pub(crate) use papers::{OwedPapers, begin as papers_begin};
pub(crate) use ticket::Ticket;
pub use ticket::{TicketFee, WindowTicket, tickets_left_ms};
pub(crate) use view::{ended, open};

/// Applications under way, and the counts that never go back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Applications {
    /// By kiosk.
    pub(crate) open: BTreeMap<DeviceId, Application>,
    /// How the last one of each kiosk ended; shown until its next session begins.
    pub(crate) last: BTreeMap<DeviceId, EndedApplication>,
    /// Where the newest acceptance number stands.
    pub(crate) place: Option<DailyPlace>,
    /// Tickets that were issued in this log.
    pub(crate) tickets: u32,
    /// Acceptances whose papers are being made. A new life loses what they are made of.
    #[serde(default)]
    pub(crate) owed: BTreeMap<SessionId, OwedPapers>,
}

/// An application under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Application {
    pub(crate) id: SessionId,
    pub(crate) devices: ApplicationDevices,
    pub(crate) site: AcceptanceSite,
    pub(crate) policy: ApplicationPolicy,
    pub(crate) language: Language,
    /// When it began, in ms of the wall clock.
    pub(crate) began_ms: u64,
    /// The number of the present step.
    pub(crate) number: u32,
    /// None only between the events of one decision.
    pub(crate) stage: Option<Stage>,
    pub(crate) entered: Entered,
    /// What is known of the person beside what is entered.
    pub(crate) person: Option<KnownPerson>,
    /// The citizen has said that it is they (A4).
    pub(crate) confirmed: bool,
    /// Questions to the centre so far; an answer to an earlier one is outdated.
    pub(crate) questions: u32,
    /// The question about eligibility.
    pub(crate) eligibility_asked: Option<u32>,
    pub(crate) eligibility: Option<EligibilityBasis>,
    /// The attempt that the portrait was given at.
    pub(crate) portrait_attempt: u16,
    pub(crate) portrait_compared: Option<Comparison>,
    pub(crate) live_attempt: u16,
    pub(crate) live_compared: Option<Comparison>,
    pub(crate) phone: Option<MaskedPhone>,
    pub(crate) sms: Sms,
    /// Codes that were asked for.
    pub(crate) codes_asked: u16,
    #[serde(default)]
    pub(crate) failed: Failed,
    pub(crate) fingers_compared: BTreeMap<Hand, Comparison>,
    pub(crate) documents_done: bool,
    pub(crate) order: Option<OrderId>,
    /// How the citizen wants to pay; none until they chose.
    pub(crate) way: Option<PaymentWay>,
    #[serde(default)]
    pub(crate) code: PayCode,
    pub(crate) paid: bool,
    pub(crate) stills: Vec<BlobHash>,
    /// A card was read: it may still lie there, and is found again only when it was lifted.
    #[serde(default)]
    pub(crate) card_was_read: bool,
    /// What the next page says of the last entry.
    pub(crate) notice: Notice,
    pub(crate) verdict: Verdict,
}

/// The present step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stage {
    pub(crate) step: ApplicationStep,
    /// Index of the event that caused it.
    pub(crate) index: u64,
    /// When it ends by itself.
    pub(crate) deadline: Deadline,
    /// Until when the citizen may act, where the step waits for one.
    pub(crate) citizen: Option<Deadline>,
    /// The device that serves another session first.
    pub(crate) awaits: Option<DeviceId>,
}

/// What is known of the person, and is not personal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KnownPerson {
    /// Tags of the number under each key that is tried, the newest first.
    #[serde(default)]
    pub(crate) tags: Vec<LookupTag>,
    /// None: the clock was not synchronised.
    pub(crate) of_age: Option<bool>,
    /// The version of the grant whose list was looked into, and whether it flags them; none: there was no list.
    pub(crate) flagged: Option<(u32, bool)>,
    pub(crate) expiry: Option<Expiry>,
    /// Whether the card's picture is held in memory (A7).
    pub(crate) picture: bool,
    /// Hands whose prints the card holds (A9).
    pub(crate) hands: BTreeSet<Hand>,
    /// Which fingers these are, as far as the card says it.
    #[serde(default)]
    pub(crate) fingers: Vec<FingerPosition>,
}

/// How a phone number stands (A8).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Sms {
    /// Nothing was asked.
    #[default]
    Open,
    /// The centre is asked, by this question.
    Asked(u32),
    /// A code was sent.
    Sent { code: SaltedCode, until: Deadline },
    /// The code was keyed.
    Confirmed,
    /// There was none.
    Skipped(SmsSkipped),
}

/// How the code stands that a phone scans to pay (A12).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum PayCode {
    /// None is wanted, or the last one is over.
    #[default]
    None,
    /// The centre is asked, by this question.
    Asked(u32),
    /// It is shown.
    Shown { code: PaymentCode, until: Deadline },
}

/// What a page says of the last entry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Notice {
    pub(crate) fault: Option<InputFault>,
    pub(crate) failed_checks: Vec<PortraitCheck>,
    pub(crate) card_unreadable: bool,
    /// What a device or the centre could not do.
    #[serde(default)]
    pub(crate) happened: Option<PageNotice>,
    /// What became of the last payment (A12).
    #[serde(default)]
    pub(crate) payment: Option<PaymentFault>,
}

impl Notice {
    /// Of this alone.
    pub(crate) fn of(happened: PageNotice) -> Self {
        Self {
            happened: Some(happened),
            ..Self::default()
        }
    }
}

/// What is settled of how it ends.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Verdict {
    pub(crate) refusal: Option<(ApplicationRefusal, Option<CivilDate>, Option<CivilDate>)>,
    pub(crate) ticket: Option<(TicketNumber, WindowReason)>,
    pub(crate) accepted: Option<(DailyPlace, Vec<ProvisionalCause>)>,
}

/// An application that ended, as its kiosk shows it. Nothing of the person is in it but the number of their own application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EndedApplication {
    pub(crate) session: SessionId,
    pub(crate) outcome: ApplicationOutcome,
    pub(crate) language: Language,
    pub(crate) site: AcceptanceSite,
    pub(crate) verdict: Verdict,
    pub(crate) order: Option<OrderId>,
    pub(crate) way: Option<PaymentWay>,
    pub(crate) paid: bool,
    #[serde(default)]
    pub(crate) fee: Option<Fen>,
    #[serde(default)]
    pub(crate) papers: Option<PaperState>,
    /// The papers that went to the kiosk, all of them: it may still say that it has not got them, for a while.
    #[serde(default)]
    pub(crate) handed_out: Option<OwedPapers>,
    /// When they went there.
    #[serde(default)]
    pub(crate) handed_out_since: Option<Moment>,
    /// What the last portrait failed, where that is why it ended (A6).
    #[serde(default)]
    pub(crate) failed_checks: Vec<PortraitCheck>,
    /// What was applied for.
    #[serde(default)]
    pub(crate) kind: Option<ApplicationKind>,
}

/// An acceptance that the centre has not decided yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Acceptance {
    /// Index of the event that holds what was entered; none: a snapshot has it that did not know.
    #[serde(default)]
    pub(crate) index: Option<u64>,
    #[serde(default)]
    pub(crate) kind: Option<ApplicationKind>,
    /// Tags of the person's number under each key that was tried then, the newest first.
    #[serde(default)]
    pub(crate) tags: Vec<LookupTag>,
    pub(crate) kiosk: DeviceId,
    pub(crate) site: AcceptanceSite,
    pub(crate) place: DailyPlace,
    pub(crate) phone: Option<SealedField>,
    pub(crate) order: Option<OrderId>,
    /// The papers that the citizen is to have; empty: it was accepted before that was written.
    #[serde(default)]
    pub(crate) papers: Vec<PaperKind>,
}

impl PayCode {
    /// What the page shows.
    pub(crate) const fn shown(&self) -> Option<&PaymentCode> {
        match self {
            Self::Shown { code, .. } => Some(code),
            Self::None | Self::Asked(_) => None,
        }
    }

    /// Until when it is shown.
    pub(crate) const fn until(&self) -> Option<&Deadline> {
        match self {
            Self::Shown { until, .. } => Some(until),
            Self::None | Self::Asked(_) => None,
        }
    }
}

impl Application {
    /// Which finger of a hand the card holds, where it says so.
    pub(crate) fn position_on_card(&self, hand: Hand) -> Option<FingerPosition> {
        let fingers = self.person.iter().flat_map(|person| &person.fingers);
        let mut of_hand = fingers.filter(|finger| finger.hand() == hand);
        of_hand.next().copied()
    }

    /// Whether the page waits for this order to be paid in this way.
    pub(crate) fn awaits_payment(&self, order: &OrderId, method: PaymentMethod) -> bool {
        let step = self.stage.as_ref().map(|stage| stage.step);
        let is_present = self.way.and_then(PaymentWay::method) == Some(method);
        is_present
            && self.order.as_ref() == Some(order)
            && step == Some(ApplicationStep::AwaitPayment)
    }

    /// Whether the centre has not answered this application yet, so that it is not waited for a second time (A17). Each application asks
    /// it once: its late answer is noticed by this one, and its return by the next.
    pub(crate) const fn is_centre_silent(&self) -> bool {
        matches!(self.eligibility, Some(EligibilityBasis::Grant { .. }))
    }

    /// Whether there is an order that the notice can hold (A12).
    pub(crate) const fn is_payable_later(&self) -> bool {
        self.order.is_some() && !self.paid
    }

    /// The fee, where there is one.
    pub(crate) fn fee(&self) -> Option<Fen> {
        let reason = self.entered.kind?.reason()?;
        self.policy.fees.of(reason)
    }

    /// Each code costs the centre a message and somebody a phone that rings, so no more are sent than attempts there are (A8).
    pub(crate) const fn are_codes_used_up(&self) -> bool {
        self.policy.sms && self.codes_asked >= self.policy.sms_attempts_max
    }

    /// Whether no more documents can be attached (A10).
    pub(crate) fn are_documents_full(&self) -> bool {
        self.entered.documents.len() >= usize::from(self.policy.documents_max)
    }

    /// What makes an acceptance provisional now (A17).
    pub(crate) fn provisional(&self, clock_trusted: bool) -> Vec<ProvisionalCause> {
        let pending = |c: &Option<Comparison>| !matches!(c, Some(Comparison::Compared { .. }));
        let holds = |hand: &&Hand| {
            self.person
                .as_ref()
                .is_some_and(|p| p.hands.contains(*hand))
        };
        let finger_pending = Hand::ALL.iter().filter(holds).any(|hand| {
            !matches!(
                self.fingers_compared.get(hand),
                Some(Comparison::Compared { .. })
            )
        });
        let without_picture = self
            .entered
            .portrait
            .as_ref()
            .is_none_or(|p| p.picture.is_none());
        let is_undated = self.entered.kind == Some(ApplicationKind::Renewal)
            && self.person.as_ref().is_none_or(|p| p.expiry.is_none());
        [
            (
                ProvisionalCause::Eligibility,
                self.eligibility != Some(EligibilityBasis::Centre),
            ),
            (
                ProvisionalCause::Comparison,
                pending(&self.portrait_compared) || pending(&self.live_compared) || finger_pending,
            ),
            (ProvisionalCause::Clock, !clock_trusted),
            (ProvisionalCause::Portrait, without_picture),
            (
                ProvisionalCause::Phone,
                self.sms == Sms::Skipped(SmsSkipped::NotSent),
            ),
            (ProvisionalCause::Expiry, is_undated),
        ]
        .into_iter()
        .filter_map(|(cause, holds)| holds.then_some(cause))
        .collect()
    }
}

impl State {
    /// Applications under way that a grant decided.
    pub(crate) fn decided_by_grant(&self) -> u32 {
        let open = self.applications.open.values();
        let by_grant =
            open.filter(|a| matches!(a.eligibility, Some(EligibilityBasis::Grant { .. })));
        u32::try_from(by_grant.count()).unwrap_or(u32::MAX)
    }

    /// The application under way with this id, and its kiosk.
    pub(crate) fn application(&self, session: &SessionId) -> Option<(&DeviceId, &Application)> {
        self.applications
            .open
            .iter()
            .find(|(_, a)| a.id == *session)
    }

    /// The applications that are open: session, kiosk, and the device that serves the present step.
    pub fn applications(&self) -> impl Iterator<Item = (&SessionId, &DeviceId, Option<&DeviceId>)> {
        let open = self.applications.open.iter();
        open.map(|(kiosk, application)| (&application.id, kiosk, application.serving()))
    }

    /// The session that a device serves now: an application's step, whether by a kiosk's own device or a shared one.
    pub(crate) fn leased_to(&self, device: &DeviceId) -> Option<&SessionId> {
        self.applications()
            .find_map(|(session, _, serving)| (serving == Some(device)).then_some(session))
    }
}

impl Application {
    /// The device that the present step has.
    pub(crate) fn serving(&self) -> Option<&DeviceId> {
        let stage = self.stage.as_ref().filter(|stage| stage.awaits.is_none())?;
        device_of(&self.devices, stage.step)
    }
}
