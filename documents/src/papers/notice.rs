//! The payment notice (缴费通知) and, once it is paid, the receipt of it, 80 mm: one for each way to pay (A12).

use schemas::application::ApplicationReason;
use schemas::civil::CivilDate;
use schemas::ids::{OrderId, TransactionId};
use schemas::message::peripheral::{Fen, PaymentMethod};
use texts::{Message, payment_method, reason, text};

use super::{Holder, Station};
use crate::error::Error;
use crate::fonts::Fonts;
use crate::line::Style;
use crate::pdf::Pdf;
use crate::sheet::{Align, Sheet};
use crate::values;

/// How it is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WayToPay {
    /// Through a payment network.
    Network(PaymentMethod),
    /// In cash at the window.
    Cash,
}

/// How the payment stands.
#[derive(Debug, Clone, Copy)]
pub enum Standing<'a> {
    /// To be paid.
    Due {
        /// What a payment app scans, where the network gave one.
        code: Option<&'a str>,
        /// The last day; none: it follows from when the application is confirmed.
        by: Option<CivilDate>,
    },
    /// Nobody paid it through the network at the kiosk: the order is kept and can be paid later.
    Later {
        /// As above.
        by: Option<CivilDate>,
    },
    /// Paid.
    Paid {
        /// The network's transaction, where it is known.
        transaction: Option<&'a TransactionId>,
    },
}

/// What a payment notice says.
#[derive(Debug)]
pub struct PaymentNotice<'a> {
    /// Who is paid.
    pub station: &'a Station,
    /// Who pays.
    pub holder: &'a Holder,
    /// What for.
    pub reason: ApplicationReason,
    /// How much.
    pub amount: Fen,
    /// The order, also as a barcode for the window.
    pub order: &'a OrderId,
    /// How it is paid.
    pub way: WayToPay,
    /// How the payment stands.
    pub standing: Standing<'a>,
    /// When this was so, milliseconds since 1970-01-01 UTC.
    pub at_ms: u64,
}

/// Sets the notice.
pub fn payment_notice(fonts: &Fonts, notice: &PaymentNotice<'_>) -> Result<Pdf, Error> {
    let mut sheet = Sheet::roll(fonts)?;
    let title = match notice.standing {
        Standing::Due { .. } | Standing::Later { .. } => Message::DocNotice,
        Standing::Paid { .. } => Message::DocPaidNotice,
    };
    sheet.roll_head(&title, notice.station)?;
    let amount = values::amount(notice.amount);
    sheet.paragraph(Style::bold(17.0), Align::Centre, &amount)?;
    sheet.gap(2.0);
    sheet.roll_fields(&fields(notice))?;
    sheet.gap(1.5);
    match notice.standing {
        Standing::Due {
            code: Some(code), ..
        } => sheet.qr(44.0, code)?,
        // The centre's own application reads the order from it.
        Standing::Due { code: None, .. } | Standing::Later { .. } => {
            sheet.qr(44.0, &notice.order.to_scan(notice.amount))?;
        }
        Standing::Paid { .. } => {}
    }
    sheet.barcode(72.0, 12.0, notice.order.as_str(), notice.order.as_str())?;
    sheet.gap(2.0);
    sheet.rule(0.4);
    sheet.gap(2.0);
    for note in notes(notice) {
        sheet.note(9.0, &note)?;
    }
    sheet.cut(&title)
}

fn fields(notice: &PaymentNotice<'_>) -> Vec<(Message<'static>, String)> {
    let way = match notice.way {
        WayToPay::Network(method) => payment_method(method),
        WayToPay::Cash => text(&Message::NoticeCashMethod),
    };
    let mut fields = vec![
        (Message::LabelPaymentMethod, values::both(&way)),
        (Message::LabelReason, reason(notice.reason).zh),
        (Message::LabelName, notice.holder.name()),
        (
            Message::LabelNumber,
            values::masked_number(&notice.holder.number),
        ),
        (Message::LabelPayee, notice.station.name.zh.clone()),
    ];
    let by = match notice.standing {
        Standing::Due { by, .. } | Standing::Later { by } => by,
        Standing::Paid { transaction } => {
            let transaction = transaction.map(|id| id.as_str().to_owned());
            fields.extend(transaction.map(|id| (Message::LabelTransaction, id)));
            None
        }
    };
    fields.extend(by.map(|day| (Message::LabelPayBy, day.to_string())));
    if notice.way == WayToPay::Cash {
        fields.push((Message::LabelWindow, notice.station.window.clone()));
    }
    fields.push((Message::LabelTime, values::minute(notice.at_ms)));
    fields
}

