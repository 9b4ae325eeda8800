//! The door: who may do what, and what a client is told.

use gateway_broker::{Action, Legacy, PublishOutcome, PublishRefusal};
use schemas::topic::Topics;

use super::{Acl, outcome};
use crate::ingress::Taken;
use crate::testing::station;

/// G1, G7: the access rules, row by row.
#[test]
fn the_access_rules_hold() {
    use Action::{Publish, Receive, Subscribe, Will};
    let station = station();
    let acl = Acl::new(&station, Topics::new(station.id.clone()));
    let observer = Acl::observer("mosq-1");
    let table = [
        ("reader-1", Publish, "reader-1/$state", true),
        ("reader-1", Publish, "reader-1/cmd/read/reply", true),
        ("reader-1", Publish, "reader-1/prop/level", true),
        ("reader-1", Publish, "reader-2/$state", false),
        ("reader-1", Publish, "reader-1/request/start-pickup", false),
        ("reader-1", Publish, "reader-1/cmd/read", false),
        ("reader-1", Publish, "reader-1/receipt/x", false),
        ("reader-1", Publish, "reader-1/session", false),
        ("kiosk-1", Publish, "kiosk-1/request/start-pickup", true),
        ("kiosk-1", Publish, "kiosk-2/request/start-pickup", false),
        ("reader-1", Subscribe, "reader-1/#", true),
        ("reader-1", Subscribe, "reader-1/cmd/+", true),
        ("reader-1", Subscribe, "reader-10/cmd/+", false),
        ("reader-1", Subscribe, "+/cmd/+", false),
        ("reader-1", Subscribe, "#", false),
        ("scanner-1", Receive, "scanner-1/cmd/match", true),
        ("scanner-1", Receive, "reader-1/cmd/read", false),
        ("reader-1", Will, "reader-1/$state", true),
        ("reader-1", Will, "reader-1/state", false),
        ("reader-1", Will, "reader-2/$state", false),
        ("stranger", Publish, "stranger/$state", false),
        ("stranger", Subscribe, "stranger/#", false),
        (&observer, Publish, "kiosk-1/request/start-pickup", true),
        (&observer, Publish, "reader-1/event/jam", false),
        (&observer, Publish, "dispenser-1/cmd/move", false),
        (&observer, Will, "kiosk-1/$state", false),
        (&observer, Subscribe, "#", true),
        (&observer, Receive, "kiosk-1/session", true),
        (&observer, Receive, "kiosk-1/receipt/x", true),
        (&observer, Receive, "dispenser-1/cmd/move", true),
        (&observer, Receive, "scanner-1/cmd/match", false),
        (&observer, Receive, "scanner-1/cmd/match/reply", false),
        (&observer, Receive, "reader-1/cmd/read/reply", false),
        (&observer, Receive, "camera-1/blob/x", false),
        (&observer, Receive, "kiosk-1/request/start-pickup", false),
    ];
    for (principal, action, below, allowed) in table {
        let topic = if below == "#" {
            "#".to_owned()
        } else {
            format!("station/v1/demo/{below}")
        };
        assert_eq!(
            acl.allows(principal, action, &topic),
            allowed,
            "{principal} {action:?} {topic}"
        );
    }
    assert!(!acl.allows(&observer, Receive, "other/topic"));
    assert!(!acl.allows("reader-1", Publish, "station/v1/other/reader-1/$state"));
}

/// Without simulated devices an observer changes nothing and sees nobody's prompt.
#[test]
fn an_observer_of_a_real_station_only_observes() {
    let mut station = station();
    station.demo.simulated_devices = false;
    let acl = Acl::new(&station, Topics::new(station.id.clone()));
    let observer = Acl::observer("mosq-1");
    assert!(!acl.allows(
        &observer,
        Action::Publish,
        "station/v1/demo/kiosk-1/request/start-pickup"
    ));
    assert!(!acl.allows(
        &observer,
        Action::Receive,
        "station/v1/demo/kiosk-1/session"
    ));
    assert!(acl.allows(&observer, Action::Receive, "station/v1/demo/reader-1/state"));
}

/// G7: what carries personal data is never retained or written to disk by the broker.
#[test]
fn personal_topics_are_kept_in_memory_only() {
    let station = station();
    let acl = Acl::new(&station, Topics::new(station.id.clone()));
    for (below, personal) in [
        ("reader-1/cmd/read/reply", true),
        ("scanner-1/cmd/match", true),
        ("scanner-1/cmd/match/reply", true),
        ("camera-1/blob/x", true),
        ("kiosk-1/request/start-pickup", true),
        ("kiosk-1/session", true),
        ("kiosk-1/receipt/x", false),
        ("dispenser-1/cmd/move", false),
        ("reader-1/$state", false),
    ] {
        assert_eq!(
            acl.is_personal(&format!("station/v1/demo/{below}")),
            personal,
            "{below}"
        );
    }
}

/// architecture.md, "What is acknowledged how": the reason code in MQTT 5, and what 3.1.1 sees.
#[test]
fn each_fate_has_its_answer() {
    let refused = |reason, legacy| PublishOutcome::Refused { reason, legacy };
    for (taken, routed, answer) in [
        (Taken::Yes, true, PublishOutcome::Accepted),
        (Taken::Yes, false, PublishOutcome::Consumed),
        (
            Taken::Unreadable,
            true,
            refused(PublishRefusal::PayloadFormatInvalid, Legacy::Acknowledge),
        ),
        (
            Taken::IdReused,
            true,
            refused(PublishRefusal::ImplementationSpecific, Legacy::Acknowledge),
        ),
        (
            Taken::Busy,
            true,
            refused(PublishRefusal::QuotaExceeded, Legacy::Close),
        ),
        (
            Taken::Failed,
            true,
            refused(PublishRefusal::Unspecified, Legacy::Close),
        ),
    ] {
        assert_eq!(outcome(taken, routed), answer, "{taken:?}");
    }
}
