//! BatchAppend: many appends over one call, each answered when it is durable.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prost_types::Any;
use tokio::sync::mpsc;
use tonic::{Code, Status, Streaming};
use uuid::Uuid;

use super::append::commit;
use super::convert::{counted_len, id, identifier, new_event, stream_name};
use super::{ANSWERS_LEN, convert};
use crate::faults::Overload;
use crate::journal::NewEvent;
use crate::net::Wire;
use crate::node::Node;
use crate::protocol::rpc::Status as BatchError;
use crate::protocol::shared;
use crate::protocol::streams::batch_append_req::options::{DeadlineOption, ExpectedStreamPosition};
use crate::protocol::streams::batch_append_req::{Options, ProposedMessage};
use crate::protocol::streams::batch_append_resp::success::{CurrentRevisionOption, PositionOption};
use crate::protocol::streams::batch_append_resp::{Result as Answer, Success};
use crate::protocol::streams::{BatchAppendReq, BatchAppendResp};
use crate::store::{Expected, Outcome, Refusal, Written};

/// Batches of a call that are begun and not yet final.
const OPEN_LEN_MAX: usize = 1_024;

type Answers = mpsc::Sender<Result<BatchAppendResp, Status>>;

/// A batch that is being received.
struct Batch {
    stream: String,
    expected: Expected,
    events: Vec<NewEvent>,
    len: usize,
}

struct Session {
    node: Node,
    wire: Wire,
    open: HashMap<Uuid, Batch>,
    answers: Answers,
}

pub(super) fn serve(
    node: Node,
    wire: Wire,
    mut requests: Streaming<BatchAppendReq>,
) -> mpsc::Receiver<Result<BatchAppendResp, Status>> {
    let (answers, receiver) = mpsc::channel(ANSWERS_LEN);
    let mut session = Session {
        node,
        wire,
        open: HashMap::new(),
        answers,
    };
    tokio::spawn(async move {
        loop {
            let request = tokio::select! {
                request = requests.message() => request,
                () = session.answers.closed() => return,
            };
            // A call that broke off is the client's end of it.
            let Ok(Some(request)) = request else { return };
            if let Err(status) = session.take(request).await {
                // An error here means that the client has gone.
                drop(session.answers.send(Err(status)).await);
                return;
            }
        }
    });
    receiver
}

impl Session {
    /// Takes a part of a batch. An error ends the call.
    async fn take(&mut self, request: BatchAppendReq) -> Result<(), Status> {
        self.node.leads()?;
        let correlation = id(request.correlation_id.clone())?;
        let stream = request.options.as_ref();
        let stream = stream.and_then(|options| options.stream_identifier.clone());
        match self.receive(correlation, request) {
            Ok(None) => {}
            Ok(Some(batch)) => self.append(correlation, batch),
            Err(error) => {
                let batch = self.open.remove(&correlation);
                let stream = stream.or_else(|| batch.map(|batch| identifier(&batch.stream)));
                let answer = answer(correlation, stream, Answer::Error(error));
                drop(self.answers.send(Ok(answer)).await);
            }
        }
        Ok(())
    }

    /// Adds a part to its batch; returns the batch when it is final.
    fn receive(
        &mut self,
        correlation: Uuid,
        request: BatchAppendReq,
    ) -> Result<Option<Batch>, BatchError> {
        if let Some(options) = request.options {
            self.may_append(&options)?;
            let batch = begin(options)?;
            if self.open.len() >= OPEN_LEN_MAX {
                return Err(bad_request("too many batches are open"));
            }
            self.open.entry(correlation).or_insert(batch);
        }
        let Some(batch) = self.open.get_mut(&correlation) else {
            // Of a batch that was refused: its answer is on its way.
            return Ok(None);
        };
        batch.add(request.proposed_messages, self.node.append_bytes_max)?;
        Ok(request
            .is_final
            .then(|| self.open.remove(&correlation))
            .flatten())
    }

    fn may_append(&self, options: &Options) -> Result<(), BatchError> {
        if self.node.faults.access_denied() {
            return Err(error(
                Code::PermissionDenied,
                "AccessDenied",
                &shared::AccessDenied {},
            ));
        }
        match self.node.faults.overloaded() {
            Overload::No => {}
            Overload::Timeout => return Err(timeout()),
            // The real server gives no code with it.
            Overload::TooBusy | Overload::ResourceExhausted => {
                return Err(BatchError {
                    message: "Server Is Busy".to_owned(),
                    ..error(Code::Ok, "Empty", &())
                });
            }
        }
        if is_late(options) {
            Err(timeout())
        } else {
            Ok(())
        }
    }

    fn append(&self, correlation: Uuid, batch: Batch) {
        let (node, wire, answers) = (self.node.clone(), self.wire.clone(), self.answers.clone());
        let stream = identifier(&batch.stream);
        let (name, expected) = (batch.stream, batch.expected);
        let committing = async move {
            let outcome = commit(&node, &wire, name.clone(), expected, batch.events).await;
            let result = match outcome {
                Ok(outcome) => result(&name, expected, outcome),
                Err(status) => Answer::Error(error(status.code(), "Unknown", &shared::Unknown {})),
            };
            drop(
                answers
                    .send(Ok(answer(correlation, Some(stream), result)))
                    .await,
            );
        };
        tokio::spawn(committing);
    }
}

