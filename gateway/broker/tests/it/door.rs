//! Bad input and too much of it at the door: a clear answer each, and the broker goes on. WebSocket.

use std::sync::Arc;

use crate::common::{
    self, Client, TestHandler, ack, connect, connect_with, publish, start, start_with, text,
};
use gateway_broker::{
    Broker, Config, Limits, Listener, MemoryStore, Message, Qos, Store as _, Transport,
};
use tokio::net::TcpStream;

async fn refused(addr: std::net::SocketAddr, v5: bool, bytes: &[u8]) -> Option<u8> {
    let mut client = Client::open(addr, v5).await;
    client.send(bytes).await;
    let code = client.packet().await.map(|packet| packet[3]);
    client.expect_closed().await;
    code
}

#[tokio::test]
async fn a_connect_that_cannot_be_is_told_why() {
    let bench = start().await;
    let bad_user = |v5| connect_with(v5, "c", 0b1000_0010, 0, &[], &text("bad"));
    let secret_will = |v5| {
        connect_with(
            v5,
            "c",
            0b110,
            0,
            &[],
            &common::will(v5, "secret/w", "x", &[]),
        )
    };
    let mut future = connect(true, "c", true, &[]);
    future[8] = 6;
    let old = [
        0x10, 15, 0, 6, b'M', b'Q', b'I', b's', b'd', b'p', 3, 2, 0, 0, 0, 1, b'c',
    ];
    let mut trailing = connect(true, "c", true, &[]);
    trailing[1] += 1;
    trailing.push(0);
    let cases: [(bool, Vec<u8>, Option<u8>); 10] = [
        (true, bad_user(true), Some(0x86)),
        (false, bad_user(false), Some(4)),
        (true, secret_will(true), Some(0x87)),
        (false, secret_will(false), Some(5)),
        (
            true,
            connect(true, "c", true, &[21, 0, 1, b'm']),
            Some(0x8C),
        ),
        (false, connect(false, "", false, &[]), Some(2)),
        (true, future, Some(1)),
        (false, old.to_vec(), Some(1)),
        (true, trailing, Some(0x81)),
        (true, publish(true, "a", b"x", 0, 0, &[]), None),
    ];
    for (v5, bytes, expected) in cases {
        assert_eq!(refused(bench.addr, v5, &bytes).await, expected, "{bytes:?}");
    }
    assert_eq!(bench.broker.stats().connections, 0);
}

#[tokio::test]
async fn an_empty_client_id_gets_one() {
    let bench = start().await;
    let mut client = Client::open(bench.addr, true).await;
    client.send(&connect(true, "", true, &[])).await;
    let connack = client.packet().await.unwrap();
    assert_eq!(connack[3], 0);
    assert!(
        connack
            .windows(8)
            .any(|w| w == [18, 0, 37, b'a', b'u', b't', b'o', b'-'])
    );
    Client::clean(bench.addr, false, "")
        .await
        .expect_silence()
        .await;
}

#[tokio::test]
async fn a_packet_too_large_is_0x95_before_it_is_read() {
    let limits = Limits {
        packet_bytes_max: 1_000,
        ..Limits::default()
    };
    let bench = start_with(limits).await;
    for v5 in [false, true] {
        let mut client = Client::clean(bench.addr, v5, "c").await;
        client.send(&[0x30, 0xFF, 0xFF, 0xFF, 0x7F]).await;
        client.expect_disconnect(0x95).await;
    }
    // A CONNECT is limited before anyone is known.
    let mut client = Client::open(bench.addr, false).await;
    client.send(&[0x10, 0xFF, 0xFF, 0xFF, 0x7F]).await;
    client.expect_closed().await;
}

#[tokio::test]
async fn connections_over_the_limit_are_told_that_the_broker_is_busy() {
    let bench = start_with(Limits {
        connections_max: 2,
        ..Limits::default()
    })
    .await;
    let first = Client::clean(bench.addr, true, "a").await;
    let mut second = Client::clean(bench.addr, true, "b").await;
    assert_eq!(
        refused(bench.addr, true, &connect(true, "c", true, &[])).await,
        Some(0x89)
    );
    assert_eq!(
        refused(bench.addr, false, &connect(false, "c", true, &[])).await,
        Some(3)
    );
    second.expect_silence().await;
    drop(first);
    let free = |_: &TestHandler| bench.broker.stats().connections == 1;
    bench.handler.until("the place is free", free).await;
    // The place is given back a moment after the session.
    let mut client = Client::open(bench.addr, true).await;
    client.send(&connect(true, "c", true, &[])).await;
    while client.packet().await.unwrap()[3] != 0 {
        client = Client::open(bench.addr, true).await;
        client.send(&connect(true, "c", true, &[])).await;
    }
}

