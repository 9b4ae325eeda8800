//! What a message is, by its topic, and whether it can be read as that.

use gateway_core::{Input, Report};
use schemas::event::station::Presence;
use schemas::ids::{BlobId, DeviceId, MessageId, SessionId};
use schemas::message::PROTOCOL_VERSION;
use schemas::message::command::CommandId;
use schemas::message::device::{Code, DeviceEvent, Life, LifeState, Measurement, Status};
use schemas::message::peripheral::Scan;
use schemas::topic::FromDevice;
use serde::de::DeserializeOwned;

use super::entry::Entered;
use super::reply::{self, Captured, ChipRead, FingerCaptured};
use super::request::{self, Operated};
use super::{Arrival, MESSAGE_BYTES_MAX, devices, peripherals};
use crate::keys::LookupKeys;

/// A message that was read.
#[derive(Debug)]
pub(super) enum Parsed {
    /// A measurement or a scan: acknowledged at once, never logged.
    Volatile,
    /// Raw bytes of a picture, and the command that asked for it; none: a kiosk gives it.
    Blob(BlobId, Option<CommandId>),
    /// A kiosk wants its prompt again; not logged.
    ShowSession(MessageId),
    /// A kiosk wants the papers of a session again: not logged where they are here, else what the rules are asked.
    ShowPapers(MessageId, SessionId, Input),
    /// Without an id: a state, which is recorded when it changed.
    Plain(Input),
    /// With an id.
    Message(MessageId, Input),
    /// A chip was read: whom it names is to be sealed, the templates go to the vault.
    ChipRead(MessageId, ChipRead),
    /// A photo was taken: which one is to be looked up.
    Captured(MessageId, Captured),
    /// A finger was captured for an application: its image is to be looked up.
    FingerCaptured(MessageId, FingerCaptured),
    /// What a citizen entered: it is to be sealed, its pictures are to be looked up.
    Entered(MessageId, Entered),
    /// An operator's request: the PIN is to be compared.
    Operated(MessageId, Operated),
}

/// Not readable as what its topic asks. What was wrong is never told in words of the content.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    /// The message's id, if that much could be read.
    pub(super) message_id: Option<MessageId>,
}

pub(super) fn parse(arrival: &Arrival, keys: &LookupKeys) -> Result<Parsed, Unreadable> {
    let Arrival {
        device,
        channel,
        payload,
        again,
        ..
    } = arrival;
    let is_blob = matches!(channel, FromDevice::Blob(_) | FromDevice::Image(..));
    if payload.len() > MESSAGE_BYTES_MAX && !is_blob {
        return Err(Unreadable { message_id: None });
    }
    match channel {
        FromDevice::State => presence(device, payload),
        FromDevice::Description => devices::described(device, &read(payload)?),
        FromDevice::Status => read(payload).map(|status| Parsed::Plain(changed(device, status))),
        // One that comes again may be older than the last: nothing follows from that.
        FromDevice::Property(_) if *again => read(payload).map(|_: Measurement| Parsed::Volatile),
        FromDevice::Property(name) => devices::measured(device, name, &read(payload)?),
        FromDevice::Event(name) => match peripherals::parse(device, name, payload) {
            Some(report) => report,
            None => read(payload).map(|event: DeviceEvent| reported(device, name, event)),
        },
        // Its kiosk hears it; nothing of it is kept here.
        FromDevice::Scan => read(payload).map(|_scan: Scan| Parsed::Volatile),
        FromDevice::Reply(name) => reply::parse(device, name, payload, keys),
        FromDevice::Request(name) => request::parse(device, name, payload, keys),
        FromDevice::Blob(id) => Ok(Parsed::Blob(id.clone(), None)),
        FromDevice::Image(id, command) => Ok(Parsed::Blob(id.clone(), Some(command.clone()))),
    }
}

/// Reads JSON. The parser's error is dropped: it may quote the text.
pub(super) fn read<T: DeserializeOwned>(payload: &[u8]) -> Result<T, Unreadable> {
    serde_json::from_slice(payload).map_err(|_may_quote| Unreadable::with_id_of(payload))
}

impl Unreadable {
    /// With the message's id, if that much can be read.
    pub(super) fn with_id_of(payload: &[u8]) -> Self {
        #[derive(serde::Deserialize)]
        struct WithId {
            message_id: MessageId,
        }
        let read: Result<WithId, _> = serde_json::from_slice(payload);
        Self {
            message_id: read.ok().map(|with| with.message_id),
        }
    }
}

