//! A committer for stores that have none: takes all who wait into one transaction.

use std::sync::mpsc::{Sender, channel};

use tokio::sync::oneshot;

type Op = (Vec<u8>, oneshot::Sender<()>);

/// Where events are handed in. The committer ends when the last clone is dropped.
#[derive(Clone)]
pub struct Grouped(Sender<Op>);

impl Grouped {
    /// `commit` makes all of these durable; the first has the given index.
    pub fn over(mut commit: impl FnMut(u64, &[Vec<u8>]) + Send + 'static) -> Self {
        let (sender, queue) = channel::<Op>();
        std::thread::spawn(move || {
            let mut next = 0;
            while let Ok(first) = queue.recv() {
                let (mut events, mut replies) = (vec![first.0], vec![first.1]);
                while let Ok((event, reply)) = queue.try_recv() {
                    events.push(event);
                    replies.push(reply);
                }
                commit(next, &events);
                next += events.len() as u64;
                for reply in replies {
                    reply.send(()).ok();
                }
            }
        });
        Self(sender)
    }

    pub async fn append(&self, event: Vec<u8>) {
        let (reply, answer) = oneshot::channel();
        self.0.send((event, reply)).expect("the committer");
        answer.await.expect("an answer");
    }
}
