//! The reply to `cmd/read`, as any reader that speaks MQTT gives it.

use schemas::cardholder::{CardAddress, CardIssuer, EthnicGroup};
use schemas::citizen::{CitizenName, CitizenNumber};
use schemas::ids::{CardSerial, MessageId};
use schemas::message::Template;
use schemas::message::command::CommandId;
use schemas::message::face::{Picture, PictureBytes, PictureFormat};
use schemas::validity::Expiry;
use schemas::words::application::FingerPosition;
use schemas::words::{Completion, Hand};
use serde::Serialize;

use super::card::ReadCard;
use super::content::Photo;
use super::fingerprint::{FingerBlock, Registration};
use super::personal::Personal;

/// Bytes of a chip's picture.
const WLT_BYTES: usize = 1_024;

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
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry: Option<Expiry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    picture: Option<&'a Picture>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ethnic_group: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<&'a str>,
}

#[derive(Serialize)]
struct Finger<'a> {
    hand: Hand,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<FingerPosition>,
    template: &'a Template,
}

/// The holder of a card that names a citizen.
pub(super) struct Holder {
    number: CitizenNumber,
    name: Option<CitizenName>,
    expiry: Option<Expiry>,
    picture: Option<Picture>,
}

impl Holder {
    /// `None`: the card's number is no citizen number, so it is none that a station hands out.
    pub(super) fn of(card: &ReadCard) -> Option<Self> {
        let text = &card.content.text;
        Some(Self {
            number: CitizenNumber::new(text.number().expose()).ok()?,
            name: CitizenName::new(text.name().expose()).ok(),
            expiry: Expiry::from_chip(text.valid_to().expose()).ok(),
            picture: picture(&card.content.photo),
        })
    }

    pub(super) fn chip<'a>(&'a self, card: &'a ReadCard) -> Chip<'a> {
        Chip {
            serial: &card.serial,
            number: self.number.expose(),
            name: self.name.as_ref().map(CitizenName::expose),
            fingers: card.content.fingers.iter().filter_map(finger).collect(),
            expiry: self.expiry,
            picture: self.picture.as_ref(),
            ethnic_group: card.content.text.ethnic_group().and_then(group),
            address: card.content.text.address().and_then(address),
            issuer: card.content.text.issuer().and_then(issuer),
        }
    }
}

/// A finger that was registered and whose hand is known.
fn finger(block: &FingerBlock) -> Option<Finger<'_>> {
    let hand = block.finger.hand()?;
    let registered = block.registration == Registration::Registered;
    registered.then_some(Finger {
        hand,
        position: block.finger.position(),
        template: &block.template,
    })
}

/// A code that is one. What a card states wrongly is left out: it is not needed to know whose the card is.
fn group(code: &Personal) -> Option<&str> {
    let code = code.expose();
    EthnicGroup::of_code(code).is_ok().then_some(code)
}

fn address(text: &Personal) -> Option<&str> {
    let text = text.expose();
    CardAddress::new(text).is_ok().then_some(text)
}

fn issuer(text: &Personal) -> Option<&str> {
    let text = text.expose();
    CardIssuer::new(text).is_ok().then_some(text)
}

/// The chip's picture as it stands there; none of another length than that of a WLT stream.
fn picture(photo: &Photo) -> Option<Picture> {
    let bytes = photo.expose();
    let is_whole = bytes.len() == WLT_BYTES;
    let bytes = is_whole.then(|| PictureBytes::new(bytes.to_vec()).ok())??;
    Some(Picture {
        format: PictureFormat::Wlt,
        bytes,
    })
}
