//! Replies to commands (`cmd/{name}/reply`).

use gateway_core::{CardRead, Input, ReadFailure, Reply};
use schemas::ids::{BlobId, DeviceId};
use schemas::message::command::{
    CaptureReply, ChipContent, CommandId, FingerTemplate, MatchReply, MoveReply, QueryReply,
    ReadReply,
};
use schemas::words::{Completion, Hand};

use super::parse::{Parsed, Unreadable, read};
use crate::blobs::BlobDesk;
use crate::keys::{Domain, LookupKeys};
use crate::vault::TEMPLATES_MAX;

pub(super) fn parse(
    device: &DeviceId,
    name: &str,
    payload: &[u8],
    keys: &LookupKeys,
) -> Result<Parsed, Unreadable> {
    match name {
        "move" => moved(device, payload),
        "query" => {
            let QueryReply {
                message_id,
                command_id,
                last,
                evidence,
            } = read(payload)?;
            let reply = Reply::Queried { last, evidence };
            Ok(Parsed::Message(
                message_id,
                input(device, command_id, reply),
            ))
        }
        "read" => chip_read(device, payload, keys),
        "match" => {
            let MatchReply {
                message_id,
                command_id,
                completion,
                score,
            } = read(payload)?;
            let fits = score.is_none_or(|score| score <= 100)
                && (completion == Completion::Success) == score.is_some();
            if !fits {
                return Err(Unreadable {
                    message_id: Some(message_id),
                });
            }
            let reply = Reply::Matched { completion, score };
            Ok(Parsed::Message(
                message_id,
                input(device, command_id, reply),
            ))
        }
        "capture" => {
            let CaptureReply {
                message_id,
                command_id,
                completion,
                blob,
            } = read(payload)?;
            let blob = match (completion, blob) {
                (Completion::Success, Some(blob)) => Ok(blob),
                (Completion::Success, None) => {
                    return Err(Unreadable {
                        message_id: Some(message_id),
                    });
                }
                (failure, _) => Err(failure),
            };
            Ok(Parsed::Captured(
                message_id,
                Captured {
                    command: command_id,
                    blob,
                },
            ))
        }
        _ => Err(Unreadable::with_id_of(payload)),
    }
}

fn moved(device: &DeviceId, payload: &[u8]) -> Result<Parsed, Unreadable> {
    let MoveReply {
        message_id,
        command_id,
        sequence,
        outcome,
        evidence,
        slots,
    } = read(payload)?;
    let slots = match slots.map(|map| map.occupied()) {
        None => None,
        Some(Some(occupied)) => Some(occupied),
        Some(None) => {
            return Err(Unreadable {
                message_id: Some(message_id),
            });
        }
    };
    let reply = Reply::Moved {
        sequence,
        outcome,
        evidence,
        slots,
    };
    Ok(Parsed::Message(
        message_id,
        input(device, command_id, reply),
    ))
}

/// The number becomes tags here; the templates travel beside the input, to the vault.
fn chip_read(device: &DeviceId, payload: &[u8], keys: &LookupKeys) -> Result<Parsed, Unreadable> {
    let ReadReply {
        message_id,
        command_id,
        completion,
        card,
    } = read(payload)?;
    let (result, fingers) = match (completion, card) {
        (Completion::Success, Some(card)) if card.fingers.len() <= TEMPLATES_MAX => {
            let (card, fingers) = take_apart(card, keys);
            (Ok(card), fingers)
        }
        (Completion::Success, _) => {
            return Err(Unreadable {
                message_id: Some(message_id),
            });
        }
        (failure, _) => (Err(ReadFailure(failure)), Vec::new()),
    };
    let input = input(device, command_id, Reply::Read(result));
    Ok(Parsed::ChipRead(message_id, input, fingers))
}

fn take_apart(card: ChipContent, keys: &LookupKeys) -> (CardRead, Vec<FingerTemplate>) {
    let ChipContent {
        serial,
        number,
        name: _,
        fingers,
    } = card;
    let has = |hand: &&Hand| fingers.iter().any(|finger| finger.hand == **hand);
    let hands = Hand::ALL.iter().filter(has).copied().collect();
    let number = keys.tags(Domain::Number, number.expose());
    (
        CardRead {
            serial,
            number,
            hands,
            holder: None,
        },
        fingers,
    )
}

/// A camera's reply, before its blob is looked up.
#[derive(Debug)]
pub(super) struct Captured {
    command: CommandId,
    blob: Result<BlobId, Completion>,
}

impl Captured {
    /// Which photo is meant. One that is not here (it was acknowledged in an earlier life of the gateway, and nothing
    /// named it then) counts as not taken: no photo, no presenting.
    pub(super) fn resolve(self, device: &DeviceId, blobs: &BlobDesk) -> Input {
        let captured = self.blob.and_then(|id| {
            let received = blobs
                .received(device, &id)
                .ok_or(Completion::SequenceError)?;
            Ok(gateway_core::Captured {
                blob: received.hash,
                key: schemas::key::SealingKeyId::of(&[0; 16]),
                len: received.len,
            })
        });
        input(device, self.command, Reply::Captured(captured))
    }
}

fn input(device: &DeviceId, command: CommandId, reply: Reply) -> Input {
    Input::Reply {
        device: device.clone(),
        command,
        reply,
    }
}
