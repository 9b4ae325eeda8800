//! The whole machine: what the gateway would ask for a pickup, asked one by one.

use std::net::SocketAddr;

use crate::support::bench::profile;
use crate::support::{Gateway, Mosquitto, loopback};
use adapters::dispenser::{Address, DispenserConfig, description, run};
use adapters::scanner::{self, LightKind, MatcherConfig, ScannerConfig};
use schemas::message::command::ReadReply;
use schemas::message::kiosk::{CloseBatch, LoadCard, ReceiveBatch, ScanCard};
use schemas::slot::SlotAddress;
use schemas::words::DeviceKind;
use serde_json::{Value, json};
use simulator::camera::CameraProtocol;
use simulator::dispenser::DispenserLine;
use simulator::operator::{DEMO_PIN, StockUp, kiosk_description, stock_up};
use simulator::reader::ReaderProtocol;
use simulator::scanner::ScannerProtocol;
use simulator::world::Behaviour;
use simulator::{Power, Simulation, SimulationConfig};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

struct Station {
    broker: Mosquitto,
    gateway: Gateway,
    simulation: Simulation,
    _stop: watch::Sender<bool>,
    _folder: TempDir,
}

/// Starts everything; the card of the third person, who has an old card, lies in slot 0/2.
async fn station(behaviour: Behaviour) -> Station {
    let broker = Mosquitto::start();
    let mut gateway = Gateway::connect(&broker).await;
    let folder = TempDir::new().unwrap();
    let mut config = SimulationConfig::new(broker.broker(), folder.path().join("data")).unwrap();
    config.dispenser = DispenserLine::Tcp(loopback());
    config.scanner = ScannerProtocol::zfm(0);
    config.matcher_listen = Some(loopback());
    config.face_matcher_listen = Some(loopback());
    config.control_listen = Some(loopback());
    // No adapter runs here that would bring a reader's own protocol to MQTT.
    config.reader = ReaderProtocol::Mqtt;
    config.intake_reader = ReaderProtocol::Mqtt;
    config.camera = CameraProtocol::Mqtt;
    config.shape.motion_ms = 10;
    config.pace.think_ms = 10;
    config.pace.take_ms = 50;
    config.behaviour = behaviour;
    let simulation = Simulation::start(config).await.unwrap();
    let world = simulation.world();
    let card = world.people.people[2].card.serial.clone();
    let slot = SlotAddress::new(0, 2).unwrap();
    world
        .dispenser
        .act(|machine| assert!(machine.put_in_slot(slot, card)));
    let address = Address::Tcp {
        host: "127.0.0.1".to_owned(),
        port: simulation.modbus_address().port(),
    };
    let mut adapter = DispenserConfig::new(address, profile());
    adapter.poll_busy_ms = 10;
    adapter.poll_idle_ms = 50;
    let (stop, stopped) = watch::channel(false);
    let link = broker.link("dispenser-1", description(&adapter));
    tokio::spawn(run(adapter, link, stopped.clone()));
    let adapter = scanner_config(&simulation);
    let link = broker.link("scanner-1", scanner::description(&adapter));
    tokio::spawn(scanner::run(adapter, link, stopped));
    for _ in 0..5 {
        gateway.next_starting("").await;
    }
    Station {
        broker,
        gateway,
        simulation,
        _stop: stop,
        _folder: folder,
    }
}

fn scanner_config(simulation: &Simulation) -> ScannerConfig {
    let host = "127.0.0.1".to_owned();
    let matcher = simulation.matcher_address().unwrap().port();
    ScannerConfig {
        light: LightKind::Ring,
        matcher: Some(MatcherConfig::new(host.clone(), matcher, 5_000)),
        poll_ms: 10,
        ..ScannerConfig::new(scanner::Address::Tcp {
            host,
            port: simulation.scanner_address().unwrap().port(),
        })
    }
}

impl Station {
    async fn ask(&mut self, device: &str, name: &str, command: Value) -> Value {
        let id = command["command_id"].as_str().unwrap().to_owned();
        self.gateway
            .send(&format!("{device}/cmd/{name}"), &command)
            .await;
        let topic = format!("{device}/cmd/{name}/reply");
        self.gateway.json_where(&topic, "command_id", &id).await
    }

