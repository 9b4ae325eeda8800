//! Ctrl-C and its like while a command holds a copy of a log, or writes what is not whole yet: that goes, then the process.

use std::sync::OnceLock;

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::partial;

/// A process that a signal ends has this exit code and the signal's number in a shell.
const EXIT_SIGNAL: i32 = 128;

/// From here on no signal that asks this process to end leaves a copy behind, or a part of what it writes.
pub(super) fn leave_nothing_at_signals() -> anyhow::Result<()> {
    static LISTENING: OnceLock<()> = OnceLock::new();
    if LISTENING.set(()).is_err() {
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .context("signals cannot be listened for")?;
    let listened = {
        let _inside = runtime.enter();
        [
            SignalKind::interrupt(),
            SignalKind::terminate(),
            SignalKind::hangup(),
        ]
        .map(listen)
    };
    let thread = std::thread::Builder::new().name("signals".to_owned());
    let waiting = move || {
        let number = runtime.block_on(first(listened));
        let end = || std::process::exit(EXIT_SIGNAL.saturating_add(number));
        partial::remove_all(|| gateway_log::remove_copies(end));
    };
    thread
        .spawn(waiting)
        .context("signals cannot be listened for")?;
    Ok(())
}

/// `None` for one that was ignored when the program began, as `nohup` has it: it stays ignored.
fn listen(kind: SignalKind) -> Option<(i32, Signal)> {
    let number = kind.as_raw_value();
    if is_ignored(number) {
        return None;
    }
    signal(kind).ok().map(|signal| (number, signal))
}

fn is_ignored(number: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok());
    let bit = u32::try_from(number).unwrap_or(0).saturating_sub(1);
    mask.is_some_and(|mask| mask.checked_shr(bit).unwrap_or(0) & 1 == 1)
}

/// The number of the signal that comes first.
async fn first(listened: [Option<(i32, Signal)>; 3]) -> i32 {
    let waiting = listened.into_iter().flatten().map(|(number, mut signal)| {
        Box::pin(async move {
            signal.recv().await;
            number
        })
    });
    let waiting: Vec<_> = waiting.collect();
    if waiting.is_empty() {
        return std::future::pending().await;
    }
    futures_util::future::select_all(waiting).await.0
}
