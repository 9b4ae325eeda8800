//! evidence.md 4: a log that was lost or set back is never continued; two operators begin a new one, and the cards are still there.

use std::time::Duration;

use serde_json::json;
use station_tests::kiosk::Kiosk;
use station_tests::left::{self, copy_all};
use station_tests::station::PIN;
use station_tests::stock::{Stocked, operator};

const QUARANTINED: i32 = 3;
const STEP: Duration = Duration::from_secs(20);
const APPROVED: [&str; 7] = [
    "incarnate",
    "--reason",
    "rolled-back",
    "--approver",
    "operator-1",
    "--approver",
    "operator-2",
];

/// G2, G3: a data folder set back to an earlier state of itself is noticed, and left by a new log that carries the cards over.
#[test]
fn g3_a_set_back_log_is_left_and_its_cards_are_carried_over() {
    let root = tempfile::tempdir().unwrap();
    let mut stocked = Stocked::start(root.path(), 2);
    assert!(stocked.station.stop().success());
    let data = stocked.station.layout.data();
    copy_all(&data, &root.path().join("earlier"));
    stocked.station.start();
    stocked.kiosk = Kiosk::connect(stocked.station.layout.mqtt, "kiosk-1");
    station_tests::wait_for("the machine serves", STEP, || {
        (stocked.start_pickup(0)["outcome"] == "accepted").then_some(())
    });
    stocked.kiosk.prompt("done", STEP);
    assert!(stocked.station.stop().success());
    std::fs::rename(&data, root.path().join("later")).unwrap();
    copy_all(&root.path().join("earlier"), &data);
    stocked.station.spawn();
    assert_eq!(stocked.station.wait_end().code(), Some(QUARANTINED));
    assert!(
        stocked.station.output().contains("set back"),
        "{}",
        stocked.station.output()
    );

    refused(&stocked);
    let centre = root.path().join("later/HEAD");
    let mut args = APPROVED.to_vec();
    args.extend(["--centre-checkpoint", centre.to_str().unwrap()]);
    stocked.station.tool_ok(&args, &format!("{PIN}\n{PIN}\n"));
    carried_over(&mut stocked);
    let aside = root.path().join("data.incarnation-1");
    let old_keys = stocked.station.layout.keys().join("incarnation-1");
    let old = [
        "verify",
        "--data",
        aside.to_str().unwrap(),
        "--keys",
        old_keys.to_str().unwrap(),
    ];
    // The old log is the earlier one, so the witness beside its keys still contradicts it.
    assert_eq!(
        stocked.station.tool(&old, "").status.code(),
        Some(QUARANTINED)
    );
}

/// What is not approved changes nothing.
fn refused(stocked: &Stocked) {
    let station = &stocked.station;
    let wrong = station.tool(&APPROVED, &format!("{PIN}\n0000\n"));
    assert_eq!(wrong.status.code(), Some(1));
    let mut alone = APPROVED;
    alone[6] = "operator-1";
    assert_eq!(
        station
            .tool(&alone, &format!("{PIN}\n{PIN}\n"))
            .status
            .code(),
        Some(1)
    );
    assert_eq!(station.tool(&APPROVED[..5], "").status.code(), Some(1));
    std::fs::write(
        station.layout.root.join("foreign"),
        "gateway.demo/station/demo/1\n5\nAAAA\n",
    )
    .unwrap();
    let mut foreign = APPROVED.to_vec();
    foreign.extend(["--centre-checkpoint", "foreign"]);
    assert_eq!(
        station
            .tool(&foreign, &format!("{PIN}\n{PIN}\n"))
            .status
            .code(),
        Some(1)
    );
    assert!(!station.layout.root.join("data.incarnation-1").exists());
    assert!(!station.layout.keys().join("incarnating").exists());
}

