//! G4, G5 on the real binary, with a store that really listens and fails, and a centre that verifies.

use std::num::NonZeroU32;
use std::sync::mpsc::channel;
use std::time::Duration;

use simulated_eventstore::Cut;
use station_tests::centre::TestCentre;
use station_tests::config::Layout;
use station_tests::kiosk::Kiosk;
use station_tests::load::REPORTERS;
use station_tests::station::{PIN, Station};
use station_tests::stock::Stocked;
use station_tests::{Random, left, load, wait_for};
use tokio::runtime::Runtime;

/// A station of this centre.
fn station_of(centre: &TestCentre, layout: Layout) -> Station {
    Station::configured(layout, |text| centre.configure(&text))
}

/// So many events are published and acknowledged.
fn publish(station: &Station, device: &'static str, count: usize) {
    let (sender, receiver) = channel();
    let addr = station.layout.mqtt;
    let sending = std::thread::spawn(move || load::until_broken(addr, device, 8, &sender));
    let acknowledged = receiver.iter().take(count).count();
    drop(receiver);
    sending.join().unwrap();
    assert_eq!(acknowledged, count);
}

/// The store holds the station's log, each event once and in order, and nothing else.
fn assert_is_the_log(centre: &TestCentre, runtime: &Runtime, layout: &Layout) -> usize {
    let own = left::exported(layout);
    let client = eventstore::Client::new(centre.connection().parse().unwrap()).unwrap();
    let options = eventstore::ReadStreamOptions::default();
    let stored: Vec<u8> = runtime.block_on(async {
        let mut events = client
            .read_stream("station-demo-1", &options)
            .await
            .unwrap();
        let mut all = Vec::new();
        while let Some(event) = events.next().await.unwrap() {
            let event = event.get_original_event();
            let (signed, metadata) =
                schemas::uplink::signed_bytes(&event.data, &event.custom_metadata).unwrap();
            assert_eq!(metadata.index, event.revision);
            all.extend(signed);
        }
        all
    });
    // The last events of a stopped station may not have gone up; what is there is the beginning.
    assert!(
        own.starts_with(&stored),
        "the store holds something else than the log"
    );
    own.len() - stored.len()
}

/// The first kiosk and its machine are busy with pickups.
const REPORTER: &str = REPORTERS[0];

/// Begins a pickup, if the machine is free. Its citizen walks away, and the card goes back to its slot for the next one.
fn pick_up(stocked: &mut Stocked) -> u32 {
    let receipt = stocked.start_pickup(0);
    u32::from(receipt["outcome"] == "accepted")
}

/// One fault of the link, of the store or of the station, while events are written.
fn fail(centre: &mut TestCentre, stocked: &mut Stocked, runtime: &Runtime, random: &mut Random) {
    let faults = centre.faults();
    match random.below(12) {
        0 => faults.cut(Cut::Reset),
        1 => faults.cut(Cut::Close),
        2 => faults.cut(Cut::HalfClose),
        3 => faults.lose_answer(1),
        4 => faults.latency(Duration::from_millis(random.below(300))),
        5 => faults.slow(NonZeroU32::new(20_000)),
        6 => faults.wrong_expected_version(1),
        7 => {
            faults.black_hole(true);
            publish(&stocked.station, REPORTER, 20);
            std::thread::sleep(Duration::from_millis(random.below(2_000)));
        }
        8 => {
            runtime.block_on(faults.refuse(true)).unwrap();
            publish(&stocked.station, REPORTER, 20);
        }
        9 => faults.empty_answer(1),
        10 => {
            runtime.block_on(centre.stop_store());
            publish(&stocked.station, REPORTER, 20);
            runtime.block_on(centre.start_store());
        }
        _ => {
            stocked.station.kill();
            stocked.station.start();
            stocked.kiosk = Kiosk::connect(stocked.station.layout.mqtt, "kiosk-1");
        }
    }
}

