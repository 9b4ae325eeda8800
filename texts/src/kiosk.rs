//! What every kiosk shows: refusals, prompts and the words of a slip. Which text belongs to which state is decided here and nowhere else.

use schemas::message::kiosk::Text;
use schemas::words::{
    MachineReason, PickupOutcome, PromptCode, RefusalReason, Service, ServiceReason,
};

use crate::catalogue::{after, both};
use crate::words::key;

/// Why a request was refused.
pub fn refusal(reason: RefusalReason) -> Text {
    both(&key("refusal", reason), &[])
}

/// What a kiosk shows, with what can be begun where it waits, the reason where it is out of service, the outcome where a session ended, and what went before where a finger
/// is asked for again (P4).
pub fn prompt(
    code: PromptCode,
    attempt: Option<u16>,
    outcome: Option<PickupOutcome>,
    reasons: &[ServiceReason],
    machine: Option<MachineReason>,
    services: &[Service],
) -> Text {
    match (code, outcome) {
        (PromptCode::Idle, _) => idle(services),
        (PromptCode::Ended, Some(outcome)) => both(&key("ended", outcome), &[]),
        // Without an outcome it was an operator's act.
        (PromptCode::Done, None) => both("prompt-done-act", &[]),
        (PromptCode::OutOfService, _) => out_of_service(reasons, machine),
        (code @ (PromptCode::RightFinger | PromptCode::LeftFinger), _)
            if attempt.is_some_and(|attempt| attempt > 1) =>
        {
            let again = both("prompt-finger-again", &[]);
            after(again, both(&key("prompt", code), &[]))
        }
        (code, _) => both(&key("prompt", code), &[]),
    }
}

/// What a kiosk shows that waits for a citizen, by what they can begin there.
fn idle(services: &[Service]) -> Text {
    let takes = |service| services.contains(&service);
    let id = match (takes(Service::Pickup), takes(Service::Application)) {
        (_, false) => "prompt-idle",
        (true, true) => "idle-both",
        (false, true) => "idle-application",
    };
    both(id, &[])
}

fn out_of_service(reasons: &[ServiceReason], machine: Option<MachineReason>) -> Text {
    let id = match reasons.first() {
        Some(ServiceReason::StorageLow) => "out-of-service-storage-low",
        Some(ServiceReason::LogBehindWitness | ServiceReason::LogForked) => {
            "out-of-service-log-in-doubt"
        }
        None if machine == Some(MachineReason::Maintenance) => "out-of-service-maintenance",
        None => "out-of-service",
    };
    both(id, &[])
}

/// What a slip of a pickup says.
pub fn slip() -> Text {
    both("slip-pickup", &[])
}
