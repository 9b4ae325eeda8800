//! Where a command reads evidence from: a running station, a stopped one (on a copy), or an exported folder.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use gateway_audit::{Anchor, Bundle, Sequence, SequenceError};
use gateway_log::StoppedLog;
use schemas::proof::{Checkpoint, SignedNote};

use super::damage::Unreadable;
use super::place::{AtStation, Folders, Scratch};
use super::{interrupt, progress};
use crate::admin::{self, Client, ClientError, Standing};
use crate::keys;

/// Signed events in order.
pub(super) type Events = Box<dyn Iterator<Item = anyhow::Result<Vec<u8>>> + Send>;

/// Which evidence is meant. Without options: the station of the shipped configuration.
#[derive(Debug, Clone, Args)]
pub(super) struct Where {
    #[command(flatten)]
    at: AtStation,
    /// An exported folder, instead of a station.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["config", "data", "keys"])]
    bundle: Option<PathBuf>,
    /// The verifier keys that are trusted, one a line, the log's first key first; without it, what station or bundle says itself.
    #[arg(long, value_name = "FILE")]
    vkey: Option<PathBuf>,
    #[command(flatten)]
    scratch: Scratch,
}

/// What findings call the checkpoint in a data folder.
pub(super) const HEAD: &str = "HEAD";
/// What findings call the one beside the keys.
pub(super) const WITNESS: &str = "the witness beside the keys";
/// Any of these in a folder shows that a station keeps its data there.
const DATA_PARTS: [&str; 4] = ["HEAD", "EPOCHS", "FORMAT", "log"];

/// The checkpoint beside a stopped station's keys.
pub(super) enum Witness {
    /// Only of a stopped station it is looked at; a running one looks itself, and others have none.
    NotAsked,
    /// The keys folder is not here: an auditor may have the data without the keys.
    NoKeys(PathBuf),
    /// The keys are here, and it is not among them.
    Missing,
    /// Its text, which may be anything.
    Note(String),
}

/// Found.
pub(super) enum Source {
    Station(Box<Client>, Standing),
    Stopped(Box<StoppedLog>),
    Bundle(Bundle),
}

impl Where {
    pub(super) fn folders(&self) -> anyhow::Result<Folders> {
        self.at.folders()
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
        self.require_station(data)?;
        interrupt::leave_nothing_at_signals()?;
        let bar = progress::bytes("copying the log");
        let copied = StoppedLog::copy(data, &self.scratch.folder(), |done, total| {
            bar.set_length(total);
            bar.set_position(done);
        });
        bar.finish_and_clear();
        copied.with_context(|| format!("the log in {} cannot be read", data.display()))
    }

