//! The camera's clock, and the times that it shows and takes.

use std::time::{SystemTime, UNIX_EPOCH};

use schemas::time::rfc3339;

/// How far a token's time may be from the camera's, in s.
const WINDOW_S: u64 = 5;
/// `YYYY-MM-DDThh:mm:ss`.
const SECONDS_LEN: usize = 19;

/// The time, in ms since 1970-01-01 UTC.
pub(super) fn wall_ms() -> u64 {
    let since_1970 = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
}

/// `at_ms` as a whole number of seconds in the form of ISO 8601, without its zone.
pub(super) fn seconds_of(at_ms: u64) -> String {
    let mut text = rfc3339(at_ms);
    text.truncate(SECONDS_LEN);
    text
}

/// Whether `created` (ISO 8601, UTC) is near the camera's time.
pub(super) fn is_near(created: &str, camera_ms: u64) -> bool {
    let Some((seconds, rest)) = created.split_at_checked(SECONDS_LEN) else {
        return false;
    };
    let earliest = camera_ms.saturating_sub(WINDOW_S * 1_000);
    let near = (0..=2 * WINDOW_S).map(|s| seconds_of(earliest.saturating_add(s * 1_000)));
    let is_utc = ["Z", "+00:00"].iter().any(|zone| rest.ends_with(zone));
    is_utc && near.into_iter().any(|one| one == seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// G1: a token is taken within five seconds of the camera's clock.
    #[test]
    fn g1_tokens_are_taken_within_five_seconds() {
        let at = 1_795_305_599_999; // 2026-11-21T23:59:59.999Z
        for (created, near) in [
            ("2026-11-21T23:59:59Z", true),
            ("2026-11-22T00:00:04.5Z", true),
            ("2026-11-22T00:00:05Z", false),
            ("2026-11-21T23:59:54Z", true),
            ("2026-11-21T23:59:53Z", false),
            ("2026-11-21T22:59:59Z", false),
            ("2026-11-21T23:59:59+00:00", true),
            ("2026-11-21T23:59:59+08:00", false),
            ("2026-11-21T23:59:59", false),
            ("", false),
        ] {
            assert_eq!(is_near(created, at), near, "{created}");
        }
    }
}
