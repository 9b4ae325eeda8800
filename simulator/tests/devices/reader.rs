//! The adapter of ID-card readers and a simulated SAM_V module over real sockets: what a card says arrives as
//! from a reader that speaks MQTT, whatever fails on the way.

use std::time::{Duration, Instant};

use crate::support::reader::{ReaderBench, people, sam_id};
use schemas::message::command::ReadReply;
use serde_json::{Value, json};
use simulator::Power;
use simulator::people::Card;
use simulator::reader::ReaderFault;

fn completion(reply: &Value) -> &str {
    assert!(
        reply["completion"] == "success" || reply["card"].is_null(),
        "{reply}"
    );
    reply["completion"].as_str().unwrap()
}

/// P3, P6: a citizen's card, a permit and an old card without fingerprints; each as a native reader says it.
#[tokio::test]
async fn p3_cards_arrive_as_from_a_native_reader() {
    let mut bench = ReaderBench::new().await;
    let people = people().people;
    let cards = [
        &people[0].card,
        &people[5].card,
        people[2].old_card.as_ref().unwrap(),
    ];
    for (at, card) in cards.into_iter().enumerate() {
        bench.lay(Some(card));
        let command = format!("1-{at}-0");
        let mut reply = bench.read(&command, 30).await;
        let fields = reply.as_object_mut().unwrap();
        let read: ReadReply = serde_json::from_value(json!(fields)).unwrap();
        assert_eq!(read.card.unwrap().serial, card.serial);
        fields.remove("message_id").unwrap();
        let native = json!({ "command_id": command, "completion": "success", "card": card.chip() });
        assert_eq!(reply, native);
    }
}

/// G1: birth with the module's identity as the serial number, figures, goodbye.
#[tokio::test]
async fn g1_a_reader_is_born_and_says_goodbye() {
    let mut bench = ReaderBench::without_adapter().await;
    bench.start_adapter(|_| {});
    // Born when it has answered, with its identity; before that it is not there. Either may be seen first.
    let model = format!("SAM_V {}", sam_id(1));
    let (mut is_born, mut is_named) = (false, false);
    while !(is_born && is_named) {
        let (topic, payload) = bench.gateway.next_starting("reader-1/").await;
        let message: Value = serde_json::from_slice(&payload).unwrap();
        is_born |= topic == "reader-1/$state" && message["state"] == "online";
        is_named |= topic == "reader-1/desc" && message["model"] == model.as_str();
        if topic == "reader-1/desc" {
            assert_eq!(message["kind"], "reader");
            assert_eq!(message["commands"], json!(["read"]));
        }
    }
    bench.lay(Some(&people().people[0].card));
    assert_eq!(completion(&bench.read("1-1-0", 30).await), "success");
    while bench.gateway.json("reader-1/prop/reads-total").await["value"] != 1.0 {}
    bench.lay(None);
    while bench.gateway.json("reader-1/prop/media-present").await["value"] != 0.0 {}
    bench.stop_adapter().await;
    bench
        .gateway
        .json_where("reader-1/$state", "state", "offline")
        .await;
}

/// P3: a card that could not be read is tried again, some times; one of a kind that a station does not hand
/// out is not.
#[tokio::test]
async fn p3_a_card_that_cannot_be_read_is_the_cards_fault() {
    let mut bench = ReaderBench::new().await;
    let card = people().people[0].card.clone();
    bench.lay(Some(&card));
    for (at, (fault, times, expected)) in [
        (ReaderFault::Unreadable, 2, "success"),
        (ReaderFault::Unreadable, 3, "sequence-error"),
        (ReaderFault::WrongChip, 3, "sequence-error"),
        (ReaderFault::NoCard, 3, "success"),
    ]
    .into_iter()
    .enumerate()
    {
        bench.lay(None);
        bench.lay(Some(&card));
        bench.faults.set(fault, times);
        let reply = bench.read(&format!("1-{at}-0"), 30).await;
        assert_eq!(completion(&reply), expected, "{fault:?}");
    }
    let foreign = Card {
        number: "USA110070010100".to_owned(),
        ..card
    };
    bench.lay(Some(&foreign));
    bench.lay(None);
    bench.lay(Some(&foreign));
    assert_eq!(completion(&bench.read("1-9-0", 30).await), "sequence-error");
}

/// G1: whatever the line does in the middle of a read, the same command still gets the card.
#[tokio::test]
async fn g1_a_read_outlives_the_line() {
    let mut bench = ReaderBench::new().await;
    let card = people().people[0].card.clone();
    for (at, fault) in [
        ReaderFault::HalfFrame,
        ReaderFault::Disconnect,
        ReaderFault::BadChecksum,
        // 200 ms instead of 20: late, and within the limit.
        ReaderFault::Slow,
    ]
    .into_iter()
    .enumerate()
    {
        bench.lay(None);
        bench.lay(Some(&card));
        bench.faults.set(fault, 1);
        let reply = bench.read(&format!("1-{at}-0"), 30).await;
        assert_eq!(completion(&reply), "success", "{fault:?}");
        assert_eq!(reply["card"], card.chip(), "{fault:?}");
        assert!(!bench.faults.take(fault), "{fault:?} was met");
    }
}

