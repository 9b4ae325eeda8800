//! Deleting a stream, until it is appended to again or for good.

use tonic::Status;

use super::convert::stream_name;
use crate::node::Node;
use crate::protocol::streams::delete_req::options::ExpectedStreamRevision as DeleteExpected;
use crate::protocol::streams::tombstone_req::options::ExpectedStreamRevision as TombstoneExpected;
use crate::protocol::streams::{
    DeleteReq, DeleteResp, TombstoneReq, TombstoneResp, delete_resp, tombstone_resp,
};
use crate::status;
use crate::store::{Expected, Refusal};

pub(super) async fn delete(node: &Node, request: DeleteReq) -> Result<DeleteResp, Status> {
    let options = request.options.ok_or_else(|| status::required("options"))?;
    let stream = stream_name(options.stream_identifier)?;
    let expected = match options.expected_stream_revision {
        Some(DeleteExpected::Revision(revision)) => Expected::Revision(revision),
        Some(DeleteExpected::NoStream(())) => Expected::NoStream,
        Some(DeleteExpected::Any(())) => Expected::Any,
        Some(DeleteExpected::StreamExists(())) => Expected::StreamExists,
        None => return Err(status::required("expectedStreamRevision")),
    };
    let at = commit(node, stream, expected, false).await?;
    let position = at.map_or(delete_resp::PositionOption::NoPosition(()), |at| {
        delete_resp::PositionOption::Position(delete_resp::Position {
            commit_position: at,
            prepare_position: at,
        })
    });
    Ok(DeleteResp {
        position_option: Some(position),
    })
}

pub(super) async fn tombstone(node: &Node, request: TombstoneReq) -> Result<TombstoneResp, Status> {
    let options = request.options.ok_or_else(|| status::required("options"))?;
    let stream = stream_name(options.stream_identifier)?;
    let expected = match options.expected_stream_revision {
        Some(TombstoneExpected::Revision(revision)) => Expected::Revision(revision),
        Some(TombstoneExpected::NoStream(())) => Expected::NoStream,
        Some(TombstoneExpected::Any(())) => Expected::Any,
        Some(TombstoneExpected::StreamExists(())) => Expected::StreamExists,
        None => return Err(status::required("expectedStreamRevision")),
    };
    let at = commit(node, stream, expected, true).await?;
    let position = at.map_or(tombstone_resp::PositionOption::NoPosition(()), |at| {
        tombstone_resp::PositionOption::Position(tombstone_resp::Position {
            commit_position: at,
            prepare_position: at,
        })
    });
    Ok(TombstoneResp {
        position_option: Some(position),
    })
}

/// Returns the deletion's position.
async fn commit(
    node: &Node,
    stream: String,
    expected: Expected,
    for_good: bool,
) -> Result<Option<u64>, Status> {
    let waiting = node.store.delete(stream.clone(), expected, for_good).await;
    let waiting = waiting.map_err(|_stopped| status::stopped())?;
    match waiting.await.map_err(|_stopped| status::stopped())? {
        Ok(written) => Ok(written.position),
        Err(Refusal::WrongExpectedVersion { current }) => {
            Err(status::wrong_expected_version(&stream, expected, current))
        }
        Err(Refusal::StreamDeleted) => Err(status::stream_deleted(&stream)),
    }
}
