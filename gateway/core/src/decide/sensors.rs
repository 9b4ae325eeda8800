//! Where a card is after a motion: the sensors decide, not the device's word alone.

use schemas::words::{CarriagePosition, Evidence, Motion, MotionResult};

/// Where the sensors see the card after a motion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    Reader,
    Outlet,
    Slot,
    Bin,
    /// Gone from the outlet.
    Taken,
    /// Not in the slot it was to come from.
    Missing,
    /// Never left the hopper.
    Hopper,
    /// Nobody can say, or not where any rule goes on.
    Unknown,
}

/// The sensors' verdict. The device's word counts only where no sensor looks.
pub(super) fn rest(motion: Motion, outcome: MotionResult, evidence: Evidence) -> Rest {
    let done = outcome == MotionResult::Done;
    let rejected = matches!(outcome, MotionResult::Rejected { .. });
    if evidence.outlet_present {
        return Rest::Outlet;
    }
    match evidence.position {
        CarriagePosition::InReader => return Rest::Reader,
        CarriagePosition::Outlet => return Rest::Outlet,
        CarriagePosition::Car | CarriagePosition::OutReader => return Rest::Unknown,
        CarriagePosition::None => {}
    }
    match (motion, evidence.slot_occupied) {
        // Nothing moved: what lies in the slot is another card.
        (Motion::Load { .. }, _) if rejected => Rest::Hopper,
        (Motion::ToSlot { .. }, _) if rejected => Rest::Unknown,
        (
            Motion::ToReader { .. }
            | Motion::ToSlot { .. }
            | Motion::Load { .. }
            | Motion::Dispense { .. },
            Some(true),
        ) => Rest::Slot,
        (Motion::ToReader { .. }, Some(false)) => Rest::Missing,
        (Motion::ToReader { .. }, None) if rejected => Rest::Slot,
        (Motion::Load { .. }, Some(false)) => Rest::Hopper,
        (Motion::Load { .. } | Motion::ToSlot { .. }, None) if done => Rest::Slot,
        (Motion::Present { .. } | Motion::Dispense { .. }, _) if done => Rest::Taken,
        (Motion::Dispense { .. }, Some(false)) if rejected => Rest::Missing,
        (Motion::Retract, _) => Rest::Taken,
        (Motion::Reject, _) if done => Rest::Bin,
        _ => Rest::Unknown,
    }
}
