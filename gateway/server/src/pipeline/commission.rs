//! An operator commissions a machine (V2): the PIN is judged here, as that of any operator's request.

use std::time::Instant;

use gateway_core::{Input, MachineStanding, Outcome, standing};
use schemas::envelope::Source;
use schemas::ids::{MachineId, SessionId};
use schemas::words::RefusalReason;
use tokio::sync::oneshot;

use super::group::Gathering;
use super::{Answer, CommissionAsk, Pipeline, PipelineError};
use crate::effects::Ack;

impl Pipeline {
    /// What the rules say is told at once, that it is durable when it is.
    pub(super) fn take_commission(
        &mut self,
        asked: CommissionAsk,
        told: oneshot::Sender<Result<Option<SessionId>, RefusalReason>>,
        done: oneshot::Sender<Answer>,
        group: &mut Gathering,
    ) -> Result<(), PipelineError> {
        let now = self.clock.now();
        let input = match asked {
            CommissionAsk::Go(input) => input,
            CommissionAsk::Begin { check, machine, at } => {
                self.judged(check, at, "commission", &now, |operator| {
                    Input::Commission { operator, machine }
                })
            }
        };
        let record = self.record(&Source::Gateway, None, &input, &now, group);
        let answer = match record.map_err(PipelineError::Own)?.outcome {
            Outcome::Accepted(session) => Ok(session),
            Outcome::Refused(reason) => Err(reason),
            Outcome::Unchanged => Ok(None),
        };
        // Whoever asked may have gone.
        told.send(answer).ok();
        group.ack(Ack {
            done: Some(done),
            ..Ack::own(Instant::now())
        });
        Ok(())
    }

    /// As the state says it now, which may run ahead of the log: it promises nothing.
    pub(super) fn tell_standing(
        &self,
        machine: &MachineId,
        done: oneshot::Sender<Option<MachineStanding>>,
    ) {
        let now = self.clock.now();
        done.send(standing(&self.memory.state, &self.rules, machine, &now))
            .ok();
    }
}
