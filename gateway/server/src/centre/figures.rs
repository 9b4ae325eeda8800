//! The link's figures for Prometheus.

use std::time::Duration;

use gateway_log::Log;
use gateway_sync::{LinkFault, LinkFigures, LinkStanding};
use tokio::sync::watch;

use crate::metrics::Metrics;

/// How often the backlog is looked at while nothing is sent.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Keeps the figures until the uplink is gone.
pub(super) async fn keep(mut figures: watch::Receiver<LinkFigures>, log: Log, metrics: Metrics) {
    loop {
        let now = *figures.borrow_and_update();
        show(&metrics, &now, log.size());
        let looked = tokio::time::timeout(LOOK_EVERY, figures.changed()).await;
        if let Ok(Err(_gone)) = looked {
            return;
        }
    }
}

/// Shows these.
pub fn show(metrics: &Metrics, figures: &LinkFigures, size: u64) {
    let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    for standing in every_standing() {
        let holds = standing == figures.standing;
        metrics
            .link
            .standing
            .with_label_values(&[standing.word()])
            .set(i64::from(holds));
    }
    metrics.link.sent.set(whole(figures.sent));
    metrics
        .link
        .backlog
        .set(whole(size.saturating_sub(figures.sent)));
    metrics.link.connections.set(whole(figures.connections));
    metrics.link.bytes.set(whole(figures.bytes));
}

fn every_standing() -> impl Iterator<Item = LinkStanding> {
    let others = [
        LinkStanding::Connecting,
        LinkStanding::Current,
        LinkStanding::Draining,
        LinkStanding::Resting,
        LinkStanding::Forked,
    ];
    let faults = LinkFault::ALL.into_iter().map(LinkStanding::Down);
    others.into_iter().chain(faults)
}
