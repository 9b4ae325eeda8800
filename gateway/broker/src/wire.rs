//! From a framed packet to a checked one. Parsing is `mqtt-protocol-core`'s; what that crate lets
//! through and the specification does not is refused here.
//!
//! Everything runs under a panic guard: these bytes come from anyone.

mod connect;
mod properties;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use mqtt_protocol_core::mqtt::ArcPayload;
use mqtt_protocol_core::mqtt::connection::{PacketData, RawPacket};
use mqtt_protocol_core::mqtt::packet::{Property, SubEntry, v3_1_1, v5_0};
use mqtt_protocol_core::mqtt::result_code::MqttError;

use crate::handler::Version;
use crate::message::{Message, Origin, Qos};

pub(crate) use connect::{Connect, connect, connect_version};
use properties::{find, match_u16, match_u32, payload_bytes, properties, session_expiry};

/// A packet a connected client may send.
#[derive(Debug)]
pub(crate) enum Packet {
    Publish(Box<Publish>),
    Puback {
        id: u16,
    },
    Pubrec {
        id: u16,
        refused: bool,
    },
    Pubrel {
        id: u16,
    },
    Pubcomp {
        id: u16,
    },
    Subscribe {
        id: u16,
        subscription_id: Option<u32>,
        entries: Vec<Entry>,
    },
    Unsubscribe {
        id: u16,
        filters: Vec<String>,
    },
    Pingreq,
    Disconnect {
        code: u8,
        expiry_s: Option<u32>,
    },
}

/// A PUBLISH. The topic in `message` is not yet checked, and empty where an alias stands for it.
#[derive(Debug)]
pub(crate) struct Publish {
    pub(crate) id: u16,
    pub(crate) alias: Option<u16>,
    pub(crate) message: Message,
}

/// One filter of a SUBSCRIBE.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) filter: String,
    pub(crate) qos: Qos,
    pub(crate) no_local: bool,
    pub(crate) retain_as_published: bool,
    pub(crate) retain_handling: RetainHandling,
}

/// When retained messages are sent for a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RetainHandling {
    Always,
    IfNew,
    Never,
}

/// Why bytes are not a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WireError {
    Malformed,
    Protocol,
    /// CONNECT only.
    UnsupportedVersion,
    /// CONNECT only.
    ClientIdentifier,
    /// The parser panicked.
    Panicked,
}

impl From<MqttError> for WireError {
    fn from(error: MqttError) -> Self {
        if error == MqttError::ProtocolError {
            Self::Protocol
        } else if error == MqttError::UnsupportedProtocolVersion {
            Self::UnsupportedVersion
        } else if error == MqttError::ClientIdentifierNotValid {
            Self::ClientIdentifier
        } else {
            Self::Malformed
        }
    }
}

fn guarded<T>(parse: impl FnOnce() -> Result<T, WireError>) -> Result<T, WireError> {
    catch_unwind(AssertUnwindSafe(parse)).unwrap_or(Err(WireError::Panicked))
}

/// Reads a packet of a connected client.
pub(crate) fn packet(version: Version, raw: &RawPacket) -> Result<Packet, WireError> {
    guarded(|| {
        check_flags(raw)?;
        match version {
            Version::V311 => packet_v3(raw),
            Version::V5 => packet_v5(raw),
        }
    })
}

/// The lower four bits of the first byte are fixed for all but PUBLISH (section 2.1.3).
fn check_flags(raw: &RawPacket) -> Result<(), WireError> {
    let expected = match raw.packet_type() {
        3 => {
            let duplicate_qos0 = raw.flags() & 0b1110 == 0b1000;
            return if duplicate_qos0 {
                Err(WireError::Malformed)
            } else {
                Ok(())
            };
        }
        6 | 8 | 10 => 0b0010,
        _ => 0,
    };
    if raw.flags() == expected {
        Ok(())
    } else {
        Err(WireError::Malformed)
    }
}

