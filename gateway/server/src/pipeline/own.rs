//! What the gateway itself asks of the rules: at start, by the clock, and when an errand is done. And what is asked of it at
//! the machine: erasures, changes of the lookup key.

use std::time::{Duration, Instant};

use gateway_core::{Input, Outcome, Rules};
use schemas::envelope::Source;
use schemas::ids::{BlobHash, SessionId};
use tokio::sync::oneshot;

use super::group::Gathering;
use super::{Answer, InFlight, Pipeline, PipelineError, printed};
use crate::effects::{Ack, EraseAnswer, EraseAsked, Finding};

/// How often it is looked whether a lookup key may be destroyed.
pub(super) const LOOKUP_LOOK: Duration = Duration::from_hours(24);

impl Pipeline {
    /// At start: the keys of the file against what the log says of them. What a crash left between the two is finished.
    pub(super) fn settle_lookup_keys(
        &mut self,
        in_flight: &mut InFlight,
    ) -> Result<(), PipelineError> {
        // As in the file: the newest first, even if the log does not know it yet.
        let held = self.lookup.ids();
        let Some(newest) = held.first() else {
            return Ok(());
        };
        if let Some(current) = self.memory.state.lookup_key() {
            self.lookup.make_current(current);
        }
        let state = &self.memory.state;
        let superseded: Vec<_> = state.superseded_lookup_keys().cloned().collect();
        let made = held
            .iter()
            .filter(|key| *key != newest && !superseded.contains(key))
            .map(|key| Input::LookupKeyMade {
                key: newest.clone(),
                before: key.clone(),
            });
        let gone = superseded
            .iter()
            .filter(|key| !held.contains(key))
            .map(|key| Input::LookupKeyDestroyed { key: key.clone() });
        let inputs: Vec<_> = made.chain(gone).collect();
        for input in inputs {
            self.own(input, in_flight)?;
        }
        self.look_at_lookup_keys(in_flight);
        Ok(())
    }

    /// Superseded keys that nothing needs any more are destroyed. They travel with an empty group, so that nothing is
    /// destroyed because of a fact that is not durable yet.
    pub(super) fn look_at_lookup_keys(&mut self, in_flight: &mut InFlight) {
        let retirable = self
            .memory
            .state
            .retirable_lookup_keys(&self.rules, &self.clock.now());
        if !retirable.is_empty() {
            let mut group = self.gathering();
            group.retire(retirable);
            self.close(group, in_flight);
        }
    }

    /// Time has passed: for the rules, and for what is only remembered of devices.
    pub(super) fn tick(&mut self, in_flight: &mut InFlight) -> Result<(), PipelineError> {
        self.own(Input::Tick, in_flight)?;
        let now = self.clock.now();
        let due = self.watch.due(&self.memory.state, &self.rules, &now);
        due.into_iter()
            .try_for_each(|input| self.own(input, in_flight))
    }

    /// An errand is done.
    pub(super) fn found(
        &mut self,
        finding: Finding,
        in_flight: &mut InFlight,
    ) -> Result<(), PipelineError> {
        let told = self.effects.found(finding, &self.log);
        self.errands.extend(self.effects.errands());
        match told {
            Some(input) => self.own(input, in_flight),
            None => Ok(()),
        }
    }

    /// Somebody at the machine wants a session erased, and it was looked up whether the log has it.
    pub(super) fn erase(
        &mut self,
        session: SessionId,
        has_keys: bool,
        known: anyhow::Result<bool>,
        done: oneshot::Sender<EraseAnswer>,
        group: &mut Gathering,
    ) -> Result<(), PipelineError> {
        let known = match known {
            Ok(known) => known,
            Err(error) => {
                let why = format!("{error:#}");
                tracing::error!(%session, error = why, "whether there is a session that shall be erased cannot be read");
                // Who asked may be gone.
                done.send(EraseAnswer::NotLookedUp(why)).ok();
                return Ok(());
            }
        };
        let input = Input::Erase {
            known,
            session: session.clone(),
            has_keys,
        };
        let now = self.clock.now();
        let record = self.record(&Source::Gateway, None, &input, &now, group);
        let answer = match record.map_err(PipelineError::Own)?.outcome {
            Outcome::Refused(reason) => Some(EraseAnswer::Refused(reason)),
            Outcome::Unchanged => {
                let before = self.memory.state.erasure(&session);
                before.cloned().map(EraseAnswer::Before)
            }
            Outcome::Accepted(_) => None,
        };
        group.erase(EraseAsked {
            session,
            answer,
            done,
        });
        Ok(())
    }

    /// The files of events that were pruned. It travels with the group: what is closed now must be so after a crash too.
    pub(super) fn tell_pruned(&self, done: oneshot::Sender<Vec<BlobHash>>, group: &mut Gathering) {
        let (first, state) = (self.log.first_index(), &self.memory.state);
        let named = &self.memory.named;
        let blobs = named.pruned(first, |session| state.is_open_case(session));
        group.pruned(blobs, done);
    }

    /// An input of the gateway's own that somebody waits for.
    pub(super) fn take_asked(
        &mut self,
        mut input: Input,
        rules: Option<Box<Rules>>,
        done: oneshot::Sender<Answer>,
        group: &mut Gathering,
    ) -> Result<(), PipelineError> {
        let now = self.clock.now();
        let policy = self.memory.state.centre().policy.clone();
        printed::tag(&mut input, &self.memory.state, &self.lookup);
        // It passes: nobody asks here for what a device says.
        self.watch
            .look(&self.memory.state, &self.rules, &mut input, &now);
        let record = self.record(&Source::Gateway, None, &input, &now, group);
        let answer = match record.map_err(PipelineError::Own)?.outcome {
            Outcome::Accepted(_) => Answer::Done,
            Outcome::Refused(reason) => Answer::Refused(reason),
            Outcome::Unchanged => Answer::Failed,
        };
        if let Some(rules) = rules.filter(|_| self.memory.state.centre().policy != policy) {
            self.rules = *rules;
        }
        group.ack(Ack {
            answer,
            done: Some(done),
            ..Ack::own(Instant::now())
        });
        Ok(())
    }
}
