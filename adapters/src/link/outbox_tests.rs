#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use super::super::new_message_id;
use super::*;

fn message(topic: &str, retain: bool, id: Option<MessageId>) -> Outgoing {
    Outgoing {
        topic: topic.into(),
        payload: Bytes::from_static(b"{}"),
        retain,
        message_id: id,
        done: None,
    }
}

fn outbox(confirmation: Confirmation) -> Outbox {
    let limits = LinkLimits {
        outbox_len_max: 3,
        in_flight_max: 2,
        payload_bytes_max: 8,
        ..LinkLimits::default()
    };
    Outbox::new(&limits, confirmation)
}

fn handed(outbox: &mut Outbox) -> Vec<String> {
    core::iter::from_fn(|| outbox.hand_over().map(|(topic, _, _)| topic)).collect()
}

/// G2: what is not confirmed goes out again, in the same order; what is confirmed does not.
#[test]
fn unconfirmed_messages_go_out_again() {
    let mut outbox = outbox(Confirmation::Puback);
    for topic in ["a", "b", "c"] {
        outbox.push(message(topic, false, None)).unwrap();
    }
    assert_eq!(handed(&mut outbox), ["a", "b"]);
    outbox.on_wire(1);
    outbox.on_wire(2);
    outbox.puback(2, Verdict::Taken, Instant::now());
    assert_eq!(handed(&mut outbox), ["c"]);
    outbox.disconnected();
    assert_eq!(handed(&mut outbox), ["a", "c"]);
}

#[test]
fn limits_hold_and_retained_messages_replace_each_other() {
    let mut outbox = outbox(Confirmation::Puback);
    outbox.push(message("state", true, None)).unwrap();
    outbox.push(message("state", true, None)).unwrap();
    outbox.push(message("a", false, None)).unwrap();
    outbox.push(message("b", false, None)).unwrap();
    assert_eq!(
        outbox.push(message("c", false, None)),
        Err(LinkError::OutboxFull)
    );
    let mut large = message("c", true, None);
    large.payload = Bytes::from_static(b"123456789");
    assert_eq!(
        outbox.push(large),
        Err(LinkError::TooLarge { len: 9, max: 8 })
    );
    outbox.begin_life(vec![message("$state", true, None)]);
    assert_eq!(handed(&mut outbox), ["$state", "state"]);
}

/// G2: a broker that is busy gets the message again later; one that refuses it does not.
#[test]
fn busy_is_later_and_refused_is_never() {
    let mut outbox = outbox(Confirmation::Puback);
    let now = Instant::now();
    outbox.push(message("a", false, None)).unwrap();
    handed(&mut outbox);
    outbox.on_wire(1);
    outbox.puback(1, Verdict::Busy, now);
    assert!(handed(&mut outbox).is_empty());
    let due = outbox.wake(now).unwrap();
    assert_eq!(outbox.wake(due), None);
    assert_eq!(handed(&mut outbox), ["a"]);
    outbox.on_wire(1);
    outbox.puback(1, Verdict::Refused("NotAuthorized".into()), now);
    assert!(outbox.is_empty());
}

fn on_wire(outbox: &mut Outbox, topic: &str, ids: [u16; 2]) {
    for id in ids {
        outbox.push(message(topic, true, None)).unwrap();
        assert_eq!(handed(outbox), [topic]);
        outbox.on_wire(id);
    }
}

/// G1: the broker may have had all of them; one that goes out again after a newer one would be a count that runs backwards.
#[test]
fn g1_of_a_retained_topic_only_the_newest_goes_out_again() {
    let mut lost = outbox(Confirmation::Puback);
    on_wire(&mut lost, "prop/reads-total", [1, 2]);
    lost.disconnected();
    assert_eq!(handed(&mut lost), ["prop/reads-total"]);
    assert_eq!(lost.len(), 1);

    let mut busy = outbox(Confirmation::Puback);
    on_wire(&mut busy, "prop/reads-total", [1, 2]);
    let now = Instant::now();
    busy.puback(1, Verdict::Busy, now);
    busy.puback(2, Verdict::Taken, now);
    assert!(busy.is_empty());
}

/// G2: behind an external broker only the receipt confirms.
#[test]
fn a_receipt_confirms_where_the_puback_does_not() {
    let mut outbox = outbox(Confirmation::Receipt { again_ms: 10 });
    let (id, now) = (new_message_id(), Instant::now());
    outbox.push(message("a", false, Some(id.clone()))).unwrap();
    handed(&mut outbox);
    outbox.on_wire(1);
    outbox.puback(1, Verdict::Taken, now);
    let due = outbox.wake(now).unwrap();
    outbox.wake(due);
    assert_eq!(handed(&mut outbox), ["a"]);
    outbox.on_wire(2);
    outbox.receipt(&id);
    assert!(!outbox.is_empty());
    outbox.puback(2, Verdict::Taken, now);
    assert!(outbox.is_empty());
}

/// G7: what nobody waits for any more goes out at most once: not after a pause, not by the next connection.
#[test]
fn g7_a_withdrawn_message_does_not_go_out_again() {
    let now = Instant::now();
    let mut waiting = outbox(Confirmation::Puback);
    waiting.push(message("image", false, None)).unwrap();
    waiting.push(message("other", false, None)).unwrap();
    waiting.withdraw("image");
    assert_eq!(handed(&mut waiting), ["other"]);

    let on_wire = || {
        let mut outbox = outbox(Confirmation::Puback);
        outbox.push(message("image", false, None)).unwrap();
        assert_eq!(handed(&mut outbox), ["image"]);
        outbox.on_wire(1);
        outbox.withdraw("image");
        assert_eq!(outbox.len(), 1, "its packet id is in use");
        outbox
    };
    let mut busy = on_wire();
    busy.puback(1, Verdict::Busy, now);
    let mut lost = on_wire();
    lost.disconnected();
    let mut taken = on_wire();
    taken.puback(1, Verdict::Taken, now);
    for outbox in [&mut busy, &mut lost, &mut taken] {
        assert!(handed(outbox).is_empty() && outbox.is_empty());
    }
}
