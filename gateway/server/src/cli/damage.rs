//! Whether an error says something about the log itself, or only that it could not be looked at.

use gateway_log::{LogFailed, OpenError};

/// A part of the log that should be there cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Damaged(pub(super) &'static str);

/// Whether the log was looked at, and is not as it should be.
pub(super) fn is_of_the_log(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.is::<Damaged>()
            || matches!(cause.downcast_ref(), Some(OpenError::Quarantine(_)))
            || matches!(cause.downcast_ref(), Some(LogFailed::Store(_)))
    })
}
