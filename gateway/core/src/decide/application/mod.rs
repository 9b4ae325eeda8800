//! Applications (A1 to A17): one file for each part of the way. Each part looks at the state, records what follows, and goes on
//! with whatever the order of the steps says is missing.

mod answers;
mod closing;
mod devices;
mod eligibility;
mod entries;
mod faces;
mod fingers;
mod lifecycle;
mod papers;
mod paying;
mod person;
mod phone;
mod portrait;
mod session;
mod submit;
mod tickets;
mod window;

use schemas::event::application::{ApplicationStep as Step, ApplicationStepped};
use schemas::ids::DeviceId;

use super::draft::Draft;
use crate::application::{Application, Next, device_of, next};

pub(super) use answers::answered;
pub(super) use devices::{replied, went};
pub(super) use entries::enter;
pub(super) use lifecycle::{interrupted, tick, wake};
pub(super) use papers::{asked as papers_asked, lost as papers_lost, made as papers_made};
pub(super) use paying::failed as payment_failed;
pub(super) use session::{cancel, start};
pub(super) use tickets::{at_window, lapse, needs_no_papers};

/// The application under way at a kiosk.
fn at<'d>(draft: &'d Draft<'_>, kiosk: &DeviceId) -> Option<&'d Application> {
    draft.state().applications.open.get(kiosk)
}

/// Goes on: the next step, or everything is there.
fn go_on(draft: &mut Draft<'_>, kiosk: &DeviceId) {
    if let Some((reason, dates)) = person::late_refusal(draft, kiosk) {
        return session::refuse(draft, kiosk, reason, dates);
    }
    match at(draft, kiosk).map(next) {
        Some(Next::Step(step)) => ask(draft, kiosk, step),
        Some(Next::Submit) => submit::submit(draft, kiosk),
        None => {}
    }
}

/// Asks for a step; some of them can be settled without asking anybody.
fn ask(draft: &mut Draft<'_>, kiosk: &DeviceId, step: Step) {
    match step {
        Step::AwaitEligibility => eligibility::ask(draft, kiosk),
        Step::ComparePortrait | Step::CompareLive { .. } => faces::ask(draft, kiosk, step),
        Step::AwaitSms => phone::ask(draft, kiosk),
        Step::ChoosePayment => paying::offer(draft, kiosk),
        Step::AwaitPayment => paying::ask(draft, kiosk),
        Step::ReadCard { .. } | Step::TakeLivePhoto { .. } | Step::CaptureFinger { .. } => {
            devices::ask(draft, kiosk, step);
        }
        Step::ChooseKind
        | Step::ChooseResidence
        | Step::KeyNumber { .. }
        | Step::ConfirmIdentity
        | Step::GivePortrait { .. }
        | Step::RetakeLivePhoto { .. }
        | Step::GivePhone { .. }
        | Step::KeySmsCode { .. }
        | Step::AttachDocuments
        | Step::Sign => put(draft, kiosk, step),
    }
}

/// Records the step; one whose device serves another session waits for it.
fn put(draft: &mut Draft<'_>, kiosk: &DeviceId, step: Step) {
    let Some(a) = at(draft, kiosk) else { return };
    let device = device_of(&a.devices, step);
    let is_free = |device: &&DeviceId| !is_busy(draft, device, a) && !is_awaited(draft, device, a);
    let awaits = device.filter(|device| !is_free(device)).cloned();
    let (session, number) = (a.id.clone(), a.number.saturating_add(1));
    draft.push(ApplicationStepped {
        session,
        number,
        step,
        awaits,
    });
}

/// Whether somebody has waited for a device longer. Whoever has it and asks for it again, for another attempt or the other hand, has not
/// waited: so nobody stands at a device for ever while another one has it.
fn is_awaited(draft: &Draft<'_>, device: &DeviceId, own: &Application) -> bool {
    let since = |a: &Application| {
        let stage = a.stage.as_ref()?;
        (stage.awaits.as_ref() == Some(device)).then_some(stage.index)
    };
    let own_since = since(own).unwrap_or(u64::MAX);
    let open = draft.state().applications.open.values();
    let mut others = open.filter(|a| a.id != own.id).filter_map(since);
    others.any(|other| other < own_since)
}

/// Whether a device serves another session: an application's step, or a pickup that has it all the while.
fn is_busy(draft: &Draft<'_>, device: &DeviceId, own: &Application) -> bool {
    let state = draft.state();
    let leased = state
        .leased_to(device)
        .is_some_and(|session| *session != own.id);
    let by_machine = state.pickups().any(|(_, d)| d.shared().contains(&device));
    leased || by_machine
}
