//! The broker while the log is closed: devices stay connected, every message is refused, kiosks are told why. It keeps
//! nothing on disk.

use std::sync::Arc;

use anyhow::Context as _;
use edge_config::Broker;
use gateway_broker::MemoryStore;
use gateway_core::View;
use schemas::message::kiosk::Text;
use schemas::topic::Topics;
use schemas::words::{PromptCode, ServiceReason};

use super::prepare::Prepared;
use crate::broker::{self, BrokerOutlet, Gate, Way};
use crate::effects::{json, prompt};
use crate::outlet::{Outgoing, Outlet as _};

/// The broker that refuses. With an external broker there is none: messages wait there.
#[derive(Debug)]
pub(super) struct ClosedDoor(Option<(gateway_broker::Broker, BrokerOutlet)>);

impl ClosedDoor {
    pub(super) async fn open(prepared: &Prepared) -> anyhow::Result<Self> {
        let Broker::Embedded(embedded) = &prepared.station.broker else {
            return Ok(Self(None));
        };
        let gate = Gate::new(&prepared.station, prepared.metrics.clone(), Way::Closed);
        let config = broker::config(embedded)?;
        let broker =
            gateway_broker::Broker::start(config, Arc::new(gate), Arc::new(MemoryStore::default()));
        let broker = broker.await.context("the broker cannot start")?;
        let outlet = BrokerOutlet::new(Topics::new(prepared.station.id.clone()));
        outlet.connect(broker.clone());
        Ok(Self(Some((broker, outlet))))
    }

    /// Tells every kiosk that the station is out of service, and why. Told again and again, because kiosks may connect
    /// at any time.
    pub(super) fn tell(&self, prepared: &Prepared) {
        let Some((_, outlet)) = &self.0 else { return };
        let view = View {
            reasons: vec![ServiceReason::StorageLow],
            ..View::bare(PromptCode::OutOfService)
        };
        // No application is shown here, so nobody is sent to a window.
        let nowhere = Text {
            zh: String::new(),
            en: String::new(),
        };
        let payload = json(&prompt(&view, &prepared.clock.now(), &nowhere));
        for kiosk in &prepared.station.kiosks {
            outlet.send(Outgoing {
                device: kiosk.id.clone(),
                channel: "session".to_owned(),
                payload: payload.clone(),
                assured: false,
                expiry_s: None,
            });
        }
    }

    pub(super) async fn close(self, prepared: &Prepared) {
        if let Some((broker, _)) = self.0 {
            broker.shutdown().await;
            prepared.metrics.broker_connections.set(0);
        }
    }
}
