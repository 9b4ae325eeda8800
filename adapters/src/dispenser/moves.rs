//! The one motion that is under way, as a pure state machine: what to do next with what the registers say.
//!
//! Must never ask for a write when the device has, or may have, taken the sequence, nor for one that is out
//! of turn: an old command that arrives late moves nothing.

use std::time::{Duration, Instant};

use edge_config::profile::DispenserProfile;
use schemas::message::command::{CommandId, MoveCommand};
use schemas::words::MotionResult;

use super::codec::{Snapshot, encode_command};

/// Where the motion stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Not written.
    ToWrite,
    /// Perhaps written: the write was not answered, or not even sent.
    Doubtful,
    /// Taken, not over.
    Moving,
}

/// A motion under way.
#[derive(Debug)]
pub(super) struct Pending {
    command: MoveCommand,
    /// Commands that named the same sequence; all get the answer.
    pub(super) waiting: Vec<CommandId>,
    stage: Stage,
    /// After this no motion begins any more: the gateway has stopped waiting.
    begin_before: Instant,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Write this command block.
    Write([u16; 6]),
    /// Read again later.
    Wait,
    /// It is over; answer.
    Answer(MotionResult),
    /// It was not begun in time; say nothing, the gateway asks.
    GiveUp,
}

impl Pending {
    pub(super) fn new(command: MoveCommand, now: Instant) -> Self {
        let begin_before = now + Duration::from_secs(u64::from(command.timeout_s));
        Self {
            waiting: vec![command.command_id.clone()],
            command,
            stage: Stage::ToWrite,
            begin_before,
        }
    }

    pub(super) const fn command(&self) -> &MoveCommand {
        &self.command
    }

    /// Whether `other` asks for the same motion under the same sequence.
    pub(super) fn is_same(&self, other: &MoveCommand) -> bool {
        self.command.sequence == other.sequence && self.command.motion == other.motion
    }

    /// The device has answered the write.
    pub(super) const fn written(&mut self) {
        self.stage = Stage::Moving;
    }

    /// Whether [`Pending::next`] would ask for the first write on these registers. They may be those of before the command came: what
    /// else they could bring about is asked of newer ones.
    pub(super) fn is_to_write(
        &self,
        profile: &DispenserProfile,
        snapshot: &Snapshot,
        now: Instant,
    ) -> bool {
        let turn = Turn::of(&self.command, snapshot, profile.limits.sequence_ahead);
        self.stage == Stage::ToWrite && turn == Turn::Next && now < self.begin_before
    }

    /// What to do, now that the registers say this. Called with registers read after the last write.
    pub(super) fn next(
        &mut self,
        profile: &DispenserProfile,
        snapshot: &Snapshot,
        now: Instant,
    ) -> Step {
        let turn = Turn::of(&self.command, snapshot, profile.limits.sequence_ahead);
        let refusals = &profile.refusals;
        match (turn, self.stage) {
            (Turn::Taken, _) => {
                self.stage = Stage::Moving;
                let outcome = snapshot.ack.outcome();
                outcome.map_or(Step::Wait, Step::Answer)
            }
            (Turn::Reused, _) => rejected(refusals.sequence_reused),
            (Turn::Out, Stage::ToWrite) => rejected(refusals.sequence_out_of_turn),
            (Turn::Next, Stage::ToWrite | Stage::Doubtful) if now < self.begin_before => {
                self.stage = Stage::Doubtful;
                Step::Write(encode_command(
                    profile,
                    self.command.sequence,
                    &self.command.motion,
                ))
            }
            // It is too late to begin; or the device has, or may have, taken the write and now names another
            // sequence, since somebody else commands it. What became of the motion is not known here.
            (Turn::Next | Turn::Out, _) => Step::GiveUp,
        }
    }

    /// What to say of a command that comes while another motion is pending. It is never begun.
    pub(super) fn beside(
        profile: &DispenserProfile,
        command: &MoveCommand,
        snapshot: &Snapshot,
    ) -> Step {
        let refusals = &profile.refusals;
        match Turn::of(command, snapshot, profile.limits.sequence_ahead) {
            Turn::Taken => snapshot.ack.outcome().map_or(Step::GiveUp, Step::Answer),
            Turn::Reused => rejected(refusals.sequence_reused),
            Turn::Out => rejected(refusals.sequence_out_of_turn),
            Turn::Next => rejected(refusals.busy),
        }
    }

    /// Whether it is too late to begin, without the device having been heard.
    pub(super) fn is_stale(&self, now: Instant) -> bool {
        self.stage != Stage::Moving && now >= self.begin_before
    }
}

const fn rejected(detail: u16) -> Step {
    Step::Answer(MotionResult::Rejected { detail })
}

/// How a command's sequence stands to the acknowledged one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// The device has taken the command.
    Taken,
    /// The device has taken another command under the same sequence.
    Reused,
    /// The device may take it next.
    Next,
    /// Behind the acknowledged sequence, or too far ahead of it, or 0.
    Out,
}

impl Turn {
    fn of(command: &MoveCommand, snapshot: &Snapshot, ahead_max: u16) -> Self {
        let (last, sequence) = (snapshot.ack.sequence, command.sequence);
        if sequence == 0 {
            Self::Out
        } else if snapshot.acknowledges(sequence, &command.motion) {
            Self::Taken
        } else if last == sequence {
            Self::Reused
        } else if last == 0 || ahead(last, sequence) <= ahead_max {
            Self::Next
        } else {
            Self::Out
        }
    }
}

/// Steps from `last` to `sequence`, both of 1 to 65535, where 1 follows on 65535.
const fn ahead(last: u16, sequence: u16) -> u16 {
    if sequence >= last {
        sequence - last
    } else {
        u16::MAX - last + sequence
    }
}

#[cfg(test)]
#[path = "moves_tests.rs"]
mod tests;
