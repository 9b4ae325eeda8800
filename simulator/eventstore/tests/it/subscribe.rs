//! Catch-up subscriptions and groups of subscribers.

use crate::common::{House, append, events, next, within};
use eventstore::{
    Client, DeletePersistentSubscriptionOptions, Error, NakAction, PersistentSubscription,
    PersistentSubscriptionOptions, ReadAllOptions, StreamPosition, StreamState,
    SubscribeToAllOptions, SubscribeToPersistentSubscriptionOptions, SubscribeToStreamOptions,
    SubscriptionEvent, SubscriptionFilter,
};

async fn write(client: &Client, stream: &str, data: &[&str]) {
    append(client, stream, StreamState::Any, events(data))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_subscription_catches_up_says_so_and_goes_on_live() {
    let house = House::new().await;
    let client = house.client();
    write(&client, "s", &["0", "1"]).await;
    let from_start = SubscribeToStreamOptions::default().start_from(StreamPosition::Start);
    let mut subscription = client.subscribe_to_stream("s", &from_start).await;
    for wanted in ["confirmed", "0", "1", "caught up"] {
        assert_eq!(next(&mut subscription).await, wanted);
    }
    write(&client, "other", &["x"]).await;
    write(&client, "s", &["2", "3"]).await;
    assert_eq!(next(&mut subscription).await, "2");
    assert_eq!(next(&mut subscription).await, "3");
    let after = SubscribeToStreamOptions::default().start_from(StreamPosition::Position(1));
    let mut subscription = client.subscribe_to_stream("s", &after).await;
    for wanted in ["confirmed", "2", "3", "caught up"] {
        assert_eq!(next(&mut subscription).await, wanted);
    }
}

#[tokio::test]
async fn a_subscription_waits_for_a_stream_that_is_not_there_yet() {
    let house = House::new().await;
    let client = house.client();
    let options = SubscribeToStreamOptions::default().start_from(StreamPosition::Start);
    let mut subscription = client.subscribe_to_stream("s", &options).await;
    assert_eq!(next(&mut subscription).await, "confirmed");
    assert_eq!(next(&mut subscription).await, "caught up");
    write(&client, "s", &["0"]).await;
    assert_eq!(next(&mut subscription).await, "0");
}

#[tokio::test]
async fn a_filtered_subscription_gives_checkpoints_to_go_on_from() {
    let house = House::new().await;
    let client = house.client();
    write(&client, "a", &["0"]).await;
    write(&client, "b", &["x", "y", "z"]).await;
    let filter = SubscriptionFilter::on_stream_name().add_prefix("a");
    let options = SubscribeToAllOptions::default().filter(filter.clone());
    let mut subscription = client
        .subscribe_to_all(&options.position(StreamPosition::Start))
        .await;
    for wanted in ["confirmed", "0"] {
        assert_eq!(next(&mut subscription).await, wanted);
    }
    let said = within(subscription.next_subscription_event())
        .await
        .unwrap();
    let SubscriptionEvent::Checkpoint(reached) = said else {
        panic!("{said:?}");
    };
    let last = ReadAllOptions::default()
        .backwards()
        .position(StreamPosition::End)
        .max_count(1);
    let mut last = within(client.read_all(&last)).await.unwrap();
    let last = within(last.next()).await.unwrap().unwrap();
    assert_eq!(reached, last.get_original_event().position);
    assert_eq!(next(&mut subscription).await, "caught up");
    // A checkpoint comes for every 32 events, also when none of them is wanted.
    let many: Vec<String> = (0..40).map(|number| number.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    write(&client, "b", &many).await;
    assert_eq!(next(&mut subscription).await, "checkpoint");
    let options = SubscribeToAllOptions::default().filter(filter);
    let on = options.position(StreamPosition::Position(reached));
    let mut subscription = client.subscribe_to_all(&on).await;
    assert_eq!(next(&mut subscription).await, "confirmed");
    write(&client, "a", &["1"]).await;
    let mut seen = next(&mut subscription).await;
    while seen == "checkpoint" || seen == "caught up" {
        seen = next(&mut subscription).await;
    }
    assert_eq!(seen, "1");
}

async fn given(group: &mut PersistentSubscription) -> (String, eventstore::ResolvedEvent) {
    let event = within(group.next()).await.unwrap();
    let data = String::from_utf8(event.get_original_event().data.to_vec()).unwrap();
    (data, event)
}

#[tokio::test]
async fn a_group_gives_each_event_until_it_is_acknowledged() {
    let house = House::new().await;
    let client = house.client();
    write(&client, "s", &["0", "1", "2"]).await;
    let options = PersistentSubscriptionOptions::default().start_from(StreamPosition::Start);
    within(client.create_persistent_subscription("s", "g", &options))
        .await
        .unwrap();
    let again = within(client.create_persistent_subscription("s", "g", &options)).await;
    assert!(
        matches!(again, Err(Error::ResourceAlreadyExists)),
        "{again:?}"
    );
    let join = SubscribeToPersistentSubscriptionOptions::default();
    let joined = client.subscribe_to_persistent_subscription("s", "g", &join);
    let mut group = within(joined).await.unwrap();
    let (first, event) = given(&mut group).await;
    group.ack(&event).await.unwrap();
    let (second, event) = given(&mut group).await;
    group.nack(&event, NakAction::Retry, "again").await.unwrap();
    let (third, event) = given(&mut group).await;
    group.nack(&event, NakAction::Retry, "again").await.unwrap();
    let (retried, event) = given(&mut group).await;
    group.ack(&event).await.unwrap();
    assert_eq!([first, second, third, retried], ["0", "1", "2", "1"]);
    let (third, event) = given(&mut group).await;
    group.nack(&event, NakAction::Retry, "again").await.unwrap();
    // Given again, which shows that what was said before has been heard.
    assert_eq!([third, given(&mut group).await.0], ["2", "2"]);
    drop(group);
    // It was not acknowledged: the next subscriber has it.
    let joined = client.subscribe_to_persistent_subscription("s", "g", &join);
    let mut group = within(joined).await.unwrap();
    assert_eq!(given(&mut group).await.0, "2");
    let delete = DeletePersistentSubscriptionOptions::default();
    within(client.delete_persistent_subscription("s", "g", &delete))
        .await
        .unwrap();
    assert!(within(group.next()).await.is_err());
    let gone = within(client.subscribe_to_persistent_subscription("s", "g", &join)).await;
    assert!(matches!(gone, Err(Error::ResourceNotFound)));
}
