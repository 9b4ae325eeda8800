//! Whether a fuzzed part keeps what it is given: the most memory that the process ever held may not grow with what it has read.

/// More than the allocator's own ups and downs, and less than a second's inputs.
const GROWTH_KIB_MAX: u64 = 8 * 1_024;

/// The most memory until some point.
pub(crate) struct Peak {
    kib: u64,
}

impl Peak {
    /// Until now.
    pub(crate) fn now() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        let kib = kib.unwrap().trim().parse().unwrap();
        Self { kib }
    }

    /// It has hardly grown since. `count` inputs are named with it.
    pub(crate) fn has_held(&self, count: u64) {
        let grown = Self::now().kib.saturating_sub(self.kib);
        println!("{count} inputs, at most {grown} KiB more than after the first tenth");
        assert!(grown <= GROWTH_KIB_MAX, "{grown} KiB more");
    }
}
