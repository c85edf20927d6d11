//! Parses instants as services write them. It is written by hand, because a component has no clock
//! and no calendar.
//!
//! It accepts RFC 3339 with any offset and any number of fractional digits, of which nine count,
//! and a bare date, which is the start of its day in UTC. Date and time are separated by `T`, `t`
//! or a space; the offset is `Z`, `z`, `+hh:mm`, `+hhmm` or `+hh`. A time without an offset is not
//! an instant. Anything else is `None`: a date is never guessed, and not worth a failure.
//!
//! The `date` header of an answer has a form of its own, IMF-fixdate, which [`http_date`] reads. A
//! component has no clock: that header is the only "now" it has.

use crate::contract::Instant;

const SECONDS_PER_DAY: i64 = 86_400;

/// The months, as a header has them.
const MONTHS: &[u8] = b"JanFebMarAprMayJunJulAugSepOctNovDec";

/// The days of the week, from the one of 1970-01-01 on.
const DAYS: &[u8] = b"ThuFriSatSunMonTueWed";

/// Reads a date or a date and time.
pub fn parse(text: &str) -> Option<Instant> {
    let (date, rest) = text.as_bytes().split_first_chunk()?;
    let midnight = days(*date)? * SECONDS_PER_DAY;
    if rest.is_empty() {
        return Some(Instant { seconds: midnight, nanoseconds: 0 });
    }
    let ([b'T' | b't' | b' ', time @ ..], rest) = rest.split_first_chunk::<9>()? else {
        return None;
    };
    let second_of_day = second_of_day(*time)?;
    let (nanoseconds, rest) = fraction(rest)?;
    Some(Instant { seconds: midnight + second_of_day - offset(rest)?, nanoseconds })
}

/// Reads the date of an HTTP header, `Sun, 06 Nov 1994 08:49:37 GMT` and no other form, with the
/// day of the week that it has.
pub fn http_date(text: &str) -> Option<Instant> {
    let (beginning, rest) = text.as_bytes().split_first_chunk::<17>()?;
    let [w1, w2, w3, b',', b' ', d1, d2, b' ', m1, m2, m3, b' ', y1, y2, y3, y4, b' '] = *beginning
    else {
        return None;
    };
    let (time, rest) = rest.split_first_chunk::<8>()?;
    let (year, day) = (number(y1, y2)? * 100 + number(y3, y4)?, number(d1, d2)?);
    let month = place_in(MONTHS, [m1, m2, m3])? + 1;
    if rest != b" GMT" || !(1..=days_in(year, month)).contains(&day) {
        return None;
    }
    let days = days_since_epoch(year, month, day);
    let is_that_day = place_in(DAYS, [w1, w2, w3])? == days.rem_euclid(7);
    let seconds = days * SECONDS_PER_DAY + second_of_day(*time)?;
    is_that_day.then(|| from_unix_seconds(seconds))
}

/// The place of three letters among the names.
fn place_in(names: &[u8], name: [u8; 3]) -> Option<i64> {
    let place = names.chunks_exact(3).position(|known| known == name)?;
    i64::try_from(place).ok()
}

/// The instant this many seconds after 1970-01-01T00:00:00Z.
pub fn from_unix_seconds(seconds: i64) -> Instant {
    Instant { seconds, nanoseconds: 0 }
}

/// `yyyy-mm-dd`, as days since 1970-01-01.
fn days(date: [u8; 10]) -> Option<i64> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = date else {
        return None;
    };
    let (year, month, day) =
        (number(y1, y2)? * 100 + number(y3, y4)?, number(m1, m2)?, number(d1, d2)?);
    let exists = (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day);
    exists.then(|| days_since_epoch(year, month, day))
}

/// `hh:mm:ss`, as seconds of the day. The 60th second is the one after the 59th.
fn second_of_day(time: [u8; 8]) -> Option<i64> {
    let [h1, h2, b':', m1, m2, b':', s1, s2] = time else {
        return None;
    };
    let (hour, minute, second) = (number(h1, h2)?, number(m1, m2)?, number(s1, s2)?);
    let exists = hour <= 23 && minute <= 59 && second <= 60;
    exists.then_some(hour * 3_600 + minute * 60 + second)
}

