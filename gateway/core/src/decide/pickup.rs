//! The order of a pickup (P1 to P8): what comes next, and the way back.

use schemas::event::custody::CardHeld;
use schemas::event::pickup::{PickupStep, Step};
use schemas::ids::MachineId;
use schemas::words::{Hand, HoldReason, Motion, PhotoView, PickupOutcome};

use super::draft::Draft;
use super::{commission, motion, steps};
use crate::state::{Pickup, Work, view_of};

/// What the session needs next before the card may be presented; `None`: nothing.
fn next_step(pickup: &Pickup) -> Option<Step> {
    if !pickup.verified {
        return Some(Step::ReadChip);
    }
    for hand in [Hand::Right, Hand::Left] {
        if !pickup.matched.contains(&hand) {
            return Some(Step::CompareFinger { hand, attempt: 1 });
        }
        if !pickup.photos.contains(&view_of(hand)) {
            return Some(Step::TakePhoto {
                view: view_of(hand),
            });
        }
    }
    for view in [PhotoView::Frontal, PhotoView::Panoramic] {
        if !pickup.photos.contains(&view) {
            return Some(Step::TakePhoto { view });
        }
    }
    pickup
        .old_card_due
        .then_some(Step::ReadOldCard { attempt: 1 })
}

/// Goes on with the pickup: the next step, or the card is presented (P7).
pub(super) fn go_on(draft: &mut Draft<'_>, id: &MachineId) {
    let Some((session, pickup)) = draft.pickup(id) else {
        return;
    };
    if pickup.ending.is_some() {
        return bring_back(draft, id);
    }
    let (session, hold_s, next) = (session.id.clone(), pickup.policy.hold_s, next_step(pickup));
    match next {
        Some(step) if !draft.state().is_online(steps::device_of(pickup, step)) => {
            steps::step_failed(draft, id, steps::outcome_without(step));
        }
        Some(step) => draft.push(PickupStep { session, step }),
        None => draft.intend(id, &session, Motion::Present { hold_s }),
    }
}

/// Brings the card in the reader back to its slot; after a retract it is read again first (P7).
pub(super) fn bring_back(draft: &mut Draft<'_>, id: &MachineId) {
    let Some(open) = draft.session(id) else {
        return;
    };
    let session = open.id.clone();
    match &open.work {
        Work::Act { act, .. } => {
            let slot = match act {
                schemas::event::custody::Act::Load { slot }
                | schemas::event::custody::Act::Unload { slot } => *slot,
                schemas::event::custody::Act::StockTake => return motion::give_up(draft, id),
                schemas::event::custody::Act::Commission => {
                    return commission::bring_back(draft, id, &session);
                }
            };
            draft.intend(id, &session, Motion::ToSlot { slot });
        }
        Work::Pickup(pickup) => {
            let slot = pickup.slot;
            let mismatched = matches!(
                pickup.ending,
                Some(PickupOutcome::CardMismatch | PickupOutcome::CardUnreadable)
            );
            let retracted = pickup.retracted;
            if mismatched {
                draft.intend(id, &session, Motion::Reject);
            } else if retracted {
                draft.push(PickupStep {
                    session,
                    step: Step::ReadAgain,
                });
            } else {
                draft.intend(id, &session, Motion::ToSlot { slot });
            }
        }
    }
}

/// A card that was taken back and could not be read again is not collectable (P7).
pub(super) fn hold_unread(draft: &mut Draft<'_>, id: &MachineId) {
    let Some((session, pickup)) = draft.pickup(id) else {
        return;
    };
    if !pickup.retracted {
        return;
    }
    if let Some(card) = session.card.clone() {
        draft.push(CardHeld {
            card,
            reason: HoldReason::Unreadable,
        });
    }
}

/// Whether the pickup can still be stopped while something moves.
pub(super) fn may_stop(draft: &Draft<'_>, id: &MachineId) -> bool {
    let motion = draft.machine(id).and_then(|m| m.motion.as_ref());
    motion::is_stoppable(motion.map(|m| m.motion))
}
