//! The payment notice (缴费通知单) and, once it is paid, the receipt of it, 80 mm: one for each way to pay (A12).

use schemas::application::ApplicationReason;
use schemas::civil::CivilDate;
use schemas::ids::{OrderId, TransactionId};
use schemas::message::kiosk::Text;
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
        // Cash is taken at the window, which reads the barcode.
        Standing::Due { code: None, .. } if notice.way == WayToPay::Cash => {}
        // The centre's own application reads the order from it.
        Standing::Due { code: None, .. } | Standing::Later { .. } => {
            sheet.qr(44.0, &notice.order.to_scan(notice.amount))?;
        }
        Standing::Paid { .. } => {}
    }
    let order = notice.order.as_str();
    sheet.barcode(72.0, 12.0, order, (&Message::LabelOrder, order))?;
    sheet.gap(2.0);
    sheet.rule(0.4);
    sheet.gap(2.0);
    for note in notes(notice) {
        sheet.note(9.0, &note)?;
    }
    sheet.cut(&title)
}

fn fields(notice: &PaymentNotice<'_>) -> Vec<(Message<'static>, String)> {
    let item = values::both(&text(&Message::ItemCardFee));
    let mut fields = vec![
        (Message::LabelItem, item),
        (Message::LabelPaymentMethod, values::both(&method(notice))),
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
            let transaction = transaction.map(values::transaction);
            fields.extend(transaction.map(|id| (Message::LabelTransaction, id)));
            None
        }
    };
    fields.extend(by.map(|day| (Message::LabelPayBy, day.to_string())));
    let is_later = matches!(notice.standing, Standing::Later { .. });
    if notice.way == WayToPay::Cash || is_later {
        fields.push((Message::LabelWindow, notice.station.window.clone()));
    }
    fields.push((Message::LabelTime, values::minute(notice.at_ms)));
    fields
}

/// How it is paid; of what is still open, that it was chosen.
fn method(notice: &PaymentNotice<'_>) -> Text {
    let method = match notice.way {
        WayToPay::Network(method) => payment_method(method),
        WayToPay::Cash => text(&Message::NoticeCashMethod),
    };
    if !matches!(notice.standing, Standing::Later { .. }) {
        return method;
    }
    let open = |method: &str| text(&Message::NoticeOpenMethod { method });
    Text {
        zh: open(&method.zh).zh,
        en: open(&method.en).en,
    }
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
            window: "三号窗口".to_owned(),
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

    /// A12: an order that is not paid says what for, until when and where it can be paid, or when its time begins; of the network it says nothing, since
    /// the citizen may simply have gone.
    #[test]
    fn a12_an_unpaid_order_says_until_when_and_where() {
        let by = CivilDate::new(2026, 12, 7).ok();
        let (fields, notes) = says(Standing::Later { by });
        for said in [
            "2026-12-07",
            "三号窗口",
            "待缴（原选微信支付） open (chosen: WeChat Pay)",
            "居民身份证工本费 Fee for a resident ID card",
        ] {
            assert!(fields.iter().any(|field| field == said), "{fields:?}");
        }
        assert!(notes.contains("lapses"), "{notes}");
        let (_, begins) = says(Standing::Later { by: None });
        assert!(begins.contains("when your application is confirmed"));
        for notes in [notes, begins] {
            assert!(notes.contains("at the window"), "{notes}");
            assert!(!notes.contains("network"), "{notes}");
            // What the code holds is the order, which is nothing to WeChat.
            assert!(notes.contains("WeChat and Alipay themselves cannot read it"));
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
        let transaction = TransactionId::new("4200002026112217953346400001").unwrap();
        let grouped = "4200 0020 2611 2217 9533 4640 0001".to_owned();
        let named = |transaction| says(Standing::Paid { transaction }).0;
        assert!(named(Some(&transaction)).contains(&grouped));
        assert!(!named(None).contains(&grouped));
    }
}
