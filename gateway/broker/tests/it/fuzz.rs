//! Bad input at the door: random and mangled bytes over real sockets. No panic, still serving.
//!
//! Runs for `BROKER_FUZZ_SECONDS` (3 by default) with `BROKER_FUZZ_SEED` (printed).

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::common::{
    self, Client, ack, connect, connect_with, publish, start_with, subscribe, unsubscribe, will,
};
use gateway_broker::Limits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// splitmix64: good enough to mangle bytes, and repeatable.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }

    fn byte(&mut self) -> u8 {
        self.next().to_be_bytes()[0]
    }

    fn bytes(&mut self, max: usize) -> Vec<u8> {
        (0..self.below(max)).map(|_| self.byte()).collect()
    }
}

fn packet(random: &mut Random, v5: bool) -> Vec<u8> {
    // A conversation ends at the first packet that is wrong, so most must be right.
    let wrong = random.below(25) == 0;
    let id = if wrong {
        0
    } else {
        u16::try_from(random.below(6)).unwrap() + 1
    };
    let topics = [
        "a", "b/c", "hold/x", "refuse/x", "secret/x", "$SYS/x", "mem/x", "+", "",
    ];
    let topic = topics[random.below(if wrong { 9 } else { 7 })];
    let props: Vec<u8> = match random.below(6) {
        0 => vec![35, 0, random.byte() & 31],
        1 => vec![2, 0, 0, 0, random.byte()],
        2 if wrong => random.bytes(20),
        _ => Vec::new(),
    };
    let flags = if wrong {
        15
    } else {
        [0, 1, 2, 3, 4, 5, 10, 12][random.below(8)]
    };
    match random.below(if wrong { 11 } else { 8 }) {
        0..=3 => publish(v5, topic, &random.bytes(40), flags, id, &props),
        4 => subscribe(v5, id, topic, flags & 3, &[]),
        5 => unsubscribe(v5, id, topic),
        6 => ack([0x40, 0x50, 0x62, 0x70][random.below(4)], id),
        7 => vec![0xC0, 0],
        8 => {
            if v5 {
                vec![0xE0, 0]
            } else {
                connect(v5, "fuzz", true, &[])
            }
        }
        9 => vec![random.byte(), 3, 0, 1, random.byte()],
        _ => random.bytes(60),
    }
}

fn opening(random: &mut Random, v5: bool) -> Vec<u8> {
    let id = format!("fuzz-{}", random.below(4));
    let session = [
        17,
        0,
        0,
        0,
        random.byte(),
        33,
        0,
        random.byte(),
        34,
        0,
        random.byte(),
    ];
    match random.below(8) {
        0 => random.bytes(200),
        1 => {
            let tail = will(v5, "a", "gone", &[]);
            connect_with(v5, &id, random.byte(), u16::from(random.byte()), &[], &tail)
        }
        2 => connect(v5, &id, true, &random.bytes(30)),
        _ => connect(v5, &id, random.below(2) == 0, &session),
    }
}

async fn conversation(addr: SocketAddr, seed: u64) {
    let mut random = Random(seed);
    let v5 = random.below(2) == 0;
    let mut bytes = opening(&mut random, v5);
    for _ in 0..random.below(30) {
        bytes.extend(packet(&mut random, v5));
    }
    for _ in 0..random.below(4).saturating_sub(1) {
        let at = random.below(bytes.len());
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= 1 << random.below(8);
        }
    }
    bytes.truncate(bytes.len().saturating_sub(random.below(6)));
    let Ok(stream) = TcpStream::connect(addr).await else {
        return;
    };
    let (mut read, mut write) = stream.into_split();
    for piece in bytes.chunks(random.below(64) + 1) {
        if write.write_all(piece).await.is_err() {
            break;
        }
    }
    drop(write.shutdown().await);
    let mut sink = vec![0; 4_096];
    let answers = async { while read.read(&mut sink).await.is_ok_and(|n| n > 0) {} };
    tokio::time::timeout(common::PATIENCE, answers)
        .await
        .expect("the broker closes");
}

fn variable(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|v| v.parse().ok())
        .unwrap_or(default)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fuzzed_sockets_cause_no_panic_and_the_broker_still_serves() {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let seed = variable("BROKER_FUZZ_SEED", u64::from(now.subsec_nanos()));
    let span = Duration::from_secs(variable("BROKER_FUZZ_SECONDS", 3));
    println!("seed {seed}");
    let limits = Limits {
        drain_ms_max: 20,
        linger_ms_max: 50,
        ..Limits::default()
    };
    let bench = start_with(limits).await;
    let until = Instant::now() + span;
    let lanes: Vec<_> = (0..8u64)
        .map(|lane| {
            tokio::spawn(async move {
                let mut random = Random(seed ^ (lane << 56));
                let mut count = 0u64;
                while Instant::now() < until {
                    conversation(bench.addr, random.next()).await;
                    count += 1;
                }
                count
            })
        })
        .collect();
    let mut conversations = 0;
    for lane in lanes {
        conversations += lane.await.unwrap();
    }
    let stats = bench.broker.stats();
    println!("{conversations} conversations, {stats:?}");
    assert_eq!(stats.panics, 0);
    assert!(conversations > 0 && stats.connects > 0 && stats.publish_received > 0);
    let mut client = Client::clean(bench.addr, true, "after").await;
    client.publish("a", "x", 1, 1).await;
    client.expect(&ack(0x40, 1)).await;
}
