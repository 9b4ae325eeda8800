//! For `ops/bench/run devices`: dispensers in one process, their adapters in another, and the way from a command to its motion.
//!
//!     devices dispensers FOLDER COUNT           prints their ports and stays until it is killed
//!     devices adapters MQTT-PORT PORT…          polls each ten times a second until it is killed
//!     devices bare PORT…                        reads each ten times a second by the Modbus client alone until it is killed
//!     devices latency MQTT-PORT FOLDER COUNT    prints medians in µs: `adapter bare mqtt`
#![allow(
    clippy::print_stdout,
    reason = "what it prints is what it is for; it runs in benchmarks only"
)]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use adapters::dispenser::{Address, DispenserConfig, description, run};
use adapters::link::{Broker, LinkConfig};
use anyhow::Context as _;
use edge_config::profile::DispenserProfile;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::Packet;
use rumqttc::v5::{AsyncClient, Event, MqttOptions};
use schemas::ids::{CardSerial, DeviceId, StationId};
use schemas::slot::SlotAddress;
use serde_json::json;
use simulator::dispenser::{Dispenser, DispenserLine, DispenserOptions, Machine, Shape};
use tokio::sync::{mpsc, watch};
use tokio_modbus::client::{Reader as _, Writer as _, tcp};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let given: Vec<&str> = given.iter().map(String::as_str).collect();
    match given.as_slice() {
        ["dispensers", folder, count] => dispensers(folder.into(), count.parse()?).await,
        ["adapters", mqtt, ports @ ..] => adapters(mqtt.parse()?, ports).await,
        ["bare", ports @ ..] => bare(ports).await,
        ["latency", mqtt, folder, count] => {
            latency(mqtt.parse()?, folder.into(), count.parse()?).await
        }
        _ => anyhow::bail!(
            "dispensers FOLDER COUNT, adapters MQTT-PORT PORT…, bare PORT… or latency MQTT-PORT FOLDER COUNT"
        ),
    }
}

async fn dispenser(folder: PathBuf, number: u16, motion_ms: u64) -> anyhow::Result<Dispenser> {
    let options = DispenserOptions {
        line: DispenserLine::Tcp(SocketAddr::from(([127, 0, 0, 1], 0))),
        profile: Arc::new(DispenserProfile::load(None)?),
        memory_file: folder.join(format!("dispenser-{number}.json")),
        shape: Shape {
            columns: 8,
            slots_per_column: 250,
            motion_ms,
            ..Shape::default()
        },
    };
    Ok(Dispenser::start(options).await?)
}

async fn dispensers(folder: PathBuf, count: u16) -> anyhow::Result<()> {
    let mut running = Vec::new();
    for number in 0..count {
        running.push(dispenser(folder.clone(), number, 300).await?);
    }
    let ports: Vec<String> = running
        .iter()
        .map(|dispenser| dispenser.address().port().to_string())
        .collect();
    println!("{}", ports.join(" "));
    std::future::pending().await
}

fn link(mqtt: u16, name: &str, config: &DispenserConfig) -> anyhow::Result<LinkConfig> {
    let host = "127.0.0.1".to_owned();
    Ok(LinkConfig::new(
        Broker { host, port: mqtt },
        StationId::new("demo")?,
        DeviceId::new(name)?,
        description(config),
    ))
}

fn config(port: u16) -> anyhow::Result<DispenserConfig> {
    let host = "127.0.0.1".to_owned();
    let profile = Arc::new(DispenserProfile::load(None)?);
    Ok(DispenserConfig {
        poll_busy_ms: 100,
        poll_idle_ms: 100,
        ..DispenserConfig::new(Address::Tcp { host, port }, profile)
    })
}

async fn adapters(mqtt: u16, ports: &[&str]) -> anyhow::Result<()> {
    let (_stop, stopped) = watch::channel(false);
    for (number, port) in ports.iter().enumerate() {
        let config = config(port.parse()?)?;
        let link = link(mqtt, &format!("dispenser-{number}"), &config)?;
        tokio::spawn(run(config, link, stopped.clone()));
    }
    println!("ready");
    std::future::pending().await
}

/// What the adapters cannot do without: the status block of each dispenser by one read, by the library they use, and nothing else.
async fn bare(ports: &[&str]) -> anyhow::Result<()> {
    let status = DispenserProfile::load(None)?.status();
    for port in ports {
        let at = SocketAddr::from(([127, 0, 0, 1], port.parse()?));
        let mut client = tcp::connect(at).await?;
        tokio::spawn(async move {
            let mut due = tokio::time::interval(Duration::from_millis(100));
            loop {
                due.tick().await;
                let read = client.read_input_registers(status.first, status.len);
                if !matches!(read.await, Ok(Ok(_))) {
                    return;
                }
            }
        });
    }
    println!("ready");
    std::future::pending().await
}

