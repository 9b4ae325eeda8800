//! The camera of the machine, started.

use std::net::{Ipv4Addr, SocketAddr};

use adapters::link::LinkConfig;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{CameraFault, CameraOptions, NetworkCamera, Offer, mqtt};
use crate::device::{self, Power};
use crate::faults::Faults;
use crate::simulation::SimulationError;

/// What the camera of the machine speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CameraProtocol {
    /// ONVIF and HTTP.
    Onvif {
        /// Where it listens; port 0 for any free one.
        listen: SocketAddr,
        /// Whom it knows.
        login: CameraLogin,
    },
    /// MQTT.
    Mqtt,
}

/// Whom a camera knows. The password does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct CameraLogin {
    /// The user.
    pub user: String,
    /// The password.
    pub password: String,
}

impl core::fmt::Debug for CameraLogin {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("CameraLogin(hidden)")
    }
}

impl CameraLogin {
    /// The user `station`, with a password that nobody knows.
    pub fn made_up() -> Self {
        let bytes: [u8; 16] = core::array::from_fn(|_| fastrand::u8(..));
        Self {
            user: "station".to_owned(),
            password: hex::encode(bytes),
        }
    }
}

impl CameraProtocol {
    /// ONVIF on this port of loopback, for one who knows the password.
    pub fn onvif(port: u16, login: CameraLogin) -> Self {
        Self::Onvif {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            login,
        }
    }
}

/// A running camera.
pub(crate) struct Started {
    /// Where it listens, if it does.
    pub(crate) address: Option<SocketAddr>,
    pub(crate) task: JoinHandle<()>,
}

pub(crate) async fn start(
    protocol: &CameraProtocol,
    link: LinkConfig,
    faults: Faults<CameraFault>,
    capture_ms: u64,
    power: watch::Receiver<Power>,
) -> Result<Started, SimulationError> {
    let CameraProtocol::Onvif { listen, login } = protocol else {
        let act = move |link, command| mqtt::act(capture_ms, link, command);
        return Ok(Started {
            address: None,
            task: tokio::spawn(device::run(link, power, act)),
        });
    };
    let not_listening = |error| SimulationError::Listen {
        what: "the camera",
        address: *listen,
        error,
    };
    let listener = TcpListener::bind(listen).await.map_err(not_listening)?;
    let address = listener.local_addr().map_err(not_listening)?;
    let camera = NetworkCamera::new(CameraOptions {
        user: login.user.clone(),
        password: login.password.clone(),
        offers: vec![Offer::Sha256, Offer::Md5],
        capture_ms,
        faults,
    });
    Ok(Started {
        address: Some(address),
        task: tokio::spawn(camera.serve(listener, power)),
    })
}