/// `CUTS=200` for a long run, `SEED=…` to repeat one.
#[test]
fn g4_whatever_is_cut_the_centre_gets_each_event_once_and_in_order() {
    let cuts: u32 = std::env::var("CUTS")
        .ok()
        .and_then(|cuts| cuts.parse().ok())
        .unwrap_or(20);
    let mut random = Random::seeded("sync");
    let runtime = Runtime::new().unwrap();
    let _entered = runtime.enter();
    let root = tempfile::tempdir().unwrap();
    let mut centre = runtime.block_on(TestCentre::start(root.path()));
    let station = station_of(&centre, Layout::new(root.path()));
    station.hurry();
    let mut stocked = Stocked::with(station, 1, &["--citizen", "walks-away"]);
    centre.register(&stocked.station);
    runtime.block_on(centre.follow());
    let mut pickups = 0;
    for _ in 0..cuts {
        pickups += pick_up(&mut stocked);
        let reports = usize::try_from(random.below(80)).unwrap() + 1;
        publish(&stocked.station, REPORTER, reports);
        fail(&mut centre, &mut stocked, &runtime, &mut random);
        pickups += pick_up(&mut stocked);
        std::thread::sleep(Duration::from_millis(random.below(200)));
        runtime.block_on(centre.faults().clear()).unwrap();
    }
    assert!(pickups > 0, "no pickup went on");
    wait_for("the last pickup is over", Duration::from_mins(2), || {
        (pick_up(&mut stocked) == 1).then_some(())
    });
    let mut station = stocked.station;
    drop((stocked.devices, stocked.kiosk));
    let size = station.metric("station_log_size").unwrap() as u64;
    runtime.block_on(centre.until_verified(size));
    wait_for(
        "the centre's acknowledgement",
        Duration::from_mins(1),
        || (station.metric("station_link_acknowledged")? as u64 >= size).then_some(()),
    );
    assert!(station.stop().success());
    let left = assert_is_the_log(&centre, &runtime, &station.layout);
    println!(
        "sync: {cuts} cuts, {pickups} pickups begun meanwhile, {size} events, each once, in order, verified and acknowledged; {left} bytes since"
    );
    runtime.block_on(centre.stop());
}

/// G5: manifest and policy come down signed, are applied once, and what is not the centre's changes nothing.
#[test]
fn g5_what_the_centre_says_is_done_once_and_nobody_else_is_heard() {
    let runtime = Runtime::new().unwrap();
    let _entered = runtime.enter();
    let root = tempfile::tempdir().unwrap();
    let mut centre = runtime.block_on(TestCentre::start(root.path()));
    let mut station = station_of(&centre, Layout::new(root.path()));
    station.start();
    centre.register(&station);
    runtime.block_on(centre.follow());
    let followed = |station: &Station, outcome: &str| {
        station
            .metric(&format!(
                "station_instructions_total{{outcome=\"{outcome}\"}}"
            ))
            .unwrap_or(0.0) as u64
    };
    // Somebody else writes into the stream.
    let client = eventstore::Client::new(centre.connection().parse().unwrap()).unwrap();
    let forged = eventstore::EventData::json(
        "centre.policy.issued.v1",
        &serde_json::json!({"version": 9}),
    );
    let options = eventstore::AppendToStreamOptions::default();
    runtime
        .block_on(client.append_to_stream("centre-demo", &options, forged.unwrap()))
        .unwrap();
    wait_for("the forgery is refused", Duration::from_secs(20), || {
        (followed(&station, "refused") >= 1).then_some(())
    });
    let policy =
        include_str!("../../../edge-config/policy.toml").replace("hold_s = 30", "hold_s = 45");
    let id = schemas::ids::StationId::new("demo").unwrap();
    runtime
        .block_on(
            centre
                .desk()
                .send_policy(&centre.connection(), &id, 2, policy.clone()),
        )
        .unwrap();
    wait_for("the policy is followed", Duration::from_secs(20), || {
        (followed(&station, "followed") == 1).then_some(())
    });
    runtime
        .block_on(centre.desk().rotate_key(&centre.connection()))
        .unwrap();
    wait_for("the new key is followed", Duration::from_secs(20), || {
        (followed(&station, "followed") == 2).then_some(())
    });
    station.kill();
    station.start();
    // After the restart nothing is done again, the policy is still in force, and an older one is refused.
    runtime
        .block_on(
            centre
                .desk()
                .send_policy(&centre.connection(), &id, 1, policy.clone()),
        )
        .unwrap();
    wait_for(
        "the older policy is refused",
        Duration::from_secs(20),
        || (followed(&station, "refused") >= 1).then_some(()),
    );
    assert!(station.stop().success());
    let entries = left::entries(&station.layout);
    let types: Vec<_> = entries
        .iter()
        .map(|entry| entry.event.type_name())
        .filter(|name| name.starts_with("station.centre."))
        .collect();
    assert_eq!(
        types,
        [
            "station.centre.instruction-refused.v1",
            "station.centre.policy-changed.v1",
            "station.centre.instruction-followed.v1",
            "station.centre.key-changed.v1",
            "station.centre.instruction-followed.v1",
            "station.centre.instruction-refused.v1",
        ]
    );
    followed_by_the_next_log(&mut station);
    runtime
        .block_on(
            centre
                .desk()
                .send_policy(&centre.connection(), &id, 3, policy),
        )
        .unwrap();
    wait_for("the new log follows", Duration::from_secs(20), || {
        (followed(&station, "followed") == 1).then_some(())
    });
    assert!(station.stop().success());
    runtime.block_on(centre.stop());
}

