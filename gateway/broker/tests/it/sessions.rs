//! Sessions, queues, retained messages and wills, within one run and across a restart.

use crate::common::{
    self, Client, ack, connect, connect_with, publish, start, start_on, subscribe, will,
};
use gateway_broker::{Event, Limits, MemoryStore, Message, Qos, Store as _};

fn limits() -> Limits {
    Limits {
        will_restart_delay_ms: 50,
        ..Limits::default()
    }
}

/// A copy of what is durable now: what a broker finds that starts after a kill.
async fn after_kill(store: &MemoryStore) -> MemoryStore {
    let copy = MemoryStore::default();
    let entries = store
        .load()
        .unwrap()
        .into_iter()
        .map(|(k, v)| (k, Some(v)))
        .collect();
    copy.apply(entries).await.unwrap();
    copy
}

#[tokio::test]
async fn g2_a_queued_message_that_was_acknowledged_survives_a_kill() {
    for v5 in [false, true] {
        let bench = start().await;
        let (mut sleeper, _) = Client::lasting(bench.addr, v5, "sleeper").await;
        assert_eq!(sleeper.subscribe("q/#", 2).await, [2]);
        drop(sleeper);
        let mut sender = Client::clean(bench.addr, v5, "sender").await;
        for (id, qos) in [(1, 1), (2, 2), (3, 0)] {
            sender.publish("q/x", &format!("m{id}"), qos, id).await;
        }
        sender.expect(&ack(0x40, 1)).await;
        sender.expect(&ack(0x50, 2)).await;
        let copy = after_kill(&bench.store).await;

        let (_broker, _handler, addr) = start_on(copy, limits()).await;
        let (mut sleeper, present) = Client::lasting(addr, v5, "sleeper").await;
        assert!(present);
        let first = sleeper.receive().await;
        assert_eq!((first.qos(), &*first.payload), (1, "m1"));
        let second = sleeper.receive().await;
        assert_eq!((second.qos(), &*second.payload), (2, "m2"));
        sleeper.send(&ack(0x40, first.id)).await;
        sleeper.send(&ack(0x50, second.id)).await;
        sleeper.expect(&ack(0x62, second.id)).await;
        sleeper.send(&ack(0x70, second.id)).await;
        sleeper.expect_silence().await;
    }
}

#[tokio::test]
async fn g2_a_message_sent_but_not_taken_survives_a_kill_under_its_packet_id() {
    let bench = start().await;
    let (mut reader, _) = Client::lasting(bench.addr, true, "reader").await;
    reader.subscribe("q", 2).await;
    let mut sender = Client::clean(bench.addr, true, "sender").await;
    for id in 1..=2 {
        sender.publish("q", &format!("m{id}"), 2, id).await;
        sender.expect(&ack(0x50, id)).await;
    }
    let (first, second) = (reader.receive().await, reader.receive().await);
    reader.send(&ack(0x50, first.id)).await;
    reader.expect(&ack(0x62, first.id)).await;
    let copy = after_kill(&bench.store).await;

    let (_broker, _handler, addr) = start_on(copy, limits()).await;
    let (mut reader, present) = Client::lasting(addr, true, "reader").await;
    assert!(present);
    // The first was received: only its release is owed. The second comes again, and says so.
    reader.expect(&ack(0x62, first.id)).await;
    let again = reader.receive().await;
    assert_eq!(
        (again.id, again.duplicate(), &*again.payload),
        (second.id, true, "m2")
    );
}

#[tokio::test]
async fn g2_a_qos_2_duplicate_after_a_kill_runs_no_handler_again() {
    let bench = start().await;
    let (mut client, _) = Client::lasting(bench.addr, true, "c").await;
    client.publish("a", "x", 2, 5).await;
    client.expect(&ack(0x50, 5)).await;
    let copy = after_kill(&bench.store).await;
    let (_broker, handler, addr) = start_on(copy, limits()).await;
    let (mut client, present) = Client::lasting(addr, true, "c").await;
    assert!(present);
    client.send(&publish(true, "a", b"x", 0b1100, 5, &[])).await;
    client.expect(&ack(0x50, 5)).await;
    assert_eq!(handler.count("a"), 0);
}

