//! The only place that reads clocks.
//!
//! An instant is wall time, the machine's boot and the time since it, and whether the wall time can be believed; the
//! four are taken together and never corrected afterwards. Rules of the domain get an instant as an argument.
//!
//! Trust under the rule `auto`: the wall clock is believed while the system's time service says that it is
//! synchronised. systemd-timesyncd says so with the file `/run/systemd/timesync/synchronized`. The kernel's own word
//! (`adjtimex`) has no safe interface in the libraries used here; a station whose clock is kept by chrony, PTP or a
//! receiver has its unit make that file, or is configured `always`.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{SystemTime, UNIX_EPOCH};

use edge_config::ClockTrustRule;
use rustix::time::{ClockId, clock_gettime};
use schemas::ids::BootId;
use schemas::time::{ClockTrust, Now};

const SYNCHRONISED: &str = "/run/systemd/timesync/synchronized";
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
/// How long the system's word about its synchronisation is taken for current, in ms.
const TRUST_AGE_MS_MAX: u64 = 10_000;

/// The wall clock stepped when it moved against the time since boot by more than this between two readings, in ms. A time
/// service that slews stays far below it.
const STEP_MS_MIN: u64 = 30_000;

/// The machine's clocks.
#[derive(Debug)]
pub struct Clock {
    boot: BootId,
    rule: ClockTrustRule,
    synchronised: PathBuf,
    /// When the system was last asked, in ms since boot, and what it said.
    asked: Mutex<Option<(u64, ClockTrust)>>,
    /// Wall time at boot by the last reading, in ms, and how often that changed by a step.
    steps: Mutex<(Option<i64>, u64)>,
}

/// The machine does not say which boot this is.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the boot id of this machine from {BOOT_ID}")]
pub struct NoBootId(#[source] Option<std::io::Error>);

impl Clock {
    /// The clocks of this boot of the machine.
    pub fn new(rule: ClockTrustRule) -> Result<Self, NoBootId> {
        let text = std::fs::read_to_string(BOOT_ID).map_err(|error| NoBootId(Some(error)))?;
        let boot = BootId::new(text.trim()).map_err(|_malformed| NoBootId(None))?;
        Ok(Self {
            boot,
            rule,
            synchronised: SYNCHRONISED.into(),
            asked: Mutex::new(None),
            steps: Mutex::default(),
        })
    }

    /// This instant.
    pub fn now(&self) -> Now {
        let (wall_ms, mono_ms) = (wall_ms(), since_boot_ms());
        self.follow(wall_ms, mono_ms);
        Now {
            wall_ms,
            boot: self.boot.clone(),
            mono_ms,
            trust: self.trust(mono_ms),
        }
    }

    /// How often the wall clock was seen to step, forward or back, in this life. Nothing follows from it for the order of events,
    /// which is their index; it is told so that somebody looks why.
    pub fn steps(&self) -> u64 {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner).1
    }

    /// Compares the wall clock with that of the log's last event, once at start. Within one boot of the machine the rule is that of two
    /// readings. Over a boot nobody knows how much time passed, so only a clock that went back is noticed.
    pub fn go_on_from(&self, last: &Now) {
        let now = self.now();
        let stepped = if last.boot == now.boot {
            at_boot(last.wall_ms, last.mono_ms)
                .zip(at_boot(now.wall_ms, now.mono_ms))
                .is_some_and(|(before, after)| before.abs_diff(after) >= STEP_MS_MIN)
        } else {
            last.wall_ms.saturating_sub(now.wall_ms) >= STEP_MS_MIN
        };
        if stepped {
            let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
            steps.1 += 1;
        }
    }

    fn follow(&self, wall_ms: u64, mono_ms: u64) {
        let Some(at_boot) = at_boot(wall_ms, mono_ms) else {
            return;
        };
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        let (before, count) = &mut *steps;
        if before.is_some_and(|before| before.abs_diff(at_boot) >= STEP_MS_MIN) {
            *count += 1;
        }
        *before = Some(at_boot);
    }

    fn trust(&self, mono_ms: u64) -> ClockTrust {
        match self.rule {
            ClockTrustRule::Always => ClockTrust::Synchronised,
            ClockTrustRule::Never => ClockTrust::Unsynchronised,
            ClockTrustRule::Auto => {
                let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
                match *asked {
                    Some((at, trust)) if mono_ms.saturating_sub(at) < TRUST_AGE_MS_MAX => trust,
                    Some(_) | None => {
                        let trust = says_synchronised(&self.synchronised);
                        *asked = Some((mono_ms, trust));
                        trust
                    }
                }
            }
        }
    }
}

