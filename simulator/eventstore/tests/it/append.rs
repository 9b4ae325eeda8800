//! Appends: what is taken, what is answered again, what is refused.

use crate::common::{House, append, contents, event, events, unnamed, within};
use eventstore::{
    BatchAppendOptions, CurrentRevision, DeleteStreamOptions, Error, EventData, StreamState,
    TombstoneStreamOptions,
};
use tonic::Code;

fn is_wrong(error: &Error, wanted: CurrentRevision) -> bool {
    matches!(error, Error::WrongExpectedVersion { current, .. } if *current == wanted)
}

#[tokio::test]
async fn an_append_is_taken_at_the_tail_only() {
    let house = House::new().await;
    let client = house.client();
    let first = append(&client, "s", StreamState::NoStream, events(&["0", "1"])).await;
    let first = first.unwrap();
    assert_eq!(first.next_expected_version, 1);
    let second = append(&client, "s", StreamState::StreamRevision(1), events(&["2"])).await;
    let second = second.unwrap();
    assert_eq!(second.next_expected_version, 2);
    assert!(second.position.commit > first.position.commit);
    for state in [
        StreamState::StreamRevision(1),
        StreamState::StreamRevision(3),
        StreamState::NoStream,
    ] {
        let refused = append(&client, "s", state, events(&["x"]))
            .await
            .unwrap_err();
        assert!(
            is_wrong(&refused, CurrentRevision::Current(2)),
            "{refused:?}"
        );
    }
    let refused = append(
        &client,
        "none",
        StreamState::StreamRevision(0),
        events(&["x"]),
    )
    .await;
    assert!(is_wrong(&refused.unwrap_err(), CurrentRevision::NoStream));
    let refused = append(&client, "none", StreamState::StreamExists, events(&["x"])).await;
    assert!(is_wrong(&refused.unwrap_err(), CurrentRevision::NoStream));
    assert_eq!(contents(&client, "s").await.unwrap(), ["0", "1", "2"]);
}

#[tokio::test]
async fn the_same_chunk_or_a_prefix_of_it_is_answered_again() {
    let house = House::new().await;
    let client = house.client();
    let chunk = events(&["0", "1", "2"]);
    let state = StreamState::NoStream;
    let first = append(&client, "s", state, chunk.clone()).await.unwrap();
    let again = append(&client, "s", state, chunk.clone()).await.unwrap();
    assert_eq!(again.next_expected_version, 2);
    assert_eq!(again.position, first.position);
    let prefix = append(&client, "s", state, chunk[..2].to_vec())
        .await
        .unwrap();
    assert_eq!(prefix.next_expected_version, 1);
    let middle = append(
        &client,
        "s",
        StreamState::StreamRevision(0),
        chunk[1..].to_vec(),
    )
    .await;
    assert_eq!(middle.unwrap().next_expected_version, 2);
    assert_eq!(contents(&client, "s").await.unwrap(), ["0", "1", "2"]);
}

#[tokio::test]
async fn a_chunk_that_reaches_past_the_tail_is_refused() {
    let house = House::new().await;
    let client = house.client();
    let chunk = events(&["0", "1"]);
    append(&client, "s", StreamState::NoStream, chunk.clone())
        .await
        .unwrap();
    let longer: Vec<EventData> = chunk.into_iter().chain(events(&["2"])).collect();
    let refused = append(&client, "s", StreamState::NoStream, longer.clone()).await;
    assert!(is_wrong(&refused.unwrap_err(), CurrentRevision::Current(1)));
    let refused = append(&client, "s", StreamState::Any, longer).await;
    assert!(is_wrong(&refused.unwrap_err(), CurrentRevision::Current(1)));
    assert_eq!(contents(&client, "s").await.unwrap(), ["0", "1"]);
}

#[tokio::test]
async fn an_old_id_is_new_at_a_new_revision_and_old_at_any() {
    let house = House::new().await;
    let client = house.client();
    let old = event("0");
    append(&client, "s", StreamState::NoStream, [old.clone()])
        .await
        .unwrap();
    let any = append(&client, "s", StreamState::Any, [old.clone()])
        .await
        .unwrap();
    assert_eq!(any.next_expected_version, 0);
    let new = append(&client, "s", StreamState::StreamRevision(0), [old.clone()]).await;
    assert_eq!(new.unwrap().next_expected_version, 1);
    let elsewhere = append(&client, "other", StreamState::Any, [old])
        .await
        .unwrap();
    assert_eq!(elsewhere.next_expected_version, 0);
    assert_eq!(contents(&client, "s").await.unwrap(), ["0", "0"]);
}

