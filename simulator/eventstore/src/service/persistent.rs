//! Persistent subscriptions, as far as a basic program needs them: create, read with ack and nack, delete.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Response, Status, Streaming};
use uuid::Uuid;

use super::ANSWERS_LEN;
use super::convert::{IdForm, id, identifier, properties, stream_name, wire_id};
use super::groups::{ALL, Given, Group, Verdict};
use super::read::{From, Source, load};
use super::subscribe::first;
use crate::node::{Access, Node};
use crate::protocol::persistent_subscriptions::create_req::all_options::{
    AllOption, FilterOption, filter_options,
};
use crate::protocol::persistent_subscriptions::create_req::options::StreamOption as Wanted;
use crate::protocol::persistent_subscriptions::create_req::{
    AllOptions, StreamOptions, stream_options,
};
use crate::protocol::persistent_subscriptions::delete_req::options::StreamOption as Deleted;
use crate::protocol::persistent_subscriptions::persistent_subscriptions_server::PersistentSubscriptions;
use crate::protocol::persistent_subscriptions::read_req::nack::Action;
use crate::protocol::persistent_subscriptions::read_req::options::{
    StreamOption as Joined, uuid_option,
};
use crate::protocol::persistent_subscriptions::read_req::{Content, Options};
use crate::protocol::persistent_subscriptions::read_resp::read_event::{
    Count, Position, RecordedEvent,
};
use crate::protocol::persistent_subscriptions::read_resp::{
    Content as Said, ReadEvent, SubscriptionConfirmation,
};
use crate::protocol::persistent_subscriptions::{
    CreateReq, CreateResp, DeleteReq, DeleteResp, ReadReq, ReadResp,
};
use crate::protocol::shared::StreamIdentifier;
use crate::status;
use crate::store::{Filter, Recorded, Subject};

/// Unsettled events of a subscriber, if it names no number.
const BUFFER_LEN: usize = 10;
/// Times that an event is given again, if the group names no number.
const RETRIES_MAX: u32 = 10;

#[derive(Debug, Clone)]
pub(crate) struct PersistentService(pub(crate) Node);

#[tonic::async_trait]
impl PersistentSubscriptions for PersistentService {
    type ReadStream = ReceiverStream<Result<ReadResp, Status>>;

    async fn create(&self, request: Request<CreateReq>) -> Result<Response<CreateResp>, Status> {
        self.0.admit(&request, Access::Write)?;
        let options = request.into_inner().options;
        let options = options.ok_or_else(|| status::required("options"))?;
        let (source, from) = match options.stream_option {
            Some(Wanted::Stream(stream)) => of_stream(stream)?,
            Some(Wanted::All(all)) => of_all(all)?,
            None => (
                Source::Stream(stream_name(options.stream_identifier)?),
                From::End,
            ),
        };
        let retries = options
            .settings
            .map_or(0, |settings| settings.max_retry_count);
        let retries = u32::try_from(retries).ok().filter(|retries| *retries > 0);
        let key = (name_of(&source).to_owned(), options.group_name);
        // A group begins with the event at the place that is named, a subscription behind it.
        let next = self.0.store.look(|index| match from {
            From::At(0) => first(index, &source, From::Start),
            From::At(at) => first(index, &source, From::At(at - 1)),
            From::Start | From::End => first(index, &source, from),
        })?;
        let group = Group::new(source, next, retries.unwrap_or(RETRIES_MAX));
        if self.0.groups.create(key.clone(), group) {
            Ok(Response::new(CreateResp {}))
        } else {
            let exception = "persistent-subscription-exists";
            Err(status::group(
                exception,
                Code::AlreadyExists,
                "exists",
                &key.0,
                &key.1,
            ))
        }
    }

