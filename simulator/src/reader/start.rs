//! A reader of the machine, started: what lies on it is what lies there in the world.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use adapters::link::LinkConfig;
use adapters::reader::SamId;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::{Place, ReaderOptions, SamReader, mqtt};
use crate::device::{self, Power};
use crate::simulation::SimulationError;
use crate::world::World;

/// How long the intake's lamp stays on after the last look for a card.
const LAMP: Duration = Duration::from_secs(1);
/// How long the module takes to find a card, or to select it, in ms.
const FIND_MS: u64 = 20;

/// What a reader of the machine speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReaderProtocol {
    /// The protocol of the SAM_V module, behind a serial-over-TCP adapter.
    SamV {
        /// Where that listens; port 0 for any free one.
        listen: SocketAddr,
        /// The identity of the security module.
        sam_id: SamId,
    },
    /// MQTT.
    Mqtt,
}

impl ReaderProtocol {
    /// SAM_V on this port of loopback, with an identity that ends with `number`.
    pub const fn sam_v(port: u16, number: u32) -> Self {
        Self::SamV {
            listen: SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), port),
            sam_id: SamId {
                maker: [5, 3],
                numbers: [20_260_101, 1, number],
            },
        }
    }
}

/// A running reader.
pub(crate) struct Started {
    /// Where it listens, if it does.
    pub(crate) address: Option<SocketAddr>,
    pub(crate) task: JoinHandle<()>,
}

pub(crate) async fn start(
    place: Place,
    protocol: &ReaderProtocol,
    link: LinkConfig,
    world: &Arc<World>,
    read_ms: u64,
    power: watch::Receiver<Power>,
) -> Result<Started, SimulationError> {
    let world = Arc::clone(world);
    let ReaderProtocol::SamV { listen, sam_id } = *protocol else {
        let act = move |link, command| mqtt::act(Arc::clone(&world), place, read_ms, link, command);
        return Ok(Started {
            address: None,
            task: tokio::spawn(device::run(link, power, act)),
        });
    };
    let not_listening = |error| SimulationError::Listen {
        what: "a reader",
        address: listen,
        error,
    };
    let listener = TcpListener::bind(listen).await.map_err(not_listening)?;
    let address = listener.local_addr().map_err(not_listening)?;
    let options = ReaderOptions {
        sam_id,
        find_ms: FIND_MS,
        read_ms,
        faults: place.faults(&world).clone(),
    };
    let for_reader = Arc::clone(&world);
    let reader = SamReader::new(options, move || {
        let serial = place.card(&for_reader)?;
        for_reader.card(&serial)
    });
    let task = tokio::spawn(async move {
        tokio::select! {
            () = reader.clone().serve(listener, power) => {}
            () = watch_card(&reader, &world) => {}
            () = light_lamp(place, &reader, &world) => {}
        }
    });
    Ok(Started {
        address: Some(address),
        task,
    })
}

async fn watch_card(reader: &SamReader, world: &World) {
    let mut changes = world.dispenser.changes();
    while changes.changed().await.is_ok() {
        reader.look();
    }
}

/// The intake's lamp is on while a host looks for a card there.
async fn light_lamp(place: Place, reader: &SamReader, world: &World) {
    if place != Place::Intake {
        return core::future::pending().await;
    }
    let mut finds = reader.finds();
    while finds.changed().await.is_ok() {
        world.intake_wanted.send_replace(true);
        while let Ok(Ok(())) = timeout(LAMP, finds.changed()).await {}
        world.intake_wanted.send_replace(false);
    }
}
