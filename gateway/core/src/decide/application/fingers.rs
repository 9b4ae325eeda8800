//! Fingerprints of both hands (A9). Without them the application is not accepted. Those that the old card holds are compared.

use schemas::event::application::{
    ApplicationFingerCaptured, ApplicationFingerCompared, ApplicationFingerFailed, Comparison,
    Fingerprint,
};
use schemas::ids::DeviceId;
use schemas::words::application::{ComparisonPending, FingerPosition, WindowReason};
use schemas::words::{Completion, Hand};

use super::super::draft::Draft;
use super::{at, devices, go_on, window};
use crate::application::finger;
use crate::input::FingerReply;

/// Which capture it is.
#[derive(Clone, Copy)]
pub(super) struct Capture {
    pub(super) hand: Hand,
    pub(super) attempt: u16,
    pub(super) position: Option<FingerPosition>,
}

/// What the scanner says.
pub(super) fn captured(
    draft: &mut Draft<'_>,
    kiosk: &DeviceId,
    capture: Capture,
    reply: &FingerReply,
) {
    let Some(a) = at(draft, kiosk) else { return };
    let quality_min = a.policy.finger_quality_min;
    let quality = reply.quality.filter(|q| *q <= 100);
    let good = quality.filter(|q| *q >= quality_min && reply.completion == Completion::Success);
    let (Some(quality), Some(image)) = (good, reply.image.clone()) else {
        return failed(draft, kiosk, capture, reply.completion, quality);
    };
    let session = a.id.clone();
    let Capture { hand, attempt, .. } = capture;
    let position = capture.position.or_else(|| a.position_on_card(hand));
    draft.push(ApplicationFingerCaptured {
        session,
        attempt,
        finger: Fingerprint {
            hand,
            position,
            quality,
            image,
        },
    });
    compare(draft, kiosk, capture, reply.score.filter(|s| *s <= 100));
}

/// With what the old card holds of that hand.
fn compare(draft: &mut Draft<'_>, kiosk: &DeviceId, capture: Capture, score: Option<u16>) {
    let Some(a) = at(draft, kiosk) else { return };
    let on_card = a
        .person
        .as_ref()
        .is_some_and(|p| p.hands.contains(&capture.hand));
    let score_min = a.policy.finger_score_min;
    let device = a.devices.scanner.clone();
    let comparison = match score {
        _ if !on_card => Comparison::Pending {
            reason: ComparisonPending::NoReference,
        },
        None => Comparison::Pending {
            reason: ComparisonPending::MatcherAway,
        },
        Some(score) => Comparison::Compared {
            device,
            score,
            score_min,
            matched: score >= score_min,
        },
    };
    let (session, hand) = (a.id.clone(), capture.hand);
    // One that was found to differ is not taken without a score.
    let differs = match comparison {
        Comparison::Compared { matched, .. } => !matched,
        Comparison::Pending { .. } => a.failed.do_fingers_differ(hand),
    };
    draft.push(ApplicationFingerCompared {
        session,
        hand,
        comparison,
    });
    if differs {
        again(draft, kiosk, capture, WindowReason::FingersDiffer);
    } else {
        go_on(draft, kiosk);
    }
}

/// No image that does.
pub(super) fn failed(
    draft: &mut Draft<'_>,
    kiosk: &DeviceId,
    capture: Capture,
    completion: Completion,
    quality: Option<u16>,
) {
    let Some(a) = at(draft, kiosk) else { return };
    let session = a.id.clone();
    draft.push(ApplicationFingerFailed {
        session,
        hand: capture.hand,
        attempt: capture.attempt,
        completion,
        quality,
    });
    again(draft, kiosk, capture, WindowReason::FingersNotCaptured);
}

fn again(draft: &mut Draft<'_>, kiosk: &DeviceId, capture: Capture, otherwise: WindowReason) {
    let Some(a) = at(draft, kiosk) else { return };
    if capture.attempt < a.policy.finger_attempts_max {
        let step = finger(a, capture.hand, capture.attempt + 1);
        devices::ask(draft, kiosk, step);
    } else {
        window::send(draft, kiosk, otherwise);
    }
}
