//! The registration form (居民身份证申领登记表), A4. It carries all that was stated, for the applicant to read and sign; nobody keeps its
//! bytes.

use std::borrow::Cow;

use schemas::acceptance::AcceptanceNumber;
use schemas::application::ApplicationReason;
use schemas::citizen::{CitizenName, CitizenNumber, MaskedName, PhoneNumber, Sex};
use schemas::ids::OperatorId;
use schemas::validity::Term;
use schemas::words::application::ProvisionalCause;
use texts::{Message, provisional, reason, text};

use super::{Station, to_complete};
use crate::error::Error;
use crate::fonts::Fonts;
use crate::line::Style;
use crate::page::{Area, mm};
use crate::pdf::Pdf;
use crate::picture::Picture;
use crate::sheet::{Align, Sheet};
use crate::table::Rows;
use crate::values;

/// Which finger of a hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finger {
    /// 拇指
    Thumb,
    /// 食指
    Index,
    /// 中指
    Middle,
    /// 环指
    Ring,
    /// 小指
    Little,
}

/// A fingerprint that was captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CapturedFinger {
    /// Of which finger; none: the one whose print the old card holds.
    pub finger: Option<Finger>,
    /// 0 to 100.
    pub quality: u8,
}

/// What a registration form says.
#[derive(Debug)]
pub struct RegistrationForm<'a> {
    /// Where it was accepted.
    pub station: &'a Station,
    /// The officer who accepted it, where one did.
    pub operator: Option<&'a OperatorId>,
    /// The acceptance number.
    pub number: &'a AcceptanceNumber,
    /// When, milliseconds since 1970-01-01 UTC.
    pub accepted_ms: u64,
    /// What is applied for.
    pub reason: ApplicationReason,
    /// The name; what is not known, here and below, is left to the window to fill in.
    pub name: Option<&'a CitizenName>,
    /// The name, masked, where only the centre knows it: whoever keyed a number is not told whose it is (A4).
    pub masked: Option<&'a MaskedName>,
    /// The number; birth date and sex follow from it.
    pub citizen: &'a CitizenNumber,
    /// The ethnic group, as the card prints it: `汉`.
    pub ethnicity: Option<&'a str>,
    /// The registered address.
    pub address: Option<&'a str>,
    /// Who issues the card.
    pub issuer: Option<&'a str>,
    /// How long the new card is valid, where it can be told.
    pub term: Option<Term>,
    /// The phone number.
    pub phone: Option<&'a PhoneNumber>,
    /// The right hand's print.
    pub right: Option<CapturedFinger>,
    /// The left hand's print.
    pub left: Option<CapturedFinger>,
    /// Pages of documents that were scanned.
    pub document_pages: u16,
    /// What is still to be checked (A17).
    pub provisional: &'a [ProvisionalCause],
    /// The portrait.
    pub portrait: Option<&'a Picture>,
    /// The applicant's signature (A11).
    pub signature: &'a Picture,
}

/// Sets the form.
pub fn registration_form(fonts: &Fonts, form: &RegistrationForm<'_>) -> Result<Pdf, Error> {
    let mut sheet = Sheet::new(fonts, 210.0, Some(297.0), 16.0)?;
    let title = Message::DocForm;
    sheet.both(
        Style::bold(20.0),
        Style::quiet(10.5),
        Align::Centre,
        &text(&title),
    )?;
    sheet.gap(3.0);
    sheet.barcode(
        96.0,
        12.0,
        form.number.expose(),
        (
            &Message::LabelAcceptanceNumber,
            &values::acceptance_number(form.number),
        ),
    )?;
    sheet.gap(3.0);
    if let Some(warning) = provisional(form.provisional) {
        sheet.warning(9.0, &warning)?;
    }
    let top = sheet.y;
    let bottom = table(&mut sheet, form)?;
    declaration(&mut sheet, form, bottom)?;
    let (x, width) = (sheet.left, sheet.width);
    sheet.page.frame(
        Area {
            x,
            y: top,
            width,
            height: sheet.y - top,
        },
        1.2,
    );
    sheet.gap(3.0);
    let foot = text(&Message::FormOnlyCopy);
    sheet.paragraph(Style::quiet(8.0), Align::Left, &values::both(&foot))?;
    sheet.finish(&title)
}

/// In full, or as much as is known of it.
fn name<'a>(form: &RegistrationForm<'a>) -> Cow<'a, str> {
    match (form.name, form.masked) {
        (Some(name), _) => name.expose().into(),
        (None, Some(masked)) => format!("{masked}{}", to_complete()).into(),
        (None, None) => to_complete().into(),
    }
}

