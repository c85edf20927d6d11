//! The date of a build, which the builder gives. No clock is read: the same build has the same
//! date.

use jiff::Timestamp;
use smp_host::failure::{Code, Failure};

/// Name of the environment variable with the date, in seconds since 1970 (<https://reproducible-builds.org/specs/source-date-epoch/>).
const VARIABLE: &str = "SOURCE_DATE_EPOCH";

/// The date in the environment, if there is one.
pub(crate) fn given() -> Result<Option<Timestamp>, Failure> {
    let text = std::env::var_os(VARIABLE)
        .map(|text| text.to_string_lossy().into_owned())
        .unwrap_or_default();
    read(text.trim())
}

fn read(text: &str) -> Result<Option<Timestamp>, Failure> {
    if text.is_empty() {
        return Ok(None);
    }
    let seconds = text.parse::<i64>().ok().filter(|seconds| *seconds >= 0);
    match seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()) {
        Some(date) => Ok(Some(date)),
        None => Err(Failure::new(
            Code::InvalidSettings,
            format!("{VARIABLE} is no number of seconds since 1970"),
        )
        .with_hint(
            "Set it to what `git log -1 --format=%ct` prints, or unset it: then nothing has a \
             date.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_a_number_of_seconds_or_is_not_given() {
        assert_eq!(read("1767323045").unwrap().unwrap().to_string(), "2026-01-02T03:04:05Z");
        assert_eq!(read("").unwrap(), None);
        for text in ["yesterday", "-1", "1.5", "99999999999999"] {
            assert_eq!(read(text).unwrap_err().code, Code::InvalidSettings, "{text}");
        }
    }
}
