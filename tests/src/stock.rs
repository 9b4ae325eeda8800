//! A stocked station: the synthetic batch brought in by the operator's hands, as in life.

use serde_json::{Value, json};
use std::time::Duration;

use crate::config::Layout;
use crate::kiosk::Kiosk;
use crate::station::{Devices, PIN, Station};

/// Operator and PIN as a request carries them.
pub fn operator() -> Value {
    json!({"id": "operator-1", "pin": PIN})
}

/// A running station with devices, and what the manifest of its first batch says.
#[derive(Debug)]
pub struct Stocked {
    pub station: Station,
    pub devices: Devices,
    pub kiosk: Kiosk,
    /// The manifest's cards.
    pub cards: Vec<Value>,
}

impl Stocked {
    /// Starts a station in `root` and loads the first `loaded` cards of the batch.
    pub fn start(root: &std::path::Path, loaded: usize) -> Self {
        Self::with(Station::new(Layout::new(root)), loaded, &[])
    }

    /// The same for a station that is configured already.
    pub fn with(mut station: Station, loaded: usize, devices: &[&str]) -> Self {
        station.start();
        let layout = station.layout.clone();
        let devices = Devices::start(&layout, devices);
        // The gateway was there first: its adapters have found nobody yet, and try again after a pause.
        for device in ["reader-1", "reader-2", "scanner-1"] {
            let figure = format!("station_device_online{{device=\"{device}\"}}");
            crate::wait_for(
                "readers and scanner are there",
                Duration::from_secs(20),
                || {
                    let is_online = station.metric(&figure)? > 0.0;
                    is_online.then_some(())
                },
            );
        }
        let kiosk = Kiosk::connect(layout.mqtt, "kiosk-1");
        Self::filled(station, devices, kiosk, loaded)
    }

    /// The same for a station whose devices are there, with the kiosk that its operator stands at.
    pub fn filled(station: Station, devices: Devices, kiosk: Kiosk, loaded: usize) -> Self {
        let mut stocked = Self {
            station,
            devices,
            kiosk,
            cards: Vec::new(),
        };
        stocked.receive();
        for at in 0..loaded {
            stocked.load(at);
        }
        stocked
    }

    /// Has the manifest taken in.
    fn receive(&mut self) {
        let written = std::process::Command::new(crate::station::binary("simulator"))
            .arg("manifest")
            .arg(self.station.layout.inbox())
            .output()
            .unwrap();
        assert!(written.status.success(), "{written:?}");
        let path = self.station.layout.inbox().join("demo-1.json");
        let manifest: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        self.cards.clone_from(manifest["cards"].as_array().unwrap());
        let receipt = self.kiosk.request(
            "receive-batch",
            json!({"operator": operator(), "batch": "demo-1"}),
        );
        assert_eq!(receipt["outcome"], "accepted", "{receipt}");
    }

    /// Card `at` of the manifest: scanned, laid into the hopper, loaded into slot `at`.
    pub fn load(&mut self, at: usize) {
        self.begin_load(at);
        self.kiosk.prompt("done", Duration::from_secs(20));
    }

    /// As far as the machine having begun.
    pub fn begin_load(&mut self, at: usize) {
        let card = self.cards[at]["serial"].clone();
        let scan = json!({"operator": operator(), "batch": "demo-1", "card": card});
        assert_eq!(self.kiosk.request("scan-card", scan)["outcome"], "accepted");
        self.devices
            .post(&format!("/operator/hopper?card={}", card.as_str().unwrap()));
        let load = json!({
            "operator": operator(), "card": card, "machine": "machine-1",
            "slot": {"column": 0, "slot": at},
        });
        // The dispenser is asked what it did last before it is used: that takes a moment after a start.
        crate::wait_for("the machine takes a card", Duration::from_secs(20), || {
            let receipt = self.kiosk.request("load-card", load.clone());
            (receipt["outcome"] == "accepted").then_some(())
        });
    }

    /// Starts a pickup with the voucher of card `at` and gives the receipt.
    pub fn start_pickup(&mut self, at: usize) -> Value {
        let voucher = self.cards[at]["voucher"].clone();
        self.kiosk
            .request("start-pickup", json!({"claim": {"voucher": voucher}}))
    }
}
