//! `simulator centre …`: the centre as a process, and what people at the centre do by command.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use schemas::ids::{BatchId, BlobHash, StationId};
use simulator::centre::{
    Centre, CentreConfig, Desk, GrantTerms, OfficeConfig, PICTURE_WAIT, Registration, Running,
};
use simulator::people::People;
use tokio::signal::unix::{SignalKind, signal};

use crate::say;

#[derive(Subcommand)]
pub(crate) enum CentreCommand {
    /// Follow the stations' logs, verify and acknowledge them, until Ctrl-C or SIGTERM.
    Run(Run),
    /// Register a log: the file that the station's operator brought, after its fingerprint was compared.
    Register(Register),
    /// Send a manifest to a station.
    SendManifest(SendManifest),
    /// Send a policy to a station.
    SendPolicy(SendPolicy),
    /// Make a new signing key, and tell every registered station.
    RotateKey(Store),
    /// Ask a station for the photos whose files have not come.
    AskBlobs(AskBlobs),
    /// Let a stopped log go on from where it was right. The centre must not run.
    Resume(Resume),
}

#[derive(Args)]
pub(crate) struct Store {
    /// The event store: esdb://[user:password@]host:port[,…][?tls=false].
    #[arg(long, default_value = "esdb://127.0.0.1:2113?tls=false")]
    connection: String,
    /// File that holds the connection string, where it has a password: others can read the arguments of a process.
    #[arg(long, conflicts_with = "connection")]
    connection_file: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
pub(crate) struct Place {
    /// The centre's folder: keys, registrations, how far each log was verified.
    #[arg(long, default_value = "centre-data")]
    folder: PathBuf,
}

#[derive(Args)]
pub(crate) struct Run {
    #[command(flatten)]
    store: Store,
    /// The province: the second part of every origin.
    #[arg(long, default_value = "demo")]
    province: String,
    /// Where the pages are. Whoever reaches them sees them: leave it on loopback, or put a proxy with a login before it.
    #[arg(long, default_value = "127.0.0.1:9470")]
    listen: SocketAddr,
    /// Folder of what stations have sent beside their events: <station>/blobs, <station>/session-keys.
    #[arg(long)]
    received: Option<PathBuf>,
    /// Register unknown stations that offer a fitting key, without asking anybody. For demonstrations only.
    #[arg(long)]
    accept_unknown: bool,
    #[command(flatten)]
    office: Office,
}

/// What the centre needs to decide applications.
#[derive(Args)]
struct Office {
    /// Decide applications: the private key that stations seal to, 64 hexadecimal digits. Needs --received.
    #[arg(long, requires = "received")]
    private_key: Option<PathBuf>,
    /// Where the counter is: orders to pay, and the phone that codes are sent to. It shows what is personal: leave it on loopback.
    #[arg(long, default_value = "127.0.0.1:9471")]
    counter: SocketAddr,
    /// File with the citizen numbers of the flagged, one a line.
    #[arg(long)]
    flagged: Option<PathBuf>,
    /// How long a grant holds, in hours.
    #[arg(long, default_value_t = 168)]
    grant_hours: u32,
    /// The people that the centre knows: how many, and their seed, as `simulator` makes them.
    #[arg(long, default_value_t = 24)]
    people: usize,
    /// See above.
    #[arg(long, default_value_t = 1)]
    people_seed: u64,
}

impl Office {
    fn config(&self) -> anyhow::Result<Option<OfficeConfig>> {
        let Some(path) = &self.private_key else {
            return Ok(None);
        };
        let private = Centre::from_text(&text(path)?)
            .with_context(|| format!("cannot use {}", path.display()))?;
        let batch = BatchId::new("register").context("a name")?;
        let register = People::new(batch, self.people, self.people_seed)?;
        let flagged = self.flagged.as_deref().map(text).transpose()?;
        let flagged = flagged.unwrap_or_default();
        let lines = flagged
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty());
        Ok(Some(OfficeConfig {
            private: Arc::new(private),
            register: Arc::new(register),
            terms: GrantTerms {
                valid_hours: self.grant_hours,
                flagged: lines.map(str::to_owned).collect(),
                ..GrantTerms::default()
            },
            counter: Some(self.counter),
            picture_wait: PICTURE_WAIT,
        }))
    }
}

