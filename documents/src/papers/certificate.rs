//! The collection certificate (领取凭证), A5: with its barcode a pickup begins (P1), and its QR code proves the acceptance.

use schemas::acceptance::AcceptanceNumber;
use schemas::application::ApplicationReason;
use schemas::civil::CivilDate;
use schemas::message::peripheral::Fen;
use schemas::words::application::ProvisionalCause;
use texts::{Message, provisional, reason, text};

use super::{Holder, Station};
use crate::error::Error;
use crate::fonts::Fonts;
use crate::line::Style;
use crate::page::{Area, mm};
use crate::pdf::Pdf;
use crate::picture::Picture;
use crate::sheet::{Align, Column, Labels, Sheet};
use crate::values;

/// In millimetres.
const MARGIN: f32 = 10.0;

/// What a collection certificate says.
#[derive(Debug)]
pub struct Certificate<'a> {
    /// Where the card was applied for, and is collected.
    pub station: &'a Station,
    /// The voucher code.
    pub number: &'a AcceptanceNumber,
    /// Whose card.
    pub holder: &'a Holder,
    /// What it was applied for.
    pub reason: ApplicationReason,
    /// The day of acceptance.
    pub accepted_on: CivilDate,
    /// When the card is expected, where that is known. It is not said while the fee or the review is open.
    pub ready_by: Option<CivilDate>,
    /// The fee, and whether it is paid; none where it is free.
    pub fee: Option<(Fen, bool)>,
    /// Within how many days of the notice that it has arrived the card is collected (C4).
    pub holding_days: u16,
    /// What is still to be checked (A17).
    pub provisional: &'a [ProvisionalCause],
    /// What the QR code says: the text of the slip, by which an auditor finds the acceptance in the log.
    pub proof: &'a str,
    /// The applicant's signature (A11).
    pub signature: &'a Picture,
}

/// How large things are; heights in millimetres.
#[derive(Clone, Copy)]
struct Sizes {
    field: f32,
    note: f32,
    warning: f32,
    barcode: f32,
    signature: f32,
}

const USUAL: Sizes = Sizes {
    field: 10.0,
    note: 9.0,
    warning: 9.0,
    barcode: 15.0,
    signature: 18.0,
};
/// Of one that is provisional: the warning takes room, and everything else has to be said all the same.
const TIGHT: Sizes = Sizes {
    field: 9.0,
    note: 8.0,
    warning: 8.0,
    barcode: 12.0,
    signature: 15.0,
};

/// Sets the certificate.
pub fn certificate(fonts: &Fonts, certificate: &Certificate<'_>) -> Result<Pdf, Error> {
    let is_provisional = !certificate.provisional.is_empty();
    let sizes = if is_provisional { TIGHT } else { USUAL };
    let mut sheet = Sheet::new(fonts, 148.0, Some(210.0), MARGIN)?;
    let title = Message::DocCertificate;
    sheet.both(
        Style::bold(19.0),
        Style::quiet(10.0),
        Align::Centre,
        &text(&title),
    )?;
    sheet.gap(2.5);
    sheet.rule(1.0);
    sheet.gap(4.0);
    if let Some(warning) = provisional(certificate.provisional) {
        sheet.warning(sizes.warning, &warning)?;
    }
    let code = certificate.number.expose();
    let below = values::acceptance_number(certificate.number);
    let name = Message::LabelAcceptanceNumber;
    sheet.barcode(100.0, sizes.barcode, code, (&name, &below))?;
    sheet.gap(1.0);
    sheet.both(
        Style::regular(8.0),
        Style::quiet(6.5),
        Align::Centre,
        &text(&Message::CertificateScan),
    )?;
    sheet.gap(2.5);
    facts(&mut sheet, sizes.field, certificate)?;
    sheet.gap(1.0);
    sheet.rule(0.4);
    sheet.gap(3.0);
    sheet.note(sizes.note, &Message::CertificateBring)?;
    sheet.note(sizes.note, &Message::CertificateKeepSafe)?;
    let days = certificate.holding_days.to_string();
    sheet.note(sizes.note, &Message::CertificateHeld { days: &days })?;
    let height = mm(sizes.signature);
    let foot = Area {
        x: sheet.left,
        y: mm(210.0 - MARGIN) - height,
        width: sheet.width,
        height,
    };
    if sheet.y > foot.y {
        return Err(Error::TooLong {
            what: "the collection certificate",
        });
    }
    sheet.signature(
        foot,
        certificate.signature,
        &certificate.accepted_on.to_string(),
    )?;
    sheet.finish(&title)
}

/// When the card is there. A day is only said once nothing stands in the way of making it.
fn ready(
    sheet: &mut Sheet<'_>,
    column: Column,
    certificate: &Certificate<'_>,
) -> Result<(), Error> {
    let label = Message::LabelReadyBy;
    let is_unpaid = certificate.fee.is_some_and(|(_, is_paid)| !is_paid);
    let is_open = !certificate.provisional.is_empty();
    let told = match (is_unpaid, is_open) {
        (true, true) => Message::ReadyAfterBoth,
        (true, false) => Message::ReadyAfterPayment,
        (false, true) => Message::ReadyAfterReview,
        (false, false) => {
            let day = certificate.ready_by.map(|day| day.to_string());
            return day.map_or(Ok(()), |day| sheet.field(column, &label, &day));
        }
    };
    sheet.field_both(column, &label, &text(&told))
}

/// The fields on the left, the QR code on the right.
fn facts(sheet: &mut Sheet<'_>, size: f32, certificate: &Certificate<'_>) -> Result<(), Error> {
    let top = sheet.y;
    let side = mm(40.0);
    let column = Column {
        x: sheet.left,
        // The code brings its own white.
        width: sheet.width - side - mm(1.0),
        label_width: mm(4.0 * size),
        size,
        labels: Labels::Beside,
    };
    let station = certificate.station;
    let mut fields = vec![
        (Message::LabelName, certificate.holder.name()),
        (
            Message::LabelNumber,
            values::masked_number(&certificate.holder.number),
        ),
        (Message::LabelReason, reason(certificate.reason).zh),
        (
            Message::LabelAcceptedOn,
            certificate.accepted_on.to_string(),
        ),
        (Message::LabelAcceptedBy, station.name.zh.clone()),
    ];
    fields.extend(
        certificate
            .fee
            .map(|(fee, is_paid)| (Message::LabelFee, values::fee(fee, is_paid))),
    );
    for (label, value) in &fields {
        sheet.field(column, label, value)?;
    }
    ready(sheet, column, certificate)?;
    for (label, value) in [
        (Message::LabelCollectAt, &station.address),
        (Message::LabelHours, &station.hours),
    ] {
        sheet.field(column, &label, value)?;
    }
    let fields_end = sheet.y;
    let x = sheet.left + sheet.width - side;
    sheet.page.qr(x, top, side, certificate.proof)?;
    let mut below = Area {
        x,
        y: top + side,
        width: side,
        height: 0.0,
    };
    let caption = text(&Message::ReceiptVerify);
    let (chinese, english) = (Style::regular(8.0), Style::quiet(6.5));
    below.y = sheet.block(below, chinese, Align::Centre, &caption.zh)?;
    below.y = sheet.block(below, english, Align::Centre, &caption.en)? + mm(1.0);
    sheet.y = fields_end.max(below.y);
    Ok(())
}
