//! What the log says, in memory: the state of the rules, the messages that were recorded, the attempts of operators, the
//! snapshots of all that. Made by replay from a snapshot or from nothing, kept up by the loop, the same way in both.

use std::collections::BTreeMap;

use edge_config::{OperatorPolicy, Policy};
use gateway_core::{Recorded, State, evolve};
use gateway_sync::AlertIndex;
use schemas::envelope::Cause;
use schemas::event::Event;
use schemas::ids::{OperatorId, SnapshotHash};
use schemas::time::Now;
use serde::{Deserialize, Serialize};

use super::Named;
use crate::operators::{Attempts, Wrong};
use crate::remembered::{KeptMessages, Remembered};

/// Snapshots whose files are kept: the newest, and the one before for when that cannot be read.
const SNAPSHOTS_KEPT: usize = 2;

/// What the log says.
#[derive(Debug, Clone)]
pub struct Memory {
    /// For the rules.
    pub state: State,
    /// For repetitions.
    pub remembered: Remembered,
    /// For operators.
    pub attempts: Attempts,
    /// The present epoch; none in an empty log.
    pub epoch: Option<EpochBegun>,
    /// The sealed files that events name.
    pub named: Named,
    /// Where the alerts are.
    pub alerts: AlertIndex,
    /// The last snapshots by the index of their events, the newest last.
    pub snapshots: Vec<(u64, SnapshotHash)>,
}

/// The first event of an epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpochBegun {
    /// Its index.
    pub first_index: u64,
    /// When it was recorded.
    pub at: Now,
}

impl Memory {
    /// Of an empty log.
    pub fn new(policy: &Policy) -> Self {
        Self {
            state: State::default(),
            remembered: Remembered::new(policy.custody.dedupe_days),
            attempts: Attempts::new(operators(policy)),
            epoch: None,
            named: Named::default(),
            alerts: AlertIndex::default(),
            snapshots: Vec::new(),
        }
    }

    /// As a snapshot holds it.
    pub(crate) fn to_kept(&self) -> KeptMemory {
        KeptMemory {
            state: self.state.clone(),
            messages: self.remembered.to_kept(),
            attempts: self.attempts.to_kept(),
            named: self.named.clone(),
            alerts: self.alerts.to_vec(),
            snapshots: self.snapshots.clone(),
        }
    }

    /// What a snapshot of the events before `size` holds. The event that names it follows, and says when the epoch began.
    pub(crate) fn from_kept(policy: &Policy, kept: KeptMemory, size: u64) -> Self {
        let KeptMemory {
            state,
            messages,
            attempts,
            named,
            alerts,
            snapshots,
        } = kept;
        Self {
            state,
            remembered: Remembered::from_kept(policy.custody.dedupe_days, messages),
            attempts: Attempts::from_kept(operators(policy), attempts),
            epoch: None,
            named,
            alerts: alerts.map_or_else(|| AlertIndex::unknown_before(size), AlertIndex::of),
            snapshots,
        }
    }

    /// Takes an event in. Total.
    pub fn apply(&mut self, recorded: Recorded<'_>, cause: Option<&Cause>) {
        evolve(&mut self.state, recorded);
        self.named.follow(recorded.index, recorded.event);
        self.alerts.follow(recorded.index, recorded.event);
        if let Event::SnapshotTaken(taken) = recorded.event {
            self.snapshots.push((recorded.index, taken.state.clone()));
            let surplus = self.snapshots.len().saturating_sub(SNAPSHOTS_KEPT);
            self.snapshots.drain(..surplus);
        }
        if recorded.index == 0 || matches!(recorded.event, Event::SnapshotTaken(_)) {
            self.epoch = Some(EpochBegun {
                first_index: recorded.index,
                at: recorded.now.clone(),
            });
        }
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

/// The memory in a snapshot.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeptMemory {
    pub(crate) state: State,
    messages: KeptMessages,
    attempts: BTreeMap<OperatorId, Wrong>,
    #[serde(default)]
    pub(crate) named: Named,
    /// None in one of an older program: nobody wrote down where they are.
    #[serde(default)]
    alerts: Option<Vec<u64>>,
    snapshots: Vec<(u64, SnapshotHash)>,
}

fn operators(policy: &Policy) -> OperatorPolicy {
    let OperatorPolicy {
        pin_attempts_max,
        lockout_s,
    } = policy.operator;
    OperatorPolicy {
        pin_attempts_max,
        lockout_s,
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
    } else if let Event::WindowTicketOpened(body) = event {
        Some(&body.by)
    } else if let Event::WindowTicketClosed(body) = event {
        body.by.as_ref()
    } else {
        None
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
#[path = "memory_tests.rs"]
mod tests;
