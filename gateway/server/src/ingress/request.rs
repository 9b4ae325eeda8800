//! Requests of kiosks (`request/{name}`).

use gateway_core::{Input, Request};
use schemas::ids::{BatchId, DeviceId, MessageId, OperatorId};
use schemas::message::kiosk::{
    Cancel, Claim, CloseBatch, GetPapers, GetSession, LoadCard, Operator, PlaceCard, ReceiveBatch,
    ResolveMachine, ScanCard, SetMaintenance, StartPickup, StockTake, UnloadCard,
};
use schemas::words::{LookupBy, RefusalReason};
use serde::Deserialize;

use super::entry;
use super::parse::{Parsed, Unreadable, read};
use crate::inbox::Inbox;
use crate::keys::{Domain, LookupKeys};
use crate::operators::PinCheck;
use crate::operators::PinDesk;
use crate::pipeline::Operated as Checked;

/// Declares how an operator's request is read: its type, and the request it becomes.
macro_rules! operated {
    ($payload:expr, $message:ident { $($field:ident),* }) => {{
        let $message { message_id, deadline_ms, operator, $($field),* } = read($payload)?;
        let Operator { id, pin } = operator;
        let act = Act::Ready(Box::new(move |operator| Request::$message { operator, $($field),* }));
        (message_id, deadline_ms, id, pin, act)
    }};
}

pub(super) fn parse(
    device: &DeviceId,
    name: &str,
    payload: &[u8],
    keys: &LookupKeys,
) -> Result<Parsed, Unreadable> {
    let (message_id, deadline_ms, operator, pin, act) = match name {
        "start-pickup" => return start_pickup(device, payload, keys),
        "start-application" => return entry::start(device, payload),
        "application-input" => return entry::parse(payload),
        "cancel" => {
            let Cancel {
                message_id,
                deadline_ms,
                session,
            } = read(payload)?;
            let input = request(device, deadline_ms, Request::Cancel { session });
            return Ok(Parsed::Message(message_id, input));
        }
        "get-session" => {
            let GetSession { message_id, .. } = read(payload)?;
            return Ok(Parsed::ShowSession(message_id));
        }
        "get-papers" => {
            let GetPapers {
                message_id,
                deadline_ms,
                session,
            } = read(payload)?;
            let gone = Request::PapersGone {
                session: session.clone(),
            };
            let gone = request(device, deadline_ms, gone);
            return Ok(Parsed::ShowPapers(message_id, session, gone));
        }
        "receive-batch" => {
            let ReceiveBatch {
                message_id,
                deadline_ms,
                operator,
                batch,
            } = read(payload)?;
            let Operator { id, pin } = operator;
            (message_id, deadline_ms, id, pin, Act::Receive(batch))
        }
        "scan-card" => operated!(payload, ScanCard { batch, card }),
        "close-batch" => operated!(payload, CloseBatch { batch }),
        "load-card" => operated!(
            payload,
            LoadCard {
                card,
                machine,
                slot
            }
        ),
        "unload-card" => operated!(payload, UnloadCard { card }),
        "stock-take" => operated!(payload, StockTake { machine }),
        "place-card" => operated!(
            payload,
            PlaceCard {
                card,
                to,
                release_hold
            }
        ),
        "resolve-machine" => operated!(payload, ResolveMachine { machine, card_now }),
        "set-maintenance" => operated!(payload, SetMaintenance { target, on }),
        _ => return unknown(device, name, payload),
    };
    let operated = Operated {
        name: name.to_owned(),
        deadline_ms,
        operator,
        pin,
        act,
    };
    Ok(Parsed::Operated(message_id, operated))
}

fn start_pickup(
    device: &DeviceId,
    payload: &[u8],
    keys: &LookupKeys,
) -> Result<Parsed, Unreadable> {
    let StartPickup {
        message_id,
        deadline_ms,
        claim,
    } = read(payload)?;
    let (by, tags) = match &claim {
        Claim::Voucher(voucher) => (
            LookupBy::Voucher,
            keys.tags(Domain::Voucher, voucher.expose()),
        ),
        Claim::CitizenNumber(number) => (
            LookupBy::CitizenNumber,
            keys.tags(Domain::Number, number.expose()),
        ),
    };
    let input = request(device, deadline_ms, Request::StartPickup { by, tags });
    Ok(Parsed::Message(message_id, input))
}

/// A request of a name that this version does not know: refused on record, if it can be named at all.
fn unknown(device: &DeviceId, name: &str, payload: &[u8]) -> Result<Parsed, Unreadable> {
    #[derive(Deserialize)]
    struct Any {
        message_id: MessageId,
        deadline_ms: u64,
    }
    let Any {
        message_id,
        deadline_ms,
    } = read(payload)?;
    let refused = Request::Unserviceable {
        name: name.to_owned(),
        reason: RefusalReason::Unknown,
    };
    Ok(Parsed::Message(
        message_id,
        request(device, deadline_ms, refused),
    ))
}

fn request(device: &DeviceId, deadline_ms: u64, request: Request) -> Input {
    Input::Request {
        kiosk: device.clone(),
        deadline_ms,
        request,
    }
}

/// An operator's request, before the PIN is compared.
#[derive(Debug)]
pub(super) struct Operated {
    name: String,
    deadline_ms: u64,
    operator: OperatorId,
    pin: schemas::message::Pin,
    act: Act,
}

/// What the operator wants, once it is known that it is they.
enum Act {
    Ready(Box<dyn FnOnce(OperatorId) -> Request + Send>),
    /// The manifest is read only for an operator whose PIN fits.
    Receive(BatchId),
}

impl Operated {
    /// Compares the PIN and, if it fits, reads what the request needs.
    pub(super) async fn look_up(self, pins: &PinDesk, inbox: &Inbox) -> Checked {
        let Self {
            name,
            deadline_ms,
            operator,
            pin,
            act,
        } = self;
        let check = pins.check(operator.clone(), pin).await;
        let request = match (act, matches!(check, PinCheck::Fits(_))) {
            (Act::Ready(make), _) => make(operator),
            (Act::Receive(batch), fits) => {
                let manifest = if fits {
                    announcement(inbox, &batch).await
                } else {
                    None
                };
                Request::ReceiveBatch {
                    operator,
                    batch,
                    manifest,
                }
            }
        };
        Checked {
            check,
            deadline_ms,
            name,
            request,
        }
    }
}

async fn announcement(inbox: &Inbox, batch: &BatchId) -> Option<gateway_core::Announcement> {
    let (inbox, batch) = (inbox.clone(), batch.clone());
    panics::off_runtime(move || inbox.announcement(&batch))
        .await
        .ok()
        .flatten()
}

impl std::fmt::Debug for Act {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ready(_) => f.write_str("Ready"),
            Self::Receive(batch) => write!(f, "Receive({batch})"),
        }
    }
}
