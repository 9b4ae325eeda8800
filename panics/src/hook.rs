//! The hook.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::Write as _;
use std::panic::PanicHookInfo;

use crate::said;

/// From here on a panic of any thread is told in one line on standard error: thread, place, and what it said where that is a literal. The
/// calls that led there follow where `RUST_BACKTRACE` asks for them.
pub fn hide_data() {
    std::panic::set_hook(Box::new(|panic| {
        let calls = Backtrace::capture();
        let calls = (calls.status() == BacktraceStatus::Captured).then_some(calls);
        let told = told(panic, calls.as_ref());
        // Beside the log: a panic may come out of the logging itself. With standard error closed there is nobody to tell.
        std::io::stderr().write_all(told.as_bytes()).ok();
    }));
}

fn told(panic: &PanicHookInfo<'_>, calls: Option<&Backtrace>) -> String {
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or("unnamed");
    let place = panic.location().map(ToString::to_string);
    let place = place.unwrap_or_else(|| "a place unknown".to_owned());
    let said = said(panic.payload());
    let calls = calls.map(|calls| format!("{calls}\n")).unwrap_or_default();
    format!("thread '{thread}' panicked at {place}: {said}\n{calls}")
}
