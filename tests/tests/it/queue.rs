//! G2: a session's queued messages, retained messages and last wills survive SIGKILL; Debian's
//! mosquitto clients judge.

use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::json;
use station_tests::config::Layout;
use station_tests::kiosk::Kiosk;
use station_tests::station::Station;
use station_tests::{new_id, raw};

fn mosquitto_sub(station: &Station, args: &[&str]) -> Command {
    let mut command = Command::new("mosquitto_sub");
    command
        .args([
            "-h",
            "127.0.0.1",
            "-p",
            &station.layout.mqtt.port().to_string(),
        ])
        .args(args);
    command.stdout(Stdio::piped()).stderr(Stdio::inherit());
    command
}

/// `mosquitto_sub -c`: a session's queue is there after the broker was killed.
#[test]
fn g2_a_session_gets_its_queue_after_a_kill() {
    let root = tempfile::tempdir().unwrap();
    let mut station = Station::new(Layout::new(root.path()));
    station.start();
    let topic = "station/v1/demo/kiosk-9/event/#";
    // Once to make the session; -E ends it when the subscription stands.
    let made = mosquitto_sub(
        &station,
        &["-c", "-i", "observer-1", "-q", "1", "-t", topic, "-E"],
    )
    .status();
    assert!(
        made.expect("mosquitto_sub is needed: apt-get install mosquitto-clients")
            .success()
    );
    let mut camera = raw::Raw::connect(station.layout.mqtt, &raw::Hello::v5("kiosk-9")).unwrap();
    let ids: Vec<_> = (0..20).map(|_| new_id()).collect();
    for id in &ids {
        let payload = json!({"message_id": id}).to_string();
        let reason = camera
            .publish_acked("station/v1/demo/kiosk-9/event/test", payload.as_bytes())
            .unwrap();
        assert!(reason < 0x80);
    }
    station.kill();
    station.start();
    let output = mosquitto_sub(
        &station,
        &[
            "-c",
            "-i",
            "observer-1",
            "-q",
            "1",
            "-t",
            topic,
            "-C",
            "20",
            "-W",
            "20",
        ],
    )
    .output()
    .unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    let got: Vec<String> = lines
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["message_id"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(got, ids);
}

/// G1: birth and last will are retained, and are there after a kill.
#[test]
fn g1_a_last_will_is_published_and_retained_over_a_kill() {
    let root = tempfile::tempdir().unwrap();
    let mut station = Station::new(Layout::new(root.path()));
    station.start();
    let online = "station_device_online{device=\"kiosk-1\"}";
    let kiosk = Kiosk::connect(station.layout.mqtt, "kiosk-1");
    station_tests::wait_for("the kiosk is online", Duration::from_secs(10), || {
        (station.metric(online)? == 1.0).then_some(())
    });
    drop(kiosk);
    station_tests::wait_for("the kiosk is lost", Duration::from_secs(10), || {
        (station.metric(online)? == 0.0).then_some(())
    });
    station.kill();
    station.start();
    // Where the kill came before the retained message was durable, the stored will is published again once the kiosk has not come back.
    let args = ["-i", "observer-2", "-t", "station/v1/demo/kiosk-1/$state"];
    let once = ["-C", "1", "-W", "10"];
    station_tests::wait_for("the retained state", Duration::from_mins(1), || {
        let output = mosquitto_sub(&station, &[args.as_slice(), &once].concat()).output();
        let life: serde_json::Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
        (life["state"] == "lost").then_some(())
    });
}
