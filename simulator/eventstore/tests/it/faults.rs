//! Each fault is seen by a client as what it is.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use crate::common::{
    self, House, PATIENCE, append, client, contents, event, events, next, unnamed, within,
};
use eventstore::{Error, StreamPosition, StreamState, SubscribeToStreamOptions};
use simulated_eventstore::{Cut, Overload, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic::Code;

/// Long enough to show that nothing comes.
const SILENCE: Duration = Duration::from_millis(400);
/// How an HTTP/2 client begins: the preface and empty settings.
const HELLO: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
const PING: &[u8] = b"\0\0\x08\x06\0\0\0\0\0pingping";

/// A connection that the server has answered on.
async fn greeted(house: &House) -> TcpStream {
    let mut socket = TcpStream::connect(house.server.address()).await.unwrap();
    socket.write_all(HELLO).await.unwrap();
    within(socket.read_exact(&mut [0; 9])).await.unwrap();
    socket
}

#[tokio::test]
async fn latency_delays_both_directions() {
    let house = House::new().await;
    let client = house.client();
    append(&client, "s", StreamState::Any, events(&["0"]))
        .await
        .unwrap();
    house.faults().latency(Duration::from_millis(150));
    let began = Instant::now();
    append(&client, "s", StreamState::Any, events(&["1"]))
        .await
        .unwrap();
    assert!(
        began.elapsed() >= Duration::from_millis(300),
        "{:?}",
        began.elapsed()
    );
    house.faults().latency(Duration::ZERO);
    let began = Instant::now();
    append(&client, "s", StreamState::Any, events(&["2"]))
        .await
        .unwrap();
    assert!(
        began.elapsed() < Duration::from_millis(300),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn a_slow_line_takes_the_time_that_its_rate_says() {
    let house = House::new().await;
    let client = house.client();
    append(&client, "s", StreamState::Any, events(&["0"]))
        .await
        .unwrap();
    house.faults().slow(NonZeroU32::new(20_000));
    let began = Instant::now();
    append(&client, "s", StreamState::Any, [event(&"x".repeat(20_000))])
        .await
        .unwrap();
    let took = began.elapsed();
    assert!(
        took >= Duration::from_secs(1) && took < Duration::from_secs(4),
        "{took:?}"
    );
}

#[tokio::test]
async fn a_refusing_node_is_not_connected_to_and_comes_back() {
    let house = House::new().await;
    let old = house.client();
    append(&old, "s", StreamState::Any, events(&["0"]))
        .await
        .unwrap();
    house.faults().refuse(true).await.unwrap();
    let refused = TcpStream::connect(house.server.address())
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    let new = append(&house.client(), "s", StreamState::Any, events(&["x"])).await;
    assert!(matches!(new, Err(Error::GrpcConnectionError(_))), "{new:?}");
    append(&old, "s", StreamState::Any, events(&["1"]))
        .await
        .unwrap();
    house.faults().refuse(false).await.unwrap();
    assert_eq!(contents(&house.client(), "s").await.unwrap(), ["0", "1"]);
}

#[tokio::test]
async fn a_cut_ends_what_is_open() {
    for how in [Cut::Reset, Cut::Close, Cut::HalfClose] {
        let house = House::new().await;
        let client = house.client();
        append(&client, "s", StreamState::Any, events(&["0"]))
            .await
            .unwrap();
        let options = SubscribeToStreamOptions::default().start_from(StreamPosition::Start);
        let mut subscription = client.subscribe_to_stream("s", &options).await;
        for wanted in ["confirmed", "0", "caught up"] {
            assert_eq!(next(&mut subscription).await, wanted);
        }
        house.faults().cut(how);
        let ended = within(subscription.next_subscription_event()).await;
        assert!(
            matches!(ended, Err(Error::ServerError(_))),
            "{how:?}: {ended:?}"
        );
        // A new client finds the server as it was.
        assert_eq!(contents(&house.client(), "s").await.unwrap(), ["0"]);
    }
}

#[tokio::test]
async fn a_reset_is_a_reset_and_a_close_is_not() {
    let house = House::new().await;
    for (how, reset) in [
        (Cut::Reset, true),
        (Cut::Close, false),
        (Cut::HalfClose, false),
    ] {
        let mut socket = greeted(&house).await;
        house.faults().cut(how);
        let mut rest = Vec::new();
        let ended = within(socket.read_to_end(&mut rest)).await;
        assert_eq!(ended.is_err(), reset, "{how:?}: {ended:?}");
    }
}

#[tokio::test]
async fn after_a_half_close_nothing_comes_and_what_is_sent_arrives() {
    let house = House::new().await;
    let mut socket = greeted(&house).await;
    house.faults().cut(Cut::HalfClose);
    let mut rest = Vec::new();
    within(socket.read_to_end(&mut rest)).await.unwrap();
    let before = house.faults().received();
    socket.write_all(PING).await.unwrap();
    within(async {
        while house.faults().received() < before + 17 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_black_hole_keeps_connections_and_moves_no_byte() {
    let house = House::new().await;
    let client = house.client();
    append(&client, "s", StreamState::Any, events(&["0"]))
        .await
        .unwrap();
    house.faults().black_hole(true);
    let mut new = TcpStream::connect(house.server.address()).await.unwrap();
    new.write_all(HELLO).await.unwrap();
    let mut byte = [0];
    assert!(timeout(SILENCE, new.read(&mut byte)).await.is_err());
    let mut hanging = tokio::spawn(async move {
        append(&client, "s", StreamState::StreamRevision(0), events(&["1"])).await
    });
    assert!(timeout(SILENCE, &mut hanging).await.is_err());
    house.faults().black_hole(false);
    within(hanging).await.unwrap().unwrap();
    assert_eq!(within(new.read(&mut byte)).await.unwrap(), 1);
}

#[tokio::test]
async fn a_connection_in_a_black_hole_can_be_cut() {
    let house = House::new().await;
    let client = house.client();
    append(&client, "s", StreamState::Any, events(&["0"]))
        .await
        .unwrap();
    house.faults().black_hole(true);
    let mut hanging = tokio::spawn(async move {
        append(&client, "s", StreamState::StreamRevision(0), events(&["1"])).await
    });
    assert!(timeout(SILENCE, &mut hanging).await.is_err());
    house.faults().cut(Cut::Reset);
    let cut = within(hanging).await.unwrap();
    assert!(matches!(cut, Err(Error::ServerError(_))), "{cut:?}");
    house.faults().clear().await.unwrap();
    assert_eq!(contents(&house.client(), "s").await.unwrap(), ["0"]);
}

#[tokio::test]
async fn a_node_that_does_not_lead_names_the_leader() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = ServerConfig::new(folder.path());
    config.nodes.push(config.nodes[0]);
    let house = House::with(folder, config).await;
    let client = house.client();
    append(&client, "s", StreamState::Any, events(&["0"]))
        .await
        .unwrap();
    assert!(house.server.set_leader(1));
    assert!(!house.server.set_leader(2));
    let refused = append(&client, "s", StreamState::StreamRevision(0), events(&["1"])).await;
    let leader = house.server.nodes()[1].address();
    match refused {
        Err(Error::NotLeaderException(named)) => {
            assert_eq!(
                (named.host.as_str(), named.port),
                ("127.0.0.1", leader.port().into())
            );
        }
        other => panic!("{other:?}"),
    }
    // The client goes to the leader that was named, and so does one that asks the cluster.
    append(&client, "s", StreamState::StreamRevision(0), events(&["1"]))
        .await
        .unwrap();
    let follower = house.server.address();
    let both = format!("esdb://{follower},{leader}?tls=false&nodePreference=leader");
    let asking = common::client_of(&both);
    append(&asking, "s", StreamState::StreamRevision(1), events(&["2"]))
        .await
        .unwrap();
    assert_eq!(contents(&asking, "s").await.unwrap(), ["0", "1", "2"]);
}

#[tokio::test]
async fn an_overloaded_server_says_how() {
    let house = House::new().await;
    let client = house.client();
    house.faults().overload(Overload::TooBusy);
    let busy = within(client.server_info()).await.unwrap_err();
    assert!(busy.to_string().contains("Server Is Too Busy"), "{busy:?}");
    house.faults().overload(Overload::No);
    let client = house.client();
    within(client.server_info()).await.unwrap();
    for (how, wanted) in [
        (Overload::Timeout, Code::Aborted),
        (Overload::ResourceExhausted, Code::ResourceExhausted),
    ] {
        house.faults().overload(how);
        let refused = append(&client, "s", StreamState::Any, events(&["x"])).await;
        assert_eq!(unnamed(refused.unwrap_err()).0, wanted);
    }
    house.faults().overload(Overload::No);
    append(&client, "s", StreamState::NoStream, events(&["0"]))
        .await
        .unwrap();
    assert_eq!(contents(&client, "s").await.unwrap(), ["0"]);
}

#[tokio::test]
async fn access_is_denied_and_given_again() {
    let house = House::new().await;
    let client = house.client();
    house.faults().deny_access(true);
    let denied = append(&client, "s", StreamState::Any, events(&["x"])).await;
    assert!(matches!(denied, Err(Error::AccessDenied)), "{denied:?}");
    let denied = contents(&client, "s").await;
    assert!(matches!(denied, Err(Error::AccessDenied)), "{denied:?}");
    house.faults().deny_access(false);
    append(&client, "s", StreamState::NoStream, events(&["0"]))
        .await
        .unwrap();
}

#[tokio::test]
async fn the_next_appends_have_a_wrong_expected_version() {
    let house = House::new().await;
    let client = house.client();
    append(&client, "s", StreamState::NoStream, events(&["0"]))
        .await
        .unwrap();
    house.faults().wrong_expected_version(2);
    for _ in 0..2 {
        let refused = append(&client, "s", StreamState::StreamRevision(0), events(&["1"])).await;
        assert!(
            matches!(refused, Err(Error::WrongExpectedVersion { .. })),
            "{refused:?}"
        );
    }
    append(&client, "s", StreamState::StreamRevision(0), events(&["1"]))
        .await
        .unwrap();
    assert_eq!(contents(&client, "s").await.unwrap(), ["0", "1"]);
}

#[tokio::test]
async fn a_lost_answer_is_of_a_committed_append() {
    let house = House::new().await;
    let first = house.client();
    append(&first, "s", StreamState::NoStream, events(&["0"]))
        .await
        .unwrap();
    house.faults().lose_answer(1);
    let chunk = events(&["1"]);
    let began = Instant::now();
    let lost = append(&first, "s", StreamState::StreamRevision(0), chunk.clone()).await;
    assert!(matches!(lost, Err(Error::ServerError(_))), "{lost:?}");
    assert!(began.elapsed() < PATIENCE / 3, "{:?}", began.elapsed());
    let second = client(house.server.address());
    assert_eq!(contents(&second, "s").await.unwrap(), ["0", "1"]);
    let again = append(&second, "s", StreamState::StreamRevision(0), chunk)
        .await
        .unwrap();
    assert_eq!(again.next_expected_version, 1);
    assert_eq!(contents(&second, "s").await.unwrap(), ["0", "1"]);
}
