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
    /// When the card is expected, where policy says so.
    pub ready_by: Option<CivilDate>,
    /// The fee, and whether it is paid; none where it is free.
    pub fee: Option<(Fen, bool)>,
    /// What is still to be checked (A17).
    pub provisional: &'a [ProvisionalCause],
    /// What the QR code says: the text of the slip, by which an auditor finds the acceptance in the log.
    pub proof: &'a str,
    /// The applicant's signature (A11).
    pub signature: &'a Picture,
}

/// Sets the certificate.
pub fn certificate(fonts: &Fonts, certificate: &Certificate<'_>) -> Result<Pdf, Error> {
    let mut sheet = Sheet::new(fonts, 148.0, Some(210.0), 12.0)?;
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
        sheet.warning(9.0, &warning)?;
    }
    let code = certificate.number.expose();
    let below = values::acceptance_number(certificate.number);
    sheet.barcode(100.0, 15.0, code, &below)?;
    sheet.gap(1.0);
    sheet.both(
        Style::regular(8.0),
        Style::quiet(6.5),
        Align::Centre,
        &text(&Message::CertificateScan),
    )?;
    sheet.gap(2.5);
    facts(&mut sheet, certificate)?;
    sheet.gap(1.0);
    sheet.rule(0.4);
    sheet.gap(3.0);
    sheet.note(9.0, &Message::CertificateBring)?;
    sheet.note(9.0, &Message::CertificateKeepSafe)?;
    let height = mm(18.0);
    let foot = Area {
        x: sheet.left,
        y: mm(210.0 - 12.0) - height,
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

/// The fields on the left, the QR code on the right.
fn facts(sheet: &mut Sheet<'_>, certificate: &Certificate<'_>) -> Result<(), Error> {
    let top = sheet.y;
    let side = mm(40.0);
    let column = Column {
        x: sheet.left,
        width: sheet.width - side - mm(3.0),
        label_width: mm(40.0),
        size: 10.0,
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
            .map(|(fee, is_paid)| (Message::LabelAmount, values::fee(fee, is_paid))),
    );
    fields.extend(
        certificate
            .ready_by
            .map(|day| (Message::LabelReadyBy, day.to_string())),
    );
    fields.push((Message::LabelCollectAt, station.address.clone()));
    fields.push((Message::LabelHours, station.hours.clone()));
    for (label, value) in &fields {
        sheet.field(column, label, value)?;
    }
    let fields_end = sheet.y;
    let x = sheet.left + sheet.width - side;
    sheet.page.qr(x, top, side, certificate.proof)?;
    let mut below = Area {
        x: x + mm(2.0),
        y: top + side,
        width: side - mm(4.0),
        height: 0.0,
    };
    let caption = text(&Message::ReceiptVerify);
    let (chinese, english) = (Style::regular(8.0), Style::quiet(6.5));
    below.y = sheet.block(below, chinese, Align::Centre, &caption.zh)?;
    below.y = sheet.block(below, english, Align::Centre, &caption.en)? + mm(1.0);
    sheet.y = fields_end.max(below.y);
    Ok(())
}
