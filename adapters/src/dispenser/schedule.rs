//! What is asked of the device next, and when. Pure: time is an argument.
//!
//! A command goes before all else, but for a heartbeat without which the device might take its host for lost. Reads of all devices with
//! the same pause fall on the same instants: one wake-up of the process serves them all.

use std::time::{Duration, Instant};

/// Between two heartbeats of a host that is not supervised.
const UNSUPERVISED_S: u64 = 10;

/// What is asked of the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Job {
    /// To move as a command says.
    Write,
    /// To hear that its host lives.
    Heartbeat,
    /// To say how it stands.
    Read,
}

/// When each job is due.
#[derive(Debug)]
pub(super) struct Schedule {
    /// Between two heartbeats: a quarter of the time after which the device takes its host for lost.
    beat_every: Duration,
    /// When this connection's last heartbeat was written.
    beat: Option<Instant>,
    read_at: Instant,
    /// Reads are due at whole pauses after this.
    epoch: Instant,
    /// Something waits for the next read.
    is_asked: bool,
    /// After a failure nothing is due before this, unless something is asked.
    again_at: Option<Instant>,
}

impl Schedule {
    /// All is due at once. `host_timeout_s` is what the device is told; 0: it does not supervise its host. `epoch` is the same for all
    /// devices.
    pub(super) fn new(host_timeout_s: u16, epoch: Instant, now: Instant) -> Self {
        let beat_every = match u64::from(host_timeout_s) {
            0 => Duration::from_secs(UNSUPERVISED_S),
            timeout_s => Duration::from_secs(timeout_s) / 4,
        };
        Self {
            beat_every,
            beat: None,
            read_at: now,
            epoch,
            is_asked: false,
            again_at: None,
        }
    }

    /// Something came that only a read can answer: it is due at once.
    pub(super) const fn ask(&mut self) {
        self.is_asked = true;
    }

    /// The device has heard a heartbeat.
    pub(super) const fn beaten(&mut self, now: Instant) {
        self.beat = Some(now);
    }

    /// The device was read or written; the next read is due after about `pause`, at least the half of it.
    pub(super) fn done(&mut self, now: Instant, pause: Duration) {
        let whole = pause.as_nanos().max(1);
        let over = now.duration_since(self.epoch).as_nanos() % whole;
        let over = Duration::from_nanos(u64::try_from(over).unwrap_or(0));
        let left = pause.saturating_sub(over);
        let wait = if left < pause / 2 { left + pause } else { left };
        self.read_at = now + wait;
        self.is_asked = false;
        self.again_at = None;
    }

    /// A job failed; the next is due after about `pause`. Without its connection the device has to hear a heartbeat first.
    pub(super) fn failed(&mut self, now: Instant, pause: Duration, is_connected: bool) {
        self.done(now, pause);
        self.again_at = Some(self.read_at);
        if !is_connected {
            self.beat = None;
        }
    }

    /// What is due; `is_writable` when a command could be written on what is known. `Err`: nothing before this instant.
    pub(super) fn next(&self, now: Instant, is_writable: bool) -> Result<Job, Instant> {
        if let Some(again_at) = self.again_at
            && now < again_at
            && !self.is_asked
        {
            return Err(again_at);
        }
        let beat_after =
            |quarters: u32| self.beat.map_or(now, |at| at + self.beat_every * quarters);
        if is_writable && now < beat_after(2) {
            return Ok(Job::Write);
        }
        if now >= beat_after(1) {
            return Ok(Job::Heartbeat);
        }
        if self.is_asked || now >= self.read_at {
            return Ok(Job::Read);
        }
        Err(self.read_at.min(beat_after(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ_EVERY: Duration = Duration::from_millis(100);

    /// G1: a new connection hears a heartbeat before anything else; then it is read.
    #[test]
    fn g1_a_new_connection_is_greeted_first() {
        let now = Instant::now();
        let mut schedule = Schedule::new(10, now, now);
        assert_eq!(schedule.next(now, true), Ok(Job::Heartbeat));
        schedule.beaten(now);
        assert_eq!(schedule.next(now, false), Ok(Job::Read));
        schedule.done(now, READ_EVERY);
        assert_eq!(schedule.next(now, false), Err(now + READ_EVERY));
        schedule.failed(now, READ_EVERY, false);
        assert_eq!(schedule.next(now + READ_EVERY, true), Ok(Job::Heartbeat));
    }

    /// G1: a heartbeat is due after a quarter of the host's timeout. A command goes before it, until half of the timeout is over.
    #[test]
    fn g1_a_command_waits_for_no_heartbeat_but_the_one_that_is_needed() {
        let start = Instant::now();
        let mut schedule = Schedule::new(10, start, start);
        schedule.beaten(start);
        schedule.done(start, Duration::from_mins(1));
        let at = |ms, is_writable| schedule.next(start + Duration::from_millis(ms), is_writable);
        assert_eq!(at(0, true), Ok(Job::Write));
        assert_eq!(at(2_499, false), Err(start + Duration::from_millis(2_500)));
        assert_eq!(at(2_500, false), Ok(Job::Heartbeat));
        assert_eq!(at(4_999, true), Ok(Job::Write));
        assert_eq!(at(5_000, true), Ok(Job::Heartbeat));
    }

    /// G1: reads fall on whole pauses after the epoch, and never follow one another at once.
    #[test]
    fn g1_reads_of_all_devices_fall_on_the_same_instants() {
        let epoch = Instant::now();
        for (now_ms, due_ms) in [
            (0, 100),
            (1, 100),
            (50, 100),
            (51, 200),
            (99, 200),
            (130, 200),
        ] {
            let now = epoch + Duration::from_millis(now_ms);
            let mut schedule = Schedule::new(10, epoch, now);
            schedule.beaten(now);
            schedule.done(now, READ_EVERY);
            let due = epoch + Duration::from_millis(due_ms);
            assert_eq!(schedule.next(now, false), Err(due), "at {now_ms}");
        }
    }

    /// G1: after a failure nothing is tried without pause, but what is asked is tried once.
    #[test]
    fn g1_a_failure_is_followed_by_a_pause() {
        let now = Instant::now();
        let mut schedule = Schedule::new(0, now, now);
        schedule.beaten(now);
        schedule.failed(now, READ_EVERY, true);
        assert_eq!(schedule.next(now, true), Err(now + READ_EVERY));
        schedule.ask();
        assert_eq!(schedule.next(now, false), Ok(Job::Read));
        schedule.failed(now, READ_EVERY, true);
        assert_eq!(schedule.next(now, false), Err(now + READ_EVERY));
        assert_eq!(schedule.next(now + READ_EVERY, false), Ok(Job::Read));
    }
}
