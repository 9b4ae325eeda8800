//! What people at the centre do beside the loop, by command: register a log, send an instruction, change the centre's key.
//!
//! A running centre need not be stopped for it: what was said is read from the stream, and both go on behind it.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use schemas::downlink::{BlobsMissing, Instruction, PolicyIssued};
use schemas::ids::{BlobHash, StationId};
use schemas::message::manifest::Manifest;
use serde_json::value::RawValue;

use super::downlink::{Downlink, SendError, Sent, deliver};
use super::folder::{Folder, read_json, write_json};
use super::follower::wall_ms;
use super::keys::CentreKeys;
use super::link::{Link, LinkError};
use super::log::Log;
use super::registration::{self, Registration, RegistrationError};

/// Hashes in one instruction, which is at most 256 KiB long.
const BLOBS_PER_INSTRUCTION_MAX: usize = 2_000;

/// The centre's folder, and the keys in it.
#[derive(Debug)]
pub struct Desk {
    folder: Folder,
    keys: CentreKeys,
}

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The centre's folder.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A registration.
    #[error(transparent)]
    Registration(#[from] RegistrationError),
    /// The station is not registered.
    #[error("no log of {0} is registered")]
    NotRegistered(String),
    /// It was not sent.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The connection string.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The manifest is not one.
    #[error("not a manifest")]
    Manifest(#[from] serde_json::Error),
    /// The saved state of a log.
    #[error("{0}")]
    State(String),
}

impl Desk {
    /// Opens the folder; the centre's key is made at the first start.
    ///
    /// # Errors
    /// The folder, or a key in it, cannot be used.
    pub fn open(folder: &Path) -> Result<Self, DeskError> {
        let folder = Folder::open(folder)?;
        let keys = CentreKeys::open(&folder)?;
        Ok(Self { folder, keys })
    }

    /// The key that stations are set up with, as a verifier key of the province.
    pub fn vkey(&self, province: &str) -> String {
        self.keys.vkey(province).unwrap_or_default()
    }

    /// Registers a log. False: it was registered before. A running centre takes it within a second.
    ///
    /// # Errors
    /// It is registered with another key, or the folder cannot be written.
    pub fn register(&self, mut registration: Registration) -> Result<bool, DeskError> {
        if registration.centre_key.is_none()
            && self.keys.newest().public() != self.keys.first().public()
        {
            registration.centre_key = Some(self.keys.public());
        }
        Ok(registration::register(&self.folder, &registration)?)
    }

    /// Lays a registration ready, for a person or for a centre that takes unknown stations.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn offer(&self, registration: &Registration) -> Result<(), DeskError> {
        Ok(registration::offer(&self.folder, registration)?)
    }

    /// Sends a manifest.
    ///
    /// # Errors
    /// It is not one, or was not sent.
    pub async fn send_manifest(
        &self,
        connection: &str,
        station: &StationId,
        manifest: &str,
    ) -> Result<Sent, DeskError> {
        serde_json::from_str::<Manifest>(manifest)?;
        let manifest: Box<RawValue> = serde_json::from_str(manifest)?;
        let instruction = Instruction::ManifestIssued(manifest);
        self.send(connection, station, &instruction).await
    }

    /// Sends a policy: the text of `policy.toml`. The version counts up.
    ///
    /// # Errors
    /// It was not sent.
    pub async fn send_policy(
        &self,
        connection: &str,
        station: &StationId,
        version: u32,
        policy: String,
    ) -> Result<Sent, DeskError> {
        let issued = PolicyIssued { version, policy };
        self.send(connection, station, &Instruction::PolicyIssued(issued))
            .await
    }

    /// Asks a station for the photos that its events name and whose files have not come; how many.
    ///
    /// # Errors
    /// The saved state cannot be read, or it was not sent.
    pub async fn ask_for_blobs(
        &self,
        connection: &str,
        station: &StationId,
    ) -> Result<usize, DeskError> {
        let log = self.log(self.newest(station)?)?;
        let missing: Vec<BlobHash> = log.figures().blobs().keys().cloned().collect();
        self.ask_for_these(connection, station, &missing).await
    }

    /// Asks a station for photos by their hashes, whether or not they came before; how many.
    ///
    /// # Errors
    /// It was not sent.
    pub async fn ask_for_these(
        &self,
        connection: &str,
        station: &StationId,
        missing: &[BlobHash],
    ) -> Result<usize, DeskError> {
        for blobs in missing.chunks(BLOBS_PER_INSTRUCTION_MAX) {
            let blobs = blobs.to_vec();
            let instruction = Instruction::BlobsMissing(BlobsMissing { blobs });
            self.send(connection, station, &instruction).await?;
        }
        Ok(missing.len())
    }

    /// Makes a new key of the centre, and tells every registered station under the key that it knows. The answer: each
    /// station, and why it could not be told; a running centre tells those before the next thing it says to them.
    ///
    /// # Errors
    /// No key could be made.
    pub async fn rotate_key(
        &mut self,
        connection: &str,
    ) -> Result<BTreeMap<StationId, Result<(), SendError>>, DeskError> {
        let mut link = Link::new(connection)?;
        self.keys.add(&self.folder)?;
        let mut told = BTreeMap::new();
        for registration in registration::all(&self.folder)? {
            let outcome = self.tell_key(&mut link, &registration).await;
            told.insert(registration.station, outcome);
        }
        Ok(told)
    }

    /// Lets a stopped log go on from where it was right. The centre must not run.
    ///
    /// # Errors
    /// A centre runs with this folder, or there is no such log.
    pub fn resume(&self, stream: &str) -> Result<bool, DeskError> {
        let _lock = self.folder.lock()?;
        let all = registration::all(&self.folder)?;
        let own = all.into_iter().find(|own| own.stream() == stream);
        let own = own.ok_or_else(|| DeskError::NotRegistered(stream.to_owned()))?;
        let mut log = self.log(own)?;
        let was_stopped = log.fault().is_some();
        log.resume();
        write_json(
            &self.folder.logs().join(format!("{stream}.json")),
            &log.save(),
        )?;
        Ok(was_stopped)
    }

    async fn tell_key(
        &self,
        link: &mut Link,
        registration: &Registration,
    ) -> Result<(), SendError> {
        let mut downlink = Downlink::open(link, &self.keys, registration).await?;
        if downlink.key().public() != self.keys.newest().public() {
            downlink.rotate(link, self.keys.newest(), wall_ms()).await?;
        }
        Ok(())
    }

    /// Sends any instruction.
    ///
    /// # Errors
    /// It was not sent.
    pub async fn send(
        &self,
        connection: &str,
        station: &StationId,
        instruction: &Instruction,
    ) -> Result<Sent, DeskError> {
        let registration = self.newest(station)?;
        let mut link = Link::new(connection)?;
        let sent = deliver(&mut link, &self.keys, &registration, instruction, wall_ms());
        Ok(sent.await?)
    }

    fn newest(&self, station: &StationId) -> Result<Registration, DeskError> {
        let own = registration::all(&self.folder)?.into_iter();
        own.filter(|own| own.station == *station)
            .max_by_key(Registration::incarnation)
            .ok_or_else(|| DeskError::NotRegistered(station.to_string()))
    }

    fn log(&self, registration: Registration) -> Result<Log, DeskError> {
        let path = self
            .folder
            .logs()
            .join(format!("{}.json", registration.stream()));
        match read_json(&path)? {
            Some(saved) => Log::restore(registration, saved)
                .map_err(|error| DeskError::State(error.to_string())),
            None => Ok(Log::new(registration)),
        }
    }
}
