//! The MQTT side of a device against Debian's Mosquitto.

use crate::support::bench::profile;
use crate::support::{Gateway, Mosquitto, PATIENCE, until};
use adapters::dispenser::{self, Address, DispenserConfig};
use adapters::link::{Confirmation, Inbound, Link, new_message_id};
use schemas::message::device::{Description, LastReceipt};
use schemas::words::DeviceStatus;
use serde_json::json;

fn description() -> Description {
    let (host, port) = ("127.0.0.1".to_owned(), 502);
    let address = Address::Tcp { host, port };
    dispenser::description(&DispenserConfig::new(address, profile()))
}

/// G1: birth, description and status arrive; the last will follows a cut, a goodbye a shutdown.
#[tokio::test]
async fn a_device_is_born_and_dies() {
    let broker = Mosquitto::start();
    let mut gateway = Gateway::connect(&broker).await;
    let (link, _inbound) = Link::start(broker.link("dispenser-1", description()));
    link.handle().status(DeviceStatus::Online, None);
    let birth = gateway.json("dispenser-1/$state").await;
    assert_eq!(birth["state"], "online");
    assert_eq!(birth["protocol"], 1);
    assert_eq!(gateway.json("dispenser-1/desc").await["kind"], "dispenser");
    assert_eq!(gateway.json("dispenser-1/state").await["status"], "online");
    drop(link);
    let death = gateway.json("dispenser-1/$state").await;
    assert_eq!(death["state"], "lost");
    assert_eq!(death["boot_id"], birth["boot_id"]);

    let (link, _inbound) = Link::start(broker.link("dispenser-1", description()));
    let birth = gateway
        .json_where("dispenser-1/$state", "state", "online")
        .await;
    assert_ne!(birth["boot_id"], death["boot_id"]);
    link.shutdown().await;
    gateway
        .json_where("dispenser-1/$state", "state", "offline")
        .await;
}

/// G1, G2: a command that comes twice is carried out once and answered twice with the same message.
#[tokio::test]
async fn a_command_seen_twice_is_answered_again() {
    let broker = Mosquitto::start();
    let mut gateway = Gateway::connect(&broker).await;
    let (link, mut inbound) = Link::start(broker.link("dispenser-1", description()));
    gateway.json("dispenser-1/desc").await;
    let command = json!({ "command_id": "1-4-0", "timeout_s": 5 });
    gateway.send("dispenser-1/cmd/query", &command).await;
    let id = loop {
        if let Some(Inbound::Command(command)) = inbound.recv().await {
            break command.id().clone();
        }
    };
    let message_id = new_message_id();
    let reply = json!({ "message_id": message_id, "command_id": id });
    let handle = link.handle();
    let sent = handle
        .reply(&id, "query", message_id.clone(), &reply)
        .unwrap();
    sent.wait().await.unwrap();
    assert_eq!(gateway.json("dispenser-1/cmd/query/reply").await, reply);
    gateway.send("dispenser-1/cmd/query", &command).await;
    assert_eq!(gateway.json("dispenser-1/cmd/query/reply").await, reply);
    gateway
        .send(
            "dispenser-1/cmd/query",
            &json!({"command_id": "1-5-0", "timeout_s": 5}),
        )
        .await;
    let next = inbound.recv().await;
    assert!(matches!(next, Some(Inbound::Command(c)) if c.id().as_str() == "1-5-0"));
}

/// G2: what was sent while the broker was away arrives after it is back, with its id.
#[tokio::test]
async fn messages_outlive_the_broker() {
    let mut broker = Mosquitto::start();
    let (link, _inbound) = Link::start(broker.link("dispenser-1", description()));
    let handle = link.handle();
    until("connected", || handle.is_connected()).await;
    broker.switch_off();
    until("cut", || !handle.is_connected()).await;
    let confirmed = handle.event("jam", None, None).unwrap();
    broker.switch_on();
    let mut gateway = Gateway::connect(&broker).await;
    // The gateway may come after the message; the confirmation does not depend on it.
    tokio::time::timeout(PATIENCE, confirmed.wait())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(gateway.json("dispenser-1/$state").await["state"], "online");
}

/// G2: behind an external broker a message goes out again with the same id until its receipt comes, and
/// the birth names the last receipt.
#[tokio::test]
async fn receipts_confirm_behind_an_external_broker() {
    let broker = Mosquitto::start();
    let mut gateway = Gateway::connect(&broker).await;
    let mut config = broker.link("dispenser-1", description());
    config.confirmation = Confirmation::Receipt { again_ms: 50 };
    let (link, _inbound) = Link::start(config);
    let handle = link.handle();
    let confirmed = handle.event("jam", None, None).unwrap();
    let first = gateway.json("dispenser-1/event/jam").await;
    assert_eq!(gateway.json("dispenser-1/event/jam").await, first);
    let id = first["message_id"].as_str().unwrap();
    let receipt = json!({ "message_id": id, "outcome": "accepted", "incarnation": 1, "index": 17 });
    gateway
        .send(&format!("dispenser-1/receipt/{id}"), &receipt)
        .await;
    tokio::time::timeout(PATIENCE, confirmed.wait())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        handle.last_receipt(),
        Some(LastReceipt {
            incarnation: 1,
            index: 17
        })
    );
    link.shutdown().await;
    let goodbye = gateway
        .json_where("dispenser-1/$state", "state", "offline")
        .await;
    assert_eq!(
        goodbye["last_receipt"],
        json!({ "incarnation": 1, "index": 17 })
    );
}
