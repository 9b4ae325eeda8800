//! G3 on the real binaries: a station that cannot store checkpoints any more does not go on without them.

use std::time::Duration;

use station_tests::config::Layout;
use station_tests::kiosk::Kiosk;
use station_tests::station::Station;
use station_tests::wait_for;

/// G3: where `HEAD` cannot be replaced the process ends by itself and says so, although nothing more happens at the station; what it
/// acknowledged is there when it can be again.
#[test]
fn g3_a_station_without_checkpoints_ends() {
    let root = tempfile::tempdir().unwrap();
    let mut station = Station::new(Layout::new(root.path()));
    station.start();
    // The name under which the next HEAD is written belongs to a folder: no write succeeds, and no right helps.
    let in_the_way = station.layout.data().join("HEAD.tmp");
    wait_for("no HEAD is being written", Duration::from_secs(5), || {
        std::fs::create_dir(&in_the_way).ok()
    });
    // One device comes, and then there is silence.
    let kiosk = Kiosk::connect(station.layout.mqtt, "kiosk-1");
    let status = station.wait_end();
    assert_eq!(status.code(), Some(1), "{}", station.output());
    let said = station.output();
    assert!(
        said.contains("no checkpoints any more")
            && said.contains("the checkpoint could not be written"),
        "{said}"
    );
    drop(kiosk);
    std::fs::remove_dir(&in_the_way).unwrap();
    station.start();
    assert!(station.tool_ok(&["verify"], "").contains("whole"));
    assert!(station.stop().success());
}
