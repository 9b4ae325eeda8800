//! A broker under test, a handler that commits when it is told to, and a client that speaks in bytes.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gateway_broker::{
    Action, BoxFuture, Broker, Config, ConnectRefusal, Event, Handler, Hello, Identity, Legacy,
    Limits, Listener, MemoryStore, Message, PublishOutcome, PublishRefusal, Storage, Store,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

/// Longest wait for anything that must happen.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// `hold/{name}` commits when `open(name)` is called; `refuse/…` is refused and acknowledged to 3.1.1;
/// `close/…` is refused and closes 3.1.1; `consume/…` is not routed; `secret/…` is denied; `mem/…` is
/// never stored.
#[derive(Default)]
pub struct TestHandler {
    gates: Mutex<HashMap<String, watch::Sender<bool>>>,
    pub seen: Mutex<Vec<(String, String, Vec<u8>)>>,
    pub events: Mutex<Vec<Event>>,
    /// Certificates (DER) and whose they are.
    pub certificates: Mutex<Vec<(Vec<u8>, String)>>,
}

impl TestHandler {
    pub fn open(&self, name: &str) {
        self.gate(name).send_replace(true);
    }

    fn gate(&self, name: &str) -> watch::Sender<bool> {
        self.gates
            .lock()
            .unwrap()
            .entry(name.to_owned())
            .or_default()
            .clone()
    }

    pub fn count(&self, topic: &str) -> usize {
        self.seen
            .lock()
            .unwrap()
            .iter()
            .filter(|(_, t, _)| t == topic)
            .count()
    }

    pub async fn until(&self, what: &str, mut met: impl FnMut(&Self) -> bool) {
        let wait = async {
            while !met(self) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(PATIENCE, wait)
            .await
            .unwrap_or_else(|_| panic!("never: {what}"));
    }
}

impl Handler for TestHandler {
    fn connect(&self, hello: &Hello<'_>) -> Result<Identity, ConnectRefusal> {
        if let Some(shown) = hello.certificates.first() {
            let known = self.certificates.lock().unwrap();
            let owner = known.iter().find(|(der, _)| der == shown.as_ref());
            let (_, name) = owner.ok_or(ConnectRefusal::NotAuthorised)?;
            return Ok(Identity::new(name.as_str(), name.as_str()));
        }
        match hello.username {
            Some("bad") => Err(ConnectRefusal::BadUserNameOrPassword),
            name => Ok(Identity::new(hello.client_id, name.unwrap_or("anyone"))),
        }
    }

    fn authorise(&self, _: &Identity, _: Action, topic: &str) -> bool {
        !topic.starts_with("secret/")
    }

    fn publish(&self, identity: &Identity, message: Message) -> BoxFuture<'static, PublishOutcome> {
        let topic = message.topic.to_string();
        let entry = (
            identity.client_id.to_string(),
            topic.clone(),
            message.payload.to_vec(),
        );
        self.seen.lock().unwrap().push(entry);
        let refused = |legacy| PublishOutcome::Refused {
            reason: PublishRefusal::PayloadFormatInvalid,
            legacy,
        };
        let gate = topic
            .strip_prefix("hold/")
            .map(|name| self.gate(name).subscribe());
        Box::pin(async move {
            if let Some(mut gate) = gate {
                gate.wait_for(|open| *open).await.unwrap();
            }
            match topic.split('/').next() {
                Some("refuse") => refused(Legacy::Acknowledge),
                Some("close") => refused(Legacy::Close),
                Some("consume") => PublishOutcome::Consumed,
                _ => PublishOutcome::Accepted,
            }
        })
    }

    fn storage(&self, topic: &str) -> Storage {
        if topic.starts_with("mem/") {
            Storage::MEMORY
        } else {
            Storage::DURABLE
        }
    }

    fn observe(&self, event: Event) {
        self.events.lock().unwrap().push(event);
    }
}

pub struct Bench {
    pub broker: Broker,
    pub handler: Arc<TestHandler>,
    pub store: MemoryStore,
    pub addr: SocketAddr,
}

pub fn listener() -> Listener {
    Listener::tcp("tcp", "127.0.0.1:0".parse().unwrap())
}

pub async fn start_on(store: impl Store, limits: Limits) -> (Broker, Arc<TestHandler>, SocketAddr) {
    let handler = Arc::new(TestHandler::default());
    let config = Config {
        listeners: vec![listener()],
        limits,
    };
    let broker = Broker::start(config, handler.clone(), Arc::new(store))
        .await
        .unwrap();
    let addr = broker.local_addrs()[0].1;
    (broker, handler, addr)
}

