//! The client of an external broker, against a real one: that of the workspace, which these tests start.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gateway_broker::{
    Action, BoxFuture, Broker, Config, ConnectRefusal, Handler, Hello, Identity, Limits, Listener,
    MemoryStore, Message, PublishOutcome, Qos, Storage,
};
use schemas::ids::StationId;

use super::*;

/// Lets everybody in, and refuses the first so many subscriptions.
#[derive(Debug, Default)]
struct Door {
    refusals: AtomicUsize,
}

impl Handler for Door {
    fn connect(&self, hello: &Hello<'_>) -> Result<Identity, ConnectRefusal> {
        Ok(Identity::new(hello.client_id, hello.client_id))
    }

    fn authorise(&self, _: &Identity, action: Action, _: &str) -> bool {
        let less = |left: usize| left.checked_sub(1);
        let refuse = action == Action::Subscribe
            && self
                .refusals
                .fetch_update(Ordering::AcqRel, Ordering::Acquire, less)
                .is_ok();
        !refuse
    }

    fn publish(&self, _: &Identity, _: Message) -> BoxFuture<'static, PublishOutcome> {
        Box::pin(std::future::ready(PublishOutcome::Accepted))
    }

    fn storage(&self, _: &str) -> Storage {
        Storage::DURABLE
    }

    fn observe(&self, _: gateway_broker::Event) {}
}

async fn broker(refusals: usize) -> (Broker, MqttOptions) {
    let config = Config {
        listeners: vec![Listener::tcp("tcp", "127.0.0.1:0".parse().unwrap())],
        limits: Limits::default(),
    };
    let door = Door {
        refusals: AtomicUsize::new(refusals),
    };
    let started = Broker::start(config, Arc::new(door), Arc::new(MemoryStore::default())).await;
    let broker = started.unwrap();
    let port = broker.local_addrs().first().unwrap().1.port();
    let configured = ExternalBroker {
        url: format!("mqtt://127.0.0.1:{port}").parse().unwrap(),
        client_id: schemas::ids::DeviceId::new("gateway-demo").unwrap(),
        user: None,
        password_file: None,
    };
    (broker, options(&configured).unwrap())
}

fn topics() -> Topics {
    Topics::new(StationId::new("demo").unwrap())
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait)
        .await
        .unwrap_or_else(|_| unreachable!("in vain: {what}"));
}

/// G2: a message that could not be taken in comes again by another connection, and the first copy takes no place for
/// ever; a refused subscription is asked for again.
#[tokio::test]
async fn what_failed_comes_again() {
    let (broker, options) = broker(1).await;
    let seen: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
    let first = AtomicUsize::new(1);
    let noted = Arc::clone(&seen);
    let take = move |arrival: Arrival| {
        noted.lock().unwrap().push(arrival.payload.to_vec());
        let fails = arrival.payload.as_ref() == b"a" && first.swap(0, Ordering::AcqRel) == 1;
        std::future::ready(if fails { Taken::Failed } else { Taken::Yes })
    };
    let (_outlet, outgoing) = ExternalOutlet::new();
    let (subscribed, mut heard) = watch::channel(false);
    let (stop, stopping) = watch::channel(false);
    let serving = tokio::spawn(serve(
        options,
        topics(),
        take,
        outgoing,
        subscribed,
        stopping,
    ));
    heard.wait_for(|heard| *heard).await.unwrap();
    for payload in ["a", "b"] {
        let message = Message::new("station/v1/demo/reader-1/event/jam", payload);
        broker.publish(message.qos(Qos::AtLeastOnce)).await.unwrap();
    }
    until("all is acknowledged", || {
        let seen = seen.lock().unwrap();
        broker.stats().queued == 0 && seen.iter().filter(|payload| *payload == b"a").count() == 2
    })
    .await;
    assert!(broker.stats().connects >= 3, "the refusal and the failure");
    stop.send_replace(true);
    serving.await.unwrap();
    broker.shutdown().await;
}

/// More acknowledgements and messages than any queue between the loops holds: nobody waits for the other.
#[tokio::test]
async fn a_flood_is_taken_in() {
    let (broker, options) = broker(0).await;
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let take = move |_: Arrival| {
        counted.fetch_add(1, Ordering::AcqRel);
        std::future::ready(Taken::Yes)
    };
    let (outlet, outgoing) = ExternalOutlet::new();
    let (subscribed, mut heard) = watch::channel(false);
    let (stop, stopping) = watch::channel(false);
    let serving = tokio::spawn(serve(
        options,
        topics(),
        take,
        outgoing,
        subscribed,
        stopping,
    ));
    heard.wait_for(|heard| *heard).await.unwrap();
    for n in 0..900_usize {
        let message = Message::new("station/v1/demo/reader-1/event/jam", "x");
        drop(broker.publish(message.qos(Qos::AtLeastOnce)));
        outlet.send(Outgoing {
            device: schemas::ids::DeviceId::new("reader-1").unwrap(),
            channel: format!("cmd/read-{n}"),
            payload: b"x".as_slice().into(),
            assured: true,
            expiry_s: None,
        });
    }
    until("all is acknowledged", || {
        broker.stats().queued == 0 && count.load(Ordering::Acquire) == 900
    })
    .await;
    until("all is sent", || broker.stats().publish_received == 900).await;
    stop.send_replace(true);
    serving.await.unwrap();
    broker.shutdown().await;
}
