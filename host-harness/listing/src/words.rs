//! Wording and bounds that several renderings share.

use std::borrow::Cow;

use smp_host::contract::{Condition, Endpoint, RateLimit, http};
use smp_host::text::{self, grouped};

/// Entries of a list that are shown. A longer list is not read, and a descriptor may hold any
/// number.
const MOST_ENTRIES: usize = 200;
/// Characters of a text that are shown: about a page and a half.
pub const LONGEST_TEXT: usize = 4_000;
/// Characters of a name, a title or a path that are shown.
pub const LONGEST_NAME: usize = 300;

/// The method as HTTP writes it.
pub fn method(endpoint: &Endpoint) -> &'static str {
    match endpoint.method {
        http::Method::Get => "GET",
        http::Method::Post => "POST",
    }
}

/// When an endpoint is needed, as `with people = everyone, or for usage`; `None` if it always is.
/// The texts of a setting are written by `shown`, which makes them safe.
pub fn needed(endpoint: &Endpoint, shown: impl Fn(&str) -> String) -> Option<String> {
    let one = |condition: &Condition| match condition {
        Condition::Setting(known) => {
            format!("with {} = {}", shown(&known.setting), shown(&known.value))
        }
        Condition::Usage => "for usage".to_owned(),
    };
    let all: Vec<String> = endpoint.when.iter().map(one).collect();
    (!all.is_empty()).then(|| all.join(", or "))
}

/// A rate, as `5 in a second`.
pub fn pace(limit: &RateLimit) -> String {
    let requests = grouped(u64::from(limit.requests));
    match limit.period_ms {
        1_000 => format!("{requests} in a second"),
        60_000 => format!("{requests} in a minute"),
        period if period.is_multiple_of(1_000) => {
            format!("{requests} in {} seconds", grouped(u64::from(period / 1_000)))
        }
        period => format!("{requests} in {} ms", grouped(u64::from(period))),
    }
}

/// A wait, as `2 minutes`. It is rounded up, because coming back too early is of no use.
pub fn wait(seconds: u64) -> String {
    let units = |number: u64, unit: &str| {
        format!("{} {unit}{}", grouped(number), if number == 1 { "" } else { "s" })
    };
    match seconds {
        0..=90 => units(seconds, "second"),
        91..=5_400 => units(seconds.div_ceil(60), "minute"),
        5_401..=172_800 => units(seconds.div_ceil(3_600), "hour"),
        _ => units(seconds.div_ceil(86_400), "day"),
    }
}

/// A short text, safe on one line.
pub fn name(text: &str) -> Cow<'_, str> {
    text::shortened(text, LONGEST_NAME)
}

/// A long text, safe and on one line: line breaks become spaces before the rest is escaped.
pub fn sentence(text: &str) -> String {
    let joined = text
        .split(['\n', '\r', '\t'])
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    text::shortened(&joined, LONGEST_TEXT).into_owned()
}

/// The entries that are shown, and the number of those that are not.
pub fn shown<T>(entries: &[T]) -> (&[T], usize) {
    let most = entries.len().min(MOST_ENTRIES);
    (entries.get(..most).unwrap_or_default(), entries.len() - most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_is_told_in_the_unit_that_fits() {
        for (requests, period_ms, expected) in [
            (5, 1_000, "5 in a second"),
            (10, 60_000, "10 in a minute"),
            (1, 2_000, "1 in 2 seconds"),
            (3, 250, "3 in 250 ms"),
            (u32::MAX, 0, "4,294,967,295 in 0 seconds"),
        ] {
            assert_eq!(pace(&RateLimit { requests, period_ms }), expected);
        }
    }

    #[test]
    fn a_wait_is_rounded_up() {
        for (seconds, expected) in [
            (0, "0 seconds"),
            (1, "1 second"),
            (90, "90 seconds"),
            (91, "2 minutes"),
            (3_600, "60 minutes"),
            (5_401, "2 hours"),
            (172_801, "3 days"),
            (u64::MAX, "213,503,982,334,602 days"),
        ] {
            assert_eq!(wait(seconds), expected);
        }
    }

    #[test]
    fn line_breaks_become_spaces_and_the_rest_is_escaped() {
        assert_eq!(sentence("one\r\n\n two\tthree\u{1b}"), "one two three\\u{1b}");
    }
}