pub async fn start_with(limits: Limits) -> Bench {
    let store = MemoryStore::default();
    let (broker, handler, addr) = start_on(store.clone(), limits).await;
    Bench {
        broker,
        handler,
        store,
        addr,
    }
}

pub async fn start() -> Bench {
    start_with(Limits {
        will_restart_delay_ms: 50,
        ..Limits::default()
    })
    .await
}

pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// A client that sends and receives bytes.
pub struct Client {
    pub stream: Box<dyn Stream>,
    pub v5: bool,
}

impl Client {
    pub async fn open(addr: SocketAddr, v5: bool) -> Self {
        let stream = TcpStream::connect(addr).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream: Box::new(stream),
            v5,
        }
    }

    /// Connects with a clean session; panics unless accepted.
    pub async fn clean(addr: SocketAddr, v5: bool, id: &str) -> Self {
        let mut client = Self::open(addr, v5).await;
        client.send(&connect(v5, id, true, &[])).await;
        let connack = client.packet().await.unwrap();
        assert_eq!((connack[0], connack[3]), (0x20, 0), "{connack:?}");
        client
    }

    /// Takes up (or makes) a session that lasts; says whether there was one.
    pub async fn lasting(addr: SocketAddr, v5: bool, id: &str) -> (Self, bool) {
        let mut client = Self::open(addr, v5).await;
        client
            .send(&connect(v5, id, false, &[17, 0, 0, 0, 100]))
            .await;
        let connack = client.packet().await.unwrap();
        assert_eq!((connack[0], connack[3]), (0x20, 0), "{connack:?}");
        (client, connack[2] == 1)
    }

    pub async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// The next packet; `None` when the broker has closed.
    pub async fn packet(&mut self) -> Option<Vec<u8>> {
        let read = async {
            let mut packet = vec![self.stream.read_u8().await.ok()?];
            let (mut len, mut shift) = (0usize, 0);
            loop {
                let byte = self.stream.read_u8().await.ok()?;
                packet.push(byte);
                len |= usize::from(byte & 0x7F) << shift;
                shift += 7;
                if byte & 0x80 == 0 {
                    break;
                }
            }
            let head = packet.len();
            packet.resize(head + len, 0);
            self.stream.read_exact(&mut packet[head..]).await.ok()?;
            Some(packet)
        };
        tokio::time::timeout(PATIENCE, read)
            .await
            .expect("an answer in time")
    }

    pub async fn expect(&mut self, bytes: &[u8]) {
        assert_eq!(self.packet().await.as_deref(), Some(bytes));
    }

    /// Nothing was sent before the answer to a ping: no need to wait and see.
    pub async fn expect_silence(&mut self) {
        self.send(&[0xC0, 0]).await;
        self.expect(&[0xD0, 0]).await;
    }

    pub async fn expect_closed(&mut self) {
        assert_eq!(self.packet().await, None);
    }

    /// MQTT 5: DISCONNECT with this reason, then the end. 3.1.1: the end.
    pub async fn expect_disconnect(&mut self, reason: u8) {
        if self.v5 {
            let packet = self.packet().await.expect("a DISCONNECT");
            assert_eq!((packet[0], packet[2]), (0xE0, reason), "{packet:?}");
        }
        self.expect_closed().await;
    }

    pub async fn publish(&mut self, topic: &str, payload: &str, qos: u8, id: u16) {
        let packet = publish(self.v5, topic, payload.as_bytes(), qos << 1, id, &[]);
        self.send(&packet).await;
    }

    /// Subscribes and returns the granted codes.
    pub async fn subscribe(&mut self, filter: &str, options: u8) -> Vec<u8> {
        self.send(&subscribe(self.v5, 9, filter, options, &[]))
            .await;
        let suback = self.packet().await.unwrap();
        assert_eq!(suback[0], 0x90, "{suback:?}");
        suback[if self.v5 { 5 } else { 4 }..].to_vec()
    }

    /// The next packet, which must be a PUBLISH.
    pub async fn receive(&mut self) -> Received {
        let packet = self.packet().await.expect("a PUBLISH");
        read_publish(&packet, self.v5)
    }
}

#[derive(Debug, PartialEq, Eq)]
pub struct Received {
    pub flags: u8,
    pub topic: String,
    pub id: u16,
    pub props: Vec<u8>,
    pub payload: String,
}

