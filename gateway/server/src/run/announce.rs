//! What the program says at its start: where to look and what to try next.

use std::fmt::Write as _;
use std::io::Write as _;

use edge_config::{Broker, Station};
use gateway_log::Log;

use super::devices_broker::DevicesBroker;
use super::prepare::Prepared;
use crate::pull::prefix;

/// The text of the page `/`.
pub fn front_page(station: &Station) -> String {
    let http = station.http.listen;
    format!(
        "station gateway {version}, station {id}\n\n\
         http://{http}/metrics  figures for Prometheus\n\
         http://{http}/healthz  whether the program answers\n\
         http://{http}/readyz   whether the station serves, and if not why\n",
        version = env!("CARGO_PKG_VERSION"),
        id = station.id,
    )
}

/// Said when the station runs.
pub(super) fn started(prepared: &Prepared, devices: &DevicesBroker, log: &Log) {
    tracing::info!(origin = %prepared.origin, events = log.size(), public_key = log.key().to_vkey(), "station running");
    let mut text = String::new();
    // Writing to a string cannot fail.
    where_to_look(&mut text, prepared, devices).ok();
    #[cfg(feature = "demo")]
    if prepared.station.demo.simulated_devices {
        what_to_try(&mut text, &prepared.station, devices).ok();
    }
    let mut out = std::io::stdout().lock();
    if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        tracing::debug!(%error, "nobody reads the standard output");
    }
}

fn where_to_look(
    out: &mut String,
    prepared: &Prepared,
    devices: &DevicesBroker,
) -> std::fmt::Result {
    let station = &prepared.station;
    writeln!(out, "\nThe station {} runs. Where to look:", station.id)?;
    match &station.broker {
        Broker::Embedded(embedded) => {
            if let Some(address) = devices.plain_tcp() {
                writeln!(out, "  MQTT            {address}")?;
            }
            if let Some(address) = embedded.websocket {
                writeln!(out, "  MQTT, WebSocket {address}")?;
            }
            if let Some(tls) = &embedded.tls {
                writeln!(out, "  MQTT, TLS       {}", tls.listen)?;
            }
        }
        Broker::External(external) => {
            writeln!(
                out,
                "  MQTT            {}:{} (external)",
                external.url.host, external.url.port
            )?;
        }
    }
    let storage = &station.storage;
    writeln!(out, "  metrics, health http://{}/", station.http.listen)?;
    if let Some(pull) = &station.pull {
        let scheme = if pull.tls.is_some() { "https" } else { "http" };
        let prefix = prefix(prepared.keys.incarnation);
        writeln!(out, "  log, to pull    {scheme}://{}{prefix}/", pull.listen)?;
    }
    writeln!(out, "  data            {}", storage.data_folder.display())?;
    writeln!(out, "  keys            {}", storage.keys_folder.display())?;
    writeln!(out, "  inbox           {}", storage.inbox_folder.display())
}

/// Lines to copy: a second terminal acts as the kiosk.
#[cfg(feature = "demo")]
fn what_to_try(out: &mut String, station: &Station, devices: &DevicesBroker) -> std::fmt::Result {
    let (Some(kiosk), Some((host, port, _))) =
        (station.kiosks.first(), devices.address(&station.broker))
    else {
        return Ok(());
    };
    let base = format!("station/v1/{}/{}", station.id, kiosk.id);
    let voucher = crate::demo::VOUCHER;
    writeln!(
        out,
        "  simulated devices take orders at http://{}/",
        station.demo.control
    )?;
    if station.centre.store.is_none() {
        writeln!(out, "  centre          http://{}/", station.demo.centre)?;
        writeln!(out, "  phone, to pay   http://{}/", station.demo.phone)?;
        writeln!(
            out,
            "  its event store esdb://{}?tls=false (cut and restore the link: ops/demo/link)",
            station.demo.store
        )?;
    }
    writeln!(
        out,
        "\nWhat to try next, in a second terminal that acts as the kiosk (mosquitto-clients):"
    )?;
    writeln!(
        out,
        "  mosquitto_sub -h {host} -p {port} -v -t '{base}/receipt/+' -t '{base}/session' &"
    )?;
    writeln!(
        out,
        "  mosquitto_pub -h {host} -p {port} -q 1 -t {base}/request/start-pickup -m \"{{\\\"message_id\\\":\\\"$(cat /proc/sys/kernel/random/uuid)\\\",\
         \\\"deadline_ms\\\":$(( ($(date +%s) + 60) * 1000 )),\\\"claim\\\":{{\\\"voucher\\\":\\\"{voucher}\\\"}}}}\""
    )?;
    writeln!(
        out,
        "  mosquitto_pub -h {host} -p {port} -q 1 -t {base}/request/get-session -m \"{{\\\"message_id\\\":\\\"$(cat /proc/sys/kernel/random/uuid)\\\",\
         \\\"deadline_ms\\\":$(( ($(date +%s) + 60) * 1000 ))}}\""
    )?;
    writeln!(out, "Ctrl-C stops; starting again goes on where it was.\n")
}