#[tokio::test]
async fn a_settled_session_leaves_nothing_in_the_store() {
    let bench = start().await;
    let (mut reader, _) = Client::lasting(bench.addr, false, "reader").await;
    reader.subscribe("q", 2).await;
    let mut sender = Client::clean(bench.addr, false, "sender").await;
    for (id, qos) in [(1, 1), (2, 2)] {
        sender.publish("q", "x", qos, id).await;
        sender.packet().await.unwrap();
        let got = reader.receive().await;
        if qos == 1 {
            reader.send(&ack(0x40, got.id)).await;
        } else {
            reader.send(&ack(0x50, got.id)).await;
            reader.expect(&ack(0x62, got.id)).await;
            reader.send(&ack(0x70, got.id)).await;
        }
        reader.expect_silence().await;
    }
    reader.send(&[0xE0, 0]).await;
    reader.expect_closed().await;
    // A clean session of the same name ends the old one.
    drop(Client::clean(bench.addr, false, "reader").await);
    sender.send(&[0xE0, 0]).await;
    sender.expect_closed().await;
    bench.broker.shutdown().await;
    assert_eq!(bench.store.load().unwrap(), []);
}

#[tokio::test]
async fn g7_messages_of_a_memory_topic_are_queued_but_never_stored_nor_retained() {
    let bench = start().await;
    let (mut sleeper, _) = Client::lasting(bench.addr, true, "sleeper").await;
    sleeper.subscribe("mem/#", 1).await;
    drop(sleeper);
    let mut sender = Client::open(bench.addr, true).await;
    let tail = will(true, "mem/will", "secret-will", &[]);
    sender
        .send(&connect_with(true, "sender", 0b110, 0, &[], &tail))
        .await;
    sender.packet().await.unwrap();
    sender
        .send(&publish(true, "mem/x", b"secret-body", 0b011, 1, &[]))
        .await;
    sender.expect(&ack(0x40, 1)).await;
    let held = bench.store.load().unwrap();
    assert!(
        !held
            .iter()
            .any(|(_, value)| value.windows(6).any(|w| w == b"secret"))
    );
    assert_eq!(bench.broker.stats().retained, 0);
    let (mut sleeper, _) = Client::lasting(bench.addr, true, "sleeper").await;
    assert_eq!(sleeper.receive().await.payload, "secret-body");
}

#[tokio::test]
async fn retained_messages_survive_a_kill_and_an_empty_one_removes() {
    let bench = start().await;
    let mut sender = Client::clean(bench.addr, true, "sender").await;
    for (id, topic, payload) in [(1, "r/a", "1"), (2, "r/b", "2"), (3, "r/a", "")] {
        sender
            .send(&publish(true, topic, payload.as_bytes(), 0b011, id, &[]))
            .await;
        sender.expect(&ack(0x40, id)).await;
    }
    bench
        .broker
        .publish(Message::new("r/c", "3").retain(true).qos(Qos::AtLeastOnce))
        .await
        .unwrap();
    let copy = after_kill(&bench.store).await;
    let (broker, _handler, addr) = start_on(copy, limits()).await;
    let mut reader = Client::clean(addr, true, "reader").await;
    reader.subscribe("r/#", 1).await;
    let mut got = [reader.receive().await, reader.receive().await].map(|m| {
        assert!(m.retain());
        m.payload
    });
    got.sort();
    assert_eq!(got, ["2", "3"]);
    reader.expect_silence().await;
    assert_eq!(broker.stats().retained, 2);
}

#[tokio::test]
async fn mqtt_5_subscription_options_and_identifiers_hold() {
    let bench = start().await;
    bench
        .broker
        .publish(Message::new("o", "old").retain(true))
        .await
        .unwrap();
    let mut client = Client::clean(bench.addr, true, "c").await;
    // Retain handling: never, if new (it is not), if new, always.
    client.subscribe("o", 0x20).await;
    client.expect_silence().await;
    client.subscribe("o", 0x10).await;
    client.expect_silence().await;
    client.send(&common::unsubscribe(true, 4, "o")).await;
    client.expect(&[0xB0, 4, 0, 4, 0, 0]).await;
    client.subscribe("o", 0x10).await;
    assert_eq!(client.receive().await.payload, "old");
    client.subscribe("o", 0).await;
    assert_eq!(client.receive().await.payload, "old");
    // No local: one's own message does not come back; another's does, with both identifiers.
    client
        .send(&subscribe(true, 1, "n/+", 0b101, &[11, 7]))
        .await;
    client.packet().await.unwrap();
    client.publish("n/a", "own", 0, 0).await;
    client.expect_silence().await;
    client
        .send(&subscribe(true, 2, "n/#", 0b1010, &[11, 9]))
        .await;
    client.packet().await.unwrap();
    bench
        .broker
        .publish(
            Message::new("n/a", "other")
                .retain(true)
                .qos(Qos::ExactlyOnce),
        )
        .await
        .unwrap();
    let got = client.receive().await;
    // Overlapping: once, at the higher QoS, retain as published.
    assert_eq!((got.qos(), got.retain()), (2, true));
    let mut props = got.props.clone();
    props.sort_unstable();
    assert_eq!(props, [7, 9, 11, 11]);
    client.expect_silence().await;
}