    async fn delete(&self, request: Request<DeleteReq>) -> Result<Response<DeleteResp>, Status> {
        self.0.admit(&request, Access::Write)?;
        let options = request.into_inner().options;
        let options = options.ok_or_else(|| status::required("options"))?;
        let stream = match options.stream_option {
            Some(Deleted::StreamIdentifier(stream)) => stream_name(Some(stream))?,
            Some(Deleted::All(())) => ALL.to_owned(),
            None => return Err(status::required("streamOption")),
        };
        let key = (stream, options.group_name);
        if self.0.groups.delete(&key) {
            Ok(Response::new(DeleteResp {}))
        } else {
            Err(does_not_exist(&key))
        }
    }

    async fn read(
        &self,
        request: Request<Streaming<ReadReq>>,
    ) -> Result<Response<Self::ReadStream>, Status> {
        self.0.admit(&request, Access::Write)?;
        let mut requests = request.into_inner();
        let options = match requests.message().await?.and_then(|first| first.content) {
            Some(Content::Options(options)) => options,
            Some(Content::Ack(_) | Content::Nack(_)) | None => {
                return Err(status::required("options"));
            }
        };
        let (answers, receiver) = mpsc::channel(ANSWERS_LEN);
        let subscriber = Subscriber::new(self.0.clone(), options, answers)?;
        tokio::spawn(subscriber.run(requests));
        Ok(Response::new(ReceiverStream::new(receiver)))
    }
}

struct Subscriber {
    node: Node,
    key: (String, String),
    group: Arc<Group>,
    id: Uuid,
    ids: IdForm,
    /// Events that it may be given before it settles one.
    free: usize,
    answers: mpsc::Sender<Result<ReadResp, Status>>,
}

impl Subscriber {
    fn new(
        node: Node,
        options: Options,
        answers: mpsc::Sender<Result<ReadResp, Status>>,
    ) -> Result<Self, Status> {
        let stream = match options.stream_option {
            Some(Joined::StreamIdentifier(stream)) => stream_name(Some(stream))?,
            Some(Joined::All(())) => ALL.to_owned(),
            None => return Err(status::required("streamOption")),
        };
        let key = (stream, options.group_name);
        let group = node.groups.get(&key).ok_or_else(|| does_not_exist(&key))?;
        let ids = match options.uuid_option.and_then(|option| option.content) {
            Some(uuid_option::Content::String(())) => IdForm::Text,
            Some(uuid_option::Content::Structured(())) | None => IdForm::Structured,
        };
        let free = usize::try_from(options.buffer_size).ok();
        Ok(Self {
            node,
            key,
            group,
            id: Uuid::new_v4(),
            ids,
            free: free.filter(|len| *len > 0).unwrap_or(BUFFER_LEN),
            answers,
        })
    }

    async fn run(mut self, mut requests: Streaming<ReadReq>) {
        if let Err(status) = self.serve(&mut requests).await {
            // An error here means that the client has gone.
            drop(self.answers.send(Err(status)).await);
        }
        self.group.release(self.id);
    }

    /// Serves until the client has gone.
    async fn serve(&mut self, requests: &mut Streaming<ReadReq>) -> Result<(), Status> {
        let (mut appended, mut changed) = (self.node.store.watch(), self.group.watch());
        let subscription_id = format!("{}::{}", self.key.0, self.key.1);
        let confirmation = SubscriptionConfirmation { subscription_id };
        self.say(Said::SubscriptionConfirmation(confirmation)).await;
        loop {
            appended.mark_unchanged();
            if *changed.borrow_and_update() {
                let exception = "persistent-subscription-dropped";
                let (stream, group) = (&self.key.0, &self.key.1);
                let says = "was dropped";
                return Err(status::group(
                    exception,
                    Code::Cancelled,
                    says,
                    stream,
                    group,
                ));
            }
            self.give().await?;
            tokio::select! {
                request = requests.message() => match request {
                    Ok(Some(request)) => if !self.settle(request)? {
                        return Ok(());
                    },
                    Ok(None) | Err(_) => return Ok(()),
                },
                _ = appended.changed() => {}
                _ = changed.changed() => {}
                () = self.answers.closed() => return Ok(()),
            }
        }
    }

