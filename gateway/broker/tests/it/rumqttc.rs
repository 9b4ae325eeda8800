//! G1: a client library not written here works against the broker, in both protocol versions.

use std::time::Duration;

use crate::common::{PATIENCE, start};

#[tokio::test]
async fn g1_rumqttc_3_1_1_exchanges_every_quality_of_service() {
    use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
    let bench = start().await;
    let mut options = MqttOptions::new("r", "127.0.0.1", bench.addr.port());
    options.set_keep_alive(Duration::from_secs(5));
    let (client, mut events) = AsyncClient::new(options, 10);
    client.subscribe("t/#", QoS::ExactlyOnce).await.unwrap();
    for (n, qos) in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce]
        .into_iter()
        .enumerate()
    {
        client
            .publish(format!("t/{n}"), qos, false, "x")
            .await
            .unwrap();
    }
    let exchange = async {
        let (mut received, mut done) = (0, 0);
        while received < 3 || done < 2 {
            match events.poll().await.unwrap() {
                Event::Incoming(Packet::Publish(_)) => received += 1,
                Event::Incoming(Packet::PubAck(_) | Packet::PubComp(_)) => done += 1,
                Event::Incoming(_) | Event::Outgoing(_) => {}
            }
        }
    };
    tokio::time::timeout(PATIENCE, exchange).await.unwrap();
}

#[tokio::test]
async fn g1_rumqttc_5_exchanges_every_quality_of_service() {
    use rumqttc::v5::mqttbytes::QoS;
    use rumqttc::v5::mqttbytes::v5::Packet;
    use rumqttc::v5::{AsyncClient, Event, MqttOptions};
    let bench = start().await;
    let mut options = MqttOptions::new("r", "127.0.0.1", bench.addr.port());
    options.set_keep_alive(Duration::from_secs(5));
    let (client, mut events) = AsyncClient::new(options, 10);
    client.subscribe("t/#", QoS::ExactlyOnce).await.unwrap();
    for (n, qos) in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce]
        .into_iter()
        .enumerate()
    {
        client
            .publish(format!("t/{n}"), qos, false, "x")
            .await
            .unwrap();
    }
    let exchange = async {
        let (mut received, mut done) = (0, 0);
        while received < 3 || done < 2 {
            match events.poll().await.unwrap() {
                Event::Incoming(Packet::Publish(_)) => received += 1,
                Event::Incoming(Packet::PubAck(_) | Packet::PubComp(_)) => done += 1,
                Event::Incoming(_) | Event::Outgoing(_) => {}
            }
        }
    };
    tokio::time::timeout(PATIENCE, exchange).await.unwrap();
}
