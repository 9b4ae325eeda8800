//! What the broker sends, written straight into a connection's output buffer.
//!
//! PUBLISH and its acknowledgements are written here, without a copy in between; the rest is built by
//! `mqtt-protocol-core`.

use std::collections::HashMap;
use std::sync::Arc;

use mqtt_protocol_core::mqtt::packet::{
    AssignedClientIdentifier, MaximumPacketSize, ReceiveMaximum, ServerKeepAlive,
    SessionExpiryInterval, TopicAliasMaximum, v3_1_1, v5_0,
};
use mqtt_protocol_core::mqtt::result_code::{
    ConnectReasonCode, DisconnectReasonCode, MqttError, SubackReasonCode, SubackReturnCode,
    UnsubackReasonCode,
};

use crate::handler::{ConnectRefusal, DisconnectReason, Version};
use crate::message::{Properties, Qos};
use crate::outbox::{Delivery, packet_id};

/// The acknowledgements of a PUBLISH, by their first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ack {
    Puback,
    Pubrec,
    Pubrel,
    Pubcomp,
}

/// Success.
pub(crate) const SUCCESS: u8 = 0;
/// Packet Identifier Not Found (MQTT 5).
pub(crate) const ID_NOT_FOUND: u8 = 0x92;

/// Writes an acknowledgement. A code other than success is written in MQTT 5 only.
pub(crate) fn ack(out: &mut Vec<u8>, version: Version, ack: Ack, id: u16, code: u8) {
    let first = match ack {
        Ack::Puback => 0x40,
        Ack::Pubrec => 0x50,
        Ack::Pubrel => 0x62,
        Ack::Pubcomp => 0x70,
    };
    let [high, low] = id.to_be_bytes();
    if code == SUCCESS || version == Version::V311 {
        out.extend_from_slice(&[first, 2, high, low]);
    } else {
        out.extend_from_slice(&[first, 3, high, low, code]);
    }
}

/// Writes PINGRESP.
pub(crate) fn pingresp(out: &mut Vec<u8>) {
    out.extend_from_slice(&[0xD0, 0]);
}

/// Topic aliases given to a client: the first topics it is sent, as many as it takes.
#[derive(Debug, Default)]
pub(crate) struct Aliases {
    max: u16,
    given: HashMap<Arc<str>, u16>,
}

impl Aliases {
    pub(crate) fn new(max: u16) -> Self {
        Self {
            max,
            given: HashMap::new(),
        }
    }

    /// The alias to send with a topic, and whether the client knows it already.
    fn choose(&self, topic: &str) -> Option<(u16, bool)> {
        if let Some(alias) = self.given.get(topic) {
            return Some((*alias, true));
        }
        let next = u16::try_from(self.given.len()).ok()?.checked_add(1)?;
        (next <= self.max).then_some((next, false))
    }
}

/// What writing to a client depends on.
#[derive(Debug)]
pub(crate) struct Receiver<'a> {
    pub(crate) version: Version,
    pub(crate) packet_bytes_max: u32,
    pub(crate) aliases: &'a mut Aliases,
}

/// Writes a delivery, unless it is larger than the client takes; then false.
pub(crate) fn publish(
    out: &mut Vec<u8>,
    to: Receiver<'_>,
    delivery: &Delivery,
    now_ms: u64,
) -> bool {
    let message = &delivery.message;
    let alias = to.aliases.choose(&message.topic);
    let props = match to.version {
        Version::V311 => None,
        Version::V5 => Some(publish_properties(delivery, alias, now_ms)),
    };
    let topic = if matches!(alias, Some((_, true))) {
        ""
    } else {
        &*message.topic
    };
    let with_id = delivery.qos != Qos::AtMostOnce;
    let remaining = 2
        + topic.len()
        + if with_id { 2 } else { 0 }
        + props.as_ref().map_or(0, |p| varint_len(p.len()) + p.len())
        + message.payload.len();
    let total = 1 + varint_len(remaining) + remaining;
    if u32::try_from(total).map_or(true, |total| total > to.packet_bytes_max) {
        return false;
    }
    out.reserve(total);
    let flags = (u8::from(delivery.duplicate && with_id) << 3)
        | (delivery.qos.bits() << 1)
        | u8::from(delivery.retain);
    out.push(0x30 | flags);
    put_varint(out, remaining);
    put_text(out, topic.as_bytes());
    if with_id {
        out.extend_from_slice(&packet_id(delivery.seq).to_be_bytes());
    }
    if let Some(props) = props {
        put_varint(out, props.len());
        out.extend_from_slice(&props);
    }
    out.extend_from_slice(&message.payload);
    if let Some((alias, false)) = alias {
        to.aliases.given.insert(Arc::clone(&message.topic), alias);
    }
    true
}

