//! How fast a log drains into an event store: by the gateway's uplink, and by the store's client alone, in turns.
//!
//! ```text
//! drain <data folder> <keys folder> <connection> <rounds>
//! ```
//! The log is one that `fill` wrote; no gateway may be running on it. Both send the same events in the same chunks to the same
//! store, each run into a stream of its own, from making the connection until the last answer. The client alone has its events in memory, ready
//! made: it reads no log, asks for no tail and signs nothing, so it is what the client and the store can do. Prints a line for each run.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use eventstore::{AppendToStreamOptions, Client, EventData, StreamState};
use gateway_log::Log;
use gateway_sync::{ChunkLimits, Kurrent, Pace, Uplink, UplinkOptions};
use schemas::uplink::Record;
use serde_json::value::RawValue;
use station_tests::opened;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [data, keys, connection, rounds] = arguments.as_slice() else {
        bail!("usage: drain <data folder> <keys folder> <connection> <rounds>");
    };
    let rounds: u32 = rounds.parse().context("<rounds> must be a number")?;
    let log = opened::open(Path::new(data), Path::new(keys))?.log;
    // The uplink sends what a checkpoint covers.
    let size = log.size();
    log.heads()
        .wait_for(|head| head.checkpoint.size >= size)
        .await?;
    let run = uuid::Uuid::new_v4();
    for round in 1..=rounds {
        let took = alone(&log, connection, format!("alone-{run}-{round}")).await?;
        say("alone", log.size(), took);
        let took = uplink(&log, connection, format!("uplink-{run}-{round}")).await?;
        say("uplink", log.size(), took);
    }
    log.close()?;
    Ok(())
}

fn say(who: &str, events: u64, took: Duration) {
    println!("{who} events={events} seconds={:.3}", took.as_secs_f64());
}

/// The gateway's uplink, as the gateway uses it.
async fn uplink(log: &Log, connection: &str, stream: String) -> anyhow::Result<Duration> {
    let options = UplinkOptions {
        stream,
        limits: ChunkLimits::default(),
        pace: Pace::default(),
        rest_ms: Arc::new(|| None),
        acknowledged: tokio::sync::watch::Sender::new(0).subscribe(),
        look_every: Duration::from_secs(15),
        chance: || 0,
    };
    let began = Instant::now();
    let uplink = Uplink::new(log.clone(), Arc::new(Kurrent::new(connection)?), options);
    let mut figures = uplink.figures();
    let size = log.size();
    tokio::select! {
        fork = uplink.run(std::future::pending()) => bail!("{fork}"),
        sent = figures.wait_for(|figures| figures.sent >= size) => drop(sent?),
    }
    Ok(began.elapsed())
}

/// The client in a loop.
async fn alone(log: &Log, connection: &str, stream: String) -> anyhow::Result<Duration> {
    let chunks = chunks(log)?;
    let began = Instant::now();
    // As the uplink has it: the client sleeps so long before it connects.
    let settings = format!("{connection}&discoveryInterval=20").parse()?;
    let client = Client::new(settings).map_err(|error| anyhow::anyhow!("{error:#}"))?;
    let mut next = 0_u64;
    for chunk in chunks {
        let len = u64::try_from(chunk.len())?;
        let state = next
            .checked_sub(1)
            .map_or(StreamState::NoStream, StreamState::StreamRevision);
        let options = AppendToStreamOptions::default().stream_state(state);
        client
            .append_to_stream(stream.as_str(), &options, chunk)
            .await?;
        next += len;
    }
    Ok(began.elapsed())
}

/// The whole log in the uplink's chunks.
fn chunks(log: &Log) -> anyhow::Result<Vec<Vec<EventData>>> {
    let (limits, note) = (ChunkLimits::default(), log.head().note);
    let (mut chunks, mut chunk, mut bytes) = (Vec::new(), Vec::<Vec<u8>>::new(), note.len());
    for stored in log.read(0..log.size()) {
        let (_, signed) = stored?;
        let len = Record::of(&signed, None)?.append_len();
        if chunk.len() == limits.events_max || !chunk.is_empty() && bytes + len > limits.bytes_max {
            chunks.push(made(&std::mem::take(&mut chunk), &note)?);
            bytes = note.len();
        }
        bytes += len;
        chunk.push(signed);
    }
    chunks.push(made(&chunk, &note)?);
    Ok(chunks)
}

/// The last one carries the checkpoint.
fn made(chunk: &[Vec<u8>], note: &str) -> anyhow::Result<Vec<EventData>> {
    let last = chunk.len().saturating_sub(1);
    let events = chunk.iter().enumerate();
    events
        .map(|(nth, signed)| {
            let record = Record::of(signed, (nth == last).then_some(note))?;
            let data: &RawValue = serde_json::from_slice(&record.data)?;
            let metadata: &RawValue = serde_json::from_slice(&record.metadata)?;
            let event = EventData::json(&record.event_type, &data)?;
            Ok(event
                .id(uuid::Uuid::from_bytes(record.id))
                .metadata_as_json(&metadata)?)
        })
        .collect()
}
