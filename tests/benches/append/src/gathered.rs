//! The station's way to its log: what waits is gathered, signed together, and handed on as one group; while one is flushed the next
//! gathers, and two may be under way.

use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use gateway_log::{Group, Log};
use gateway_server::keys::SigningKey;
use schemas::envelope::{KeyId, Origin, Unsigned};
use tokio::sync::{mpsc, oneshot};

type Op = (Vec<u8>, oneshot::Sender<()>);

const GROUPS_IN_FLIGHT_MAX: usize = 2;
/// As the station: a group of 96 KiB takes in nothing more.
pub const GROUP_LEN_MAX: usize = 96;

/// Where events are handed in. Lives in the `LocalSet` in which it was made.
#[derive(Clone)]
pub struct Gathered(mpsc::UnboundedSender<Op>);

impl Gathered {
    /// With a key, each event becomes the payload of a signed one, cut so that what is appended is as long as it was.
    pub fn over(log: Log, key: Option<SigningKey>, group_len_max: usize) -> Self {
        let (sender, queue) = mpsc::unbounded_channel();
        tokio::task::spawn_local(run(log, key.map(Signer::new), group_len_max, queue));
        Self(sender)
    }

    pub async fn append(&self, event: Vec<u8>) {
        let (reply, answer) = oneshot::channel();
        self.0.send((event, reply)).expect("the loop");
        answer.await.expect("an answer");
    }
}

async fn run(
    log: Log,
    signer: Option<Signer>,
    group_len_max: usize,
    mut queue: mpsc::UnboundedReceiver<Op>,
) {
    let mut in_flight = FuturesOrdered::new();
    loop {
        tokio::select! {
            biased;
            Some(durable) = in_flight.next(), if !in_flight.is_empty() => {
                let replies: Vec<oneshot::Sender<()>> = durable;
                for reply in replies {
                    reply.send(()).ok();
                }
            }
            first = queue.recv(), if in_flight.len() < GROUPS_IN_FLIGHT_MAX => {
                let Some(first) = first else { return };
                let mut events = vec![first];
                while events.len() < group_len_max
                    && let Ok(event) = queue.try_recv()
                {
                    events.push(event);
                }
                let (events, replies): (Vec<_>, Vec<_>) = events.into_iter().unzip();
                let index = log.next_index();
                let signed = match &signer {
                    Some(signer) => signer.sign(index, events),
                    None => events,
                };
                let group = signed
                    .into_iter()
                    .fold(Group::new(index, replies), |group, event| group.batch(vec![event]));
                let appended = log.append(group);
                in_flight.push_back(async move { appended.await.expect("an append").into_inner() });
            }
        }
    }
}

struct Signer {
    key: SigningKey,
    key_id: KeyId,
    origin: Origin,
    overhead: usize,
}

impl Signer {
    fn new(key: SigningKey) -> Self {
        let mut signer = Self {
            key_id: KeyId::of(&key.public_key()),
            key,
            origin: Origin::new("gateway.bench/station/bench/1").expect("an origin"),
            overhead: 0,
        };
        signer.overhead = signer.unsigned(1_000_000, &[0; 512]).signed_len() - 512;
        signer
    }

    fn unsigned(&self, index: u64, payload: &[u8]) -> Unsigned {
        Unsigned::of_payload(&self.origin, index, payload, self.key_id).expect("an event")
    }

    fn sign(&self, first: u64, events: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        let unsigned = (first..).zip(events).map(|(index, mut event)| {
            event.truncate(event.len() - self.overhead);
            self.unsigned(index, &event)
        });
        self.key.sign_all(unsigned.collect())
    }
}
