//! The command line.

mod approval;
mod beginning;
mod commission;
mod damage;
mod devices;
mod erase;
mod evidence;
mod export;
mod incarnate;
mod interrupt;
mod keys;
mod link;
mod partial;
mod place;
mod progress;
mod prove;
mod source;
mod verify;
mod window;
mod witness;

use std::io::{BufRead as _, IsTerminal as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use edge_config::Station;
use edge_config::profile::DispenserProfile;

use crate::operators;
use crate::run::{self, Ended};

/// Exit code of a station that is quarantined.
pub const EXIT_QUARANTINED: u8 = 3;
/// Exit code of a check that found evidence to be other than it should be.
pub const EXIT_DAMAGED: u8 = 3;

/// The gateway of a station: MQTT broker, evidence log and workflows in one program.
#[derive(Debug, Parser)]
#[command(name = "gateway", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the station (what happens without a command).
    Run(RunArgs),
    /// Check configuration files and say what to write instead; without files, the shipped ones.
    CheckConfig {
        /// station.toml
        station: Option<PathBuf>,
        /// policy.toml
        policy: Option<PathBuf>,
    },
    /// Read a PIN from standard input and print its hash for station.toml.
    HashPin,
    /// Check a whole log: every signature, every index, the tree, the checkpoints. Exit code 0: whole; 3: damaged; 1: could not be
    /// checked.
    Verify(verify::VerifyArgs),
    /// Write the proof of one event to a file that can be checked without the log.
    Prove(prove::ProveArgs),
    /// Check such a file. Exit code 0: proven; 3: not proven.
    CheckProof(prove::CheckProofArgs),
    /// Write events out, for auditors and other programs.
    Export(evidence::ExportArgs),
    /// Destroy what is personal of a session: photos, names, numbers. Events and proofs stay. The station must run.
    Erase(erase::EraseArgs),
    /// Exercise every device of a machine before the point opens, and record how it went. Exit code 0: all passed; 1: something failed;
    /// 2: it could not be run. The station must run, and nobody be served at the machine.
    Commission(commission::CommissionArgs),
    /// Go on although a device holds a receipt ahead of the log (`log-behind-witness`), where the device is wrong and not the log.
    /// Two operators approve. The station must run.
    DismissWitness(witness::DismissArgs),
    /// Take a machine or a device out of service, or back into it. An operator says so. The station must run.
    Maintenance(devices::MaintenanceArgs),
    /// Say something of a device. The station must run.
    #[command(subcommand)]
    Device(devices::DeviceCommand),
    /// See to window tickets: who is to come, what they entered at the kiosk, what became of it. The station must run.
    #[command(subcommand)]
    Window(window::WindowCommand),
    /// Begin a new log for a station whose old one is lost, set back, cloned, or whose key is. The station must be stopped; two
    /// operators approve. The old log is put aside whole.
    Incarnate(incarnate::IncarnateArgs),
    /// Show how the link to the centre stands, and what is still to be sent. The station must run.
    Link(link::LinkArgs),
    /// Show the signing keys, in several forms, or change the signing key or the lookup key.
    #[command(subcommand)]
    Keys(keys::KeysCommand),
}

/// What a run may be told.
#[derive(Debug, Args)]
struct RunArgs {
    /// station.toml; without it, the shipped one.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// policy.toml; without it, the shipped one.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Folder of log and blobs, instead of the configured one.
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Folder of keys, instead of the configured one.
    #[arg(long, value_name = "FOLDER")]
    keys: Option<PathBuf>,
    /// Folder of manifests, instead of the configured one.
    #[arg(long, value_name = "FOLDER")]
    inbox: Option<PathBuf>,
    /// No simulated devices, whatever the configuration says.
    #[arg(long)]
    no_demo: bool,
    /// Log lines as JSON.
    #[arg(long)]
    log_json: bool,
}

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let Cli { command, run } = Cli::parse();
    let outcome = match command {
        None => serve(run),
        Some(Command::Run(run)) => serve(run),
        Some(Command::CheckConfig { station, policy }) => check(station, policy),
        Some(Command::HashPin) => hash_pin(),
        Some(Command::Verify(args)) => verify::verify(args),
        Some(Command::Prove(args)) => prove::prove(args),
        Some(Command::CheckProof(args)) => prove::check_proof(args),
        Some(Command::Export(args)) => evidence::export(args),
        Some(Command::Keys(command)) => keys::run(command),
        Some(Command::Link(args)) => link::run(args),
        Some(Command::Commission(args)) => Ok(commission::run(args)),
        Some(Command::Erase(args)) => erase::run(args),
        Some(Command::DismissWitness(args)) => witness::run(args),
        Some(Command::Maintenance(args)) => devices::maintenance(args),
        Some(Command::Device(command)) => devices::device(command),
        Some(Command::Window(command)) => window::run(command),
        Some(Command::Incarnate(args)) => incarnate::run(args),
    };
    outcome.unwrap_or_else(|error| {
        complain(&words(&error));
        ExitCode::FAILURE
    })
}

