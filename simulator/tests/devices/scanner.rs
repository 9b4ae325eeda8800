//! The adapter of fingerprint scanners, a simulated ZFM module and a simulated matcher over real sockets: a score
//! arrives as from a scanner that speaks MQTT, or a completion that says why there is none.

use std::time::Duration;

use crate::support::scanner::{PASSWORD, ScannerBench, compare, finger};
use adapters::scanner::acknowledgement::{Acknowledgement, Confirmation};
use adapters::scanner::instruction::{Buffer, Instruction};
use adapters::scanner::packet::Decoder;
use schemas::message::command::MatchReply;
use schemas::words::{Completion, Hand};
use serde_json::{Value, json};
use simulator::Power;
use simulator::matcher::MatcherFault;
use simulator::people::Quality;
use simulator::scanner::ScannerFault;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The completion of a reply that has no score.
fn failure(reply: &Value) -> &str {
    assert!(reply["score"].is_null(), "{reply}");
    reply["completion"].as_str().unwrap()
}

fn score(reply: &Value) -> u16 {
    let reply: MatchReply = serde_json::from_value(reply.clone()).unwrap();
    assert_eq!(reply.completion, Completion::Success);
    reply.score.unwrap()
}

fn right() -> Option<Vec<u8>> {
    finger(Hand::Right, Quality::Good)
}

/// P4: each hand is asked for by its colour, reported and compared; another's finger scores near nothing.
#[tokio::test]
async fn p4_fingers_are_compared_as_by_a_native_scanner() {
    let mut bench = ScannerBench::new().await;
    *bench.glass.lifts.lock().unwrap() = true;
    for (id, hand, quality, scores) in [
        ("1-1-0", Hand::Right, Quality::Good, 85..101),
        ("1-2-0", Hand::Left, Quality::Good, 85..101),
        ("1-3-0", Hand::Right, Quality::Wrong, 0..11),
        ("1-4-0", Hand::Left, Quality::Poor, 5..50),
    ] {
        bench.glass.lay(finger(hand, quality));
        bench.order(&compare(id, hand, 30)).await;
        let event = bench.gateway.json("scanner-1/event/finger-present").await;
        assert_eq!(event["command_id"], id);
        let reply = bench.reply(id).await;
        assert!(scores.contains(&score(&reply)), "{reply}");
        let members: Vec<_> = reply.as_object().unwrap().keys().collect();
        assert_eq!(members, ["command_id", "completion", "message_id", "score"]);
    }
    assert_eq!(bench.glass.colours(), [2, 0, 3, 0, 2, 0, 3, 0]);
    // A command that comes again is answered again, and nobody has to lay a finger for it.
    let first = bench.compare("1-4-0", 30).await;
    assert_eq!(bench.compare("1-4-0", 30).await, first);
    assert_eq!(bench.glass.colours().len(), 8);
}

/// G1: birth, what it can do, figures, goodbye.
#[tokio::test]
async fn g1_a_scanner_is_born_and_says_goodbye() {
    let mut bench = ScannerBench::without_adapter(None).await;
    bench.start_adapter(|_| {});
    let desc = bench.gateway.json("scanner-1/desc").await;
    assert_eq!(desc["kind"], "scanner");
    assert_eq!(
        desc["commands"],
        json!(["match", "match-on-sensor", "capture-finger"])
    );
    let pages = bench.gateway.json("scanner-1/prop/library-pages").await;
    assert_eq!(pages["value"], 300.0);
    // Born when it has answered.
    bench.state("status", "online").await;
    bench
        .gateway
        .json_where("scanner-1/$state", "state", "online")
        .await;
    bench.glass.lay(right());
    score(&bench.compare("1-1-0", 30).await);
    for topic in ["captures-total", "match-time"] {
        let topic = format!("scanner-1/prop/{topic}");
        while bench.gateway.json(&topic).await["value"].as_f64().unwrap() < 1.0 {}
    }
    bench.stop_adapter().await;
    bench
        .gateway
        .json_where("scanner-1/$state", "state", "offline")
        .await;
}

