//! One of each document, about invented people.
#![allow(dead_code, reason = "tests use some of it, the example all")]

use documents::{
    CapturedFinger, Certificate, Error, Finger, Fonts, Holder, PaymentNotice, Pdf, Picture,
    Receipt, RegistrationForm, Standing, Station, WayToPay, WindowTicket, certificate,
    payment_notice, receipt, registration_form, window_ticket,
};
use schemas::acceptance::AcceptanceNumber;
use schemas::application::ApplicationReason;
use schemas::citizen::{CitizenName, CitizenNumber, MaskedName, PhoneNumber};
use schemas::civil::CivilDate;
use schemas::ids::{OrderId, SessionId, TicketNumber, TransactionId};
use schemas::message::kiosk::Text;
use schemas::message::peripheral::{Fen, PaymentMethod};
use schemas::validity::Term;
use schemas::words::application::{ProvisionalCause, WindowReason};

pub(crate) const NUMBER: &str = "1101050012026112200042";
pub(crate) const ORDER: &str = "110105001i1e57";
pub(crate) const PAY: &str = "weixin://wxpay/bizpayurl?pr=invented00";
pub(crate) const PROOF: &str =
    "STN1 gateway.example/station-demo-1/1 57 64 n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg";
pub(crate) const AT_MS: u64 = 1_795_334_640_000;

pub(crate) fn station() -> Station {
    Station {
        name: Text {
            zh: "示例市公安局朝阳分局自助服务站".to_owned(),
            en: "Example City PSB, Chaoyang self-service station".to_owned(),
        },
        address: "示例市朝阳区建国路 1 号".to_owned(),
        hours: "每日 00:00-24:00".to_owned(),
        window: "示例市朝阳区建国路 1 号户政大厅 3 号窗口（工作日 09:00-17:00）".to_owned(),
    }
}

pub(crate) fn citizen() -> CitizenNumber {
    CitizenNumber::new("11010519491231002X").expect("a vector of the standard")
}

pub(crate) fn holder() -> Holder {
    let name = CitizenName::new("李小明").expect("a name");
    Holder {
        name: Some(name.masked()),
        number: citizen().tail(),
    }
}

pub(crate) fn number() -> AcceptanceNumber {
    AcceptanceNumber::new(NUMBER).expect("an acceptance number")
}

pub(crate) fn today() -> CivilDate {
    CivilDate::in_china(AT_MS)
}

fn fen(amount: u32) -> Fen {
    Fen::new(amount).expect("an amount")
}

/// What an application ends with: certificate, form and notice.
pub(crate) fn of_application(fonts: &Fonts) -> Result<[Pdf; 3], Error> {
    let due = Standing::Due {
        code: None,
        by: None,
    };
    Ok([
        certificate_of(fonts, true, true)?,
        form_of(fonts, "李小明", true)?,
        notice(fonts, WayToPay::Cash, due)?,
    ])
}

/// All of them, by the names of their files.
pub(crate) fn all(fonts: &Fonts) -> Result<Vec<(&'static str, Pdf)>, Error> {
    let network = |method| WayToPay::Network(method);
    let by = CivilDate::new(2026, 12, 22).ok();
    let pay_due = |code| Standing::Due { code, by };
    Ok(vec![
        ("certificate", certificate_of(fonts, true, false)?),
        ("certificate-unpaid", certificate_of(fonts, false, false)?),
        (
            "certificate-provisional",
            certificate_of(fonts, true, true)?,
        ),
        (
            "certificate-provisional-unpaid",
            certificate_of(fonts, false, true)?,
        ),
        ("form", form_of(fonts, "李小明", true)?),
        ("form-lost", lost_form(fonts, holder().name.as_ref())?),
        ("form-lost-unnamed", lost_form(fonts, None)?),
        (
            "form-provisional",
            form_of(fonts, "阿不都热西提·买买提依明", false)?,
        ),
        (
            "notice-wechat",
            notice(fonts, network(PaymentMethod::Wechat), pay_due(Some(PAY)))?,
        ),
        (
            "notice-alipay",
            notice(
                fonts,
                network(PaymentMethod::Alipay),
                pay_due(Some("https://qr.alipay.com/bax00invented")),
            )?,
        ),
        (
            "notice-unionpay-card",
            notice(fonts, network(PaymentMethod::UnionpayCard), pay_due(None))?,
        ),
        (
            "notice-quickpass",
            notice(
                fonts,
                network(PaymentMethod::Quickpass),
                Standing::Later { by },
            )?,
        ),
        ("notice-cash", notice(fonts, WayToPay::Cash, pay_due(None))?),
        ("notice-paid", paid(fonts, Some(&transaction()))?),
        ("receipt", receipt_of(fonts)?),
        ("window-ticket", ticket(fonts)?),
    ])
}

/// The receipt of a payment through WeChat.
pub(crate) fn paid(fonts: &Fonts, transaction: Option<&TransactionId>) -> Result<Pdf, Error> {
    let standing = Standing::Paid { transaction };
    notice(fonts, WayToPay::Network(PaymentMethod::Wechat), standing)
}

pub(crate) fn transaction() -> TransactionId {
    TransactionId::new("4200002026112217953346400001").expect("a transaction")
}

pub(crate) fn certificate_of(
    fonts: &Fonts,
    is_paid: bool,
    provisional: bool,
) -> Result<Pdf, Error> {
    certificate(
        fonts,
        &Certificate {
            station: &station(),
            number: &number(),
            holder: &holder(),
            reason: ApplicationReason::Expiry,
            accepted_on: today(),
            ready_by: CivilDate::new(2026, 12, 13).ok(),
            fee: Some((fen(2_000), is_paid)),
            holding_days: 90,
            provisional: if provisional {
                ProvisionalCause::ALL
            } else {
                &[]
            },
            proof: PROOF,
            signature: &signature(),
        },
    )
}

