//! Sets papers: the fonts and what every paper says of the station.

use documents::{
    CapturedFinger, Certificate, Error, Finger, Fonts, Holder, PaymentNotice, Pdf, Picture,
    RegistrationForm, Standing, WayToPay, WindowTicket, certificate, payment_notice,
    registration_form, window_ticket,
};
use schemas::cardholder::{CardAddress, CardIssuer, EthnicGroup};
use schemas::civil::CivilDate;
use schemas::event::application::{Entered, Fingerprint, WindowTicketIssued};
use schemas::message::peripheral::PaymentMethod;
use schemas::validity::Term;
use schemas::words::Hand;
use schemas::words::application::{FingerPosition, PaymentWay, ProvisionalCause};
use schemas::words::paper::{PaperFault, PaperKind};

use super::facts::{Acceptance, Facts, What, reason_of};
use crate::held::PictureBytes;

/// Pixels that the place of a portrait shows at 300 dots to the inch: 34 mm by 50 mm.
const PORTRAIT_SIDES: (u16, u16) = (420, 600);
/// The same of a signature, which is printed larger on the form than on the certificate.
const SIGNATURE_SIDES: (u16, u16) = (1_000, 400);

/// Sets the papers of one station.
#[derive(Debug)]
pub struct Printer {
    fonts: Fonts,
    station: documents::Station,
    days: CardDays,
}

/// What policy says of a card's days.
#[derive(Debug, Clone, Copy)]
pub struct CardDays {
    /// Within how many it is made (T4).
    pub made: u16,
    /// Within how many it is collected (C4).
    pub held: u16,
}

/// The event that papers are about.
#[derive(Debug)]
pub(crate) struct Occasion {
    /// When it was recorded, ms since 1970-01-01 UTC.
    pub(crate) at_ms: u64,
    /// Whether the clock was believed that says so.
    pub(crate) is_dated: bool,
    /// By what it is found in the log; empty where no paper says it.
    pub(crate) proof: String,
}

impl Printer {
    /// With these fonts, for this station.
    pub const fn new(fonts: Fonts, station: documents::Station, days: CardDays) -> Self {
        Self {
            fonts,
            station,
            days,
        }
    }

    /// Sets each paper, or says why it is left out. It takes tens of milliseconds: not for the loop.
    pub(crate) fn set(
        &self,
        facts: &Facts,
        occasion: &Occasion,
    ) -> Vec<(PaperKind, Result<Pdf, PaperFault>)> {
        let acceptance = match &facts.what {
            What::Ticket(ticket) => {
                let pdf = self.ticket(ticket, occasion);
                return vec![(PaperKind::WindowTicket, pdf)];
            }
            What::Acceptance(acceptance) => acceptance,
        };
        let signature = picture(acceptance.signature.as_deref(), SIGNATURE_SIDES);
        let signature = signature.as_ref().ok_or(PaperFault::Signature);
        let set = |kind| match kind {
            PaperKind::Certificate => self.certificate(acceptance, signature?, occasion),
            PaperKind::RegistrationForm => self.form(acceptance, signature?, occasion),
            PaperKind::PaymentNotice => self.notice(acceptance, occasion),
            PaperKind::WindowTicket => Err(PaperFault::Failed),
        };
        let kinds = facts.kinds().into_iter();
        kinds.map(|kind| (kind, set(kind))).collect()
    }

    fn certificate(
        &self,
        a: &Acceptance,
        signature: &Picture,
        occasion: &Occasion,
    ) -> Result<Pdf, PaperFault> {
        let said = Certificate {
            station: &self.station,
            number: &a.number,
            holder: &holder(&a.entered)?,
            reason: a.reason.ok_or(PaperFault::Failed)?,
            accepted_on: CivilDate::in_china(occasion.at_ms),
            ready_by: self.ready_by(a, occasion),
            fee: a.fee.as_ref().map(|fee| (fee.amount, fee.paid)),
            holding_days: self.days.held,
            provisional: &a.provisional,
            proof: &occasion.proof,
            signature,
        };
        certificate(&self.fonts, &said).map_err(fault)
    }

    /// The day by which the card is made. Nobody knows it while the day of the acceptance is not certain.
    pub(super) fn ready_by(&self, a: &Acceptance, occasion: &Occasion) -> Option<CivilDate> {
        const DAY_MS: u64 = 86_400_000;
        let is_certain = !a.provisional.contains(&ProvisionalCause::Clock);
        let days_ms = u64::from(self.days.made) * DAY_MS;
        is_certain.then(|| CivilDate::in_china(occasion.at_ms.saturating_add(days_ms)))
    }

