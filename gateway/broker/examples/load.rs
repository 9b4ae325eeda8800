//! Measures acknowledged messages per second, or holds idle connections.
//!
//! `load` starts a broker of its own whose commits take `--commit-delay-ms`, opens `--connections`, keeps
//! `--in-flight` QoS 1 messages going on each, and prints one line with the figures. With `--connect` it
//! uses a broker that runs already; with `--idle` it only holds the connections for `--seconds`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::ensure;
use clap::Parser;
use gateway_broker::{
    Action, BoxFuture, Broker, Config, ConnectRefusal, Event, Handler, Hello, Identity, Limits,
    Listener, MemoryStore, Message, PublishOutcome, Storage,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Load for an MQTT broker.
#[derive(Debug, Clone, Parser)]
struct Args {
    /// A broker that runs already.
    #[arg(long)]
    connect: Option<SocketAddr>,
    /// How long each PUBLISH takes to commit in the broker started here.
    #[arg(long, default_value_t = 5)]
    commit_delay_ms: u64,
    #[arg(long, default_value_t = 100)]
    connections: u16,
    /// Messages sent and not yet acknowledged, per connection.
    #[arg(long, default_value_t = 16)]
    in_flight: u16,
    #[arg(long, default_value_t = 256)]
    payload_bytes: usize,
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Hold the connections and send nothing.
    #[arg(long)]
    idle: bool,
}

struct Slow(Duration);

impl Handler for Slow {
    fn connect(&self, hello: &Hello<'_>) -> Result<Identity, ConnectRefusal> {
        Ok(Identity::new(hello.client_id, "load"))
    }

    fn authorise(&self, _: &Identity, _: Action, _: &str) -> bool {
        true
    }

    fn publish(&self, _: &Identity, _: Message) -> BoxFuture<'static, PublishOutcome> {
        let delay = self.0;
        Box::pin(async move {
            tokio::time::sleep(delay).await;
            PublishOutcome::Accepted
        })
    }

    fn storage(&self, _: &str) -> Storage {
        Storage::DURABLE
    }

    fn observe(&self, _: Event) {}
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let (address, broker) = if let Some(address) = args.connect {
        (address, None)
    } else {
        let broker = start(&args).await?;
        let first = broker.local_addrs().first().map(|(_, address)| *address);
        (
            first.ok_or_else(|| anyhow::anyhow!("no listener"))?,
            Some(broker),
        )
    };
    let acknowledged = Arc::new(AtomicU64::new(0));
    let until = Instant::now() + Duration::from_secs(args.seconds);
    let clients: Vec<_> = (0..args.connections)
        .map(|n| {
            tokio::spawn(client(
                args.clone(),
                address,
                n,
                until,
                Arc::clone(&acknowledged),
            ))
        })
        .collect();
    let started = Instant::now();
    for client in clients {
        client.await??;
    }
    let total = acknowledged.load(Ordering::Relaxed);
    let rate = total.checked_div(u64::try_from(started.elapsed().as_millis())?.max(1) / 1_000);
    println!(
        "connections {} in_flight {} payload_bytes {} acknowledged {total} per_second {}",
        args.connections,
        args.in_flight,
        args.payload_bytes,
        rate.unwrap_or(total),
    );
    if let Some(broker) = broker {
        broker.shutdown().await;
    }
    Ok(())
}

async fn start(args: &Args) -> anyhow::Result<Broker> {
    let config = Config {
        listeners: vec![Listener::tcp("tcp", "127.0.0.1:0".parse()?)],
        limits: Limits::default(),
    };
    let handler = Arc::new(Slow(Duration::from_millis(args.commit_delay_ms)));
    Ok(Broker::start(config, handler, Arc::new(MemoryStore::default())).await?)
}

async fn client(
    args: Args,
    address: SocketAddr,
    number: u16,
    until: Instant,
    acknowledged: Arc<AtomicU64>,
) -> anyhow::Result<()> {
    let mut socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    let id = format!("load-{number}");
    let mut connect = vec![0x10, u8::try_from(12 + id.len())?, 0, 4];
    connect.extend_from_slice(b"MQTT\x04\x02\x00\x00\x00");
    connect.push(u8::try_from(id.len())?);
    connect.extend_from_slice(id.as_bytes());
    socket.write_all(&connect).await?;
    let mut connack = [0; 4];
    socket.read_exact(&mut connack).await?;
    ensure!(connack == [0x20, 2, 0, 0], "refused: {connack:?}");
    if args.idle {
        tokio::time::sleep_until(until.into()).await;
        return Ok(());
    }
    let publish = |id: u16| {
        let topic = b"load/topic";
        let mut packet = vec![0x32];
        let mut left = 2 + topic.len() + 2 + args.payload_bytes;
        while left >= 128 {
            packet.push(u8::try_from(left % 128).unwrap_or(0) | 0x80);
            left /= 128;
        }
        packet.push(u8::try_from(left).unwrap_or(0));
        packet.extend_from_slice(&[0, 10]);
        packet.extend_from_slice(topic);
        packet.extend_from_slice(&id.to_be_bytes());
        packet.resize(packet.len() + args.payload_bytes, b'x');
        packet
    };
    let packets: Vec<Vec<u8>> = (1..=args.in_flight).map(publish).collect();
    socket.write_all(&packets.concat()).await?;
    let mut buffer = vec![0; 8 * 1_024];
    let mut kept = 0;
    let mut out = Vec::new();
    while Instant::now() < until {
        let read = socket
            .read(buffer.get_mut(kept..).unwrap_or_default())
            .await?;
        ensure!(read > 0, "closed by the broker");
        let held = kept + read;
        let acks = buffer.get(..held).unwrap_or_default().chunks_exact(4);
        kept = acks.remainder().len();
        out.clear();
        let mut count = 0;
        for ack in acks {
            ensure!(ack.starts_with(&[0x40, 2]), "not a PUBACK: {ack:?}");
            let &[_, _, high, low] = ack else { continue };
            let id = usize::from(u16::from_be_bytes([high, low]));
            out.extend_from_slice(packets.get(id - 1).map(Vec::as_slice).unwrap_or_default());
            count += 1;
        }
        buffer.copy_within(held - kept..held, 0);
        acknowledged.fetch_add(count, Ordering::Relaxed);
        socket.write_all(&out).await?;
    }
    Ok(())
}
