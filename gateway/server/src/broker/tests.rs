//! The door: who may do what, and what a client is told.

use gateway_broker::{
    Action, CertificateDer, ConnectRefusal, Hello, Identity, Legacy, PublishOutcome,
    PublishRefusal, Version,
};
use schemas::topic::Topics;

use super::{Acl, Gate, PLAIN, PLAIN_WEBSOCKET, TLS, Way, identity, outcome};
use crate::ingress::Taken;
use crate::testing::station;

/// G1, G7: the access rules, row by row.
#[test]
fn the_access_rules_hold() {
    use Action::{Publish, Receive, Subscribe, Will};
    let station = with_peripherals(station());
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
        // A kiosk speaks for its own peripherals and hears them; so may they themselves, and nobody else.
        ("kiosk-1", Publish, "printer-1/$state", true),
        ("kiosk-1", Publish, "printer-1/event/print-ended", true),
        ("kiosk-1", Publish, "printer-1/request/start-pickup", false),
        ("kiosk-1", Subscribe, "printer-1/#", true),
        ("kiosk-1", Receive, "barcode-1/scan", true),
        ("kiosk-1", Will, "printer-1/$state", false),
        ("printer-1", Publish, "printer-1/event/print-ended", true),
        ("printer-1", Will, "printer-1/$state", true),
        ("printer-1", Publish, "kiosk-1/state", false),
        ("printer-1", Publish, "barcode-1/scan", false),
        ("kiosk-2", Publish, "printer-1/$state", false),
        ("kiosk-2", Subscribe, "printer-1/#", false),
        ("kiosk-2", Receive, "barcode-1/scan", false),
        ("reader-1", Publish, "printer-1/$state", false),
        ("kiosk-1", Publish, "reader-1/$state", false),
        (&observer, Receive, "barcode-1/scan", false),
        (&observer, Receive, "printer-1/state", true),
        ("stranger", Publish, "stranger/$state", false),
        ("stranger", Subscribe, "stranger/#", false),
        (&observer, Publish, "kiosk-1/request/start-pickup", true),
        (&observer, Publish, "reader-1/event/jam", false),
        (&observer, Publish, "dispenser-1/cmd/move", false),
        (&observer, Will, "kiosk-1/$state", false),
        (&observer, Subscribe, "#", true),
        (&observer, Receive, "kiosk-1/session", true),
        (&observer, Receive, "kiosk-1/papers", false),
        ("kiosk-1", Receive, "kiosk-1/papers", true),
        ("kiosk-2", Subscribe, "kiosk-1/papers", false),
        ("kiosk-2", Receive, "kiosk-1/papers", false),
        ("printer-1", Receive, "kiosk-1/papers", false),
        ("kiosk-1", Publish, "kiosk-1/papers", false),
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

/// Two kiosks, the first with a printer and a barcode scanner.
fn with_peripherals(station: edge_config::Station) -> edge_config::Station {
    let none = "# peripherals = [\"printer-1\"]\n";
    let more = "peripherals = [\"printer-1\", \"barcode-1\"]\n\
        [[kiosk]]\nid = \"kiosk-2\"\nmachine = \"machine-1\"\n\
        [[device]]\nid = \"printer-1\"\nkind = \"printer\"\n\
        [[device]]\nid = \"barcode-1\"\nkind = \"barcode-scanner\"\n";
    let text = edge_config::DEFAULT_STATION.replace(none, more);
    edge_config::parse_station(&text, "station.toml", station.policy).unwrap()
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
        ("scanner-1/cmd/capture-finger", true),
        ("faces-1/cmd/compare-faces", true),
        ("faces-1/cmd/compare-faces/reply", true),
        ("camera-1/blob/x", true),
        ("barcode-1/scan", true),
        ("kiosk-1/request/start-pickup", true),
        ("kiosk-1/session", true),
        ("kiosk-1/papers", true),
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

/// The gateway sends open commands again after a restart by itself, so none comes back from the broker's disk, where it
/// may be out of date; nor is one retained. Receipts and prompts without a person stay as they were.
#[test]
fn commands_are_kept_in_memory_only() {
    use gateway_broker::{Handler as _, Storage};
    let gate = Gate::new(
        &station(),
        crate::metrics::Metrics::new().unwrap(),
        Way::Closed,
    );
    for (below, storage) in [
        ("dispenser-1/cmd/move", Storage::MEMORY),
        ("reader-1/cmd/read", Storage::MEMORY),
        ("camera-1/cmd/capture", Storage::MEMORY),
        ("scanner-1/cmd/match", Storage::MEMORY),
        ("kiosk-1/papers", Storage::MEMORY),
        ("dispenser-1/cmd/move/reply", Storage::DURABLE),
        ("kiosk-1/receipt/x", Storage::DURABLE),
        ("reader-1/$state", Storage::DURABLE),
    ] {
        let topic = format!("station/v1/demo/{below}");
        assert_eq!(gate.storage(&topic), storage, "{below}");
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
            refused(PublishRefusal::PayloadFormatInvalid, Legacy::Acknowledge),
        ),
        // An image of somebody who has left: it must not come back until somebody else is served.
        (
            Taken::NotKept,
            false,
            refused(PublishRefusal::NotAuthorised, Legacy::Acknowledge),
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

/// A certificate with these alternative names and this common name.
fn certificate(alternative: &[&str], common: Option<&str>) -> CertificateDer<'static> {
    let key = rcgen::KeyPair::generate().unwrap();
    let names: Vec<_> = alternative.iter().map(|name| (*name).to_owned()).collect();
    let mut params = rcgen::CertificateParams::new(names).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    if let Some(common) = common {
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, common);
    }
    params.self_signed(&key).unwrap().der().clone()
}

fn connect(
    listener: &str,
    peer: &str,
    client_id: &str,
    certificates: &[CertificateDer<'static>],
) -> Result<Identity, ConnectRefusal> {
    connect_to(&station(), listener, peer, client_id, certificates)
}

fn connect_to(
    station: &edge_config::Station,
    listener: &str,
    peer: &str,
    client_id: &str,
    certificates: &[CertificateDer<'static>],
) -> Result<Identity, ConnectRefusal> {
    let acl = Acl::new(station, Topics::new(station.id.clone()));
    let hello = Hello {
        peer: peer.parse().unwrap(),
        listener,
        certificates,
        client_id,
        client_id_given: !client_id.is_empty(),
        username: None,
        password: None,
        version: Version::V5,
        clean_start: true,
    };
    identity::identify(&hello, &acl)
}

/// G1: with TLS the certificate decides who a client is.
#[test]
fn the_certificate_decides() {
    let device = |id: &str| Ok(Identity::new(id, id));
    let refused = Err(ConnectRefusal::NotAuthorised);
    for (alternative, common, expected) in [
        (&["kiosk-1"][..], None, device("kiosk-1")),
        (&[], Some("reader-1"), device("reader-1")),
        (&["kiosk-1"], Some("reader-1"), device("kiosk-1")),
        (&["host.example", "kiosk-1"], None, device("kiosk-1")),
        (&["kiosk-1", "reader-1"], None, refused.clone()),
        (&["stranger"], Some("kiosk-1"), refused.clone()),
        (&[], Some("stranger"), refused.clone()),
        (&[], None, refused.clone()),
    ] {
        let chain = [certificate(alternative, common)];
        let who = connect(TLS, "192.0.2.7:4000", "", &chain);
        assert_eq!(who, expected, "{alternative:?} {common:?}");
    }
    assert_eq!(connect(TLS, "192.0.2.7:4000", "kiosk-1", &[]), refused);
    // MQTT 5, 3.2.2.3.7: another id than the certificate's is refused, not replaced.
    let chain = [certificate(&["kiosk-1"], None)];
    for (client_id, expected) in [
        ("kiosk-1", device("kiosk-1")),
        ("dispenser-1", Err(ConnectRefusal::ClientIdentifierNotValid)),
    ] {
        assert_eq!(connect(TLS, "192.0.2.7:4000", client_id, &chain), expected);
    }
}

/// G1: where devices have certificates, the plain listener takes only the devices that run in this program; observers
/// come in as before.
#[test]
fn the_plain_listener_is_no_way_around_certificates() {
    let mut station = station();
    let edge_config::Broker::Embedded(embedded) = &mut station.broker else {
        unreachable!("the shipped station has a broker of its own")
    };
    embedded.tls = Some(edge_config::TlsListener {
        listen: "127.0.0.1:8883".parse().unwrap(),
        websocket: None,
        certificate: "a".into(),
        key: "b".into(),
        client_ca: "c".into(),
        crl: None,
    });
    let ids = [
        // These have adapters in the gateway's own process.
        "dispenser-1",
        "reader-1",
        "reader-2",
        "scanner-1",
        "camera-1",
        "kiosk-1",
    ];
    for (simulated, own) in [(true, 6), (false, 5)] {
        station.demo.simulated_devices = simulated;
        for (at, id) in ids.iter().enumerate() {
            let expected = if at < own {
                Ok(Identity::new(*id, *id))
            } else {
                Err(ConnectRefusal::NotAuthorised)
            };
            for listener in [PLAIN, PLAIN_WEBSOCKET] {
                let who = connect_to(&station, listener, "127.0.0.1:4000", id, &[]);
                assert_eq!(who, expected, "{id} on {listener}, simulated: {simulated}");
            }
            let chain = [certificate(&[*id], None)];
            let who = connect_to(&station, TLS, "127.0.0.1:4000", id, &chain);
            assert_eq!(who, Ok(Identity::new(*id, *id)));
        }
        let who = connect_to(&station, PLAIN, "127.0.0.1:4000", "mosq", &[]);
        assert_eq!(who, Ok(Identity::new("mosq", "observer/mosq")));
    }
}

/// On a plain listener the client id decides, and a stranger may only observe, from this machine.
#[test]
fn strangers_observe_from_this_machine_only() {
    let device = Ok(Identity::new("kiosk-1", "kiosk-1"));
    assert_eq!(connect(PLAIN, "192.0.2.7:4000", "kiosk-1", &[]), device);
    assert_eq!(
        connect(PLAIN, "192.0.2.7:4000", "mosq", &[]),
        Err(ConnectRefusal::NotAuthorised)
    );
    assert_eq!(
        connect(PLAIN, "127.0.0.1:4000", "mosq", &[]),
        Ok(Identity::new("mosq", "observer/mosq"))
    );
    assert_eq!(
        connect(PLAIN, "[::1]:4000", "mosq", &[]),
        Ok(Identity::new("mosq", "observer/mosq"))
    );
    let invalid = Err(ConnectRefusal::ClientIdentifierNotValid);
    assert_eq!(connect(PLAIN, "127.0.0.1:4000", "a/b", &[]), invalid);
}
