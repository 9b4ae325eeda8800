//! Replies to commands (`cmd/{name}/reply`).

use gateway_core::{CardRead, FacesReply, FingerReply, Input, Person, ReadFailure, Reply};
use schemas::event::application::SealedBlob;
use schemas::ids::{BlobId, DeviceId, MessageId};
use schemas::message::command::{
    CaptureReply, ChipContent, CommandId, FingerTemplate, MatchOnSensorReply, MatchReply,
    MoveReply, QueryReply, ReadReply, SlotMap,
};
use schemas::message::face::{CaptureFingerReply, CompareFacesReply};
use schemas::slot::SlotAddress;
use schemas::words::{Completion, Hand};

use schemas::lookup::LookupTag;

use super::entry::Aids;
use super::parse::{Parsed, Unreadable, read};
use crate::held::Applicant;
use crate::keys::{Domain, LookupKeys};
use crate::sealing::{NotSealed, Source};
use crate::vault::TEMPLATES_MAX;

pub(super) fn parse(
    device: &DeviceId,
    name: &str,
    payload: &[u8],
    keys: &LookupKeys,
) -> Result<Parsed, Unreadable> {
    match name {
        "move" => moved(device, payload),
        "query" => queried(device, payload),
        "read" => chip_read(payload, keys),
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
        "match-on-sensor" => {
            let MatchOnSensorReply {
                message_id,
                command_id,
                completion,
                found: _,
            } = read(payload)?;
            let reply = Reply::MatchedOnSensor(completion);
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
        "capture-finger" => finger_captured(payload),
        "compare-faces" => faces_compared(device, payload),
        _ => Err(Unreadable::with_id_of(payload)),
    }
}

fn finger_captured(payload: &[u8]) -> Result<Parsed, Unreadable> {
    let CaptureFingerReply {
        message_id,
        command_id,
        completion,
        quality,
        blob,
        score,
    } = read(payload)?;
    let is_whole = (completion == Completion::Success) == blob.is_some();
    let in_range = [quality, score].into_iter().flatten().all(|n| n <= 100);
    if !is_whole || !in_range {
        return Err(Unreadable {
            message_id: Some(message_id),
        });
    }
    let captured = FingerCaptured {
        command: command_id,
        completion,
        quality,
        blob,
        score,
    };
    Ok(Parsed::FingerCaptured(message_id, captured))
}

fn faces_compared(device: &DeviceId, payload: &[u8]) -> Result<Parsed, Unreadable> {
    let CompareFacesReply {
        message_id,
        command_id,
        completion,
        score,
        refusal,
        which,
    } = read(payload)?;
    let is_whole = if completion == Completion::Success {
        score.is_some() != refusal.is_some()
    } else {
        score.is_none()
    };
    if !is_whole || score.is_some_and(|score| score > 100) {
        return Err(Unreadable {
            message_id: Some(message_id),
        });
    }
    let reply = Reply::Faces(FacesReply {
        completion,
        score,
        refusal,
        which,
    });
    Ok(Parsed::Message(
        message_id,
        input(device, command_id, reply),
    ))
}

fn queried(device: &DeviceId, payload: &[u8]) -> Result<Parsed, Unreadable> {
    let QueryReply {
        message_id,
        command_id,
        last,
        evidence,
        slots,
    } = read(payload)?;
    let reply = Reply::Queried {
        last,
        evidence,
        slots: occupied(slots.as_ref(), &message_id)?,
    };
    Ok(Parsed::Message(
        message_id,
        input(device, command_id, reply),
    ))
}

fn occupied(
    slots: Option<&SlotMap>,
    message_id: &MessageId,
) -> Result<Option<Vec<SlotAddress>>, Unreadable> {
    let Some(map) = slots else { return Ok(None) };
    map.occupied().map(Some).ok_or_else(|| Unreadable {
        message_id: Some(message_id.clone()),
    })
}

fn moved(device: &DeviceId, payload: &[u8]) -> Result<Parsed, Unreadable> {
    let MoveReply {
        message_id,
        command_id,
        sequence,
        outcome,
        evidence,
        slots,
        fault: _,
    } = read(payload)?;
    let slots = occupied(slots.as_ref(), &message_id)?;
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

fn chip_read(payload: &[u8], keys: &LookupKeys) -> Result<Parsed, Unreadable> {
    let ReadReply {
        message_id,
        command_id,
        completion,
        card,
    } = read(payload)?;
    let result = match (completion, card) {
        (Completion::Success, Some(card)) if card.fingers.len() <= TEMPLATES_MAX => Ok(card),
        (Completion::Success, _) => {
            return Err(Unreadable {
                message_id: Some(message_id),
            });
        }
        (failure, _) => Err(ReadFailure(failure)),
    };
    let tags = result
        .as_ref()
        .map(|card| keys.tags(Domain::Number, card.number.expose()))
        .unwrap_or_default();
    Ok(Parsed::ChipRead(
        message_id,
        ChipRead {
            command: command_id,
            result,
            tags,
        },
    ))
}

/// A reader's reply, before whom the chip names is sealed.
#[derive(Debug)]
pub(super) struct ChipRead {
    command: CommandId,
    result: Result<ChipContent, ReadFailure>,
    tags: Vec<LookupTag>,
}

impl ChipRead {
    /// Number and name are sealed for the session that asked the reader, and wiped; without a session there is no sealed
    /// holder. Who applies is held to the end of the application. The templates travel beside the input, to the vault. None: it
    /// could not be sealed.
    pub(super) async fn seal(
        self,
        device: &DeviceId,
        aids: Aids<'_>,
    ) -> Option<(Input, Vec<FingerTemplate>)> {
        let Self {
            command,
            result,
            tags,
        } = self;
        let card = match result {
            Ok(card) => card,
            Err(failure) => {
                let reply = Reply::Read(Err(failure));
                return Some((input(device, command, reply), Vec::new()));
            }
        };
        let ChipContent {
            serial,
            number,
            name,
            fingers,
            expiry,
            picture,
            ethnic_group,
            address,
            issuer,
        } = card;
        let sealing = aids.sealing;
        let from = Source::asked(device, &command);
        let serves = sealing.session_of(from);
        let (holder, person) = if serves.is_some_and(|session| sealing.is_application(&session)) {
            let applicant = Applicant {
                number,
                name,
                ethnic_group,
                address,
                issuer,
            };
            match aids.person(from, applicant, picture).await {
                Ok(person) => (None, Some(Box::new(Person { expiry, ..person }))),
                Err(NotSealed::NoSession) => (None, None),
                Err(NotSealed::Failed) => return None,
            }
        } else {
            match sealing.seal_holder(from, &number, name.as_ref()).await {
                Ok(holder) => (Some(holder), None),
                Err(NotSealed::NoSession) => (None, None),
                Err(NotSealed::Failed) => return None,
            }
        };
        let has = |hand: &&Hand| fingers.iter().any(|finger| finger.hand == **hand);
        let hands = Hand::ALL.iter().filter(has).copied().collect();
        let positions = fingers.iter().filter_map(|finger| {
            let position = finger.position?;
            (position.hand() == finger.hand).then_some(position)
        });
        let read = CardRead {
            fingers: positions.collect(),
            serial,
            number: tags,
            hands,
            holder,
            person,
        };
        Some((input(device, command, Reply::Read(Ok(read))), fingers))
    }
}

/// A camera's reply, before its blob is looked up.
#[derive(Debug)]
pub(super) struct Captured {
    command: CommandId,
    blob: Result<BlobId, Completion>,
}

impl Captured {
    /// Which photo is meant. One that is not here (it was acknowledged in an earlier life of the gateway, and nothing
    /// named it then) counts as not taken: no photo, no presenting. So does one that came for another session: it is
    /// sealed under the key of that one.
    pub(super) fn resolve(self, device: &DeviceId, aids: Aids<'_>) -> Input {
        let captured = self.blob.and_then(|id| {
            let serves = aids
                .sealing
                .session_of(Source::asked(device, &self.command));
            let photo = serves.and_then(|session| aids.picture(device, &session, &id));
            let SealedBlob { blob, key, len } = photo.ok_or(Completion::SequenceError)?;
            Ok(gateway_core::Captured { blob, key, len })
        });
        input(device, self.command, Reply::Captured(captured))
    }
}

/// A scanner's reply, before its image is looked up.
#[derive(Debug)]
pub(super) struct FingerCaptured {
    command: CommandId,
    completion: Completion,
    quality: Option<u16>,
    blob: Option<BlobId>,
    score: Option<u16>,
}

impl FingerCaptured {
    /// Which image is meant. One that is not here, or came for another session, counts as not taken.
    pub(super) fn resolve(self, device: &DeviceId, aids: Aids<'_>) -> Input {
        let serves = aids
            .sealing
            .session_of(Source::asked(device, &self.command));
        let image = serves
            .zip(self.blob)
            .and_then(|(session, id)| aids.scan(device, &session, &id));
        let is_lost = self.completion == Completion::Success && image.is_none();
        let completion = if is_lost {
            Completion::SequenceError
        } else {
            self.completion
        };
        let reply = Reply::Finger(FingerReply {
            completion,
            quality: self.quality,
            image,
            score: self.score,
        });
        input(device, self.command, reply)
    }
}

fn input(device: &DeviceId, command: CommandId, reply: Reply) -> Input {
    Input::Reply {
        device: device.clone(),
        command,
        reply,
    }
}
