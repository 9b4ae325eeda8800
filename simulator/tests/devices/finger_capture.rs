//! The image of a finger for an application (A9), from a simulated ZFM module over real sockets: published as a PNG before the reply,
//! good enough or not at all, compared where that is possible.

use std::process::Command;

use crate::support::python;
use crate::support::scanner::{ScannerBench, capture, finger};
use adapters::scanner::QualityBy;
use adapters::scanner::image::{HEIGHT, Image, WIDTH};
use schemas::message::face::CaptureFingerReply;
use schemas::words::{Completion, Hand};
use serde_json::{Value, json};
use simulator::Power;
use simulator::matcher::MatcherFault;
use simulator::people::Quality;
use simulator::scanner::{ScannerFault, draw};

/// Quality of a finger that covers a third of the glass.
const THIRD: std::ops::Range<u16> = 40..60;

/// Whether the quality is that of a finger that covers all of it.
fn is_whole(reply: &CaptureFingerReply) -> bool {
    reply.quality.is_some_and(|quality| quality >= 90)
}

fn right() -> Option<Vec<u8>> {
    finger(Hand::Right, Quality::Good)
}

fn read(reply: &Value) -> CaptureFingerReply {
    serde_json::from_value(reply.clone()).unwrap()
}

/// The blob's bytes, which come before the reply, and the reply.
async fn captured(bench: &mut ScannerBench, id: &str) -> (Vec<u8>, CaptureFingerReply) {
    let (topic, png) = bench.gateway.next_starting("scanner-1/blob/").await;
    let reply = read(&bench.image_reply(id).await);
    assert_eq!(reply.completion, Completion::Success);
    let blob = reply.blob.as_ref().unwrap();
    assert_eq!(topic, format!("scanner-1/blob/{blob}/{id}"));
    (png, reply)
}

/// A reply without an image: its completion and the best quality.
fn failed(reply: &Value) -> (Completion, Option<u16>) {
    let reply = read(reply);
    assert_eq!((&reply.blob, reply.score), (&None, None));
    (reply.completion, reply.quality)
}

/// A9: the image is published, then named; compared with the old card where its templates come along. A repetition is answered
/// without a finger.
#[tokio::test]
async fn a9_an_image_is_published_and_compared() {
    let mut bench = ScannerBench::new().await;
    *bench.glass.lifts.lock().unwrap() = true;
    for (id, quality, compares, scores) in [
        ("1-1-0", Quality::Good, true, Some(85..101)),
        ("1-2-0", Quality::Wrong, true, Some(0..11)),
        ("1-3-0", Quality::Good, false, None),
    ] {
        bench.glass.lay(finger(Hand::Right, quality));
        bench.order_image(&capture(id, 60, compares, 30)).await;
        let event = bench.gateway.json("scanner-1/event/finger-present").await;
        assert_eq!(event["command_id"], id);
        let (_, reply) = captured(&mut bench, id).await;
        assert!(is_whole(&reply), "{id}");
        assert_eq!(reply.score.is_some(), scores.is_some(), "{id}");
        assert!(scores.is_none_or(|scores| scores.contains(&reply.score.unwrap())));
    }
    assert_eq!(bench.glass.colours(), [2, 0, 2, 0, 2, 0]);
    bench.order_image(&capture("1-3-0", 60, false, 30)).await;
    assert!(is_whole(&read(&bench.image_reply("1-3-0").await)));
    assert_eq!(bench.glass.colours().len(), 6);
}

/// A9: an image that shows too little is taken again until the time is over; then the best quality is told, and nothing published.
#[tokio::test]
async fn a9_a_poor_image_is_taken_again() {
    let mut bench = ScannerBench::new().await;
    *bench.glass.lifts.lock().unwrap() = true;
    for (at, fault) in [
        ScannerFault::Partial,
        ScannerFault::Smeared,
        ScannerFault::Messy,
    ]
    .into_iter()
    .enumerate()
    {
        bench.glass.lay(right());
        bench.faults.set(fault, 3);
        let id = format!("1-{at}-0");
        bench.order_image(&capture(&id, 60, false, 30)).await;
        assert!(is_whole(&captured(&mut bench, &id).await.1), "{fault:?}");
        assert!(!bench.faults.take(fault), "{fault:?} was met");
    }
    *bench.glass.lifts.lock().unwrap() = false;
    for (at, (fault, expected)) in [
        (ScannerFault::Partial, Completion::SequenceError),
        (ScannerFault::Smeared, Completion::SequenceError),
        (ScannerFault::NoFinger, Completion::TimeOut),
    ]
    .into_iter()
    .enumerate()
    {
        bench.glass.lay(right());
        bench.faults.set(fault, u16::MAX);
        let id = format!("2-{at}-0");
        bench.order_image(&capture(&id, 60, false, 1)).await;
        let (completion, quality) = failed(&bench.image_reply(&id).await);
        assert_eq!(completion, expected, "{fault:?}");
        let is_told = quality.is_some_and(|quality| THIRD.contains(&quality));
        assert_eq!(is_told, fault == ScannerFault::Partial, "{quality:?}");
        bench.faults.clear();
    }
    // What is too little for one policy is enough for another.
    bench.faults.set(ScannerFault::Partial, 1);
    bench.order_image(&capture("3-1-0", 40, false, 30)).await;
    let reply = captured(&mut bench, "3-1-0").await.1;
    assert!(THIRD.contains(&reply.quality.unwrap()), "{reply:?}");
}

