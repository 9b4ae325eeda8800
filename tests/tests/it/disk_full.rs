//! A full disk, on a small file system of its own: no acknowledgement without a commit, kiosks are told
//! "out of service" before the end is met, and all goes on by itself when there is room again.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use serde_json::json;
use station_tests::config::Layout;
use station_tests::kiosk::Kiosk;
use station_tests::raw::{Hello, Raw};
use station_tests::station::Station;
use station_tests::{left, load, wait_for};

/// A loop-mounted ext4 of its own.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn new(root: &Path, mib: u64) -> Self {
        let (image, mountpoint) = (root.join("disk.img"), root.join("disk"));
        std::fs::File::create(&image)
            .unwrap()
            .set_len(mib << 20)
            .unwrap();
        std::fs::create_dir(&mountpoint).unwrap();
        run(Command::new("mkfs.ext4")
            .args(["-q", "-m", "0"])
            .arg(&image));
        run(Command::new("mount")
            .args(["-o", "loop"])
            .arg(&image)
            .arg(&mountpoint));
        Self(mountpoint)
    }

    /// Fills the disk until `left_mib` are free; with 0 until nothing is.
    fn fill(&self, left_mib: u64) {
        let free = || {
            let stat = rustix::fs::statvfs(&self.0).unwrap();
            stat.f_bavail * stat.f_frsize
        };
        let mut filler = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.0.join("filler"))
            .unwrap();
        let block = vec![0xa5; 64 << 10];
        while free() > left_mib << 20 && filler.write_all(&block).is_ok() {}
        drop(filler.sync_all());
    }

    fn empty(&self) {
        std::fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(&self.0).status());
    }
}

fn run(command: &mut Command) {
    assert!(command.status().unwrap().success(), "{command:?}");
}

#[test]
fn g2_a_full_disk_refuses_and_goes_on_by_itself() {
    let root = tempfile::tempdir().unwrap();
    let disk = SmallDisk::new(root.path(), 256);
    let layout = Layout::new(root.path());
    let data = root.path().join("disk/data");
    let mut station = Station::configured(layout, |text| {
        text.replace(
            &format!("{:?}", root.path().join("data")),
            &format!("{data:?}"),
        )
    });
    station.start();
    let mut kiosk = Kiosk::connect(station.layout.mqtt, "kiosk-1");
    disk.fill(40);
    let prompt = kiosk.prompt("out-of-service", Duration::from_secs(30));
    assert_eq!(prompt["reasons"], json!(["storage-low"]));
    let claim = json!({"claim": {"citizen_number": "440524188001010014"}});
    assert_eq!(
        kiosk.request("start-pickup", claim.clone())["reason"],
        "out-of-service"
    );
    assert_eq!(station.metric("station_room_low"), Some(1.0));
    // Now to the very end, under load.
    let (sender, acked) = channel();
    let addr = station.layout.mqtt;
    let client = std::thread::spawn(move || load::until_broken(addr, "kiosk-9", 4, &sender));
    std::thread::sleep(Duration::from_millis(300));
    disk.fill(0);
    let end = Instant::now() + Duration::from_secs(40);
    let mut acknowledged = Vec::new();
    while Instant::now() < end && !client.is_finished() {
        acknowledged.extend(acked.try_iter());
        std::thread::sleep(Duration::from_millis(20));
    }
    // The log has met its floor: it is closed, every message is refused, and whoever asks is told why.
    assert!(
        client.is_finished(),
        "messages are still taken with no room at all"
    );
    client.join().unwrap();
    acknowledged.extend(acked.try_iter());
    // Where another program took the last block between two looks, sled has met the end: then the process
    // ends, as it must, and the service manager starts it again.
    if station.has_ended(Duration::from_secs(5)) {
        station.spawn();
    }
    wait_for(
        "the station says that it has no room",
        Duration::from_secs(30),
        || {
            let (status, body) = station_tests::station::http_get(station.layout.http, "/readyz")?;
            (status == 503 && body.contains("no-room")).then_some(())
        },
    );
    let mut raw = wait_for("the broker is up", Duration::from_secs(20), || {
        Raw::connect(addr, &Hello::v5("kiosk-7")).ok()
    });
    let refused = raw
        .publish_acked("station/v1/demo/kiosk-7/event/test", b"{}")
        .unwrap();
    assert!(refused >= 0x80, "acknowledged without a log: {refused:#x}");
    drop(raw);
    disk.empty();
    station.wait_ready();
    let mut kiosk = Kiosk::connect(addr, "kiosk-1");
    wait_for("service is resumed", Duration::from_secs(30), || {
        let receipt = kiosk.request("start-pickup", claim.clone());
        (receipt["reason"] == "no-record").then_some(())
    });
    assert!(station.stop().success());
    let entries = left::read_log("demo", &data, &station.layout.keys()).unwrap();
    let stored = left::messages(&entries, "kiosk-9");
    for id in &acknowledged {
        assert_eq!(stored.get(id), Some(&1), "{id} was acknowledged");
    }
    println!("disk full: {} acknowledged, 0 lost", acknowledged.len());
    assert!(!acknowledged.is_empty());
}
