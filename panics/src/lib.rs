//! What a program says of a panic (G7): where it was, and what it said only where that is a literal of the code. A message that was
//! formatted may quote a number, a name or a template, so it is left out.
//!
//! The hook is the one place that tells. What a panic leaves behind for others to print, a [`JoinError`] above all, still holds
//! the message: [`Unfinished`] and [`said`] are what is passed on instead.

mod hook;

use std::any::Any;

use tokio::task::JoinError;

pub use hook::hide_data;

/// A task did not come to its end: it panicked, or the runtime ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfinished {
    /// The hook has said where.
    #[error("it panicked: where, the line \"panicked at\" of this program's output says")]
    Panicked,
    /// It was stopped.
    #[error("it was stopped")]
    Stopped,
}

impl From<JoinError> for Unfinished {
    fn from(error: JoinError) -> Self {
        if error.is_panic() {
            Self::Panicked
        } else {
            Self::Stopped
        }
    }
}

impl From<Unfinished> for std::io::Error {
    fn from(unfinished: Unfinished) -> Self {
        Self::other(unfinished)
    }
}

/// Runs what takes long or reads the disk beside the runtime's own threads, as [`tokio::task::spawn_blocking`] does; what it panics with is
/// not passed on. It begins at once, and goes on where nobody waits for it.
pub fn off_runtime<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> impl Future<Output = Result<T, Unfinished>> + Send + 'static {
    let task = tokio::task::spawn_blocking(work);
    async move { Ok(task.await?) }
}

/// What may be said of a panic's payload.
pub fn said(payload: &(dyn Any + Send)) -> String {
    if let Some(literal) = payload.downcast_ref::<&'static str>() {
        (*literal).to_owned()
    } else if let Some(message) = payload.downcast_ref::<String>() {
        let len = message.len();
        format!("a message of {len} bytes, left out because it may quote data")
    } else {
        "no message".to_owned()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    /// G7: what a task panicked with does not come along with the fact that it did.
    #[tokio::test]
    async fn g7_what_a_task_panicked_with_is_not_passed_on() {
        let number = std::hint::black_box("11010519491231002X");
        let task = tokio::spawn(async move { assert!(number.is_empty(), "no number: {number}") });
        let unfinished = Unfinished::from(task.await.unwrap_err());
        assert_eq!(unfinished, Unfinished::Panicked);
        let told = std::io::Error::from(unfinished);
        assert!(!format!("{told} {told:?}").contains(number), "{told:?}");

        let task = tokio::spawn(std::future::pending::<()>());
        task.abort();
        let unfinished = Unfinished::from(task.await.unwrap_err());
        assert_eq!(unfinished, Unfinished::Stopped);
        let panicked = off_runtime(move || assert!(number.is_empty(), "{number}")).await;
        assert_eq!(panicked, Err(Unfinished::Panicked));
        assert_eq!(off_runtime(|| 7).await, Ok(7));
    }
}