    fn form(
        &self,
        a: &Acceptance,
        signature: &Picture,
        occasion: &Occasion,
    ) -> Result<Pdf, PaperFault> {
        let applicant = a.applicant.as_deref().ok_or(PaperFault::NotHeld)?;
        // A portrait that cannot be decoded leaves its place empty, as one that the centre has does.
        let portrait = picture(a.portrait.as_deref(), PORTRAIT_SIDES);
        let today = CivilDate::in_china(occasion.at_ms);
        let said = RegistrationForm {
            station: &self.station,
            operator: None,
            number: &a.number,
            accepted_ms: occasion.at_ms,
            reason: a.reason.ok_or(PaperFault::Failed)?,
            name: applicant.name.as_ref(),
            masked: a.entered.name.as_ref(),
            citizen: &applicant.number,
            ethnicity: applicant.ethnic_group.map(EthnicGroup::expose),
            address: applicant.address.as_ref().map(CardAddress::expose),
            issuer: applicant.issuer.as_ref().map(CardIssuer::expose),
            term: applicant
                .number
                .birth_date()
                .age_on(today)
                .map(Term::of_age),
            phone: a.phone.as_deref(),
            right: captured(&a.entered, Hand::Right),
            left: captured(&a.entered, Hand::Left),
            document_pages: u16::try_from(a.entered.documents.len()).unwrap_or(u16::MAX),
            provisional: &a.provisional,
            portrait: portrait.as_ref(),
            signature,
        };
        registration_form(&self.fonts, &said).map_err(fault)
    }

    fn notice(&self, a: &Acceptance, occasion: &Occasion) -> Result<Pdf, PaperFault> {
        let fee = a.fee.as_ref().ok_or(PaperFault::Failed)?;
        let way = way(fee.way);
        let standing = match way {
            _ if fee.paid => Standing::Paid {
                transaction: fee.transaction.as_ref(),
            },
            WayToPay::Cash => Standing::Due {
                code: None,
                by: fee.by,
            },
            WayToPay::Network(_) => Standing::Later { by: fee.by },
        };
        let said = PaymentNotice {
            station: &self.station,
            holder: &holder(&a.entered)?,
            reason: a.reason.ok_or(PaperFault::Failed)?,
            amount: fee.amount,
            order: &fee.order,
            way,
            standing,
            at_ms: occasion.at_ms,
        };
        payment_notice(&self.fonts, &said).map_err(fault)
    }

    fn ticket(&self, ticket: &WindowTicketIssued, occasion: &Occasion) -> Result<Pdf, PaperFault> {
        let holder = holder(&ticket.entered).ok();
        let said = WindowTicket {
            station: &self.station,
            ticket: &ticket.ticket,
            holder: holder.as_ref(),
            reason: reason_of(&ticket.entered),
            why: &texts::window_reason(ticket.reason),
            at_ms: occasion.at_ms,
            until_ms: ticket_until(ticket, occasion),
        };
        window_ticket(&self.fonts, &said).map_err(fault)
    }
}

/// Until when a ticket is held; none where its event does not say how long, or when that was (A15).
pub(super) fn ticket_until(ticket: &WindowTicketIssued, occasion: &Occasion) -> Option<u64> {
    const HOUR_MS: u64 = 3_600_000;
    let held_ms = u64::from(ticket.held_h?) * HOUR_MS;
    let until_ms = occasion.at_ms.saturating_add(held_ms);
    occasion.is_dated.then_some(until_ms)
}

/// Whose paper it is, masked. Names and numbers in events are.
fn holder(entered: &Entered) -> Result<Holder, PaperFault> {
    Ok(Holder {
        name: entered.name.clone(),
        number: entered.number_tail.clone().ok_or(PaperFault::NotHeld)?,
    })
}

/// A picture that can be decoded, in as many pixels as its place shows.
fn picture(bytes: Option<&PictureBytes>, (width, height): (u16, u16)) -> Option<Picture> {
    let decoded = Picture::decode(bytes?);
    if let Err(fault) = &decoded {
        tracing::warn!(%fault, "a picture for a paper cannot be decoded");
    }
    Some(decoded.ok()?.fitted(width, height))
}

fn captured(entered: &Entered, hand: Hand) -> Option<CapturedFinger> {
    let print = entered.fingers.iter().find(|print| print.hand == hand)?;
    Some(CapturedFinger {
        finger: finger(print),
        quality: u8::try_from(print.quality).unwrap_or(100),
    })
}

fn finger(print: &Fingerprint) -> Option<Finger> {
    use FingerPosition as F;
    Some(match print.position? {
        F::RightThumb | F::LeftThumb => Finger::Thumb,
        F::RightIndex | F::LeftIndex => Finger::Index,
        F::RightMiddle | F::LeftMiddle => Finger::Middle,
        F::RightRing | F::LeftRing => Finger::Ring,
        F::RightLittle | F::LeftLittle => Finger::Little,
    })
}

const fn way(way: PaymentWay) -> WayToPay {
    WayToPay::Network(match way {
        PaymentWay::Wechat => PaymentMethod::Wechat,
        PaymentWay::Alipay => PaymentMethod::Alipay,
        PaymentWay::UnionpayCard => PaymentMethod::UnionpayCard,
        PaymentWay::Quickpass => PaymentMethod::Quickpass,
        PaymentWay::CashAtWindow => return WayToPay::Cash,
    })
}

/// Why a paper is left out. The error itself names a character of what was to be printed, so it is not told.
fn fault(error: Error) -> PaperFault {
    let fault = match error {
        Error::Uncovered(_) => PaperFault::Character,
        Error::TooLong { .. } => PaperFault::TooLong,
        Error::Picture(_) => PaperFault::Signature,
        Error::NoCode { .. } | Error::Font(_) => PaperFault::Failed,
    };
    tracing::warn!(fault = fault.as_str(), "a paper is left out");
    fault
}