fn notes(notice: &PaymentNotice<'_>) -> Vec<Message<'static>> {
    let how = match notice.way {
        WayToPay::Network(PaymentMethod::Wechat) => Message::NoticeWechat,
        WayToPay::Network(PaymentMethod::Alipay) => Message::NoticeAlipay,
        WayToPay::Network(PaymentMethod::UnionpayCard) => Message::NoticeUnionpayCard,
        WayToPay::Network(PaymentMethod::Quickpass) => Message::NoticeQuickpass,
        WayToPay::Cash => Message::NoticeCash,
    };
    let above = matches!(
        notice.way,
        WayToPay::Network(PaymentMethod::Wechat | PaymentMethod::Alipay)
    );
    match notice.standing {
        // Without a network's code there is none above that its application scans.
        Standing::Due { code: None, by } if above => {
            vec![until(by), Message::NoticeUnpaidConsequence]
        }
        Standing::Due { by, .. } => vec![how, until(by), Message::NoticeUnpaidConsequence],
        Standing::Later { by } => vec![
            Message::NoticeLater,
            until(by),
            Message::NoticeUnpaidConsequence,
        ],
        Standing::Paid { .. } => vec![Message::NoticePaid],
    }
}

/// What comes of it after the last day, or when the time to pay begins.
const fn until(by: Option<CivilDate>) -> Message<'static> {
    match by {
        Some(_) => Message::NoticeLapses,
        None => Message::NoticeTermToCome,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use schemas::citizen::NumberTail;
    use schemas::message::kiosk::Text;

    use super::*;

    /// What the paper of a payment that stands so says in English, its fields first.
    fn says(standing: Standing<'_>) -> (Vec<String>, String) {
        says_by(WayToPay::Network(PaymentMethod::Wechat), standing)
    }

    /// The same of a way to pay.
    fn says_by(way: WayToPay, standing: Standing<'_>) -> (Vec<String>, String) {
        let station = Station {
            name: Text {
                zh: "示例站".to_owned(),
                en: "Example station".to_owned(),
            },
            address: String::new(),
            hours: String::new(),
            window: String::new(),
        };
        let holder = Holder {
            name: None,
            number: NumberTail::new("002X").unwrap(),
        };
        let notice = PaymentNotice {
            station: &station,
            holder: &holder,
            reason: ApplicationReason::Loss,
            amount: Fen::new(4_000).unwrap(),
            order: &OrderId::new("110105001i1e57").unwrap(),
            way,
            standing,
            at_ms: 0,
        };
        let values = fields(&notice).into_iter().map(|(_, value)| value);
        let notes: Vec<String> = notes(&notice).iter().map(|note| text(note).en).collect();
        (values.collect(), notes.join("\n"))
    }

    /// A12: an order that is not paid says until when and where it can be, or when its time begins; of the network it says nothing, since
    /// the citizen may simply have gone.
    #[test]
    fn a12_an_unpaid_order_says_until_when_and_where() {
        let by = CivilDate::new(2026, 12, 7).ok();
        let (fields, notes) = says(Standing::Later { by });
        assert!(fields.contains(&"2026-12-07".to_owned()), "{fields:?}");
        assert!(notes.contains("lapses"), "{notes}");
        let (_, begins) = says(Standing::Later { by: None });
        assert!(begins.contains("when your application is confirmed"));
        for notes in [notes, begins] {
            assert!(notes.contains("at the window"), "{notes}");
            assert!(!notes.contains("network"), "{notes}");
        }
    }

    /// A12: a notice of what is to be paid at the window says what comes of it after the last day, or when the time begins and how that is
    /// told.
    #[test]
    fn a12_a_notice_for_the_window_says_until_when() {
        let due = |by| says_by(WayToPay::Cash, Standing::Due { code: None, by });
        let by = CivilDate::new(2026, 12, 7).ok();
        let (fields, notes) = due(by);
        assert!(fields.contains(&"2026-12-07".to_owned()), "{fields:?}");
        assert!(notes.contains("After the day given above"), "{notes}");
        let (_, notes) = due(None);
        let begins = "begins when your application is confirmed; a text message tells you of it";
        assert!(notes.contains(begins), "{notes}");
        assert!(!notes.contains("lapses"), "{notes}");
    }

    /// A12: a receipt names the network's transaction, where it is known.
    #[test]
    fn a12_a_receipt_names_its_transaction() {
        let transaction = TransactionId::new("T1").unwrap();
        let named = |transaction| says(Standing::Paid { transaction }).0;
        assert!(named(Some(&transaction)).contains(&"T1".to_owned()));
        assert!(!named(None).contains(&"T1".to_owned()));
    }
}
