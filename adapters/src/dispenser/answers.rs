//! What goes back to the gateway: replies to moves and queries, and the codes of what was refused.

use edge_config::profile::DispenserProfile;
use schemas::message::command::{
    CommandId, MoveCommand, MoveReply, QueryCommand, QueryReply, SlotMap,
};
use schemas::message::device::Code;
use schemas::words::MotionResult;
use tokio_modbus::ExceptionCode;

use super::codec::Snapshot;
use super::reports;
use crate::link::{LinkHandle, new_message_id};

/// The detail code of a write that the device refused with an exception: nothing moved.
pub(super) fn refusal(profile: &DispenserProfile, exception: ExceptionCode) -> u16 {
    match exception {
        ExceptionCode::ServerDeviceBusy => profile.refusals.busy,
        ExceptionCode::IllegalDataValue => profile.refusals.slot_unknown,
        ExceptionCode::IllegalFunction
        | ExceptionCode::IllegalDataAddress
        | ExceptionCode::ServerDeviceFailure
        | ExceptionCode::Acknowledge
        | ExceptionCode::MemoryParityError
        | ExceptionCode::GatewayPathUnavailable
        | ExceptionCode::GatewayTargetDevice
        | ExceptionCode::Custom(_) => profile.refusals.exception | u16::from(u8::from(exception)),
    }
}

/// The code of what went wrong; none where nothing did.
const fn detail(outcome: MotionResult) -> Option<u16> {
    match outcome {
        MotionResult::Done => None,
        MotionResult::Failed { detail } | MotionResult::Rejected { detail } => Some(detail),
    }
}

/// Says what went wrong, and what an operator does about it.
pub(super) fn log_fault(profile: &DispenserProfile, command: &MoveCommand, outcome: MotionResult) {
    let Some(code) = detail(outcome) else { return };
    let fault = profile.label(code);
    let advice = profile.error(code).map_or(
        "the profile does not know this code: look it up in the maker's document",
        |error| &error.advice,
    );
    tracing::warn!(sequence = command.sequence, %fault, advice, "a motion was not done");
}

pub(super) struct Moved<'a> {
    pub(super) profile: &'a DispenserProfile,
    pub(super) command: &'a MoveCommand,
    pub(super) outcome: MotionResult,
    pub(super) seen: &'a Snapshot,
    pub(super) slots: Option<&'a SlotMap>,
}

impl Moved<'_> {
    /// Answers one of the commands that named the motion.
    pub(super) fn answer(&self, link: &LinkHandle, command_id: &CommandId) {
        let message_id = new_message_id();
        let code = detail(self.outcome);
        let reply = MoveReply {
            message_id: message_id.clone(),
            command_id: command_id.clone(),
            sequence: self.command.sequence,
            outcome: self.outcome,
            evidence: self
                .seen
                .evidence_of(self.command.sequence, &self.command.motion),
            slots: self.slots.cloned(),
            fault: code.and_then(|code| fault(self.profile, code)),
        };
        if let Err(error) = link.reply(command_id, "move", message_id, &reply) {
            tracing::error!(command = %command_id, %error, "a reply was not taken");
        }
    }
}

fn fault(profile: &DispenserProfile, code: u16) -> Option<Code> {
    reports::code(&profile.label(code))
}

/// Answers a query with what was seen after it came.
pub(super) fn answer_query(
    link: &LinkHandle,
    query: &QueryCommand,
    seen: &Snapshot,
    slots: Option<SlotMap>,
) {
    let message_id = new_message_id();
    let reply = QueryReply {
        message_id: message_id.clone(),
        command_id: query.command_id.clone(),
        last: seen.progress(),
        evidence: seen.evidence(),
        slots,
    };
    if let Err(error) = link.reply(&query.command_id, "query", message_id, &reply) {
        tracing::error!(command = %query.command_id, %error, "a reply was not taken");
    }
    // The same question again is a new one: only the device knows the answer.
    link.forget(&query.command_id);
}
