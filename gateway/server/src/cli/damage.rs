//! Whether an error says something about the log itself, or only that it could not be looked at.

use gateway_audit::SequenceError;
use gateway_log::{LogFailed, OpenError};

/// A part of the log that should be there cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Damaged(pub(super) &'static str);

/// A running station cannot read an event of its own log: what it says of that.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unreadable(pub(super) String);

/// Whether the log was looked at, and is not as it should be.
pub(super) fn is_of_the_log(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.is::<Damaged>()
            || cause.is::<Unreadable>()
            || matches!(
                cause.downcast_ref(),
                Some(SequenceError::Broken(_) | SequenceError::Cut(_))
            )
            || matches!(cause.downcast_ref(), Some(OpenError::Quarantine(_)))
            || matches!(cause.downcast_ref(), Some(LogFailed::Store(_)))
    })
}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};

    use super::*;

    /// G3: what could not be looked at, for whatever is beside the log, says nothing about it.
    #[test]
    fn g3_only_what_was_looked_at_is_damaged() {
        let damaged = |error: anyhow::Error| is_of_the_log(&error.context("event 7"));
        assert!(damaged(LogFailed::Store("bytes".to_owned()).into()));
        assert!(damaged(SequenceError::Broken(7).into()));
        assert!(damaged(SequenceError::Cut(7).into()));
        assert!(damaged(Unreadable("bytes".to_owned()).into()));
        assert!(!damaged(LogFailed::NotCopied("no place".to_owned()).into()));
        assert!(!damaged(LogFailed::NoRoom { free_bytes: 7 }.into()));
        assert!(!damaged(LogFailed::Closed.into()));
        let gone = Error::from(ErrorKind::ConnectionReset);
        assert!(!damaged(SequenceError::Io(gone).into()));
    }
}
