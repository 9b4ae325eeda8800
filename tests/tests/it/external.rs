//! The same flow over an external broker: Debian's Mosquitto, through a client with manual
//! acknowledgement. The receipt carries the promise.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use station_tests::config::Layout;
use station_tests::station::Station;
use station_tests::stock::Stocked;

struct Mosquitto(Child);

impl Mosquitto {
    fn start(layout: &Layout) -> Self {
        let config = layout.root.join("mosquitto.conf");
        let text = format!(
            "listener {} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 0\nset_tcp_nodelay true\n",
            layout.mqtt.port()
        );
        std::fs::write(&config, text).unwrap();
        let child = ["/usr/sbin/mosquitto", "mosquitto"]
            .into_iter()
            .find_map(|name| {
                Command::new(name)
                    .arg("-c")
                    .arg(&config)
                    .stderr(Stdio::null())
                    .spawn()
                    .ok()
            })
            .expect("mosquitto is needed: apt-get install mosquitto");
        let addr = layout.mqtt;
        station_tests::wait_for("mosquitto listens", Duration::from_secs(10), || {
            std::net::TcpStream::connect(addr).ok()
        });
        Self(child)
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// P1 to P7 over Mosquitto.
#[test]
fn p1_p7_a_card_is_collected_over_mosquitto() {
    let root = tempfile::tempdir().unwrap();
    let layout = Layout::new(root.path());
    let mosquitto = Mosquitto::start(&layout);
    let url = format!("mqtt://{}", layout.mqtt);
    let station = Station::configured(layout, |text| {
        let section =
            format!("[broker.external]\nurl = \"{url}\"\nclient_id = \"gateway-demo\"\n\n[http]");
        text.replace("mode = \"embedded\"", "mode = \"external\"")
            .replace("[http]", &section)
    });
    let mut stocked = Stocked::with(station, 1, &[]);
    let receipt = stocked.start_pickup(0);
    assert_eq!(receipt["outcome"], "accepted", "{receipt}");
    let done = stocked.kiosk.prompt("done", Duration::from_secs(30));
    assert_eq!(done["outcome"], "collected");
    let id = station_tests::new_id();
    let body = serde_json::json!({"message_id": id, "deadline_ms": 4_102_444_800_000_u64,
        "claim": {"voucher": stocked.cards[0]["voucher"]}});
    let first = stocked.kiosk.request_as("start-pickup", &id, &body);
    assert_eq!(first["reason"], "already-collected");
    assert_eq!(
        first,
        stocked.kiosk.request_as("start-pickup", &id, &body),
        "a duplicate gets the first receipt"
    );
    drop(mosquitto);
}