fn serve(args: RunArgs) -> anyhow::Result<ExitCode> {
    start_logging(args.log_json);
    // Before there are threads. Where it cannot be had, the process is as sound and takes more memory.
    if !gateway_durable::keep_little() {
        tracing::debug!("the allocator keeps what it will");
    }
    let mut station = edge_config::load(args.config.as_deref(), args.policy.as_deref())?;
    let configuration = commission::configuration(args.config.as_deref(), args.policy.as_deref())?;
    if args.no_demo {
        station = run::without_demo(station)?;
    }
    override_folders(&mut station, &args);
    loop {
        match live(&station, &configuration) {
            // Everything acknowledged is in the log. The next life begins with the log closed, and waits for room.
            Err(error) if run::is_out_of_room(&error) => {
                tracing::error!(error = format!("{error:#}"), "out of room; beginning again");
            }
            ended => return ended,
        }
    }
}

/// One life of the station, with a runtime of its own: when it has ended nothing of it is left, the log's lock included.
fn live(station: &Station, configuration: &str) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(16)
        .enable_all()
        .build()
        .context("the runtime cannot start")?;
    let ended = runtime.block_on(run::run(station.clone(), configuration.to_owned()));
    // What is left is blocked in the system; nothing of it was promised to anybody.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    Ok(match ended? {
        Ended::Asked => ExitCode::SUCCESS,
        Ended::Quarantined => {
            complain(
                "this station is quarantined: its keys and its log do not prove themselves whole. \
                 Nothing was changed. See ops/docs/runbook/quarantine.md",
            );
            ExitCode::from(EXIT_QUARANTINED)
        }
    })
}

fn override_folders(station: &mut Station, args: &RunArgs) {
    let storage = &mut station.storage;
    for (given, configured) in [
        (&args.data, &mut storage.data_folder),
        (&args.keys, &mut storage.keys_folder),
        (&args.inbox, &mut storage.inbox_folder),
    ] {
        if let Some(given) = given {
            given.clone_into(configured);
        }
    }
}

fn check(station: Option<PathBuf>, policy: Option<PathBuf>) -> anyhow::Result<ExitCode> {
    let loaded = edge_config::load(station.as_deref(), policy.as_deref());
    match loaded.and_then(with_profiles) {
        Ok(station) => {
            say(&format!(
                "station {}: the configuration is in order",
                station.id
            ))?;
            Ok(ExitCode::SUCCESS)
        }
        Err(errors) => {
            complain(&errors.to_string());
            Ok(ExitCode::FAILURE)
        }
    }
}

/// The station, if the register maps that it names are in order too.
fn with_profiles(station: Station) -> Result<Station, edge_config::ConfigErrors> {
    for dispenser in &station.modbus_dispensers {
        DispenserProfile::load(dispenser.profile.as_deref())?;
    }
    Ok(station)
}

fn hash_pin() -> anyhow::Result<ExitCode> {
    if std::io::stdin().is_terminal() {
        complain("type the PIN (it is shown), then Enter");
    }
    let mut line = zeroize::Zeroizing::new(String::new());
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .context("the PIN cannot be read")?;
    say(&operators::hash_pin(line.trim_end_matches(['\r', '\n']))?)?;
    Ok(ExitCode::SUCCESS)
}

/// Structured lines on standard error: text on a terminal or elsewhere, JSON where asked for; `RUST_LOG` chooses.
fn start_logging(json: bool) {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_not_set| EnvFilter::new("info,sled=warn,rumqttc=warn,kurrentdb=off"));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let started = if json {
        lines.json().try_init()
    } else {
        lines.try_init()
    };
    if let Err(error) = started {
        complain(&format!("log lines cannot be written: {error}"));
    }
}

/// An error and its causes in one line. A cause that the words before it name already is not told twice.
fn words(error: &anyhow::Error) -> String {
    error.chain().fold(String::new(), |mut told, cause| {
        let cause = cause.to_string();
        if told.is_empty() {
            return cause;
        }
        if !told.ends_with(&cause) {
            told.push_str(": ");
            told.push_str(&cause);
        }
        told
    })
}

fn say(text: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    writeln!(std::io::stdout(), "{text}").context("standard output is closed")
}

fn complain(text: &str) {
    use std::io::Write as _;
    // With standard error closed there is nobody to tell.
    drop(writeln!(std::io::stderr(), "{text}"));
}
