//! What applications still want of devices, and when they want to be looked at again.

use schemas::event::application::ApplicationStep as Step;
use schemas::ids::SessionId;
use schemas::time::Deadline;
use schemas::words::PhotoView;
use schemas::words::application::FacePair;

use super::{Application, device_of};
use crate::effect::{Effect, Order};
use crate::state::State;

/// The commands of all applications under way.
pub(crate) fn effects(state: &State) -> impl Iterator<Item = (&SessionId, Effect)> {
    let open = state.applications.open.values();
    open.filter_map(|a| Some((&a.id, effect(state, a)?)))
}

fn effect(state: &State, a: &Application) -> Option<Effect> {
    let stage = a.stage.as_ref().filter(|stage| stage.awaits.is_none())?;
    let device = device_of(&a.devices, stage.step)?.clone();
    let policy = &a.policy;
    let (order, timeout_s) = match stage.step {
        Step::ReadCard { .. } => (Order::Read, policy.step_timeout_s),
        Step::TakeLivePhoto { .. } => {
            let view = PhotoView::Frontal;
            (Order::Capture { view }, policy.command_timeout_s)
        }
        Step::CaptureFinger { hand, position, .. } => {
            let order = Order::CaptureFinger {
                session: a.id.clone(),
                hand,
                position,
                quality_min: policy.finger_quality_min,
                compare: position.is_none(),
            };
            (order, policy.step_timeout_s)
        }
        Step::ComparePortrait => (
            compare(a, FacePair::PortraitHistorical)?,
            policy.command_timeout_s,
        ),
        Step::CompareLive { .. } => (
            compare(a, FacePair::LiveHistorical)?,
            policy.command_timeout_s,
        ),
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
        | Step::AwaitPayment => return None,
    };
    Some(Effect {
        id: state.command(stage.index),
        device,
        order,
        timeout_s,
    })
}

/// None: there is nothing to compare, and the rules did not ask for it.
fn compare(a: &Application, pair: FacePair) -> Option<Order> {
    let entered = &a.entered;
    let probe = match pair {
        FacePair::PortraitHistorical => entered.portrait.as_ref()?.picture.as_ref()?,
        FacePair::LiveHistorical => entered.live.as_ref()?,
    };
    Some(Order::CompareFaces {
        session: a.id.clone(),
        pair,
        reference: entered.holder.clone()?,
        probe: probe.blob.clone(),
    })
}

/// The deadlines of all applications under way, and of the codes to pay by that they show.
pub(crate) fn deadlines(state: &State) -> impl Iterator<Item = &Deadline> {
    let open = state.applications.open.values();
    open.flat_map(|a| {
        let stage = a.stage.as_ref().map(|stage| &stage.deadline);
        stage.into_iter().chain(a.code.until())
    })
}
