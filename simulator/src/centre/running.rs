//! A centre that runs: the loop in a thread of its own, the pages beside the caller, and a handle to ask.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::fault::Located;
use super::folder::Folder;
use super::follower::{Follower, RoundError, Settings};
use super::http;
use super::link::{Link, LinkError};
use super::office::counter::{self, Asks};
use super::office::serving::{Ask, Serving};
use super::office::{Asked, GrantTerms, Openers};
use super::opener::Centre;
use super::registration::{self, Registration};
use super::view::{LogView, View};
use crate::people::People;

/// How long the store may end before what was verified: a cluster that changes its leader needs some seconds.
const STORE_PATIENCE: Duration = Duration::from_mins(1);

/// [`OfficeConfig::picture_wait`] where nothing else is said.
pub const PICTURE_WAIT: Duration = Duration::from_mins(1);

/// Configuration of a centre.
#[derive(Clone)]
pub struct CentreConfig {
    /// The store: `esdb://[user:password@]host:port[,…][?tls=…]`. It may hold a password and is never shown.
    pub connection: String,
    /// The centre's own folder; made if missing.
    pub folder: PathBuf,
    /// The province: the second part of every origin.
    pub province: String,
    /// Where the pages are, if anywhere; port 0 for any free one.
    pub listen: Option<SocketAddr>,
    /// The folder of what stations have sent beside their events, if there is one: `<station>/blobs`,
    /// `<station>/session-keys`.
    pub received: Option<PathBuf>,
    /// Register unknown stations that offer a fitting key, without asking anybody. For demonstrations only.
    pub accept_unknown: bool,
    /// How long the store may end before what was verified, until that is a fault.
    pub store_patience: Duration,
    /// What is done about applications; none: nothing.
    pub office: Option<OfficeConfig>,
}

/// What the centre needs for applications.
#[derive(Debug, Clone)]
pub struct OfficeConfig {
    /// The private key that stations seal to.
    pub private: Arc<Centre>,
    /// Whom the centre knows: names and fingerprints for the cards that are made.
    pub register: Arc<People>,
    /// What stations are granted.
    pub terms: GrantTerms,
    /// Where the counter is, if anywhere; port 0 for any free one. It shows what is personal.
    pub counter: Option<SocketAddr>,
    /// How long a picture that is to be compared may come behind its event, before it is decided without it.
    pub picture_wait: Duration,
}

/// Why a centre did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The connection string.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// Its folder, or what lies in it.
    #[error("the centre's folder {path}: {why}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The pages.
    #[error("the pages cannot listen on {address}: {error}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        error: io::Error,
    },
    /// Applications are sealed to keys that come there.
    #[error("applications need the folder of what stations have sent")]
    NothingReceived,
    /// The thread of the loop.
    #[error("no thread: {0}")]
    Thread(io::Error),
}

/// A running centre.
#[derive(Debug)]
pub struct Running {
    view: watch::Receiver<Arc<View>>,
    address: Option<SocketAddr>,
    pages: Option<JoinHandle<()>>,
    stop: watch::Sender<bool>,
    ended: oneshot::Receiver<()>,
    folder: Folder,
    asks: Asks,
    counter: Option<(SocketAddr, JoinHandle<()>)>,
}

impl CentreConfig {
    /// Without pages, and with registrations by hand only.
    pub fn new(connection: impl Into<String>, folder: impl Into<PathBuf>, province: &str) -> Self {
        Self {
            connection: connection.into(),
            folder: folder.into(),
            province: province.to_owned(),
            listen: None,
            received: None,
            accept_unknown: false,
            store_patience: STORE_PATIENCE,
            office: None,
        }
    }
}

/// Runs a centre until `stop` is there.
///
/// # Errors
/// It did not start.
pub async fn run(config: CentreConfig, stop: impl Future<Output = ()>) -> Result<(), StartError> {
    let running = Running::start(config).await?;
    stop.await;
    running.shutdown().await;
    Ok(())
}

impl Running {
    /// Starts a centre. Within a tokio runtime. It returns when the pages listen; the store may come later.
    ///
    /// # Errors
    /// The connection string, the folder or the address is not usable.
    pub async fn start(config: CentreConfig) -> Result<Self, StartError> {
        let path = config.folder.clone();
        let unusable = |why: String| StartError::Folder { path, why };
        let folder = Folder::open(&config.folder);
        let folder = folder.map_err(|error| unusable.clone()(error.to_string()))?;
        let link = Link::new(&config.connection)?;
        let settings = Settings {
            province: config.province.clone(),
            received: config.received.clone(),
            accept_unknown: config.accept_unknown,
            store_patience: config.store_patience,
        };
        let (shown, view) = watch::channel(Arc::new(View::default()));
        let (asks, asked) = mpsc::unbounded_channel();
        let serving = match &config.office {
            Some(office) => Some(serving(&config, office, &folder, asked)?),
            None => None,
        };
        let follower = Follower::new(settings, folder.clone(), link, serving, shown);
        let follower = follower.map_err(|error: RoundError| unusable(error.to_string()))?;
        let (address, pages) = match config.listen {
            Some(address) => serve(address, http::router(view.clone()))
                .await
                .map(|(at, task)| (Some(at), Some(task)))?,
            None => (None, None),
        };
        let counter = match config.office.as_ref().and_then(|office| office.counter) {
            Some(address) => Some(serve(address, counter::router(asks.clone())).await?),
            None => None,
        };
        let (stop, stopped) = watch::channel(false);
        let ended = follow(follower, stopped).map_err(StartError::Thread)?;
        Ok(Self {
            view,
            address,
            pages,
            stop,
            ended,
            folder,
            asks,
            counter,
        })
    }

