//! When to come back, as an answer says it: the one reader of `Retry-After` and of the headers that
//! tell when a limit is reset, in all notations that services use.
//!
//! Zero, the past and what cannot be read are no hint. A wait is never longer than 136 years, so
//! adding it to an instant or to another wait cannot overflow.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::fmt::rfc2822::DateTimeParser;

use super::transport::Response;

/// Longest wait that a run sits out, whatever its budget. A service that names a longer one means
/// "much later": the run ends and tells it.
pub const MUCH_LATER: Duration = Duration::from_secs(24 * 60 * 60);

/// Longest wait that is told, 136 years: calendars and databases can add it to an instant.
const LONGEST: Duration = Duration::from_secs(u32::MAX as u64);

/// Smallest number that is Unix time, 1973: smaller ones count seconds from now.
const EARLIEST: f64 = 1e8;

/// Smallest number that is no Unix time in seconds, the year 5138, but in a smaller unit.
const TOO_LATE: f64 = 1e11;

/// How many of each unit of Unix time are a second.
const SCALES: [f64; 4] = [1.0, 1e3, 1e6, 1e9];

/// What no server names in a unit below the second: a point in time ten years ago. Such a number is
/// a placeholder for "never", as `99999999999999999` is, which in nanoseconds would be 1973.
const LONG_PAST: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// Headers that say when a limit ends.
const RESETS: [&str; 4] =
    ["x-ratelimit-reset", "x-rate-limit-reset", "ratelimit-reset", "x-ratelimit-reset-after"];

/// Headers that name a wait in milliseconds.
const MILLISECONDS: [&str; 2] = ["retry-after-ms", "x-ms-retry-after-ms"];

/// Headers that list facts of a limit, with its end as the one called `reset` or `t`.
const LISTS: [&str; 3] = ["ratelimit", "x-ratelimit", "beta-ratelimit"];

/// The wait that an answer names: `Retry-After`, otherwise a header that says when a limit ends.
/// `now` is this machine's clock.
#[must_use]
pub fn wait(response: &Response, now: SystemTime) -> Option<Duration> {
    // The server's own clock, if it states one: this machine's may be wrong.
    let stated = response.header("date").map(str::trim);
    let now = stated.and_then(|date| httpdate::parse_http_date(date).ok()).unwrap_or(now);
    let named = |name: &&str| read(response.header(name)?, now);
    let in_milliseconds = |name: &&str| {
        let seconds = number(unquoted(response.header(name)?))? / 1e3;
        let wait = Duration::try_from_secs_f64(seconds).ok()?.min(LONGEST);
        (!wait.is_zero()).then_some(wait)
    };
    let listed = |name: &&str| read(reset(response.header(name)?)?, now);
    named(&"retry-after").or_else(|| MILLISECONDS.iter().find_map(in_milliseconds)).or_else(|| {
        // The reset counts only in an answer that limits, not in a 500.
        let reset = || RESETS.iter().find_map(named).or_else(|| LISTS.iter().find_map(listed));
        (response.status == 429).then(reset).flatten()
    })
}

/// The end of a limit in a list of its facts: `limit=10, reset=2` or `"default";r=0;t=2`.
fn reset(value: &str) -> Option<&str> {
    let facts = value.split([',', ';']).filter_map(|fact| fact.split_once('='));
    let mut ends = facts.filter(|(name, _)| ["reset", "t"].contains(&name.trim()));
    ends.next().map(|(_, value)| value)
}

fn unquoted(value: &str) -> &str {
    value.trim().trim_matches('"').trim()
}

