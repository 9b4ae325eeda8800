//! The traps of `mqtt-protocol-core`, each found by fuzzing or reading, each with its test.

use crate::common::{self, Client, ack, connect, connect_with, publish, start, subscribe, will};

#[tokio::test]
async fn trap_topic_alias_maximum_0_is_legal_and_does_not_panic() {
    let bench = start().await;
    let mut client = Client::open(bench.addr, true).await;
    client.send(&connect(true, "c", true, &[34, 0, 0])).await;
    let connack = client.packet().await.unwrap();
    assert_eq!((connack[0], connack[3]), (0x20, 0));
    client.subscribe("a", 0).await;
    client.publish("a", "x", 0, 0).await;
    assert_eq!(client.receive().await.topic, "a");
    assert_eq!(bench.broker.stats().panics, 0);
}

#[tokio::test]
async fn trap_packet_id_0_is_malformed_wherever_it_stands() {
    let bench = start().await;
    for v5 in [false, true] {
        for packet in [
            publish(v5, "a", b"x", 0b010, 0, &[]),
            publish(v5, "a", b"x", 0b100, 0, &[]),
            subscribe(v5, 0, "a", 0, &[]),
            common::unsubscribe(v5, 0, "a"),
            ack(0x40, 0),
            ack(0x50, 0),
            ack(0x62, 0),
            ack(0x70, 0),
        ] {
            let mut client = Client::clean(bench.addr, v5, "c").await;
            client.send(&packet).await;
            client.expect_disconnect(0x81).await;
        }
    }
    assert!(bench.handler.seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn trap_wildcards_and_nul_in_topic_names_do_not_come_through() {
    let bench = start().await;
    for v5 in [false, true] {
        for topic in ["a/+", "#", "", "a\0b"] {
            let mut client = Client::clean(bench.addr, v5, "c").await;
            client.publish(topic, "x", 1, 1).await;
            client.expect_disconnect(0x90).await;
        }
        for topic in ["a/+", ""] {
            let mut client = Client::open(bench.addr, v5).await;
            let tail = will(v5, topic, "x", &[]);
            client
                .send(&connect_with(v5, "c", 0b110, 0, &[], &tail))
                .await;
            let connack = client.packet().await.unwrap();
            assert_eq!(connack[3], if v5 { 0x90 } else { 5 });
        }
    }
    assert!(bench.handler.seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn trap_a_duplicate_whose_first_commit_is_running_gets_no_pubrec_of_its_own() {
    let bench = start().await;
    for v5 in [false, true] {
        let mut client = Client::clean(bench.addr, v5, "c").await;
        let topic = format!("hold/dup-{v5}");
        client.send(&publish(v5, &topic, b"x", 0b100, 3, &[])).await;
        client
            .send(&publish(v5, &topic, b"x", 0b1100, 3, &[]))
            .await;
        client.expect_silence().await;
        bench.handler.open(&format!("dup-{v5}"));
        client.expect(&ack(0x50, 3)).await;
        client.expect_silence().await;
        assert_eq!(bench.handler.count(&topic), 1);
    }
}

#[tokio::test]
async fn trap_an_uncommitted_id_is_never_restored_and_a_reconnect_waits_for_the_commit() {
    let bench = start().await;
    let (mut client, _) = Client::lasting(bench.addr, true, "c").await;
    client
        .send(&publish(true, "hold/late", b"x", 0b100, 3, &[]))
        .await;
    bench
        .handler
        .until("it runs", |h| h.count("hold/late") == 1)
        .await;
    // Gone before the commit. The next connection gets no CONNACK until it has settled.
    drop(client);
    let mut next = Client::open(bench.addr, true).await;
    next.send(&connect(true, "c", false, &[17, 0, 0, 0, 100]))
        .await;
    let again = publish(true, "hold/late", b"x", 0b1100, 3, &[]);
    next.send(&again).await;
    bench.handler.open("late");
    assert_eq!(next.packet().await.unwrap()[2..4], [1, 0]);
    next.expect(&ack(0x50, 3)).await;
    assert_eq!(bench.handler.count("hold/late"), 1);
}

#[tokio::test]
async fn trap_a_refused_id_is_not_remembered_as_received() {
    let bench = start().await;
    let (mut client, _) = Client::lasting(bench.addr, true, "c").await;
    for _ in 0..2 {
        client
            .send(&publish(true, "refuse/a", b"x", 0b100, 3, &[]))
            .await;
        client.expect(&[0x50, 3, 0, 3, 0x99]).await;
    }
    assert_eq!(bench.handler.count("refuse/a"), 2);
}

#[tokio::test]
async fn trap_reserved_bits_and_impossible_flags_are_malformed() {
    let bench = start().await;
    for v5 in [false, true] {
        for flags in [0b0000_0011, 0b0000_1010, 0b0010_0010, 0b0001_1110] {
            let mut client = Client::open(bench.addr, v5).await;
            let tail = will(v5, "t", "x", &[]);
            client
                .send(&connect_with(v5, "c", flags, 0, &[], &tail))
                .await;
            if v5 {
                client.expect(&[0x20, 3, 0, 0x81, 0]).await;
            }
            client.expect_closed().await;
        }
        for packet in [
            &[0xC1, 0][..],
            &[0x60, 2, 0, 1],
            &[0x36, 5, 0, 1, b'a', 0, 1],
            &[0x38, 3, 0, 1, b'a'],
            &[0, 0],
        ] {
            let mut client = Client::clean(bench.addr, v5, "c").await;
            client.send(packet).await;
            client.expect_disconnect(0x81).await;
        }
    }
}

#[tokio::test]
async fn trap_a_second_connect_and_packets_only_a_server_sends_are_protocol_errors() {
    let bench = start().await;
    for v5 in [false, true] {
        for packet in [
            connect(v5, "c", true, &[]),
            vec![0x20, 2, 0, 0],
            vec![0xD0, 0],
        ] {
            let mut client = Client::clean(bench.addr, v5, "c").await;
            client.send(&packet).await;
            client.expect_disconnect(0x82).await;
        }
    }
}

#[tokio::test]
async fn trap_a_disconnect_reason_reaches_a_client_that_is_still_sending() {
    let bench = start().await;
    let mut client = Client::clean(bench.addr, true, "c").await;
    // Bytes the broker will never read: without a lingering close the kernel would answer with a reset.
    let mut flood = publish(true, "a/+", b"x", 0, 0, &[]);
    flood.resize(512 * 1_024, 0);
    client.send(&flood).await;
    client.expect_disconnect(0x90).await;
}