impl Received {
    pub fn qos(&self) -> u8 {
        (self.flags >> 1) & 3
    }

    pub fn retain(&self) -> bool {
        self.flags & 1 == 1
    }

    pub fn duplicate(&self) -> bool {
        self.flags & 8 != 0
    }
}

/// Reads a PUBLISH with at most 127 bytes of properties.
pub fn read_publish(packet: &[u8], v5: bool) -> Received {
    assert_eq!(packet[0] >> 4, 3, "not a PUBLISH: {packet:?}");
    let mut at = 1;
    while packet[at] & 0x80 != 0 {
        at += 1;
    }
    at += 1;
    let len = usize::from(u16::from_be_bytes([packet[at], packet[at + 1]]));
    at += 2;
    let topic = String::from_utf8(packet[at..at + len].to_vec()).unwrap();
    at += len;
    let mut id = 0;
    if packet[0] & 0b110 != 0 {
        id = u16::from_be_bytes([packet[at], packet[at + 1]]);
        at += 2;
    }
    let mut props = Vec::new();
    if v5 {
        let len = usize::from(packet[at]);
        props = packet[at + 1..=at + len].to_vec();
        at += 1 + len;
    }
    let payload = String::from_utf8_lossy(&packet[at..]).into_owned();
    Received {
        flags: packet[0] & 15,
        topic,
        id,
        props,
        payload,
    }
}

fn frame(first: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![first];
    let mut left = body.len();
    loop {
        let low = u8::try_from(left % 128).unwrap();
        left /= 128;
        packet.push(if left > 0 { low | 0x80 } else { low });
        if left == 0 {
            break;
        }
    }
    packet.extend_from_slice(body);
    packet
}

pub fn text(text: &str) -> Vec<u8> {
    let mut bytes = u16::try_from(text.len()).unwrap().to_be_bytes().to_vec();
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

fn with_len(props: &[u8]) -> Vec<u8> {
    let mut bytes = vec![u8::try_from(props.len()).unwrap()];
    bytes.extend_from_slice(props);
    bytes
}

/// A CONNECT; `props` count in MQTT 5 only.
pub fn connect(v5: bool, id: &str, clean: bool, props: &[u8]) -> Vec<u8> {
    connect_with(v5, id, u8::from(clean) << 1, 0, props, &[])
}

/// A CONNECT with flags, keep alive, and what follows the client id.
pub fn connect_with(
    v5: bool,
    id: &str,
    flags: u8,
    keep_alive: u16,
    props: &[u8],
    tail: &[u8],
) -> Vec<u8> {
    let mut body = text("MQTT");
    body.extend_from_slice(&[if v5 { 5 } else { 4 }, flags]);
    body.extend_from_slice(&keep_alive.to_be_bytes());
    if v5 {
        body.extend(with_len(props));
    }
    body.extend(text(id));
    body.extend_from_slice(tail);
    frame(0x10, &body)
}

/// What follows the client id for a will.
pub fn will(v5: bool, topic: &str, payload: &str, props: &[u8]) -> Vec<u8> {
    let mut tail = if v5 { with_len(props) } else { Vec::new() };
    tail.extend(text(topic));
    tail.extend(text(payload));
    tail
}

pub fn publish(v5: bool, topic: &str, payload: &[u8], flags: u8, id: u16, props: &[u8]) -> Vec<u8> {
    let mut body = text(topic);
    if flags & 0b110 != 0 {
        body.extend_from_slice(&id.to_be_bytes());
    }
    if v5 {
        body.extend(with_len(props));
    }
    body.extend_from_slice(payload);
    frame(0x30 | flags, &body)
}

pub fn subscribe(v5: bool, id: u16, filter: &str, options: u8, props: &[u8]) -> Vec<u8> {
    let mut body = id.to_be_bytes().to_vec();
    if v5 {
        body.extend(with_len(props));
    }
    body.extend(text(filter));
    body.push(options);
    frame(0x82, &body)
}

pub fn unsubscribe(v5: bool, id: u16, filter: &str) -> Vec<u8> {
    let mut body = id.to_be_bytes().to_vec();
    if v5 {
        body.push(0);
    }
    body.extend(text(filter));
    frame(0xA2, &body)
}

/// PUBACK 0x40, PUBREC 0x50, PUBREL 0x62, PUBCOMP 0x70.
pub fn ack(first: u8, id: u16) -> Vec<u8> {
    let [high, low] = id.to_be_bytes();
    vec![first, 2, high, low]
}