#[tokio::test]
async fn sessions_subscriptions_and_queues_are_limited() {
    let limits = Limits {
        sessions_max: 2,
        subscriptions_per_session_max: 1,
        queue_len_max: 2,
        ..Limits::default()
    };
    let bench = start_with(limits).await;
    let (mut one, _) = Client::lasting(bench.addr, true, "one").await;
    let (two, _) = Client::lasting(bench.addr, true, "two").await;
    assert_eq!(
        refused(bench.addr, true, &connect(true, "three", true, &[])).await,
        Some(0x97)
    );
    assert_eq!(one.subscribe("a", 1).await, [1]);
    assert_eq!(one.subscribe("b", 1).await, [0x97]);
    assert_eq!(
        one.subscribe("a", 2).await,
        [2],
        "a replacement is not one more"
    );
    assert_eq!(one.subscribe("secret/x", 0).await, [0x87]);
    assert_eq!(one.subscribe("a/#/b", 0).await, [0x8F]);
    drop(two);
    for n in 0..3 {
        bench
            .broker
            .publish(Message::new("a", n.to_string()).qos(Qos::AtLeastOnce))
            .await
            .unwrap();
    }
    let stats = bench.broker.stats();
    assert_eq!((stats.queued, stats.dropped), (2, 1));
}

#[tokio::test]
async fn keep_alive_and_connect_timeout_end_the_silent() {
    let limits = Limits {
        connect_timeout_ms: 100,
        keep_alive_s_max: 1,
        ..Limits::default()
    };
    let bench = start_with(limits).await;
    let mut mute = Client::open(bench.addr, false).await;
    mute.expect_closed().await;
    let mut client = Client::open(bench.addr, true).await;
    client.send(&connect(true, "c", true, &[])).await;
    let connack = client.packet().await.unwrap();
    assert!(
        connack.windows(3).any(|w| w == [19, 0, 1]),
        "server keep alive is told"
    );
    client.expect_disconnect(0x8D).await;
}

#[tokio::test]
async fn topic_aliases_are_resolved_and_checked() {
    let bench = start().await;
    let mut client = Client::clean(bench.addr, true, "c").await;
    client
        .send(&publish(true, "alias/topic", b"1", 0b010, 1, &[35, 0, 1]))
        .await;
    client.expect(&ack(0x40, 1)).await;
    client
        .send(&publish(true, "", b"2", 0b010, 2, &[35, 0, 1]))
        .await;
    client.expect(&ack(0x40, 2)).await;
    assert_eq!(bench.handler.count("alias/topic"), 2);
    for (alias, code) in [(2, 0x82), (17, 0x94)] {
        let mut client = Client::clean(bench.addr, true, "c").await;
        client
            .send(&publish(true, "", b"3", 0b010, 3, &[35, 0, alias]))
            .await;
        client.expect_disconnect(code).await;
    }
}

#[tokio::test]
async fn the_owner_can_disconnect_a_client() {
    let bench = start().await;
    let mut client = Client::clean(bench.addr, true, "c").await;
    assert_eq!(bench.broker.clients().len(), 1);
    assert!(bench.broker.disconnect("c"));
    client.expect_disconnect(0x98).await;
    assert!(!bench.broker.disconnect("nobody"));
}

#[tokio::test]
async fn websocket_carries_mqtt_and_refuses_other_subprotocols() {
    use futures_util::{SinkExt as _, StreamExt as _};
    use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
    use tokio_tungstenite::tungstenite::http::HeaderValue;
    use tokio_tungstenite::tungstenite::protocol::Message as Frame;

    let listener = Listener {
        transport: Transport::WebSocket,
        ..common::listener()
    };
    let config = Config {
        listeners: vec![listener],
        limits: Limits::default(),
    };
    let handler = Arc::new(TestHandler::default());
    let broker = Broker::start(config, handler, Arc::new(MemoryStore::default()))
        .await
        .unwrap();
    let addr = broker.local_addrs()[0].1;
    let request = |protocol| {
        let mut request = format!("ws://{addr}/mqtt").into_client_request().unwrap();
        let name = HeaderValue::from_static(protocol);
        request.headers_mut().insert("sec-websocket-protocol", name);
        request
    };
    let stream = TcpStream::connect(addr).await.unwrap();
    assert!(
        tokio_tungstenite::client_async(request("chat"), stream)
            .await
            .is_err()
    );

    let stream = TcpStream::connect(addr).await.unwrap();
    let (mut socket, response) = tokio_tungstenite::client_async(request("mqtt"), stream)
        .await
        .unwrap();
    assert_eq!(response.headers()["sec-websocket-protocol"], "mqtt");
    // Packets need not end where frames do.
    let mut bytes = connect(false, "ws", true, &[]);
    bytes.extend(publish(false, "a", b"x", 0b010, 1, &[]));
    for half in bytes.chunks(7) {
        socket.send(Frame::binary(half.to_vec())).await.unwrap();
    }
    let mut got = Vec::new();
    while got.len() < 8 {
        got.extend_from_slice(&socket.next().await.unwrap().unwrap().into_data());
    }
    assert_eq!(got, [&[0x20, 2, 0, 0][..], &ack(0x40, 1)].concat());
}

