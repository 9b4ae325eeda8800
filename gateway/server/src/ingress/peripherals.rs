//! Reports of kiosks' peripherals (`event/{type}`), by their names.

use gateway_core::{Input, PeripheralReport};
use schemas::ids::{DeviceId, MessageId};
use schemas::message::peripheral::{PaperChanged, PaymentChanged, PrintEnded, SignatureEnded};

use super::parse::{Parsed, Unreadable, read};

/// None: no report of a peripheral.
pub(super) fn parse(
    device: &DeviceId,
    name: &str,
    payload: &[u8],
) -> Option<Result<Parsed, Unreadable>> {
    let report = match name {
        "paper-changed" => paper(payload),
        "print-ended" => print(payload),
        "signature-ended" => signature(payload),
        "payment-changed" => payment(payload),
        _ => return None,
    };
    let device = device.clone();
    Some(report.map(|(id, report)| Parsed::Message(id, Input::Peripheral { device, report })))
}

type Read = Result<(MessageId, PeripheralReport), Unreadable>;

fn paper(payload: &[u8]) -> Read {
    let PaperChanged { message_id, paper } = read(payload)?;
    Ok((message_id, PeripheralReport::Paper(paper)))
}

fn print(payload: &[u8]) -> Read {
    let PrintEnded {
        message_id,
        job,
        outcome,
    } = read(payload)?;
    Ok((message_id, PeripheralReport::Print { job, outcome }))
}

fn signature(payload: &[u8]) -> Read {
    let SignatureEnded {
        message_id,
        job,
        outcome,
    } = read(payload)?;
    Ok((message_id, PeripheralReport::Signature { job, outcome }))
}

fn payment(payload: &[u8]) -> Read {
    let PaymentChanged {
        message_id,
        order,
        amount_fen,
        method,
        state,
    } = read(payload)?;
    let report = PeripheralReport::Payment {
        order,
        amount_fen,
        method,
        state,
    };
    Ok((message_id, report))
}