/// Nothing, or a point and digits, as nanoseconds, and the rest; digits after the ninth are cut
/// off.
fn fraction(text: &[u8]) -> Option<(u32, &[u8])> {
    let [b'.', rest @ ..] = text else {
        return Some((0, text));
    };
    let (mut nanoseconds, mut weight, mut rest) = (0, 100_000_000, rest);
    while let [first @ b'0'..=b'9', others @ ..] = rest {
        nanoseconds += u32::from(first - b'0') * weight;
        weight /= 10;
        rest = others;
    }
    let has_digits = rest.len() + 1 < text.len();
    has_digits.then_some((nanoseconds, rest))
}

/// The distance from UTC, in seconds; east is positive.
fn offset(text: &[u8]) -> Option<i64> {
    let (sign, hours, minutes) = match *text {
        [b'Z' | b'z'] => return Some(0),
        [sign, h1, h2] => (sign, number(h1, h2)?, 0),
        [sign, h1, h2, m1, m2] | [sign, h1, h2, b':', m1, m2] => {
            (sign, number(h1, h2)?, number(m1, m2)?)
        }
        _ => return None,
    };
    let sign = match sign {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let exists = hours <= 23 && minutes <= 59;
    exists.then_some(sign * (hours * 3_600 + minutes * 60))
}

/// The number of two digits.
fn number(tens: u8, ones: u8) -> Option<i64> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| i64::from(byte - b'0'));
    Some(digit(tens)? * 10 + digit(ones)?)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days since 1970-01-01, counted in eras of 400 years that begin in March, so that a leap day is
