//! What the log says, in memory: the state of the rules, the messages that were recorded, the attempts of operators.
//! Made by replay, kept up by the loop, the same way in both.

use edge_config::{OperatorPolicy, Policy};
use gateway_core::{Recorded, State, evolve};
use schemas::envelope::Cause;
use schemas::event::Event;
use schemas::ids::OperatorId;

use crate::operators::Attempts;
use crate::remembered::Remembered;

/// What the log says.
#[derive(Debug)]
pub struct Memory {
    /// For the rules.
    pub state: State,
    /// For repetitions.
    pub remembered: Remembered,
    /// For operators.
    pub attempts: Attempts,
}

impl Memory {
    /// Of an empty log.
    pub fn new(policy: &Policy) -> Self {
        let OperatorPolicy {
            pin_attempts_max,
            lockout_s,
        } = policy.operator;
        Self {
            state: State::default(),
            remembered: Remembered::new(policy.custody.dedupe_days),
            attempts: Attempts::new(OperatorPolicy {
                pin_attempts_max,
                lockout_s,
            }),
        }
    }

    /// Takes an event in. Total.
    pub fn apply(&mut self, recorded: Recorded<'_>, cause: Option<&Cause>) {
        evolve(&mut self.state, recorded);
        if let Some(cause) = cause {
            self.remembered.insert(
                &cause.sender,
                &cause.message_id,
                recorded.index,
                recorded.now,
            );
        }
        if let Event::OperatorRejected(rejected) = recorded.event {
            if let Some(operator) = &rejected.operator {
                self.attempts
                    .rejected(operator, rejected.attempts, rejected.locked, recorded.now);
            }
        } else if let Some(operator) = acting(recorded.event) {
            self.attempts.admitted(operator);
        }
    }
}

/// The operator whose act an event records: their PIN was right.
fn acting(event: &Event) -> Option<&OperatorId> {
    if let Event::BatchAnnounced(body) = event {
        Some(&body.operator)
    } else if let Event::CardArrived(body) = event {
        Some(&body.operator)
    } else if let Event::CardSurplus(body) = event {
        Some(&body.operator)
    } else if let Event::BatchClosed(body) = event {
        Some(&body.operator)
    } else if let Event::ActStarted(body) = event {
        Some(&body.operator)
    } else if let Event::CardPlaced(body) = event {
        Some(&body.operator)
    } else if let Event::MachineResolved(body) = event {
        body.operator.as_ref()
    } else {
        None
    }
}