    /// Where the pages are.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Where the counter is.
    pub fn counter(&self) -> Option<SocketAddr> {
        self.counter.as_ref().map(|(address, _)| *address)
    }

    /// Asks the office; done, and on the disk, when it is answered.
    ///
    /// # Errors
    /// What is asked for cannot be done; why.
    pub async fn ask(&self, asked: Asked) -> Result<serde_json::Value, String> {
        counter::ask(&self.asks, asked).await
    }

    /// What the centre shows now.
    pub fn view(&self) -> Arc<View> {
        Arc::clone(&self.view.borrow())
    }

    /// Events verified of the station's newest log; none: it is not registered.
    pub fn verified_size(&self, station: &str) -> Option<u64> {
        self.view().newest(station).map(|log| log.size)
    }

    /// Events of that log that the station was told the centre has.
    pub fn acknowledged_size(&self, station: &str) -> Option<u64> {
        self.view().newest(station).map(|log| log.acknowledged)
    }

    /// All faults.
    pub fn faults(&self) -> Vec<Located> {
        let view = self.view();
        let faults = view.logs.values().filter_map(|log| log.fault.clone());
        faults.collect()
    }

    /// Waits until what is shown is as wanted. `None`: the loop has ended.
    pub async fn until(&mut self, wanted: impl Fn(&View) -> bool) -> Option<Arc<View>> {
        let shown = self.view.wait_for(|view| wanted(view)).await.ok()?;
        Some(Arc::clone(&shown))
    }

    /// Waits until a station's newest log is as wanted.
    pub async fn until_log(
        &mut self,
        station: &str,
        wanted: impl Fn(&LogView) -> bool,
    ) -> Option<Arc<View>> {
        self.until(|view| view.newest(station).is_some_and(&wanted))
            .await
    }

    /// Lays a registration ready, as a station of a demonstration does for itself.
    ///
    /// # Errors
    /// The centre's folder cannot be written.
    pub fn offer(&self, registration: &Registration) -> io::Result<()> {
        registration::offer(&self.folder, registration)
    }

    /// Ends it. What was verified is saved when this returns.
    pub async fn shutdown(self) {
        self.stop.send_replace(true);
        // An error says that the thread has ended by itself.
        self.ended.await.ok();
        if let Some(pages) = self.pages {
            pages.abort();
        }
        if let Some((_, counter)) = self.counter {
            counter.abort();
        }
    }
}

/// The client of the store has tasks of its own, which may spin or hang: they share nothing with the caller's runtime.
fn follow(follower: Follower, stopped: watch::Receiver<bool>) -> io::Result<oneshot::Receiver<()>> {
    let (end, ended) = oneshot::channel();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("centre-store")
        .enable_all()
        .build()?;
    let thread = std::thread::Builder::new().name("centre".to_owned());
    thread.spawn(move || {
        runtime.block_on(follower.run(stopped));
        runtime.shutdown_background();
        // Nobody waits any more: then nobody has to be told.
        end.send(()).ok();
    })?;
    Ok(ended)
}

fn serving(
    config: &CentreConfig,
    office: &OfficeConfig,
    folder: &Folder,
    asked: mpsc::UnboundedReceiver<Ask>,
) -> Result<Serving, StartError> {
    let received = config.received.clone();
    let openers = Openers {
        private: Arc::clone(&office.private),
        received: received.ok_or(StartError::NothingReceived)?,
        patience: office.picture_wait,
    };
    let register = Arc::clone(&office.register);
    Serving::open(folder, openers, register, office.terms.clone(), asked).map_err(|error| {
        StartError::Folder {
            path: config.folder.clone(),
            why: error.to_string(),
        }
    })
}

async fn serve(
    address: SocketAddr,
    router: Router,
) -> Result<(SocketAddr, JoinHandle<()>), StartError> {
    let listen = |error| StartError::Listen { address, error };
    let listener = TcpListener::bind(address).await.map_err(listen)?;
    let bound = listener.local_addr().map_err(listen)?;
    let serving = async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "the centre's pages stopped");
        }
    };
    Ok((bound, tokio::spawn(serving)))
}

impl std::fmt::Debug for CentreConfig {
    // The connection may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CentreConfig")
            .field("folder", &self.folder)
            .field("province", &self.province)
            .field("listen", &self.listen)
            .field("accept_unknown", &self.accept_unknown)
            .finish_non_exhaustive()
    }
}