fn publish_properties(delivery: &Delivery, alias: Option<(u16, bool)>, now_ms: u64) -> Vec<u8> {
    let mut out = Vec::new();
    if let Some((alias, _)) = alias {
        out.push(35);
        out.extend_from_slice(&alias.to_be_bytes());
    }
    if let Some(at) = delivery.expires_at_ms {
        let left_s = at.saturating_sub(now_ms).div_ceil(1_000);
        out.push(2);
        out.extend_from_slice(&u32::try_from(left_s).unwrap_or(u32::MAX).to_be_bytes());
    }
    for id in &delivery.subscription_ids {
        out.push(11);
        put_varint(&mut out, usize::try_from(*id).unwrap_or(1));
    }
    if let Some(properties) = delivery.message.properties.as_deref() {
        put_properties(&mut out, properties);
    }
    out
}

fn put_properties(out: &mut Vec<u8>, properties: &Properties) {
    if let Some(utf8) = properties.payload_is_utf8 {
        out.extend_from_slice(&[1, u8::from(utf8)]);
    }
    if let Some(text) = &properties.content_type {
        out.push(3);
        put_text(out, text.as_bytes());
    }
    if let Some(text) = &properties.response_topic {
        out.push(8);
        put_text(out, text.as_bytes());
    }
    if let Some(data) = &properties.correlation_data {
        out.push(9);
        put_text(out, data);
    }
    for (name, value) in &properties.user {
        out.push(38);
        put_text(out, name.as_bytes());
        put_text(out, value.as_bytes());
    }
}

/// Two bytes of length, then the bytes. Longer input than fits is cut; what came in by the wire fits.
fn put_text(out: &mut Vec<u8>, bytes: &[u8]) {
    let len = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    out.extend_from_slice(&len.to_be_bytes());
    out.extend(bytes.iter().take(usize::from(len)));
}

fn varint_len(value: usize) -> usize {
    match value {
        0..128 => 1,
        128..16_384 => 2,
        16_384..2_097_152 => 3,
        _ => 4,
    }
}

fn put_varint(out: &mut Vec<u8>, mut value: usize) {
    loop {
        let low = u8::try_from(value % 128).unwrap_or(0);
        value /= 128;
        if value == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

/// What CONNACK tells an accepted client.
#[derive(Debug)]
pub(crate) struct Accepted<'a> {
    pub(crate) session_present: bool,
    pub(crate) receive_max: u16,
    pub(crate) packet_bytes_max: u32,
    pub(crate) topic_alias_max: u16,
    /// Set when it differs from what the client asked for.
    pub(crate) expiry_s: Option<u32>,
    pub(crate) keep_alive_s: Option<u16>,
    pub(crate) client_id: Option<&'a str>,
}

/// Writes CONNACK with success.
pub(crate) fn connack(
    out: &mut Vec<u8>,
    version: Version,
    accepted: &Accepted<'_>,
) -> Result<(), MqttError> {
    if version == Version::V311 {
        out.extend_from_slice(&[0x20, 2, u8::from(accepted.session_present), 0]);
        return Ok(());
    }
    let mut props = vec![
        ReceiveMaximum::new(accepted.receive_max)?.into(),
        MaximumPacketSize::new(accepted.packet_bytes_max)?.into(),
    ];
    if accepted.topic_alias_max > 0 {
        props.push(TopicAliasMaximum::new(accepted.topic_alias_max)?.into());
    }
    if let Some(expiry_s) = accepted.expiry_s {
        props.push(SessionExpiryInterval::new(expiry_s)?.into());
    }
    if let Some(keep_alive_s) = accepted.keep_alive_s {
        props.push(ServerKeepAlive::new(keep_alive_s)?.into());
    }
    if let Some(client_id) = accepted.client_id {
        props.push(AssignedClientIdentifier::new(client_id)?.into());
    }
    let connack = v5_0::Connack::builder()
        .session_present(accepted.session_present)
        .reason_code(ConnectReasonCode::Success)
        .props(props)
        .build()?;
    out.extend_from_slice(&connack.to_continuous_buffer());
    Ok(())
}

/// Why a CONNECT is answered with a refusal: the handler's reasons and the protocol's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Handler(ConnectRefusal),
    Malformed,
    Protocol,
    UnsupportedVersion,
    BadAuthenticationMethod,
    TopicNameInvalid,
}

