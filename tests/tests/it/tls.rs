//! TLS 1.3 with client certificates: the certificate's identity decides client id and topics. Judged by
//! openssl (certificates) and Debian's mosquitto_pub.

use std::path::Path;
use std::process::{Command, Output};

use schemas::event::Event;
use serde_json::json;
use station_tests::certificates::certificates;
use station_tests::config::Layout;
use station_tests::new_id;
use station_tests::station::Station;

fn publish(
    folder: &Path,
    port: u16,
    certificate: Option<&str>,
    client_id: &str,
    topic: &str,
) -> Output {
    let payload = json!({"message_id": new_id()}).to_string();
    let mut command = Command::new("mosquitto_pub");
    command.args([
        "-V",
        "mqttv5",
        "-q",
        "1",
        "-h",
        "localhost",
        "-p",
        &port.to_string(),
        "--cafile",
        "ca.pem",
    ]);
    command
        .args(["-t", topic, "-m", &payload, "-i", client_id])
        .current_dir(folder);
    if let Some(name) = certificate {
        command.args([
            "--cert",
            &format!("{name}.pem"),
            "--key",
            &format!("{name}.key"),
        ]);
    }
    command
        .output()
        .expect("mosquitto_pub is needed: apt-get install mosquitto-clients")
}

fn refused(output: &Output) -> bool {
    let text = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    !output.status.success() || text.to_lowercase().contains("not authorized")
}

/// G1, G7: a certificate may publish as its own device and as no other; without one nobody comes in.
#[test]
fn g1_the_certificate_decides_who_a_device_is() {
    let root = tempfile::tempdir().unwrap();
    certificates(root.path(), &["kiosk-1", "kiosk-9"]);
    let port = station_tests::ports::free().port();
    let mut station = Station::configured(Layout::new(root.path()), |text| {
        let tls = format!(
            "[broker.embedded.tls]\nlisten = \"127.0.0.1:{port}\"\ncertificate = \"server.pem\"\nkey = \"server.key\"\nclient_ca = \"ca.pem\"\n\n[http]"
        );
        text.replace("[http]", &tls)
    });
    station.start();
    let kiosk = "station/v1/demo/kiosk-1/event/test";
    let camera = "station/v1/demo/kiosk-9/event/test";
    let good = publish(root.path(), port, Some("kiosk-1"), "kiosk-1", kiosk);
    assert!(!refused(&good), "{good:?}");
    for (certificate, client_id, topic) in [
        (Some("kiosk-1"), "kiosk-1", camera),
        (None, "kiosk-1", kiosk),
        (Some("kiosk-9"), "kiosk-9", kiosk),
        (Some("kiosk-9"), "kiosk-1", kiosk),
    ] {
        let output = publish(root.path(), port, certificate, client_id, topic);
        assert!(refused(&output), "{certificate:?} on {topic}: {output:?}");
    }
    // TLS 1.2 is not spoken.
    let old = Command::new("openssl")
        .args([
            "s_client",
            "-connect",
            &format!("127.0.0.1:{port}"),
            "-tls1_2",
        ])
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    assert!(!old.status.success(), "TLS 1.2 was accepted");
    assert!(station.stop().success());
    let entries = station_tests::left::entries(&station.layout);
    let recorded = entries
        .iter()
        .filter(|e| matches!(&e.event, Event::DeviceReported(r) if r.report == "test"));
    assert_eq!(recorded.count(), 1, "only the good one is in the log");
}