/// The facts; says where they end.
fn table(sheet: &mut Sheet<'_>, form: &RegistrationForm<'_>) -> Result<f32, Error> {
    let portrait_width = mm(38.0);
    let all = Area {
        x: sheet.left,
        y: sheet.y,
        width: sheet.width,
        height: mm(12.0),
    };
    let beside_portrait = Area {
        width: all.width - portrait_width,
        ..all
    };
    let accepted = values::minute(form.accepted_ms);
    let mut rows = Rows::new(beside_portrait);
    let unknown = to_complete();
    rows.one(sheet, Message::LabelName, &name(form))?;
    rows.two(
        sheet,
        (Message::LabelSex, &sex(form.citizen.sex())),
        (Message::LabelEthnicity, form.ethnicity.unwrap_or(&unknown)),
    )?;
    rows.one(
        sheet,
        Message::LabelBirthDate,
        &form.citizen.birth_date().to_string(),
    )?;
    rows.one(
        sheet,
        Message::LabelNumber,
        &values::citizen_number(form.citizen),
    )?;
    let height = rows.y - all.y;
    portrait(
        sheet,
        Area {
            x: all.x + beside_portrait.width,
            width: portrait_width,
            height,
            ..all
        },
        form.portrait,
    )?;

    let mut rows = Rows::new(Area { y: rows.y, ..all });
    let address = form.address.unwrap_or(&unknown);
    rows.one(sheet, Message::LabelAddress, address)?;
    let phone = form.phone.map(values::phone);
    let phone = phone.as_ref().map_or(unknown.as_str(), |phone| phone);
    rows.two(
        sheet,
        (Message::LabelPhone, phone),
        (Message::LabelReason, &reason(form.reason).zh),
    )?;
    let term = form.term.map_or_else(|| unknown.clone(), values::term);
    rows.two(
        sheet,
        (Message::LabelIssuer, form.issuer.unwrap_or(&unknown)),
        (Message::LabelValidity, &term),
    )?;
    rows.two(
        sheet,
        (Message::LabelRightFinger, &finger(form.right)),
        (Message::LabelLeftFinger, &finger(form.left)),
    )?;
    let nobody = text(&Message::OperatorSelfService).zh;
    let operator = form.operator.map_or(nobody.as_str(), OperatorId::as_str);
    rows.two(
        sheet,
        (Message::LabelAcceptedBy, &form.station.name.zh),
        (Message::LabelOperator, operator),
    )?;
    let pages = form.document_pages.to_string();
    let pages = text(&Message::LabelPages { count: &pages }).zh;
    rows.two(
        sheet,
        (Message::LabelAcceptedAt, &accepted),
        (Message::LabelDocuments, &pages),
    )?;
    rows.one(sheet, Message::LabelCollectAt, &form.station.address)?;
    rows.two(
        sheet,
        (
            Message::LabelCollection,
            &values::both(&text(&Message::CollectionAtMachine)),
        ),
        // Whoever reviews it signs and seals here.
        (Message::LabelReview, ""),
    )?;
    Ok(rows.y)
}

fn portrait(sheet: &mut Sheet<'_>, area: Area, portrait: Option<&Picture>) -> Result<(), Error> {
    sheet.page.frame(area, 0.5);
    if let Some(portrait) = portrait {
        sheet.page.picture(area.inset(mm(2.0)), portrait);
        return Ok(());
    }
    let label = text(&Message::LabelPortrait);
    let y = area.y + area.height / 2.0 - 10.0;
    let y = sheet.block(
        Area { y, ..area },
        Style::quiet(10.0),
        Align::Centre,
        &label.zh,
    )?;
    sheet.block(
        Area { y, ..area },
        Style::quiet(7.0),
        Align::Centre,
        &label.en,
    )?;
    Ok(())
}

/// The sentence that is signed, and the signature below it.
fn declaration(sheet: &mut Sheet<'_>, form: &RegistrationForm<'_>, top: f32) -> Result<(), Error> {
    let height = mm(46.0);
    let area = Area {
        x: sheet.left,
        y: top,
        width: sheet.width,
        height,
    }
    .inset(mm(4.0));
    let declaration = text(&Message::FormDeclaration);
    let y = sheet.block(area, Style::regular(10.5), Align::Left, &declaration.zh)?;
    sheet.block(
        Area { y, ..area },
        Style::quiet(8.5),
        Align::Left,
        &declaration.en,
    )?;
    let signed = mm(22.0);
    let date = schemas::civil::CivilDate::in_china(form.accepted_ms);
    sheet.signature(
        Area {
            y: area.bottom() - signed,
            height: signed,
            ..area
        },
        form.signature,
        &date.to_string(),
    )?;
    sheet.y = top + height;
    Ok(())
}

fn sex(sex: Sex) -> String {
    values::both(&text(&match sex {
        Sex::Male => Message::SexMale,
        Sex::Female => Message::SexFemale,
    }))
}

fn finger(captured: Option<CapturedFinger>) -> String {
    let Some(CapturedFinger { finger, quality }) = captured else {
        return text(&Message::LabelNotCaptured).zh;
    };
    let Some(finger) = finger else {
        let of_card = texts::finger_of_card().zh;
        return quality_of(&of_card, quality);
    };
    let name = text(&match finger {
        Finger::Thumb => Message::FingerThumb,
        Finger::Index => Message::FingerIndex,
        Finger::Middle => Message::FingerMiddle,
        Finger::Ring => Message::FingerRing,
        Finger::Little => Message::FingerLittle,
    });
    quality_of(&name.zh, quality)
}

fn quality_of(finger: &str, quality: u8) -> String {
    let quality = quality.to_string();
    let quality = Message::LabelFingerQuality {
        finger,
        quality: &quality,
    };
    text(&quality).zh
}
