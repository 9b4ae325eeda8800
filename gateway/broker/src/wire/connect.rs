//! CONNECT, the one packet anyone may send.

use bytes::Bytes;
use mqtt_protocol_core::mqtt::connection::RawPacket;
use mqtt_protocol_core::mqtt::packet::{Property, v3_1_1, v5_0};

use super::properties::{find, match_u16, match_u32, properties, session_expiry};
use super::{WireError, check_flags, guarded};
use crate::handler::Version;
use crate::message::{Message, Origin, Qos};

/// A CONNECT.
#[derive(Debug)]
pub(crate) struct Connect {
    pub(crate) version: Version,
    pub(crate) clean_start: bool,
    pub(crate) keep_alive_s: u16,
    pub(crate) client_id: String,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<Vec<u8>>,
    pub(crate) will: Option<(Message, u32)>,
    /// MQTT 5 only.
    pub(crate) expiry_s: Option<u32>,
    pub(crate) receive_max: Option<u16>,
    pub(crate) packet_bytes_max: Option<u32>,
    pub(crate) topic_alias_max: u16,
    pub(crate) authentication_method: bool,
}

/// The version a CONNECT asks for, if it is one; so that even a broken one can be answered rightly.
pub(crate) fn connect_version(raw: &RawPacket) -> Option<Version> {
    match (raw.packet_type(), raw.data_as_slice()) {
        (1, [0, 4, b'M', b'Q', b'T', b'T', 4, ..]) => Some(Version::V311),
        (1, [0, 4, b'M', b'Q', b'T', b'T', 5, ..]) => Some(Version::V5),
        _ => None,
    }
}

/// Reads the first packet of a connection, which must be a CONNECT.
pub(crate) fn connect(raw: &RawPacket) -> Result<Connect, WireError> {
    guarded(|| {
        if raw.packet_type() != 1 {
            return Err(WireError::Protocol);
        }
        check_flags(raw)?;
        match raw.data_as_slice() {
            [0, 4, b'M', b'Q', b'T', b'T', level, flags, ..] => match level {
                4 => connect_v3(raw, *flags),
                5 => connect_v5(raw, *flags),
                _ => Err(WireError::UnsupportedVersion),
            },
            // MQTT 3.1, which is older than any device here.
            [0, 6, b'M', b'Q', b'I', b's', b'd', b'p', ..] => Err(WireError::UnsupportedVersion),
            _ => Err(WireError::Malformed),
        }
    })
}

/// Section 3.1.2.3 and following: reserved bit 0; without a will no will QoS and no will retain; QoS 3
/// does not exist. The parser checks none of this.
fn check_connect_flags(flags: u8) -> Result<(), WireError> {
    let will = flags & 0b100 != 0;
    let will_bits = flags & 0b0011_1000;
    let bad = flags & 1 != 0 || (!will && will_bits != 0) || (flags >> 3) & 0b11 == 3;
    if bad {
        Err(WireError::Malformed)
    } else {
        Ok(())
    }
}

fn will(
    flags: u8,
    topic: Option<&str>,
    payload: Option<&[u8]>,
    props: &[Property],
) -> Result<Option<(Message, u32)>, WireError> {
    if flags & 0b100 == 0 {
        return Ok(None);
    }
    let (properties, expiry_s) = properties(props)?;
    let delay_s = find(props, |p| {
        match_u32(p, |p| matches!(p, Property::WillDelayInterval(_)))
    });
    let message = Message {
        topic: topic.unwrap_or_default().into(),
        payload: Bytes::copy_from_slice(payload.unwrap_or_default()),
        qos: Qos::from_bits((flags >> 3) & 0b11).ok_or(WireError::Malformed)?,
        retain: flags & 0b10_0000 != 0,
        duplicate: false,
        expiry_s,
        properties,
        origin: Origin::Will,
    };
    Ok(Some((message, delay_s.unwrap_or(0))))
}

fn connect_v3(raw: &RawPacket, flags: u8) -> Result<Connect, WireError> {
    check_connect_flags(flags)?;
    let p = raw.parse_exact(v3_1_1::Connect::parse)?;
    Ok(Connect {
        version: Version::V311,
        clean_start: p.clean_session(),
        keep_alive_s: p.keep_alive(),
        client_id: p.client_id().to_owned(),
        username: p.user_name().map(str::to_owned),
        password: p.password().map(<[u8]>::to_vec),
        will: will(flags, p.will_topic(), p.will_payload(), &[])?,
        expiry_s: None,
        receive_max: None,
        packet_bytes_max: None,
        topic_alias_max: 0,
        authentication_method: false,
    })
}

fn connect_v5(raw: &RawPacket, flags: u8) -> Result<Connect, WireError> {
    check_connect_flags(flags)?;
    let p = raw.parse_exact(v5_0::Connect::parse)?;
    let props = p.props();
    Ok(Connect {
        version: Version::V5,
        clean_start: p.clean_start(),
        keep_alive_s: p.keep_alive(),
        client_id: p.client_id().to_owned(),
        username: p.user_name().map(str::to_owned),
        password: p.password().map(<[u8]>::to_vec),
        will: will(flags, p.will_topic(), p.will_payload(), p.will_props())?,
        expiry_s: find(props, session_expiry),
        receive_max: find(props, |p| {
            match_u16(p, |p| matches!(p, Property::ReceiveMaximum(_)))
        }),
        packet_bytes_max: find(props, |p| {
            match_u32(p, |p| matches!(p, Property::MaximumPacketSize(_)))
        }),
        // 0 is legal, and means none.
        topic_alias_max: find(props, |p| {
            match_u16(p, |p| matches!(p, Property::TopicAliasMaximum(_)))
        })
        .unwrap_or(0),
        authentication_method: props
            .iter()
            .any(|p| matches!(p, Property::AuthenticationMethod(_))),
    })
}
