//! Progress on standard error, where that is a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

/// So many of something.
pub(super) fn events(doing: &'static str, total: Option<u64>) -> ProgressBar {
    let template = "{msg} {wide_bar} {human_pos} of {human_len} ({rate}, {eta} left)";
    match total {
        Some(total) => bar(ProgressBar::new(total), doing, template),
        None => bar(
            ProgressBar::new_spinner(),
            doing,
            "{spinner} {msg} {human_pos} ({rate})",
        ),
    }
}

/// Bytes, whose number is told later.
pub(super) fn bytes(doing: &'static str) -> ProgressBar {
    let template = "{msg} {wide_bar} {bytes} of {total_bytes} ({eta} left)";
    bar(ProgressBar::new(0), doing, template)
}

/// Whole events a second.
fn rate(state: &ProgressState, out: &mut dyn std::fmt::Write) {
    // A bar without its rate is shown all the same.
    let _shown = write!(out, "{:.0}/s", state.per_sec());
}

fn bar(bar: ProgressBar, doing: &'static str, template: &str) -> ProgressBar {
    // A template that does not parse leaves the library's own.
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.with_key("rate", rate));
    }
    bar.set_message(doing);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
