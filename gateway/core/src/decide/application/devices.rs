//! What the devices of an application are asked and answer. A device that is away fails its step at once.

use schemas::event::application::ApplicationStep as Step;
use schemas::ids::DeviceId;
use schemas::message::command::CommandId;
use schemas::words::Completion;
use schemas::words::application::{ComparisonPending, WindowReason};

use super::super::draft::Draft;
use super::fingers::Capture;
use super::{at, faces, fingers, person, put, window};
use crate::application::device_of;
use crate::input::Reply;

/// Asks a device, if it is there.
pub(super) fn ask(draft: &mut Draft<'_>, kiosk: &DeviceId, step: Step) {
    let Some(a) = at(draft, kiosk) else { return };
    let device = device_of(&a.devices, step);
    if device.is_none_or(|device| draft.state().is_available(device)) {
        put(draft, kiosk, step);
    } else {
        away(draft, kiosk, step);
    }
}

/// The device of this step is away, or did not answer in time.
pub(super) fn away(draft: &mut Draft<'_>, kiosk: &DeviceId, step: Step) {
    match step {
        Step::ReadCard { .. } => person::unreadable(draft, kiosk, Completion::DeviceNotReady),
        Step::TakeLivePhoto { .. } => {
            window::device_failed(draft, kiosk, WindowReason::NoLivePhoto);
        }
        Step::CaptureFinger { .. } => {
            window::device_failed(draft, kiosk, WindowReason::FingersNotCaptured);
        }
        Step::ComparePortrait | Step::CompareLive { .. } => {
            faces::no_answer(draft, kiosk, step, ComparisonPending::MatcherAway);
        }
        Step::ChooseKind
        | Step::ChooseResidence
        | Step::KeyNumber { .. }
        | Step::ConfirmIdentity
        | Step::AwaitEligibility
        | Step::GivePortrait { .. }
        | Step::RetakeLivePhoto { .. }
        | Step::GivePhone { .. }
        | Step::AwaitSms
        | Step::KeySmsCode { .. }
        | Step::AttachDocuments
        | Step::Sign
        | Step::ChoosePayment
        | Step::AwaitPayment => {}
    }
}

/// A device's answer. False: no application waits for it.
pub(in crate::decide) fn replied(
    draft: &mut Draft<'_>,
    device: &DeviceId,
    command: &CommandId,
    reply: &Reply,
) -> bool {
    let state = draft.state();
    let mut open = state.applications.open.iter();
    let found = open.find_map(|(kiosk, a)| {
        let stage = a.stage.as_ref()?;
        let asked = a.serving() == Some(device) && state.command(stage.index) == *command;
        asked.then(|| (kiosk.clone(), stage.step))
    });
    let Some((kiosk, step)) = found else {
        return false;
    };
    match (step, reply) {
        (Step::ReadCard { .. }, Reply::Read(result)) => person::card(draft, &kiosk, result),
        (Step::TakeLivePhoto { attempt }, Reply::Captured(result)) => {
            faces::photographed(draft, &kiosk, attempt, result);
        }
        (
            Step::CaptureFinger {
                hand,
                attempt,
                position,
            },
            Reply::Finger(reply),
        ) => {
            let capture = Capture {
                hand,
                attempt,
                position,
            };
            fingers::captured(draft, &kiosk, capture, reply);
        }
        (Step::ComparePortrait | Step::CompareLive { .. }, Reply::Faces(reply)) => {
            faces::compared(draft, &kiosk, step, *reply);
        }
        _ => return false,
    }
    true
}

/// A device went away: the steps that it serves fail. Those that wait for it go on waiting.
pub(in crate::decide) fn went(draft: &mut Draft<'_>, device: &DeviceId) {
    let open = draft.state().applications.open.iter();
    let served = open.filter(|(_, a)| a.serving() == Some(device));
    let failed: Vec<_> = served
        .filter_map(|(kiosk, a)| Some((kiosk.clone(), a.stage.as_ref()?.step)))
        .collect();
    for (kiosk, step) in failed {
        away(draft, &kiosk, step);
    }
}
