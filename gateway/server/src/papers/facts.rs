//! What the papers of one session state: what its last event says, with what is held in the clear under the names that stand there.

use std::sync::Arc;

use gateway_core::FeeStanding;
use schemas::acceptance::AcceptanceNumber;
use schemas::application::ApplicationReason;
use schemas::citizen::PhoneNumber;
use schemas::event::application::{ApplicationAccepted, Entered, WindowTicketIssued};
use schemas::ids::{DeviceId, SessionId};
use schemas::words::application::{ApplicationKind, ProvisionalCause};
use schemas::words::paper::PaperKind;

use crate::held::{Applicant, Held, PictureBytes};

/// What papers are made of.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) session: SessionId,
    pub(crate) kiosk: DeviceId,
    pub(crate) what: What,
}

/// Why there are papers.
#[derive(Debug)]
pub(crate) enum What {
    /// An application was accepted.
    Acceptance(Box<Acceptance>),
    /// Somebody is sent to the window.
    Ticket(Box<WindowTicketIssued>),
}

/// An acceptance.
pub(crate) struct Acceptance {
    pub(crate) number: AcceptanceNumber,
    pub(crate) reason: Option<ApplicationReason>,
    pub(crate) provisional: Vec<ProvisionalCause>,
    pub(crate) entered: Entered,
    pub(crate) fee: Option<FeeStanding>,
    pub(crate) applicant: Option<Arc<Applicant>>,
    pub(crate) phone: Option<Arc<PhoneNumber>>,
    pub(crate) portrait: Option<Arc<PictureBytes>>,
    pub(crate) signature: Option<Arc<PictureBytes>>,
}

impl core::fmt::Debug for Acceptance {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Acceptance").finish_non_exhaustive()
    }
}

/// Of an acceptance.
pub(crate) fn of_acceptance(
    event: &ApplicationAccepted,
    fee: Option<FeeStanding>,
    held: &Held,
) -> Facts {
    let (session, entered) = (&event.session, &event.entered);
    let applicant = entered.holder.as_ref();
    let phone = entered.phone.as_ref();
    let portrait = entered.portrait.as_ref().and_then(|p| p.picture.as_ref());
    let signature = entered.signature.as_ref();
    let acceptance = Acceptance {
        number: AcceptanceNumber::of(&event.site, event.place),
        reason: ApplicationReason::of_code(event.reason),
        provisional: event.provisional.clone(),
        entered: (**entered).clone(),
        fee,
        applicant: applicant.and_then(|holder| held.person_of(session, holder)),
        phone: phone.and_then(|phone| held.phone_of(session, phone)),
        portrait: portrait.and_then(|picture| held.picture(session, &picture.blob)),
        signature: signature.and_then(|image| held.signature(session, &image.blob)),
    };
    Facts {
        session: session.clone(),
        kiosk: event.kiosk.clone(),
        what: What::Acceptance(Box::new(acceptance)),
    }
}

/// Of a ticket to the window.
pub(crate) fn of_ticket(event: &WindowTicketIssued) -> Facts {
    Facts {
        session: event.session.clone(),
        kiosk: event.kiosk.clone(),
        what: What::Ticket(Box::new(event.clone())),
    }
}

impl Facts {
    /// The papers there are to be.
    pub(crate) fn kinds(&self) -> Vec<PaperKind> {
        match &self.what {
            What::Acceptance(acceptance) => {
                let notice = acceptance.fee.as_ref().map(|_| PaperKind::PaymentNotice);
                [PaperKind::Certificate, PaperKind::RegistrationForm]
                    .into_iter()
                    .chain(notice)
                    .collect()
            }
            What::Ticket(_) => vec![PaperKind::WindowTicket],
        }
    }

    /// Whether the certificate proves an event, which then has to be under a signed checkpoint first.
    pub(crate) const fn has_proof(&self) -> bool {
        matches!(self.what, What::Acceptance(_))
    }
}

/// What a ticket is for, where that was chosen.
pub(crate) fn reason_of(entered: &Entered) -> Option<ApplicationReason> {
    entered.kind.and_then(ApplicationKind::reason)
}
