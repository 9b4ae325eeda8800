//! The adapter of face matchers, a simulated service and one in Python over real sockets: a score arrives, or what says why there is
//! none; never both, and never one that nobody gave.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use crate::support::face::{FaceBench, compare};
use crate::support::python;
use schemas::matcher::Score;
use schemas::message::face::{CompareFacesReply, ComparedPicture, FaceRefusal, PICTURE_BYTES_MAX};
use schemas::words::Completion;
use serde_json::{Value, json};
use simulator::Power;
use simulator::face_matcher::{FaceFault, Look};

const PHOTO: &[u8] = b"a photo of whoever stands there";

fn read(reply: &Value) -> CompareFacesReply {
    serde_json::from_value(reply.clone()).unwrap()
}

fn score(reply: &Value) -> u16 {
    let reply = read(reply);
    assert_eq!(reply.completion, Completion::Success);
    assert_eq!(reply.refusal, None);
    reply.score.unwrap()
}

/// The completion of a reply that has neither score nor refusal.
fn failure(reply: &Value) -> Completion {
    let reply = read(reply);
    assert_eq!((reply.score, reply.refusal), (None, None));
    reply.completion
}

/// A7: the holder of the card scores high, somebody else low, and whoever a test wants exactly what it wants.
#[tokio::test]
async fn a7_faces_are_compared() {
    let mut bench = FaceBench::new(1).await;
    for (id, look, expected) in [
        (
            "1-1-0",
            Look {
                person: 2,
                score: None,
            },
            97,
        ),
        (
            "1-2-0",
            Look {
                person: 1,
                score: None,
            },
            12,
        ),
        (
            "1-3-0",
            Look {
                person: 1,
                score: Score::new(94).ok(),
            },
            94,
        ),
        (
            "1-4-0",
            Look {
                person: 2,
                score: Score::new(0).ok(),
            },
            0,
        ),
    ] {
        *bench.look.lock().unwrap() = look;
        let reply = bench.compare(id, 2, PHOTO).await;
        assert_eq!(score(&reply), expected, "{id}");
        let members: Vec<_> = reply.as_object().unwrap().keys().collect();
        assert_eq!(members, ["command_id", "completion", "message_id", "score"]);
    }
    // A command that comes again is answered again as before, whoever stands there now.
    *bench.look.lock().unwrap() = Look::default();
    assert_eq!(score(&bench.compare("1-3-0", 2, PHOTO).await), 94);
    bench.faults.set(FaceFault::LowScore, 1);
    assert_eq!(score(&bench.compare("1-5-0", 0, PHOTO).await), 72);
}

/// A7: two pictures of the largest size go through, as does the smallest.
#[tokio::test]
async fn a7_pictures_may_be_as_large_as_the_contract_says() {
    let mut bench = FaceBench::new(1).await;
    for (id, len) in [("1-1-0", PICTURE_BYTES_MAX), ("1-2-0", 1)] {
        let picture = vec![0xA5; len];
        let mut command = compare(id, 0, &picture, 30);
        command["reference"] = command["probe"].clone();
        bench.order(&command).await;
        assert_eq!(score(&bench.reply(id).await), 97);
    }
}

/// A7: what cannot be compared is refused by its name, which is an answer and no fault of the service.
#[tokio::test]
async fn a7_refusals_are_named() {
    let mut bench = FaceBench::new(1).await;
    let reference = Some(ComparedPicture::Reference);
    for (at, (fault, refusal, which)) in [
        (FaceFault::NoFace, FaceRefusal::NoFace, None),
        (FaceFault::SeveralFaces, FaceRefusal::SeveralFaces, None),
        (FaceFault::TooPoor, FaceRefusal::TooPoor, None),
        (FaceFault::PoorLight, FaceRefusal::PoorLight, None),
        (FaceFault::PoorReference, FaceRefusal::TooPoor, reference),
        (FaceFault::Unsupported, FaceRefusal::Unsupported, None),
    ]
    .into_iter()
    .enumerate()
    {
        bench.faults.set(fault, 1);
        let reply = read(&bench.compare(&format!("1-{at}-0"), 0, PHOTO).await);
        assert_eq!(reply.completion, Completion::Success);
        let found = (reply.score, reply.refusal, reply.which);
        assert_eq!(found, (None, Some(refusal), which));
    }
    assert_eq!(score(&bench.compare("2-1-0", 0, PHOTO).await), 97);
}

/// A7: a service that fails has a state of that name before the reply, and is well again with its next answer.
#[tokio::test]
async fn a7_faults_are_states_and_never_scores() {
    let mut bench = FaceBench::new(1).await;
    for (at, (fault, detail)) in [
        (FaceFault::Error, "matcher-answer"),
        (FaceFault::WrongAnswer, "matcher-answer"),
        (FaceFault::Slow, "matcher-slow"),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("1-{at}-0");
        bench.faults.set(fault, 1);
        bench.order(&compare(&id, 0, PHOTO, 30)).await;
        let state = bench.state("detail", detail).await;
        assert_eq!(state["status"], "hardware-error");
        let reply = bench.reply(&id).await;
        assert_eq!(failure(&reply), Completion::HardwareError, "{fault:?}");
        bench.state("status", "online").await;
    }
    assert_eq!(score(&bench.compare("2-1-0", 0, PHOTO).await), 97);
}

