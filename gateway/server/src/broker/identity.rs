//! Who is connecting. On a listener with TLS the certificate decides: the client id is its name, or is left empty; on a plain one the
//! client id decides, and a client id that is no device's makes an observer, from the same machine only. Where devices have
//! certificates, a plain listener takes only the devices of this program itself.

use gateway_broker::{ConnectRefusal, Hello, Identity};
use schemas::ids::DeviceId;

use super::acl::Acl;
use super::{TLS, TLS_WEBSOCKET};
use crate::tls::names;

/// Longest client id of an observer, in bytes.
const OBSERVER_ID_BYTES_MAX: usize = 64;

pub(super) fn identify(hello: &Hello<'_>, acl: &Acl) -> Result<Identity, ConnectRefusal> {
    if matches!(hello.listener, TLS | TLS_WEBSOCKET) {
        return by_certificate(hello, acl);
    }
    if let Some(device) = acl.device(hello.client_id) {
        if !acl.is_admitted_plain(device) {
            return Err(ConnectRefusal::NotAuthorised);
        }
        return Ok(Identity::new(device.as_str(), device.as_str()));
    }
    if !hello.peer.ip().to_canonical().is_loopback() {
        return Err(ConnectRefusal::NotAuthorised);
    }
    if hello.client_id.len() > OBSERVER_ID_BYTES_MAX || hello.client_id.contains('/') {
        return Err(ConnectRefusal::ClientIdentifierNotValid);
    }
    Ok(Identity::new(
        hello.client_id,
        Acl::observer(hello.client_id),
    ))
}

/// The certificate's chain is verified already; it must name exactly one device of this station.
fn by_certificate(hello: &Hello<'_>, acl: &Acl) -> Result<Identity, ConnectRefusal> {
    let certificate = hello
        .certificates
        .first()
        .ok_or(ConnectRefusal::NotAuthorised)?;
    let mut devices: Vec<&DeviceId> = names(certificate)
        .iter()
        .filter_map(|name| acl.device(name))
        .collect();
    devices.sort_unstable();
    devices.dedup();
    match devices.as_slice() {
        // A client that names another id than its certificate's is told so: MQTT 5 lets a server
        // assign an id only where the client left it empty (section 3.2.2.3.7).
        [device] if hello.client_id_given && hello.client_id != device.as_str() => {
            Err(ConnectRefusal::ClientIdentifierNotValid)
        }
        [device] => Ok(Identity::new(device.as_str(), device.as_str())),
        _ => Err(ConnectRefusal::NotAuthorised),
    }
}

/// For the figures.
pub(super) const fn refusal_word(refusal: ConnectRefusal) -> &'static str {
    match refusal {
        ConnectRefusal::ClientIdentifierNotValid => "client-identifier-not-valid",
        ConnectRefusal::BadUserNameOrPassword => "bad-user-name-or-password",
        ConnectRefusal::NotAuthorised => "not-authorised",
        ConnectRefusal::ServerUnavailable => "server-unavailable",
        ConnectRefusal::ServerBusy => "server-busy",
        ConnectRefusal::Banned => "banned",
        ConnectRefusal::QuotaExceeded => "quota-exceeded",
    }
}
