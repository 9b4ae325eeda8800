//! A broker of its own, for trying it with other people's clients and for measuring it.
//!
//! Everyone may do everything, except that `--deny` names a topic filter prefix nobody may subscribe
//! to. `--commit-delay-ms` makes each PUBLISH wait as a disk would; `--store` keeps sessions, queues and
//! retained messages in a file across restarts.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use gateway_broker::{
    Action, BoxFuture, Broker, Config, ConnectRefusal, Entry, Event, Handler, Hello, Identity,
    Limits, Listener, MemoryStore, Message, PublishOutcome, Storage, Store, StoreError, StoreOp,
    Transport,
};

/// An MQTT broker on this machine.
#[derive(Debug, Parser)]
struct Args {
    /// Address for MQTT over TCP.
    #[arg(long, default_value = "127.0.0.1:1883")]
    tcp: SocketAddr,
    /// Address for MQTT over WebSocket.
    #[arg(long)]
    websocket: Option<SocketAddr>,
    /// How long each PUBLISH takes to commit.
    #[arg(long, default_value_t = 0)]
    commit_delay_ms: u64,
    /// Topic filters that begin with this cannot be subscribed to.
    #[arg(long)]
    deny: Option<String>,
    /// A file that keeps what must survive a restart. Without it nothing does.
    #[arg(long)]
    store: Option<PathBuf>,
    /// Receive Maximum.
    #[arg(long, default_value_t = 64)]
    receive_max: u16,
    /// Topic Alias Maximum.
    #[arg(long, default_value_t = 16)]
    topic_alias_max: u16,
    /// Server keep alive cap in seconds; 0 for none.
    #[arg(long, default_value_t = 0)]
    keep_alive_s_max: u16,
    /// Worker threads; 0 for as many as there are processors.
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// Say who comes and goes.
    #[arg(long)]
    verbose: bool,
}

struct Open {
    delay: Duration,
    deny: Option<String>,
    verbose: bool,
}

impl Handler for Open {
    fn connect(&self, hello: &Hello<'_>) -> Result<Identity, ConnectRefusal> {
        Ok(Identity::new(hello.client_id, "anyone"))
    }

    fn authorise(&self, _: &Identity, action: Action, topic: &str) -> bool {
        let denied = self
            .deny
            .as_deref()
            .is_some_and(|prefix| topic.starts_with(prefix));
        !(denied && action == Action::Subscribe)
    }

    fn publish(&self, _: &Identity, _: Message) -> BoxFuture<'static, PublishOutcome> {
        let delay = self.delay;
        Box::pin(async move {
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            PublishOutcome::Accepted
        })
    }

    fn storage(&self, _: &str) -> Storage {
        Storage::DURABLE
    }

    fn observe(&self, event: Event) {
        if self.verbose {
            eprintln!("{event:?}");
        }
    }
}

/// A journal of changes: one record per group, synced before the group is done.
struct FileStore {
    file: Arc<Mutex<File>>,
    entries: Vec<Entry>,
}

impl FileStore {
    /// Reads the journal, and writes it anew without what was removed. A record cut short by a crash
    /// was never acknowledged, and is dropped.
    fn open(path: &Path) -> anyhow::Result<Self> {
        let mut bytes = Vec::new();
        if path.exists() {
            File::open(path)?.read_to_end(&mut bytes)?;
        }
        let mut map = BTreeMap::new();
        let mut rest = bytes.as_slice();
        while let Some((ops, tail)) = read_record(rest) {
            rest = tail;
            for (key, value) in ops {
                match value {
                    Some(value) => map.insert(key, value),
                    None => map.remove(&key),
                };
            }
        }
        let entries: Vec<Entry> = map.into_iter().collect();
        let fresh = path.with_extension("new");
        let mut file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .open(&fresh)?;
        let ops: Vec<StoreOp> = entries
            .iter()
            .map(|(key, value)| (key.clone(), Some(value.clone())))
            .collect();
        file.write_all(&record(&ops))?;
        file.sync_all()?;
        std::fs::rename(&fresh, path)?;
        Ok(Self {
            file: Arc::new(Mutex::new(file)),
            entries,
        })
    }
}

impl Store for FileStore {
    fn load(&self) -> Result<Vec<Entry>, StoreError> {
        Ok(self.entries.clone())
    }

    fn apply(&self, ops: Vec<StoreOp>) -> BoxFuture<'static, Result<(), StoreError>> {
        let file = Arc::clone(&self.file);
        Box::pin(async move {
            let work = move || {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                file.write_all(&record(&ops))?;
                file.sync_data()
            };
            let done = tokio::task::spawn_blocking(work)
                .await
                .map_err(StoreError::io)?;
            done.map_err(StoreError::io)
        })
    }
}

fn record(ops: &[StoreOp]) -> Vec<u8> {
    let mut body = Vec::new();
    let put = |body: &mut Vec<u8>, bytes: &[u8]| {
        body.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(0).to_be_bytes());
        body.extend_from_slice(bytes);
    };
    for (key, value) in ops {
        body.push(u8::from(value.is_some()));
        put(&mut body, key);
        put(&mut body, value.as_deref().unwrap_or_default());
    }
    let mut record = Vec::new();
    put(&mut record, &body);
    record
}

fn read_record(bytes: &[u8]) -> Option<(Vec<StoreOp>, &[u8])> {
    let (mut body, rest) = read_bytes(bytes)?;
    let mut ops = Vec::new();
    while let Some((present, tail)) = body.split_first() {
        let (key, tail) = read_bytes(tail)?;
        let (value, tail) = read_bytes(tail)?;
        ops.push((key.to_vec(), (*present == 1).then(|| value.to_vec())));
        body = tail;
    }
    Some((ops, rest))
}

fn read_bytes(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*len)).ok()?)
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    if args.threads > 0 {
        runtime.worker_threads(args.threads);
    }
    runtime.enable_all().build()?.block_on(run(args))
}

async fn run(args: Args) -> anyhow::Result<()> {
    let mut listeners = vec![Listener::tcp("tcp", args.tcp)];
    if let Some(address) = args.websocket {
        let transport = Transport::WebSocket;
        listeners.push(Listener {
            name: "websocket".to_owned(),
            address,
            transport,
        });
    }
    let limits = Limits {
        receive_max: args.receive_max,
        topic_alias_max: args.topic_alias_max,
        keep_alive_s_max: args.keep_alive_s_max,
        ..Limits::default()
    };
    let store: Arc<dyn Store> = match &args.store {
        Some(path) => Arc::new(FileStore::open(path).context("opening the store")?),
        None => Arc::new(MemoryStore::default()),
    };
    let delay = Duration::from_millis(args.commit_delay_ms);
    let handler = Arc::new(Open {
        delay,
        deny: args.deny,
        verbose: args.verbose,
    });
    let broker = Broker::start(Config { listeners, limits }, handler, store).await?;
    for (name, address) in broker.local_addrs() {
        eprintln!("listening on {address} ({name})");
    }
    tokio::signal::ctrl_c().await?;
    broker.shutdown().await;
    eprintln!("{:?}", broker.stats());
    Ok(())
}
