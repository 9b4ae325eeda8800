//! A citizen who applies for a card at a kiosk, page by page, as its prompts ask (A1 to A13).

use std::net::SocketAddr;
use std::time::Duration;

use schemas::words::application::PortraitCheck;
use serde_json::{Value, json};

use crate::kiosk::Kiosk;
use crate::station::http_post;

/// The simulated devices and the centre of a demonstration, with time to spare.
const PAGE: Duration = Duration::from_mins(1);
/// Why a number is refused that is none (A3).
const WRONG: &str = "number-invalid";
/// A PNG of 120 by 40 pixels: a stroke of ink.
const STROKE: &str = "89504e470d0a1a0a0000000d4948445200000078000000280800000000108161f90000009f4944415478daedd65b0e80300844d1bb04f6bf598df1c7\
    f862ac8031a1df279d942a85e9a34507777007ff3fd84418ed30d368b45b82251aed58a5893bc639e2b7d41c19a7511c3985f41d5977e839123fdc5b\
    47ea3f73e3382d9089857ce1b890ee9e6f1dd7543ccca023a992aea3ac39ef1c65cd79e7287d92368ed22769e328ea900747d61d7a4e1af6c41b7ce4\
    c429531ca41eb81ee83bb8833b7878cd08e85e285aa8b32f0000000049454e44ae426082";

/// What somebody applies with.
#[derive(Debug, Clone, Copy)]
pub struct Citizen<'a> {
    /// The kind, as the contract has it.
    pub kind: &'a str,
    /// The number, where it is to be keyed.
    pub number: &'a str,
    /// The phone number.
    pub phone: &'a str,
    /// What the signature pad sends.
    pub signature: &'a [u8],
    /// Where the simulated devices take orders.
    pub control: SocketAddr,
    /// Whose card lies on the reader, where one is to be read.
    pub person: usize,
}

/// A picture that can be decoded.
pub fn stroke() -> Vec<u8> {
    hex::decode(STROKE).unwrap()
}

impl Citizen<'_> {
    /// Applies, and gives the last page. Nothing that comes after it is read.
    pub fn apply(&self, kiosk: &mut Kiosk) -> Value {
        kiosk.send("start-application", json!({"language": "en"}));
        let mut answered = Value::Null;
        loop {
            let page = kiosk.until("a page", PAGE, |channel, value| {
                let is_receipt = channel.starts_with("receipt/");
                // A number that is none is asked for again.
                let is_expected = value["outcome"] == "accepted" || value["reason"] == WRONG;
                assert!(!is_receipt || is_expected, "{value}");
                let application = &value["application"];
                let number = &application["number"];
                let asks = number.is_u64() && *number != answered;
                // The last page of the session before has neither.
                let ended = application["outcome"].is_string() && !answered.is_null();
                (channel == "session" && (asks || ended)).then(|| value.clone())
            });
            let application = &page["application"];
            if application["outcome"].is_string() {
                return page;
            }
            answered = application["number"].clone();
            if let Some(input) = self.entry(kiosk, application["step"].as_str().unwrap()) {
                let session = &page["session"];
                let entry = json!({"session": session, "step": answered, "input": input});
                kiosk.send("application-input", entry);
            }
        }
    }

    /// What is entered on a page; none: a device or the centre is asked.
    fn entry(&self, kiosk: &mut Kiosk, step: &str) -> Option<Value> {
        Some(match step {
            "choose-kind" => json!({"kind": self.kind}),
            "choose-residence" => json!({"residence": "local"}),
            "read-card" => {
                http_post(
                    self.control,
                    &format!("/citizen/arrive?person={}", self.person),
                );
                http_post(self.control, "/citizen/present-card");
                return None;
            }
            "key-number" => json!({"number": self.number}),
            "confirm-identity" => json!({"confirm_identity": true}),
            "give-portrait" => {
                let checks = PortraitCheck::ALL.iter();
                let checks: Vec<_> = checks
                    .map(|check| json!({"check": check, "passed": true}))
                    .collect();
                let picture = kiosk.send_blob(&stroke());
                json!({"portrait": {"way": "booth", "picture": picture, "checks": checks}})
            }
            "give-phone" => json!({"phone": {"first": self.phone, "second": self.phone}}),
            "attach-documents" => json!({"documents_done": {}}),
            "sign" => json!({"signature": kiosk.send_blob(self.signature)}),
            "choose-payment" => json!({"payment_method": "cash-at-window"}),
            _ => return None,
        })
    }
}
