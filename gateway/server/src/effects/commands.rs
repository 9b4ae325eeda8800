//! Device commands: which of the open ones are due to be sent, and as what.

use std::collections::{BTreeMap, BTreeSet};

use gateway_core::{Effect, FacesReply, Input, Order, Reply};
use schemas::ids::DeviceId;
use schemas::message::command::{
    CaptureCommand, CommandId, MatchCommand, MatchOnSensorCommand, MoveCommand, QueryCommand,
    ReadCommand,
};
use schemas::message::face::{
    CaptureFingerCommand, CompareFacesCommand, FaceRefusal, Picture, PictureBytes, PictureFormat,
};
use schemas::words::Completion;

use super::{json, personal_json};
use crate::held::Held;
use crate::outlet::Outgoing;
use crate::vault::Vault;

/// What became of the commands that are due.
#[derive(Debug, Default)]
pub(crate) struct Due {
    /// To the devices.
    pub(crate) messages: Vec<Outgoing>,
    /// What the rules are told in place of a device that cannot be asked.
    pub(crate) answers: Vec<Input>,
}

/// The commands that were open after the group before, all of which have been sent.
#[derive(Debug, Default)]
pub(crate) struct Issued(BTreeMap<CommandId, DeviceId>);

impl Issued {
    /// The commands that are due now: open, and not sent yet or their device came back since. The broker keeps a
    /// device's queue, so a device may see one twice; it acts once for each command id.
    pub(crate) fn due(
        &mut self,
        open: Vec<Effect>,
        came: &BTreeSet<DeviceId>,
        vault: &Vault,
        held: &Held,
    ) -> Due {
        let before = std::mem::take(&mut self.0);
        let mut due = Due::default();
        for effect in open {
            let sent = before.contains_key(&effect.id) && !came.contains(&effect.device);
            let (id, device) = (effect.id.clone(), effect.device.clone());
            let is_of_faces = matches!(effect.order, Order::CompareFaces { .. });
            if !sent {
                match message(effect, vault, held) {
                    Some(message) => due.messages.push(message),
                    None if is_of_faces => due.answers.push(not_comparable(&device, &id)),
                    // The session ended in a later group, or its templates went with an earlier life.
                    None => {
                        tracing::debug!(%device, command = %id, "nothing is held for a comparison");
                    }
                }
            }
            self.0.insert(id, device);
        }
        due
    }
}

/// A picture in which faces cannot be compared, such as the still of a camera that takes large ones: nobody waits for the matcher, and
/// the centre compares at its review.
fn not_comparable(device: &DeviceId, command: &CommandId) -> Input {
    tracing::warn!(%device, %command, "a picture is not JPEG or PNG of at most 512 KiB: its face is not compared here");
    let reply = FacesReply {
        completion: Completion::Success,
        score: None,
        refusal: Some(FaceRefusal::Unsupported),
        which: None,
    };
    Input::Reply {
        device: device.clone(),
        command: command.clone(),
        reply: Reply::Faces(reply),
    }
}

/// None: a comparison without the templates or pictures that were held for it, in an earlier life perhaps.
#[allow(clippy::too_many_lines, reason = "a part for each order")]
fn message(effect: Effect, vault: &Vault, held: &Held) -> Option<Outgoing> {
    let Effect {
        id: command_id,
        device,
        order,
        timeout_s,
    } = effect;
    let (name, payload) = match order {
        Order::Move { sequence, motion } => (
            "move",
            json(&MoveCommand {
                command_id,
                sequence,
                motion,
                timeout_s,
            }),
        ),
        Order::Query { slots } => (
            "query",
            json(&QueryCommand {
                command_id,
                timeout_s,
                slots,
            }),
        ),
        Order::Read => (
            "read",
            json(&ReadCommand {
                command_id,
                timeout_s,
            }),
        ),
        Order::Match { session, hand } => {
            let templates = Some(vault.templates(&session, hand));
            let templates = templates.filter(|templates| !templates.is_empty())?;
            let room = room(templates.iter().map(|t| t.expose().len()));
            let command = MatchCommand {
                command_id,
                hand,
                templates,
                timeout_s,
            };
            ("match", personal_json(&command, room))
        }
        Order::CaptureFinger {
            session,
            hand,
            position,
            quality_min,
            compare,
        } => {
            let templates = compare.then(|| vault.templates(&session, hand));
            let templates = templates.unwrap_or_default();
            let room = room(templates.iter().map(|t| t.expose().len()));
            let command = CaptureFingerCommand {
                command_id,
                hand,
                position,
                quality_min,
                templates,
                timeout_s,
            };
            ("capture-finger", personal_json(&command, room))
        }
        Order::CompareFaces {
            session,
            pair,
            reference,
            probe,
        } => {
            let reference = Picture::clone(&*held.reference_of(&session, &reference)?);
            let probe = picture(&held.picture(&session, &probe)?)?;
            let room = room([&reference, &probe].map(|p| p.bytes.expose().len()));
            let command = CompareFacesCommand {
                command_id,
                pair,
                reference,
                probe,
                timeout_s,
            };
            ("compare-faces", personal_json(&command, room))
        }
        Order::TouchSensor => (
            "match-on-sensor",
            json(&MatchOnSensorCommand {
                command_id,
                first_page: 0,
                pages: core::num::NonZeroU16::MIN,
                timeout_s,
            }),
        ),
        Order::Capture { view } => (
            "capture",
            json(&CaptureCommand {
                command_id,
                view,
                timeout_s,
            }),
        ),
    };
    Some(Outgoing {
        device,
        channel: format!("cmd/{name}"),
        payload,
        assured: true,
        expiry_s: Some(u32::from(timeout_s.max(1))),
    })
}