fn packet_id(id: u16) -> Result<u16, WireError> {
    // The parser lets 0 through in several packets; section 2.2.1 does not.
    if id == 0 {
        Err(WireError::Malformed)
    } else {
        Ok(id)
    }
}

fn publish_bytes(raw: &RawPacket) -> Result<Arc<[u8]>, WireError> {
    match &raw.data {
        PacketData::Publish(data) => Ok(Arc::clone(data)),
        PacketData::Normal(_) => Err(WireError::Malformed),
    }
}

fn packet_v3(raw: &RawPacket) -> Result<Packet, WireError> {
    Ok(match raw.packet_type() {
        3 => {
            let (p, _) = v3_1_1::Publish::parse(raw.flags(), publish_bytes(raw)?)?;
            let message = message(raw.flags(), p.topic_name(), p.payload(), &[])?;
            publish(p.packet_id(), None, message)?
        }
        4 => Packet::Puback {
            id: packet_id(raw.parse_exact(v3_1_1::Puback::parse)?.packet_id())?,
        },
        5 => {
            let id = packet_id(raw.parse_exact(v3_1_1::Pubrec::parse)?.packet_id())?;
            Packet::Pubrec { id, refused: false }
        }
        6 => Packet::Pubrel {
            id: packet_id(raw.parse_exact(v3_1_1::Pubrel::parse)?.packet_id())?,
        },
        7 => Packet::Pubcomp {
            id: packet_id(raw.parse_exact(v3_1_1::Pubcomp::parse)?.packet_id())?,
        },
        8 => {
            let p = raw.parse_exact(v3_1_1::Subscribe::parse)?;
            if p.entries()
                .iter()
                .any(|e| e.sub_opts().to_buffer()[0] & !0b11 != 0)
            {
                return Err(WireError::Malformed);
            }
            let entries = p.entries().iter().map(entry).collect::<Result<_, _>>()?;
            Packet::Subscribe {
                id: packet_id(p.packet_id())?,
                subscription_id: None,
                entries,
            }
        }
        10 => {
            let p = raw.parse_exact(v3_1_1::Unsubscribe::parse)?;
            let filters = p.entries().iter().map(|f| f.as_str().to_owned()).collect();
            Packet::Unsubscribe {
                id: packet_id(p.packet_id())?,
                filters,
            }
        }
        12 => {
            raw.parse_exact(v3_1_1::Pingreq::parse)?;
            Packet::Pingreq
        }
        14 => {
            raw.parse_exact(v3_1_1::Disconnect::parse)?;
            Packet::Disconnect {
                code: 0,
                expiry_s: None,
            }
        }
        0 | 15.. => return Err(WireError::Malformed),
        // CONNECT a second time, or what only a server may send.
        1 | 2 | 9 | 11 | 13 => return Err(WireError::Protocol),
    })
}

