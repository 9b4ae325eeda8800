//! Where a command reads evidence from: a running station, a stopped one (on a copy), or an exported folder.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use gateway_audit::{Anchor, Bundle, Sequence};
use gateway_log::StoppedLog;

use super::progress;
use crate::admin::{self, Client, ClientError, Standing};
use crate::keys;

/// Signed events in order.
pub(super) type Events = Box<dyn Iterator<Item = anyhow::Result<Vec<u8>>> + Send>;

/// Which evidence is meant. Without options: the station of the shipped configuration.
#[derive(Debug, Clone, Args)]
pub(super) struct Where {
    /// station.toml; without it, the shipped one.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of log and blobs, instead of the configured one; may be a copy of one.
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Folder of keys, instead of the configured one.
    #[arg(long, value_name = "FOLDER")]
    keys: Option<PathBuf>,
    /// An exported folder, instead of a station.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["config", "data", "keys"])]
    bundle: Option<PathBuf>,
    /// The verifier keys that are trusted, one a line, the log's first key first; without it, what station or bundle says itself.
    #[arg(long, value_name = "FILE")]
    vkey: Option<PathBuf>,
    /// Where a stopped log is copied to while it is read, since opening it in place would write.
    #[arg(long, value_name = "FOLDER")]
    scratch: Option<PathBuf>,
}

/// Found.
pub(super) enum Source {
    Station(Box<Client>, Standing),
    Stopped(Box<StoppedLog>),
    Bundle(Bundle),
}

/// The folders of a station.
pub(super) struct Folders {
    pub(super) data: PathBuf,
    pub(super) keys: PathBuf,
    pub(super) station: edge_config::Station,
}

impl Where {
    pub(super) fn folders(&self) -> anyhow::Result<Folders> {
        let station = edge_config::load(self.config.as_deref(), None)?;
        let or = |given: &Option<PathBuf>, configured: &Path| {
            given.clone().unwrap_or_else(|| configured.to_owned())
        };
        Ok(Folders {
            data: or(&self.data, &station.storage.data_folder),
            keys: or(&self.keys, &station.storage.keys_folder),
            station,
        })
    }

    /// The configured station, with the folders of the options in it.
    pub(super) fn configured(&self) -> anyhow::Result<edge_config::Station> {
        anyhow::ensure!(
            self.bundle.is_none(),
            "this is done to a station, not to a bundle"
        );
        let Folders {
            data,
            keys,
            mut station,
        } = self.folders()?;
        station.storage.data_folder = data;
        station.storage.keys_folder = keys;
        Ok(station)
    }

    /// Where copies are made.
    pub(super) fn scratch(&self) -> PathBuf {
        self.scratch.clone().unwrap_or_else(std::env::temp_dir)
    }

    /// The running station, or why there is none.
    pub(super) fn station(&self) -> anyhow::Result<Client> {
        let socket = admin::socket_path(&self.folders()?.data);
        Client::connect(&socket).with_context(|| {
            format!(
                "this needs a running station, and none answers at {}",
                socket.display()
            )
        })
    }

    pub(super) fn find(&self) -> anyhow::Result<Source> {
        if let Some(folder) = &self.bundle {
            return Ok(Source::Bundle(Bundle::open(folder)?));
        }
        let data = self.folders()?.data;
        match Client::connect(&admin::socket_path(&data)) {
            Ok(mut client) => {
                let standing = client.get("/station")?;
                Ok(Source::Station(Box::new(client), standing))
            }
            Err(ClientError::Absent(_)) => self.copy(&data).map(Box::new).map(Source::Stopped),
            Err(error) => Err(error.into()),
        }
    }

    fn copy(&self, data: &Path) -> anyhow::Result<StoppedLog> {
        let bar = progress::bytes("copying the log");
        let copied = StoppedLog::copy(data, &self.scratch(), |done, total| {
            bar.set_length(total);
            bar.set_position(done);
        });
        bar.finish_and_clear();
        // Its words name their cause already.
        copied.map_err(|error| {
            anyhow::anyhow!("the log in {} cannot be read: {error}", data.display())
        })
    }

    /// The key that is trusted, and where that trust comes from.
    pub(super) fn anchor(&self, source: &Source) -> anyhow::Result<(Anchor, String)> {
        if let Some(path) = &self.vkey {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            let first = text.lines().next().unwrap_or_default();
            let anchor = Anchor::from_vkey(first).with_context(|| path.display().to_string())?;
            return Ok((anchor, path.display().to_string()));
        }
        match source {
            Source::Bundle(bundle) => Ok((bundle.anchor.clone(), "the bundle itself".to_owned())),
            Source::Station(_, standing) => {
                let first = standing.vkeys.first().context("the station names no key")?;
                Ok((Anchor::from_vkey(first)?, "the station itself".to_owned()))
            }
            Source::Stopped(_) => {
                let folders = self.folders()?;
                let vkey = keys::first_vkey(&folders.keys, |incarnation| {
                    folders.station.origin(&incarnation.to_string())
                });
                let vkey =
                    vkey.context("the station's first key cannot be read; name it with --vkey")?;
                Ok((
                    Anchor::from_vkey(&vkey)?,
                    folders.keys.display().to_string(),
                ))
            }
        }
    }
}

impl Source {
    /// Signed checkpoints that must fit, with their names.
    pub(super) fn checkpoints(&mut self, place: &Where) -> anyhow::Result<Vec<(String, String)>> {
        Ok(match self {
            Self::Station(client, standing) => {
                let note = client.get_text("/checkpoint")?;
                // It may cover events that came since the station was asked first.
                *standing = client.get("/station")?;
                vec![("the station's checkpoint".to_owned(), note)]
            }
            Self::Bundle(bundle) => {
                vec![(
                    "the bundle's checkpoint".to_owned(),
                    bundle.checkpoint.clone(),
                )]
            }
            Self::Stopped(log) => {
                let mut notes = vec![("HEAD".to_owned(), log.head().to_owned())];
                let folder = place.folders()?.keys;
                // An auditor may have the data without the keys; where keys are, the witness is among them.
                if folder.exists() {
                    let note = std::fs::read_to_string(keys::witness_path(&folder));
                    let name = "the witness beside the keys".to_owned();
                    notes.push((name, note.unwrap_or_default()));
                }
                notes
            }
        })
    }

    /// The events of these indexes, and how many there are, where that is known.
    pub(super) fn events(
        self,
        range: std::ops::Range<u64>,
    ) -> anyhow::Result<(Events, Option<u64>)> {
        let skip = usize::try_from(range.start).unwrap_or(usize::MAX);
        let take = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX);
        match self {
            Self::Station(client, standing) => {
                let to = range.end.min(standing.events);
                let path = format!("/events?from={}&to={to}", range.start);
                let events = Sequence::new(client.stream(&path)?).map(|event| Ok(event?));
                Ok((Box::new(events), Some(to.saturating_sub(range.start))))
            }
            Self::Stopped(log) => {
                let events = log.into_events(range.start).map(|event| Ok(event?.1));
                Ok((Box::new(events.take(take)), None))
            }
            Self::Bundle(bundle) => {
                let events = bundle.events()?.map(|event| Ok(event?));
                Ok((Box::new(events.skip(skip).take(take)), None))
            }
        }
    }

    /// In words.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Station(..) => "a running station",
            Self::Stopped(_) => "a stopped station, on a copy of its log",
            Self::Bundle(_) => "an exported folder",
        }
    }
}