/// the last of its year: Howard Hinnant's
/// [`days_from_civil`](https://howardhinnant.github.io/date_algorithms.html#days_from_civil).
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_form_of_a_point_in_time_is_read() {
        let rows = [
            ("1970-01-01T00:00:00Z", 0, 0),
            ("2026-11-20T10:15:30Z", 1_795_169_730, 0),
            ("2026-11-20T10:15:30.5Z", 1_795_169_730, 500_000_000),
            ("2026-11-20T10:15:30.123Z", 1_795_169_730, 123_000_000),
            ("2026-11-20T10:15:30.123456789Z", 1_795_169_730, 123_456_789),
            ("2026-11-20T10:15:30.1234567899999Z", 1_795_169_730, 123_456_789),
            ("2026-11-20t10:15:30z", 1_795_169_730, 0),
            ("2026-11-20 10:15:30Z", 1_795_169_730, 0),
            ("2026-11-20T15:45:30+05:30", 1_795_169_730, 0),
            ("2026-11-20T02:15:30-0800", 1_795_169_730, 0),
            ("2026-11-20T12:15:30.25+02", 1_795_169_730, 250_000_000),
            ("2026-11-20T10:15:30-00:00", 1_795_169_730, 0),
            ("2026-11-20", 1_795_132_800, 0),
            ("2016-12-31T23:59:60Z", 1_483_228_800, 0),
            ("2024-02-29T00:00:00Z", 1_709_164_800, 0),
            ("2000-02-29", 951_782_400, 0),
            ("1969-12-31T23:59:59.5Z", -1, 500_000_000),
            ("0000-01-01T00:00:00Z", -62_167_219_200, 0),
            ("9999-12-31T23:59:59Z", 253_402_300_799, 0),
        ];
        for (text, seconds, nanoseconds) in rows {
            assert_eq!(parse(text), Some(Instant { seconds, nanoseconds }), "{text}");
        }
    }

    #[test]
    fn what_is_no_point_in_time_is_unknown() {
        let rows = [
            "",
            "never",
            "0",
            "1795169730",
            "2026",
            "2026-11",
            "2026-11-2",
            "20261120",
            "26-11-20",
            "2026-00-10",
            "2026-13-10",
            "2026-11-00",
            "2026-11-31",
            "2026-02-29",
            "1900-02-29",
            "2026-11-20T",
            "2026-11-20T10:15Z",
            "2026-11-20T10:15:30",
            "2026-11-20T10:15:30.Z",
            "2026-11-20T24:00:00Z",
            "2026-11-20T10:60:00Z",
            "2026-11-20T10:15:61Z",
            "2026-11-20T10:15:30+24:00",
            "2026-11-20T10:15:30+05:60",
            "2026-11-20T10:15:30+05:",
            "2026-11-20T10:15:30+5",
            "2026-11-20T10:15:30Zulu",
            "2026-11-20_10:15:30Z",
            " 2026-11-20",
            "+2026-11-20",
            "2026-11-20T10:15:30,5Z",
            "\u{662}026-11-20",
        ];
        for text in rows {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_date_of_an_answer_is_read_in_its_one_form() {
        let rows = [
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777)),
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("Fri, 20 Nov 2026 10:15:30 GMT", Some(1_795_169_730)),
            ("Thu, 29 Feb 2024 23:59:60 GMT", Some(1_709_251_200)),
            ("Mon, 06 Nov 1994 08:49:37 GMT", None),
            ("sun, 06 nov 1994 08:49:37 gmt", None),
            ("Sun, 06 Nov 1994 08:49:37 UTC", None),
            ("Sun, 06 Nov 1994 08:49:37 GMT ", None),
            ("Sun, 6 Nov 1994 08:49:37 GMT", None),
            ("Sun, 06 Nov 1994 24:49:37 GMT", None),
            ("Tue, 30 Feb 2026 10:15:30 GMT", None),
            ("Sunday, 06-Nov-94 08:49:37 GMT", None),
            ("Sun Nov  6 08:49:37 1994", None),
            ("2026-11-20T10:15:30Z", None),
            ("", None),
        ];
        for (text, seconds) in rows {
            assert_eq!(http_date(text), seconds.map(from_unix_seconds), "{text}");
        }
    }

    #[test]
    fn days_follow_each_other_over_four_centuries() {
        let mut expected = days_since_epoch(1800, 1, 1);
        for year in 1800..2201 {
            for month in 1..=12 {
                for day in 1..=days_in(year, month) {
                    assert_eq!(days_since_epoch(year, month, day), expected);
                    expected += 1;
                }
            }
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_much(text in any::<String>()) {
            if let Some(instant) = parse(&text) {
                prop_assert!(instant.nanoseconds < 1_000_000_000);
            }
        }

        #[test]
        fn no_date_of_a_header_is_too_much(text in "(Thu|Sun), [0-9]{2} (Jan|Nov) .{0,18}") {
            if let Some(instant) = http_date(&text) {
                prop_assert_eq!(instant.nanoseconds, 0);
            }
        }

        #[test]
        fn no_text_of_the_right_letters_is_too_much(text in "[0-9TtZz:. +-]{0,40}") {
            if let Some(instant) = parse(&text) {
                prop_assert!(instant.nanoseconds < 1_000_000_000);
            }
        }

        #[test]
        fn a_written_instant_is_read_back(
            day in -700_000_i64..2_900_000,
            second in 0_i64..86_400,
            nanoseconds in 0_u32..1_000_000_000,
            offset_minutes in -1_439_i64..1_440,
        ) {
            let seconds = day * SECONDS_PER_DAY + second;
            let text = written(seconds + offset_minutes * 60, nanoseconds, offset_minutes);
            prop_assert_eq!(parse(&text), Some(Instant { seconds, nanoseconds }), "{}", text);
        }
    }

    /// Writes a local time by walking the calendar, which is slow and shares no arithmetic with the
    /// parser.
    fn written(local: i64, nanoseconds: u32, offset_minutes: i64) -> String {
        let (mut days, second) =
            (local.div_euclid(SECONDS_PER_DAY), local.rem_euclid(SECONDS_PER_DAY));
        let (mut year, mut month) = (1970, 1);
        while days < 0 {
            year -= 1;
            days += if is_leap(year) { 366 } else { 365 };
        }
        while days >= if is_leap(year) { 366 } else { 365 } {
            days -= if is_leap(year) { 366 } else { 365 };
            year += 1;
        }
        while days >= days_in(year, month) {
            days -= days_in(year, month);
            month += 1;
        }
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        let sign = if offset_minutes < 0 { '-' } else { '+' };
        let (off_hour, off_minute) = (offset_minutes.abs() / 60, offset_minutes.abs() % 60);
        let day = days + 1;
        format!(
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{nanoseconds:\
             09}{sign}{off_hour:02}:{off_minute:02}"
        )
    }
}
