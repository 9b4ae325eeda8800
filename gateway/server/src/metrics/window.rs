//! Figures of window tickets (A15).

use prometheus::{Error, IntCounterVec, IntGauge};
use schemas::event::Event;
use schemas::words::application::WindowResult;

use super::Maker;

/// The tickets' figures.
#[derive(Clone, Debug)]
pub struct WindowMetrics {
    /// Tickets that wait for an officer.
    pub open: IntGauge,
    /// Tickets that were closed in this life, by result.
    pub closed: IntCounterVec,
}

impl WindowMetrics {
    pub(super) fn new(make: &Maker) -> Result<Self, Error> {
        let closed = make.counters(
            "station_window_tickets_closed_total",
            "Window tickets that were closed, by result",
            "result",
        )?;
        // There from the beginning, so that the first one is a rise.
        for result in WindowResult::ALL {
            closed.with_label_values(&[result_word(*result)]).inc_by(0);
        }
        let open = make.gauge(
            "station_window_tickets",
            "Window tickets that wait for an officer",
        )?;
        Ok(Self { open, closed })
    }

    /// So many wait.
    pub(crate) fn waiting(&self, open: usize) {
        self.open.set(i64::try_from(open).unwrap_or(i64::MAX));
    }

    pub(super) fn follow(&self, event: &Event) {
        if let Event::WindowTicketClosed(closed) = event {
            let label = [result_word(closed.result)];
            self.closed.with_label_values(&label).inc();
        }
    }
}

/// The word of a result as it stands in the contract.
const fn result_word(result: WindowResult) -> &'static str {
    match result {
        WindowResult::Accepted => "accepted",
        WindowResult::Refused => "refused",
        WindowResult::NotCome => "not-come",
        WindowResult::Lapsed => "lapsed",
        WindowResult::PapersHandedOut => "papers-handed-out",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    /// G6: the words of the metrics are those of the contract.
    #[test]
    fn result_words_are_the_contract_s() {
        for result in WindowResult::ALL {
            let word = serde_json::to_value(result).unwrap();
            assert_eq!(word.as_str(), Some(result_word(*result)));
        }
    }
}
