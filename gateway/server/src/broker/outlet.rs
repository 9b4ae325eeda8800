//! Messages to devices, through the embedded broker.

use std::sync::Arc;

use gateway_broker::{Message, Qos};
use schemas::topic::Topics;

use super::Running;
use crate::outlet::{Outgoing, Outlet};

/// Publishes through the broker, once it runs. What is sent before is not lost to anybody: nothing is connected yet, and
/// what is owed is owed again at the next group.
#[derive(Debug, Clone)]
pub struct BrokerOutlet {
    broker: Running,
    topics: Topics,
}

impl BrokerOutlet {
    /// For the topics of one station.
    pub fn new(topics: Topics) -> Self {
        Self {
            broker: Arc::default(),
            topics,
        }
    }

    /// The broker runs.
    pub fn connect(&self, broker: gateway_broker::Broker) {
        // A second broker of the same outlet does not exist.
        drop(self.broker.set(broker));
    }
}

impl Outlet for BrokerOutlet {
    fn send(&self, message: Outgoing) {
        let Some(broker) = self.broker.get() else {
            return;
        };
        let topic = format!(
            "{}/{}",
            self.topics.device(&message.device),
            message.channel
        );
        let qos = if message.assured {
            Qos::AtLeastOnce
        } else {
            Qos::AtMostOnce
        };
        let mut outgoing = Message::new(topic, message.payload).qos(qos);
        if let Some(expiry_s) = message.expiry_s {
            outgoing = outgoing.expiry_s(expiry_s);
        }
        // Routed before this returns. Nothing waits for a queued copy to be on disk: what is owed is in the log, and is
        // sent again after a restart.
        drop(broker.publish(outgoing));
    }
}