/// The wait that a value names: seconds, with a fraction or without, or a point in time as an HTTP
/// date with or without its weekday, as RFC 3339 or as Unix time in seconds, milliseconds or
/// smaller units. A point in time without a zone is UTC. Of several numbers, as a proxy joins two
/// headers, the largest counts. A comment after a semicolon or in parentheses says nothing.
fn read(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.split([';', '(']).next().map_or("", unquoted);
    if value.contains(',') && value.split(',').all(|part| number(unquoted(part)).is_some()) {
        return value.split(',').filter_map(|part| read(part, now)).max();
    }
    let wait = match number(value).or_else(|| with_units(value)) {
        Some(seconds) if seconds < EARLIEST => Duration::try_from_secs_f64(seconds).ok()?,
        Some(instant) => {
            let in_seconds = |scale: &f64| (*scale, instant / scale);
            match SCALES.iter().map(in_seconds).find(|(_, seconds)| *seconds < TOO_LATE) {
                Some((scale, seconds)) => {
                    let at = UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(seconds).ok()?)?;
                    if scale > 1.0 && now.duration_since(at).is_ok_and(|ago| ago > LONG_PAST) {
                        LONGEST
                    } else {
                        until(at, now)?
                    }
                }
                None => LONGEST,
            }
        }
        None => {
            let date = in_greenwich(value);
            match http_date(&date) {
                Some(instant) => until(instant, now)?,
                None => {
                    let mail = MAIL.parse_timestamp(&date).or_else(|_| MAIL.parse_timestamp(value));
                    let instant = mail.ok().or_else(|| with_offset(value).parse().ok())?;
                    let seconds = u64::try_from(instant.as_second()).ok()?;
                    let nanoseconds = u32::try_from(instant.subsec_nanosecond()).ok()?;
                    until(UNIX_EPOCH.checked_add(Duration::new(seconds, nanoseconds))?, now)?
                }
            }
        }
    };
    (!wait.is_zero()).then_some(wait.min(LONGEST))
}

fn until(instant: SystemTime, now: SystemTime) -> Option<Duration> {
    instant.duration_since(now).ok()
}

/// The form of dates in mail, of which that of HTTP is one: the weekday may be missing, and the
/// zone be another.
static MAIL: DateTimeParser = DateTimeParser::new().relaxed_weekday(true);

/// An HTTP date whose zone is written otherwise, or left out.
fn in_greenwich(date: &str) -> String {
    const ZONES: [&str; 6] = [" UTC", " UT", " Z", " +0000", " -0000", " +00:00"];
    let bare = ZONES.iter().find_map(|zone| date.strip_suffix(zone));
    let has_no_zone = || date.ends_with(|end: char| end.is_ascii_digit()).then_some(date);
    let begins_as_one =
        |date: &&str| date.contains(", ") || date.starts_with(|sign: char| sign.is_ascii_digit());
    match bare.or_else(|| has_no_zone().filter(begins_as_one)) {
        Some(date) => format!("{date} GMT"),
        None => date.to_owned(),
    }
}

/// An HTTP date, whatever its weekday: a reader of such dates refuses a wrong or a missing one.
fn http_date(date: &str) -> Option<SystemTime> {
    const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    let bare = date.split_once(", ").map_or(date, |(_, bare)| bare);
    let on = |day: &&str| httpdate::parse_http_date(&format!("{day}, {bare}")).ok();
    httpdate::parse_http_date(date).ok().or_else(|| WEEKDAYS.iter().find_map(on))
}

/// An instant of RFC 3339 with an offset, where it has none or a short one.
fn with_offset(instant: &str) -> String {
    let Some((_, time)) = instant.split_once(['T', 't', ' ']) else { return instant.to_owned() };
    match time.rsplit_once(['+', '-']).map(|(_, offset)| offset) {
        Some(offset) if offset.len() == 2 => format!("{instant}:00"),
        Some(offset) if offset.len() == 4 && offset.bytes().all(|byte| byte.is_ascii_digit()) => {
            let (before, minutes) = instant.split_at(instant.len() - 2);
            format!("{before}:{minutes}")
        }
        None if time.ends_with(|end: char| end.is_ascii_digit()) => format!("{instant}Z"),
        _ => instant.to_owned(),
    }
}

/// Seconds that are written with units: `2s`, `1.5 s`, `200ms`, `1m30s`.
fn with_units(value: &str) -> Option<f64> {
    let mut rest = value.trim_start();
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let is_of_number = |sign: char| sign.is_ascii_digit() || sign == '.';
        let (amount, after) = rest.split_at(rest.find(|sign| !is_of_number(sign))?);
        let after = after.trim_start();
        let length = after.find(|sign: char| !sign.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(length);
        let scale = match unit.to_ascii_lowercase().as_str() {
            "ms" | "msec" | "millis" | "milliseconds" => 0.001,
            "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
            "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
            "h" | "hour" | "hours" => 3_600.0,
            _ => return None,
        };
        seconds += number(amount)? * scale;
        rest = after.trim_start();
    }
    // An amount of time is no point in time, however large.
    (seconds > 0.0).then_some(seconds.min(EARLIEST - 1.0))
}