/// P4: without a matcher nothing is compared with a card, and nobody is asked for a finger; what the sensor can do by itself
/// it does.
#[tokio::test]
async fn p4_without_a_matcher_there_is_no_score() {
    let mut bench = ScannerBench::without_adapter(None).await;
    bench.start_adapter(|config| config.matcher = None);
    let desc = bench.gateway.json("scanner-1/desc").await;
    assert_eq!(
        desc["commands"],
        json!(["match-on-sensor", "capture-finger"])
    );
    bench.state("status", "online").await;
    bench.glass.lay(right());
    let reply = bench.compare("1-1-0", 30).await;
    assert_eq!(failure(&reply), "unsupported-command");
    assert!(bench.glass.colours().iter().all(|colour| *colour == 0));
    enrol(&bench, 5).await;
    let found = bench.search("1-2-0", 0, 300).await;
    assert_eq!(found["completion"], "success", "{found}");
    assert_eq!(found["found"]["page"], 5, "{found}");
}

/// G1: with one page it is one to one, with several one to many; a finger that is not enrolled is not found.
#[tokio::test]
async fn g1_enrolled_fingers_are_found_on_the_sensor() {
    let mut bench = ScannerBench::new().await;
    *bench.glass.lifts.lock().unwrap() = true;
    enrol(&bench, 5).await;
    for (id, quality, first, pages, page) in [
        ("1-1-0", Quality::Good, 0, 300, Some(5)),
        ("1-2-0", Quality::Good, 5, 1, Some(5)),
        ("1-3-0", Quality::Good, 6, 1, None),
        ("1-4-0", Quality::Good, 0, 5, None),
        ("1-5-0", Quality::Wrong, 0, 300, None),
        ("1-6-0", Quality::Wrong, 5, 1, None),
        ("1-7-0", Quality::Good, 5, 60_000, Some(5)),
    ] {
        bench.glass.lay(finger(Hand::Right, quality));
        let reply = bench.search(id, first, pages).await;
        assert_eq!(reply["completion"], "success", "{id}: {reply}");
        let found = reply["found"]["page"].as_u64();
        assert_eq!(found, page, "{id}: {reply}");
    }
}

/// Enrols the first person's right finger, as a tool at the same line would.
async fn enrol(bench: &ScannerBench, page: u16) {
    bench.glass.lay(right());
    let mut stream = TcpStream::connect(bench.address).await.unwrap();
    for instruction in [
        Instruction::VerifyPassword(PASSWORD),
        Instruction::TakeImage,
        Instruction::Extract(Buffer::Two),
        Instruction::Store(Buffer::Two, page),
    ] {
        let bytes = instruction.to_packet().encode().unwrap();
        stream.write_all(&bytes).await.unwrap();
        let mut decoder = Decoder::default();
        let packet = loop {
            if let Some(packet) = decoder.next_packet() {
                break packet.unwrap();
            }
            let byte = stream.read_u8().await.unwrap();
            decoder.push(&[byte]);
        };
        let answer = Acknowledgement::of(&packet).unwrap();
        assert_eq!(answer.confirmation, Confirmation::Done, "{instruction:?}");
    }
}

/// P4: the finger of one attempt does not count for the next one; it has to be lifted first.
#[tokio::test]
async fn p4_a_finger_that_still_lies_there_does_not_count_again() {
    let mut bench = ScannerBench::new().await;
    bench.glass.lay(right());
    score(&bench.compare("1-1-0", 30).await);
    assert_eq!(failure(&bench.compare("1-2-0", 1).await), "time-out");
    bench.order(&compare("1-3-0", Hand::Right, 30)).await;
    bench.glass.lay(None);
    bench.glass.is_seen_empty().await;
    bench.glass.lay(right());
    score(&bench.reply("1-3-0").await);
}