#[tokio::test]
async fn mqtt_5_properties_and_expiry_travel_with_the_message() {
    let bench = start().await;
    let (mut reader, _) = Client::lasting(bench.addr, true, "reader").await;
    reader.subscribe("p", 1).await;
    drop(reader);
    let mut sender = Client::clean(bench.addr, true, "sender").await;
    let user = [38, 0, 1, b'k', 0, 1, b'v', 1, 1];
    let expiry = [&[2, 0, 0, 0, 60][..], &user].concat();
    sender
        .send(&publish(true, "p", b"kept", 0b010, 1, &expiry))
        .await;
    sender.expect(&ack(0x40, 1)).await;
    sender
        .send(&publish(true, "p", b"gone", 0b010, 2, &[2, 0, 0, 0, 0]))
        .await;
    sender.expect(&ack(0x40, 2)).await;
    let (mut reader, _) = Client::lasting(bench.addr, true, "reader").await;
    let got = reader.receive().await;
    assert_eq!(got.payload, "kept");
    assert_eq!(got.props[..4], [2, 0, 0, 0]);
    assert!((55..=60).contains(&got.props[4]));
    assert_eq!(got.props[5..], [1, 1, 38, 0, 1, b'k', 0, 1, b'v']);
    reader.expect_silence().await;
}

#[tokio::test]
async fn a_shared_subscription_gives_each_message_to_one_member() {
    let bench = start().await;
    let mut members = Vec::new();
    for id in ["a", "b"] {
        let mut client = Client::clean(bench.addr, true, id).await;
        assert_eq!(client.subscribe("$share/g/s/#", 1).await, [1]);
        members.push(client);
    }
    for n in 0..4 {
        bench
            .broker
            .publish(Message::new(format!("s/{n}"), "x"))
            .await
            .unwrap();
    }
    for member in &mut members {
        member.receive().await;
        member.receive().await;
        member.expect_silence().await;
    }
}

#[tokio::test]
async fn a_takeover_tells_the_old_connection_and_another_principal_is_refused() {
    let bench = start().await;
    let mut old = Client::clean(bench.addr, true, "c").await;
    let mut thief = Client::open(bench.addr, true).await;
    // Same client id, another user name.
    thief
        .send(&connect_with(
            true,
            "c",
            0b1000_0010,
            0,
            &[],
            &common::text("thief"),
        ))
        .await;
    assert_eq!(thief.packet().await.unwrap()[3], 0x85);
    old.expect_silence().await;
    let mut new = Client::clean(bench.addr, true, "c").await;
    old.expect_disconnect(0x8E).await;
    new.expect_silence().await;
}

#[tokio::test]
async fn g1_a_will_is_published_on_loss_and_not_on_disconnect_and_survives_a_kill() {
    for v5 in [false, true] {
        let bench = start().await;
        let mut watcher = Client::clean(bench.addr, v5, "watcher").await;
        watcher.subscribe("will/#", 1).await;
        let connect = |id: &str| {
            let tail = will(v5, &format!("will/{id}"), "gone", &[]);
            connect_with(v5, id, 0b10_1110, 0, &[], &tail)
        };
        for (id, clean) in [("polite", true), ("lost", false)] {
            let mut client = Client::open(bench.addr, v5).await;
            client.send(&connect(id)).await;
            client.packet().await.unwrap();
            if clean {
                client.send(&[0xE0, 0]).await;
                client.expect_closed().await;
            }
        }
        let got = watcher.receive().await;
        assert_eq!((&*got.topic, &*got.payload), ("will/lost", "gone"));
        assert_eq!(bench.handler.count("will/lost"), 1);
        let mut alive = Client::open(bench.addr, v5).await;
        let mut back = Client::open(bench.addr, v5).await;
        for (client, id) in [(&mut alive, "alive"), (&mut back, "back")] {
            client.send(&connect(id)).await;
            client.packet().await.unwrap();
        }
        let copy = after_kill(&bench.store).await;
        let patient = Limits {
            will_restart_delay_ms: 300,
            ..Limits::default()
        };
        let (broker, handler, addr) = start_on(copy, patient).await;
        let mut returned = Client::clean(addr, v5, "back").await;
        handler
            .until("the will of the one who stayed away", |h| {
                h.count("will/alive") == 1
            })
            .await;
        assert_eq!(handler.count("will/back"), 0);
        returned.expect_silence().await;
        assert_eq!(broker.stats().retained, 2, "the wills were retained ones");
    }
}