/// A number that is not negative, as programs write one: `20`, `+20`, `20.5`, `.5`, `2e1`.
fn number(value: &str) -> Option<f64> {
    let is_of_number = |byte: u8| byte.is_ascii_digit() || b".+-eE".contains(&byte);
    let is_number = !value.starts_with('-') && value.bytes().all(is_of_number);
    // A number that is too large for any type is infinite: only its digits are finite.
    value.parse::<f64>().ok().filter(|_| is_number).map(|number| number.min(f64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sunday, 6 November 1994, 08:49:37.
    const NOW: u64 = 784_111_777;

    fn told(status: u16, headers: &[(&str, &str)]) -> Option<Duration> {
        let headers =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let now = UNIX_EPOCH + Duration::from_secs(NOW);
        wait(&Response { status, headers, body: Vec::new() }, now)
    }

    #[test]
    fn every_usual_notation_of_both_headers_is_read() {
        for (value, seconds) in [
            ("20", 20.0),
            (" 20 ", 20.0),
            ("20.5", 20.5),
            ("0.25", 0.25),
            (".5", 0.5),
            ("5.", 5.0),
            ("007", 7.0),
            ("86400", 86_400.0),
            ("Sun, 06 Nov 1994 08:49:57 GMT", 20.0),
            ("Sunday, 06-Nov-94 08:49:57 GMT", 20.0),
            ("Sun Nov  6 08:49:57 1994", 20.0),
            ("1994-11-06T08:49:57Z", 20.0),
            ("1994-11-06T08:49:57.5Z", 20.5),
            ("1994-11-06T08:50Z", 23.0),
            ("1994-11-06T09:49:57+01:00", 20.0),
            ("1994-11-06 08:49:57Z", 20.0),
            ("1994-11-06T08:49:57", 20.0),
            ("1994-11-06 08:49:57", 20.0),
            ("1994-11-06t08:49:57z", 20.0),
            ("1994-11-06T08:49:57+0000", 20.0),
            ("1994-11-06T08:49:57+00", 20.0),
            ("1994-11-06T09:49:57+0100", 20.0),
            ("Sun, 06 Nov 1994 08:49:57 UTC", 20.0),
            ("Sun, 06 Nov 1994 08:49:57 +0000", 20.0),
            ("Sun, 06 Nov 1994 08:49:57", 20.0),
            ("\"20\"", 20.0),
            ("20, 20", 20.0),
            ("5, 20.5", 20.5),
            ("20s", 20.0),
            ("20.5s", 20.5),
            ("1.5 seconds", 1.5),
            ("250ms", 0.25),
            ("1m2s", 62.0),
            ("+20", 20.0),
            ("2e1", 20.0),
            ("2E1", 20.0),
            ("2e0", 2.0),
            ("200e-1", 20.0),
            ("1e3", 1_000.0),
            ("20;x", 20.0),
            ("20; comment=1", 20.0),
            ("20 (maintenance)", 20.0),
            ("\"20\"; w=60", 20.0),
            ("06 Nov 1994 08:49:57 GMT", 20.0),
            ("6 Nov 1994 08:49:57 GMT", 20.0),
            ("06 Nov 1994 08:49:57 +0000", 20.0),
            ("06 Nov 1994 08:49:57", 20.0),
            ("06 Nov 1994 09:49:57 +0100", 20.0),
            ("Thu, 06 Nov 1994 08:49:57 UTC", 20.0),
            ("Sun, 6 Nov 1994 08:49:57 GMT", 20.0),
            ("Sun, 06 Nov 1994 09:49:57 +0100", 20.0),
            ("Mon, 06 Nov 1994 08:49:57 GMT", 20.0),
            ("784111797", 20.0),
            ("784111797.5", 20.5),
            ("784111797500", 20.5),
            ("784111797500000", 20.5),
            ("784111797500000000", 20.5),
        ] {
            let wait = Some(Duration::from_secs_f64(seconds));
            assert_eq!(told(503, &[("retry-after", value)]), wait, "{value}");
            for name in ["retry-after", "x-ratelimit-reset", "x-rate-limit-reset"] {
                assert_eq!(told(429, &[(name, value)]), wait, "{name}: {value}");
            }
            assert_eq!(told(429, &[("ratelimit-reset", value)]), wait, "{value}");
        }
    }

    #[test]
    fn zero_the_past_and_nonsense_are_no_hint() {
        for value in [
            "",
            "0",
            "0.0",
            "00",
            "-1",
            "-0.5",
            "+-5",
            "-2e1",
            "+0",
            "0e9",
            "1e-400",
            "e3",
            "2e",
            "+",
            "1.2.3",
            ".",
            "inf",
            "NaN",
            "0x10",
            "20x",
            "s",
            "0s",
            "soon",
            "0, 0",
            "5, soon",
            "\"\"",
            "784111777",
            "784111000",
            "784111777000",
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:00:00 GMT",
            "Sun, 06 Nov 1994 08:49:00",
            "06 Nov 1994 08:00:00 GMT",
            "06 Nov 1994",
            "; 20",
            "(20)",
            "784000000000",
            "784000000000000000",
            "1994-11-06T08:00:00Z",
            "1994-11-06T08:49:00",
            "1994-11-06",
            "0001-01-01T00:00:00Z",
        ] {
            for name in ["retry-after", "x-ratelimit-reset", "x-rate-limit-reset"] {
                assert_eq!(told(429, &[(name, value)]), None, "{name}: {value}");
            }
        }
    }

    #[test]
    fn far_off_is_much_later_and_never_too_large_to_add() {
        let endless = "9".repeat(1_000);
        for value in [
            "86401",
            "99999999",
            "90000000000",
            "18446744073709551615",
            "99999999999999999",
            "999999999999999999",
            "9999999999999999999",
            "99999999999999999999",
            "1e300",
            "1e999",
            "+1e17",
            "31 Dec 9999 23:59:59 GMT",
            &endless,
            "Fri, 31 Dec 9999 23:59:59 GMT",
            "9999-12-30T22:00:00Z",
            "784199999",
        ] {
            let wait = told(429, &[("x-ratelimit-reset", value)]).unwrap();
            assert!(wait > MUCH_LATER && wait <= LONGEST, "{value}: {wait:?}");
            assert_eq!(told(429, &[("retry-after", value)]), Some(wait), "{value}");
        }
    }

    #[test]
    fn retry_after_counts_before_a_reset_and_a_reset_only_in_an_answer_that_limits() {
        let reset = ("x-ratelimit-reset", "9");
        let listed = ("ratelimit", "limit=10, remaining=0, reset=4");
        for (status, headers, seconds) in [
            (429, vec![reset, ("retry-after", "1")], Some(1)),
            (429, vec![reset, ("retry-after", "0")], Some(9)),
            (429, vec![reset, ("retry-after", "soon")], Some(9)),
            (429, vec![("ratelimit-reset", "3"), ("x-ratelimit-reset", "never")], Some(3)),
            (429, vec![listed], Some(4)),
            (429, vec![("ratelimit", "\"default\";r=0;t=4")], Some(4)),
            (429, vec![("ratelimit", "limit=10")], None),
            (429, vec![listed, reset], Some(9)),
            (429, vec![("x-ratelimit-reset-after", "4")], Some(4)),
            (503, vec![("retry-after-ms", "4000")], Some(4)),
            (503, vec![listed], None),
            (503, vec![reset], None),
            (503, vec![reset, ("retry-after", "1")], Some(1)),
        ] {
            let wait = seconds.map(Duration::from_secs);
            assert_eq!(told(status, &headers), wait, "{status} {headers:?}");
        }
    }

    #[test]
    fn the_servers_own_clock_counts_if_it_states_one() {
        let at = ("retry-after", "Sun, 06 Nov 1994 08:49:57 GMT");
        let date = |date| told(503, &[("date", date), at]);
        assert_eq!(date("Sun, 06 Nov 1994 08:49:50 GMT"), Some(Duration::from_secs(7)));
        assert_eq!(date("today"), Some(Duration::from_secs(20)));
    }
}