/// What the wall clock showed when the machine started, in ms, if it never stepped.
fn at_boot(wall_ms: u64, mono_ms: u64) -> Option<i64> {
    let (wall, mono) = (i64::try_from(wall_ms).ok()?, i64::try_from(mono_ms).ok()?);
    Some(wall.saturating_sub(mono))
}

fn says_synchronised(file: &Path) -> ClockTrust {
    if file.exists() {
        ClockTrust::Synchronised
    } else {
        ClockTrust::Unsynchronised
    }
}

/// 0 before 1970. Through the C library, unlike the other one, so that another wall clock can be put before the process.
fn wall_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let ms = since.map_or(0, |since| since.as_millis());
    u64::try_from(ms).unwrap_or(u64::MAX)
}

/// Suspension included.
fn since_boot_ms() -> u64 {
    let time = clock_gettime(ClockId::Boottime);
    let s = u64::try_from(time.tv_sec).unwrap_or(0);
    let ns = u64::try_from(time.tv_nsec).unwrap_or(0);
    s.saturating_mul(1_000).saturating_add(ns / 1_000_000)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    #[test]
    fn instants_go_on_within_one_boot() {
        let clock = Clock::new(ClockTrustRule::Never).unwrap();
        let (first, second) = (clock.now(), clock.now());
        assert_eq!(first.boot, second.boot);
        assert!(first.mono_ms <= second.mono_ms);
        assert!(first.wall_ms > 1_700_000_000_000);
    }

    /// evidence.md 4: a clock that jumps by years is noticed, each time; one that is slewed is not.
    #[test]
    fn a_step_is_noticed_and_slewing_is_not() {
        let clock = Clock::new(ClockTrustRule::Never).unwrap();
        let year_ms = 365 * 86_400_000;
        for (wall_ms, mono_ms, steps) in [
            (40 * year_ms, 1_000, 0),
            (40 * year_ms + 1_400, 2_000, 0),
            (50 * year_ms, 3_000, 1),
            (50 * year_ms + 1_000, 4_000, 1),
            (0, 5_000, 2),
            (40 * year_ms, 6_000, 3),
        ] {
            clock.follow(wall_ms, mono_ms);
            assert_eq!(clock.steps(), steps, "at {mono_ms}");
        }
    }

    /// evidence.md 4: a clock that was set while the station was stopped is noticed at its start.
    #[test]
    fn a_step_before_the_start_is_noticed() {
        let (day_ms, elsewhere) = (86_400_000, "0190b7a2-1f00-7000-8000-000000000001");
        let other_boot = BootId::new(elsewhere).unwrap();
        // How far the last event's wall clock is ahead of the one now, whether in the same boot, and whether that is a step.
        for (ahead_ms, same_boot, steps) in [
            (0, true, 0),
            (20_000, true, 0),
            (day_ms, true, 1),
            (-day_ms, true, 1),
            (20_000, false, 0),
            (day_ms, false, 1),
            // The station may have been off for a day.
            (-day_ms, false, 0),
        ] {
            let clock = Clock::new(ClockTrustRule::Never).unwrap();
            let mut last = clock.now();
            last.wall_ms = last.wall_ms.checked_add_signed(ahead_ms).unwrap();
            if !same_boot {
                last.boot = other_boot.clone();
            }
            clock.go_on_from(&last);
            assert_eq!(clock.steps(), steps, "{ahead_ms} ms, {same_boot}");
        }
    }

    #[test]
    fn trust_is_as_the_rule_says() {
        let place = tempfile::tempdir().unwrap();
        let mut clock = Clock::new(ClockTrustRule::Auto).unwrap();
        clock.synchronised = place.path().join("synchronized");
        assert_eq!(clock.now().trust, ClockTrust::Unsynchronised);
        std::fs::write(&clock.synchronised, "").unwrap();
        clock.asked = Mutex::new(None);
        assert_eq!(clock.now().trust, ClockTrust::Synchronised);
        assert_eq!(
            Clock::new(ClockTrustRule::Always).unwrap().now().trust,
            ClockTrust::Synchronised
        );
        assert_eq!(
            Clock::new(ClockTrustRule::Never).unwrap().now().trust,
            ClockTrust::Unsynchronised
        );
    }
}
