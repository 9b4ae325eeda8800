//! Takes messages in as they came, and acknowledges each when it is durable, in order.

use futures_util::StreamExt as _;
use futures_util::stream::FuturesOrdered;
use rumqttc::v5::AsyncClient;
use rumqttc::v5::mqttbytes::v5::Publish;
use schemas::topic::Topics;
use tokio::sync::mpsc;

use super::RECEIVE_MAX;
use super::line::Line;
use crate::ingress::{Arrival, Taken};

/// A message and the connection that it came by.
#[derive(Debug)]
pub(super) struct Arrived {
    pub(super) publish: Publish,
    pub(super) line: u64,
}

pub(super) async fn take_all<T, F>(
    client: &AsyncClient,
    topics: &Topics,
    line: &Line,
    take: T,
    mut arrivals: mpsc::Receiver<Arrived>,
) where
    T: Fn(Arrival) -> F + Send + Sync,
    F: Future<Output = Taken> + Send,
{
    let mut under_way = FuturesOrdered::new();
    let mut open = true;
    while open || !under_way.is_empty() {
        tokio::select! {
            Some((arrived, taken)) = under_way.next(), if !under_way.is_empty() => {
                settle(client, line, &arrived, taken).await;
            }
            arrival = arrivals.recv(), if open && under_way.len() < usize::from(RECEIVE_MAX) => match arrival {
                Some(arrived) => under_way.push_back(taken(topics, &take, arrived)),
                None => open = false,
            },
        }
    }
}

/// The sender is whoever the topic names. Its place among its sender's messages is fixed when this is called.
fn taken<T, F>(
    topics: &Topics,
    take: &T,
    arrived: Arrived,
) -> impl Future<Output = (Arrived, Taken)> + use<T, F>
where
    T: Fn(Arrival) -> F + Send + Sync,
    F: Future<Output = Taken> + Send,
{
    let topic = std::str::from_utf8(&arrived.publish.topic).ok();
    let parsed = topic.and_then(|topic| Some((topic.to_owned(), topics.parse(topic)?)));
    let taken = parsed.map(|(topic, (device, channel))| {
        take(Arrival {
            device,
            channel,
            topic: topic.into(),
            payload: arrived.publish.payload.clone(),
            again: arrived.publish.dup,
        })
    });
    async move {
        let taken = match taken {
            Some(taken) => taken.await,
            None => Taken::Unreadable,
        };
        (arrived, taken)
    }
}

/// A refusal is told by the error receipt, and acknowledged, or it would come back. What could not be taken in comes
/// back by another connection: left as it is, it would take a place of the Receive Maximum for ever.
async fn settle(client: &AsyncClient, line: &Line, arrived: &Arrived, taken: Taken) {
    match taken {
        Taken::Busy | Taken::Failed => line.ask_again(arrived.line),
        // By another connection it is brought again, and then recognised.
        Taken::Yes | Taken::Unreadable | Taken::IdReused | Taken::NotKept
            if arrived.line != line.number() => {}
        Taken::Yes | Taken::Unreadable | Taken::IdReused | Taken::NotKept => {
            if let Err(error) = client.ack(&arrived.publish).await {
                // At the stop. It is brought again.
                tracing::debug!(%error, "a message could not be acknowledged to the external broker");
            }
        }
    }
}
