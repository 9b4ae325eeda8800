//! The one motion that is under way, as a pure state machine: what to do next with what the registers say.
//!
//! Must never ask for a write when the device has, or may have, taken the sequence.

use std::time::{Duration, Instant};

use schemas::message::command::{CommandId, MoveCommand};
use schemas::words::MotionResult;

use super::codec::{Snapshot, command_code, command_slot, encode_command};
use super::map::detail;

/// Where the motion stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Not written, or provably not taken.
    ToWrite,
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

    /// What to do, now that the registers say this. Called with registers read after the last write.
    pub(super) fn next(&mut self, snapshot: &Snapshot, now: Instant) -> Step {
        let ack = &snapshot.ack;
        if ack.sequence == self.command.sequence {
            let motion = &self.command.motion;
            let slot = command_slot(motion);
            if ack.command != command_code(motion) || (slot.is_some() && snapshot.ack_slot != slot)
            {
                return Step::Answer(MotionResult::Rejected {
                    detail: detail::SEQUENCE_REUSED,
                });
            }
            self.stage = Stage::Moving;
            return ack.outcome().map_or(Step::Wait, Step::Answer);
        }
        match self.stage {
            _ if now >= self.begin_before => Step::GiveUp,
            Stage::ToWrite => {
                Step::Write(encode_command(self.command.sequence, &self.command.motion))
            }
            // The device answered the write and now names another sequence: somebody else commands it.
            Stage::Moving => Step::GiveUp,
        }
    }

    /// Whether it is too late to begin, without the device having been heard.
    pub(super) fn is_stale(&self, now: Instant) -> bool {
        self.stage == Stage::ToWrite && now >= self.begin_before
    }
}