/// Room for a message with parts of these lengths in base64, in bytes.
fn room(parts: impl IntoIterator<Item = usize>) -> usize {
    1_024 + parts.into_iter().sum::<usize>() * 3 / 2
}

/// A picture, with how it is written; none: faces cannot be compared in it.
fn picture(bytes: &[u8]) -> Option<Picture> {
    let format = PictureFormat::of(bytes)?;
    let bytes = PictureBytes::new(bytes.to_vec()).ok()?;
    Some(Picture { format, bytes })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use schemas::ids::BlobHash;
    use schemas::sealed::SealedField;
    use schemas::words::application::FacePair;

    use super::*;

    fn read(index: u64, device: &str) -> Effect {
        let device = DeviceId::new(device).unwrap();
        Effect {
            id: CommandId::of(1, index, 0),
            device,
            order: Order::Read,
            timeout_s: 20,
        }
    }

    /// architecture.md: `pending` is level-triggered; a command goes out once, and again when its device came back.
    #[test]
    fn an_open_command_is_sent_once_and_again_when_its_device_comes_back() {
        let (mut issued, vault) = (Issued::default(), Vault::default());
        let nobody = BTreeSet::new();
        let reader = BTreeSet::from([DeviceId::new("reader-1").unwrap()]);
        let mut due = |open: Vec<Effect>, came| {
            issued
                .due(open, came, &vault, &Held::default())
                .messages
                .len()
        };
        assert_eq!(due(vec![read(4, "reader-1")], &nobody), 1);
        assert_eq!(
            due(vec![read(4, "reader-1"), read(9, "reader-2")], &nobody),
            1
        );
        assert_eq!(
            due(vec![read(4, "reader-1"), read(9, "reader-2")], &reader),
            1
        );
        assert_eq!(due(vec![read(9, "reader-2")], &nobody), 0);
        assert_eq!(
            due(vec![read(4, "reader-1")], &nobody),
            1,
            "it was closed and is open again"
        );
    }

    /// P4: without templates nothing is compared.
    #[test]
    fn a_comparison_without_templates_is_not_sent() {
        let session = schemas::ids::SessionId::from_index(3);
        let order = Order::Match {
            session,
            hand: schemas::words::Hand::Right,
        };
        let effect = Effect {
            order,
            ..read(5, "scanner-1")
        };
        let due = Issued::default().due(
            vec![effect],
            &BTreeSet::new(),
            &Vault::default(),
            &Held::default(),
        );
        assert!(due.messages.is_empty() && due.answers.is_empty());
    }

    /// A7: a live photo in which no face can be compared is answered at once, once; one in which it can goes to the matcher.
    #[test]
    fn a7_a_picture_that_cannot_be_compared_is_answered_at_once() {
        let session = schemas::ids::SessionId::from_index(3);
        let key = schemas::key::SealingKeyId::of(&[7; 16]);
        let holder = SealedField::new(format!("v1.{key}.{}", "A".repeat(40))).unwrap();
        let blob = |n: u8| BlobHash::new(hex::encode([n; 32])).unwrap();
        let held = Held::default();
        held.only(BTreeMap::from([(
            session.clone(),
            gateway_core::Named::default(),
        )]));
        let reference = Picture {
            format: PictureFormat::Wlt,
            bytes: PictureBytes::new(vec![1; 4]).unwrap(),
        };
        held.reference(&session, &holder, reference);
        held.came(&session, &blob(1), b"GIF89a");
        held.came(&session, &blob(2), b"\xff\xd8\xff\xe0 a photo");
        let compare = |n: u8| Effect {
            order: Order::CompareFaces {
                session: session.clone(),
                pair: FacePair::LiveHistorical,
                reference: holder.clone(),
                probe: blob(n),
            },
            ..read(u64::from(n), "face-matcher-1")
        };
        let (mut issued, vault, nobody) = (Issued::default(), Vault::default(), BTreeSet::new());
        let mut due = |n| {
            let due = issued.due(vec![compare(n)], &nobody, &vault, &held);
            (due.messages.len(), due.answers)
        };
        let (sent, answers) = due(1);
        assert_eq!((sent, answers.len()), (0, 1));
        assert!(matches!(
            answers.first(),
            Some(Input::Reply { command, reply: Reply::Faces(reply), .. })
                if *command == compare(1).id && reply.refusal == Some(FaceRefusal::Unsupported)
        ));
        assert_eq!(due(1), (0, Vec::new()), "once");
        assert_eq!(due(2), (1, Vec::new()));
    }
}
