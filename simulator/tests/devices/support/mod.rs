//! A Mosquitto of one's own, and a stand-in for the gateway: it sends commands and sees what comes.

pub(crate) mod bench;
pub(crate) mod camera;
pub(crate) mod face;
pub(crate) mod lighttpd;
pub(crate) mod reader;
pub(crate) mod scanner;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use adapters::link::{Broker, LinkConfig};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::Packet;
use rumqttc::v5::{AsyncClient, Event, MqttOptions};
use schemas::ids::{DeviceId, StationId};
use schemas::message::device::Description;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::mpsc;

pub(crate) const PATIENCE: Duration = Duration::from_secs(40);

/// Debian's Mosquitto on a free loopback port; ends with the test.
pub(crate) struct Mosquitto {
    pub(crate) port: u16,
    child: Option<Child>,
    folder: TempDir,
}

impl Mosquitto {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let folder = TempDir::new().unwrap();
        let text =
            format!("listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n");
        std::fs::write(folder.path().join("mosquitto.conf"), text).unwrap();
        let mut broker = Self {
            port,
            child: None,
            folder,
        };
        broker.switch_on();
        broker
    }

    pub(crate) fn switch_on(&mut self) {
        let child = Command::new("/usr/sbin/mosquitto")
            .arg("-c")
            .arg(self.folder.path().join("mosquitto.conf"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.child = Some(child.expect("this test needs mosquitto: apt-get install mosquitto"));
        let limit = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < limit, "mosquitto does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn switch_off(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().ok();
            child.wait().ok();
        }
    }

    pub(crate) fn broker(&self) -> Broker {
        Broker {
            host: "127.0.0.1".to_owned(),
            port: self.port,
        }
    }

    pub(crate) fn link(&self, device: &str, description: Description) -> LinkConfig {
        LinkConfig::new(
            self.broker(),
            StationId::new("demo").unwrap(),
            DeviceId::new(device).unwrap(),
            description,
        )
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        self.switch_off();
    }
}

/// Sees everything below `station/v1/demo` and publishes what it is told.
pub(crate) struct Gateway {
    client: AsyncClient,
    messages: mpsc::UnboundedReceiver<(String, Vec<u8>)>,
}

impl Gateway {
    pub(crate) async fn connect(broker: &Mosquitto) -> Self {
        let mut options = MqttOptions::new("gateway", "127.0.0.1", broker.port);
        options.set_keep_alive(Duration::from_secs(30));
        options.set_max_packet_size(Some(1 << 21));
        // Else a command waits up to 40 ms for TCP's acknowledgement of the PUBACK before it.
        let mut network = options.network_options();
        network.set_tcp_nodelay(true);
        options.set_network_options(network);
        let (client, mut events) = AsyncClient::new(options, 64);
        client
            .subscribe("station/v1/demo/#", QoS::AtLeastOnce)
            .await
            .unwrap();
        let (sender, messages) = mpsc::unbounded_channel();
        let (ready, subscribed) = tokio::sync::oneshot::channel();
        let mut ready = Some(ready);
        tokio::spawn(async move {
            loop {
                match events.poll().await {
                    Ok(Event::Incoming(Packet::Publish(publish))) => {
                        let topic = String::from_utf8(publish.topic.to_vec()).unwrap();
                        let topic = topic.strip_prefix("station/v1/demo/").unwrap().to_owned();
                        if sender.send((topic, publish.payload.to_vec())).is_err() {
                            return;
                        }
                    }
                    Ok(Event::Incoming(Packet::SubAck(_))) => {
                        if let Some(ready) = ready.take() {
                            ready.send(()).ok();
                        }
                    }
                    Ok(_) => {}
                    Err(_lost) => tokio::time::sleep(Duration::from_millis(50)).await,
                }
            }
        });
        subscribed.await.unwrap();
        Self { client, messages }
    }

    pub(crate) async fn send(&self, topic: &str, message: &Value) {
        let topic = format!("station/v1/demo/{topic}");
        self.client
            .publish(topic, QoS::AtLeastOnce, false, message.to_string())
            .await
            .unwrap();
    }

    /// The next message on `topic`; what comes on others meanwhile is dropped.
    pub(crate) async fn next(&mut self, topic: &str) -> Vec<u8> {
        let wait = async {
            loop {
                let (at, payload) = self.messages.recv().await.unwrap();
                if at == topic {
                    return payload;
                }
            }
        };
        tokio::time::timeout(PATIENCE, wait)
            .await
            .unwrap_or_else(|_| panic!("nothing came on {topic}"))
    }

    pub(crate) async fn json(&mut self, topic: &str) -> Value {
        serde_json::from_slice(&self.next(topic).await).unwrap()
    }

    /// The next message on `topic` whose `field` is `value`.
    pub(crate) async fn json_where(&mut self, topic: &str, field: &str, value: &str) -> Value {
        loop {
            let message = self.json(topic).await;
            if message.get(field).and_then(Value::as_str) == Some(value) {
                return message;
            }
        }
    }

    pub(crate) async fn next_starting(&mut self, start: &str) -> (String, Vec<u8>) {
        loop {
            let (at, payload) = tokio::time::timeout(PATIENCE, self.messages.recv())
                .await
                .unwrap()
                .unwrap();
            if at.starts_with(start) {
                return (at, payload);
            }
        }
    }
}

/// The judges' own environment, where it was made; else whatever python3 has.
pub(crate) fn python() -> &'static str {
    let judges = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/judges/bin/python");
    if std::path::Path::new(judges).exists() {
        judges
    } else {
        "python3"
    }
}

/// Waits until `is` holds.
pub(crate) async fn until(what: &str, mut is: impl FnMut() -> bool) {
    let limit = Instant::now() + PATIENCE;
    while !is() {
        assert!(Instant::now() < limit, "never: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub(crate) fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}
