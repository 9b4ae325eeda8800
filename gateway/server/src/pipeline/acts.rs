//! What is asked of the loop at the machine itself, not by a device: to erase a session, to change a key, to take something out of
//! service.

use gateway_core::{Input, MachineStanding, RegistryInput, Rules, WindowTicket};
use schemas::ids::{BlobHash, MachineId, OperatorId, SessionId};
use schemas::words::RefusalReason;
use tokio::sync::{mpsc, oneshot};

use super::{Answer, CentreTold, CommissionAsk, Job, WindowAsk};
use crate::effects::{EraseAnswer, RotateAnswer};
use crate::keys::{KeyNotRotated, SigningKey};

/// The loop, as whoever operates the machine asks it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Acts(mpsc::Sender<Job>);

/// The loop has ended, so nothing can be promised; what was recorded is gone on with at the next start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the station stops: ask again when it runs")]
pub struct LoopEnded;

impl Acts {
    /// Into the loop's queue.
    pub const fn new(queue: mpsc::Sender<Job>) -> Self {
        Self(queue)
    }

    /// Destroys what is personal of a session. Resolves when the event that says so is durable, or the rules said no. `has_keys`: a key
    /// of it lies here, so that an earlier erasure is not the last word.
    pub async fn erase(
        &self,
        session: SessionId,
        has_keys: bool,
    ) -> Result<EraseAnswer, LoopEnded> {
        self.ask(|done| Job::Erase {
            session,
            has_keys,
            done,
        })
        .await
    }

    /// The blobs that events named which were pruned, but for those of cases that are open; some may be gone already. What this follows
    /// from is durable when it resolves.
    pub async fn pruned_blobs(&self) -> Result<Vec<BlobHash>, LoopEnded> {
        self.ask(|done| Job::PrunedBlobs { done }).await
    }

    /// Tags new records with another lookup key. Resolves when the event that says so is durable, or no key was made.
    pub async fn rotate_lookup(&self) -> Result<RotateAnswer, LoopEnded> {
        self.ask(|done| Job::RotateLookup { done }).await
    }

    /// Goes on although a device holds a receipt ahead of the log. False: no device said so. Resolves when that is durable.
    pub async fn dismiss_witness(&self, approvers: [OperatorId; 2]) -> Result<bool, LoopEnded> {
        self.record(Input::DismissWitness { approvers }, None).await
    }

    /// Records what follows from an input of the gateway's own, with the rules that hold from then on where it changes the policy. False:
    /// nothing did. Resolves when it is durable.
    pub async fn record(&self, input: Input, rules: Option<Rules>) -> Result<bool, LoopEnded> {
        let (input, rules) = (Box::new(input), rules.map(Box::new));
        let asked = self.ask(|done| Job::Own { input, rules, done }).await?;
        Ok(asked == Answer::Done)
    }

    /// Has an operator's word on a device or machine recorded, or says why the rules do not want it. Resolves when it is durable.
    pub async fn registry(
        &self,
        input: RegistryInput,
    ) -> Result<Result<(), RefusalReason>, LoopEnded> {
        let (input, rules) = (Box::new(Input::Registry(input)), None);
        let asked = self.ask(|done| Job::Own { input, rules, done }).await?;
        Ok(match asked {
            Answer::Done => Ok(()),
            Answer::Refused(reason) => Err(reason),
            Answer::IdReused | Answer::Failed => Err(RefusalReason::AlreadySo),
        })
    }

    /// Commissions a machine. The session, or why the rules said no. Resolves when it is durable.
    pub async fn commission(
        &self,
        asked: CommissionAsk,
    ) -> Result<Result<Option<SessionId>, RefusalReason>, LoopEnded> {
        let (told, answer) = oneshot::channel();
        let asked = Box::new(asked);
        self.ask(|done| Job::Commission { asked, told, done })
            .await?;
        answer.await.map_err(|_dropped| LoopEnded)
    }

    /// How a machine stands; none where there is no such machine.
    pub async fn standing(&self, machine: MachineId) -> Result<Option<MachineStanding>, LoopEnded> {
        self.ask(|done| Job::Standing { machine, done }).await
    }

    /// Has what an officer does with a ticket recorded, or says why the rules do not want it. Resolves when it is durable.
    pub async fn window(&self, asked: WindowAsk) -> Result<Result<(), RefusalReason>, LoopEnded> {
        let (told, answer) = oneshot::channel();
        let asked = Box::new(asked);
        self.ask(|done| Job::Window { asked, told, done }).await?;
        answer.await.map_err(|_dropped| LoopEnded)
    }

    /// The tickets that wait for an officer, as the state has them now, which may run ahead of the log.
    pub async fn tickets(&self) -> Result<Vec<WindowTicket>, LoopEnded> {
        self.ask(|done| Job::Tickets { done }).await
    }

    /// What the centre told so far, as the state has it now, which may run ahead of the log.
    pub async fn centre(&self) -> Result<CentreTold, LoopEnded> {
        self.ask(|done| Job::Centre { done }).await
    }

    /// Signs with another key from now on; its file is durable. Resolves with the index of the event that says so, once
    /// nothing is left to do.
    pub async fn rotate_key(
        &self,
        next: SigningKey,
    ) -> Result<Result<u64, KeyNotRotated>, LoopEnded> {
        self.ask(|done| Job::RotateKey { next, done }).await
    }

    async fn ask<T>(&self, job: impl FnOnce(oneshot::Sender<T>) -> Job) -> Result<T, LoopEnded> {
        let (done, answer) = oneshot::channel();
        let sent = self.0.send(job(done)).await;
        sent.map_err(|_closed| LoopEnded)?;
        answer.await.map_err(|_dropped| LoopEnded)
    }
}