#[derive(Args)]
pub(crate) struct Register {
    /// JSON with "station", "origin" and "first_key".
    file: PathBuf,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
pub(crate) struct SendManifest {
    /// The manifest: JSON.
    file: PathBuf,
    /// The station.
    #[arg(long)]
    station: StationId,
    #[command(flatten)]
    store: Store,
}

#[derive(Args)]
pub(crate) struct SendPolicy {
    /// The policy: the text of policy.toml.
    file: PathBuf,
    /// The station.
    #[arg(long)]
    station: StationId,
    /// Counts up; the station refuses an older one than it has.
    #[arg(long)]
    version: u32,
    #[command(flatten)]
    store: Store,
}

#[derive(Args)]
pub(crate) struct AskBlobs {
    /// The station.
    #[arg(long)]
    station: StationId,
    /// The hash of a photo that was lost after it had come; may be given several times. None: all whose files have not come.
    #[arg(long)]
    blob: Vec<BlobHash>,
    #[command(flatten)]
    store: Store,
}

#[derive(Args)]
pub(crate) struct Resume {
    /// The stream: station-<id>-<incarnation>.
    stream: String,
    #[command(flatten)]
    place: Place,
}

impl Store {
    fn connection(&self) -> anyhow::Result<String> {
        match &self.connection_file {
            Some(path) => Ok(text(path)?.trim().to_owned()),
            None => Ok(self.connection.clone()),
        }
    }

    fn desk(&self) -> anyhow::Result<Desk> {
        Ok(Desk::open(&self.place.folder)?)
    }
}

pub(crate) async fn centre(command: CentreCommand) -> anyhow::Result<()> {
    match command {
        CentreCommand::Run(options) => run(options).await,
        CentreCommand::Register(options) => register(&options),
        CentreCommand::SendManifest(options) => {
            let manifest = text(&options.file)?;
            let desk = options.store.desk()?;
            let connection = options.store.connection()?;
            let sent = desk.send_manifest(&connection, &options.station, &manifest);
            let sent = sent.await?;
            say(&format!(
                "sent: number {}, revision {}",
                sent.number, sent.revision
            ))
        }
        CentreCommand::SendPolicy(options) => {
            let policy = text(&options.file)?;
            let desk = options.store.desk()?;
            let connection = options.store.connection()?;
            let sent = desk.send_policy(&connection, &options.station, options.version, policy);
            let sent = sent.await?;
            say(&format!(
                "sent: number {}, revision {}",
                sent.number, sent.revision
            ))
        }
        CentreCommand::RotateKey(store) => rotate_key(&store).await,
        CentreCommand::AskBlobs(options) => {
            let desk = options.store.desk()?;
            let connection = options.store.connection()?;
            let asked = if options.blob.is_empty() {
                desk.ask_for_blobs(&connection, &options.station).await?
            } else {
                let asking = desk.ask_for_these(&connection, &options.station, &options.blob);
                asking.await?
            };
            say(&format!("asked for {asked} photos"))
        }
        CentreCommand::Resume(options) => {
            let desk = Desk::open(&options.place.folder)?;
            let was_stopped = desk.resume(&options.stream)?;
            say(if was_stopped {
                "it goes on at the next start"
            } else {
                "it was not stopped"
            })
        }
    }
}

async fn run(options: Run) -> anyhow::Result<()> {
    let config = CentreConfig {
        listen: Some(options.listen),
        received: options.received,
        accept_unknown: options.accept_unknown,
        office: options.office.config()?,
        ..CentreConfig::new(
            options.store.connection()?,
            options.store.place.folder,
            &options.province,
        )
    };
    let running = Running::start(config).await?;
    let address = running.address().context("no pages")?;
    let view = running.view();
    say(&format!("centre http://{address}"))?;
    if let Some(counter) = running.counter() {
        say(&format!("counter http://{counter}"))?;
    }
    say(&format!("its key: {} ({})", view.vkey, view.public_key))?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
    }
    running.shutdown().await;
    Ok(())
}

fn register(options: &Register) -> anyhow::Result<()> {
    let desk = Desk::open(&options.place.folder)?;
    let registration = Registration::read(&options.file)?;
    let what = format!(
        "{}, fingerprint {}",
        registration.origin,
        registration.fingerprint()
    );
    let is_new = desk.register(registration)?;
    let said = if is_new {
        "registered"
    } else {
        "was registered before"
    };
    say(&format!("{what}: {said}"))
}

async fn rotate_key(store: &Store) -> anyhow::Result<()> {
    let mut failed = 0_u32;
    for (station, told) in store.desk()?.rotate_key(&store.connection()?).await? {
        match told {
            Ok(()) => say(&format!("{station}: told"))?,
            Err(error) => {
                failed += 1;
                say(&format!("{station}: not told yet: {error}"))?;
            }
        }
    }
    anyhow::ensure!(
        failed == 0,
        "{failed} stations are told as soon as the centre speaks to them"
    );
    Ok(())
}

fn text(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}
