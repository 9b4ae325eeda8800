//! The loop that reads, verifies, saves, and only then answers. It owns all state; everybody else sees copies.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use schemas::ids::StationId;
use tokio::sync::watch;

use super::downlink::{Downlink, SendError};
use super::folder::{Folder, Lock, read_json, write_json};
use super::followed::Followed;
use super::keys::CentreKeys;
use super::link::{Link, LinkError};
use super::log::NotUsable;
use super::office::serving::Serving;
use super::received::Received;
use super::registration::{self, Registration};
use super::seen::Seen;
use super::view::View;

/// Between rounds that found nothing.
const IDLE: Duration = Duration::from_millis(250);
/// After a round that failed: the first pause, and the longest.
const PAUSE: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(10);
/// Registrations are looked for, and what was seen is saved, so often.
const HOUSEKEEPING: Duration = Duration::from_secs(1);
/// The folder of what stations have sent is looked through so often.
const SWEEP: Duration = Duration::from_secs(10);

/// What the loop needs to know.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) province: String,
    /// The folder of what stations have sent beside their events.
    pub(super) received: Option<PathBuf>,
    pub(super) accept_unknown: bool,
    /// How long the store may end before what was verified, until that is a fault.
    pub(super) store_patience: Duration,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Follower {
    pub(super) settings: Settings,
    pub(super) folder: Folder,
    pub(super) keys: CentreKeys,
    pub(super) link: Link,
    /// By stream.
    pub(super) logs: BTreeMap<String, Followed>,
    pub(super) downlinks: BTreeMap<StationId, Downlink>,
    pub(super) seen: Seen,
    pub(super) seen_changed: bool,
    /// Stations whose alerts are to be read.
    pub(super) alerts_due: BTreeSet<StationId>,
    /// Registrations that nobody has confirmed.
    pub(super) offers: Vec<Registration>,
    /// The store does not let the centre look for streams; those that are registered are read all the same.
    pub(super) is_blind: bool,
    /// What is done about applications, if anything.
    pub(super) serving: Option<Serving>,
    kept_house: Option<Instant>,
    swept: Option<Instant>,
    pub(super) trouble: Option<String>,
    view: watch::Sender<Arc<View>>,
    _lock: Lock,
}

/// Why a round was not completed.
#[derive(Debug, thiserror::Error)]
pub(super) enum RoundError {
    #[error("the store: {0}")]
    Link(#[from] LinkError),
    #[error(transparent)]
    Send(#[from] SendError),
    #[error("the centre's folder: {0}")]
    Io(#[from] io::Error),
    #[error(transparent)]
    NotUsable(#[from] NotUsable),
}

impl Follower {
    pub(super) fn new(
        settings: Settings,
        folder: Folder,
        link: Link,
        serving: Option<Serving>,
        view: watch::Sender<Arc<View>>,
    ) -> Result<Self, RoundError> {
        let lock = folder.lock()?;
        let keys = CentreKeys::open(&folder)?;
        let seen = read_json(&folder.seen())?.unwrap_or_default();
        let mut follower = Self {
            settings,
            folder,
            keys,
            link,
            logs: BTreeMap::new(),
            downlinks: BTreeMap::new(),
            seen,
            seen_changed: false,
            alerts_due: BTreeSet::new(),
            offers: Vec::new(),
            is_blind: false,
            serving,
            kept_house: None,
            swept: None,
            trouble: None,
            view,
            _lock: lock,
        };
        follower.take_registrations()?;
        follower.publish();
        Ok(follower)
    }

    /// Until it is told to stop. What was verified is saved then.
    pub(super) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut pause = PAUSE;
        loop {
            let wait = match self.round().await {
                Ok(busy) => {
                    self.trouble = None;
                    pause = PAUSE;
                    if busy { Duration::ZERO } else { IDLE }
                }
                Err(error) => {
                    self.recover(&error);
                    let wait = pause;
                    pause = (pause * 2).min(PAUSE_MAX);
                    wait
                }
            };
            self.publish();
            tokio::select! {
                // Whoever could say so is gone: that is a stop too.
                _ = stop.wait_for(|stop| *stop) => break,
                () = tokio::time::sleep(wait) => {}
            }
        }
        if let Err(error) = self.save_all() {
            tracing::error!(%error, "what was verified last is not saved; it is read again at the next start");
        }
    }

    /// True: there may be more at once.
    async fn round(&mut self) -> Result<bool, RoundError> {
        if self
            .kept_house
            .is_none_or(|at| at.elapsed() >= HOUSEKEEPING)
        {
            self.take_registrations()?;
            self.offers = registration::offers(&self.folder)?;
            self.save_seen()?;
            self.kept_house = Some(Instant::now());
        }
        if self.swept.is_none_or(|at| at.elapsed() >= SWEEP) {
            self.sweep()?;
            self.swept = Some(Instant::now());
        }
        let mut busy = self.look_around().await?;
        busy |= self.follow_all().await?;
        busy |= self.serve().await?;
        self.answer_all().await?;
        Ok(busy)
    }

    /// After an error nothing of the connection is believed.
    fn recover(&mut self, error: &RoundError) {
        tracing::warn!(%error, host = %self.link.host(), "trying again");
        self.trouble = Some(error.to_string());
        self.link.reset();
        self.downlinks.clear();
        for followed in self.logs.values_mut() {
            followed.doubt();
        }
    }

    pub(super) fn take_registrations(&mut self) -> Result<(), RoundError> {
        for registration in registration::all(&self.folder)? {
            let stream = registration.stream();
            if self.logs.contains_key(&stream) {
                continue;
            }
            if registration.province() != self.settings.province {
                tracing::warn!(stream, "registered, but of another province");
                continue;
            }
            if let Some(folder) = &self.settings.received {
                Received::of(folder, &registration.station).make()?;
            }
            let followed = Followed::open(&self.folder, registration)?;
            self.seen_changed |= self.seen.unknown.remove(&stream).is_some();
            // They may have come before it was registered.
            self.alerts_due
                .insert(followed.log.registration().station.clone());
            self.logs.insert(stream, followed);
        }
        Ok(())
    }

    fn save_seen(&mut self) -> io::Result<()> {
        if self.seen_changed {
            write_json(&self.folder.seen(), &self.seen)?;
            self.seen_changed = false;
        }
        Ok(())
    }

    fn save_all(&mut self) -> io::Result<()> {
        self.tell_office()?;
        for followed in self.logs.values_mut() {
            followed.save(&self.folder)?;
        }
        self.save_seen()
    }

    fn publish(&self) {
        let view = View::of(self);
        self.view.send_if_modified(|shown| {
            let differs = **shown != view;
            if differs {
                *shown = Arc::new(view);
            }
            differs
        });
    }
}

/// The centre's wall clock, in ms since 1970.
pub(super) fn wall_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}
