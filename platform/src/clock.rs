//! Instants as the tables have them: milliseconds since 1970.

use std::time::{SystemTime, UNIX_EPOCH};

use smp_host::contract::Instant;

/// An hour.
pub const HOUR: i64 = 3_600_000;
/// A day.
pub const DAY: i64 = 24 * HOUR;

/// The present instant.
#[must_use]
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The instant in RFC 3339, in UTC.
#[must_use]
pub fn rfc3339(at: i64) -> Option<String> {
    jiff::Timestamp::from_millisecond(at).ok().map(|at| at.to_string())
}

/// A connector's instant.
#[must_use]
pub fn of(instant: &Instant) -> i64 {
    instant.seconds.saturating_mul(1000).saturating_add(i64::from(instant.nanoseconds / 1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_written_in_utc_and_kept_to_the_millisecond() {
        assert_eq!(rfc3339(1_767_225_600_250).as_deref(), Some("2026-01-01T00:00:00.25Z"));
        assert_eq!(rfc3339(i64::MAX), None);
        assert_eq!(of(&Instant { seconds: 2, nanoseconds: 999_999_999 }), 2_999);
        assert_eq!(of(&Instant { seconds: i64::MAX, nanoseconds: 0 }), i64::MAX);
    }
}
