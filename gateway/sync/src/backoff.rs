//! How long to wait before the next try: longer each time, and never in step with other stations.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(30);

/// Doubles from a quarter of a second to half a minute.
#[derive(Debug, Clone, Copy)]
pub struct Backoff(Duration);

impl Default for Backoff {
    fn default() -> Self {
        Self::new()
    }
}

impl Backoff {
    /// Nothing was tried yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(FIRST)
    }

    /// It worked.
    pub const fn reset(&mut self) {
        self.0 = FIRST;
    }

    /// How long to wait now. `chance` is random: half of the wait depends on it.
    pub fn next(&mut self, chance: u32) -> Duration {
        let whole = self.0;
        self.0 = (whole * 2).min(LONGEST);
        let half = whole / 2;
        half + half.mul_f64(f64::from(chance) / f64::from(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// G4: waits grow to half a minute and start small again; the random part is at most half.
    #[test]
    fn waits_grow_and_are_bounded() {
        let mut backoff = Backoff::new();
        assert_eq!(backoff.next(0), FIRST / 2);
        assert_eq!(backoff.next(u32::MAX), FIRST * 2);
        for _ in 0..20 {
            assert!(backoff.next(u32::MAX) <= LONGEST);
        }
        assert_eq!(backoff.next(0), LONGEST / 2);
        backoff.reset();
        assert_eq!(backoff.next(0), FIRST / 2);
    }
}
