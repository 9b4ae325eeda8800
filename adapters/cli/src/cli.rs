//! The command line.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::run;

/// Brings devices that do not speak MQTT to a station on another host. Exit code 0: asked to stop; 1: it cannot start, or an adapter
/// failed.
#[derive(Debug, Parser)]
#[command(name = "adapters", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// adapters.toml
    #[arg(long, value_name = "FILE", required = true)]
    config: Option<PathBuf>,
    /// Log lines as JSON.
    #[arg(long)]
    log_json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check a configuration file and say what to write instead.
    CheckConfig {
        /// adapters.toml
        file: PathBuf,
    },
}

pub(crate) fn main() -> ExitCode {
    let cli = Cli::parse();
    let ended = match (cli.command, cli.config) {
        (Some(Command::CheckConfig { file }), _) => check(&file),
        (None, Some(config)) => serve(&config, cli.log_json),
        // clap asks for it.
        (None, None) => Err(anyhow::anyhow!("write --config adapters.toml")),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn check(file: &Path) -> anyhow::Result<()> {
    let adapters = edge_config::load_adapters(file)?;
    let len = adapters.adapted().ids().count();
    let station = &adapters.station;
    writeln!(
        std::io::stdout(),
        "{len} adapters of station {station}: the configuration is in order"
    )
    .context("standard output is closed")
}

fn serve(config: &Path, log_json: bool) -> anyhow::Result<()> {
    start_logging(log_json);
    let adapters = edge_config::load_adapters(config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("the runtime cannot start")?;
    runtime.block_on(run::run(&adapters))
}

/// Structured lines on standard error: text, or JSON where asked for; `RUST_LOG` chooses.
fn start_logging(json: bool) {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_not_set| EnvFilter::new("info,rumqttc=warn"));
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

fn complain(text: &str) {
    // With standard error closed there is nobody to tell.
    drop(writeln!(std::io::stderr(), "{text}"));
}