fn packet_v5(raw: &RawPacket) -> Result<Packet, WireError> {
    Ok(match raw.packet_type() {
        3 => {
            let (p, _) = v5_0::Publish::parse(raw.flags(), publish_bytes(raw)?)?;
            let message = message(raw.flags(), p.topic_name(), p.payload(), p.props())?;
            let alias = find(p.props(), |p| {
                match_u16(p, |p| matches!(p, Property::TopicAlias(_)))
            });
            // Only a server sends subscription identifiers (section 3.3.4).
            if p.props()
                .iter()
                .any(|p| matches!(p, Property::SubscriptionIdentifier(_)))
            {
                return Err(WireError::Protocol);
            }
            publish(p.packet_id(), alias, message)?
        }
        4 => Packet::Puback {
            id: packet_id(raw.parse_exact(v5_0::Puback::parse)?.packet_id())?,
        },
        5 => {
            let p = raw.parse_exact(v5_0::Pubrec::parse)?;
            let refused = p.reason_code().is_some_and(|code| code.is_failure());
            Packet::Pubrec {
                id: packet_id(p.packet_id())?,
                refused,
            }
        }
        6 => Packet::Pubrel {
            id: packet_id(raw.parse_exact(v5_0::Pubrel::parse)?.packet_id())?,
        },
        7 => Packet::Pubcomp {
            id: packet_id(raw.parse_exact(v5_0::Pubcomp::parse)?.packet_id())?,
        },
        8 => {
            let p = raw.parse_exact(v5_0::Subscribe::parse)?;
            let subscription_id = find(p.props(), |p| {
                match_u32(p, |p| matches!(p, Property::SubscriptionIdentifier(_)))
            });
            let entries = p.entries().iter().map(entry).collect::<Result<_, _>>()?;
            Packet::Subscribe {
                id: packet_id(p.packet_id())?,
                subscription_id,
                entries,
            }
        }
        10 => {
            let p = raw.parse_exact(v5_0::Unsubscribe::parse)?;
            let filters = p.entries().iter().map(|f| f.as_str().to_owned()).collect();
            Packet::Unsubscribe {
                id: packet_id(p.packet_id())?,
                filters,
            }
        }
        12 => {
            raw.parse_exact(v5_0::Pingreq::parse)?;
            Packet::Pingreq
        }
        14 => {
            let p = raw.parse_exact(v5_0::Disconnect::parse)?;
            let code = raw.data_as_slice().first().copied().unwrap_or(0);
            let expiry_s = p
                .props()
                .as_ref()
                .and_then(|props| find(props, session_expiry));
            Packet::Disconnect { code, expiry_s }
        }
        0 | 16.. => return Err(WireError::Malformed),
        // CONNECT a second time, what only a server may send, or AUTH without an authentication method.
        1 | 2 | 9 | 11 | 13 | 15 => return Err(WireError::Protocol),
    })
}

fn publish(id: Option<u16>, alias: Option<u16>, message: Message) -> Result<Packet, WireError> {
    let id = match (message.qos, id) {
        (Qos::AtMostOnce, _) => 0,
        (Qos::AtLeastOnce | Qos::ExactlyOnce, Some(id)) => packet_id(id)?,
        (Qos::AtLeastOnce | Qos::ExactlyOnce, None) => return Err(WireError::Malformed),
    };
    Ok(Packet::Publish(Box::new(Publish { id, alias, message })))
}

fn message(
    flags: u8,
    topic: &str,
    payload: &ArcPayload,
    props: &[Property],
) -> Result<Message, WireError> {
    let (properties, expiry_s) = properties(props)?;
    Ok(Message {
        topic: topic.into(),
        payload: payload_bytes(payload),
        qos: Qos::from_bits((flags >> 1) & 0b11).ok_or(WireError::Malformed)?,
        retain: flags & 1 != 0,
        duplicate: flags & 0b1000 != 0,
        expiry_s,
        properties,
        origin: Origin::Client,
    })
}

fn entry(entry: &SubEntry) -> Result<Entry, WireError> {
    let options = entry.sub_opts().to_buffer()[0];
    let retain_handling = match (options >> 4) & 0b11 {
        0 => RetainHandling::Always,
        1 => RetainHandling::IfNew,
        2 => RetainHandling::Never,
        _ => return Err(WireError::Protocol),
    };
    Ok(Entry {
        filter: entry.topic_filter().to_owned(),
        qos: Qos::from_bits(options & 0b11).ok_or(WireError::Malformed)?,
        no_local: options & 0b100 != 0,
        retain_as_published: options & 0b1000 != 0,
        retain_handling,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic, reason = "the panic is the test")]
    use super::*;

    #[test]
    fn trap_a_panic_in_the_parser_ends_one_connection_not_the_broker() {
        assert_eq!(
            guarded::<()>(|| panic!("a bug in the parser")),
            Err(WireError::Panicked)
        );
    }
}
