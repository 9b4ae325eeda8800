//! The server as a process of its own.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use simulated_eventstore::{Server, ServerConfig};

/// A server that speaks the EventStoreDB protocol, keeps what it answered for, and fails on command.
///
/// Commands over HTTP, if --control is given: GET /nodes, POST /nodes/{n}/faults with JSON such as
/// {"black_hole": true}, POST /nodes/{n}/cut/{reset|close|half-close}, POST /nodes/{n}/clear, POST /leader/{n}.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Where a node listens; given more than once, there are more nodes of the same store. The first one leads.
    #[arg(long = "listen", default_value = "127.0.0.1:2113")]
    nodes: Vec<SocketAddr>,
    /// Folder of the store; made if missing.
    #[arg(long, default_value = "eventstore-data")]
    data: PathBuf,
    /// Where faults can be commanded over HTTP. Loopback.
    #[arg(long)]
    control: Option<SocketAddr>,
    /// File with "user:password" that clients must give.
    #[arg(long)]
    credentials: Option<PathBuf>,
    /// PEM file of the certificate chain, end entity first.
    #[arg(long, requires = "tls_key")]
    tls_certificates: Option<PathBuf>,
    /// PEM file of the certificate's key.
    #[arg(long, requires = "tls_certificates")]
    tls_key: Option<PathBuf>,
    /// Largest append: data, metadata and twice the type of its events.
    #[arg(long, default_value_t = 1 << 20)]
    append_bytes_max: usize,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env()
                .unwrap_or_else(|_unset| "info".into()),
        )
        .with_writer(std::io::stderr)
        .init();
    let server = Server::start(config(args)?).await?;
    for node in server.nodes() {
        say(&format!("listening on {}", node.address()))?;
    }
    if let Some(control) = server.control_address() {
        say(&format!("control http://{control}"))?;
    }
    say("ready")?;
    tokio::signal::ctrl_c().await?;
    server.shutdown().await;
    Ok(())
}

fn config(args: Args) -> anyhow::Result<ServerConfig> {
    let credentials = args.credentials.map(|path| {
        use anyhow::Context as _;
        let text = std::fs::read_to_string(&path);
        let text = text.with_context(|| format!("cannot read {}", path.display()))?;
        let parts = text.trim_end().split_once(':');
        let (user, password) = parts.with_context(|| format!("{}: no colon", path.display()))?;
        Ok::<_, anyhow::Error>((user.to_owned(), password.to_owned()))
    });
    Ok(ServerConfig {
        nodes: args.nodes,
        control: args.control,
        credentials: credentials.transpose()?,
        tls: args.tls_certificates.zip(args.tls_key),
        append_bytes_max: args.append_bytes_max,
        ..ServerConfig::new(args.data)
    })
}

fn say(line: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
