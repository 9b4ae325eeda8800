//! An officer at the window opens or closes a ticket (A15): the PIN is judged here, as that of any operator's request.

use std::time::Instant;

use gateway_core::{Input, Outcome, WindowInput};
use schemas::envelope::Source;
use schemas::ids::{DeviceId, OperatorId, TicketNumber};
use schemas::key::RecipientId;
use schemas::time::Now;
use schemas::words::RefusalReason;
use schemas::words::application::WindowResult;
use tokio::sync::oneshot;

use super::group::Gathering;
use super::{Answer, Pipeline, PipelineError};
use crate::effects::Ack;
use crate::operators::{PinCheck, Verdict};

/// What an officer asks.
#[derive(Debug)]
pub struct WindowAsk {
    /// Whether the PIN fits.
    pub check: PinCheck,
    /// Where a PIN that does not fit was given, for the record.
    pub at: DeviceId,
    /// The ticket.
    pub ticket: TicketNumber,
    /// What shall be done with it.
    pub act: WindowAct,
}

/// What shall be done with a ticket.
#[derive(Debug)]
pub enum WindowAct {
    /// What was entered is given to the holder of this key.
    Open(RecipientId),
    /// It is closed.
    Close(WindowResult),
}

impl Pipeline {
    /// What the rules say is told at once, that it is durable when it is.
    pub(super) fn take_window(
        &mut self,
        asked: WindowAsk,
        told: oneshot::Sender<Result<(), RefusalReason>>,
        done: oneshot::Sender<Answer>,
        group: &mut Gathering,
    ) -> Result<(), PipelineError> {
        let now = self.clock.now();
        let WindowAsk {
            check,
            at,
            ticket,
            act,
        } = asked;
        let input = self.judged(check, at, "window", &now, |operator| {
            Input::Window(match act {
                WindowAct::Open(key) => WindowInput::Open {
                    operator,
                    ticket,
                    key,
                },
                WindowAct::Close(result) => WindowInput::Close {
                    operator,
                    ticket,
                    result,
                },
            })
        });
        let record = self.record(&Source::Gateway, None, &input, &now, group);
        let answer = match record.map_err(PipelineError::Own)?.outcome {
            Outcome::Accepted(_) | Outcome::Unchanged => Ok(()),
            Outcome::Refused(reason) => Err(reason),
        };
        // Whoever asked may have gone.
        told.send(answer).ok();
        group.ack(Ack {
            done: Some(done),
            ..Ack::own(Instant::now())
        });
        Ok(())
    }

    /// What the rules are asked where an operator at the machine gave a PIN: what the operator wants, if it fits.
    pub(super) fn judged(
        &self,
        check: PinCheck,
        at: DeviceId,
        request: &str,
        now: &Now,
        wanted: impl FnOnce(OperatorId) -> Input,
    ) -> Input {
        let rejected = |operator, attempts, locked| Input::OperatorRejected {
            device: at,
            request: request.to_owned(),
            operator,
            attempts,
            locked,
        };
        match (self.memory.attempts.judge(&check, now), check) {
            (Verdict::Admitted, PinCheck::Fits(operator)) => wanted(operator),
            (Verdict::Admitted, PinCheck::Wrong(_) | PinCheck::Unknown) => rejected(None, 0, false),
            (
                Verdict::Rejected {
                    operator,
                    attempts,
                    locked,
                },
                _,
            ) => rejected(operator, attempts, locked),
        }
    }
}