/// A birth in another version of the contract is refused; a goodbye or a last will is heard all the same.
fn presence(device: &DeviceId, payload: &[u8]) -> Result<Parsed, Unreadable> {
    let Life {
        state,
        protocol,
        boot_id,
        last_receipt,
    } = read(payload)?;
    let presence = match state {
        LifeState::Online if protocol != PROTOCOL_VERSION => {
            tracing::warn!(%device, protocol, "a device speaks another version of the contract");
            return Err(Unreadable { message_id: None });
        }
        LifeState::Online => Presence::Online {
            boot: boot_id.clone(),
            protocol,
        },
        LifeState::Offline => Presence::Offline,
        LifeState::Lost => Presence::Lost,
    };
    Ok(Parsed::Plain(Input::Life {
        device: device.clone(),
        presence,
        boot: boot_id,
        witness: last_receipt,
    }))
}

fn changed(device: &DeviceId, Status { status, detail }: Status) -> Input {
    Input::Status {
        device: device.clone(),
        status,
        detail: detail.map(text),
    }
}

fn reported(device: &DeviceId, name: &str, event: DeviceEvent) -> Parsed {
    let DeviceEvent {
        message_id,
        command_id,
        detail,
    } = event;
    let report = match name {
        "media-taken" => Report::MediaTaken,
        "finger-present" => Report::FingerPresent {
            command: command_id,
        },
        other => Report::Other {
            name: other.to_owned(),
            detail: detail.map(text),
        },
    };
    Parsed::Message(
        message_id,
        Input::Report {
            device: device.clone(),
            report,
        },
    )
}