/// The new log: no citizen before the slots were counted; then the card that was there is collected.
fn carried_over(stocked: &mut Stocked) {
    stocked.station.start();
    stocked.kiosk = Kiosk::connect(stocked.station.layout.mqtt, "kiosk-1");
    assert_eq!(stocked.start_pickup(1)["reason"], "machine-blocked");
    station_tests::wait_for("the stock is taken", STEP, || {
        let body = json!({"operator": operator(), "machine": "machine-1"});
        (stocked.kiosk.request("stock-take", body)["outcome"] == "accepted").then_some(())
    });
    stocked.kiosk.prompt("done", STEP);
    let receipt = station_tests::wait_for("all devices are back", STEP, || {
        let receipt = stocked.start_pickup(1);
        (receipt["reason"] != "device-offline").then_some(receipt)
    });
    assert_eq!(receipt["outcome"], "accepted", "{receipt}");
    assert_eq!(receipt["incarnation"], 2);
    stocked.kiosk.prompt("done", STEP);
    // A receipt of the old log says nothing about this one.
    let boot = station_tests::new_id();
    let life = json!({"state": "online", "protocol": 1, "boot_id": boot,
        "last_receipt": {"incarnation": 1, "index": 100_000}});
    let mut witness = station_tests::raw::Raw::connect(
        stocked.station.layout.mqtt,
        &station_tests::raw::Hello::v5("kiosk-9"),
    )
    .unwrap();
    let topic = "station/v1/demo/kiosk-9/$state";
    witness
        .publish_with(topic, life.to_string().as_bytes(), true)
        .unwrap();
    witness.read().unwrap();
    // By the carried records the first card was never collected; the stock-take found its slot empty.
    assert_eq!(stocked.start_pickup(0)["reason"], "held");
    assert!(stocked.station.tool_ok(&["verify"], "").contains("whole"));
    assert!(stocked.station.stop().success());
    let entries = left::entries(&stocked.station.layout);
    assert!(matches!(
        entries[0].event,
        schemas::event::Event::LogIncarnated(_)
    ));
}

/// G3: cut off at any moment and begun again, an incarnation ends with one new log, and the old one whole beside it.
#[test]
fn g3_an_incarnation_that_is_cut_off_is_completed() {
    let root = tempfile::tempdir().unwrap();
    let mut stocked = Stocked::start(root.path(), 1);
    stocked.station.tool_ok(&["keys", "rotate"], "");
    assert!(stocked.station.stop().success());
    let pins = format!("{PIN}\n{PIN}\n");
    let mut random = station_tests::Random::seeded("incarnate");
    for _ in 0..12 {
        let after = Duration::from_millis(random.below(600));
        stocked.station.tool_killed(&APPROVED, &pins, after);
        if !stocked.station.layout.keys().join("incarnating").exists() {
            continue;
        }
        stocked.station.spawn();
        assert_eq!(
            stocked.station.wait_end().code(),
            Some(QUARANTINED),
            "it starts half-way"
        );
    }
    if stocked.station.layout.keys().join("incarnating").exists() {
        stocked.station.tool_ok(&APPROVED, &pins);
    }
    // Whatever was completed: each log is whole, under its own key, and none is of two names.
    let keys = stocked.station.layout.keys();
    let present: u32 = std::fs::read_to_string(keys.join("incarnation"))
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    assert!(present >= 2, "no incarnation was completed");
    for old in 1..present {
        let (data, keys) = (
            root.path().join(format!("data.incarnation-{old}")),
            keys.join(format!("incarnation-{old}")),
        );
        let args = [
            "verify",
            "--data",
            data.to_str().unwrap(),
            "--keys",
            keys.to_str().unwrap(),
        ];
        let said = stocked.station.tool_ok(&args, "");
        assert!(said.contains(&format!("station/demo/{old}")), "{said}");
    }
    assert!(stocked.station.tool_ok(&["verify"], "").contains("whole"));
    stocked.station.start();
    assert!(stocked.station.stop().success());
}

/// G3: with keys restored from before an incarnation, the log that was begun since is not taken for the one to be left.
#[test]
fn g3_a_number_that_was_used_before_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let mut stocked = Stocked::start(root.path(), 1);
    assert!(stocked.station.stop().success());
    let keys = stocked.station.layout.keys();
    copy_all(&keys, &root.path().join("backup"));
    let pins = format!("{PIN}\n{PIN}\n");
    stocked.station.tool_ok(&APPROVED, &pins);
    std::fs::remove_dir_all(&keys).unwrap();
    copy_all(&root.path().join("backup"), &keys);
    stocked.station.spawn();
    assert_eq!(stocked.station.wait_end().code(), Some(QUARANTINED));
    let refused = stocked.station.tool(&APPROVED, &pins);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&refused.stderr).contains("put aside before"),
        "{refused:?}"
    );
    assert!(
        stocked.station.layout.data().join("HEAD").exists(),
        "the present log is gone"
    );
    // While a station runs, nothing is looked at.
    std::fs::remove_dir_all(&keys).unwrap();
    let other = root.path().join("other");
    std::fs::create_dir(&other).unwrap();
    let mut alone = Stocked::start(&other, 0);
    assert_eq!(alone.station.tool(&APPROVED, &pins).status.code(), Some(1));
    assert!(alone.station.stop().success());
}
