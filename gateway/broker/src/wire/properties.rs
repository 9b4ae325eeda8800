//! MQTT 5 properties, and payloads.

use std::sync::Arc;

use bytes::Bytes;
use mqtt_protocol_core::mqtt::ArcPayload;
use mqtt_protocol_core::mqtt::packet::Property;
use mqtt_protocol_core::mqtt::packet::prelude::PropertyValueAccess as _;

use super::WireError;
use crate::message::Properties;

/// Below this a payload is copied rather than kept with the packet it came in.
const COPY_BYTES_MAX: usize = 512;

struct Kept(ArcPayload);

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        self.0.as_slice()
    }
}

pub(super) fn payload_bytes(payload: &ArcPayload) -> Bytes {
    if payload.len() <= COPY_BYTES_MAX {
        Bytes::copy_from_slice(payload.as_slice())
    } else {
        Bytes::from_owner(Kept(payload.clone()))
    }
}

/// The properties that travel on, and the message expiry.
pub(super) fn properties(
    props: &[Property],
) -> Result<(Option<Arc<Properties>>, Option<u32>), WireError> {
    if props.is_empty() {
        return Ok((None, None));
    }
    let mut kept = Properties::default();
    let mut expiry_s = None;
    for prop in props {
        if let Property::PayloadFormatIndicator(_) = prop {
            kept.payload_is_utf8 = value_u8(prop).map(|v| v == 1);
        } else if let Property::ContentType(v) = prop {
            kept.content_type = Some(v.val().into());
        } else if let Property::ResponseTopic(v) = prop {
            if v.val().is_empty() || v.val().contains(['+', '#', '\0']) {
                return Err(WireError::Protocol);
            }
            kept.response_topic = Some(v.val().into());
        } else if let Property::CorrelationData(v) = prop {
            kept.correlation_data = Some(Bytes::copy_from_slice(v.val()));
        } else if let Property::UserProperty(v) = prop {
            kept.user.push((v.key().into(), v.val().into()));
        } else if let Property::MessageExpiryInterval(v) = prop {
            expiry_s = Some(v.val());
        }
    }
    Ok(((!kept.is_empty()).then(|| Arc::new(kept)), expiry_s))
}

fn value_u8(prop: &Property) -> Option<u8> {
    prop.as_u8()
}

pub(super) fn match_u16(prop: &Property, wanted: impl Fn(&Property) -> bool) -> Option<u16> {
    if wanted(prop) { prop.as_u16() } else { None }
}

pub(super) fn match_u32(prop: &Property, wanted: impl Fn(&Property) -> bool) -> Option<u32> {
    if wanted(prop) { prop.as_u32() } else { None }
}

pub(super) fn session_expiry(prop: &Property) -> Option<u32> {
    match_u32(prop, |p| matches!(p, Property::SessionExpiryInterval(_)))
}

pub(super) fn find<T>(props: &[Property], value: impl Fn(&Property) -> Option<T>) -> Option<T> {
    props.iter().find_map(value)
}
