//! V1: the shipped files are good, say what the code's own defaults say, and the examples of a vehicle and a hall are
//! real configurations.

use std::path::{Path, PathBuf};

use edge_config::{
    Broker, BrokerLimits, BrokerUrl, ConfigErrors, DEFAULT_POLICY, DEFAULT_STATION, Policy,
    PullLimits, load, parse_policy, parse_station,
};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

#[test]
fn the_shipped_station_is_good_and_listens_on_loopback_only() {
    let station = load(None, None).unwrap();
    assert_eq!(station.id.as_str(), "demo");
    let Broker::Embedded(broker) = &station.broker else {
        panic!("not embedded")
    };
    for address in [
        broker.tcp,
        broker.websocket,
        Some(station.http.listen),
        Some(station.demo.control),
        station.pull.as_ref().map(|pull| pull.listen),
    ] {
        assert!(address.unwrap().ip().is_loopback());
    }
    assert_eq!(broker.tcp.unwrap().port(), 1883);
    assert!(station.demo.simulated_devices);
    let machine = station
        .machine(&station.kiosks.first().unwrap().machine)
        .unwrap();
    let dispenser = &station.modbus_dispensers.first().unwrap().device;
    assert_eq!(station.machine_of_dispenser(dispenser), Some(machine));
    let origin = station
        .origin("0190b7a2-1f00-7000-8000-000000000001")
        .unwrap();
    assert_eq!(
        origin.as_str(),
        "gateway.demo/station/demo/0190b7a2-1f00-7000-8000-000000000001"
    );
    assert!(station.origin("UPPER").is_err());
}

/// A file that is left out, or a key, means what the shipped files say.
#[test]
fn shipped_files_say_what_the_defaults_are() {
    assert_eq!(
        parse_policy(DEFAULT_POLICY, "policy").unwrap(),
        Policy::default()
    );
    assert_eq!(parse_policy("", "policy").unwrap(), Policy::default());
    let shipped = parse_station(DEFAULT_STATION, "station", Policy::default()).unwrap();
    let bare = without(&["[storage]", "[broker", "[http]", "[pipeline]", "[clock]"]);
    assert_eq!(
        parse_station(&bare, "station", Policy::default()).unwrap(),
        shipped
    );
    assert_eq!(shipped.pull.unwrap().limits, PullLimits::default());
    // What gives the log away is written, or is not there.
    let silent = parse_station(&without(&["[pull]"]), "station", Policy::default()).unwrap();
    assert_eq!(silent.pull, None);
    let Broker::Embedded(broker) = shipped.broker else {
        panic!("not embedded")
    };
    assert_eq!(broker.limits, BrokerLimits::default());
}

/// The shipped station without these sections.
fn without(sections: &[&str]) -> String {
    let mut kept = true;
    let lines = DEFAULT_STATION.lines().filter(|line| {
        if line.starts_with('[') {
            kept = !sections.iter().any(|section| line.starts_with(section));
        }
        kept
    });
    lines.flat_map(|line| [line, "\n"]).collect()
}

#[test]
fn examples_are_good() {
    let vehicle = load(Some(&file("vehicle.toml")), Some(&file("policy.toml"))).unwrap();
    assert!(!vehicle.demo.simulated_devices);
    let hall = load(Some(&file("hall.toml")), None).unwrap();
    assert_eq!((hall.machines.len(), hall.kiosks.len()), (2, 4));
    assert_eq!(hall.pull.unwrap().tls.unwrap().clients.len(), 2);
    assert_eq!(vehicle.pull, None);
}

#[test]
fn a_file_that_is_not_there_is_named_with_all_other_problems() {
    let errors: ConfigErrors = load(
        Some(Path::new("no/such/station.toml")),
        Some(Path::new("no/such/policy.toml")),
    )
    .unwrap_err();
    let files: Vec<_> = errors
        .problems()
        .iter()
        .map(|problem| problem.file.as_str())
        .collect();
    assert_eq!(files, ["no/such/station.toml", "no/such/policy.toml"]);
    assert!(
        errors
            .to_string()
            .contains("no/such/policy.toml: cannot be read: ")
    );
}

#[test]
fn broker_urls_are_read() {
    for (text, tls, host, port) in [
        ("mqtt://10.0.0.1", false, "10.0.0.1", 1883),
        ("mqtts://broker.example/", true, "broker.example", 8883),
        ("mqtts://[fd00::1]:9", true, "fd00::1", 9),
    ] {
        assert_eq!(
            text.parse(),
            Ok(BrokerUrl {
                tls,
                host: host.into(),
                port
            }),
            "{text}"
        );
    }
    for bad in [
        "",
        "http://a",
        "mqtt://",
        "mqtt://a:0",
        "mqtt://a:b",
        "mqtt://[::1",
        "mqtt://a/b",
        "mqtt://u@a",
    ] {
        assert!(bad.parse::<BrokerUrl>().is_err(), "{bad}");
    }
}

/// A PIN's hash does not print.
#[test]
fn hashes_do_not_print() {
    let station = load(None, None).unwrap();
    assert!(!format!("{station:?}").contains("argon2id"));
}

/// G1: the example of adapters in a process of their own is a real configuration, with certificates for each device.
#[test]
fn g1_the_example_of_adapters_elsewhere_is_good() {
    let adapters = edge_config::load_adapters(&file("adapters.toml")).unwrap();
    let tls = adapters.broker.tls.as_ref().unwrap();
    let devices: Vec<_> = adapters.adapted().ids().collect();
    assert_eq!(devices.len(), 6);
    let certificate = tls.certificate(devices.first().unwrap());
    assert!(certificate.ends_with("dispenser-1.pem"));
    assert!(adapters.http.listen.ip().is_loopback());
}
