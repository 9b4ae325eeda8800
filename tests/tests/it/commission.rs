//! Commissioning of a whole station by its own command (V2): all well; with a scanner and a camera that are off and an operator who
//! declines; with a wrong PIN.

use std::path::PathBuf;
use std::process::Output;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use schemas::event::Event;
use schemas::event::commission::Commissioned;
use schemas::words::{CommissionReason as Why, CommissionResult as R, CommissionStepName as Step};
use station_tests::config::Layout;
use station_tests::left;
use station_tests::load::REPORTERS;
use station_tests::station::{PIN, Station};
use station_tests::stock::Stocked;
use station_tests::wait_for;

/// A station whose only kiosk is the one that is there.
fn station(layout: Layout) -> Station {
    Station::configured(layout, |text| {
        let others = format!("\n\n[[kiosk]]\nid = {:?}", REPORTERS[0]);
        let (own, _) = text.split_once(&others).unwrap();
        format!("{own}\n").replace("trust = \"auto\"", "trust = \"always\"")
    })
}

fn files(stocked: &Stocked) -> Vec<PathBuf> {
    let folder = std::fs::read_dir(stocked.station.layout.root.join("report")).unwrap();
    let mut files: Vec<_> = folder.map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

fn of(event: &Commissioned, step: Step) -> (R, Option<Why>) {
    let found = event.steps.iter().find(|done| done.step == step).unwrap();
    (found.result, found.reason)
}

/// Runs the command while somebody lays a finger down and lifts it, again and again: only a finger that comes when it is asked for counts.
fn with_a_finger(stocked: &Stocked, args: &[&str], input: &str) -> Output {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for quality in ["good", "none"].into_iter().cycle() {
                stocked
                    .devices
                    .post(&format!("/citizen/finger/right?quality={quality}"));
                if over.load(Ordering::Relaxed) && quality == "none" {
                    return;
                }
                std::thread::sleep(Duration::from_millis(700));
            }
        });
        let output = stocked.station.tool(args, input);
        over.store(true, Ordering::Relaxed);
        output
    })
}

#[test]
fn v2_a_machine_is_commissioned_and_the_result_is_on_record() {
    let root = tempfile::tempdir().unwrap();
    let mut stocked = Stocked::with(station(Layout::new(root.path())), 2, &[]);
    let begin = [
        "commission",
        "--operator",
        "operator-1",
        "--report",
        "report",
    ];

    // All well: a card moves, a finger comes, nobody has a card for the intake.
    let output = with_a_finger(&stocked, &begin, &format!("{PIN}\ny\nn\ny\n"));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}\n{output:?}");
    assert!(
        said.contains("走卡测试 test motion dispenser-1: 通过 passed"),
        "{said}"
    );
    assert!(
        said.contains("由检查点覆盖"),
        "a checkpoint covers it: {said}"
    );
    let written = files(&stocked);
    let endings: Vec<_> = written
        .iter()
        .map(|file| file.extension().unwrap())
        .collect();
    assert_eq!(endings, ["html", "tlog-proof", "txt"]);
    let page = std::fs::read_to_string(&written[0]).unwrap();
    assert!(
        page.contains("lang=\"zh-CN\"") && page.contains("Commissioning report"),
        "{page}"
    );
    for card in &stocked.cards {
        let serial = card["serial"].as_str().unwrap();
        assert!(
            !page.contains(serial) && !said.contains(serial),
            "no card is named"
        );
    }

    // Off, and declined.
    stocked.devices.post("/fault/device/camera-1/off");
    stocked.devices.post("/fault/device/scanner-1/off");
    for device in ["camera-1", "scanner-1"] {
        let name = format!("station_device_up{{device={device:?}}}");
        wait_for("it is missed", Duration::from_secs(20), || {
            (stocked.station.metric(&name)? < 0.5).then_some(())
        });
    }
    let output = stocked.station.tool(&begin, &format!("{PIN}\nn\nn\nn\n"));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}\n{output:?}");
    assert!(
        said.contains("摄像头 camera camera-1: 未通过 failed — 设备离线"),
        "{said}"
    );

    let wrong = stocked.station.tool(&begin, "0000000\n");
    assert_eq!(wrong.status.code(), Some(2), "{wrong:?}");

    // The machine serves again.
    assert!(stocked.station.stop().success());
    let events: Vec<_> = left::entries(&stocked.station.layout)
        .into_iter()
        .map(|e| e.event)
        .collect();
    let mut reports = events.iter().filter_map(|event| match event {
        Event::Commissioned(report) => Some(report),
        _ => None,
    });
    let (well, ill) = (reports.next().unwrap(), reports.next().unwrap());
    assert_eq!(of(well, Step::Motion), (R::Passed, None));
    assert_eq!(of(well, Step::Finger), (R::Passed, None));
    assert_eq!(
        of(well, Step::IntakeCard),
        (R::Skipped, Some(Why::Declined))
    );
    assert_eq!(
        of(well, Step::Centre),
        (R::Skipped, Some(Why::NotConfigured))
    );
    assert_eq!(of(ill, Step::Scanner), (R::Failed, Some(Why::Offline)));
    assert_eq!(of(ill, Step::Finger), (R::Failed, Some(Why::Offline)));
    assert_eq!(of(ill, Step::Camera), (R::Failed, Some(Why::Offline)));
    assert_eq!(of(ill, Step::Motion), (R::Skipped, Some(Why::Declined)));
    assert_eq!(of(ill, Step::Inventory), (R::Passed, None));
    assert_eq!(well.configuration_sha256.len(), 64);
    let rejected = events.iter().any(|event| {
        matches!(event, Event::OperatorRejected(it) if it.request == "commission" && it.attempts == 1)
    });
    assert!(rejected, "a wrong PIN is on record");
    let photos = events
        .iter()
        .filter(|event| matches!(event, Event::PhotoArchived(_)));
    assert_eq!(photos.count(), 0, "no photo is kept");
}