/// A client of the broker that sends, and hears what it and the adapter say.
struct Client {
    mqtt: AsyncClient,
    heard: mpsc::UnboundedReceiver<String>,
}

impl Client {
    async fn connect(port: u16) -> anyhow::Result<Self> {
        let mut options = MqttOptions::new("bench", "127.0.0.1", port);
        options.set_keep_alive(Duration::from_secs(30));
        // Else a message waits for the acknowledgement of what was sent before it, up to 40 ms.
        let mut network = options.network_options();
        network.set_tcp_nodelay(true);
        options.set_network_options(network);
        let (mqtt, mut events) = AsyncClient::new(options, 64);
        mqtt.subscribe("station/v1/demo/#", QoS::AtLeastOnce)
            .await?;
        let (sender, heard) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok(event) = events.poll().await {
                if let Event::Incoming(Packet::Publish(publish)) = event {
                    let topic = String::from_utf8_lossy(&publish.topic).into_owned();
                    if sender.send(topic).is_err() {
                        return;
                    }
                }
            }
        });
        Ok(Self { mqtt, heard })
    }

    async fn send(&self, topic: &str, payload: String) -> anyhow::Result<()> {
        let topic = format!("station/v1/demo/{topic}");
        Ok(self
            .mqtt
            .publish(topic, QoS::AtLeastOnce, false, payload)
            .await?)
    }

    async fn hear(&mut self, end: &str) -> anyhow::Result<()> {
        loop {
            let topic = self.heard.recv().await.context("the broker is gone")?;
            if topic.ends_with(end) {
                return Ok(());
            }
        }
    }
}

/// Three medians, each of `count`: from a command on MQTT to the motion through the adapter; from a bare FC10 to the motion; and
/// from a message to its delivery by the broker, which the first includes.
async fn latency(mqtt: u16, folder: PathBuf, count: u16) -> anyhow::Result<()> {
    let device = dispenser(folder, 0, 1).await?;
    let slot = SlotAddress::new(0, 3)?;
    let card = CardSerial::new("SIM00000001")?;
    device.act(|machine| machine.put_in_slot(slot, card));
    let config = config(device.address().port())?;
    let mut client = Client::connect(mqtt).await?;
    let (_stop, stopped) = watch::channel(false);
    let link = link(mqtt, "dispenser-0", &config)?;
    tokio::spawn(run(config, link, stopped));
    client.hear("dispenser-0/$state").await?;
    let mut bare = tcp::connect(device.address()).await?;
    let (mut through, mut direct, mut broker) = (Vec::new(), Vec::new(), Vec::new());
    let mut sequence = 0u16;
    for turn in 0..count {
        // The motions go there and back, so that each can be done.
        let (there, back) = (turn % 2 == 0, turn % 2 != 0);
        sequence += 1;
        let motion = if there { "to-reader" } else { "to-slot" };
        let message = json!({
            "command_id": format!("1-{sequence}-0"), "sequence": sequence, "timeout_s": 30,
            "motion": { "motion": motion, "slot": { "column": 0, "slot": 3 } },
        });
        let began = Instant::now();
        client
            .send("dispenser-0/cmd/move", message.to_string())
            .await?;
        through.push(began_to_move(&device, sequence, began).await?);
        client.hear("cmd/move/reply").await?;

        sequence += 1;
        let command = if back { 5 } else { 12 };
        let began = Instant::now();
        let block = [sequence, command, 0, 3, 0, 0];
        let written = bare.write_multiple_registers(0, &block);
        written.await??;
        direct.push(began_to_move(&device, sequence, began).await?);
        at_rest(&device).await?;

        let began = Instant::now();
        client.send("dispenser-9/echo", String::new()).await?;
        client.hear("dispenser-9/echo").await?;
        broker.push(began.elapsed());
    }
    let all = [through, direct, broker].map(|times| median(times).as_micros().to_string());
    println!("{}", all.join(" "));
    Ok(())
}

async fn began_to_move(
    device: &Dispenser,
    sequence: u16,
    began: Instant,
) -> anyhow::Result<Duration> {
    let mut changes = device.changes();
    while device.look(|machine| machine.memory().last_sequence()) != sequence {
        changes.changed().await?;
    }
    Ok(began.elapsed())
}

async fn at_rest(device: &Dispenser) -> anyhow::Result<()> {
    let mut changes = device.changes();
    while device.look(Machine::is_moving) {
        changes.changed().await?;
    }
    Ok(())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
