//! A wrong wall clock on the real binary: it orders nothing, and what depends on days waits for days that are believed.

use std::time::Duration;

use serde_json::json;
use station_tests::centre::TestCentre;
use station_tests::config::Layout;
use station_tests::kiosk::Kiosk;
use station_tests::station::Station;
use station_tests::stock::Stocked;
use station_tests::{left, wait_for};
use tokio::runtime::Runtime;

/// A request that is refused and recorded.
const NOBODY: &str = "1101050012026110199999";
const DAY_MS: i64 = 86_400_000;
const YEAR_DAYS: i64 = 365;

/// A request that is refused, whatever the clock says.
fn ask(kiosk: &mut Kiosk) {
    let id = station_tests::new_id();
    let body = json!({ "message_id": id, "deadline_ms": u64::MAX, "claim": { "voucher": NOBODY } });
    assert_eq!(
        kiosk.request_as("start-pickup", &id, &body)["outcome"],
        "refused"
    );
}

/// G2: the clock jumps years ahead and back while cards are collected, and once more with a restart between: index and monotonic
/// clock order the events, each of them says which wall clock it was written under, and everything verifies.
#[test]
fn g2_jumps_of_years_change_the_order_of_nothing() {
    let root = tempfile::tempdir().unwrap();
    let mut station = Station::new(Layout::new(root.path()));
    station.set_clock(0);
    station.hurry();
    let mut stocked = Stocked::with(station, 1, &["--citizen", "walks-away"]);
    for years in [5, -3, 0, -20] {
        stocked.station.set_clock(years * YEAR_DAYS);
        for _ in 0..3 {
            ask(&mut stocked.kiosk);
        }
        if years == 0 {
            stocked.station.kill();
            stocked.station.start();
            stocked.kiosk = Kiosk::connect(stocked.station.layout.mqtt, "kiosk-1");
        }
        let mut body = json!({"claim": {"voucher": stocked.cards[0]["voucher"]}});
        body["deadline_ms"] = json!(u64::MAX);
        wait_for("a pickup begins", Duration::from_mins(1), || {
            let id = station_tests::new_id();
            body["message_id"] = json!(id);
            let receipt = stocked.kiosk.request_as("start-pickup", &id, &body);
            (receipt["outcome"] == "accepted").then_some(())
        });
    }
    assert!(stocked.station.stop().success());
    let said = stocked.station.tool_ok(&["verify"], "");
    assert!(said.contains("whole"), "{said}");
    let entries = left::entries(&stocked.station.layout);
    let mut jumps = Vec::new();
    for pair in entries.windows(2) {
        let (before, after) = (&pair[0].meta.now, &pair[1].meta.now);
        assert_eq!(pair[1].index, pair[0].index + 1);
        if before.boot == after.boot {
            assert!(
                before.mono_ms <= after.mono_ms,
                "the monotonic clock went back"
            );
        }
        let wall = |ms: u64| i64::try_from(ms).unwrap();
        let days = (wall(after.wall_ms) - wall(before.wall_ms) + DAY_MS / 2).div_euclid(DAY_MS);
        if days != 0 {
            jumps.push(days / YEAR_DAYS);
        }
    }
    assert_eq!(jumps, [5, -8, 3, -20]);
}

/// G2: a clock that is set back between stop and start is noticed as one that jumps while the station runs.
#[test]
fn g2_a_clock_set_while_the_station_was_stopped_is_counted() {
    let root = tempfile::tempdir().unwrap();
    let mut station = Station::new(Layout::new(root.path()));
    station.set_clock(0);
    let patience = Duration::from_secs(20);
    for (years, jumped) in [(0, false), (0, false), (-3, true)] {
        station.set_clock(years * YEAR_DAYS);
        station.start();
        if jumped {
            wait_for("the jump is counted", patience, || {
                (station.metric("station_clock_steps_total")? > 0.0).then_some(())
            });
        }
        assert!(station.stop().success());
        // All that it said is there by now, also of a jump that it should not have seen.
        assert_eq!(station.output().contains("the wall clock jumped"), jumped);
    }
}

/// G4: what the centre acknowledged is pruned once the audit period has passed, not before; what is left verifies, the disk has its room back,
/// and the link goes on where it was.
#[test]
fn g4_what_the_centre_has_is_pruned_after_the_audit_period() {
    let runtime = Runtime::new().unwrap();
    let _entered = runtime.enter();
    let root = tempfile::tempdir().unwrap();
    let mut centre = runtime.block_on(TestCentre::start(root.path()));
    let mut station = Station::configured(Layout::new(root.path()), |text| {
        assert!(text.contains("epoch_events = 100000") && text.contains("trust = \"auto\""));
        let text = text.replace("epoch_events = 100000", "epoch_events = 100");
        centre.configure(&text.replace("trust = \"auto\"", "trust = \"always\""))
    });
    station.start();
    centre.register(&station);
    runtime.block_on(centre.follow());
    let mut kiosk = Kiosk::connect(station.layout.mqtt, "kiosk-1");
    for _ in 0..350 {
        ask(&mut kiosk);
    }
    drop(kiosk);
    let acknowledged = |station: &Station, at_least: u64| {
        let what = "the centre's acknowledgement";
        wait_for(what, Duration::from_mins(1), || {
            (station.metric("station_link_acknowledged")? as u64 >= at_least).then_some(())
        });
    };
    acknowledged(&station, 350);
    assert!(station.stop().success());
    let whole = left::entries(&station.layout).len();
    for (days, pruned) in [(189, false), (191, true)] {
        station.set_clock(days);
        station.start();
        let mut kiosk = Kiosk::connect(station.layout.mqtt, "kiosk-1");
        ask(&mut kiosk);
        drop(kiosk);
        let size = station.metric("station_log_size").unwrap() as u64;
        acknowledged(&station, size);
        if pruned {
            wait_for("epochs are removed", Duration::from_secs(30), || {
                station
                    .output()
                    .contains("epochs that the centre has were removed")
                    .then_some(())
            });
        }
        assert!(station.stop().success());
        let said = station.tool_ok(&["verify"], "");
        assert!(said.contains("whole"), "{said}");
        let all = station.tool(&["export", "json", "-"], "");
        assert_eq!(all.status.success(), !pruned, "{days} days: {all:?}");
        let proof = station.tool(&["prove", "3"], "");
        assert_eq!(proof.status.success(), !pruned, "{days} days");
    }
    let left = std::fs::read_dir(station.layout.data().join("log"))
        .unwrap()
        .count();
    assert!(
        left < whole / 100 + 1,
        "{left} epochs are left of {whole} events"
    );
    let size = 350;
    runtime.block_on(centre.until_verified(size));
    runtime.block_on(centre.stop());
}