pub(crate) fn form_of(fonts: &Fonts, name: &str, with_portrait: bool) -> Result<Pdf, Error> {
    let portrait = with_portrait.then(portrait);
    let citizen = citizen();
    registration_form(
        fonts,
        &RegistrationForm {
            station: &station(),
            operator: None,
            number: &number(),
            accepted_ms: AT_MS,
            reason: ApplicationReason::Loss,
            name: Some(&CitizenName::new(name).expect("a name")),
            masked: None,
            citizen: &citizen,
            ethnicity: Some("汉"),
            address: Some("示例省示例市朝阳区建国路甲 92 号院 6 号楼 3 单元 1204 室"),
            issuer: Some("示例市公安局朝阳分局"),
            term: citizen.birth_date().age_on(today()).map(Term::of_age),
            phone: Some(&PhoneNumber::new("13812345678").expect("a phone number")),
            right: Some(CapturedFinger {
                finger: Some(Finger::Thumb),
                quality: 86,
            }),
            left: (!with_portrait).then_some(CapturedFinger {
                finger: None,
                quality: 71,
            }),
            document_pages: 3,
            provisional: if with_portrait {
                &[]
            } else {
                ProvisionalCause::ALL
            },
            portrait: portrait.as_ref(),
            signature: &signature(),
        },
    )
}

/// Of whom only the number was keyed: a card that was lost names nobody, but the centre may have.
pub(crate) fn lost_form(fonts: &Fonts, masked: Option<&MaskedName>) -> Result<Pdf, Error> {
    registration_form(
        fonts,
        &RegistrationForm {
            station: &station(),
            operator: None,
            number: &number(),
            accepted_ms: AT_MS,
            reason: ApplicationReason::Loss,
            name: None,
            masked,
            citizen: &citizen(),
            ethnicity: None,
            address: None,
            issuer: None,
            term: None,
            phone: None,
            right: None,
            left: None,
            document_pages: 0,
            provisional: &[ProvisionalCause::Comparison],
            portrait: None,
            signature: &signature(),
        },
    )
}

pub(crate) fn notice(fonts: &Fonts, way: WayToPay, standing: Standing<'_>) -> Result<Pdf, Error> {
    payment_notice(
        fonts,
        &PaymentNotice {
            station: &station(),
            holder: &holder(),
            reason: ApplicationReason::Loss,
            amount: fen(4_000),
            order: &OrderId::new(ORDER).expect("an order"),
            way,
            standing,
            at_ms: AT_MS,
        },
    )
}

pub(crate) fn receipt_of(fonts: &Fonts) -> Result<Pdf, Error> {
    let session = SessionId::from_index(57);
    receipt(
        fonts,
        &Receipt {
            station: &station(),
            text: &texts::slip(),
            session: &session,
            at_ms: AT_MS,
            proof: PROOF,
        },
    )
}

pub(crate) fn ticket(fonts: &Fonts) -> Result<Pdf, Error> {
    let number = TicketNumber::of(1, 7);
    let why = texts::window_reason(WindowReason::LiveDiffers);
    let holder = holder();
    let ticket = WindowTicket {
        station: &station(),
        ticket: &number,
        holder: Some(&holder),
        reason: Some(ApplicationReason::Damage),
        why: &why,
        at_ms: AT_MS,
        until_ms: Some(AT_MS + 72 * 3_600_000),
    };
    window_ticket(fonts, &ticket)
}

/// A wave of ink, as a signature pad gives it: PNG, gray with transparency.
pub(crate) fn signature() -> Picture {
    Picture::decode(&signature_png()).expect("a picture")
}

pub(crate) fn signature_png() -> Vec<u8> {
    let (width, height) = (480_u32, 160_u32);
    let mut pixels = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let t = f64::from(x) / 24.0;
            let wave = 80.0 + 48.0 * t.sin() * (t * 0.37).cos();
            let near = (f64::from(y) - wave).abs() < 3.5 && (20..460).contains(&x);
            pixels.extend([0x10, if near { 255 } else { 0 }]);
        }
    }
    png_of(width, height, png::ColorType::GrayscaleAlpha, &pixels)
}

pub(crate) fn png_of(width: u32, height: u32, color: png::ColorType, pixels: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(color);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().expect("a header");
    writer.write_image_data(pixels).expect("pixels");
    writer.finish().expect("an end");
    file
}

/// A drawn head before a white wall, JPEG.
pub(crate) fn portrait() -> Picture {
    Picture::decode(&portrait_jpeg()).expect("a picture")
}

pub(crate) fn portrait_jpeg() -> Vec<u8> {
    let (width, height) = (358_u16, 441_u16);
    let mut pixels = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let (dx, dy) = (f64::from(x) - 179.0, f64::from(y));
            let head = (dx / 88.0).powi(2) + ((dy - 190.0) / 115.0).powi(2) < 1.0;
            let body = (dx / 165.0).powi(2) + ((dy - 450.0) / 130.0).powi(2) < 1.0;
            pixels.extend(match (head, body) {
                (true, _) => [222, 184, 155],
                (_, true) => [40, 52, 78],
                _ => [250, 250, 250],
            });
        }
    }
    let mut file = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut file, 90);
    encoder
        .encode(&pixels, width, height, jpeg_encoder::ColorType::Rgb)
        .expect("a JPEG");
    file
}
