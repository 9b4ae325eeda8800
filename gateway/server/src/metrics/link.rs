//! Figures of the link to the centre.

use prometheus::{IntCounter, IntCounterVec, IntGauge, IntGaugeVec};
use schemas::event::Event;
use schemas::event::centre::InstructionRefusal;

use super::Maker;

/// The link's figures.
#[derive(Clone, Debug)]
pub struct LinkMetrics {
    /// 1 for how it stands.
    pub standing: IntGaugeVec,
    /// Events that the centre's stream is known to have.
    pub sent: IntGauge,
    /// Durable events that it does not have yet.
    pub backlog: IntGauge,
    /// Times that a fault of its own code ended it.
    pub panics: IntCounter,
    /// Connections in this life.
    pub connections: IntGauge,
    /// Bytes handed over in this life.
    pub bytes: IntGauge,
    /// Events that the centre acknowledged.
    pub acknowledged: IntGauge,
    /// Instructions of the centre: followed, refused.
    pub instructions: IntCounterVec,
    /// Those that were refused, by why.
    pub refused: IntCounterVec,
}

impl LinkMetrics {
    pub(super) fn new(make: &Maker) -> Result<Self, prometheus::Error> {
        let refused = make.counters(
            "station_instructions_refused_total",
            "Instructions of the centre that were not followed, by why",
            "reason",
        )?;
        // There from the beginning, so that the first one is a rise.
        for reason in InstructionRefusal::ALL {
            refused.with_label_values(&[reason_word(*reason)]).inc_by(0);
        }
        Ok(Self {
            refused,
            standing: make.gauges(
                "station_link_standing",
                "1 for how the link to the centre stands",
                "standing",
            )?,
            sent: make.gauge("station_link_sent", "Events that the centre's stream has")?,
            backlog: make.gauge(
                "station_link_backlog",
                "Durable events that the centre's stream does not have yet",
            )?,
            panics: make.counter(
                "station_link_panics_total",
                "Times that a fault of its own code ended the link, which was then begun anew",
            )?,
            connections: make.gauge(
                "station_link_connections",
                "Connections to the centre in this life",
            )?,
            bytes: make.gauge(
                "station_link_bytes",
                "Bytes handed to the centre in this life",
            )?,
            acknowledged: make.gauge(
                "station_link_acknowledged",
                "Events that the centre acknowledged",
            )?,
            instructions: make.counters(
                "station_instructions_total",
                "Instructions of the centre by what became of them",
                "outcome",
            )?,
        })
    }

    /// What became of an instruction.
    pub(super) fn follow(&self, event: &Event) {
        if let Event::InstructionFollowed(_) = event {
            self.instructions.with_label_values(&["followed"]).inc();
        } else if let Event::InstructionRefused(refused) = event {
            let reason = reason_word(refused.reason);
            self.instructions.with_label_values(&["refused"]).inc();
            self.refused.with_label_values(&[reason]).inc();
        }
    }
}

/// The word of a reason as it stands in the contract.
const fn reason_word(reason: InstructionRefusal) -> &'static str {
    match reason {
        InstructionRefusal::Malformed => "malformed",
        InstructionRefusal::NotForThisStation => "not-for-this-station",
        InstructionRefusal::NotGenuine => "not-genuine",
        InstructionRefusal::Unknown => "unknown",
        InstructionRefusal::Repeated => "repeated",
        InstructionRefusal::Unusable => "unusable",
        InstructionRefusal::Outdated => "outdated",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use schemas::event::centre::InstructionRefused;

    use super::*;

    /// G6: the words of the metrics are those of the contract, and each refusal counts under its own: alerts leave out what comes late.
    #[test]
    fn a_refusal_counts_under_the_contract_s_word() {
        let metrics = LinkMetrics::new(&Maker(prometheus::Registry::new())).unwrap();
        for reason in InstructionRefusal::ALL {
            let word = serde_json::to_value(reason).unwrap();
            let figure = metrics.refused.with_label_values(&[word.as_str().unwrap()]);
            assert_eq!(figure.get(), 0);
            metrics.follow(&Event::InstructionRefused(InstructionRefused {
                revision: 4,
                reason: *reason,
                sha256: "00".repeat(32),
            }));
            assert_eq!(figure.get(), 1, "{reason:?}");
        }
        let all = metrics.instructions.with_label_values(&["refused"]).get();
        assert_eq!(usize::try_from(all).unwrap(), InstructionRefusal::ALL.len());
    }
}
