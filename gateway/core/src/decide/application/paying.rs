//! The fee (A12): one order for each application. Who pays after the session has ended without an acceptance gets it back.

use schemas::downlink::application::{PaymentConfirmed as Told, PaymentRefunded as Returned};
use schemas::event::application::{ApplicationStep as Step, ApplicationSteppedBack};
use schemas::event::centre::InstructionRefusal;
use schemas::event::payment::{
    PaymentConfirmed, PaymentNoted, PaymentOrdered, PaymentRefunded, PaymentWayChosen,
    PaymentWitness, RefundAsked,
};
use schemas::ids::{DeviceId, OrderId, TransactionId};
use schemas::message::application::StepName;
use schemas::message::peripheral::{Fen, PaymentState};
use schemas::words::RefusalReason;
use schemas::words::application::{PaymentOddity, PaymentWay, RefundCause};

use super::super::draft::Draft;
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
    if let Some(order) = a.order.clone() {
        draft.push(PaymentWayChosen { order, way });
    } else {
        let state = draft.state();
        let order = OrderId::of_event(&a.site, state.incarnation(), state.next_index());
        let ordered = PaymentOrdered {
            session: a.id.clone(),
            order: order.map_err(|_too_long| RefusalReason::TooLate)?,
            amount_fen,
            way,
            valid_s: u32::from(a.policy.order_hours) * 3_600,
        };
        draft.push(ordered);
    }
    go_on(draft, kiosk);
    Ok(())
}

/// A terminal's report, already recorded as it came.
pub(in crate::decide) fn reported(
    draft: &mut Draft<'_>,
    device: &DeviceId,
    order: &OrderId,
    amount_fen: Fen,
    state: PaymentState,
) {
    match state {
        PaymentState::Paid => {
            let witness = PaymentWitness::Terminal {
                device: device.clone(),
            };
            confirm(draft, order, amount_fen, witness);
        }
        PaymentState::Declined | PaymentState::Cancelled | PaymentState::TimedOut => {
            another_way(draft, order);
        }
        // What may be paid or not is asked of the network, not guessed.
        PaymentState::Waiting | PaymentState::Unknown => {}
    }
}

/// The citizen whose payment did not come about chooses again.
fn another_way(draft: &mut Draft<'_>, order: &OrderId) {
    let mut open = draft.state().applications.open.iter();
    let found = open.find(|(_, a)| a.order.as_ref() == Some(order));
    let Some((kiosk, a)) = found else { return };
    let waits = matches!(&a.stage, Some(stage) if stage.step == Step::AwaitPayment);
    if waits {
        let (kiosk, session) = (kiosk.clone(), a.id.clone());
        let to = StepName::ChoosePayment;
        draft.push(ApplicationSteppedBack { session, to });
        go_on(draft, &kiosk);
    }
}

/// The centre has it from the network.
pub(super) fn told(draft: &mut Draft<'_>, told: &Told) {
    let witness = PaymentWitness::Centre {
        transaction: told.transaction.clone(),
    };
    confirm(draft, &told.order, told.amount_fen, witness);
}

fn confirm(draft: &mut Draft<'_>, id: &OrderId, amount_fen: Fen, witness: PaymentWitness) {
    draft.keep_order(id);
    let order = draft.order(id);
    let oddity = match &order {
        None => Some(PaymentOddity::UnknownOrder),
        Some(order) if order.amount_fen != amount_fen => Some(PaymentOddity::WrongAmount),
        Some(order) if order.paid => Some(PaymentOddity::Repeated),
        Some(_) => None,
    };
    if let Some(oddity) = oddity {
        let transaction = transaction_of(&witness);
        draft.push(PaymentNoted {
            order: id.clone(),
            oddity,
            amount_fen,
            transaction,
        });
        return;
    }
    draft.push(PaymentConfirmed {
        order: id.clone(),
        amount_fen,
        witness,
    });
    settle(draft, id);
}

fn transaction_of(witness: &PaymentWitness) -> Option<TransactionId> {
    match witness {
        PaymentWitness::Centre { transaction } => Some(transaction.clone()),
        PaymentWitness::Terminal { .. } => None,
    }
}

/// What is paid for an application that does not stand is asked back, once.
pub(super) fn settle(draft: &mut Draft<'_>, id: &OrderId) {
    refund(draft, id, RefundCause::SessionEnded);
}

/// The same for one that the centre rejected.
pub(super) fn rejected(draft: &mut Draft<'_>, id: &OrderId) {
    refund(draft, id, RefundCause::Rejected);
}

fn refund(draft: &mut Draft<'_>, id: &OrderId, cause: RefundCause) {
    let owed = draft
        .order(id)
        .filter(|order| order.paid && order.void && !order.refund_asked);
    if let Some(order) = owed {
        draft.push(RefundAsked {
            order: id.clone(),
            amount_fen: order.amount_fen,
            cause,
            transaction: None,
        });
    }
}

/// The centre gave it back.
pub(super) fn returned(draft: &mut Draft<'_>, told: &Returned) -> Result<(), InstructionRefusal> {
    draft
        .order(&told.order)
        .ok_or(InstructionRefusal::Outdated)?;
    draft.push(PaymentRefunded {
        order: told.order.clone(),
        amount_fen: told.amount_fen,
        transaction: told.transaction.clone(),
    });
    Ok(())
}