/// Writes CONNACK with a refusal. `version` is `None` when the client's is not known; then both dialects
/// are impossible and MQTT 3.1.1's "unacceptable protocol version" is understood by all.
pub(crate) fn refuse(out: &mut Vec<u8>, version: Option<Version>, refusal: Refusal) {
    let (v5, v3) = match refusal {
        Refusal::Handler(ConnectRefusal::ClientIdentifierNotValid) => (0x85, 2),
        Refusal::Handler(ConnectRefusal::BadUserNameOrPassword) => (0x86, 4),
        Refusal::Handler(ConnectRefusal::NotAuthorised) => (0x87, 5),
        Refusal::Handler(ConnectRefusal::ServerUnavailable) => (0x88, 3),
        Refusal::Handler(ConnectRefusal::ServerBusy) => (0x89, 3),
        Refusal::Handler(ConnectRefusal::Banned) => (0x8A, 5),
        Refusal::Handler(ConnectRefusal::QuotaExceeded) => (0x97, 3),
        Refusal::UnsupportedVersion => (0x84, 1),
        Refusal::BadAuthenticationMethod => (0x8C, 5),
        Refusal::TopicNameInvalid => (0x90, 5),
        // MQTT 3.1.1 closes without an answer here (section 3.1.4).
        Refusal::Malformed => (0x81, 0),
        Refusal::Protocol => (0x82, 0),
    };
    match version {
        Some(Version::V5) => out.extend_from_slice(&[0x20, 3, 0, v5, 0]),
        Some(Version::V311) if v3 != 0 => out.extend_from_slice(&[0x20, 2, 0, v3]),
        None if refusal == Refusal::UnsupportedVersion => {
            out.extend_from_slice(&[0x20, 2, 0, 1]);
        }
        Some(Version::V311) | None => {}
    }
}

/// What became of one filter of a SUBSCRIBE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Granted {
    Qos(Qos),
    NotAuthorised,
    FilterInvalid,
    QuotaExceeded,
    /// The store failed.
    Unspecified,
}

