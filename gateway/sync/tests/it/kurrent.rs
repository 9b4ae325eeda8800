//! G4: the store through its client, against a store that listens and fails: every fault has its name, and none is a panic.

use std::time::Duration;

use crate::common::Key;
use gateway_sync::{Kurrent, LinkFault, Store as _, StoreError, Stores as _, Tail};
use schemas::uplink::Record;
use simulated_eventstore::{Faults, Overload, Server, ServerConfig};

const STREAM: &str = "station-s1-1";
const DEADLINE: Duration = Duration::from_secs(5);

/// A store, and where it listens.
struct House {
    server: Server,
    _folder: tempfile::TempDir,
}

impl House {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(ServerConfig::new(folder.path().to_owned()));
        Self {
            server: server.await.unwrap(),
            _folder: folder,
        }
    }

    fn faults(&self) -> &Faults {
        self.server.nodes()[0].faults()
    }

    fn stores(&self) -> Kurrent {
        Kurrent::new(&format!("esdb://{}?tls=false", self.server.address())).unwrap()
    }
}

/// Events from `from` on, as the uplink sends them.
fn records(from: u64, count: u64) -> Vec<Record> {
    let key = Key::new();
    (from..from + count)
        .map(|index| Record::of(&key.event(index, "text"), None).unwrap())
        .collect()
}

#[tokio::test]
async fn g4_what_is_appended_is_read_back_as_it_was() {
    let house = House::new().await;
    let store = house.stores().connect().unwrap();
    assert_eq!(store.tail(STREAM).await.unwrap(), None);
    assert_eq!(store.read(STREAM, 0, 10).await.unwrap(), []);
    let sent = records(0, 5);
    store
        .append(STREAM, None, sent.clone(), DEADLINE)
        .await
        .unwrap();
    let tail = Tail {
        revision: 4,
        id: sent[4].id,
    };
    assert_eq!(store.tail(STREAM).await.unwrap(), Some(tail));
    let read = store.read(STREAM, 1, 3).await.unwrap();
    assert_eq!(read.len(), 3);
    for (stored, record) in read.iter().zip(&sent[1..]) {
        assert_eq!(stored.id, record.id);
        assert_eq!(
            (&stored.data, &stored.metadata),
            (&record.data, &record.metadata)
        );
        assert_eq!(stored.event_type, record.event_type);
    }
    assert_eq!(store.last(STREAM).await.unwrap().unwrap().revision, 4);
    let behind = records(7, 1);
    let refused = store.append(STREAM, Some(6), behind, DEADLINE).await;
    assert!(
        matches!(refused, Err(StoreError::WrongVersion)),
        "{refused:?}"
    );
}

/// The client panics at an answer that says neither success nor refusal; here it is an error, and the next connection finds what was
/// committed.
#[tokio::test]
async fn g4_an_answer_that_says_nothing_is_an_error() {
    let house = House::new().await;
    house.faults().empty_answer(1);
    let store = house.stores().connect().unwrap();
    let failed = store.append(STREAM, None, records(0, 3), DEADLINE).await;
    assert!(matches!(failed, Err(StoreError::Failed(_))), "{failed:?}");
    let again = house.stores().connect().unwrap();
    assert_eq!(again.tail(STREAM).await.unwrap().unwrap().revision, 2);
}

#[tokio::test]
async fn g4_what_the_store_refuses_has_its_name() {
    let house = House::new().await;
    house.faults().deny_access(true);
    let denied = house.stores().connect().unwrap().tail(STREAM).await;
    assert!(matches!(denied, Err(StoreError::Denied)), "{denied:?}");
    house.faults().clear().await.unwrap();
    for how in [
        Overload::ResourceExhausted,
        Overload::TooBusy,
        Overload::Timeout,
    ] {
        house.faults().overload(how);
        let store = house.stores().connect().unwrap();
        let overloaded = store.append(STREAM, None, records(0, 1), DEADLINE).await;
        assert!(
            matches!(overloaded, Err(StoreError::Overloaded)),
            "{how:?}: {overloaded:?}"
        );
    }
}

/// A call ends at its deadline, whoever swallows it; and what is wrong below the client is found out layer by layer.
#[tokio::test]
async fn g4_what_is_wrong_with_the_line_has_its_name() {
    let house = House::new().await;
    house.faults().black_hole(true);
    let store = house.stores().connect().unwrap();
    let short = Duration::from_millis(300);
    let swallowed = store.append(STREAM, None, records(0, 1), short).await;
    assert!(
        matches!(
            swallowed,
            Err(StoreError::Timeout(_) | StoreError::NoConnection(_))
        ),
        "{swallowed:?}"
    );
    // Somebody accepts connections there: what fails is above them.
    assert_eq!(house.stores().diagnose().await, None);
    house.faults().clear().await.unwrap();
    let address = house.server.address();
    let fault = async |connection: String| Kurrent::new(&connection).unwrap().diagnose().await;
    assert_eq!(
        fault(format!("esdb://{address}?tls=true")).await,
        Some(LinkFault::Tls)
    );
    assert_eq!(
        fault("esdb://centre.invalid:2113?tls=false".to_owned()).await,
        Some(LinkFault::Dns)
    );
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let free = gone.local_addr().unwrap();
    drop(gone);
    assert_eq!(
        fault(format!("esdb://{free}?tls=false")).await,
        Some(LinkFault::Refused)
    );
    // One node that listens is enough.
    assert_eq!(
        fault(format!("esdb://{free},{address}?tls=false")).await,
        None
    );
}
