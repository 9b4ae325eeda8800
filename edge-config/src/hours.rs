//! The hours of the day in which the link may be used, in China's time.

use std::str::FromStr;

const MINUTES_A_DAY: u32 = 24 * 60;
/// China Standard Time is UTC+8 all year round.
const OFFSET_MIN: u64 = 8 * 60;

/// From one time of day to another, past midnight where the second is the earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours {
    from_min: u32,
    to_min: u32,
}

/// Not a span of hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a span of hours")]
pub struct HoursError;

impl Hours {
    /// How long until the link may be used, in ms. None: now. `wall_ms` is the wall clock.
    pub fn wait_ms(self, wall_ms: u64) -> Option<u64> {
        let minutes = (wall_ms / 60_000 + OFFSET_MIN) % u64::from(MINUTES_A_DAY);
        let now = u32::try_from(minutes).unwrap_or(0);
        let since = |from: u32| (now + MINUTES_A_DAY - from) % MINUTES_A_DAY;
        let length = (self.to_min + MINUTES_A_DAY - self.from_min) % MINUTES_A_DAY;
        if length == 0 || since(self.from_min) < length {
            return None;
        }
        let left_min = MINUTES_A_DAY - since(self.from_min);
        Some(u64::from(left_min) * 60_000 - wall_ms % 60_000)
    }
}

impl FromStr for Hours {
    type Err = HoursError;

    fn from_str(text: &str) -> Result<Self, HoursError> {
        let (from, to) = text.split_once('-').ok_or(HoursError)?;
        Ok(Self {
            from_min: minute(from)?,
            to_min: minute(to)? % MINUTES_A_DAY,
        })
    }
}

fn minute(text: &str) -> Result<u32, HoursError> {
    let (hour, minute) = text.split_once(':').ok_or(HoursError)?;
    let number = |digits: &str, most: u32| -> Result<u32, HoursError> {
        let fits = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_digit());
        let number = digits
            .parse::<u32>()
            .ok()
            .filter(|number| fits && *number <= most);
        number.ok_or(HoursError)
    };
    let minutes = number(hour, 24)? * 60 + number(minute, 59)?;
    (minutes <= MINUTES_A_DAY)
        .then_some(minutes)
        .ok_or(HoursError)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    /// V1: a vehicle sends at night only; 22:00 in China is 14:00 UTC.
    #[test]
    fn the_link_is_used_in_its_hours() {
        let night: Hours = "22:00-06:00".parse().unwrap();
        let at = |hour: u64, minute: u64| (hour * 60 + minute) * 60_000;
        assert_eq!(night.wait_ms(at(14, 0)), None);
        assert_eq!(night.wait_ms(at(21, 59)), None);
        assert_eq!(night.wait_ms(at(22, 0)), Some(16 * 3_600_000));
        assert_eq!(night.wait_ms(at(13, 59) + 30_000), Some(30_000));
        let always: Hours = "00:00-24:00".parse().unwrap();
        assert_eq!(always.wait_ms(at(3, 0)), None);
    }

    /// V1: what is no span of hours is refused.
    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "22",
            "22:00",
            "2:00-06:00",
            "25:00-26:00",
            "22:60-23:00",
            "24:30-01:00",
        ] {
            assert_eq!(text.parse::<Hours>(), Err(HoursError), "{text}");
        }
    }
}