/// G3: a new log begins with the policy that the centre issued and the key that it signs with, and the station runs by them.
fn followed_by_the_next_log(station: &mut Station) {
    let approved = [
        "incarnate",
        "--reason",
        "cloned",
        "--approver",
        "operator-1",
        "--approver",
        "operator-2",
    ];
    let told = station.tool_ok(&approved, &format!("{PIN}\n{PIN}\n"));
    assert!(told.contains("policy 2 of the centre"), "{told}");
    let entries = left::entries(&station.layout);
    let types: Vec<_> = entries
        .iter()
        .take(3)
        .map(|entry| entry.event.type_name())
        .collect();
    assert_eq!(
        types,
        [
            "station.log.incarnated.v1",
            "station.centre.policy-changed.v1",
            "station.centre.key-changed.v1",
        ]
    );
    station.start();
}

/// G4, evidence.md 4: a restored backup is noticed at first contact; the station goes out of service, and nothing is overwritten.
#[test]
fn g4_a_restored_backup_is_noticed_at_first_contact() {
    let runtime = Runtime::new().unwrap();
    let _entered = runtime.enter();
    let root = tempfile::tempdir().unwrap();
    let mut centre = runtime.block_on(TestCentre::start(root.path()));
    let mut station = station_of(&centre, Layout::new(root.path()));
    station.start();
    publish(&station, "kiosk-9", 20);
    assert!(station.stop().success());
    let backup = root.path().join("backup");
    for folder in ["data", "keys"] {
        left::copy_all(&root.path().join(folder), &backup.join(folder));
    }
    station.start();
    centre.register(&station);
    runtime.block_on(centre.follow());
    publish(&station, "kiosk-9", 50);
    let size = station.metric("station_log_size").unwrap() as u64;
    runtime.block_on(centre.until_verified(size));
    assert!(station.stop().success());
    for folder in ["data", "keys"] {
        std::fs::remove_dir_all(root.path().join(folder)).unwrap();
        left::copy_all(&backup.join(folder), &root.path().join(folder));
    }
    station.spawn();
    wait_for("the fork is noticed", Duration::from_mins(1), || {
        (station.metric("station_link_standing{standing=\"forked\"}")? > 0.5).then_some(())
    });
    // Whoever watches the backlog is not kept waiting for what never goes up.
    let watched = station.tool_ok(&["link", "--watch"], "");
    assert!(watched.contains("the link is forked"), "{watched}");
    wait_for(
        "the station is out of service",
        Duration::from_secs(20),
        || (station.metric("station_in_service")? < 0.5).then_some(()),
    );
    assert!(station.stop().success());
    let entries = left::entries(&station.layout);
    let contradicted = entries
        .iter()
        .filter(|entry| entry.event.type_name() == "station.centre.contradicted.v1");
    assert_eq!(contradicted.count(), 1);
    runtime.block_on(centre.stop());
}