/// A7, G1: one that is away, or silent, is lost after a while, says so to whoever asks, and comes back.
#[tokio::test]
async fn g1_a_face_matcher_that_is_gone_comes_back() {
    let mut bench = FaceBench::new(1).await;
    for (at, (power, detail, completion)) in [
        (Power::Off, "matcher-away", Completion::DeviceNotReady),
        (Power::Silent, "matcher-slow", Completion::HardwareError),
    ]
    .into_iter()
    .enumerate()
    {
        bench.power.send_replace(power);
        bench.state("detail", detail).await;
        bench.life("lost").await;
        let reply = bench.compare(&format!("1-{at}-0"), 0, PHOTO).await;
        assert_eq!(failure(&reply), completion, "{power:?}");
        bench.power.send_replace(Power::On);
        bench.life("online").await;
        let reply = bench.compare(&format!("2-{at}-0"), 0, PHOTO).await;
        assert_eq!(score(&reply), 97, "{power:?}");
    }
}

/// A7: kiosks do not take the service from each other: comparisons wait, each for its own time, and what cannot wait is told.
#[tokio::test]
async fn a7_comparisons_of_several_kiosks_wait_for_each_other() {
    let mut bench = FaceBench::new(300).await;
    bench.order(&compare("1-1-0", 0, PHOTO, 30)).await;
    // They come while the first is compared; nobody waits for the second of them any more.
    for (id, timeout_s) in [("1-2-0", 30), ("1-3-0", 0)] {
        bench.order(&compare(id, 0, PHOTO, timeout_s)).await;
    }
    let mut replies = Vec::new();
    for _ in 0..3 {
        let topic = "face-matcher-1/cmd/compare-faces/reply";
        replies.push(read(&bench.gateway.json(topic).await));
    }
    replies.sort_by_key(|reply| reply.command_id.to_string());
    let scores: Vec<_> = replies.iter().map(|reply| reply.score).collect();
    assert_eq!(scores, [Some(97), Some(97), None]);
    assert_eq!(replies[2].completion, Completion::DeviceNotReady);
}

/// G1: birth, what it can do, figures, goodbye; what it is asked for in vain it does not know.
#[tokio::test]
async fn g1_a_face_matcher_is_born_and_says_goodbye() {
    let mut bench = FaceBench::new(1).await;
    bench.faults.set(FaceFault::NoFace, 1);
    bench.compare("1-1-0", 0, PHOTO).await;
    bench.compare("1-2-0", 0, PHOTO).await;
    for (name, at_least) in [
        ("comparisons-total", 1.0),
        ("refusals-total", 1.0),
        ("compare-time", 1.0),
    ] {
        let topic = format!("face-matcher-1/prop/{name}");
        while bench.gateway.json(&topic).await["value"].as_f64().unwrap() < at_least {}
    }
    bench.stop_adapter().await;
    bench.life("offline").await;
}

struct Played(Child);

impl Drop for Played {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Judge: a service in Python's http.server that checks each request by its JSON Schema (jsonschema) gets what the documentation
/// says, and its answers arrive.
#[tokio::test]
async fn a_service_not_written_here_is_spoken_to_as_documented() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/judge_face_matcher.py");
    let schemas = concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas/json/matcher");
    let mut played = Played(
        Command::new(python())
            .args([script, schemas])
            .stdout(Stdio::piped())
            .spawn()
            .expect("this test needs python3 with jsonschema: ops/test --judges"),
    );
    let mut said = String::new();
    let out = played.0.stdout.take().unwrap();
    BufReader::new(out).read_line(&mut said).unwrap();
    let port = said.trim().parse().expect("the service says its port");
    let mut bench = FaceBench::at(SocketAddr::from(([127, 0, 0, 1], port))).await;
    let desc = bench.gateway.json("face-matcher-1/desc").await;
    assert_eq!(desc["kind"], "face-matcher");
    assert_eq!(desc["commands"], json!(["compare-faces"]));
    bench.state("status", "online").await;
    // It scores by the length of the probe; 404 is what it answers to anything that its schema refuses.
    for (id, len) in [("1-1-0", 1), ("1-2-0", 88), ("1-3-0", 100)] {
        let reply = bench.compare(id, 0, &vec![7; len]).await;
        assert_eq!(usize::from(score(&reply)), len);
    }
    let refused = read(&bench.compare("1-4-0", 0, &[7; 101]).await);
    assert_eq!(refused.refusal, Some(FaceRefusal::TooPoor));
}