    async fn order(&mut self, sequence: u16, motion: Value) -> Value {
        let id = format!("1-{}-0", 100 + sequence);
        let command = json!({
            "command_id": id, "sequence": sequence, "motion": motion, "timeout_s": 30,
        });
        let reply = self.ask("dispenser-1", "move", command).await;
        assert_eq!(reply["outcome"]["result"], "done", "{reply}");
        reply
    }
}

/// P3 to P7, by a citizen who behaves: chip, fingers with photo, old card, card taken.
#[tokio::test]
async fn a_pickup_runs_by_the_devices() {
    let mut station = station(Behaviour::Good).await;
    let slot = json!({ "column": 0, "slot": 2 });
    station
        .order(1, json!({ "motion": "to-reader", "slot": slot }))
        .await;
    let chip = station
        .ask(
            "reader-1",
            "read",
            json!({ "command_id": "1-1-0", "timeout_s": 30 }),
        )
        .await;
    let chip: ReadReply = serde_json::from_value(chip).unwrap();
    let card = chip.card.unwrap();
    assert_eq!(card.serial.as_str(), "53494D0000000003");
    assert_eq!(card.fingers.len(), 2);
    for (at, (hand, finger)) in ["right", "left"].into_iter().zip(&card.fingers).enumerate() {
        let id = format!("1-2-{at}");
        let template = serde_json::to_value(&finger.template).unwrap();
        let command = json!({
            "command_id": id, "hand": hand, "templates": [template], "timeout_s": 30,
        });
        let reply = station.ask("scanner-1", "match", command).await;
        assert_eq!(reply["completion"], "success");
        assert!(reply["score"].as_u64().unwrap() >= 85, "{reply}");
    }
    let capture = json!({ "command_id": "1-3-0", "view": "frontal", "timeout_s": 30 });
    station.gateway.send("camera-1/cmd/capture", &capture).await;
    let (topic, photo) = station.gateway.next_starting("camera-1/blob/").await;
    assert!(photo.starts_with(&[0xFF, 0xD8, 0xFF]));
    let reply = station.gateway.json("camera-1/cmd/capture/reply").await;
    let blob = reply["blob"].as_str().unwrap();
    assert_eq!(topic, format!("camera-1/blob/{blob}/1-3-0"));
    let old = station
        .ask(
            "reader-2",
            "read",
            json!({ "command_id": "1-4-0", "timeout_s": 30 }),
        )
        .await;
    assert_eq!(old["card"]["serial"], "4F4C440000000003");
    let reply = station.order(2, json!({ "motion": "take-old-card" })).await;
    assert_eq!(reply["evidence"]["recycle_count"], 1);
    station
        .order(3, json!({ "motion": "present", "hold_s": 30 }))
        .await;
    station.gateway.json("dispenser-1/event/media-taken").await;
    station.simulation.shutdown().await;
    station
        .gateway
        .json_where("camera-1/$state", "state", "offline")
        .await;
}

/// P4, P5: another's finger scores near nothing, no finger and no card time out, a camera without power is lost.
#[tokio::test]
async fn devices_fail_as_devices_fail() {
    let mut station = station(Behaviour::WrongFinger).await;
    let slot = json!({ "column": 0, "slot": 2 });
    // What is to succeed has its time also on a slow machine.
    let read = |id: &str, timeout_s| json!({ "command_id": id, "timeout_s": timeout_s });
    let reply = station.ask("reader-1", "read", read("1-1-0", 1)).await;
    assert_eq!(reply["completion"], "time-out");
    station
        .order(1, json!({ "motion": "to-reader", "slot": slot }))
        .await;
    let chip = station.ask("reader-1", "read", read("1-2-0", 30)).await;
    let template = chip["card"]["fingers"][0]["template"].clone();
    let compare = |id: &str, timeout_s| json!({ "command_id": id, "hand": "right", "templates": [template], "timeout_s": timeout_s });
    let reply = station
        .ask("scanner-1", "match", compare("1-3-0", 30))
        .await;
    assert!(reply["score"].as_u64().unwrap() <= 10, "{reply}");
    station
        .simulation
        .world()
        .behaviour
        .send_replace(Behaviour::NoFinger);
    let reply = station.ask("scanner-1", "match", compare("1-4-0", 1)).await;
    assert_eq!(reply["completion"], "time-out");
    let camera = schemas::ids::DeviceId::new("camera-1").unwrap();
    assert!(station.simulation.set_power(&camera, Power::Off));
    station
        .gateway
        .json_where("camera-1/$state", "state", "lost")
        .await;
    assert!(station.simulation.set_power(&camera, Power::On));
    station
        .gateway
        .json_where("camera-1/$state", "state", "online")
        .await;
    let kind = station.gateway.json("camera-1/desc").await["kind"].clone();
    assert_eq!(kind, serde_json::to_value(DeviceKind::Camera).unwrap());
    drop(station.broker);
}