#[tokio::test]
async fn a_thousand_connections_at_once_get_a_clear_answer_each() {
    let bench = start_with(Limits {
        connections_max: 200,
        ..Limits::default()
    })
    .await;
    let dial = |n: usize| async move {
        let mut client = Client::open(bench.addr, true).await;
        client
            .send(&connect(true, &format!("c{n}"), true, &[]))
            .await;
        let code = client.packet().await.expect("a CONNACK")[3];
        (client, code)
    };
    let answers = futures_util::future::join_all((0..1_000).map(dial)).await;
    let accepted = answers.iter().filter(|(_, code)| *code == 0).count();
    let busy = answers.iter().filter(|(_, code)| *code == 0x89).count();
    assert_eq!((accepted, busy), (200, 800));
    let mut answers = answers;
    let (client, _) = answers.iter_mut().find(|(_, code)| *code == 0).unwrap();
    client.publish("a", "x", 1, 1).await;
    client.expect(&ack(0x40, 1)).await;
}

/// G2: what the store could not hold is refused at the door, whoever asks, and others go on.
#[tokio::test]
async fn what_the_store_cannot_hold_is_refused_at_the_door() {
    let bench = start().await;
    let long_id = "i".repeat(1_015);
    let connects = [
        (connect(true, &long_id, true, &[]), 0x85),
        (
            connect_with(
                true,
                "c",
                0b110,
                0,
                &[],
                &common::will(true, "w", &"x".repeat(65_500), &[]),
            ),
            0x97,
        ),
    ];
    for (bytes, code) in connects {
        assert_eq!(refused(bench.addr, true, &bytes).await, Some(code));
    }
    let mut memory = Client::open(bench.addr, true).await;
    let tail = common::will(true, "mem/w", &"x".repeat(65_500), &[]);
    memory
        .send(&connect_with(true, "m", 0b110, 0, &[], &tail))
        .await;
    assert_eq!(memory.packet().await.unwrap()[3], 0);

    let (mut client, _) = Client::lasting(bench.addr, true, "client").await;
    let filter = |len: usize| format!("f/{}", "x".repeat(len - 2));
    // 1,024 bytes less the key's kind, the client id and what parts them.
    assert_eq!(client.subscribe(&filter(1_017), 1).await, [0x97]);
    assert_eq!(client.subscribe(&filter(1_016), 1).await, [1]);
    let large = vec![0; 65_536];
    for (topic, flags, id, code) in [
        ("big", 2, 1, 0x97),
        ("big", 3, 2, 0x97),
        ("mem/big", 2, 3, 0),
    ] {
        client
            .send(&publish(true, topic, &large, flags, id, &[]))
            .await;
        let puback = client.packet().await.unwrap();
        assert_eq!(puback.get(4).copied().unwrap_or(0), code, "{topic} {flags}");
    }
    let long_topic = "t".repeat(1_024);
    client
        .send(&publish(true, &long_topic, b"x", 3, 4, &[]))
        .await;
    assert_eq!(client.packet().await.unwrap()[4], 0x97);
    // QoS 0 is never stored.
    client.send(&publish(true, "big", &large, 0, 0, &[])).await;
    client.expect_silence().await;
    let mut old = Client::clean(bench.addr, false, "old").await;
    old.send(&publish(false, "big", &large, 2, 1, &[])).await;
    old.expect_closed().await;
    assert_eq!(bench.handler.count("big"), 1);
    let stored = bench.store.load().unwrap();
    assert!(
        stored
            .iter()
            .all(|(key, value)| key.len() <= 1_024 && value.len() <= 65_536)
    );
}