/// Writes SUBACK.
pub(crate) fn suback(
    out: &mut Vec<u8>,
    version: Version,
    id: u16,
    granted: &[Granted],
) -> Result<(), MqttError> {
    let bytes = match version {
        Version::V311 => {
            let codes = granted.iter().map(|g| match g {
                Granted::Qos(Qos::AtMostOnce) => SubackReturnCode::SuccessMaximumQos0,
                Granted::Qos(Qos::AtLeastOnce) => SubackReturnCode::SuccessMaximumQos1,
                Granted::Qos(Qos::ExactlyOnce) => SubackReturnCode::SuccessMaximumQos2,
                Granted::NotAuthorised
                | Granted::FilterInvalid
                | Granted::QuotaExceeded
                | Granted::Unspecified => SubackReturnCode::Failure,
            });
            v3_1_1::Suback::builder()
                .packet_id(id)
                .return_codes(codes.collect())
                .build()?
                .to_continuous_buffer()
        }
        Version::V5 => {
            let codes = granted.iter().map(|g| match g {
                Granted::Qos(Qos::AtMostOnce) => SubackReasonCode::GrantedQos0,
                Granted::Qos(Qos::AtLeastOnce) => SubackReasonCode::GrantedQos1,
                Granted::Qos(Qos::ExactlyOnce) => SubackReasonCode::GrantedQos2,
                Granted::NotAuthorised => SubackReasonCode::NotAuthorized,
                Granted::FilterInvalid => SubackReasonCode::TopicFilterInvalid,
                Granted::QuotaExceeded => SubackReasonCode::QuotaExceeded,
                Granted::Unspecified => SubackReasonCode::UnspecifiedError,
            });
            v5_0::Suback::builder()
                .packet_id(id)
                .reason_codes(codes.collect())
                .build()?
                .to_continuous_buffer()
        }
    };
    out.extend_from_slice(&bytes);
    Ok(())
}

/// Writes UNSUBACK. For each filter: whether there was a subscription; `None` for an invalid filter.
pub(crate) fn unsuback(
    out: &mut Vec<u8>,
    version: Version,
    id: u16,
    removed: &[Option<bool>],
) -> Result<(), MqttError> {
    let bytes = match version {
        Version::V311 => v3_1_1::Unsuback::builder()
            .packet_id(id)
            .build()?
            .to_continuous_buffer(),
        Version::V5 => {
            let codes = removed.iter().map(|removed| match removed {
                Some(true) => UnsubackReasonCode::Success,
                Some(false) => UnsubackReasonCode::NoSubscriptionExisted,
                None => UnsubackReasonCode::TopicFilterInvalid,
            });
            v5_0::Unsuback::builder()
                .packet_id(id)
                .reason_codes(codes.collect())
                .build()?
                .to_continuous_buffer()
        }
    };
    out.extend_from_slice(&bytes);
    Ok(())
}

/// Writes DISCONNECT, where the version has one from the server and the reason is one to be told.
pub(crate) fn disconnect(
    out: &mut Vec<u8>,
    version: Version,
    reason: DisconnectReason,
) -> Result<(), MqttError> {
    let code = match reason {
        DisconnectReason::ClientDisconnect
        | DisconnectReason::ClientDisconnectWithWill
        | DisconnectReason::ConnectionLost
        | DisconnectReason::WriteStalled => return Ok(()),
        DisconnectReason::KeepAliveTimeout => DisconnectReasonCode::KeepAliveTimeout,
        DisconnectReason::TakenOver => DisconnectReasonCode::SessionTakenOver,
        DisconnectReason::MalformedPacket => DisconnectReasonCode::MalformedPacket,
        DisconnectReason::ProtocolError => DisconnectReasonCode::ProtocolError,
        DisconnectReason::PacketTooLarge => DisconnectReasonCode::PacketTooLarge,
        DisconnectReason::ReceiveMaximumExceeded => DisconnectReasonCode::ReceiveMaximumExceeded,
        DisconnectReason::TopicAliasInvalid => DisconnectReasonCode::TopicAliasInvalid,
        DisconnectReason::TopicNameInvalid => DisconnectReasonCode::TopicNameInvalid,
        DisconnectReason::TopicFilterInvalid => DisconnectReasonCode::TopicFilterInvalid,
        DisconnectReason::NotAuthorised => DisconnectReasonCode::NotAuthorized,
        DisconnectReason::QuotaExceeded => DisconnectReasonCode::QuotaExceeded,
        DisconnectReason::Administrative => DisconnectReasonCode::AdministrativeAction,
        DisconnectReason::ServerShuttingDown => DisconnectReasonCode::ServerShuttingDown,
        DisconnectReason::Internal => DisconnectReasonCode::ImplementationSpecificError,
    };
    if version == Version::V5 {
        let packet = v5_0::Disconnect::builder().reason_code(code).build()?;
        out.extend_from_slice(&packet.to_continuous_buffer());
    }
    Ok(())
}
