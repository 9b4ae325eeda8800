//! The office in the centre's loop: what was verified comes in, is saved, and only then is anything said.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use schemas::ids::StationId;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::{Asked, GrantTerms, Office, OfficeShown, Openers, Sender};
use crate::centre::answering::is_of_one_stream;
use crate::centre::folder::{Folder, read_json, write_json};
use crate::centre::follower::{Follower, RoundError, wall_ms};
use crate::centre::registration::Registration;
use crate::people::People;

/// Letters that are said in a round.
const LETTERS_MAX: usize = 100;

/// A question at the counter, and the way back.
#[derive(Debug)]
pub(in crate::centre) struct Ask {
    pub(in crate::centre) asked: Asked,
    pub(in crate::centre) reply: oneshot::Sender<Result<Value, String>>,
}

/// The office at work.
#[derive(Debug)]
pub(in crate::centre) struct Serving {
    office: Office,
    openers: Openers,
    register: Arc<People>,
    terms: GrantTerms,
    asks: mpsc::UnboundedReceiver<Ask>,
    /// Where it is saved, and where the chips lie that were made.
    file: PathBuf,
    made: PathBuf,
    changed: bool,
}

impl Serving {
    /// As it was saved.
    pub(in crate::centre) fn open(
        folder: &Folder,
        openers: Openers,
        register: Arc<People>,
        terms: GrantTerms,
        asks: mpsc::UnboundedReceiver<Ask>,
    ) -> io::Result<Self> {
        let (file, made) = (folder.office(), folder.made());
        std::fs::create_dir_all(&made)?;
        let mut office: Office = read_json(&file)?.unwrap_or_default();
        office.flagged = terms.flagged.iter().cloned().collect();
        Ok(Self {
            office,
            openers,
            register,
            terms,
            asks,
            file,
            made,
            changed: false,
        })
    }

    pub(in crate::centre) fn shown(&self) -> OfficeShown {
        self.office.shown()
    }

    /// Durable when this returns.
    fn save(&mut self) -> io::Result<()> {
        if self.changed {
            write_json(&self.file, &self.office)?;
            self.changed = false;
        }
        Ok(())
    }

    /// Does what can be done now.
    fn work(&mut self, stations: &[StationId], now_ms: u64) -> io::Result<()> {
        self.changed |= self.office.grant(stations, &self.terms, now_ms)?;
        // What stands counts for whoever asks at the same time.
        self.changed |= self.office.decide(&self.openers, &self.register, now_ms)?;
        self.changed |= self.office.answer(&self.openers, &self.register, now_ms);
        self.changed |= self.office.notify(&self.openers);
        self.changed |= self.office.make(&self.register, &self.made, now_ms)?;
        Ok(())
    }

    /// Answers those who ask, after what they asked for is saved.
    fn attend(&mut self, now_ms: u64) -> io::Result<()> {
        let mut replies = Vec::new();
        while let Ok(ask) = self.asks.try_recv() {
            let (changed, answer) = self.office.asked(ask.asked, now_ms);
            self.changed |= changed;
            replies.push((ask.reply, answer));
        }
        self.save()?;
        for (reply, answer) in replies {
            // Whoever has gone away does not wait for it.
            reply.send(answer).ok();
        }
        Ok(())
    }
}

impl Follower {
    /// Brings what was verified to the office. It is saved there before the logs are saved as read.
    pub(in crate::centre) fn tell_office(&mut self) -> io::Result<()> {
        let now_ms = wall_ms();
        for (stream, followed) in &mut self.logs {
            let news = followed.log.take_news();
            let Some(serving) = &mut self.serving else {
                continue;
            };
            let registration = followed.log.registration();
            let sender = Sender {
                stream: stream.clone(),
                station: registration.station.clone(),
                incarnation: registration.incarnation(),
                origin: registration.origin.to_string(),
            };
            for heard in news {
                serving.changed |= serving.office.take(&sender, heard, now_ms);
            }
        }
        self.serving.as_mut().map_or(Ok(()), Serving::save)
    }

    /// A round of the office. True: there is more to say at once.
    pub(in crate::centre) async fn serve(&mut self) -> Result<bool, RoundError> {
        self.tell_office()?;
        let stations = self.stations();
        let Some(serving) = &mut self.serving else {
            return Ok(false);
        };
        let now_ms = wall_ms();
        serving.attend(now_ms)?;
        serving.work(&stations, now_ms)?;
        serving.save()?;
        let outcome = self.say_letters(now_ms).await;
        if let Some(serving) = &mut self.serving {
            serving.save()?;
        }
        outcome
    }

    async fn say_letters(&mut self, now_ms: u64) -> Result<bool, RoundError> {
        for _ in 0..LETTERS_MAX {
            let next = self.serving.as_ref();
            let next = next.and_then(|serving| serving.office.next_letter(now_ms));
            let Some((at, station, instruction)) = next else {
                return Ok(false);
            };
            if let Some(registration) = self.newest(&station) {
                match self.say(&registration, &instruction).await {
                    Err(RoundError::Send(error)) if is_of_one_stream(&error) => {
                        tracing::warn!(%station, %error, "a letter of the office waits");
                        return Ok(false);
                    }
                    outcome => outcome?,
                }
            }
            if let Some(serving) = &mut self.serving {
                serving.office.said(at);
                serving.changed = true;
            }
        }
        Ok(true)
    }

    fn stations(&self) -> Vec<StationId> {
        let registrations = self
            .logs
            .values()
            .map(|followed| followed.log.registration());
        let mut stations: Vec<_> = registrations.map(|r| r.station.clone()).collect();
        stations.sort();
        stations.dedup();
        stations
    }

    fn newest(&self, station: &StationId) -> Option<Registration> {
        let registrations = self
            .logs
            .values()
            .map(|followed| followed.log.registration());
        let own = registrations.filter(|r| r.station == *station);
        own.max_by_key(|r| r.incarnation()).cloned()
    }
}
