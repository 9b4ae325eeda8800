//! Orders of fees (A12).

use schemas::event::Event;
use schemas::words::application::ApplicationOutcome;

use crate::application::FeeOrder;
use crate::state::State;

/// Applies an event of a payment, or of an application that makes an order void; another one changes nothing here.
pub(super) fn apply(state: &mut State, event: &Event) {
    if let Event::PaymentOrdered(b) = event {
        let order = FeeOrder {
            session: b.session.clone(),
            amount_fen: b.amount_fen,
            paid: false,
            void: false,
            refund_asked: false,
        };
        state.orders.insert(b.order.clone(), order);
    } else if let Event::PaymentConfirmed(b) = event {
        if let Some(order) = state.orders.get_mut(&b.order) {
            order.paid = true;
        }
    } else if let Event::RefundAsked(b) = event {
        if let Some(order) = state.orders.get_mut(&b.order) {
            order.refund_asked = true;
        }
    } else if let Event::PaymentRefunded(b) = event {
        state.orders.remove(&b.order);
    } else if let Event::ApplicationCompensated(b) = event {
        let mut orders = state.orders.values_mut();
        if let Some(order) = orders.find(|order| order.session == b.session) {
            order.void = true;
        }
    } else if let Event::ApplicationEnded(b) = event {
        let stands = matches!(
            b.outcome,
            ApplicationOutcome::Accepted | ApplicationOutcome::Provisional
        );
        let mut orders = state.orders.values_mut();
        if let Some(order) = orders.find(|order| order.session == b.session) {
            order.void = !stands;
        }
    }
}
