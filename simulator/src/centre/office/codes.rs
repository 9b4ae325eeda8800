//! The codes that phones scan to pay. The centre is the merchant: it has them from the payment networks, one for each time that a station asks.

use schemas::downlink::application::PaymentCodeIssued;
use schemas::event::payment::PaymentCodeAsked;
use schemas::ids::TransactionId;
use schemas::order::PaymentCode;
use schemas::words::application::PaymentWay;
use serde::{Deserialize, Serialize};

use super::bills::Taken;
use super::letters::Letter;
use super::{Office, Sender};

/// How long a code is valid, as WeChat Pay has it.
const VALID_S: u32 = 7_200;

/// A code of an order.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Code {
    /// The station's question.
    question: u32,
    text: PaymentCode,
    way: PaymentWay,
    expires_ms: u64,
}

impl Office {
    /// A station asks for a code. Those of the order before it stay scannable: the network may have taken money by one before it hears.
    pub(super) fn give_code(&mut self, sender: &Sender, b: PaymentCodeAsked, now_ms: u64) {
        let valid_s = self.faults.code_valid_s.unwrap_or(VALID_S);
        let expires_ms = now_ms.saturating_add(u64::from(valid_s) * 1_000);
        let Some(bill) = self.bills.get_mut(&b.order) else {
            return;
        };
        let Some(code) = draw(b.way) else { return };
        bill.codes.push(Code {
            question: b.question,
            text: code.clone(),
            way: b.way,
            expires_ms,
        });
        let issued = PaymentCodeIssued {
            incarnation: sender.incarnation,
            session: b.session,
            question: b.question,
            code,
            expires_ms,
        };
        self.post(&sender.station, Letter::PaymentCode(issued), now_ms);
    }

    /// A citizen scans a code and pays what it is for.
    pub(super) fn scan(
        &mut self,
        scanned: &PaymentCode,
        now_ms: u64,
    ) -> Result<Vec<TransactionId>, String> {
        let mut codes = self
            .bills
            .iter()
            .flat_map(|(order, bill)| bill.codes.iter().map(move |code| (order, code)));
        let found = codes.find(|(_, code)| code.text == *scanned);
        let (order, code) = found.ok_or("nobody knows this code")?;
        if code.expires_ms <= now_ms {
            return Err("the code has expired".to_owned());
        }
        let order = order.clone();
        let taken = Taken {
            way: Some(code.way),
            code: Some(code.question),
            amount_fen: None,
        };
        self.take_money(&order, &taken, now_ms)
    }
}

/// A code as a network makes them, and of no use to a real application.
fn draw(way: PaymentWay) -> Option<PaymentCode> {
    let mut bytes = [0; 5];
    aws_lc_rs::rand::fill(&mut bytes).ok()?;
    let drawn = hex::encode(bytes);
    let text = match way {
        PaymentWay::Wechat => format!("weixin://wxpay/bizpayurl?pr={drawn}"),
        PaymentWay::Alipay => format!("https://qr.alipay.com/bax{drawn}"),
        PaymentWay::UnionpayCard | PaymentWay::Quickpass | PaymentWay::CashAtWindow => return None,
    };
    PaymentCode::new(text).ok()
}
