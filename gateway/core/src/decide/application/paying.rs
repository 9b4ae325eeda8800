//! The fee (A12): one order for each application, and the ways to pay it. What comes in is the payments' own affair.

use schemas::event::application::{ApplicationStep as Step, ApplicationSteppedBack};
use schemas::ids::{DeviceId, OrderId};
use schemas::message::application::StepName;
use schemas::message::peripheral::{PaymentMethod, PaymentState};
use schemas::words::RefusalReason;
use schemas::words::application::PaymentWay;

use super::super::draft::Draft;
use super::super::payment;
use super::{at, go_on};

/// How the citizen wants to pay. The first choice opens the order; a later one is another way to pay the same.
pub(super) fn choose(
    draft: &mut Draft<'_>,
    kiosk: &DeviceId,
    way: PaymentWay,
) -> Result<(), RefusalReason> {
    let a = at(draft, kiosk).ok_or(RefusalReason::NoSuchSession)?;
    if !a.policy.payments.contains(&way) {
        return Err(RefusalReason::NotAChoice);
    }
    let amount_fen = a.fee().ok_or(RefusalReason::NotAChoice)?;
    let (session, hours) = (a.id.clone(), a.policy.order_hours);
    let site = a.site.clone();
    if let Some(order) = a.order.clone() {
        payment::choose_way(draft, &order, way);
    } else {
        let order = payment::order(draft, &session, &site, amount_fen, way, hours);
        order.ok_or(RefusalReason::NoApplications)?;
    }
    go_on(draft, kiosk);
    Ok(())
}

/// A payment did not come about at the terminal: the citizen chooses again. What may be paid or not is asked of the network, not
/// guessed. What a terminal says late of another way than the present one changes nothing.
pub(in crate::decide) fn failed(
    draft: &mut Draft<'_>,
    order: &OrderId,
    method: PaymentMethod,
    state: PaymentState,
) {
    let over = matches!(
        state,
        PaymentState::Declined | PaymentState::Cancelled | PaymentState::TimedOut
    );
    let mut open = draft.state().applications.open.iter();
    let found = open.find(|(_, a)| {
        let step = a.stage.as_ref().map(|stage| stage.step);
        let is_present = a.way.and_then(PaymentWay::method) == Some(method);
        is_present && a.order.as_ref() == Some(order) && step == Some(Step::AwaitPayment)
    });
    let Some((kiosk, a)) = found.filter(|_| over) else {
        return;
    };
    let (kiosk, session) = (kiosk.clone(), a.id.clone());
    let to = StepName::ChoosePayment;
    draft.push(ApplicationSteppedBack { session, to });
    go_on(draft, &kiosk);
}
