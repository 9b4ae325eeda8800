//! Errors as the real server says them: code, message and trailers.

use tonic::metadata::{AsciiMetadataValue, MetadataMap};
use tonic::{Code, Status};

use crate::store::Expected;

const EXCEPTION: &str = "exception";
const STREAM_NAME: &str = "stream-name";

/// Builds a status with trailers.
fn with_trailers(code: Code, message: String, trailers: &[(&'static str, String)]) -> Status {
    let mut metadata = MetadataMap::new();
    for (key, value) in trailers {
        // What cannot stand in a trailer is left out; the message has it.
        if let Ok(value) = AsciiMetadataValue::try_from(value.as_str()) {
            metadata.insert(*key, value);
        }
    }
    Status::with_metadata(code, message, metadata)
}

pub(crate) fn not_leader(host: &str, port: u16) -> Status {
    with_trailers(
        Code::NotFound,
        "Leader info available".to_owned(),
        &[
            (EXCEPTION, "not-leader".to_owned()),
            ("leader-endpoint-host", host.to_owned()),
            ("leader-endpoint-port", port.to_string()),
        ],
    )
}

pub(crate) fn access_denied() -> Status {
    with_trailers(
        Code::PermissionDenied,
        "Access Denied".to_owned(),
        &[(EXCEPTION, "access-denied".to_owned())],
    )
}

/// No credentials, or wrong ones.
pub(crate) fn unauthenticated() -> Status {
    Status::unauthenticated("Unauthenticated")
}

pub(crate) fn too_busy() -> Status {
    Status::unavailable("Server Is Too Busy")
}

pub(crate) fn timed_out() -> Status {
    Status::aborted("Operation timed out: Commit phase timeout.")
}

pub(crate) fn resource_exhausted() -> Status {
    Status::resource_exhausted("Server Is Too Busy")
}

pub(crate) fn stream_deleted(stream: &str) -> Status {
    with_trailers(
        Code::FailedPrecondition,
        format!("Event stream '{stream}' is deleted."),
        &[
            (EXCEPTION, "stream-deleted".to_owned()),
            (STREAM_NAME, stream.to_owned()),
        ],
    )
}

/// Of a deletion; appends say it in their answer.
pub(crate) fn wrong_expected_version(
    stream: &str,
    expected: Expected,
    current: Option<u64>,
) -> Status {
    let expected = match expected {
        Expected::NoStream => "-1".to_owned(),
        Expected::Any => "-2".to_owned(),
        Expected::StreamExists => "-4".to_owned(),
        Expected::Revision(revision) => revision.to_string(),
    };
    let actual = current.map_or_else(|| "-1".to_owned(), |current| current.to_string());
    with_trailers(
        Code::FailedPrecondition,
        format!(
            "Delete failed due to WrongExpectedVersion. Stream: {stream}, Expected version: {expected}, \
             Actual version: {actual}"
        ),
        &[
            (EXCEPTION, "wrong-expected-version".to_owned()),
            (STREAM_NAME, stream.to_owned()),
            ("expected-version", expected),
            ("actual-version", actual),
        ],
    )
}

pub(crate) fn append_too_large(bytes_max: usize) -> Status {
    with_trailers(
        Code::InvalidArgument,
        format!("Maximum Append Size of {bytes_max} Exceeded."),
        &[
            (EXCEPTION, "maximum-append-size-exceeded".to_owned()),
            ("maximum-append-size", bytes_max.to_string()),
        ],
    )
}

pub(crate) fn metadata_missing(property: &str) -> Status {
    with_trailers(
        Code::InvalidArgument,
        format!("Required Metadata Property '{property}' is missing"),
        &[
            (EXCEPTION, "missing-required-metadata-property".to_owned()),
            (
                "required-metadata-properties",
                "type,content-type".to_owned(),
            ),
        ],
    )
}

pub(crate) fn required(what: &str) -> Status {
    Status::invalid_argument(format!("'{what}' is a required argument"))
}

pub(crate) fn stopped() -> Status {
    Status::unavailable("Server Is Not Ready")
}

/// Of a group of subscribers.
pub(crate) fn group(exception: &str, code: Code, says: &str, stream: &str, group: &str) -> Status {
    with_trailers(
        code,
        format!("Subscription group {group} on stream {stream} {says}."),
        &[
            (EXCEPTION, exception.to_owned()),
            (STREAM_NAME, stream.to_owned()),
            ("group-name", group.to_owned()),
        ],
    )
}
