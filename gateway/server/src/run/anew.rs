//! The link to the centre is begun anew after a panic. A fault of its code hinders no pickup, and lets the backlog grow no longer than for
//! a pause.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use gateway_sync::{LinkFault, LinkFigures, LinkStanding};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::centre::{self, LinkParts};
use crate::pipeline::CentreTold;

/// So that one that panics at once does not fill the log.
const PAUSE: Duration = Duration::from_secs(5);

/// One life of the link.
type Carrying = BoxFuture<'static, ()>;

/// What each life of the link is made of.
#[derive(Debug, Clone)]
pub(super) struct Beginning {
    parts: LinkParts,
    connection: String,
    /// How it stands, over all its lives.
    figures: Arc<watch::Sender<LinkFigures>>,
}

impl Beginning {
    pub(super) fn new(parts: LinkParts, connection: String) -> Self {
        Self {
            parts,
            connection,
            figures: Arc::new(watch::Sender::new(LinkFigures::default())),
        }
    }

    /// How it stands.
    pub(super) fn figures(&self) -> watch::Receiver<LinkFigures> {
        self.figures.subscribe()
    }

    /// The first life, with what was told before.
    pub(super) async fn first(&self) -> anyhow::Result<Carrying> {
        self.begin(self.parts.clone()).await
    }

    /// It is read from the disk what went up before.
    async fn begin(&self, parts: LinkParts) -> anyhow::Result<Carrying> {
        let connection = self.connection.clone();
        let begun = panics::off_runtime(move || centre::link(parts, &connection)).await;
        let (mut stands, carrying) = begun??;
        let lasting = Arc::clone(&self.figures);
        let shown = async move {
            loop {
                lasting.send_replace(*stands.borrow_and_update());
                if stands.changed().await.is_err() {
                    return;
                }
            }
        };
        Ok(async move {
            tokio::join!(carrying, shown);
        }
        .boxed())
    }

    /// Carries on with `first`, and with another life after each panic. Dropping this ends it.
    pub(super) async fn keep(self, first: Carrying) {
        let again = || self.clone().again();
        kept(first, || self.panicked(), again).await;
    }

    /// It is said, because the backlog grows meanwhile. What it panicked with is not: the hook has told where.
    fn panicked(&self) {
        let (metrics, log) = (&self.parts.metrics, &self.parts.log);
        metrics.link.panics.inc();
        self.figures
            .send_modify(|figures| figures.standing = LinkStanding::Down(LinkFault::Failed));
        centre::show(metrics, &self.figures.borrow(), log.size());
        tracing::error!("the link to the centre panicked; it is begun anew");
    }

    /// The next life, with what was told up to now. None: the station stops.
    async fn again(self) -> Option<Carrying> {
        loop {
            let CentreTold { told, forked } = self.parts.acts.centre().await.ok()?;
            let parts = LinkParts {
                told,
                forked,
                ..self.parts.clone()
            };
            match self.begin(parts).await {
                Ok(carrying) => return Some(carrying),
                Err(error) => {
                    tracing::error!(
                        error = format!("{error:#}"),
                        "the link cannot be begun anew; it is tried again"
                    );
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Runs `first`; after each panic, and a pause, what `again` makes, until one ends by itself or there is to be none any more.
async fn kept<A>(first: Carrying, panicked: impl Fn(), again: impl Fn() -> A)
where
    A: Future<Output = Option<Carrying>>,
{
    let mut next = Some(first);
    while let Some(carrying) = next {
        let mut running = JoinSet::new();
        running.spawn(carrying);
        match running.join_next().await {
            Some(Err(error)) if error.is_panic() => panicked(),
            Some(_) | None => return,
        }
        tokio::time::sleep(PAUSE).await;
        next = again().await;
    }
}

#[cfg(test)]
#[allow(clippy::panic, reason = "a panic is wanted")]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// G4: a link that panics is begun anew after a pause, each time with what is known by then; one that ends by itself is not.
    #[tokio::test(start_paused = true)]
    async fn g4_a_link_that_panics_is_begun_anew() {
        let (lives, told) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let broken = || async { panic!("a fault of the code") }.boxed();
        let began = tokio::time::Instant::now();
        let again = async || {
            let life = lives.fetch_add(1, Ordering::SeqCst);
            Some(if life < 2 { broken() } else { async {}.boxed() })
        };
        let panicked = || {
            told.fetch_add(1, Ordering::SeqCst);
        };
        kept(broken(), panicked, again).await;
        assert_eq!(lives.load(Ordering::SeqCst), 3);
        assert_eq!(told.load(Ordering::SeqCst), 3);
        assert_eq!(began.elapsed(), 3 * PAUSE);
    }

    /// G4: while the station stops there is none to begin.
    #[tokio::test(start_paused = true)]
    async fn g4_no_link_is_begun_while_the_station_stops() {
        let asked = AtomicUsize::new(0);
        let broken = async { panic!("a fault of the code") }.boxed();
        let none = async || {
            asked.fetch_add(1, Ordering::SeqCst);
            None
        };
        kept(broken, || {}, none).await;
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }
}
