//! Read: a stream or `$all`, in either direction, as much as was asked for.

use tokio::sync::mpsc;
use tonic::Status;

use super::convert::{IdForm, identifier, read_event, stream_name};
use super::{ANSWERS_LEN, subscribe};
use crate::node::Node;
use crate::protocol::streams::read_req::Options;
use crate::protocol::streams::read_req::options::{
    CountOption, FilterOption, FilterOptions, ReadDirection, StreamOption, all_options,
    filter_options, stream_options, uuid_option,
};
use crate::protocol::streams::read_resp::{Content, StreamNotFound};
use crate::protocol::streams::{ReadReq, ReadResp};
use crate::status;
use crate::store::{Direction, Filter, Index, Missing, Subject, Window};

pub(super) type Answers = mpsc::Sender<Result<ReadResp, Status>>;

/// Where reading begins. Reads begin with the event there, subscriptions with the one behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    Start,
    End,
    /// A revision of a stream, a position in the log.
    At(u64),
}

/// What is read.
#[derive(Debug)]
pub(super) enum Source {
    Stream(String),
    All(Option<Filter>),
}

/// A read that counts.
struct Reading {
    node: Node,
    source: Source,
    window: Window,
    left: u64,
    ids: IdForm,
    /// The client wants to know where the stream ends.
    tells_last: bool,
    answers: Answers,
}

pub(super) fn read(
    node: &Node,
    request: ReadReq,
) -> Result<mpsc::Receiver<Result<ReadResp, Status>>, Status> {
    let options = request.options.ok_or_else(|| status::required("options"))?;
    let (answers, receiver) = mpsc::channel(ANSWERS_LEN);
    let ids = id_form(&options)?;
    let direction = match options.read_direction() {
        ReadDirection::Forwards => Direction::Forwards,
        ReadDirection::Backwards => Direction::Backwards,
    };
    let filter = options.filter_option.clone();
    let compatibility = options
        .control_option
        .map_or(0, |control| control.compatibility);
    let checkpoint_len = subscribe::checkpoint_len(filter.as_ref());
    let (source, from) = source(options.stream_option, filter)?;
    match options.count_option {
        None => return Err(status::required("countOption")),
        Some(CountOption::Subscription(_)) if direction == Direction::Backwards => {
            return Err(Status::invalid_argument("a subscription goes forwards"));
        }
        Some(CountOption::Subscription(_)) => {
            subscribe::start(node.clone(), source, from, ids, checkpoint_len, answers)?;
        }
        Some(CountOption::Count(left)) => {
            let tells_last = compatibility >= 1 && direction == Direction::Forwards;
            let window = node
                .store
                .look(|index| window(index, &source, from, direction));
            match (window, &source) {
                (Ok(window), _) => {
                    let node = node.clone();
                    let reading = Reading {
                        node,
                        source,
                        window,
                        left,
                        ids,
                        tells_last,
                        answers,
                    };
                    tokio::spawn(reading.run());
                }
                (Err(Missing::Deleted), Source::Stream(stream)) => {
                    return Err(status::stream_deleted(stream));
                }
                (Err(_missing), Source::Stream(stream)) => {
                    tokio::spawn(say_not_found(answers, stream.clone()));
                }
                (Err(_missing), Source::All(_)) => {}
            }
        }
    }
    Ok(receiver)
}

async fn say_not_found(answers: Answers, stream: String) {
    let content = Content::StreamNotFound(StreamNotFound {
        stream_identifier: Some(identifier(&stream)),
    });
    drop(answers.send(Ok(response(content))).await);
}

impl Reading {
    async fn run(mut self) {
        // An error here means that the client has gone.
        if let Err(status) = self.read().await {
            drop(self.answers.send(Err(status)).await);
        }
    }