/// G1: the control interface freezes the dispenser and sets it free; the adapter notices both.
#[tokio::test]
async fn a_frozen_dispenser_is_missed() {
    let mut station = station(Behaviour::Off).await;
    for (path, field, topic, value) in [
        ("/fault/frozen", "detail", "dispenser-1/state", "heartbeat"),
        ("/fault/clear", "state", "dispenser-1/$state", "online"),
    ] {
        let answer = post(station.simulation.control_address().unwrap(), path).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        station.gateway.json_where(topic, field, value).await;
    }
}

/// The answer to a request to the control interface.
async fn post(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// C1, C2: the operator's requests are those of the contract, each card gets into its slot, and doing it
/// again changes nothing.
#[tokio::test]
async fn the_operator_brings_the_batch_in() {
    let mut station = station(Behaviour::Off).await;
    let world = std::sync::Arc::clone(station.simulation.world());
    let plan = StockUp {
        link: station.broker.link("kiosk-1", kiosk_description()),
        operator: "operator-1".parse().unwrap(),
        pin: DEMO_PIN.to_owned(),
        machine: "machine-1".parse().unwrap(),
        load_len_max: 3,
    };
    for (round, loaded, in_place) in [(0u16, 2, 1), (1, 0, 3)] {
        let (plan, world) = (plan.clone(), std::sync::Arc::clone(&world));
        let work = tokio::spawn(async move { stock_up(&world, plan).await });
        // The third person's card lies in its slot from the beginning.
        serve_requests(&mut station, round, if round == 0 { 2 } else { 0 }).await;
        let stocked = work.await.unwrap().unwrap();
        assert_eq!((stocked.loaded, stocked.in_place), (loaded, in_place));
    }
}

/// Answers the kiosk's requests as the gateway would: twelve scans, then the loads.
async fn serve_requests(station: &mut Station, round: u16, loads: u16) {
    let mut done = 0;
    for _ in 0..14 + loads {
        let (topic, payload) = station.gateway.next_starting("kiosk-1/request/").await;
        let message: Value = serde_json::from_slice(&payload).unwrap();
        let name = topic.strip_prefix("kiosk-1/request/").unwrap();
        let mut load = None;
        match name {
            "receive-batch" => drop(serde_json::from_slice::<ReceiveBatch>(&payload).unwrap()),
            "scan-card" => drop(serde_json::from_slice::<ScanCard>(&payload).unwrap()),
            "close-batch" => drop(serde_json::from_slice::<CloseBatch>(&payload).unwrap()),
            "load-card" => load = Some(serde_json::from_slice::<LoadCard>(&payload).unwrap()),
            other => panic!("{other}"),
        }
        let id = message["message_id"].as_str().unwrap();
        let mut receipt =
            json!({ "message_id": id, "outcome": "accepted", "incarnation": 1, "index": 1 });
        if round == 1 {
            let text = json!({ "zh": "", "en": "" });
            let reason = if name == "receive-batch" {
                "batch-known"
            } else {
                "batch-unknown"
            };
            receipt = json!({
                "message_id": id, "outcome": "refused", "reason": reason, "text": text,
            });
        }
        let topic = format!("kiosk-1/receipt/{id}");
        station.gateway.send(&topic, &receipt).await;
        if let Some(load) = load {
            done += 1;
            assert_eq!(load.slot.slot() + 1, done);
            let world = station.simulation.world();
            world
                .dispenser
                .act(|machine| assert!(machine.put_in_slot(load.slot, load.card)));
        }
    }
}