#[tokio::test]
async fn mqtt_5_will_delay_session_expiry_and_disconnect_with_will() {
    let bench = start().await;
    let mut watcher = Client::clean(bench.addr, true, "watcher").await;
    watcher.subscribe("will/#", 1).await;
    let lasting = [17, 0, 0, 0, 60];
    let tail = will(true, "will/late", "x", &[24, 0, 0, 0, 30]);
    let hello = connect_with(true, "late", 0b100, 0, &lasting, &tail);
    let mut client = Client::open(bench.addr, true).await;
    client.send(&hello).await;
    client.packet().await.unwrap();
    drop(client);
    // Back within the delay: no will.
    let mut client = Client::open(bench.addr, true).await;
    client.send(&hello).await;
    assert_eq!(client.packet().await.unwrap()[2], 1);
    watcher.expect_silence().await;
    // DISCONNECT 0x04 with session expiry 1: the session ends before the delay does, and so comes the will.
    client.send(&[0xE0, 7, 4, 5, 17, 0, 0, 0, 1]).await;
    client.expect_closed().await;
    assert_eq!(watcher.receive().await.topic, "will/late");
    let expired = |e: &Event| matches!(e, Event::SessionExpired { .. });
    bench
        .handler
        .until("the session ran out", |h| {
            h.events.lock().unwrap().iter().any(expired)
        })
        .await;
    let mut client = Client::open(bench.addr, true).await;
    client.send(&connect(true, "late", false, &lasting)).await;
    assert_eq!(client.packet().await.unwrap()[2], 0);
}

#[tokio::test]
async fn the_clients_receive_maximum_and_packet_size_are_respected() {
    let bench = start().await;
    let mut client = Client::open(bench.addr, true).await;
    client
        .send(&connect(true, "c", true, &[33, 0, 2, 39, 0, 0, 0, 60]))
        .await;
    client.packet().await.unwrap();
    client.subscribe("f", 1).await;
    let big = Message::new("f", "y".repeat(100)).qos(Qos::AtLeastOnce);
    bench.broker.publish(big).await.unwrap();
    for n in 0..3 {
        let message = Message::new("f", n.to_string()).qos(Qos::AtLeastOnce);
        bench.broker.publish(message).await.unwrap();
    }
    let first = client.receive().await;
    let second = client.receive().await;
    assert_eq!((&*first.payload, &*second.payload), ("0", "1"));
    client.expect_silence().await;
    client.send(&ack(0x40, second.id)).await;
    assert_eq!(client.receive().await.payload, "2");
    assert_eq!(bench.broker.stats().dropped, 1);
}

/// G1: the will of a connection that was taken over reaches the handler before anything the new connection sends, so
/// that a birth is never followed by the death before it.
#[tokio::test]
async fn g1_a_will_comes_before_the_next_birth() {
    let lasts = [17, 0, 0, 0, 100];
    // A session that does not last is taken over without waiting for the store.
    for (clean, lasts) in [(true, &[][..]), (true, &lasts), (false, &lasts)] {
        let bench = start().await;
        let mut first = Client::open(bench.addr, true).await;
        let tail = will(true, "w/state", "lost", &[]);
        let flags = 0b0000_1100 | (u8::from(clean) << 1);
        first
            .send(&connect_with(true, "c", flags, 0, lasts, &tail))
            .await;
        first.packet().await.unwrap();
        // The birth is already there when the second connection is let in.
        let mut second = Client::open(bench.addr, true).await;
        let mut bytes = connect(true, "c", clean, lasts);
        bytes.extend(publish(true, "w/state", b"online", 2, 1, &[]));
        second.send(&bytes).await;
        second.packet().await.unwrap();
        second.expect(&ack(0x40, 1)).await;
        bench
            .handler
            .until("will and birth", |handler| handler.count("w/state") == 2)
            .await;
        let seen = bench.handler.seen.lock().unwrap().clone();
        let words: Vec<_> = seen.iter().map(|(_, _, payload)| &**payload).collect();
        assert_eq!(words, [&b"lost"[..], b"online"], "clean: {clean}");
    }
}
