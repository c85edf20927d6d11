//! Instants as text: in RFC 3339, and in words for people.
//!
//! Pure arithmetic on the contract's [`Instant`]: it reads no clock and knows no time zone;
//! everything is UTC. RFC 3339 has years of four digits. An instant outside them, or with a billion
//! nanoseconds, cannot be meant by a service: it is treated as unknown, and [`is_writable`] is for
//! callers that refuse it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::contract::Instant;

/// 0000-01-01T00:00:00Z.
const FIRST: i64 = -62_167_219_200;
/// 9999-12-31T23:59:59Z.
const LAST: i64 = 253_402_300_799;
const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
/// Seconds of a day.
pub const DAY: i64 = 24 * HOUR;

/// An instant in RFC 3339, held without an allocation.
#[derive(Clone, Copy, Debug)]
pub struct Rfc3339 {
    // `9999-12-31T23:59:59.999999999Z` is the longest.
    bytes: [u8; 30],
    length: usize,
}

impl Rfc3339 {
    /// The text, for example `2026-01-02T03:04:05.25Z`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.bytes
            .get(..self.length)
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
            .unwrap_or_default()
    }

    /// The date alone, for example `2026-01-02`.
    #[must_use]
    pub fn date(&self) -> &str {
        self.as_str().get(..10).unwrap_or_default()
    }
}

/// Whether the instant can be written: its year has four digits and its nanoseconds are less than a
/// second.
#[must_use]
pub fn is_writable(instant: &Instant) -> bool {
    (FIRST..=LAST).contains(&instant.seconds) && instant.nanoseconds < 1_000_000_000
}

/// The instant in RFC 3339 and UTC, with a fraction only if there is one, and without its trailing
/// zeros. `None` if it is not [writable](is_writable).
#[must_use]
pub fn rfc3339(instant: &Instant) -> Option<Rfc3339> {
    if !is_writable(instant) {
        return None;
    }
    let second_of_day = instant.seconds.rem_euclid(DAY);
    let (year, month, day) = civil(instant.seconds.div_euclid(DAY));
    let (hour, minute, second) =
        (second_of_day / HOUR, second_of_day / MINUTE % 60, second_of_day % 60);
    let two = |number: i64| {
        // Below a hundred, whichever part it is.
        let number = u8::try_from(number).unwrap_or_default();
        [b'0' + number / 10, b'0' + number % 10]
    };
    let ([y1, y2], [y3, y4]) = (two(year / 100), two(year % 100));
    let ([m1, m2], [d1, d2]) = (two(month), two(day));
    let ([h1, h2], [n1, n2], [s1, s2]) = (two(hour), two(minute), two(second));
    let mut bytes = [b'0'; 30];
    let (whole, fraction) = bytes.split_at_mut(20);
    whole.copy_from_slice(&[
        y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', n1, n2, b':', s1, s2, b'Z',
    ]);
    let mut length = 20;
    if instant.nanoseconds > 0 {
        let mut rest = instant.nanoseconds;
        for digit in fraction.iter_mut().take(9).rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        let zeros = fraction.iter().take(9).rev().take_while(|&&byte| byte == b'0').count();
        length = 30 - zeros;
        if let Some(point) = whole.last_mut() {
            *point = b'.';
        }
        if let Some(last) = bytes.get_mut(length - 1) {
            *last = b'Z';
        }
    }
    Some(Rfc3339 { bytes, length })
}

/// The time between `then` and `now`, in words. `None` if `then` is not [writable](is_writable).
///
/// It is rounded down to whole units. If `then` is less than an hour after `now`, the clocks are
/// taken to disagree; beyond that, the date is given.
#[must_use]
pub fn ago(then: &Instant, now: &Instant) -> Option<String> {
    let written = rfc3339(then)?;
    let elapsed = now.seconds.saturating_sub(then.seconds);
    let units = |number: i64, unit: &str| {
        format!("{number} {unit}{} ago", if number == 1 { "" } else { "s" })
    };
    let days = elapsed / DAY;
    Some(match elapsed {
        _ if elapsed < -HOUR => written.date().to_owned(),
        ..MINUTE => "just now".to_owned(),
        MINUTE..HOUR => units(elapsed / MINUTE, "minute"),
        HOUR..DAY => units(elapsed / HOUR, "hour"),
        _ if days < 31 => units(days, "day"),
        // Months and years of average length: days do not matter at that distance.
        _ if days < 365 => units((days * 12 / 365).max(1), "month"),
        _ => units((days * 400 / 146_097).max(1), "year"),
    })
}

/// Whether `then` is at most this many days before `now`, or after it.
#[must_use]
pub fn is_within_days(then: &Instant, now: &Instant, days: i64) -> bool {
    is_writable(then) && then.seconds >= now.seconds.saturating_sub(days.saturating_mul(DAY))
}

/// The system's time as an instant of the contract.
#[must_use]
pub fn from_system(time: SystemTime) -> Instant {
    let (distance, is_before) = match time.duration_since(UNIX_EPOCH) {
        Ok(since) => (since, false),
        Err(before) => (before.duration(), true),
    };
    let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    match (is_before, distance.subsec_nanos()) {
        (false, nanoseconds) => Instant { seconds: seconds(distance), nanoseconds },
        (true, 0) => Instant { seconds: -seconds(distance), nanoseconds: 0 },
        (true, nanoseconds) => {
            Instant { seconds: -seconds(distance) - 1, nanoseconds: 1_000_000_000 - nanoseconds }
        }
    }
}