    async fn give(&mut self) -> Result<(), Status> {
        while self.free > 0 {
            let Some(given) = self.group.take(&self.node.store, self.id)? else {
                return Ok(());
            };
            self.free -= 1;
            for event in load(&self.node, vec![given.entry]).await? {
                self.say(self.event(event, given)).await;
            }
        }
        Ok(())
    }

    /// False: the subscriber wants no more.
    fn settle(&mut self, request: ReadReq) -> Result<bool, Status> {
        let (ids, verdict, goes_on) = match request.content {
            None | Some(Content::Options(_)) => return Err(status::required("ack")),
            Some(Content::Ack(ack)) => (ack.ids, Verdict::Done, true),
            Some(Content::Nack(nack)) => match nack.action() {
                Action::Retry => (nack.ids, Verdict::Retry, true),
                Action::Stop => (nack.ids, Verdict::Retry, false),
                Action::Unknown | Action::Park | Action::Skip => (nack.ids, Verdict::Done, true),
            },
        };
        let ids = ids.into_iter().map(|wire| id(Some(wire)));
        let ids: Vec<Uuid> = ids.collect::<Result<_, _>>()?;
        self.free += ids.len();
        self.group.settle(ids.into_iter(), verdict);
        Ok(goes_on)
    }

    async fn say(&self, content: Said) {
        let content = Some(content);
        // An error here means that the client has gone; that is looked at elsewhere.
        drop(self.answers.send(Ok(ReadResp { content })).await);
    }

    fn event(&self, event: Recorded, given: Given) -> Said {
        let position = event.position;
        Said::Event(ReadEvent {
            event: Some(RecordedEvent {
                id: Some(wire_id(event.id, self.ids)),
                stream_identifier: Some(identifier(&event.stream)),
                stream_revision: event.revision,
                prepare_position: position,
                commit_position: position,
                metadata: properties(&event),
                custom_metadata: event.metadata,
                data: event.data,
            }),
            link: None,
            position: Some(Position::CommitPosition(position)),
            count: Some(Count::RetryCount(
                i32::try_from(given.retries).unwrap_or(i32::MAX),
            )),
        })
    }
}

fn of_stream(options: StreamOptions) -> Result<(Source, From), Status> {
    let from = match options.revision_option {
        Some(stream_options::RevisionOption::Revision(revision)) => From::At(revision),
        Some(stream_options::RevisionOption::Start(())) => From::Start,
        Some(stream_options::RevisionOption::End(())) | None => From::End,
    };
    let name: Option<StreamIdentifier> = options.stream_identifier;
    Ok((Source::Stream(stream_name(name)?), from))
}

fn of_all(options: AllOptions) -> Result<(Source, From), Status> {
    let from = match options.all_option {
        Some(AllOption::Position(at)) => From::At(at.commit_position),
        Some(AllOption::Start(())) => From::Start,
        Some(AllOption::End(())) | None => From::End,
    };
    let filter = match options.filter_option {
        None | Some(FilterOption::NoFilter(())) => None,
        Some(FilterOption::Filter(filter)) => {
            let (subject, by) = match filter.filter {
                Some(filter_options::Filter::StreamIdentifier(by)) => (Subject::StreamName, by),
                Some(filter_options::Filter::EventType(by)) => (Subject::EventType, by),
                None => return Err(status::required("filter")),
            };
            let filter = Filter::new(subject, &by.regex, by.prefix);
            Some(filter.map_err(Status::invalid_argument)?)
        }
    };
    Ok((Source::All(filter), from))
}

fn name_of(source: &Source) -> &str {
    match source {
        Source::Stream(name) => name,
        Source::All(_) => ALL,
    }
}

fn does_not_exist((stream, group): &(String, String)) -> Status {
    let exception = "persistent-subscription-does-not-exist";
    status::group(exception, Code::NotFound, "does not exist", stream, group)
}
