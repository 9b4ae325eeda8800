//! Append: a stream of events from the client, one answer.

use futures_util::future;
use tonic::{Status, Streaming};

use super::convert::{counted_len, new_event, stream_name};
use crate::journal::NewEvent;
use crate::net::Wire;
use crate::node::Node;
use crate::protocol::streams::append_req::options::ExpectedStreamRevision;
use crate::protocol::streams::append_req::{Content, Options};
use crate::protocol::streams::append_resp::success::{CurrentRevisionOption, PositionOption};
use crate::protocol::streams::append_resp::wrong_expected_version as wrong;
use crate::protocol::streams::append_resp::{
    Position, Result as Answer, Success, WrongExpectedVersion,
};
use crate::protocol::streams::{AppendReq, AppendResp};
use crate::status;
use crate::store::{Expected, Outcome, Refusal, Stream, Written};

pub(super) async fn append(
    node: &Node,
    wire: &Wire,
    mut requests: Streaming<AppendReq>,
) -> Result<AppendResp, Status> {
    let (stream, expected) = match requests.message().await?.and_then(|first| first.content) {
        Some(Content::Options(options)) => head(options)?,
        Some(Content::ProposedMessage(_)) | None => return Err(status::required("options")),
    };
    let mut events = Vec::new();
    let mut len = 0;
    while let Some(request) = requests.message().await? {
        let Some(Content::ProposedMessage(message)) = request.content else {
            return Err(status::required("proposedMessage"));
        };
        let event = new_event(
            message.id,
            message.metadata,
            message.custom_metadata,
            message.data,
        )?;
        len += counted_len(&event);
        if len > node.append_bytes_max {
            return Err(status::append_too_large(node.append_bytes_max));
        }
        events.push(event);
    }
    match commit(node, wire, stream.clone(), expected, events).await? {
        Ok(_) if node.faults.takes_empty_answer() => Ok(AppendResp { result: None }),
        Ok(written) => Ok(success(written)),
        Err(Refusal::WrongExpectedVersion { current }) => Ok(wrong_version(expected, current)),
        Err(Refusal::StreamDeleted) => Err(status::stream_deleted(&stream)),
    }
}

/// Commits an append, unless a fault stands before it or behind it.
pub(super) async fn commit(
    node: &Node,
    wire: &Wire,
    stream: String,
    expected: Expected,
    events: Vec<NewEvent>,
) -> Result<Outcome, Status> {
    if node.faults.takes_wrong_version() {
        let current = node
            .store
            .look(|index| index.stream(&stream).and_then(Stream::last));
        return Ok(Err(Refusal::WrongExpectedVersion { current }));
    }
    let waiting = node.store.append(stream, expected, events).await;
    let waiting = waiting.map_err(|_stopped| status::stopped())?;
    let outcome = waiting.await.map_err(|_stopped| status::stopped())?;
    if outcome.is_ok() && node.faults.takes_lost_answer() {
        wire.reset();
        // The connection ends, and this call with it: nothing may be answered any more.
        future::pending::<()>().await;
    }
    Ok(outcome)
}

fn head(options: Options) -> Result<(String, Expected), Status> {
    let stream = stream_name(options.stream_identifier)?;
    let expected = match options.expected_stream_revision {
        Some(ExpectedStreamRevision::Revision(revision)) => Expected::Revision(revision),
        Some(ExpectedStreamRevision::NoStream(())) => Expected::NoStream,
        Some(ExpectedStreamRevision::Any(())) => Expected::Any,
        Some(ExpectedStreamRevision::StreamExists(())) => Expected::StreamExists,
        None => return Err(status::required("expectedStreamRevision")),
    };
    Ok((stream, expected))
}

fn success(written: Written) -> AppendResp {
    let position = written
        .position
        .map_or(PositionOption::NoPosition(()), |at| {
            PositionOption::Position(Position {
                commit_position: at,
                prepare_position: at,
            })
        });
    let revision = written.last.map_or(
        CurrentRevisionOption::NoStream(()),
        CurrentRevisionOption::CurrentRevision,
    );
    AppendResp {
        result: Some(Answer::Success(Success {
            current_revision_option: Some(revision),
            position_option: Some(position),
        })),
    }
}

fn wrong_version(expected: Expected, current: Option<u64>) -> AppendResp {
    let current = current.map_or(
        wrong::CurrentRevisionOption::CurrentNoStream(()),
        wrong::CurrentRevisionOption::CurrentRevision,
    );
    let expected = match expected {
        Expected::Any => wrong::ExpectedRevisionOption::ExpectedAny(()),
        Expected::StreamExists => wrong::ExpectedRevisionOption::ExpectedStreamExists(()),
        Expected::NoStream => wrong::ExpectedRevisionOption::ExpectedNoStream(()),
        Expected::Revision(revision) => wrong::ExpectedRevisionOption::ExpectedRevision(revision),
    };
    AppendResp {
        result: Some(Answer::WrongExpectedVersion(WrongExpectedVersion {
            current_revision_option: Some(current),
            expected_revision_option: Some(expected),
        })),
    }
}
