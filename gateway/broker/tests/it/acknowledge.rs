//! G2: acknowledged means durable. What is acknowledged when, in which order, with which code.

use crate::common::{self, Client, ack, publish, start, start_with};
use gateway_broker::Limits;

#[tokio::test]
async fn g2_no_acknowledgement_before_the_commit_and_in_the_order_of_publishing() {
    let bench = start().await;
    for v5 in [false, true] {
        for (qos, first) in [(1, 0x40), (2, 0x50)] {
            let mut client = Client::clean(bench.addr, v5, "c").await;
            let names: Vec<String> = (1..=3).map(|n| format!("{v5}-{qos}-{n}")).collect();
            for (id, name) in (1..).zip(&names) {
                client.publish(&format!("hold/{name}"), "x", qos, id).await;
            }
            let all =
                |h: &common::TestHandler| names.iter().all(|n| h.count(&format!("hold/{n}")) == 1);
            bench
                .handler
                .until("all three commits run at once", all)
                .await;
            // The last two are durable first: they wait for their turn all the same.
            bench.handler.open(&names[2]);
            bench.handler.open(&names[1]);
            client.expect_silence().await;
            bench.handler.open(&names[0]);
            for id in 1..=3 {
                client.expect(&ack(first, id)).await;
            }
        }
    }
}

#[tokio::test]
async fn g2_a_ping_behind_a_pending_publish_is_answered_at_once() {
    let bench = start().await;
    let mut client = Client::clean(bench.addr, false, "c").await;
    client.publish("hold/ping", "x", 1, 1).await;
    client.expect_silence().await;
    bench.handler.open("ping");
    client.expect(&ack(0x40, 1)).await;
}

#[tokio::test]
async fn g2_reading_pauses_while_the_window_is_full() {
    let bench = start_with(Limits {
        receive_max: 2,
        ..Limits::default()
    })
    .await;
    let mut client = Client::clean(bench.addr, false, "c").await;
    for id in 1..=4 {
        client.publish(&format!("hold/w{id}"), "x", 1, id).await;
    }
    bench
        .handler
        .until("two are taken", |h| h.count("hold/w2") == 1)
        .await;
    // Another connection's round trip: had the third been read, the handler would know it by now.
    Client::clean(bench.addr, false, "d")
        .await
        .expect_silence()
        .await;
    assert_eq!(bench.handler.count("hold/w3"), 0);
    for id in 1..=4 {
        bench.handler.open(&format!("w{id}"));
        client.expect(&ack(0x40, id)).await;
    }
}

#[tokio::test]
async fn refusals_have_their_code_in_mqtt_5_and_are_acknowledged_or_closed_in_3_1_1() {
    let bench = start().await;
    let mut five = Client::clean(bench.addr, true, "five").await;
    for (topic, code) in [("refuse/a", 0x99), ("close/a", 0x99), ("secret/a", 0x87)] {
        five.publish(topic, "x", 1, 7).await;
        five.expect(&[0x40, 3, 0, 7, code]).await;
        five.publish(topic, "x", 2, 8).await;
        five.expect(&[0x50, 3, 0, 8, code]).await;
        five.publish(topic, "x", 0, 0).await;
        five.expect_silence().await;
    }
    let mut three = Client::clean(bench.addr, false, "three").await;
    three.publish("refuse/a", "x", 1, 7).await;
    three.expect(&ack(0x40, 7)).await;
    for topic in ["close/a", "secret/a"] {
        let mut three = Client::clean(bench.addr, false, "t").await;
        three.publish(topic, "x", 1, 7).await;
        three.expect_closed().await;
    }
}

#[tokio::test]
async fn what_is_consumed_is_acknowledged_and_not_routed_and_what_is_refused_neither() {
    let bench = start().await;
    let mut watcher = Client::clean(bench.addr, true, "w").await;
    assert_eq!(watcher.subscribe("#", 1).await, [1]);
    let mut client = Client::clean(bench.addr, true, "c").await;
    for (topic, id) in [("consume/a", 1), ("refuse/a", 2), ("plain", 3)] {
        client.publish(topic, "x", 1, id).await;
        client.packet().await.unwrap();
    }
    assert_eq!(watcher.receive().await.topic, "plain");
}

#[tokio::test]
async fn qos_2_runs_the_handler_once_within_a_connection_and_across_a_reconnect() {
    let bench = start().await;
    for v5 in [false, true] {
        let topic = format!("once/{v5}");
        let (mut client, _) = Client::lasting(bench.addr, v5, "c").await;
        let send = publish(v5, &topic, b"x", 0b100, 5, &[]);
        let again = publish(v5, &topic, b"x", 0b1100, 5, &[]);
        client.send(&send).await;
        client.expect(&ack(0x50, 5)).await;
        client.send(&again).await;
        client.expect(&ack(0x50, 5)).await;
        drop(client);
        let (mut client, present) = Client::lasting(bench.addr, v5, "c").await;
        assert!(present);
        client.send(&again).await;
        client.expect(&ack(0x50, 5)).await;
        client.send(&ack(0x62, 5)).await;
        client.expect(&ack(0x70, 5)).await;
        assert_eq!(bench.handler.count(&topic), 1);
        // Released: the id stands for a new message.
        client.send(&send).await;
        client.expect(&ack(0x50, 5)).await;
        assert_eq!(bench.handler.count(&topic), 2);
        client.send(&ack(0x62, 5)).await;
        client.expect(&ack(0x70, 5)).await;
        client.send(&[0xE0, 0]).await;
        client.expect_closed().await;
    }
}

#[tokio::test]
async fn mqtt_5_more_in_flight_than_receive_maximum_is_0x93_and_unknown_releases_are_0x92() {
    let bench = start_with(Limits {
        receive_max: 2,
        ..Limits::default()
    })
    .await;
    let mut client = Client::clean(bench.addr, true, "c").await;
    client.send(&ack(0x62, 77)).await;
    client.expect(&[0x70, 3, 0, 77, 0x92]).await;
    for id in 1..=3 {
        client.publish("a", "x", 2, id).await;
    }
    client.expect(&ack(0x50, 1)).await;
    client.expect(&ack(0x50, 2)).await;
    client.expect_disconnect(0x93).await;
}

#[tokio::test]
async fn g2_shutdown_acknowledges_what_is_committed_and_then_says_why() {
    let bench = start().await;
    let mut client = Client::clean(bench.addr, true, "c").await;
    client.publish("hold/last", "x", 1, 1).await;
    bench
        .handler
        .until("it runs", |h| h.count("hold/last") == 1)
        .await;
    let broker = bench.broker.clone();
    let stopped = tokio::spawn(async move { broker.shutdown().await });
    bench.handler.open("last");
    client.expect(&ack(0x40, 1)).await;
    client.expect_disconnect(0x8B).await;
    drop(client);
    stopped.await.unwrap();
    assert!(tokio::net::TcpStream::connect(bench.addr).await.is_err());
}
