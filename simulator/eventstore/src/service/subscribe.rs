//! Catch-up subscriptions: a read that goes on with what is appended.
//!
//! A subscription goes at the speed of its client and never falls behind: it reads from the file again and
//! again, and waits when it has read all.

use std::ops::Range;

use tonic::Status;

use super::convert::{IdForm, now, read_event};
use super::read::{Answers, From, Source, load, response};
use crate::node::Node;
use crate::protocol::streams::read_req::options::{FilterOption, filter_options};
use crate::protocol::streams::read_resp::{
    CaughtUp, Checkpoint, Content, Position, SubscriptionConfirmation,
};
use crate::status;
use crate::store::{Direction, Index, Missing, Page, Window};

/// Events that are gone through between checkpoints, if the client names no number.
const SEARCH_LEN: u64 = 32;

struct Subscription {
    node: Node,
    source: Source,
    ids: IdForm,
    /// The next revision or sequence number.
    next: u64,
    /// Events that are gone through between checkpoints; none: there are no checkpoints.
    checkpoint_len: Option<u64>,
    since_checkpoint: u64,
    answers: Answers,
}

/// The client has gone, or it was told why this is the end.
struct Ended;

/// Events that are gone through between checkpoints. Only a filtered subscription has them.
pub(super) fn checkpoint_len(filter: Option<&FilterOption>) -> Option<u64> {
    let Some(FilterOption::Filter(options)) = filter else {
        return None;
    };
    let window = match options.window {
        Some(filter_options::Window::Max(max)) => u64::from(max),
        Some(filter_options::Window::Count(())) | None => SEARCH_LEN,
    };
    let times = u64::from(options.checkpoint_interval_multiplier);
    Some(window.saturating_mul(times).max(1))
}

pub(super) fn start(
    node: Node,
    source: Source,
    from: From,
    ids: IdForm,
    checkpoint_len: Option<u64>,
    answers: Answers,
) -> Result<(), Status> {
    let next = node.store.look(|index| first(index, &source, from))?;
    let subscription = Subscription {
        node,
        source,
        ids,
        next,
        checkpoint_len,
        since_checkpoint: 0,
        answers,
    };
    tokio::spawn(subscription.run());
    Ok(())
}

/// Where a subscription begins: behind the place that the client names.
pub(super) fn first(index: &Index, source: &Source, from: From) -> Result<u64, Status> {
    let range = readable(index, source)?;
    Ok(match (from, source) {
        (From::Start, _) => range.start,
        (From::End, _) => range.end,
        (From::At(revision), Source::Stream(_)) => revision.saturating_add(1).max(range.start),
        (From::At(position), Source::All(_)) => {
            u64::try_from(index.at_or_after(position.saturating_add(1))).unwrap_or(u64::MAX)
        }
    })
}

/// What can be read now. A stream that is not there may yet come.
pub(super) fn readable(index: &Index, source: &Source) -> Result<Range<u64>, Status> {
    match source {
        Source::All(_) => Ok(0..u64::try_from(index.len()).unwrap_or(u64::MAX)),
        Source::Stream(name) => match index.readable(name) {
            Ok(range) => Ok(range),
            Err(Missing::Deleted) => Err(status::stream_deleted(name)),
            Err(Missing::NotFound) => {
                let last = index.stream(name).and_then(crate::store::Stream::last);
                let end = last.map_or(0, |last| last + 1);
                Ok(end..end)
            }
        },
    }
}

impl Subscription {
    async fn run(mut self) {
        // Whoever is told that it ends is told by the end of the answers.
        let Err(Ended) = self.serve().await;
    }

    async fn serve(&mut self) -> Result<std::convert::Infallible, Ended> {
        let mut appended = self.node.store.watch();
        let subscription_id = uuid::Uuid::new_v4().to_string();
        self.say(Content::Confirmation(SubscriptionConfirmation {
            subscription_id,
        }))
        .await?;
        let mut live = false;
        loop {
            appended.mark_unchanged();
            self.catch_up().await?;
            if !live {
                live = true;
                if self.checkpoint_len.is_some() {
                    self.say_checkpoint().await?;
                }
                self.say_caught_up().await?;
            }
            tokio::select! {
                changed = appended.changed() => changed.map_err(|_closed| Ended)?,
                () = self.answers.closed() => return Err(Ended),
            }
        }
    }

    /// Sends what there is.
    async fn catch_up(&mut self) -> Result<(), Ended> {
        loop {
            let page = match self.page() {
                Ok(page) => page,
                Err(status) => return self.fail(status).await,
            };
            if page.considered == 0 {
                return Ok(());
            }
            let events = match load(&self.node, page.entries).await {
                Ok(events) => events,
                Err(status) => return self.fail(status).await,
            };
            for event in events {
                let sent = self.answers.send(Ok(read_event(event, self.ids))).await;
                sent.map_err(|_gone| Ended)?;
            }
            self.next = page.rest.range.start;
            self.since_checkpoint += u64::try_from(page.considered).unwrap_or(u64::MAX);
            if self
                .checkpoint_len
                .is_some_and(|len| self.since_checkpoint >= len)
            {
                self.say_checkpoint().await?;
            }
        }
    }

    /// The next events. At most so many are gone through as are left to the next checkpoint.
    fn page(&self) -> Result<Page, Status> {
        self.node.store.look(|index| {
            let mut range = readable(index, &self.source)?;
            range.start = range.start.max(self.next);
            if let Some(len) = self.checkpoint_len {
                let left = len.saturating_sub(self.since_checkpoint).max(1);
                range.end = range.end.min(range.start.saturating_add(left));
            }
            let window = Window {
                range,
                direction: Direction::Forwards,
            };
            Ok(match &self.source {
                Source::Stream(name) => index.stream_page(name, window, usize::MAX),
                Source::All(filter) => index.all_page(filter.as_ref(), window, usize::MAX),
            })
        })
    }

    async fn say(&self, content: Content) -> Result<(), Ended> {
        let sent = self.answers.send(Ok(response(content))).await;
        sent.map_err(|_gone| Ended)
    }

    async fn fail<T>(&self, status: Status) -> Result<T, Ended> {
        // An error here means that the client has gone.
        drop(self.answers.send(Err(status)).await);
        Err(Ended)
    }

    /// Position of the last event that was gone through.
    fn position(&self) -> Option<u64> {
        let last = usize::try_from(self.next.checked_sub(1)?).ok()?;
        let entry = self.node.store.look(|index| index.entry(last))?;
        Some(entry.position)
    }

    async fn say_checkpoint(&mut self) -> Result<(), Ended> {
        self.since_checkpoint = 0;
        let Some(at) = self.position() else {
            return Ok(());
        };
        self.say(Content::Checkpoint(Checkpoint {
            commit_position: at,
            prepare_position: at,
            timestamp: Some(now()),
        }))
        .await
    }

    async fn say_caught_up(&self) -> Result<(), Ended> {
        let (stream_revision, position) = match &self.source {
            Source::Stream(_) => {
                let last = self.next.checked_sub(1);
                (last.and_then(|last| i64::try_from(last).ok()), None)
            }
            Source::All(_) => {
                let position = self.position().map(|at| Position {
                    commit_position: at,
                    prepare_position: at,
                });
                (None, position)
            }
        };
        self.say(Content::CaughtUp(CaughtUp {
            timestamp: Some(now()),
            stream_revision,
            position,
        }))
        .await
    }
}