/// G1: an answer that comes after its time is never taken for the answer to the next request.
#[tokio::test]
async fn g1_a_late_answer_is_nobodys() {
    let mut bench = ReaderBench::without_adapter().await;
    bench.start_adapter(|config| {
        config.read_timeout_ms = 100;
        config.settle_ms = 150;
        // An answer that belongs to no request would count as an attempt.
        config.attempts_max = 1;
    });
    bench
        .gateway
        .json_where("reader-1/state", "status", "online")
        .await;
    let card = people().people[0].card.clone();
    bench.lay(Some(&card));
    bench.faults.set(ReaderFault::Slow, 2);
    let reply = bench.read("1-1-0", 30).await;
    assert_eq!(reply["card"], card.chip());
    bench.lay(None);
    assert_eq!(completion(&bench.read("1-2-0", 1).await), "time-out");
}

/// G1: deadlines, and that the newest command counts; one that comes twice is answered with the same message.
#[tokio::test]
async fn g1_commands_have_deadlines_and_ids() {
    let mut bench = ReaderBench::new().await;
    let began = Instant::now();
    let reply = bench.read("1-1-0", 1).await;
    assert_eq!(completion(&reply), "time-out");
    assert!(began.elapsed() >= Duration::from_secs(1));
    bench.order("1-1-0", 1).await;
    assert_eq!(bench.reply("1-1-0").await, reply);
    // Long enough that it does not lapse before the newer one is there, however slow the machine.
    bench.order("1-2-0", 30).await;
    bench.order("1-3-0", 30).await;
    bench.lay(Some(&people().people[0].card));
    // The older one is answered by nobody: the next reply there is belongs to the newer one.
    let reply = bench.gateway.json("reader-1/cmd/read/reply").await;
    assert_eq!(
        (&reply["command_id"], completion(&reply)),
        (&json!("1-3-0"), "success")
    );
}

/// P6: a card that was read has to be lifted before the next command gets it; the next one at once.
#[tokio::test]
async fn p6_a_card_that_was_read_has_to_be_lifted() {
    let mut bench = ReaderBench::new().await;
    let people = people().people;
    bench.lay(Some(&people[0].card));
    assert_eq!(completion(&bench.read("1-1-0", 30).await), "success");
    assert_eq!(completion(&bench.read("1-2-0", 1).await), "time-out");
    bench.lay(Some(&people[1].card));
    let reply = bench.read("1-3-0", 30).await;
    assert_eq!(reply["card"]["serial"], people[1].card.serial.as_str());
    bench.lay(None);
    bench.lay(Some(&people[1].card));
    assert_eq!(completion(&bench.read("1-4-0", 30).await), "success");
}

/// P3, G2: the gateway dies after the module has read the card, and nobody can lift it: it is read as it lies.
#[tokio::test]
async fn g2_a_card_is_read_again_by_the_next_life() {
    let mut bench = ReaderBench::new().await;
    let card = people().people[0].card.clone();
    bench.lay(Some(&card));
    assert_eq!(completion(&bench.read("1-1-0", 30).await), "success");
    bench.kill_adapter().await;
    bench
        .gateway
        .json_where("reader-1/$state", "state", "lost")
        .await;
    bench.start_adapter(|_| {});
    bench
        .gateway
        .json_where("reader-1/state", "status", "online")
        .await;
    let reply = bench.read("1-1-0", 30).await;
    assert_eq!(reply["card"], card.chip());
}

/// G1: a reader without power, or one that says nothing, is lost and comes back; a command meanwhile ends.
#[tokio::test]
async fn g1_a_reader_that_is_gone_is_missed() {
    let mut bench = ReaderBench::new().await;
    for (at, power) in [Power::Off, Power::Silent].into_iter().enumerate() {
        bench.power.send_replace(power);
        bench
            .gateway
            .json_where("reader-1/state", "detail", "unreachable")
            .await;
        bench
            .gateway
            .json_where("reader-1/$state", "state", "lost")
            .await;
        let reply = bench.read(&format!("1-{at}-0"), 1).await;
        assert_eq!(completion(&reply), "device-not-ready", "{power:?}");
        bench.power.send_replace(Power::On);
        bench
            .gateway
            .json_where("reader-1/state", "status", "online")
            .await;
        bench
            .gateway
            .json_where("reader-1/$state", "state", "online")
            .await;
    }
}

/// G1: a reader that is another one than configured is not used, and said to be false.
#[tokio::test]
async fn g1_a_reader_of_another_identity_is_not_used() {
    let mut bench = ReaderBench::without_adapter().await;
    bench.lay(Some(&people().people[0].card));
    bench.start_adapter(|config| config.sam_id = Some(sam_id(2)));
    bench
        .gateway
        .json_where("reader-1/state", "status", "fraud-attempt")
        .await;
    bench.gateway.json("reader-1/event/wrong-serial").await;
    let reply = bench.read("1-1-0", 1).await;
    assert_eq!(completion(&reply), "device-not-ready");
}
