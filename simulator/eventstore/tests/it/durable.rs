//! What was answered for is there: after a restart, after a half-written tail, after a kill at any moment.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use crate::common::{House, append, client, contents, event, events};
use eventstore::StreamState;
use simulated_eventstore::{OpenError, Server, ServerConfig, StartError};
use tokio::sync::mpsc;

#[tokio::test]
async fn a_restart_keeps_everything() {
    let house = House::new().await;
    let chunk = events(&["0", "1"]);
    let written = append(&house.client(), "s", StreamState::NoStream, chunk.clone()).await;
    let house = house.restart().await;
    let client = house.client();
    assert_eq!(contents(&client, "s").await.unwrap(), ["0", "1"]);
    let again = append(&client, "s", StreamState::NoStream, chunk.clone()).await;
    assert_eq!(again.unwrap().position, written.unwrap().position);
    let any = append(&client, "s", StreamState::Any, chunk).await;
    assert_eq!(any.unwrap().next_expected_version, 1);
    append(&client, "s", StreamState::StreamRevision(1), events(&["2"]))
        .await
        .unwrap();
    let house = house.restart().await;
    assert_eq!(
        contents(&house.client(), "s").await.unwrap(),
        ["0", "1", "2"]
    );
}

#[tokio::test]
async fn a_half_written_tail_is_cut_off() {
    let house = House::new().await;
    append(&house.client(), "s", StreamState::NoStream, events(&["0"]))
        .await
        .unwrap();
    house.server.shutdown().await;
    let path = house.folder.path().join("events");
    let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(b"EVF1\x40\x00\x00\x00half").unwrap();
    let config = ServerConfig::new(house.folder.path());
    let house = House::with(house.folder, config).await;
    let client = house.client();
    append(&client, "s", StreamState::StreamRevision(0), events(&["1"]))
        .await
        .unwrap();
    let house = house.restart().await;
    assert_eq!(contents(&house.client(), "s").await.unwrap(), ["0", "1"]);
}

#[tokio::test]
async fn two_servers_do_not_share_a_folder() {
    let house = House::new().await;
    let second = Server::start(ServerConfig::new(house.folder.path())).await;
    assert!(
        matches!(second, Err(StartError::Store(OpenError::InUse(_)))),
        "{second:?}"
    );
}

/// The server as a process, until it is killed.
struct Process {
    child: Child,
    address: SocketAddr,
}

impl Process {
    fn start(folder: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_simulated-eventstore"))
            .args(["--listen", "127.0.0.1:0", "--data"])
            .arg(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next().unwrap().unwrap();
        let address = line.strip_prefix("listening on ").unwrap().parse().unwrap();
        assert_eq!(lines.next().unwrap().unwrap(), "ready");
        Self { child, address }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

const STREAMS: usize = 4;
const ROUNDS: usize = 6;

/// Data of what was answered for, by stream.
type Answered = Arc<Mutex<BTreeMap<String, Vec<String>>>>;

/// Appends to a stream from its tail on until the server is gone.
async fn write(address: SocketAddr, stream: String, answered: Answered, seen: mpsc::Sender<()>) {
    let client = client(address);
    let mut there = contents(&client, &stream).await.unwrap_or_default();
    loop {
        let state = match there.len().checked_sub(1) {
            None => StreamState::NoStream,
            Some(last) => StreamState::StreamRevision(u64::try_from(last).unwrap()),
        };
        let chunk: Vec<String> = (0..=there.len() % 3)
            .map(|more| format!("{stream}-{}", there.len() + more))
            .collect();
        let taken = append(
            &client,
            &stream,
            state,
            chunk.iter().map(|data| event(data)),
        )
        .await;
        if taken.is_err() {
            return;
        }
        there.extend(chunk);
        answered
            .lock()
            .unwrap()
            .insert(stream.clone(), there.clone());
        if seen.send(()).await.is_err() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_everything_answered_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let answered = Answered::default();
    for round in 0..ROUNDS {
        let process = Process::start(folder.path());
        let (seen, mut answers) = mpsc::channel(1);
        let writers: Vec<_> = (0..STREAMS)
            .map(|number| {
                let stream = format!("s{number}");
                let (answered, seen) = (Arc::clone(&answered), seen.clone());
                tokio::spawn(write(process.address, stream, answered, seen))
            })
            .collect();
        // The kill falls into whatever the other writers are about.
        for _ in 0..20 + 17 * round {
            answers.recv().await.unwrap();
        }
        drop(process);
        drop(answers);
        for writer in writers {
            writer.await.unwrap();
        }
        let process = Process::start(folder.path());
        let client = client(process.address);
        let promised = answered.lock().unwrap().clone();
        for (stream, answered) in promised {
            let there = contents(&client, &stream).await.unwrap();
            assert_eq!(there[..answered.len()], answered[..], "round {round}");
            // A whole append may have become durable and not been answered.
            assert!(there.len() <= answered.len() + 3, "round {round}");
            let numbers: Vec<String> = (0..there.len()).map(|n| format!("{stream}-{n}")).collect();
            assert_eq!(there, numbers, "round {round}");
        }
    }
    let total: usize = answered.lock().unwrap().values().map(Vec::len).sum();
    assert!(total > 200, "too few to show anything: {total}");
}
