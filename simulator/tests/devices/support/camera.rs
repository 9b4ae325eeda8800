//! A simulated network camera, its adapter and a stand-in for the gateway, over real sockets.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use adapters::camera::{CameraConfig, Credentials, Source, description, run};
use serde_json::{Value, json};
use simulator::Power;
use simulator::camera::{
    CameraFault, CameraOptions, NetworkCamera, Offer, SERVICE_PATH, STILL_PATH,
};
use simulator::faults::Faults;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::{Gateway, Mosquitto, PATIENCE, loopback};

pub(crate) const USER: &str = "station";
pub(crate) const PASSWORD: &str = "pass:w\"ord é";

pub(crate) fn credentials(password: &str) -> Credentials {
    Credentials::new(USER.to_owned(), password.to_owned().into())
}

pub(crate) fn at(address: SocketAddr, path: &str) -> Url {
    Url::parse(&format!("http://{address}{path}")).unwrap()
}

pub(crate) fn onvif(address: SocketAddr) -> Source {
    Source::Onvif {
        url: at(address, SERVICE_PATH),
        profile: None,
        still: None,
    }
}

pub(crate) fn plain(address: SocketAddr) -> Source {
    Source::Still(at(address, STILL_PATH))
}

/// An adapter that is in a hurry, as a test is.
pub(crate) fn quick(source: Source) -> CameraConfig {
    CameraConfig {
        credentials: Some(credentials(PASSWORD)),
        still_bytes_max: 64 * 1024,
        retry_ms: 10,
        heartbeat_ms: 40,
        request_timeout_ms: 700,
        unreachable_after_ms: 200,
        property_interval_ms: 20,
        backoff_ms_min: 10,
        backoff_ms_max: 50,
        lasting_pause_ms: 100,
        ..CameraConfig::new(source)
    }
}

pub(crate) struct CameraBench {
    pub(crate) broker: Mosquitto,
    pub(crate) gateway: Gateway,
    pub(crate) faults: Faults<CameraFault>,
    pub(crate) power: watch::Sender<Power>,
    pub(crate) address: SocketAddr,
    adapter: Option<(JoinHandle<()>, watch::Sender<bool>)>,
    /// The last message on each topic.
    heard: BTreeMap<String, Value>,
}

impl CameraBench {
    /// A camera with digests, an adapter that speaks ONVIF; it is online.
    pub(crate) async fn new() -> Self {
        let mut bench = Self::without_adapter(vec![Offer::Md5, Offer::Sha256]).await;
        let source = onvif(bench.address);
        bench.start_adapter(quick(source));
        bench.state("status", "online").await;
        bench
    }

    pub(crate) async fn without_adapter(offers: Vec<Offer>) -> Self {
        let broker = Mosquitto::start();
        let gateway = Gateway::connect(&broker).await;
        let faults = Faults::default();
        let camera = NetworkCamera::new(CameraOptions {
            user: USER.to_owned(),
            password: PASSWORD.to_owned(),
            offers,
            capture_ms: 1,
            faults: faults.clone(),
        });
        let listener = TcpListener::bind(loopback()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (power, powered) = watch::channel(Power::On);
        tokio::spawn(camera.serve(listener, powered));
        Self {
            broker,
            gateway,
            faults,
            power,
            address,
            adapter: None,
            heard: BTreeMap::new(),
        }
    }

    pub(crate) fn start_adapter(&mut self, config: CameraConfig) {
        let link = self.broker.link("camera-1", description());
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(run(config, link, stopped));
        self.adapter = Some((task, stop));
    }

    pub(crate) async fn stop_adapter(&mut self) {
        let (task, stop) = self.adapter.take().unwrap();
        stop.send(true).unwrap();
        task.await.unwrap();
    }

    /// What the camera says now, or next, on `topic` below it: the message whose `field` is `value`.
    pub(crate) async fn says(&mut self, topic: &str, field: &str, value: &str) -> Value {
        let said = |message: &Value| message.get(field).and_then(Value::as_str) == Some(value);
        self.until(topic, said).await
    }

    pub(crate) async fn state(&mut self, field: &str, value: &str) -> Value {
        self.says("state", field, value).await
    }

    /// The value of a property, once it is what `is` asks for.
    pub(crate) async fn property(&mut self, name: &str, is: impl Fn(f64) -> bool) -> f64 {
        let number = |message: &Value| message.get("value").and_then(Value::as_f64);
        let fits = |message: &Value| number(message).is_some_and(&is);
        let message = self.until(&format!("prop/{name}"), fits).await;
        number(&message).unwrap()
    }

    pub(crate) async fn until(&mut self, topic: &str, is: impl Fn(&Value) -> bool) -> Value {
        let limit = Instant::now() + PATIENCE;
        loop {
            let last = self.heard.get(topic);
            if let Some(message) = last.filter(|message| is(message)) {
                return message.clone();
            }
            let last = last.map_or_else(|| "nothing".to_owned(), Value::to_string);
            // Other topics go on meanwhile, so it is the whole wait that has the limit.
            let heard = timeout_at(limit, self.hear()).await;
            assert!(heard.is_ok(), "{topic} never said it; last: {last}");
        }
    }

    /// Takes the next message: its topic below the camera, and its bytes.
    async fn hear(&mut self) -> (String, Vec<u8>) {
        let (topic, payload) = self.gateway.next_starting("camera-1/").await;
        let topic = topic.strip_prefix("camera-1/").unwrap().to_owned();
        if let Ok(message) = serde_json::from_slice(&payload) {
            self.heard.insert(topic.clone(), message);
        }
        (topic, payload)
    }

    /// Asks for a photo: the blob that came, and the reply.
    pub(crate) async fn capture(&mut self, id: &str, timeout_s: u16) -> (Option<Vec<u8>>, Value) {
        let command = json!({ "command_id": id, "view": "frontal", "timeout_s": timeout_s });
        self.gateway.send("camera-1/cmd/capture", &command).await;
        let limit = Instant::now() + Duration::from_secs(u64::from(timeout_s)) + PATIENCE;
        let mut photo = None;
        loop {
            let heard = timeout_at(limit, self.hear()).await;
            let (topic, payload) = heard.expect("capture is replied to");
            if topic.starts_with("blob/") {
                photo = Some(payload);
            } else if topic == "cmd/capture/reply" {
                let reply: Value = serde_json::from_slice(&payload).unwrap();
                if reply.get("command_id").and_then(Value::as_str) == Some(id) {
                    return (photo, reply);
                }
            }
        }
    }

    /// Asks for a photo and gets one.
    pub(crate) async fn photo(&mut self, id: &str) -> Vec<u8> {
        let (photo, reply) = self.capture(id, 30).await;
        assert_eq!(reply.get("completion"), Some(&json!("success")), "{reply}");
        photo.unwrap()
    }
}
