//! What a kiosk's peripherals report: facts, recorded as they are. No rule follows from them here, but that what a
//! terminal says is paid is so.

use schemas::event::Event;
use schemas::event::device::{
    PaperReported, PaymentReported, PrintReported, SignatureReported, Signing,
};
use schemas::event::station::RequestRefused;
use schemas::ids::DeviceId;
use schemas::message::peripheral::{PaymentState, SignatureOutcome};
use schemas::words::{DeviceKind, RefusalReason};

use super::draft::Draft;
use super::{Outcome, application, payment};
use crate::input::PeripheralReport;

/// A report is a device's to make only if it is of that kind: a camera says nothing of payments.
pub(super) fn report(
    draft: &mut Draft<'_>,
    device: &DeviceId,
    report: &PeripheralReport,
) -> Outcome {
    let (kind, name) = belongs_to(report);
    if draft.rules.devices.get(device).map(|rules| rules.kind) == Some(kind) {
        draft.push(fact(device, report));
        if let PeripheralReport::Payment {
            order,
            amount_fen,
            method,
            state,
        } = report
        {
            if *state == PaymentState::Paid {
                payment::reported(draft, device, order, *amount_fen, *method);
            } else {
                application::payment_failed(draft, order, *method, *state);
            }
        }
        return Outcome::Accepted(None);
    }
    let reason = RefusalReason::Unknown;
    draft.push(RequestRefused {
        device: device.clone(),
        request: name.to_owned(),
        reason,
    });
    Outcome::Refused(reason)
}

const fn belongs_to(report: &PeripheralReport) -> (DeviceKind, &'static str) {
    match report {
        PeripheralReport::Paper(_) => (DeviceKind::Printer, "paper-changed"),
        PeripheralReport::Print { .. } => (DeviceKind::Printer, "print-ended"),
        PeripheralReport::Signature { .. } => (DeviceKind::SignaturePad, "signature-ended"),
        PeripheralReport::Payment { .. } => (DeviceKind::PaymentTerminal, "payment-changed"),
    }
}

fn fact(device: &DeviceId, report: &PeripheralReport) -> Event {
    let device = device.clone();
    match report.clone() {
        PeripheralReport::Paper(paper) => PaperReported { device, paper }.into(),
        PeripheralReport::Print { job, outcome } => PrintReported {
            device,
            job,
            outcome,
        }
        .into(),
        PeripheralReport::Signature { job, outcome } => SignatureReported {
            device,
            job,
            outcome: match outcome {
                SignatureOutcome::Signed { .. } => Signing::Signed,
                SignatureOutcome::Failed { reason } => Signing::Failed { reason },
            },
        }
        .into(),
        PeripheralReport::Payment {
            order,
            amount_fen,
            method,
            state,
        } => PaymentReported {
            device,
            order,
            amount_fen,
            method,
            state,
        }
        .into(),
    }
}