/// P4: a finger that cannot be seen well is looked at again until the time is over; then it was an attempt without a
/// score. No finger is no attempt.
#[tokio::test]
async fn p4_a_poor_image_is_taken_again() {
    let mut bench = ScannerBench::new().await;
    *bench.glass.lifts.lock().unwrap() = true;
    for (at, fault) in [
        ScannerFault::Messy,
        ScannerFault::FewPoints,
        ScannerFault::Smeared,
        ScannerFault::NoFinger,
    ]
    .into_iter()
    .enumerate()
    {
        bench.glass.lay(right());
        bench.faults.set(fault, 3);
        let reply = bench.compare(&format!("1-{at}-0"), 30).await;
        assert!(score(&reply) >= 85, "{fault:?}");
        assert!(!bench.faults.take(fault), "{fault:?} was met");
    }
    // A finger that stays, also while the ring goes out after the time is over.
    *bench.glass.lifts.lock().unwrap() = false;
    // Long enough for an image on a slow machine where one is to be seen.
    for (at, (fault, timeout_s, expected)) in [
        (ScannerFault::Messy, 10, "sequence-error"),
        (ScannerFault::Smeared, 10, "sequence-error"),
        (ScannerFault::NoFinger, 1, "time-out"),
    ]
    .into_iter()
    .enumerate()
    {
        bench.glass.lay(right());
        bench.faults.set(fault, u16::MAX);
        let reply = bench.compare(&format!("2-{at}-0"), timeout_s).await;
        assert_eq!(failure(&reply), expected, "{fault:?}");
        bench.faults.clear();
    }
}

/// G1: whatever the line does in the middle of an image, the same command still gets its score.
#[tokio::test]
async fn g1_a_comparison_outlives_the_line() {
    let mut bench = ScannerBench::with(None, |config| config.upload_timeout_ms = 600).await;
    *bench.glass.lifts.lock().unwrap() = true;
    for (at, fault) in [
        ScannerFault::HalfPacket,
        ScannerFault::Disconnect,
        ScannerFault::BadSum,
    ]
    .into_iter()
    .enumerate()
    {
        bench.glass.lay(right());
        bench.faults.set(fault, 2);
        let reply = bench.compare(&format!("1-{at}-0"), 30).await;
        assert!(score(&reply) >= 85, "{fault:?}");
        assert!(!bench.faults.take(fault), "{fault:?} was met");
    }
}

/// G1: an image that does not end in time is given up, and none of it is taken for the next one.
#[tokio::test]
async fn g1_a_slow_image_is_given_up() {
    let mut bench = ScannerBench::with(None, |config| config.upload_timeout_ms = 300).await;
    bench.glass.lay(right());
    bench.faults.set(ScannerFault::Slow, 1);
    bench.order(&compare("1-1-0", Hand::Right, 30)).await;
    let failures = "scanner-1/prop/scan-failures-total";
    while bench.gateway.json(failures).await["value"] != 1.0 {}
    assert!(score(&bench.reply("1-1-0").await) >= 85);
}

/// G1: an image takes as long as its line does: at ten times the factory's speed 640 ms and more.
#[tokio::test]
async fn g1_an_image_takes_the_time_of_its_line() {
    let mut bench = ScannerBench::with(Some(576_000), |_| {}).await;
    bench.glass.lay(right());
    assert!(score(&bench.compare("1-1-0", 30).await) >= 85);
    let time = bench.gateway.json("scanner-1/prop/upload-time").await;
    assert_eq!(time["unit"], "ms");
    assert!(time["value"].as_f64().unwrap() >= 640.0, "{time}");
}

/// P4: what a matcher does wrong has a name of its own, and is over when it is well again.
#[tokio::test]
async fn p4_a_matchers_faults_are_named() {
    let mut bench = ScannerBench::new().await;
    *bench.glass.lifts.lock().unwrap() = true;
    for (at, (fault, completion, detail)) in [
        (
            MatcherFault::Error,
            "hardware-error",
            Some("matcher-answer"),
        ),
        (
            MatcherFault::WrongAnswer,
            "hardware-error",
            Some("matcher-answer"),
        ),
        (MatcherFault::Slow, "hardware-error", Some("matcher-slow")),
        (
            MatcherFault::TemplateUnreadable,
            "unsupported-command",
            None,
        ),
    ]
    .into_iter()
    .enumerate()
    {
        bench.glass.lay(right());
        bench.matcher_faults.set(fault, 1);
        bench
            .order(&compare(&format!("1-{at}-0"), Hand::Right, 30))
            .await;
        if let Some(detail) = detail {
            let state = bench.state("detail", detail).await;
            assert_eq!(state["status"], "hardware-error");
        }
        let reply = bench.reply(&format!("1-{at}-0")).await;
        assert_eq!(failure(&reply), completion, "{fault:?}");
        if detail.is_some() {
            bench.state("status", "online").await;
        }
    }
    bench.glass.lay(right());
    bench.matcher_faults.set(MatcherFault::ImagePoor, 2);
    *bench.glass.lifts.lock().unwrap() = false;
    assert!(score(&bench.compare("2-1-0", 30).await) >= 85);
}