#[tokio::test]
async fn an_append_over_the_limit_is_refused_and_one_at_it_is_taken() {
    let house = House::new().await;
    let client = house.client();
    // The type counts twice.
    let data = "x".repeat((1 << 20) - 2 * "made".len());
    let too_large = append(
        &client,
        "s",
        StreamState::NoStream,
        [event(&(data.clone() + "x"))],
    );
    let message = "Maximum Append Size of 1048576 Exceeded.".to_owned();
    assert_eq!(
        unnamed(too_large.await.unwrap_err()),
        (Code::InvalidArgument, message)
    );
    append(&client, "s", StreamState::NoStream, [event(&data)])
        .await
        .unwrap();
    assert_eq!(contents(&client, "s").await.unwrap(), [data]);
}

#[tokio::test]
async fn batches_are_appended_and_refused_like_single_appends() {
    let house = House::new().await;
    let client = house.client();
    let batches = within(client.batch_append(&BatchAppendOptions::default()))
        .await
        .unwrap();
    let chunk = events(&["0", "1"]);
    let (first, second) = tokio::join!(
        batches.append_to_stream("a", StreamState::NoStream, chunk.clone()),
        batches.append_to_stream("b", StreamState::NoStream, events(&["x"])),
    );
    assert_eq!(first.unwrap().current_revision(), Some(1));
    assert_eq!(second.unwrap().current_revision(), Some(0));
    let again = batches.append_to_stream("a", StreamState::NoStream, chunk);
    assert_eq!(within(again).await.unwrap().current_revision(), Some(1));
    let refused = batches.append_to_stream("a", StreamState::NoStream, events(&["y"]));
    assert_eq!(
        unnamed(within(refused).await.unwrap_err()),
        (Code::AlreadyExists, "WrongExpectedVersion".to_owned())
    );
    assert_eq!(contents(&client, "a").await.unwrap(), ["0", "1"]);
}

#[tokio::test]
async fn a_deleted_stream_is_not_found_and_goes_on_where_it_was() {
    let house = House::new().await;
    let client = house.client();
    append(&client, "s", StreamState::NoStream, events(&["0", "1"]))
        .await
        .unwrap();
    let wrong = DeleteStreamOptions::default().stream_state(StreamState::StreamRevision(0));
    let refused = within(client.delete_stream("s", &wrong)).await.unwrap_err();
    assert!(
        refused.to_string().contains("WrongExpectedVersion"),
        "{refused}"
    );
    let right = DeleteStreamOptions::default().stream_state(StreamState::StreamRevision(1));
    assert!(
        within(client.delete_stream("s", &right))
            .await
            .unwrap()
            .is_some()
    );
    assert!(matches!(
        contents(&client, "s").await,
        Err(Error::ResourceNotFound)
    ));
    let house = house.restart().await;
    let client = house.client();
    assert!(matches!(
        contents(&client, "s").await,
        Err(Error::ResourceNotFound)
    ));
    let revived = append(&client, "s", StreamState::NoStream, events(&["2"])).await;
    assert_eq!(revived.unwrap().next_expected_version, 2);
    assert_eq!(contents(&client, "s").await.unwrap(), ["2"]);
}

#[tokio::test]
async fn a_tombstoned_stream_is_deleted_for_good() {
    let house = House::new().await;
    let client = house.client();
    append(&client, "s", StreamState::NoStream, events(&["0"]))
        .await
        .unwrap();
    let options = TombstoneStreamOptions::default();
    within(client.tombstone_stream("s", &options))
        .await
        .unwrap();
    let house = house.restart().await;
    let client = house.client();
    assert!(matches!(
        contents(&client, "s").await,
        Err(Error::ResourceDeleted)
    ));
    let refused = append(&client, "s", StreamState::Any, events(&["1"])).await;
    assert!(
        matches!(refused, Err(Error::ResourceDeleted)),
        "{refused:?}"
    );
}
