//! What can go wrong on the way up.

use std::error::Error as _;
use std::io;
use std::time::Duration;

use gateway_log::{AppendError, LogFailed};

use super::standing::StoreStanding;

/// Why something did not go up. All of it is tried again.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// The folder or the bucket is not there.
    #[error("the blob store is not there: {0}")]
    Missing(String),
    /// The store, or the rights of its files, deny it.
    #[error("the blob store denies access: {0}")]
    Denied(String),
    /// No answer within the deadline.
    #[error("the blob store does not answer within {0:?}")]
    Timeout(Duration),
    /// What was read back is not what was sent.
    #[error("the blob store holds something else than was sent")]
    Differs,
    /// Anything else about the store.
    #[error("the blob store failed: {0}")]
    Failed(String),
    /// Something at the station.
    #[error("it cannot be read here: {0}")]
    Here(#[from] io::Error),
    /// The log cannot be read.
    #[error("the log cannot be read: {0}")]
    Log(#[from] LogFailed),
    /// Where it was left could not be kept.
    #[error("it cannot be kept what is up: {0}")]
    Mark(#[from] AppendError),
}

/// Runs what reads the disk beside the runtime's own threads.
pub(super) async fn off_loop<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Fault> {
    let done = panics::off_runtime(work).await;
    done.map_err(|ended| Fault::Failed(ended.to_string()))
}

impl Fault {
    pub(super) const fn standing(&self) -> StoreStanding {
        match self {
            Self::Missing(_) => StoreStanding::Missing,
            Self::Denied(_) => StoreStanding::Denied,
            Self::Timeout(_) => StoreStanding::NoAnswer,
            Self::Differs | Self::Failed(_) | Self::Here(_) | Self::Log(_) | Self::Mark(_) => {
                StoreStanding::Failed
            }
        }
    }
}

impl From<object_store::Error> for Fault {
    fn from(error: object_store::Error) -> Self {
        use object_store::Error as E;
        let said = error.to_string();
        if let E::PermissionDenied { .. } | E::Unauthenticated { .. } = error {
            return Self::Denied(said);
        }
        if let E::NotFound { .. } = error {
            return Self::Missing(said);
        }
        // A folder's errors say it further down only.
        match io_kind(&error) {
            Some(io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem) => {
                Self::Denied(said)
            }
            Some(io::ErrorKind::NotFound) => Self::Missing(said),
            Some(_) | None => Self::Failed(said),
        }
    }
}

fn io_kind(error: &object_store::Error) -> Option<io::ErrorKind> {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return Some(error.kind());
        }
        source = error.source();
    }
    None
}
