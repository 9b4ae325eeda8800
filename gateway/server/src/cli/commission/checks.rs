//! What can be looked at without moving anything: keys, clock, disk, broker, centre, matcher.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use anyhow::Context as _;
use edge_config::{Broker, Station};
use gateway_core::{DeviceReadiness, MachineStanding};
use schemas::proof::{Checkpoint, NoteKey};
use schemas::words::CommissionReason as Why;

use super::steps::{Found, Round};
use crate::admin::{Client, LinkReport, Standing};

/// How long a listener may take to accept.
const CONNECT_MAX: Duration = Duration::from_secs(2);
/// How the code of a scanner begins that has nothing to compare with.
const MATCHER_CODE: &str = "matcher-";

/// The newest checkpoint is signed by the key that the station names; the key that personal data is sealed to is there.
pub(super) fn keys(client: &mut Client, station: &Station) -> anyhow::Result<Found> {
    let standing: Standing = client.get("/station")?;
    let note = client.get_text("/checkpoint")?;
    let named = standing.vkeys.last().context("the station names no key")?;
    let signed = NoteKey::from_vkey(named)
        .is_ok_and(|key| Checkpoint::open(&note, &key, gateway_audit::check).is_ok());
    let seal_key = station.centre.seal_key.as_ref();
    let seals =
        seal_key.is_none_or(|file| std::fs::metadata(file).is_ok_and(|file| file.len() > 0));
    Ok(if signed && seals {
        Found::Passed
    } else {
        Found::Failed(Why::WrongKey)
    })
}

pub(super) const fn clock(standing: &MachineStanding) -> Found {
    if standing.clock_trusted {
        Found::Passed
    } else {
        Found::Failed(Why::NotTrusted)
    }
}

/// More is free than the station wants for new sessions.
pub(super) fn disk(station: &Station) -> anyhow::Result<Found> {
    let folder = &station.storage.data_folder;
    let stat = rustix::fs::statvfs(folder)
        .with_context(|| format!("cannot look at {}", folder.display()))?;
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    Ok(if free > station.storage.room_low_mib << 20 {
        Found::Passed
    } else {
        Found::Failed(Why::TooLittle)
    })
}

/// Every listener that devices use accepts.
pub(super) fn broker(station: &Station) -> Found {
    let addresses: Vec<SocketAddr> = match &station.broker {
        Broker::Embedded(own) => {
            let tls = own.tls.as_ref();
            let over_tls = tls.map(|tls| [Some(tls.listen), tls.websocket]);
            let plain = [own.tcp, own.websocket].into_iter();
            let all = plain.chain(over_tls.into_iter().flatten());
            all.flatten().map(from_here).collect()
        }
        Broker::External(other) => {
            let found = (other.url.host.as_str(), other.url.port).to_socket_addrs();
            found
                .map(|found| found.take(1).collect())
                .unwrap_or_default()
        }
    };
    let accepts = |address: &SocketAddr| TcpStream::connect_timeout(address, CONNECT_MAX).is_ok();
    if !addresses.is_empty() && addresses.iter().all(accepts) {
        Found::Passed
    } else {
        Found::Failed(Why::Unreachable)
    }
}

/// A listener on all addresses is reached on loopback.
fn from_here(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    address
}

pub(super) fn centre(client: &mut Client) -> anyhow::Result<Found> {
    let link: LinkReport = client.get("/link")?;
    Ok(if !link.configured {
        Found::Skipped(Why::NotConfigured)
    } else if matches!(link.standing.as_str(), "current" | "draining" | "resting") {
        Found::Passed
    } else {
        Found::Failed(Why::Unreachable)
    })
}

/// The scanner says whether what compares answers; one with an adapter here that has no matcher compares nothing.
pub(super) fn matcher(round: &mut Round<'_>) -> anyhow::Result<Found> {
    let scanner = &round.devices.scanner;
    let own = round
        .station
        .zfm_scanners
        .iter()
        .find(|own| own.device == *scanner);
    if own.is_some_and(|own| own.matcher.is_none()) {
        return Ok(Found::Skipped(Why::NotConfigured));
    }
    let device = round.device(scanner)?;
    Ok(if device.usable {
        Found::Passed
    } else if lacks_only_a_matcher(&device) {
        Found::Failed(Why::Unreachable)
    } else {
        Found::Failed(Why::NotUsable)
    })
}

/// The scanner itself is well.
pub(super) fn lacks_only_a_matcher(device: &DeviceReadiness) -> bool {
    let code = device.status.as_ref().and_then(|(_, code)| code.as_deref());
    device.online && code.is_some_and(|code| code.starts_with(MATCHER_CODE))
}