/// P4: a matcher that is away is said before a citizen is asked for a finger, and when one was.
#[tokio::test]
async fn p4_a_matcher_that_is_away_is_noticed() {
    let mut bench = ScannerBench::new().await;
    bench.matcher_power.send_replace(Power::Off);
    bench.state("detail", "matcher-away").await;
    bench.glass.lay(right());
    let reply = bench.compare("1-1-0", 30).await;
    assert_eq!(failure(&reply), "device-not-ready");
    bench.matcher_power.send_replace(Power::On);
    bench.state("status", "online").await;
    bench.matcher_power.send_replace(Power::Silent);
    bench.state("detail", "matcher-slow").await;
}

/// G1: a module with another password is not used, and is as soon as the password fits.
#[tokio::test]
async fn g1_a_wrong_password_is_said() {
    let mut bench = ScannerBench::without_adapter(None).await;
    bench.faults.set(ScannerFault::WrongPassword, u16::MAX);
    bench.start_adapter(|_| {});
    let state = bench.state("detail", "wrong-password").await;
    assert_eq!(state["status"], "user-error");
    bench.glass.lay(right());
    assert_eq!(
        failure(&bench.compare("1-1-0", 1).await),
        "device-not-ready"
    );
    bench.faults.clear();
    bench.state("status", "online").await;
    score(&bench.compare("1-2-0", 30).await);
}

/// G1: a module that is busy says so; a command waits for it, and the ring asks for the finger once it can.
#[tokio::test]
async fn g1_a_busy_module_is_waited_for() {
    let mut bench = ScannerBench::new().await;
    bench.faults.set(ScannerFault::Busy, 20);
    bench.state("status", "device-busy").await;
    bench.order(&compare("1-1-0", Hand::Right, 30)).await;
    // Blue: whoever goes by the ring lays the finger only now.
    let asked = async {
        while !bench.glass.colours().contains(&2) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let asked = tokio::time::timeout(Duration::from_secs(10), asked);
    asked.await.expect("the ring stays dark");
    bench.glass.lay(right());
    assert!(score(&bench.reply("1-1-0").await) >= 85);
    bench.faults.set(ScannerFault::Busy, u16::MAX);
    let reply = bench.compare("1-2-0", 5).await;
    assert_eq!(failure(&reply), "device-not-ready");
    bench.faults.clear();
    bench.state("status", "online").await;
}

/// G1: a scanner without power is lost, one that says nothing too; both come back.
#[tokio::test]
async fn g1_a_scanner_that_is_gone_comes_back() {
    let mut bench = ScannerBench::new().await;
    for (at, power) in [Power::Off, Power::Silent].into_iter().enumerate() {
        bench.power.send_replace(power);
        bench.state("detail", "unreachable").await;
        bench
            .gateway
            .json_where("scanner-1/$state", "state", "lost")
            .await;
        let reply = bench.compare(&format!("1-{at}-0"), 1).await;
        assert_eq!(failure(&reply), "device-not-ready");
        bench.power.send_replace(Power::On);
        bench
            .gateway
            .json_where("scanner-1/$state", "state", "online")
            .await;
        bench.glass.lay(None);
        let command = compare(&format!("2-{at}-0"), Hand::Right, 30);
        bench.order(&command).await;
        bench.glass.is_seen_empty().await;
        bench.glass.lay(right());
        let reply = bench.reply(&format!("2-{at}-0")).await;
        assert!(score(&reply) >= 85, "{power:?}");
    }
}