/// Year, month and day of a day counted from 1970-01-01, in the proleptic Gregorian calendar.
fn civil(days: i64) -> (i64, i64, i64) {
    // Counted from 0000-03-01, so that the leap day ends its year; 146,097 days are 400 years.
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // March is 0; five months have 153 days from March on, and again from August on.
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn instants_are_written_as_rfc_3339() {
        for (seconds, nanoseconds, expected) in [
            (0, 0, "1970-01-01T00:00:00Z"),
            (-1, 0, "1969-12-31T23:59:59Z"),
            (-1, 500_000_000, "1969-12-31T23:59:59.5Z"),
            (1_767_323_045, 0, "2026-01-02T03:04:05Z"),
            (1_767_323_045, 250_000_000, "2026-01-02T03:04:05.25Z"),
            (1_767_323_045, 1, "2026-01-02T03:04:05.000000001Z"),
            (1_767_323_045, 999_999_999, "2026-01-02T03:04:05.999999999Z"),
            (951_782_400, 0, "2000-02-29T00:00:00Z"),
            (1_709_164_800, 0, "2024-02-29T00:00:00Z"),
            (1_709_251_200, 0, "2024-03-01T00:00:00Z"),
            (4_107_542_400, 0, "2100-03-01T00:00:00Z"),
            (4_107_542_399, 0, "2100-02-28T23:59:59Z"),
            (FIRST, 0, "0000-01-01T00:00:00Z"),
            (LAST, 999_999_999, "9999-12-31T23:59:59.999999999Z"),
        ] {
            assert_eq!(rfc3339(&Instant { seconds, nanoseconds }).unwrap().as_str(), expected);
        }
    }

    #[test]
    fn what_rfc_3339_cannot_write_is_not_written() {
        for (seconds, nanoseconds) in
            [(FIRST - 1, 0), (LAST + 1, 0), (i64::MIN, 0), (i64::MAX, u32::MAX), (0, 1_000_000_000)]
        {
            let instant = Instant { seconds, nanoseconds };
            assert!(!is_writable(&instant));
            assert!(rfc3339(&instant).is_none());
            assert!(ago(&instant, &at(0)).is_none());
        }
    }

    #[test]
    fn distances_are_told_as_people_tell_them() {
        let now = at(1_767_323_045);
        for (elapsed, expected) in [
            (0, "just now"),
            (59, "just now"),
            (60, "1 minute ago"),
            (3_599, "59 minutes ago"),
            (3_600, "1 hour ago"),
            (DAY - 1, "23 hours ago"),
            (DAY, "1 day ago"),
            (30 * DAY, "30 days ago"),
            (31 * DAY, "1 month ago"),
            (61 * DAY, "2 months ago"),
            (364 * DAY, "11 months ago"),
            (365 * DAY, "1 year ago"),
            (731 * DAY, "2 years ago"),
            (now.seconds - FIRST, "2026 years ago"),
            (-3_600, "just now"),
            (-DAY, "2026-01-03"),
        ] {
            assert_eq!(ago(&at(now.seconds - elapsed), &now).unwrap(), expected, "{elapsed}");
        }
    }

    #[test]
    fn a_window_of_days_includes_its_edge_and_what_is_ahead() {
        let now = at(100 * DAY);
        assert!(is_within_days(&at(70 * DAY), &now, 30));
        assert!(!is_within_days(&at(70 * DAY - 1), &now, 30));
        assert!(is_within_days(&at(101 * DAY), &now, 30));
        assert!(!is_within_days(&at(i64::MAX), &now, 30));
        assert!(is_within_days(&at(0), &at(i64::MIN), i64::MAX));
    }

    #[test]
    fn the_system_time_is_converted_on_both_sides_of_1970() {
        let half = Duration::from_millis(500);
        assert_eq!(
            from_system(UNIX_EPOCH + half),
            Instant { seconds: 0, nanoseconds: 500_000_000 }
        );
        assert_eq!(
            from_system(UNIX_EPOCH - half),
            Instant { seconds: -1, nanoseconds: 500_000_000 }
        );
        assert_eq!(from_system(UNIX_EPOCH - 2 * half), Instant { seconds: -1, nanoseconds: 0 });
    }

    proptest! {
        #[test]
        fn another_library_reads_back_what_is_written(seconds in FIRST..LAST, nanoseconds in 0_u32..1_000_000_000) {
            let written = rfc3339(&Instant { seconds, nanoseconds }).unwrap();
            let read: jiff::Timestamp = written.as_str().parse().unwrap();
            prop_assert_eq!(read, jiff::Timestamp::new(seconds, 0).unwrap() + jiff::SignedDuration::from_nanos(i64::from(nanoseconds)));
        }

        #[test]
        fn no_instant_is_too_strange(seconds: i64, nanoseconds: u32, now: i64) {
            let then = Instant { seconds, nanoseconds };
            let _ = (rfc3339(&then), is_within_days(&then, &at(now), 30));
            prop_assert_eq!(ago(&then, &at(now)).is_some(), is_writable(&then));
        }
    }

    fn at(seconds: i64) -> Instant {
        Instant { seconds, nanoseconds: 0 }
    }
}
