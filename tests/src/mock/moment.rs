//! A point in time together with the text that the mock gives for it.
//!
//! This is not a time library: it writes the forms that the API was seen to write, and keeps the instant that each text
//! means, so that a test can compare. The text never says more than the instant holds: digits that are not written are
//! dropped from the instant too.

use jiff::{Timestamp, tz::Offset};
use rand::{Rng, RngExt};
use serde::{Serialize, Serializer};

/// A point in time in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub seconds: i64,
    /// Nanoseconds of that second, below 1,000,000,000.
    pub nanoseconds: u32,
}

/// An instant and the text that stands for it in an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// The instant that the text means.
    pub instant: Instant,
    /// The text, in any of the forms that the API writes.
    pub text: String,
}

impl Moment {
    /// Writes an instant with `digits` digits of a second (at most nine), `offset_minutes` east of UTC.
    pub fn date_time(seconds: i64, nanoseconds: u32, digits: u32, offset_minutes: i32) -> Moment {
        let digits = digits.min(9);
        let unit = 10_u32.pow(9 - digits);
        let nanoseconds = nanoseconds / unit * unit;
        let local = civil(seconds, offset_minutes);
        let mut text = local.strftime("%Y-%m-%dT%H:%M:%S").to_string();
        if digits > 0 {
            let fraction = format!("{nanoseconds:09}");
            text.push('.');
            text.extend(fraction.chars().take(digits as usize));
        }
        if offset_minutes == 0 {
            text.push('Z');
        } else {
            let sign = if offset_minutes < 0 { '-' } else { '+' };
            let minutes = offset_minutes.abs();
            text.push_str(&format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60));
        }
        Moment { instant: Instant { seconds, nanoseconds }, text }
    }

    /// Writes the day of an instant, `yyyy-mm-dd`; it means the beginning of that day in UTC.
    pub fn date(seconds: i64) -> Moment {
        let text = civil(seconds, 0).strftime("%Y-%m-%d").to_string();
        Moment { instant: Instant { seconds: seconds - seconds.rem_euclid(86_400), nanoseconds: 0 }, text }
    }

    /// Picks a form by chance. With `published_only` the forms are those of the published API file: no bare dates.
    pub(super) fn in_some_form(seconds: i64, random: &mut impl Rng, published_only: bool) -> Moment {
        let nanoseconds = random.random_range(0..1_000_000_000);
        match random.random_range(0..16) {
            0..=4 => Moment::date_time(seconds, nanoseconds, 3, 0),
            5..=7 => Moment::date_time(seconds, nanoseconds, 0, 0),
            8 => Moment::date_time(seconds, nanoseconds, 9, 0),
            9 | 10 => Moment::date_time(seconds, nanoseconds, random.random_range(1..=9), 0),
            11 => Moment::date_time(seconds, nanoseconds, 6, 120),
            12 => Moment::date_time(seconds, nanoseconds, 0, -570),
            13 => Moment::date_time(seconds, nanoseconds, 3, 345),
            _ if published_only => Moment::date_time(seconds, nanoseconds, 6, 0),
            _ => Moment::date(seconds),
        }
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

/// The clock of a wall `offset_minutes` east of Greenwich. What no calendar holds becomes its beginning.
fn civil(seconds: i64, offset_minutes: i32) -> jiff::civil::DateTime {
    let offset = Offset::from_seconds(offset_minutes * 60).unwrap_or(Offset::UTC);
    offset.to_datetime(Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECONDS: i64 = 1_763_640_000; // 2025-11-20T12:00:00Z

    #[test]
    fn every_form_is_written_as_the_api_writes_it() {
        for (moment, text) in [
            (Moment::date_time(SECONDS, 123_456_789, 0, 0), "2025-11-20T12:00:00Z"),
            (Moment::date_time(SECONDS, 123_456_789, 3, 0), "2025-11-20T12:00:00.123Z"),
            (Moment::date_time(SECONDS, 1, 9, 0), "2025-11-20T12:00:00.000000001Z"),
            (Moment::date_time(SECONDS, 0, 0, 345), "2025-11-20T17:45:00+05:45"),
            (Moment::date_time(SECONDS, 0, 0, -570), "2025-11-20T02:30:00-09:30"),
            (Moment::date(SECONDS), "2025-11-20"),
        ] {
            assert_eq!(moment.text, text);
        }
    }

    #[test]
    fn the_instant_holds_no_more_than_the_text() {
        assert_eq!(Moment::date_time(SECONDS, 123_456_789, 3, 0).instant.nanoseconds, 123_000_000);
        assert_eq!(Moment::date_time(SECONDS, 123_456_789, 0, 0).instant.nanoseconds, 0);
        assert_eq!(Moment::date(SECONDS).instant.seconds, SECONDS - 12 * 3_600);
    }
}
