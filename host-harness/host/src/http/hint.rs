//! When to come back, as an answer says it: the one reader of `Retry-After` and of the headers that
//! tell when a limit is reset, in all notations that services use.
//!
//! Zero, the past and what cannot be read are no hint. A wait is never longer than 136 years, so
//! adding it to an instant or to another wait cannot overflow.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

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

/// Headers that say when a limit ends.
const RESETS: [&str; 3] = ["x-ratelimit-reset", "x-rate-limit-reset", "ratelimit-reset"];

/// The wait that an answer names: `Retry-After`, otherwise a header that says when a limit ends.
/// `now` is this machine's clock.
#[must_use]
pub fn wait(response: &Response, now: SystemTime) -> Option<Duration> {
    // The server's own clock, if it states one: this machine's may be wrong.
    let stated = response.header("date").map(str::trim);
    let now = stated.and_then(|date| httpdate::parse_http_date(date).ok()).unwrap_or(now);
    let named = |name: &&str| read(response.header(name)?, now);
    named(&"retry-after").or_else(|| {
        // The reset counts only in an answer that limits, not in a 500.
        (response.status == 429).then(|| RESETS.iter().find_map(named)).flatten()
    })
}

/// The wait that a value names: seconds, with a fraction or without, or a point in time as an HTTP
/// date, as RFC 3339 or as Unix time in seconds, milliseconds or smaller units.
fn read(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    let wait = match number(value) {
        Some(seconds) if seconds < EARLIEST => Duration::try_from_secs_f64(seconds).ok()?,
        Some(instant) => {
            match SCALES.iter().map(|scale| instant / scale).find(|seconds| *seconds < TOO_LATE) {
                Some(seconds) => {
                    until(UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(seconds).ok()?)?, now)?
                }
                None => LONGEST,
            }
        }
        None => match httpdate::parse_http_date(value) {
            Ok(instant) => until(instant, now)?,
            Err(_) => {
                let instant: jiff::Timestamp = value.parse().ok()?;
                let seconds = u64::try_from(instant.as_second()).ok()?;
                let nanoseconds = u32::try_from(instant.subsec_nanosecond()).ok()?;
                until(UNIX_EPOCH.checked_add(Duration::new(seconds, nanoseconds))?, now)?
            }
        },
    };
    (!wait.is_zero()).then_some(wait.min(LONGEST))
}

fn until(instant: SystemTime, now: SystemTime) -> Option<Duration> {
    instant.duration_since(now).ok()
}

/// A decimal number without a sign or an exponent.
fn number(value: &str) -> Option<f64> {
    let is_decimal = value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    // A number that is too large for any type is infinite: only its digits are finite.
    value.parse::<f64>().ok().filter(|_| is_decimal).map(|number| number.min(f64::MAX))
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
            "+5",
            "1e3",
            "1.2.3",
            ".",
            "inf",
            "NaN",
            "0x10",
            "20s",
            "soon",
            "5, 6",
            "784111777",
            "784111000",
            "784111777000",
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:00:00 GMT",
            "Sun, 06 Nov 1994 08:49:57",
            "1994-11-06T08:00:00Z",
            "1994-11-06T08:49:57",
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
            "99999999999999999999",
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
        for (status, headers, seconds) in [
            (429, vec![reset, ("retry-after", "1")], Some(1)),
            (429, vec![reset, ("retry-after", "0")], Some(9)),
            (429, vec![reset, ("retry-after", "soon")], Some(9)),
            (429, vec![("ratelimit-reset", "3"), ("x-ratelimit-reset", "never")], Some(3)),
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
