//! A line between two parts that counts the bytes of both ways, and breaks after so many.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

/// How it breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Break {
    /// Both sides find the connection closed.
    Cut,
    /// The side that was being spoken to hears no more; the other way goes on.
    HalfClosed,
    /// The connection stands, and nothing of what is said that way arrives any more.
    Stalled,
}

/// What is to happen, and what has.
#[derive(Debug, Default)]
struct Plan {
    /// Bytes that still pass, and then this.
    next: Option<(u64, Break)>,
    has_broken: bool,
}

/// The lines of a test; they end when it is dropped.
#[derive(Debug)]
pub struct Lines {
    runtime: Runtime,
}

/// One line.
#[derive(Debug)]
pub struct Line {
    /// Where it begins.
    pub address: SocketAddr,
    plan: Arc<Mutex<Plan>>,
}

impl Lines {
    /// None yet.
    pub fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build();
        Self {
            runtime: runtime.unwrap(),
        }
    }

    /// A line to `far`, whole at first.
    pub fn open(&self, far: SocketAddr) -> Line {
        let listener = TcpListener::bind("127.0.0.1:0");
        let listener = self.runtime.block_on(listener).unwrap();
        let line = Line {
            address: listener.local_addr().unwrap(),
            plan: Arc::default(),
        };
        let plan = Arc::clone(&line.plan);
        self.runtime.spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let plan = Arc::clone(&plan);
                tokio::spawn(async move { Box::pin(connect(near, far, &plan)).await });
            }
        });
        line
    }
}

impl Default for Lines {
    fn default() -> Self {
        Self::new()
    }
}

impl Line {
    /// After so many more bytes, of both ways together, it breaks once. Connections after that are whole.
    pub fn break_after(&self, bytes: u64, how: Break) {
        *lock(&self.plan) = Plan {
            next: Some((bytes, how)),
            has_broken: false,
        };
    }

    /// It breaks no more.
    pub fn mend(&self) {
        lock(&self.plan).next = None;
    }

    /// Whether it has broken since it was told to.
    pub fn has_broken(&self) -> bool {
        lock(&self.plan).has_broken
    }
}

fn lock(plan: &Mutex<Plan>) -> MutexGuard<'_, Plan> {
    plan.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn connect(near: TcpStream, far: SocketAddr, plan: &Mutex<Plan>) -> io::Result<()> {
    let far = TcpStream::connect(far).await?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let ((near_reads, near_writes), (far_reads, far_writes)) =
        (near.into_split(), far.into_split());
    let there = pass(near_reads, far_writes, plan);
    let back = pass(far_reads, near_writes, plan);
    // An error of either way closes both.
    tokio::try_join!(there, back).map(drop)
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    plan: &Mutex<Plan>,
) -> io::Result<()> {
    let mut buffer = [0; 4_096];
    loop {
        let len = from.read(&mut buffer).await?;
        if len == 0 {
            return to.shutdown().await;
        }
        let (passing, broken) = count(plan, len);
        to.write_all(&buffer[..passing]).await?;
        match broken {
            None => {}
            Some(Break::Cut) => return Err(io::ErrorKind::ConnectionReset.into()),
            Some(Break::HalfClosed) => {
                to.shutdown().await?;
                return swallow(&mut from).await;
            }
            Some(Break::Stalled) => {
                swallow(&mut from).await?;
                return to.shutdown().await;
            }
        }
    }
}

/// How many of `len` bytes still pass, and what happens after them.
fn count(plan: &Mutex<Plan>, len: usize) -> (usize, Option<Break>) {
    let mut plan = lock(plan);
    let Some((left, how)) = &mut plan.next else {
        return (len, None);
    };
    if *left > len as u64 {
        *left -= len as u64;
        return (len, None);
    }
    let (passing, how) = (*left as usize, *how);
    plan.next = None;
    plan.has_broken = true;
    (passing, Some(how))
}

async fn swallow(from: &mut OwnedReadHalf) -> io::Result<()> {
    let mut buffer = [0; 4_096];
    while from.read(&mut buffer).await? > 0 {}
    Ok(())
}
