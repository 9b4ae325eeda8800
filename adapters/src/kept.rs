//! An adapter that panics is begun anew: a fault of one device's code takes no other device, and no machine for longer than a pause.

use std::future::Future;
use std::time::Duration;

use schemas::ids::DeviceId;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// So that one that panics at once does not fill the log.
const PAUSE: Duration = Duration::from_secs(5);

/// Runs what `begin` makes until it ends by itself. After a panic its device is lost to the broker, which says so; then it is begun anew
/// as another life of the device, unless all are `ending`. Dropping this ends it.
pub(crate) async fn kept<F>(
    device: DeviceId,
    begin: impl Fn() -> F,
    mut ending: watch::Receiver<bool>,
) where
    F: Future<Output = ()> + Send + 'static,
{
    loop {
        let mut running = JoinSet::new();
        running.spawn(begin());
        match running.join_next().await {
            Some(Err(error)) if error.is_panic() => {
                // What it says may be of whom it served (G7); where it was the panic hook has told.
                tracing::error!(%device, "an adapter panicked; it is begun anew");
            }
            Some(_) | None => return,
        }
        let ended = async {
            // A sender that is gone ends it too.
            ending.wait_for(|ending| *ending).await.ok();
        };
        if tokio::time::timeout(PAUSE, ended).await.is_ok() {
            return;
        }
    }
}

#[cfg(test)]
#[allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops at the first surprise, and one is wanted"
)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// G1: an adapter that panics is begun anew after a pause; one that ends is not, and none is while all are ending.
    #[tokio::test(start_paused = true)]
    async fn g1_an_adapter_that_panics_is_begun_anew() {
        let (shutdown, ending) = watch::channel(false);
        let lives = Arc::new(AtomicUsize::new(0));
        let device = DeviceId::new("reader-1").unwrap();
        let count = Arc::clone(&lives);
        let begin = move || {
            let life = count.fetch_add(1, Ordering::SeqCst);
            async move { assert!(life >= 2, "a fault of the code") }
        };
        kept(device.clone(), begin, ending.clone()).await;
        assert_eq!(lives.load(Ordering::SeqCst), 3);

        shutdown.send_replace(true);
        let count = Arc::clone(&lives);
        let begin = move || {
            count.fetch_add(1, Ordering::SeqCst);
            async { panic!("a fault of the code") }
        };
        kept(device, begin, ending).await;
        assert_eq!(lives.load(Ordering::SeqCst), 4);
    }
}