fn text(code: Code) -> String {
    code.as_str().to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use schemas::ids::StationId;
    use schemas::topic::Topics;

    use super::*;

    const ID: &str = "0190b7a2-1f00-7000-8000-000000000001";

    fn parse_at(topic: &str, payload: &str) -> Result<Parsed, Unreadable> {
        let place = tempfile::tempdir().unwrap();
        let keys = crate::keys::open(
            &place.path().join("k"),
            place.path(),
            &place.path().join("m"),
        )
        .unwrap();
        let topics = Topics::new(StationId::new("demo").unwrap());
        let topic = format!("station/v1/demo/{topic}");
        let (device, channel) = topics.parse(&topic).unwrap();
        let payload = payload.replace("ID", ID).into_bytes().into();
        parse(
            &Arrival {
                device,
                channel,
                topic: topic.into(),
                payload,
                again: false,
            },
            &keys.lookup,
        )
    }

    /// architecture.md, "What is acknowledged how": what is not readable as what its topic asks, and whether the answer
    /// can name the message.
    #[test]
    #[expect(clippy::too_many_lines, reason = "a table of cases")]
    fn bad_input_is_unreadable_at_the_door() {
        let named = Some(MessageId::new(ID).unwrap());
        let long = format!(r#"{{"message_id":"ID","detail":"{}"}}"#, "a".repeat(40_000));
        for (topic, payload, message_id) in [
            ("d/$state", "", None),
            ("d/$state", r#"{"state":"online"}"#, None),
            (
                "d/$state",
                r#"{"state":"online","protocol":1,"boot_id":"x"}"#,
                None,
            ),
            (
                "d/$state",
                r#"{"state":"online","protocol":2,"boot_id":"ID"}"#,
                None,
            ),
            ("d/state", r#"{"status":"fine"}"#, None),
            (
                "d/state",
                r#"{"status":"online","detail":"Zhang San, born 1949"}"#,
                None,
            ),
            ("d/desc", "{}", None),
            ("d/prop/level", r#"{"value":"three"}"#, None),
            ("d/event/jam", "\u{0}\u{1}", None),
            (
                "d/event/jam",
                r#"{"message_id":"ID","who":"x"}"#,
                named.clone(),
            ),
            ("d/event/jam", &long, None),
            ("d/cmd/move/reply", r#"{"message_id":"ID"}"#, named.clone()),
            ("d/cmd/dance/reply", r#"{"message_id":"ID"}"#, named.clone()),
            (
                "d/cmd/match/reply",
                r#"{"message_id":"ID","command_id":"1-1-0","completion":"success","score":101}"#,
                named.clone(),
            ),
            (
                "d/cmd/match/reply",
                r#"{"message_id":"ID","command_id":"1-1-0","completion":"success"}"#,
                named.clone(),
            ),
            (
                "d/cmd/read/reply",
                r#"{"message_id":"ID","command_id":"1-1-0","completion":"success"}"#,
                named.clone(),
            ),
            (
                "d/cmd/capture/reply",
                r#"{"message_id":"ID","command_id":"1-1-0","completion":"success"}"#,
                named.clone(),
            ),
            (
                "d/cmd/move/reply",
                r#"{"message_id":"ID","command_id":"1-99999999999999999999-0"}"#,
                named.clone(),
            ),
            (
                "k/request/start-pickup",
                r#"{"message_id":"ID","deadline_ms":1}"#,
                named.clone(),
            ),
            (
                "k/request/start-pickup",
                r#"{"message_id":"ID","deadline_ms":1,"claim":{"citizen_number":"110105194912310021"}}"#,
                named.clone(),
            ),
            (
                "k/request/start-pickup",
                r#"{"message_id":"ID","deadline_ms":1,"claim":{"voucher":"1"}}"#,
                named.clone(),
            ),
            (
                "k/request/start-pickup",
                r#"{"message_id":"no uuid","deadline_ms":1}"#,
                None,
            ),
            (
                "p/event/payment-changed",
                r#"{"message_id":"ID","order":"o-1","amount_fen":1,"method":"alipay","state":"paid","card":"1"}"#,
                named.clone(),
            ),
            (
                "p/event/print-ended",
                r#"{"message_id":"ID"}"#,
                named.clone(),
            ),
            ("p/scan", r#"{"symbology":"qr"}"#, None),
            (
                "d/desc",
                r#"{"kind":"reader","vendor":"","model":"","firmware":"","commands":[],"events":[],"totals":["level"]}"#,
                None,
            ),
            (
                "k/request/scan-card",
                r#"{"message_id":"ID","deadline_ms":1,"batch":"b","card":"CARD0001","operator":{"id":"o","pin":"1"}}"#,
                named.clone(),
            ),
            ("k/request/dance", r#"{"deadline_ms":1}"#, None),
        ] {
            let parsed = parse_at(topic, payload);
            assert_eq!(
                parsed.unwrap_err(),
                Unreadable { message_id },
                "{topic} {payload}"
            );
        }
    }

    /// G7: what is retained or shown to observers holds no number of a person.
    #[test]
    fn descriptions_and_measurements_are_plain() {
        let desc = |vendor: &str| {
            format!(
                r#"{{"kind":"reader","vendor":"{vendor}","model":"","firmware":"","commands":[],"events":[]}}"#
            )
        };
        for (topic, payload, is_plain) in [
            ("d/desc", desc("maker"), true),
            ("d/desc", desc("of 11010519491231002X"), false),
            ("d/desc", desc(&"long ".repeat(20)), false),
            (
                "d/prop/level",
                r#"{"value":3.5,"unit":"Cel"}"#.to_owned(),
                true,
            ),
            (
                "d/prop/level",
                r#"{"value":3.5,"unit":"1101050012026110100001"}"#.to_owned(),
                false,
            ),
        ] {
            assert_eq!(
                parse_at(topic, &payload).is_ok(),
                is_plain,
                "{topic} {payload}"
            );
        }
    }

    /// What can be read is what the topic says.
    #[test]
    fn good_input_is_read() {
        let report = |parsed| match parsed {
            Ok(Parsed::Message(id, Input::Report { report, .. })) if id.as_str() == ID => {
                Some(report)
            }
            _ => None,
        };
        let taken = parse_at("d/event/media-taken", r#"{"message_id":"ID"}"#);
        assert_eq!(report(taken), Some(Report::MediaTaken));
        let door = parse_at("d/event/door-open", r#"{"message_id":"ID","detail":"E7"}"#);
        let other = Report::Other {
            name: "door-open".to_owned(),
            detail: Some("E7".to_owned()),
        };
        assert_eq!(report(door), Some(other));
        assert!(matches!(
            parse_at("d/prop/level", r#"{"value":3.5}"#),
            Ok(Parsed::Volatile)
        ));
        let state = format!(
            r#"{{"state":"lost","protocol":1,"boot_id":"{ID}","last_receipt":{{"incarnation":1,"index":7}}}}"#
        );
        let lost = parse_at("d/$state", &state);
        let Ok(Parsed::Plain(Input::Life {
            presence: Presence::Lost,
            boot,
            witness:
                Some(schemas::message::device::LastReceipt {
                    incarnation: 1,
                    index: 7,
                }),
            ..
        })) = lost
        else {
            unreachable!("{lost:?}")
        };
        assert_eq!(
            boot.as_str(),
            ID,
            "a last will names the life it was left in"
        );
        assert!(matches!(
            parse_at(
                "k/request/get-session",
                r#"{"message_id":"ID","deadline_ms":1}"#
            ),
            Ok(Parsed::ShowSession(_))
        ));
    }

    /// P1, G7: a number reaches the rules as tags only.
    #[test]
    fn a_claim_becomes_tags() {
        let payload = r#"{"message_id":"ID","deadline_ms":1,"claim":{"citizen_number":"11010519491231002x"}}"#;
        let parsed = parse_at("k/request/start-pickup", payload).unwrap();
        assert!(!format!("{parsed:?}").contains("19491231"));
        assert!(matches!(parsed, Parsed::Message(_, Input::Request { .. })));
    }
}
