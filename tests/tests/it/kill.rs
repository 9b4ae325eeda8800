//! G2: the real binary, killed with SIGKILL under load at random moments: every acknowledged message is
//! in the log, once. `KILLS=500` for a long run, `SEED=…` to repeat one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::channel;
use std::time::Duration;

use station_tests::config::Layout;
use station_tests::load::REPORTERS;
use station_tests::station::Station;
use station_tests::{Random, left, load};

/// Devices of the configuration that publish here; they are not simulated in this test.

#[test]
fn g2_what_was_acknowledged_survives_sigkill() {
    let kills: u32 = std::env::var("KILLS")
        .ok()
        .and_then(|k| k.parse().ok())
        .unwrap_or(50);
    let mut random = Random::seeded("kill");
    let root = tempfile::tempdir().unwrap();
    let mut station = Station::new(Layout::new(root.path()));
    let mut acked: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for _ in 0..kills {
        station.start();
        let addr = station.layout.mqtt;
        let senders = REPORTERS.map(|device| {
            let (sender, receiver) = channel();
            let handle = std::thread::spawn(move || load::until_broken(addr, device, 8, &sender));
            (device, receiver, handle)
        });
        std::thread::sleep(Duration::from_millis(random.below(300)));
        station.kill();
        for (device, receiver, handle) in senders {
            handle.join().unwrap();
            acked.entry(device).or_default().extend(receiver.try_iter());
        }
    }
    let entries = left::entries(&station.layout);
    let mut total = 0;
    for (device, ids) in &acked {
        let stored = left::messages(&entries, device);
        assert_eq!(ids.len(), ids.iter().collect::<BTreeSet<_>>().len());
        for id in ids {
            assert_eq!(
                stored.get(id),
                Some(&1),
                "{device} was told that {id} is durable"
            );
        }
        total += ids.len();
    }
    println!(
        "kill: {kills} kills, {total} acknowledged, {} events, 0 lost, 0 doubled",
        entries.len()
    );
    assert!(
        total > usize::try_from(kills).unwrap(),
        "there was hardly any load: {total} acknowledged"
    );
}
