//! Deadlines, a new life of the gateway, and devices that come free.

use schemas::event::application::ApplicationStep as Step;
use schemas::ids::DeviceId;
use schemas::words::Completion;
use schemas::words::application::{
    ApplicationOutcome, ComparisonPending, SmsSkipped, WindowReason,
};

use super::super::draft::Draft;
use super::fingers::Capture;
use super::session::end;
use super::{
    at, devices, eligibility, faces, fingers, go_on, is_busy, paying, person, phone, submit, window,
};
use crate::application::{Application, device_of};

/// A new life: what was entered was held in memory, and so is gone. A payment that is confirmed later is given back.
pub(in crate::decide) fn interrupted(draft: &mut Draft<'_>) {
    for kiosk in kiosks(draft) {
        end(draft, &kiosk, ApplicationOutcome::Interrupted);
    }
}

fn kiosks(draft: &Draft<'_>) -> Vec<DeviceId> {
    draft.state().applications.open.keys().cloned().collect()
}

/// Lets every deadline that has come do what it was set for.
pub(in crate::decide) fn tick(draft: &mut Draft<'_>) {
    for kiosk in kiosks(draft) {
        let stage = at(draft, &kiosk).and_then(|a| a.stage.clone());
        let due = stage.filter(|stage| stage.deadline.is_due(draft.now));
        match due {
            Some(stage) if stage.awaits.is_some() => {
                window::device_busy(draft, &kiosk);
            }
            Some(stage) => expired(draft, &kiosk, stage.step),
            None if is_code_over(draft, &kiosk) => paying::code_over(draft, &kiosk),
            None => {}
        }
    }
}

fn is_code_over(draft: &Draft<'_>, kiosk: &DeviceId) -> bool {
    let until = at(draft, kiosk).and_then(|a| a.code.until());
    until.is_some_and(|until| until.is_due(draft.now))
}

fn is_payable_later(draft: &Draft<'_>, kiosk: &DeviceId) -> bool {
    at(draft, kiosk).is_some_and(Application::is_payable_later)
}

fn expired(draft: &mut Draft<'_>, kiosk: &DeviceId, step: Step) {
    match step {
        Step::ReadCard { .. } => person::unreadable(draft, kiosk, Completion::TimeOut),
        Step::AwaitEligibility => eligibility::unanswered(draft, kiosk),
        Step::TakeLivePhoto { attempt } => {
            faces::again(draft, kiosk, attempt, WindowReason::NoLivePhoto);
        }
        Step::ComparePortrait | Step::CompareLive { .. } => {
            faces::no_answer(draft, kiosk, step, ComparisonPending::MatcherFailed);
        }
        Step::AwaitSms => phone::skip(draft, kiosk, SmsSkipped::NotSent),
        Step::CaptureFinger {
            hand,
            attempt,
            position,
        } => {
            let capture = Capture {
                hand,
                attempt,
                position,
            };
            fingers::failed(draft, kiosk, capture, Completion::TimeOut, None);
        }
        Step::AwaitPayment => paying::expired(draft, kiosk),
        // The notice holds the order, which can be paid later (A12).
        Step::ChoosePayment if is_payable_later(draft, kiosk) => submit::submit(draft, kiosk),
        Step::ChooseKind
        | Step::ChooseResidence
        | Step::KeyNumber { .. }
        | Step::ConfirmIdentity
        | Step::GivePortrait { .. }
        | Step::RetakeLivePhoto { .. }
        | Step::GivePhone { .. }
        | Step::KeySmsCode { .. }
        | Step::AttachDocuments
        | Step::Sign
        | Step::ChoosePayment => end(draft, kiosk, ApplicationOutcome::TimedOut),
    }
}

/// What has waited for something else goes on: a payment that came in, a device that is free again. The step that has waited longest
/// for its device comes first.
pub(in crate::decide) fn wake(draft: &mut Draft<'_>) {
    let open = draft.state().applications.open.iter();
    let paid = open.filter(|(_, a)| {
        let step = a.stage.as_ref().map(|stage| stage.step);
        a.paid && matches!(step, Some(Step::ChoosePayment | Step::AwaitPayment))
    });
    let paid: Vec<DeviceId> = paid.map(|(kiosk, _)| kiosk.clone()).collect();
    for kiosk in paid {
        go_on(draft, &kiosk);
    }
    let open = draft.state().applications.open.iter();
    let waiting = open.filter_map(|(kiosk, a)| {
        let stage = a.stage.as_ref().filter(|stage| stage.awaits.is_some())?;
        Some((stage.index, kiosk.clone(), stage.step))
    });
    let mut waiting: Vec<_> = waiting.collect();
    waiting.sort_by_key(|(index, ..)| *index);
    for (_, kiosk, step) in waiting {
        let Some(a) = at(draft, &kiosk) else { continue };
        let device = device_of(&a.devices, step);
        if device.is_some_and(|device| !is_busy(draft, device, a)) {
            devices::ask(draft, &kiosk, step);
        }
    }
}