/// A9: the finger of one image does not count for the next one; it has to be lifted first.
#[tokio::test]
async fn a9_a_finger_that_still_lies_there_does_not_count_again() {
    let mut bench = ScannerBench::new().await;
    bench.glass.lay(right());
    bench.order_image(&capture("1-1-0", 60, false, 30)).await;
    captured(&mut bench, "1-1-0").await;
    bench.order_image(&capture("1-2-0", 60, false, 1)).await;
    let reply = bench.image_reply("1-2-0").await;
    assert_eq!(failed(&reply), (Completion::TimeOut, None));
    bench.order_image(&capture("1-3-0", 60, false, 30)).await;
    bench.glass.lay(None);
    bench.glass.is_seen_empty().await;
    bench.glass.lay(right());
    captured(&mut bench, "1-3-0").await;
}

/// A9: what cannot be compared here has its image and no score: the centre compares it.
#[tokio::test]
async fn a9_without_a_comparison_there_is_an_image_and_no_score() {
    let mut bench = ScannerBench::new().await;
    *bench.glass.lifts.lock().unwrap() = true;
    for (id, fault) in [
        ("1-1-0", MatcherFault::TemplateUnreadable),
        ("1-2-0", MatcherFault::Error),
        ("1-3-0", MatcherFault::WrongAnswer),
    ] {
        bench.glass.lay(right());
        bench.matcher_faults.set(fault, 1);
        bench.order_image(&capture(id, 60, true, 30)).await;
        assert_eq!(captured(&mut bench, id).await.1.score, None, "{fault:?}");
    }
    bench.matcher_power.send_replace(Power::Off);
    bench.state("detail", "matcher-away").await;
    bench.glass.lay(right());
    bench.order_image(&capture("2-1-0", 60, true, 30)).await;
    assert_eq!(captured(&mut bench, "2-1-0").await.1.score, None);
}

/// A9: where the matcher judges the image, its word counts, and without it there is none.
#[tokio::test]
async fn a9_quality_may_be_the_matchers() {
    let change =
        |config: &mut adapters::scanner::ScannerConfig| config.quality = QualityBy::Matcher;
    let mut bench = ScannerBench::without_adapter(None).await;
    bench.start_adapter(change);
    let desc = bench.gateway.json("scanner-1/desc").await;
    assert_eq!(
        desc["model"],
        "serial fingerprint module, quality by matcher"
    );
    bench.state("status", "online").await;
    *bench.glass.lifts.lock().unwrap() = true;
    bench.glass.lay(right());
    bench.faults.set(ScannerFault::Partial, 2);
    bench.order_image(&capture("1-1-0", 60, false, 30)).await;
    assert!(is_whole(&captured(&mut bench, "1-1-0").await.1));
    assert!(!bench.faults.take(ScannerFault::Partial));
    bench.glass.lay(right());
    bench.matcher_faults.set(MatcherFault::WrongAnswer, 1);
    bench.order_image(&capture("1-2-0", 60, false, 30)).await;
    bench.state("detail", "matcher-answer").await;
    let reply = bench.image_reply("1-2-0").await;
    assert_eq!(failed(&reply), (Completion::HardwareError, None));
    bench.state("status", "online").await;
}

/// Judge: Pillow reads the PNG, of the sensor's size, 8 bits of grey, and each pixel as the sensor gave it.
#[tokio::test]
async fn pillow_reads_the_image() {
    let mut bench = ScannerBench::without_adapter(None).await;
    bench.start_adapter(|config| config.matcher = None);
    bench.state("status", "online").await;
    bench.glass.lay(right());
    bench.order_image(&capture("1-1-0", 60, true, 30)).await;
    let (png, reply) = captured(&mut bench, "1-1-0").await;
    assert_eq!(reply.score, None);
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("finger.png");
    std::fs::write(&file, png).unwrap();
    let script = "import sys; from PIL import Image; i = Image.open(sys.argv[1]); i.verify(); i = Image.open(sys.argv[1]); \
                  print(i.format, i.mode, *i.size, i.tobytes().hex())";
    let said = Command::new(python())
        .args(["-c", script])
        .arg(&file)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&said.stderr);
    assert!(
        said.status.success(),
        "this test needs Pillow: ops/test --judges\n{errors}"
    );
    let drawn = Image::new(draw(&right().unwrap())).unwrap();
    let pixels = (0..HEIGHT).flat_map(|row| (0..WIDTH).map(move |column| (column, row)));
    let shades = pixels.map(|(column, row)| drawn.shade(column, row).unwrap() * 17);
    let expected = hex::encode(shades.collect::<Vec<u8>>());
    let said = String::from_utf8(said.stdout).unwrap();
    assert_eq!(said.trim(), format!("PNG L 256 288 {expected}"));
    assert_eq!(json!(reply)["completion"], "success");
}
