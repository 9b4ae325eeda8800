//! The reply to `cmd/read`, as any reader that speaks MQTT gives it.

use schemas::citizen::{CitizenName, CitizenNumber};
use schemas::ids::{CardSerial, MessageId};
use schemas::message::Template;
use schemas::message::command::CommandId;
use schemas::words::{Completion, Hand};
use serde::Serialize;

use super::card::ReadCard;
use super::fingerprint::{FingerBlock, Registration};

/// `cmd/read/reply`. It carries personal data in the clear: its bytes are for the gateway alone.
#[derive(Serialize)]
pub(super) struct ReadReply<'a> {
    pub(super) message_id: &'a MessageId,
    pub(super) command_id: &'a CommandId,
    pub(super) completion: Completion,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) card: Option<Chip<'a>>,
}

#[derive(Serialize)]
pub(super) struct Chip<'a> {
    serial: &'a CardSerial,
    number: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    fingers: Vec<Finger<'a>>,
}

#[derive(Serialize)]
struct Finger<'a> {
    hand: Hand,
    template: &'a Template,
}

/// The holder of a card that names a citizen.
#[derive(Debug)]
pub(super) struct Holder {
    number: CitizenNumber,
    name: Option<CitizenName>,
}

impl Holder {
    /// `None`: the card's number is no citizen number, so it is none that a station hands out.
    pub(super) fn of(card: &ReadCard) -> Option<Self> {
        let text = &card.content.text;
        Some(Self {
            number: CitizenNumber::new(text.number().expose()).ok()?,
            name: CitizenName::new(text.name().expose()).ok(),
        })
    }

    pub(super) fn chip<'a>(&'a self, card: &'a ReadCard) -> Chip<'a> {
        Chip {
            serial: &card.serial,
            number: self.number.expose(),
            name: self.name.as_ref().map(CitizenName::expose),
            fingers: card.content.fingers.iter().filter_map(finger).collect(),
        }
    }
}

/// A finger that was registered and whose hand is known.
fn finger(block: &FingerBlock) -> Option<Finger<'_>> {
    let hand = block.finger.hand()?;
    let registered = block.registration == Registration::Registered;
    registered.then_some(Finger {
        hand,
        template: &block.template,
    })
}
