//! Killed between the dispenser's register write and its reply, at random: the simulated dispenser's
//! counter shows one motion for each intent, and every card is accounted for (C3, P7).
//! `KILLS=200` for a long run, `SEED=…` to repeat one.

use std::collections::BTreeMap;
use std::time::Duration;

use schemas::event::Event;
use schemas::words::Place;
use station_tests::config::Layout;
use station_tests::kiosk::Kiosk;
use station_tests::station::Station;
use station_tests::stock::Stocked;
use station_tests::{Random, left, wait_for};

#[test]
fn c3_one_motion_for_each_intent_under_kills() {
    let kills: u32 = std::env::var("KILLS")
        .ok()
        .and_then(|k| k.parse().ok())
        .unwrap_or(12);
    let mut random = Random::seeded("motions");
    let root = tempfile::tempdir().unwrap();
    let station = Station::new(Layout::new(root.path()));
    let mut stocked = Stocked::with(station, 1, &["--citizen", "walks-away"]);
    for _ in 0..kills {
        start_when_possible(&mut stocked);
        std::thread::sleep(Duration::from_millis(random.below(400)));
        stocked.station.kill();
        std::thread::sleep(Duration::from_millis(random.below(100)));
        stocked.station.start();
        stocked.kiosk = Kiosk::connect(stocked.station.layout.mqtt, "kiosk-1");
    }
    wait_for("every session is over", Duration::from_mins(2), || {
        let receipt = stocked.start_pickup(0);
        // The card is collectable again only when it lies in its slot.
        (receipt["outcome"] == "accepted").then_some(())
    });
    assert!(stocked.station.stop().success());
    let dispenser = stocked.devices.dispenser();
    let mut moved: BTreeMap<u64, u32> = BTreeMap::new();
    for motion in dispenser["motions"].as_array().unwrap() {
        *moved
            .entry(motion["sequence"].as_u64().unwrap())
            .or_default() += 1;
    }
    let entries = left::entries(&stocked.station.layout);
    let mut intents = BTreeMap::new();
    let mut place = Place::MakerTransit;
    for entry in &entries {
        if let Event::MotionIntended(intent) = &entry.event {
            *intents.entry(u64::from(intent.sequence)).or_insert(0u32) += 1;
        }
        if let Event::CardMoved(card) = &entry.event {
            assert_eq!(card.from, place);
            place = card.to.clone();
        }
    }
    assert!(
        intents.values().all(|count| *count == 1),
        "a sequence was allotted twice"
    );
    for (sequence, count) in &moved {
        assert_eq!(*count, 1, "sequence {sequence} moved {count} times");
        assert!(
            intents.contains_key(sequence),
            "sequence {sequence} moved without an intent"
        );
    }
    println!(
        "motions: {kills} kills, {} intents, {} motions, none twice",
        intents.len(),
        moved.len()
    );
}

fn start_when_possible(stocked: &mut Stocked) {
    wait_for("a pickup can be started", Duration::from_mins(2), || {
        (stocked.start_pickup(0)["outcome"] == "accepted").then_some(())
    });
}
