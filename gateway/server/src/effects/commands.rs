//! Device commands: which of the open ones are due to be sent, and as what.

use std::collections::{BTreeMap, BTreeSet};

use gateway_core::{Effect, Order};
use schemas::ids::DeviceId;
use schemas::message::command::{
    CaptureCommand, CommandId, MatchCommand, MatchOnSensorCommand, MoveCommand, QueryCommand,
    ReadCommand,
};
use schemas::message::face::{
    CaptureFingerCommand, CompareFacesCommand, Picture, PictureBytes, PictureFormat,
};

use super::{json, personal_json};
use crate::held::Held;
use crate::outlet::Outgoing;
use crate::vault::Vault;

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
    ) -> Vec<Outgoing> {
        let before = std::mem::take(&mut self.0);
        let mut due = Vec::new();
        for effect in open {
            let sent = before.contains_key(&effect.id) && !came.contains(&effect.device);
            let (id, device) = (effect.id.clone(), effect.device.clone());
            if !sent {
                match message(effect, vault, held) {
                    Some(message) => due.push(message),
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

/// A picture as its first bytes say it is written; none: neither JPEG nor PNG, or too large.
fn picture(bytes: &[u8]) -> Option<Picture> {
    let format = if bytes.starts_with(b"\xff\xd8\xff") {
        PictureFormat::Jpeg
    } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        PictureFormat::Png
    } else {
        return None;
    };
    let bytes = PictureBytes::new(bytes.to_vec()).ok()?;
    Some(Picture { format, bytes })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
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
        let mut due =
            |open: Vec<Effect>, came| issued.due(open, came, &vault, &Held::default()).len();
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
        assert!(due.is_empty());
    }
}