impl Batch {
    fn add(&mut self, messages: Vec<ProposedMessage>, len_max: usize) -> Result<(), BatchError> {
        for message in messages {
            let event = new_event(
                message.id,
                message.metadata,
                message.custom_metadata,
                message.data,
            );
            let event = event.map_err(|status| bad_request(status.message()))?;
            self.len += counted_len(&event);
            if self.len > len_max {
                let max_append_size = u32::try_from(len_max).unwrap_or(u32::MAX);
                let details = shared::MaximumAppendSizeExceeded { max_append_size };
                return Err(error(
                    Code::InvalidArgument,
                    "MaximumAppendSizeExceeded",
                    &details,
                ));
            }
            self.events.push(event);
        }
        Ok(())
    }
}

fn begin(options: Options) -> Result<Batch, BatchError> {
    let stream = stream_name(options.stream_identifier);
    let stream = stream.map_err(|status| bad_request(status.message()))?;
    let expected = match options.expected_stream_position {
        Some(ExpectedStreamPosition::StreamPosition(revision)) => Expected::Revision(revision),
        Some(ExpectedStreamPosition::NoStream(())) => Expected::NoStream,
        Some(ExpectedStreamPosition::Any(())) => Expected::Any,
        Some(ExpectedStreamPosition::StreamExists(())) => Expected::StreamExists,
        None => return Err(bad_request("expectedStreamPosition is required")),
    };
    Ok(Batch {
        stream,
        expected,
        events: Vec::new(),
        len: 0,
    })
}

/// Whether the deadline is over. A deadline that is a duration is never over here: it is counted from now.
fn is_late(options: &Options) -> bool {
    let Some(DeadlineOption::Deadline21100(deadline)) = &options.deadline_option else {
        return false;
    };
    let seconds = u64::try_from(deadline.seconds).unwrap_or(0);
    UNIX_EPOCH + Duration::from_secs(seconds) + Duration::from_secs(1) < SystemTime::now()
}

fn answer(
    correlation: Uuid,
    stream_identifier: Option<shared::StreamIdentifier>,
    result: Answer,
) -> BatchAppendResp {
    BatchAppendResp {
        correlation_id: Some(convert::wire_id(correlation, convert::IdForm::Structured)),
        result: Some(result),
        stream_identifier,
        expected_stream_position: None,
    }
}

fn result(stream: &str, expected: Expected, outcome: Outcome) -> Answer {
    match outcome {
        Ok(written) => Answer::Success(success(written)),
        Err(Refusal::WrongExpectedVersion { current }) => {
            Answer::Error(wrong_version(expected, current))
        }
        Err(Refusal::StreamDeleted) => {
            let stream_identifier = Some(identifier(stream));
            let details = shared::StreamDeleted { stream_identifier };
            Answer::Error(error(Code::NotFound, "StreamDeleted", &details))
        }
    }
}

fn success(written: Written) -> Success {
    let position = written
        .position
        .map_or(PositionOption::NoPosition(()), |at| {
            PositionOption::Position(shared::AllStreamPosition {
                commit_position: at,
                prepare_position: at,
            })
        });
    let revision = written.last.map_or(
        CurrentRevisionOption::NoStream(()),
        CurrentRevisionOption::CurrentRevision,
    );
    Success {
        current_revision_option: Some(revision),
        position_option: Some(position),
    }
}

fn wrong_version(expected: Expected, current: Option<u64>) -> BatchError {
    use shared::wrong_expected_version::{
        CurrentStreamRevisionOption as Current, ExpectedStreamPositionOption as Wanted,
    };
    let wanted = match expected {
        Expected::Any => Wanted::ExpectedAny(()),
        Expected::StreamExists => Wanted::ExpectedStreamExists(()),
        Expected::NoStream => Wanted::ExpectedNoStream(()),
        Expected::Revision(revision) => Wanted::ExpectedStreamPosition(revision),
    };
    let current = current.map_or(Current::CurrentNoStream(()), Current::CurrentStreamRevision);
    let details = shared::WrongExpectedVersion {
        current_stream_revision_option: Some(current),
        expected_stream_position_option: Some(wanted),
    };
    error(Code::AlreadyExists, "WrongExpectedVersion", &details)
}

fn timeout() -> BatchError {
    error(Code::DeadlineExceeded, "Timeout", &shared::Timeout {})
}

fn bad_request(why: &str) -> BatchError {
    let message = why.to_owned();
    error(
        Code::InvalidArgument,
        "BadRequest",
        &shared::BadRequest { message },
    )
}

/// An error as the real server packs it: its message is the name of its details.
fn error(code: Code, name: &str, details: &impl prost::Message) -> BatchError {
    let package = if name == "Empty" {
        "google.protobuf"
    } else {
        "event_store.client"
    };
    BatchError {
        code: code.into(),
        message: name.to_owned(),
        details: Some(Any {
            type_url: format!("type.googleapis.com/{package}.{name}"),
            value: details.encode_to_vec(),
        }),
    }
}
