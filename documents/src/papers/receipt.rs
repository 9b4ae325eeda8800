//! The receipt (业务回执) of an act that the log records, 80 mm, with the code that proves it.

use schemas::ids::SessionId;
use schemas::message::kiosk::Text;
use texts::Message;

use super::Station;
use crate::error::Error;
use crate::fonts::Fonts;
use crate::line::Style;
use crate::pdf::Pdf;
use crate::sheet::{Align, Sheet};
use crate::values;

/// What a receipt says. Nothing in it is personal.
#[derive(Debug)]
pub struct Receipt<'a> {
    /// Where.
    pub station: &'a Station,
    /// What was done, and what the code below is for.
    pub text: &'a Text,
    /// In which session.
    pub session: &'a SessionId,
    /// When, milliseconds since 1970-01-01 UTC.
    pub at_ms: u64,
    /// What the QR code says: the text of the slip, by which an auditor finds the event.
    pub proof: &'a str,
}

/// Sets the receipt.
pub fn receipt(fonts: &Fonts, receipt: &Receipt<'_>) -> Result<Pdf, Error> {
    let mut sheet = Sheet::roll(fonts)?;
    let title = Message::DocReceipt;
    sheet.roll_head(&title, receipt.station)?;
    sheet.both(
        Style::regular(10.5),
        Style::quiet(8.0),
        Align::Left,
        receipt.text,
    )?;
    sheet.gap(2.5);
    sheet.roll_fields(&[
        (Message::LabelTime, values::minute(receipt.at_ms)),
        (Message::LabelStation, receipt.station.address.clone()),
        (Message::LabelSession, receipt.session.to_string()),
    ])?;
    sheet.gap(1.0);
    sheet.qr(52.0, receipt.proof)?;
    sheet.cut(&title)
}
