//! Figures of this process in the names that Prometheus clients use, read from `/proc/self` when asked for.

use std::fmt::Write as _;

/// The figures in the text exposition format. What the system does not say is left out.
pub(crate) fn figures() -> String {
    let mut out = String::new();
    let mut gauge = |name: &str, help: &str, kind: &str, value: Option<f64>| {
        if let Some(value) = value {
            // Writing to a string cannot fail.
            write!(
                out,
                "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n"
            )
            .ok();
        }
    };
    let page = u64::try_from(rustix::param::page_size()).unwrap_or(4096);
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = |at: usize| {
        statm
            .split_whitespace()
            .nth(at)
            .and_then(|n| n.parse::<u64>().ok())
    };
    gauge(
        "process_resident_memory_bytes",
        "Resident memory",
        "gauge",
        pages(1).map(|n| float(n * page)),
    );
    gauge(
        "process_virtual_memory_bytes",
        "Virtual memory",
        "gauge",
        pages(0).map(|n| float(n * page)),
    );
    gauge(
        "process_cpu_seconds_total",
        "User and system CPU time",
        "counter",
        cpu_seconds(),
    );
    let open = std::fs::read_dir("/proc/self/fd")
        .ok()
        .map(|fds| float(u64::try_from(fds.count()).unwrap_or(0)));
    gauge("process_open_fds", "Open file descriptors", "gauge", open);
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let threads = status
        .lines()
        .find_map(|line| line.strip_prefix("Threads:"));
    gauge(
        "process_threads",
        "Threads",
        "gauge",
        threads.and_then(|n| n.trim().parse().ok()),
    );
    out
}

fn cpu_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the program's name in brackets, which may hold spaces.
    let (_, rest) = stat.rsplit_once(") ")?;
    let fields: Vec<_> = rest.split(' ').collect();
    let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(float(ticks) / float(rustix::param::clock_ticks_per_second()))
}

#[allow(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "figures for a graph, far below 2^53"
)]
fn float(n: u64) -> f64 {
    n as f64
}
