//! An instant together with the text that the mock writes for it.
//!
//! This is not a time library: it writes the forms that the API was seen to write, and keeps the
//! instant of each text, so that a test can compare. The text is never more precise than the
//! instant: digits that are not written are dropped from the instant too.

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

/// An instant and its text in an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// The instant that the text means.
    pub instant: Instant,
    /// The text, in any of the forms that the API writes.
    pub text: String,
}

impl Moment {
    /// Writes an instant with `digits` digits of a second (at most nine), `offset_minutes` east of
    /// UTC.
    pub fn date_time(seconds: i64, nanoseconds: u32, digits: u32, offset_minutes: i32) -> Moment {
        let digits = digits.min(9);
        let unit = 10_u32.pow(9 - digits);
        let nanoseconds = nanoseconds / unit * unit;
        let mut text = String::with_capacity(36);
        let local = seconds + i64::from(offset_minutes) * 60;
        push_day(&mut text, local);
        text.push('T');
        let second = local.rem_euclid(DAY);
        push_number(&mut text, second / 3_600, 2);
        text.push(':');
        push_number(&mut text, second / 60 % 60, 2);
        text.push(':');
        push_number(&mut text, second % 60, 2);
        if digits > 0 {
            text.push('.');
            push_number(&mut text, i64::from(nanoseconds / unit), digits);
        }
        if offset_minutes == 0 {
            text.push('Z');
        } else {
            text.push(if offset_minutes < 0 { '-' } else { '+' });
            let minutes = i64::from(offset_minutes.abs());
            push_number(&mut text, minutes / 60, 2);
            text.push(':');
            push_number(&mut text, minutes % 60, 2);
        }
        Moment { instant: Instant { seconds, nanoseconds }, text }
    }

    /// Writes the day of an instant, `yyyy-mm-dd`; it means the beginning of that day in UTC.
    pub fn date(seconds: i64) -> Moment {
        let mut text = String::with_capacity(10);
        push_day(&mut text, seconds);
        Moment {
            instant: Instant { seconds: seconds - seconds.rem_euclid(DAY), nanoseconds: 0 },
            text,
        }
    }

    /// Picks a random form. With `published_only` it is a form of the published API file: no bare
    /// dates.
    pub(super) fn in_some_form(
        seconds: i64,
        random: &mut impl Rng,
        published_only: bool,
    ) -> Moment {
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

const DAY: i64 = 86_400;

/// Writes the day of the Gregorian calendar. It is written by hand, because a sweep over an
/// organization writes it some 100,000 times. The era is the cycle of 400 years, and years begin in
/// March, so that the leap day comes last.
fn push_day(text: &mut String, seconds: i64) {
    const ERA: i64 = 146_097;
    let since_march_of_year_0 = seconds.div_euclid(DAY) + 719_468;
    let era = since_march_of_year_0.div_euclid(ERA);
    let day_of_era = since_march_of_year_0.rem_euclid(ERA);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    push_number(text, era * 400 + year_of_era + i64::from(month <= 2), 4);
    text.push('-');
    push_number(text, month, 2);
    text.push('-');
    push_number(text, day, 2);
}

/// Writes the last digits of a number.
fn push_number(text: &mut String, number: i64, digits: u32) {
    for place in (0..digits).rev() {
        let digit = number / 10_i64.pow(place) % 10;
        text.push(char::from(b'0' + u8::try_from(digit).unwrap_or_default()));
    }
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
    fn every_text_means_its_instant() {
        for step in -20_000..20_000 {
            let seconds = step * 609_911;
            let written = Moment::date_time(seconds, 0, 0, 345);
            let read: jiff::Timestamp = written.text.parse().unwrap();
            assert_eq!(read.as_second(), seconds, "{}", written.text);
        }
    }

    #[test]
    fn the_instant_holds_no_more_than_the_text() {
        assert_eq!(Moment::date_time(SECONDS, 123_456_789, 3, 0).instant.nanoseconds, 123_000_000);
        assert_eq!(Moment::date_time(SECONDS, 123_456_789, 0, 0).instant.nanoseconds, 0);
        assert_eq!(Moment::date(SECONDS).instant.seconds, SECONDS - 12 * 3_600);
    }
}