    async fn read(&mut self) -> Result<(), Status> {
        while self.left > 0 && !self.window.is_empty() {
            let len_max = usize::try_from(self.left).unwrap_or(usize::MAX);
            let window = self.window.clone();
            let page = self.node.store.look(|index| match &self.source {
                Source::Stream(name) => index.stream_page(name, window, len_max),
                Source::All(filter) => index.all_page(filter.as_ref(), window, len_max),
            });
            self.window = page.rest;
            for event in load(&self.node, page.entries).await? {
                self.left -= 1;
                if self
                    .answers
                    .send(Ok(read_event(event, self.ids)))
                    .await
                    .is_err()
                {
                    return Ok(());
                }
            }
        }
        if let (true, Source::Stream(_)) = (self.tells_last && self.left > 0, &self.source) {
            let last = self.window.range.end.saturating_sub(1);
            let last = response(Content::LastStreamPosition(last));
            drop(self.answers.send(Ok(last)).await);
        }
        Ok(())
    }
}

pub(super) async fn load(
    node: &Node,
    entries: Vec<crate::store::Entry>,
) -> Result<Vec<crate::store::Recorded>, Status> {
    node.store.load(entries).await.map_err(|error| {
        tracing::error!(%error, "events cannot be read");
        Status::internal("events cannot be read")
    })
}

pub(super) fn response(content: Content) -> ReadResp {
    ReadResp {
        content: Some(content),
    }
}

/// The range that a read goes through.
fn window(
    index: &Index,
    source: &Source,
    from: From,
    direction: Direction,
) -> Result<Window, Missing> {
    let all = u64::try_from(index.len()).unwrap_or(u64::MAX);
    let mut range = match source {
        Source::Stream(name) => index.readable(name)?,
        Source::All(_) => 0..all,
    };
    // Backwards, a stream is read from its event at the revision, and the log from the one before the position.
    let at = |at: u64| match source {
        Source::Stream(_) => (at, at.saturating_add(1)),
        Source::All(_) => {
            let sequence = u64::try_from(index.at_or_after(at)).unwrap_or(u64::MAX);
            (sequence, sequence)
        }
    };
    match (direction, from) {
        (Direction::Forwards, From::Start) | (Direction::Backwards, From::End) => {}
        (Direction::Forwards, From::End) => range.start = range.end,
        (Direction::Backwards, From::Start) => range.end = range.end.min(at(range.start).1),
        (Direction::Forwards, From::At(first)) => range.start = range.start.max(at(first).0),
        (Direction::Backwards, From::At(last)) => range.end = range.end.min(at(last).1),
    }
    Ok(Window { range, direction })
}

fn id_form(options: &Options) -> Result<IdForm, Status> {
    let option = options.uuid_option.as_ref();
    let option = option.ok_or_else(|| status::required("uuidOption"))?;
    Ok(match option.content {
        Some(uuid_option::Content::String(())) => IdForm::Text,
        Some(uuid_option::Content::Structured(())) | None => IdForm::Structured,
    })
}

fn source(
    option: Option<StreamOption>,
    filter: Option<FilterOption>,
) -> Result<(Source, From), Status> {
    match option {
        None => Err(status::required("streamOption")),
        Some(StreamOption::Stream(stream)) => {
            let from = match stream.revision_option {
                Some(stream_options::RevisionOption::Revision(revision)) => From::At(revision),
                Some(stream_options::RevisionOption::End(())) => From::End,
                Some(stream_options::RevisionOption::Start(())) | None => From::Start,
            };
            let name = stream_name(stream.stream_identifier)?;
            if matches!(filter, Some(FilterOption::Filter(_))) {
                return Err(Status::invalid_argument("only $all can be filtered"));
            }
            Ok((Source::Stream(name), from))
        }
        Some(StreamOption::All(all)) => {
            let from = match all.all_option {
                Some(all_options::AllOption::Position(at)) => From::At(at.commit_position),
                Some(all_options::AllOption::End(())) => From::End,
                Some(all_options::AllOption::Start(())) | None => From::Start,
            };
            let filter = match filter {
                Some(FilterOption::Filter(options)) => Some(convert_filter(options)?),
                Some(FilterOption::NoFilter(())) | None => None,
            };
            Ok((Source::All(filter), from))
        }
    }
}

fn convert_filter(options: FilterOptions) -> Result<Filter, Status> {
    let (subject, expression) = match options.filter {
        Some(filter_options::Filter::StreamIdentifier(by)) => (Subject::StreamName, by),
        Some(filter_options::Filter::EventType(by)) => (Subject::EventType, by),
        None => return Err(status::required("filter")),
    };
    Filter::new(subject, &expression.regex, expression.prefix).map_err(Status::invalid_argument)
}
