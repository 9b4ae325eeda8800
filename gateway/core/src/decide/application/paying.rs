//! The fee (A12): one order for each application, and the ways to pay it. What comes in is the payments' own affair.

use schemas::downlink::application::PaymentCodeIssued;
use schemas::event::application::{ApplicationStep as Step, ApplicationSteppedBack};
use schemas::event::centre::InstructionRefusal as Refusal;
use schemas::event::payment::{PaymentCodeAsked, PaymentCodeReceived};
use schemas::ids::{DeviceId, OrderId};
use schemas::message::application::StepName;
use schemas::message::peripheral::{PaymentMethod, PaymentState};
use schemas::time::ClockTrust;
use schemas::words::RefusalReason;
use schemas::words::application::{PaymentFault, PaymentWay};

use super::super::draft::Draft;
use super::super::payment;
use super::{at, go_on, put, submit, window};
use crate::application::PayCode;

/// What there is to choose from. Nobody pays for what could not be accepted afterwards.
pub(super) fn offer(draft: &mut Draft<'_>, kiosk: &DeviceId) {
    match submit::next_place(draft) {
        Ok(_) => put(draft, kiosk, Step::ChoosePayment),
        Err(reason) => window::send(draft, kiosk, reason),
    }
}

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

/// The notice holds the order, which is paid later. Without an order there is nothing that a notice could hold.
pub(super) fn later(draft: &mut Draft<'_>, kiosk: &DeviceId) -> Result<(), RefusalReason> {
    let a = at(draft, kiosk).ok_or(RefusalReason::NoSuchSession)?;
    if !a.is_payable_later() {
        return Err(RefusalReason::NotAChoice);
    }
    submit::submit(draft, kiosk);
    Ok(())
}

/// The payment is waited for. Where a phone pays it the centre, who is the merchant, is asked for a code, unless it is known that it does not
/// answer.
pub(super) fn ask(draft: &mut Draft<'_>, kiosk: &DeviceId) {
    let Some(a) = at(draft, kiosk) else { return };
    let way = a.way.filter(|way| way.has_code());
    if way.is_some() && a.is_centre_silent() {
        return choose_again(draft, kiosk, Some(PaymentFault::NoCode));
    }
    let asked = way.zip(a.order.clone()).zip(a.fee());
    let asked = asked.map(|((way, order), amount_fen)| PaymentCodeAsked {
        session: a.id.clone(),
        question: a.questions.saturating_add(1),
        order,
        way,
        amount_fen,
    });
    if let Some(asked) = asked {
        draft.push(asked);
    }
    put(draft, kiosk, Step::AwaitPayment);
}

/// Nobody paid while the page waited. Without a code nobody could: the citizen chooses again. Else the notice holds the order, which can be
/// paid later.
pub(super) fn expired(draft: &mut Draft<'_>, kiosk: &DeviceId) {
    let is_asked = at(draft, kiosk).is_some_and(|a| matches!(a.code, PayCode::Asked(_)));
    if is_asked {
        choose_again(draft, kiosk, Some(PaymentFault::NoCode));
    } else {
        submit::submit(draft, kiosk);
    }
}

/// Back to the choice; the page says why.
fn choose_again(draft: &mut Draft<'_>, kiosk: &DeviceId, payment_fault: Option<PaymentFault>) {
    if let Some(a) = at(draft, kiosk) {
        let session = a.id.clone();
        draft.push(ApplicationSteppedBack {
            session,
            to: StepName::ChoosePayment,
            payment_fault,
        });
        go_on(draft, kiosk);
    }
}

/// The centre gave a code. One that answers an earlier question, or comes when its time is over by a clock that is believed, is shown
/// to nobody.
pub(super) fn code_came(
    draft: &mut Draft<'_>,
    kiosk: &DeviceId,
    told: &PaymentCodeIssued,
) -> Result<(), Refusal> {
    let a = at(draft, kiosk).ok_or(Refusal::Outdated)?;
    let now = draft.now;
    let is_over = now.trust == ClockTrust::Synchronised && told.expires_ms <= now.wall_ms;
    if a.code != PayCode::Asked(told.question) || is_over {
        return Err(Refusal::Outdated);
    }
    let order = a.order.clone().ok_or(Refusal::Outdated)?;
    draft.push(PaymentCodeReceived {
        session: told.session.clone(),
        order,
        question: told.question,
        code: told.code.clone(),
        expires_ms: told.expires_ms,
    });
    Ok(())
}

/// The time of the code that a page shows is over: the citizen chooses again.
pub(super) fn code_over(draft: &mut Draft<'_>, kiosk: &DeviceId) {
    choose_again(draft, kiosk, Some(PaymentFault::CodeOver));
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
    let found = open.find(|(_, a)| a.awaits_payment(order, method));
    // What the terminal said is recorded already, and the page says it.
    if let Some((kiosk, _)) = found.filter(|_| over) {
        let kiosk = kiosk.clone();
        choose_again(draft, &kiosk, None);
    }
}
