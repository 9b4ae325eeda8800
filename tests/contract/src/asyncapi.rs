//! The AsyncAPI 3.0 document. Operations are named from the gateway's view: it *receives* what devices publish.

use serde_json::{Map, Value, json};

use crate::catalogue::{CHANNELS, Channel, MESSAGES, Payload, Way};
use crate::examples;

const HEAD: &str = "# Written from the types by write-contract. Do not edit.\n";

const ABOUT: &str = "Devices of a station and their gateway, MQTT 5 or 3.1.1. Operations are seen from the gateway: it \
`receive`s what devices publish and `send`s what they subscribe to.

QoS 1 on every topic. The gateway acknowledges (PUBACK, PUBREC) what is logged only when it is durable on disk; with \
MQTT 5 a refusal at the door carries its reason code, and a refusal by the rules is an acknowledged fact with a receipt \
that says why. A message id is a UUID within its sender: the same id again is the same message again and gets the same \
receipt, for at least 7 days; a device keeps what is not acknowledged and sends it again with the same id. A device that \
sees a command id twice acts once and replies again. Deadlines of requests are enforced only while the station's clock \
is synchronised.

Each device publishes `$state` at birth, with a last will of state `lost`; its client id is its device id.";

/// The document as YAML.
///
/// # Errors
/// It cannot be written as YAML.
pub fn text() -> anyhow::Result<String> {
    Ok(format!("{HEAD}{}", serde_norway::to_string(&document()?)?))
}

fn document() -> anyhow::Result<Value> {
    let mut channels = Map::new();
    let mut operations = Map::new();
    for channel in CHANNELS {
        let id = id(channel);
        channels.insert(id.clone(), channel_object(channel));
        operations.insert(id.clone(), operation_object(channel, &id));
    }
    Ok(json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Station gateway",
            "version": "1.0.0",
            "description": ABOUT,
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "defaultContentType": "application/json",
        "servers": servers(),
        "channels": channels,
        "operations": operations,
        "components": { "messages": messages()?, "securitySchemes": security_schemes(), "parameters": parameters() },
    }))
}

fn servers() -> Value {
    json!({
        "station": {
            "host": "station.example:8883",
            "protocol": "secure-mqtt",
            "protocolVersion": "5.0",
            "description": "TLS 1.3. The identity in the device's certificate decides its client id and its topics, and \
                            all else is denied. MQTT 3.1.1 is spoken too.",
            "security": [{ "$ref": "#/components/securitySchemes/deviceCertificate" }],
            "bindings": { "mqtt": { "cleanSession": false, "lastWill": {
                "topic": "station/v1/{station}/{device}/$state", "qos": 1, "retain": true,
                "message": "a message `life` with state lost and the boot id of this life",
            }, "bindingVersion": "0.2.0" } },
        },
        "demo": {
            "host": "127.0.0.1:1883",
            "protocol": "mqtt",
            "protocolVersion": "5.0",
            "description": "Plain, loopback only: the demonstration. The client id is taken as the identity. Also over \
                            WebSocket on port 8083 with the subprotocol `mqtt`.",
        },
    })
}

fn security_schemes() -> Value {
    json!({ "deviceCertificate": {
        "type": "X509",
        "description": "A client certificate of the station's device authority.",
    } })
}

fn parameters() -> Value {
    json!({
        "station": { "description": "The station's id." },
        "device": { "description": "The device's id, also its client id." },
        "name": { "description": "Name of the measurement: 1 to 32 lower-case letters, digits or inner hyphens." },
        "type": { "description": "Type of the event: 1 to 32 lower-case letters, digits or inner hyphens. \
                                  With a rule: media-taken, finger-present." },
        "blob": { "description": "UUID of the blob, drawn by the device." },
        "command": { "description": "The `command_id` of the command that asked for it." },
        "message": { "description": "The id of the message or blob that the receipt is about; `unreadable` where no id could be read." },
    })
}

/// `cmd/move/reply` → `cmdMoveReply`.
fn id(channel: &Channel) -> String {
    let mut id = String::new();
    for word in channel
        .topic
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
    {
        let mut letters = word.chars();
        if let Some(first) = letters.next() {
            id.push(if id.is_empty() {
                first
            } else {
                first.to_ascii_uppercase()
            });
            id.extend(letters);
        }
    }
    // `$state` and `state` are two topics.
    if channel.topic.starts_with('$') {
        "life".to_owned()
    } else {
        id
    }
}

const fn message_name(channel: &Channel) -> &'static str {
    match channel.payload {
        Payload::Json(name) => name,
        Payload::Picture => "photo",
    }
}

fn channel_object(channel: &Channel) -> Value {
    let address = format!("station/v1/{{station}}/{{device}}/{}", channel.topic);
    let parameters: Map<String, Value> = address
        .split(['{', '}'])
        .skip(1)
        .step_by(2)
        .map(|name| {
            (
                name.to_owned(),
                json!({ "$ref": format!("#/components/parameters/{name}") }),
            )
        })
        .collect();
    let name = message_name(channel);
    json!({
        "address": address,
        "description": channel.about,
        "parameters": parameters,
        "messages": { name: { "$ref": format!("#/components/messages/{name}") } },
    })
}

fn operation_object(channel: &Channel, id: &str) -> Value {
    let action = match channel.way {
        Way::Receive => "receive",
        Way::Send => "send",
    };
    let mut operation = json!({
        "action": action,
        "channel": { "$ref": format!("#/channels/{id}") },
        "summary": channel.about,
        "messages": [{ "$ref": format!("#/channels/{id}/messages/{}", message_name(channel)) }],
        "bindings": { "mqtt": { "qos": 1, "retain": channel.retain, "bindingVersion": "0.2.0" } },
    });
    if let (true, Some(operation)) = (channel.personal, operation.as_object_mut()) {
        operation.insert(
            "description".to_owned(),
            "Carries personal data: never retained, never written to disk by a broker, never in a log line.".into(),
        );
    }
    operation
}

fn messages() -> anyhow::Result<Map<String, Value>> {
    let examples = examples::messages()?;
    let mut messages = Map::new();
    // The manifest is a file, not a message on a topic.
    for message in MESSAGES.iter().filter(|message| message.name != "manifest") {
        let payloads = examples
            .get(message.name)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let examples: Vec<_> = payloads
            .iter()
            .map(|payload| json!({ "payload": payload }))
            .collect();
        messages.insert(
            message.name.to_owned(),
            json!({
                "name": message.name,
                "contentType": "application/json",
                "payload": { "$ref": format!("./json/messages/{}.json", message.name) },
                "examples": examples,
            }),
        );
    }
    messages.insert(
        "photo".to_owned(),
        json!({
            "name": "photo",
            "contentType": "application/octet-stream",
            "summary": "The bytes of a picture, JPEG (JFIF or Exif) or PNG, at most 1 MiB.",
        }),
    );
    Ok(messages)
}
