//! Reading streams and the log, in both directions, with filters.

use crate::common::{House, append, events, read, within};
use eventstore::{
    Client, Error, EventData, Position, ReadAllOptions, ReadStreamOptions, StreamPosition,
    StreamState, SubscriptionFilter,
};

const LONG: u64 = 1_000;

async fn filled(house: &House) -> Client {
    let client = house.client();
    for chunk in 0..LONG / 100 {
        let data: Vec<String> = (chunk * 100..(chunk + 1) * 100)
            .map(|n| n.to_string())
            .collect();
        let data: Vec<&str> = data.iter().map(String::as_str).collect();
        append(&client, "long", StreamState::Any, events(&data))
            .await
            .unwrap();
    }
    client
}

fn numbers(range: impl Iterator<Item = u64>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

/// Stream and data of what is read from the log.
async fn read_all(client: &Client, options: &ReadAllOptions) -> Vec<(String, String, Position)> {
    let mut reading = within(client.read_all(options)).await.unwrap();
    let mut seen = Vec::new();
    while let Some(event) = within(reading.next()).await.unwrap() {
        let event = event.get_original_event();
        let data = String::from_utf8(event.data.to_vec()).unwrap();
        seen.push((event.stream_id().to_owned(), data, event.position));
    }
    seen
}

#[tokio::test]
async fn a_stream_is_read_in_both_directions_from_anywhere() {
    let house = House::new().await;
    let client = filled(&house).await;
    let all = ReadStreamOptions::default();
    let cases = [
        (all.clone(), numbers(0..LONG)),
        (
            all.clone().position(StreamPosition::Position(990)),
            numbers(990..LONG),
        ),
        (
            all.clone().position(StreamPosition::Position(LONG)),
            Vec::new(),
        ),
        (all.clone().max_count(3), numbers(0..3)),
        (
            all.clone().position(StreamPosition::End).forwards(),
            Vec::new(),
        ),
        (
            all.clone().backwards().position(StreamPosition::End),
            numbers((0..LONG).rev()),
        ),
        (
            all.clone()
                .backwards()
                .position(StreamPosition::End)
                .max_count(1),
            numbers(LONG - 1..LONG),
        ),
        (
            all.clone()
                .backwards()
                .position(StreamPosition::Position(2)),
            numbers((0..3).rev()),
        ),
        (
            all.position(StreamPosition::Start).backwards(),
            numbers(0..1),
        ),
    ];
    for (options, wanted) in cases {
        assert_eq!(read(&client, "long", &options).await.unwrap(), wanted);
    }
    let missing = read(&client, "none", &ReadStreamOptions::default()).await;
    assert!(
        matches!(missing, Err(Error::ResourceNotFound)),
        "{missing:?}"
    );
}

#[tokio::test]
async fn an_event_is_read_as_it_was_written() {
    let house = House::new().await;
    let client = house.client();
    let id = uuid::Uuid::new_v4();
    // The client counts whole seconds.
    let before = now_s();
    let json = EventData::json("kind", &serde_json::json!({"é": 1})).unwrap();
    let json = json
        .id(id)
        .metadata_as_json(&serde_json::json!({"by": "me"}))
        .unwrap();
    append(&client, "s", StreamState::NoStream, [json])
        .await
        .unwrap();
    let options = ReadStreamOptions::default();
    let mut reading = within(client.read_stream("s", &options)).await.unwrap();
    let event = within(reading.next()).await.unwrap().unwrap();
    let event = event.get_original_event();
    assert_eq!(
        (event.id, event.revision, event.event_type.as_str()),
        (id, 0, "kind")
    );
    assert!(event.is_json);
    assert_eq!(&event.data[..], "{\"é\":1}".as_bytes());
    assert_eq!(&event.custom_metadata[..], b"{\"by\":\"me\"}");
    let created = event.created.timestamp();
    assert!((before..=now_s()).contains(&created), "{created}");
}

fn now_s() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(since.unwrap().as_secs()).unwrap()
}

#[tokio::test]
async fn the_log_has_everything_in_order_and_can_be_read_from_a_position() {
    let house = House::new().await;
    let client = house.client();
    for (stream, data) in [("a", "0"), ("b", "1"), ("a", "2")] {
        append(&client, stream, StreamState::Any, events(&[data]))
            .await
            .unwrap();
    }
    let forwards = read_all(&client, &ReadAllOptions::default()).await;
    let seen: Vec<_> = forwards
        .iter()
        .map(|(stream, data, _)| (&**stream, &**data))
        .collect();
    assert_eq!(seen, [("a", "0"), ("b", "1"), ("a", "2")]);
    let mut backwards = forwards.clone();
    backwards.reverse();
    let options = ReadAllOptions::default()
        .backwards()
        .position(StreamPosition::End);
    assert_eq!(read_all(&client, &options).await, backwards);
    let middle = StreamPosition::Position(forwards[1].2);
    let from = ReadAllOptions::default().position(middle);
    assert_eq!(read_all(&client, &from).await, forwards[1..]);
    let before = ReadAllOptions::default().backwards().position(middle);
    assert_eq!(read_all(&client, &before).await, forwards[..1]);
}

#[tokio::test]
async fn the_log_is_filtered_by_prefix_expression_and_look_ahead() {
    let house = House::new().await;
    let client = house.client();
    for (stream, kind) in [
        ("x-1", "made"),
        ("y-1", "made"),
        ("x-2", "sold"),
        ("x-3", "$own"),
    ] {
        let event = EventData::binary(kind, stream.as_bytes().to_vec().into());
        append(&client, stream, StreamState::NoStream, [event])
            .await
            .unwrap();
    }
    let stream = SubscriptionFilter::on_stream_name;
    let kind = SubscriptionFilter::on_event_type;
    let cases = [
        (stream().add_prefix("x-"), vec!["x-1", "x-2", "x-3"]),
        (
            stream().add_prefix("y-").add_prefix("x-2"),
            vec!["y-1", "x-2"],
        ),
        (stream().regex("-[12]$"), vec!["x-1", "y-1", "x-2"]),
        (kind().add_prefix("so"), vec!["x-2"]),
        (kind().regex(r"^(?!(\$.+$))"), vec!["x-1", "y-1", "x-2"]),
        (kind().exclude_system_events(), vec!["x-1", "y-1", "x-2"]),
    ];
    for (filter, wanted) in cases {
        let options = ReadAllOptions::default().filter(filter.clone());
        let seen = read_all(&client, &options).await;
        let seen: Vec<_> = seen.into_iter().map(|(stream, ..)| stream).collect();
        assert_eq!(seen, wanted, "{filter:?}");
    }
    let bad = ReadAllOptions::default().filter(kind().regex("("));
    assert!(within(client.read_all(&bad)).await.is_err());
}