    /// Where neither data nor keys are, nothing was lost: the wrong place is looked at.
    fn require_station(&self, data: &Path) -> anyhow::Result<()> {
        let keys = self.folders()?.keys;
        anyhow::ensure!(
            keys.exists() || DATA_PARTS.iter().any(|part| data.join(part).exists()),
            "there is no station here, neither in {} nor in {}: give --config, or --data and --keys",
            data.display(),
            keys.display()
        );
        Ok(())
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

/// The size that a note claims, genuine or not.
fn claimed_size(note: &str) -> Option<u64> {
    let note = SignedNote::parse(note).ok()?;
    let checkpoint = Checkpoint::parse_body(note.text()).ok()?;
    Some(checkpoint.size)
}

impl Source {
    /// The newest signed checkpoint, with its name.
    pub(super) fn checkpoint(&mut self) -> anyhow::Result<(&'static str, String)> {
        Ok(match self {
            Self::Station(client, standing) => {
                let note = client.get_text("/checkpoint")?;
                // It may cover events that came since the station was asked first.
                *standing = client.get("/station")?;
                ("the station's checkpoint", note)
            }
            Self::Bundle(bundle) => ("the bundle's checkpoint", bundle.checkpoint.clone()),
            Self::Stopped(log) => (HEAD, log.head().to_owned()),
        })
    }

    /// The checkpoint beside the keys.
    pub(super) fn witness(&self, place: &Where) -> anyhow::Result<Witness> {
        if !matches!(self, Self::Stopped(_)) {
            return Ok(Witness::NotAsked);
        }
        let folder = place.folders()?.keys;
        if !folder.exists() {
            return Ok(Witness::NoKeys(folder));
        }
        let path = keys::witness_path(&folder);
        match std::fs::read_to_string(&path) {
            Ok(note) => Ok(Witness::Note(note)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Witness::Missing),
            // Not text: whoever parses it says so.
            Err(error) if error.kind() == ErrorKind::InvalidData => {
                Ok(Witness::Note(String::new()))
            }
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
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
                let socket = client.socket().to_owned();
                let path = format!("/events?from={}&to={to}", range.start);
                let events = Sequence::new(client.stream(&path)?);
                let events = streamed(events, range.start, socket);
                Ok((Box::new(events), Some(to.saturating_sub(range.start))))
            }
            Self::Stopped(log) => {
                // What HEAD says is good enough for a bar.
                let total = claimed_size(log.head()).map(|size| size.min(range.end));
                let total = total.map(|end| end.saturating_sub(range.start));
                let events = log.into_events(range.start).map(|event| Ok(event?.1));
                Ok((Box::new(events.take(take)), total))
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

/// The events of a running station, the first of them at `first`. Where the row breaks off, the station is asked why.
fn streamed<R: Read>(
    events: Sequence<R>,
    first: u64,
    socket: PathBuf,
) -> impl Iterator<Item = anyhow::Result<Vec<u8>>> {
    events.zip(first..).map(move |(event, index)| match event {
        Err(SequenceError::Io(error)) => Err(broken_off(&socket, index, error)),
        event => Ok(event?),
    })
}

/// A station that stops breaks off as one does that cannot read its log: only the latter says so when it is asked for that event again.
fn broken_off(socket: &Path, index: u64, error: std::io::Error) -> anyhow::Error {
    let asked = Client::connect(socket).and_then(|mut client| client.unreadable(index));
    match asked {
        Ok(Some(why)) => anyhow::Error::new(Unreadable(why)),
        Ok(None) | Err(_) => anyhow::Error::new(error).context(format!(
            "the station broke off before event {index}: it stopped or was started anew meanwhile; try again"
        )),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use std::io::Write as _;
    use std::os::unix::net::UnixListener;

    use super::*;
    use crate::cli::damage;

    /// Answers one request at the socket with this text and hangs up.
    fn answering(socket: &Path, answer: &'static str) -> std::thread::JoinHandle<()> {
        let listener = UnixListener::bind(socket).unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1024];
            assert!(stream.read(&mut request).unwrap() > 0);
            stream.write_all(answer.as_bytes()).unwrap();
        })
    }

    /// A row that breaks off at once.
    struct Gone;

    impl Read for Gone {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(ErrorKind::ConnectionReset.into())
        }
    }

    /// G3: a station that stops, or is another one by then, while its events are read says nothing about its log; one that cannot read an
    /// event does.
    #[test]
    fn g3_a_station_that_stops_is_not_a_damaged_one() {
        let place = tempfile::tempdir().unwrap();
        let socket = place.path().join("socket");
        let look = || {
            let mut row = streamed(Sequence::new(Gone), 7, socket.clone());
            row.next().unwrap().unwrap_err()
        };
        let gone = look();
        assert!(!damage::is_of_the_log(&gone), "{gone:#}");
        for (answer, damaged) in [
            ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", false),
            (
                "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 6\r\n\r\nclosed",
                false,
            ),
            ("", false),
            (
                "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 7\r\n\r\ndamaged",
                true,
            ),
        ] {
            let station = answering(&socket, answer);
            let found = look();
            station.join().unwrap();
            assert_eq!(damage::is_of_the_log(&found), damaged, "{found:#}");
            std::fs::remove_file(&socket).unwrap();
        }
    }
}
