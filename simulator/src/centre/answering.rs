//! The loop's answers: what was verified is saved, then acknowledged; keys of erased sessions are destroyed, then that is said.

use std::collections::BTreeSet;
use std::io;

use schemas::downlink::{Acknowledged, ErasureDone, Instruction};
use schemas::ids::SessionId;

use super::downlink::{Downlink, SendError};
use super::followed::Followed;
use super::follower::{Follower, RoundError, wall_ms};
use super::keys::CentreKeys;
use super::received::Received;
use super::registration::Registration;

impl Follower {
    /// Saves and answers each log that is due.
    pub(super) async fn answer_all(&mut self) -> Result<(), RoundError> {
        let due = self.logs.iter().filter(|(_, followed)| followed.is_due());
        let streams: Vec<String> = due.map(|(stream, _)| stream.clone()).collect();
        for stream in streams {
            match self.answer(&stream).await {
                // Of this station only: the others are answered all the same.
                Err(RoundError::Send(error)) if is_of_one_stream(&error) => {
                    tracing::warn!(stream, %error, "the station is not answered");
                    if let Some(followed) = self.logs.get_mut(&stream) {
                        followed.trouble = Some(error.to_string());
                    }
                }
                outcome => outcome?,
            }
        }
        Ok(())
    }

    async fn answer(&mut self, stream: &str) -> Result<(), RoundError> {
        let Some(followed) = self.logs.get_mut(stream) else {
            return Ok(());
        };
        followed.settle();
        // First the disk, then the word.
        followed.save(&self.folder)?;
        let log = &followed.log;
        let registration = log.registration().clone();
        if log.fault().is_some() {
            return Ok(());
        }
        let erasures = log.figures().erasures().clone();
        let size = log.size();
        let acknowledgement = followed.is_owed().then(|| Acknowledged {
            origin: log.registration().origin.clone(),
            size,
            root: log.root().to_string(),
        });
        if let Some(acknowledgement) = acknowledgement {
            let instruction = Instruction::Acknowledged(acknowledgement);
            self.say(&registration, &instruction).await?;
            self.changed(stream, |followed| followed.log.set_acknowledged(size));
        }
        for session in erasures {
            self.erase(stream, &registration, &session).await?;
        }
        Ok(())
    }

    /// Destroys what the centre has of a session's keys, and says so. Cut off in between, it is done again: there is nothing
    /// left to destroy then, and the station hears it twice.
    async fn erase(
        &mut self,
        stream: &str,
        registration: &Registration,
        session: &SessionId,
    ) -> Result<(), RoundError> {
        if let Some(folder) = &self.settings.received {
            let received = Received::of(folder, &registration.station);
            let sessions = BTreeSet::from([session.clone()]);
            let keys = received.destroy_keys(registration.origin.as_str(), &sessions)?;
            tracing::info!(stream, %session, keys, "sealed session keys are destroyed");
        }
        let session = session.clone();
        let done = Instruction::ErasureDone(ErasureDone {
            session: session.clone(),
        });
        self.say(registration, &done).await?;
        self.changed(stream, |followed| {
            followed.log.figures_mut().erasure_answered(&session);
        });
        Ok(())
    }

    /// Strikes out the photos whose files have come, and destroys keys that came after their session was erased.
    pub(super) fn sweep(&mut self) -> io::Result<()> {
        let Some(folder) = &self.settings.received else {
            return Ok(());
        };
        for followed in self.logs.values_mut() {
            let registration = followed.log.registration();
            let received = Received::of(folder, &registration.station);
            let figures = followed.log.figures();
            received.destroy_keys(registration.origin.as_str(), figures.erased())?;
            let mut come = Vec::new();
            for blob in figures.blobs().keys() {
                if received.has(blob)? {
                    come.push(blob.clone());
                }
            }
            if !come.is_empty() {
                let figures = followed.log.figures_mut();
                for blob in &come {
                    figures.blob_seen(blob);
                }
                followed.touch();
            }
        }
        Ok(())
    }

    /// Sends an instruction to a station, under the centre's newest key.
    pub(super) async fn say(
        &mut self,
        registration: &Registration,
        instruction: &Instruction,
    ) -> Result<(), RoundError> {
        let station = &registration.station;
        let mut downlink = match self.downlinks.remove(station) {
            Some(downlink) => downlink,
            None => self.open_downlink(registration).await?,
        };
        // After an error it is not put back: the next one reads the stream's end.
        let sent = downlink
            .send(&mut self.link, instruction, wall_ms())
            .await?;
        tracing::debug!(%station, number = sent.number, revision = sent.revision, kind = instruction.type_name(), "said");
        self.downlinks.insert(station.clone(), downlink);
        Ok(())
    }

    async fn open_downlink(&mut self, registration: &Registration) -> Result<Downlink, RoundError> {
        self.keys = CentreKeys::open(&self.folder)?;
        let mut downlink = Downlink::open(&mut self.link, &self.keys, registration).await?;
        if downlink.key().public() != self.keys.newest().public() {
            let newest = self.keys.newest().clone();
            downlink.rotate(&mut self.link, &newest, wall_ms()).await?;
            tracing::info!(station = %registration.station, "the station is told of the centre's new key");
        }
        Ok(downlink)
    }

    fn changed(&mut self, stream: &str, change: impl FnOnce(&mut Followed)) {
        if let Some(followed) = self.logs.get_mut(stream) {
            change(followed);
            followed.trouble = None;
            followed.touch();
        }
    }
}

/// Whether the others can be answered although this one cannot.
pub(super) fn is_of_one_stream(error: &SendError) -> bool {
    match error {
        SendError::Link(error) => error.is_denied(),
        SendError::Instruction(_)
        | SendError::Origin(_)
        | SendError::Conflict(_)
        | SendError::Deleted(_) => true,
    }
}
