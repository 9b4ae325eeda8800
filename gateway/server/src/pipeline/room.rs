//! The room on the disk: the rules hear when it falls below the watermark, the figures when that will be.

use std::time::Duration;

use gateway_core::Input;
use gateway_log::RoomLevel;
use schemas::time::ClockTrust;

use super::{InFlight, Pipeline, PipelineError};
use crate::budget::Look;

/// How often the room is looked at when nothing happens, in s; oftener while it is low.
const ROOM_LOOK_S: u64 = 10;
const ROOM_LOOK_LOW_S: u64 = 5;
/// How often at the most while events are written, and after how many bytes at the latest.
const ROOM_LOOK_BUSY: Duration = Duration::from_secs(1);
const ROOM_LOOK_BYTES: u64 = 1 << 20;

impl Pipeline {
    /// Tells the rules when the room fell below the watermark or is well above it again.
    pub(super) fn look_at_room(&mut self, in_flight: &mut InFlight) -> Result<(), PipelineError> {
        self.unlooked_bytes = 0;
        let now = self.clock.now();
        let trusted = now.trust == ClockTrust::Synchronised;
        self.metrics.clock_trusted.set(i64::from(trusted));
        let new_steps = self
            .clock
            .steps()
            .saturating_sub(self.metrics.clock_steps.get());
        if new_steps > 0 {
            tracing::warn!(
                steps = new_steps,
                "the wall clock jumped by half a minute or more; see ops/docs/runbook/clock.md"
            );
        }
        self.metrics.clock_steps.inc_by(new_steps);
        let opened = &self.metrics.closed_epochs_opened;
        opened.inc_by(self.log.closed_epochs_opened().saturating_sub(opened.get()));
        let room = match self.log.room() {
            Ok(room) => room,
            Err(error) => {
                tracing::error!(%error, "the room on the disk cannot be asked for");
                return Ok(());
            }
        };
        self.metrics
            .room_bytes
            .set(i64::try_from(room.free_bytes).unwrap_or(i64::MAX));
        let look = Look {
            mono_ms: now.mono_ms,
            free_bytes: room.free_bytes,
        };
        let hours = self.budget.look(look, self.room_low_bytes);
        self.metrics.hours_until_refusal.set(hours);
        let well_above =
            room.free_bytes >= self.room_low_bytes.saturating_add(self.room_low_bytes / 16);
        let low = match room.level {
            RoomLevel::Low | RoomLevel::Critical => true,
            RoomLevel::Ample => self.room_low == Some(true) && !well_above,
        };
        self.metrics.room_low.set(i64::from(low));
        if self.room_low != Some(low) {
            self.room_low = Some(low);
            self.own(Input::Room { low }, in_flight)?;
        }
        Ok(())
    }

    /// While events are written the room is looked at every second, and at once when much was written.
    pub(super) fn room_look_after_group(
        &self,
        planned: tokio::time::Instant,
    ) -> tokio::time::Instant {
        let now = tokio::time::Instant::now();
        let much = ROOM_LOOK_BYTES.min(self.room_low_bytes / 32);
        let pause = if self.unlooked_bytes >= much {
            Duration::ZERO
        } else {
            ROOM_LOOK_BUSY
        };
        planned.min(now + pause)
    }

    pub(super) fn room_pause(&self) -> Duration {
        let low = self.room_low == Some(true);
        Duration::from_secs(if low { ROOM_LOOK_LOW_S } else { ROOM_LOOK_S })
    }
}
