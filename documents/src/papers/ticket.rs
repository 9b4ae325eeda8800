//! The ticket to the window (人工窗口转办单), 80 mm: with it the citizen never starts over (A15).

use schemas::application::ApplicationReason;
use schemas::ids::TicketNumber;
use schemas::message::kiosk::Text;
use texts::{Message, reason};

use super::{Holder, Station};
use crate::error::Error;
use crate::fonts::Fonts;
use crate::line::Style;
use crate::pdf::Pdf;
use crate::sheet::{Align, Sheet};
use crate::values;

/// What a window ticket says.
#[derive(Debug)]
pub struct WindowTicket<'a> {
    /// Where the citizen was sent from.
    pub station: &'a Station,
    /// The ticket that the window goes on with; the barcode.
    pub ticket: &'a TicketNumber,
    /// Who is sent, where that is known.
    pub holder: Option<&'a Holder>,
    /// What for, where that is known.
    pub reason: Option<ApplicationReason>,
    /// Why, in words.
    pub why: &'a Text,
    /// When, milliseconds since 1970-01-01 UTC.
    pub at_ms: u64,
    /// Until when it is held, by the same count, where that is known.
    pub until_ms: Option<u64>,
}

/// Sets the ticket.
pub fn window_ticket(fonts: &Fonts, ticket: &WindowTicket<'_>) -> Result<Pdf, Error> {
    let mut sheet = Sheet::roll(fonts)?;
    let title = Message::DocWindowTicket;
    sheet.roll_head(&title, ticket.station)?;
    sheet.both(
        Style::bold(11.0),
        Style::regular(8.5),
        Align::Left,
        ticket.why,
    )?;
    sheet.gap(2.5);
    let mut fields = Vec::new();
    if let Some(holder) = ticket.holder {
        fields.push((Message::LabelName, holder.name()));
        fields.push((Message::LabelNumber, values::masked_number(&holder.number)));
    }
    fields.extend(
        ticket
            .reason
            .map(|why| (Message::LabelReason, reason(why).zh)),
    );
    fields.push((Message::LabelWindow, ticket.station.window.clone()));
    fields.push((Message::LabelTime, values::minute(ticket.at_ms)));
    sheet.roll_fields(&fields)?;
    sheet.gap(1.5);
    let number = ticket.ticket.as_str();
    sheet.barcode(60.0, 14.0, number, (&Message::LabelTicket, number))?;
    sheet.gap(2.0);
    sheet.rule(0.4);
    sheet.gap(2.0);
    sheet.note(9.0, &Message::TicketGoOn)?;
    sheet.note(9.0, &Message::TicketBring)?;
    if let Some(until) = ticket.until_ms.map(values::minute) {
        sheet.note(9.0, &Message::TicketValid { until: &until })?;
    }
    sheet.cut(&title)
}
