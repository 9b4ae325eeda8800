//! The loop's reading: which streams there are, what is new in each, and the alerts.

use schemas::ids::StationId;
use schemas::uplink::alert_stream;

use super::checkpoints::Fork;
use super::folder::write_json;
use super::followed::Followed;
use super::follower::{Follower, RoundError};
use super::link::Page;
use super::log::Log;
use super::registration::{Registration, register};
use super::seen::Unknown;

/// Events that are read at once.
const PAGE_LEN: usize = 500;
/// Pages of one log in a round, so that a backlog of one station does not keep the others waiting.
const PAGES_MAX: usize = 4;
const LOGS: &str = "station-";
const ALERTS: &str = "alerts-";

impl Follower {
    /// Looks through what was appended to any stream of a station since the last time. True: there may be more.
    pub(super) async fn look_around(&mut self) -> Result<bool, RoundError> {
        let from = self.seen.position;
        let events = match self.link.read_all(&[LOGS, ALERTS], from, PAGE_LEN).await {
            Err(error) if error.is_denied() => {
                self.is_blind = true;
                self.logs
                    .values_mut()
                    .for_each(|followed| followed.behind = true);
                return Ok(false);
            }
            outcome => outcome?,
        };
        self.is_blind = false;
        for stored in events
            .iter()
            .filter(|event| from.is_none_or(|from| event.position > from))
        {
            self.seen.position = Some(stored.position);
            self.seen_changed = true;
            if let Some(followed) = self.logs.get_mut(&stored.stream) {
                followed.behind |= stored.revision >= followed.log.size();
            } else if stored.stream.starts_with(LOGS) {
                self.seen.unknown(stored);
            } else if let Some(station) = self.alerted(&stored.stream) {
                self.alerts_due.insert(station);
            }
        }
        self.look_at_unknown().await?;
        while let Some(station) = self.alerts_due.first().cloned() {
            self.read_alerts(&station).await?;
            self.alerts_due.remove(&station);
        }
        Ok(events.len() >= PAGE_LEN)
    }

    /// Reads the first event of streams that are not registered, and takes those in that it may.
    async fn look_at_unknown(&mut self) -> Result<(), RoundError> {
        let unread =
            |(stream, unknown): (&String, &Unknown)| (!unknown.is_read).then(|| stream.clone());
        let streams: Vec<String> = self.seen.unknown.iter().filter_map(unread).collect();
        for stream in streams {
            let page = match self.link.read(&stream, 0, 1).await {
                // It is shown without what it says of itself.
                Err(error) if error.is_denied() => Page::None,
                outcome => outcome?,
            };
            let Some(unknown) = self.seen.unknown.get_mut(&stream) else {
                continue;
            };
            unknown.is_read = true;
            if let Page::Events(events) = page
                && let Some(first) = events.first()
            {
                unknown.look_at(first);
            }
        }
        if self.settings.accept_unknown {
            self.accept_offered()?;
        }
        Ok(())
    }

    /// For demonstrations: an offer whose key fits the stream is taken without asking anybody.
    fn accept_offered(&mut self) -> Result<(), RoundError> {
        let unknown = self.seen.unknown.iter();
        let fitting = unknown.filter_map(|(stream, unknown)| self.offer(stream, unknown));
        let fitting: Vec<Registration> = fitting.cloned().collect();
        for offer in &fitting {
            let stream = offer.stream();
            tracing::warn!(
                stream,
                "registered without asking anybody: for demonstrations only"
            );
            register(&self.folder, offer).map_err(std::io::Error::other)?;
        }
        if fitting.is_empty() {
            return Ok(());
        }
        self.take_registrations()
    }

    /// The offer that names the log and the key that an unregistered stream begins with.
    pub(super) fn offer(&self, stream: &str, unknown: &Unknown) -> Option<&Registration> {
        let mut offers = self.offers.iter();
        offers.find(|offer| {
            offer.stream() == stream
                && unknown.fingerprint.as_deref() == Some(offer.fingerprint().as_str())
                && unknown.origin.as_deref() == Some(offer.origin.as_str())
        })
    }

    /// Reads what is new in each log.
    pub(super) async fn follow_all(&mut self) -> Result<bool, RoundError> {
        let wanted = self
            .logs
            .iter()
            .filter(|(_, followed)| followed.is_wanted());
        let streams: Vec<String> = wanted.map(|(stream, _)| stream.clone()).collect();
        let mut busy = false;
        for stream in streams {
            busy |= self.follow(&stream).await?;
        }
        Ok(busy)
    }

    async fn follow(&mut self, stream: &str) -> Result<bool, RoundError> {
        for _ in 0..PAGES_MAX {
            let Some(followed) = self.logs.get_mut(stream).filter(|log| log.is_wanted()) else {
                return Ok(false);
            };
            let page = match self.link.read(stream, followed.from(), PAGE_LEN).await {
                Ok(page) => page,
                Err(error) if error.is_denied() => {
                    followed.trouble = Some("the store denies access to this stream".to_owned());
                    followed.behind = false;
                    return Ok(false);
                }
                Err(error) => return Err(error.into()),
            };
            followed.trouble = None;
            let patience = self.settings.store_patience;
            let rotations = followed.log.rotations();
            let fork = followed.take(page, PAGE_LEN, patience);
            if self.settings.received.is_none() {
                followed.log.figures_mut().forget_blobs();
            }
            if followed.log.rotations() != rotations {
                let station = followed.log.registration().station.clone();
                self.seen.alerts.entry(station.clone()).or_default().doubt();
                self.alerts_due.insert(station);
            }
            if let Some(fork) = fork {
                self.keep_fork(stream, &fork)?;
            }
            if self.logs.get(stream).is_some_and(Followed::is_short) {
                return Ok(false);
            }
        }
        Ok(self.logs.get(stream).is_some_and(Followed::is_wanted))
    }

    /// A proof is kept for those who have to look for the second machine.
    fn keep_fork(&self, stream: &str, fork: &Fork) -> std::io::Result<()> {
        let name = format!("{stream}-{}.json", fork.size);
        write_json(&self.folder.forks().join(name), fork)
    }

    /// The registered station whose alerts these are.
    fn alerted(&self, stream: &str) -> Option<StationId> {
        let mut stations = self
            .logs
            .values()
            .map(|log| &log.log.registration().station);
        stations
            .find(|station| alert_stream(station) == stream)
            .cloned()
    }

    async fn read_alerts(&mut self, station: &StationId) -> Result<(), RoundError> {
        let stream = alert_stream(station);
        loop {
            let alerts = self.seen.alerts.entry(station.clone()).or_default();
            let events = match self.link.read(&stream, alerts.next, PAGE_LEN).await {
                Ok(Page::Events(events)) => events,
                Ok(Page::None | Page::Deleted) => return Ok(()),
                Err(error) if error.is_denied() => {
                    tracing::warn!(stream, "the store denies access to the alerts");
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            };
            for stored in &events {
                let logs = self.logs.values().map(|followed| &followed.log);
                let own = logs.filter(|log: &&Log| log.registration().station == *station);
                alerts.take(stored, own);
                self.seen_changed = true;
            }
            if events.len() < PAGE_LEN {
                return Ok(());
            }
        }
    }
}