/// G4, evidence.md 4: of two gateways with one identity, both running, the centre keeps the one that spoke first. The other is told so
/// at its first contact and goes out of service; nothing of the first is overwritten, and it goes on.
#[test]
fn g4_of_two_gateways_with_one_identity_one_goes_out_of_service() {
    let runtime = Runtime::new().unwrap();
    let _entered = runtime.enter();
    let root = tempfile::tempdir().unwrap();
    let mut centre = runtime.block_on(TestCentre::start(root.path()));
    let [one, two] = ["one", "two"].map(|name| root.path().join(name));
    std::fs::create_dir_all(&one).unwrap();
    let mut first = station_of(&centre, Layout::new(&one));
    first.start();
    publish(&first, "kiosk-9", 20);
    assert!(first.stop().success());
    for folder in ["data", "keys"] {
        left::copy_all(&one.join(folder), &two.join(folder));
    }
    first.start();
    centre.register(&first);
    runtime.block_on(centre.follow());
    publish(&first, "kiosk-9", 30);
    let verified = |centre: &mut TestCentre, first: &Station| {
        let size = first.metric("station_log_size").unwrap() as u64;
        runtime.block_on(centre.until_verified(size));
        size
    };
    let size = verified(&mut centre, &first);
    let mut twin = station_of(&centre, Layout::new(&two));
    twin.spawn();
    wait_for("the twin is noticed", Duration::from_mins(1), || {
        (twin.metric("station_link_standing{standing=\"forked\"}")? > 0.5).then_some(())
    });
    wait_for(
        "the twin is out of service",
        Duration::from_secs(20),
        || (twin.metric("station_in_service")? < 0.5).then_some(()),
    );
    publish(&first, "kiosk-9", 40);
    assert!(verified(&mut centre, &first) > size);
    let serves = first.metric("station_in_service");
    assert!(serves.is_some_and(|serves| serves > 0.5), "{serves:?}");
    assert!(twin.stop().success() && first.stop().success());
    assert_is_the_log(&centre, &runtime, &first.layout);
    runtime.block_on(centre.stop());
}

/// G4: a store that lost the stream, or another one, gets nothing of a log that the centre has acknowledged. The station serves on, and
/// goes on by itself where it was when the stream is there again.
#[test]
fn g4_a_store_that_lost_the_stream_is_not_filled_anew() {
    let runtime = Runtime::new().unwrap();
    let _entered = runtime.enter();
    let root = tempfile::tempdir().unwrap();
    let mut centre = runtime.block_on(TestCentre::start(root.path()));
    let mut station = station_of(&centre, Layout::new(root.path()));
    station.start();
    centre.register(&station);
    runtime.block_on(centre.follow());
    publish(&station, "kiosk-9", 30);
    let until = |station: &Station, name: &str, least: f64| {
        wait_for(name, Duration::from_mins(1), || {
            (station.metric(name)? >= least).then_some(())
        });
    };
    let size = station.metric("station_log_size").unwrap();
    until(&station, "station_link_acknowledged", size);
    runtime.block_on(centre.stop_following());

    let (store, aside) = (root.path().join("store"), root.path().join("aside"));
    runtime.block_on(centre.stop_store());
    std::fs::rename(&store, &aside).unwrap();
    runtime.block_on(centre.start_store());
    until(
        &station,
        "station_link_standing{standing=\"stream-short\"}",
        1.0,
    );
    publish(&station, "kiosk-9", 10);
    assert_eq!(station.metric("station_in_service"), Some(1.0));
    assert_eq!(station.metric("station_link_sent"), Some(0.0));

    runtime.block_on(centre.stop_store());
    std::fs::remove_dir_all(&store).unwrap();
    std::fs::rename(&aside, &store).unwrap();
    runtime.block_on(centre.start_store());
    let size = station.metric("station_log_size").unwrap();
    until(&station, "station_link_sent", size);
    assert!(station.stop().success());
    assert_is_the_log(&centre, &runtime, &station.layout);
    runtime.block_on(centre.stop_store());
}
