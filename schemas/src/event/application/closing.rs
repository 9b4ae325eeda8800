//! How an application ends, and what becomes of it (A12 to A17).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::station::bodies;
use super::{Entered, PaymentTerm, PrintedNumber, Reviewed};
use crate::acceptance::{AcceptanceSite, DailyPlace};
use crate::civil::CivilDate;
use crate::ids::{
    BlobHash, DeviceId, OperatorId, OrderId, RecorderReference, SessionId, TicketNumber,
};
use crate::key::RecipientId;
use crate::sealed::SealedField;
use crate::words::application::{
    ApplicationOutcome, NoticeCause, ProvisionalCause, RejectionReason, WindowReason, WindowResult,
};
use crate::words::paper::PaperKind;

bodies! {
    /// The application is accepted (A13). From here on the centre decides it.
    ApplicationAccepted {
        /// The session.
        session: SessionId,
        /// At which kiosk.
        kiosk: DeviceId,
        /// Who accepts: the head of its number.
        site: AcceptanceSite,
        /// Where its number stands. Never given twice.
        place: DailyPlace,
        /// Code of the reason (GA/T 2000.10).
        reason: u8,
        /// What makes it provisional; empty: it is accepted (A17).
        provisional: Vec<ProvisionalCause>,
        /// The order of its fee, if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        order: Option<OrderId>,
        /// Within what time that has to be paid; none: it is paid, or free of charge.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        term: Option<PaymentTerm>,
        /// The papers that its citizen is to have (A13); empty: it was accepted before that was written.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        papers: Vec<PaperKind>,
        /// All that was entered.
        entered: Box<Entered>,
    }
    /// Nobody paid in time, by the word of the centre, or by the station's clock once it had heard all that the centre told until after that
    /// time: what was accepted has lapsed, and the person may apply again (A12). What is recorded as paid from now on is asked back.
    ApplicationLapsed {
        /// The session.
        session: SessionId,
        /// The order that nobody paid.
        order: OrderId,
    }
    /// The centre is asked to send the citizen a message (T2).
    NoticeAsked {
        /// The session.
        session: SessionId,
        /// What about. Once for each session and cause.
        cause: NoticeCause,
        /// The last day on which the fee can be paid, where the message is about that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<CivilDate>,
        /// Where to, sealed.
        phone: SealedField,
    }
    /// The citizen goes to the window with a ticket, and never starts over (A9, A15).
    WindowTicketIssued {
        /// The session.
        session: SessionId,
        /// The kiosk that began it.
        kiosk: DeviceId,
        /// The ticket.
        ticket: TicketNumber,
        /// Why.
        reason: WindowReason,
        /// How long it is held, in hours; none: it was issued before that was written.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        held_h: Option<u16>,
        /// All that was entered.
        entered: Box<Entered>,
    }
    /// Where the footage of an application is found (A14). It stands before the end of the session, in one batch with it.
    ApplicationRecorded {
        /// The session.
        session: SessionId,
        /// The camera.
        camera: DeviceId,
        /// What the recorder calls the camera's footage, as configured when the session ended; none: it is not configured.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        recorder: Option<RecorderReference>,
        /// When the session began, by the station's wall clock, in ms since 1970-01-01 UTC.
        from_ms: u64,
        /// When it ended, by the same clock.
        until_ms: u64,
        /// All live photos, in the order of their archiving.
        stills: Vec<BlobHash>,
    }
    /// The session ended; the kiosk is free for the next.
    ApplicationEnded {
        /// The session.
        session: SessionId,
        /// At which kiosk.
        kiosk: DeviceId,
        /// How.
        outcome: ApplicationOutcome,
    }
    /// The centre decided that an acceptance stands (A17).
    ApplicationConfirmed {
        /// The session.
        session: SessionId,
        /// Who gave its final number.
        site: AcceptanceSite,
        /// Where that number stands.
        place: DailyPlace,
        /// Whether it is another number than the one that was given here.
        renumbered: bool,
        /// By what the printed number is found from here on, where it is another one (P1).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        printed: Option<Box<PrintedNumber>>,
        /// What the centre compared for that (A7, A9).
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        comparisons: Vec<Reviewed>,
    }
    /// The centre decided that an acceptance does not stand: the citizen is told, and goes to the window with the ticket that is
    /// issued with this (A15, A17). What was paid is asked back by an event of its own.
    ApplicationCompensated {
        /// The session.
        session: SessionId,
        /// Why.
        reason: RejectionReason,
        /// The ticket.
        ticket: TicketNumber,
        /// How long it is held, in hours; none: it was issued before that was written.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        held_h: Option<u16>,
        /// Where the citizen is told, sealed; none where no number was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        phone: Option<SealedField>,
        /// What the centre compared for that (A7, A9).
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        comparisons: Vec<Reviewed>,
    }
    /// What a new log takes over of an earlier one of the station: how far its acceptance numbers have come, so that none is given twice.
    AcceptancesCarriedOver {
        /// The newest number's place.
        place: DailyPlace,
        /// Printed numbers whose cards are not announced yet, in parts.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        printed: Vec<PrintedNumber>,
    }
    /// An officer at the window was given what opens a ticket (A15).
    WindowTicketOpened {
        /// The session.
        session: SessionId,
        /// The ticket.
        ticket: TicketNumber,
        /// Who asked; their PIN fitted.
        by: OperatorId,
        /// Whose private key opens what was given.
        key: RecipientId,
    }
    /// What became of a ticket.
    WindowTicketClosed {
        /// The session.
        session: SessionId,
        /// The ticket.
        ticket: TicketNumber,
        /// What.
        result: WindowResult,
        /// The officer who said so at this station; none: the centre did, or nobody in time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<OperatorId>,
    }
}
