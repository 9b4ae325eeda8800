//! G3 on the real binaries: a device with a receipt ahead of the log puts the station out of service; where the device is wrong, two
//! operators let it go on, and both are on record.

use std::time::Duration;

use schemas::event::Event;
use serde_json::json;
use station_tests::raw::{Hello, Raw};
use station_tests::station::{PIN, Station, http_get};
use station_tests::stock::Stocked;
use station_tests::{left, new_id, wait_for};

const STEP: Duration = Duration::from_secs(20);

/// `/readyz`: its status, and whether it names the witness.
fn ready(station: &Station) -> (u16, bool) {
    let (status, body) = http_get(station.layout.http, "/readyz").unwrap();
    (status, body.contains("log-behind-witness"))
}

/// A device is born with a receipt of an event that this log does not have.
fn claim_ahead(station: &Station, device: &str) -> Raw {
    let life = json!({"state": "online", "protocol": 1, "boot_id": new_id(),
        "last_receipt": {"incarnation": 1, "index": 100_000}});
    let mut claimant = Raw::connect(station.layout.mqtt, &Hello::v5(device)).unwrap();
    let topic = format!("station/v1/demo/{device}/$state");
    claimant
        .publish_with(&topic, life.to_string().as_bytes(), true)
        .unwrap();
    claimant.read().unwrap();
    claimant
}

/// What must not let the station go on: (approvers, PINs, what is said).
const REFUSED: [(&[&str], &str, &str); 5] = [
    (&["operator-1"], PIN, "two operators approve"),
    (
        &["operator-1", "operator-1"],
        PIN,
        "two different operators approve",
    ),
    (
        &["operator-1", "operator-2"],
        "00000000",
        "not the PIN of operator-2",
    ),
    (&["operator-1", "operator-2"], "", "not a valid PIN"),
    (&["operator-1", "operator-3"], PIN, "no operator operator-3"),
];

fn dismiss(approvers: &[&'static str]) -> Vec<&'static str> {
    let mut args = vec!["dismiss-witness"];
    args.extend(approvers.iter().flat_map(|who| ["--approver", *who]));
    args
}

/// G3: one approver, one person twice, a wrong PIN or an unknown name change nothing; two operators do, once, and over a restart.
#[test]
fn g3_two_operators_dismiss_a_witness_that_is_wrong() {
    let root = tempfile::tempdir().unwrap();
    let mut stocked = Stocked::start(root.path(), 1);
    let both = dismiss(&["operator-1", "operator-2"]);
    let pins = format!("{PIN}\n{PIN}\n");
    let early = stocked.station.tool(&both, &pins);
    assert_eq!(early.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&early.stderr).contains("nothing to dismiss"));

    drop(claim_ahead(&stocked.station, "kiosk-9"));
    wait_for("the station is out of service", STEP, || {
        (ready(&stocked.station) == (503, true)).then_some(())
    });
    assert_eq!(stocked.start_pickup(0)["reason"], "out-of-service");
    for (approvers, second, said) in REFUSED {
        let output = stocked
            .station
            .tool(&dismiss(approvers), &format!("{PIN}\n{second}\n"));
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(error.contains(said), "{approvers:?}: {error}");
        assert_eq!(ready(&stocked.station), (503, true), "{approvers:?}");
    }
    // Starting it again is no way around them.
    assert!(stocked.station.stop().success());
    stocked.station.spawn();
    wait_for("it is still out of service", STEP, || {
        (http_get(stocked.station.layout.http, "/readyz")?.0 == 503 && ready(&stocked.station).1)
            .then_some(())
    });
    let said = wait_for("the commands reach the station", STEP, || {
        let output = stocked.station.tool(&both, &pins);
        output.status.success().then_some(output.stdout)
    });
    assert!(
        String::from_utf8(said)
            .unwrap()
            .contains("operator-1 and operator-2")
    );
    wait_for("the station is in service", STEP, || {
        (ready(&stocked.station) == (200, false)).then_some(())
    });
    assert_eq!(stocked.station.tool(&both, &pins).status.code(), Some(1));
    recorded(&mut stocked);
}

/// Who said what is in the log, once each, and the log is whole.
fn recorded(stocked: &mut Stocked) {
    assert!(stocked.station.tool_ok(&["verify"], "").contains("whole"));
    assert!(stocked.station.stop().success());
    let entries = left::entries(&stocked.station.layout);
    let ahead: Vec<_> = entries
        .iter()
        .filter_map(|entry| match &entry.event {
            Event::WitnessAhead(event) => Some(event.device.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(ahead, ["kiosk-9"]);
    let dismissed: Vec<_> = entries
        .iter()
        .filter_map(|entry| match &entry.event {
            Event::WitnessDismissed(event) => Some(event.approvers.clone()),
            _ => None,
        })
        .collect();
    let [approvers] = dismissed.as_slice() else {
        panic!("dismissed {} times", dismissed.len());
    };
    assert_eq!(
        approvers.each_ref().map(schemas::ids::OperatorId::as_str),
        ["operator-1", "operator-2"]
    );
}
