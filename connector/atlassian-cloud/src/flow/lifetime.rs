//! Finds out when the API key ends, where that is told.
//!
//! ```text
//! a page of keys ─┬─ there is a next page ─┐
//!        ▲────────┴────────────────────────┘
//!                 ├─ it is the last ─▶ the key that is ours ─▶ its end, or unclear, or no such name
//!                 ├─ the key may not ─────────────────────────▶ nothing
//!                 └─ no answer that can be read ──────────────▶ failure
//! ```

use smp_connector_kit::{Failure, Host, Instant};

use crate::config::Config;
use crate::endpoint::keys::{self, KeysPage};

/// Most pages of keys that are read. Beyond them it cannot be told which key is ours.
const MOST_PAGES: u32 = 10;

/// What is known of the end of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Nothing: the key may not read it, and that is no matter.
    Hidden,
    /// Which of the keys is ours, or when it ends, cannot be told.
    Unclear,
    /// None of the keys has the name in the settings.
    Unnamed,
    /// It ends then.
    At(Instant),
}

/// When the key ends.
///
/// # Errors
///
/// When the keys should be there and cannot be read.
pub fn end(host: &mut dyn Host, config: &Config) -> Result<End, Failure> {
    let (mut found, mut cursor) = (Vec::new(), None);
    for _ in 0..MOST_PAGES {
        match keys::get(host, config, cursor.as_ref()) {
            Ok(KeysPage { keys, next }) => {
                found.extend(keys);
                cursor = next;
            }
            Err(refusal) if refusal.is_denial() => return Ok(End::Hidden),
            Err(refusal) => return Err(refusal.into_failure()),
        }
        if cursor.is_none() {
            let name = config.key_name();
            if name.is_some_and(|name| !found.iter().any(|key| key.is_called(name))) {
                return Ok(End::Unnamed);
            }
            let ends = keys::ours(&found, name).and_then(|key| key.ends);
            return Ok(ends.map_or(End::Unclear, End::At));
        }
    }
    Ok(End::Unclear)
}

#[cfg(test)]
mod tests {
    use super::*;
    use smp_connector_kit::testing::{Script, answer};
    use smp_connector_kit::{FailureKind, HttpError, Setting, time};

    use crate::config::KEY_NAME;
    use crate::testing::{Below, config, settings};

    const OLD: &str = r#"{"label":"Old","expiresAt":"2027-01-01","lastActiveAt":"2026-10-01"}"#;
    const NEW: &str = r#"{"label":"New","expiresAt":"2027-02-01","lastActiveAt":"2026-11-01"}"#;

    #[test]
    fn the_key_that_was_used_last_is_ours_over_all_pages() {
        let first = format!(r#"{{"data":[{NEW}],"links":{{"next":"https://a.test/?cursor=2"}}}}"#);
        let second = format!(r#"{{"data":[{OLD}],"links":{{"next":null}}}}"#);
        let mut host =
            Script::new().keys("", answer(200, &first)).keys("?cursor=2", answer(200, &second));
        assert_eq!(end(&mut host, &config()), Ok(End::At(time::parse("2027-02-01").unwrap())));
    }

    #[test]
    fn the_key_that_is_called_so_is_ours() {
        let name = Setting { key: KEY_NAME.to_owned(), value: "Old".to_owned() };
        let settings: Vec<Setting> = settings().into_iter().chain([name]).collect();
        let body = format!(r#"{{"data":[{NEW},{OLD}]}}"#);
        let mut host = Script::new().keys("", answer(200, &body));
        let config = Config::read(&settings).unwrap();
        assert_eq!(end(&mut host, &config), Ok(End::At(time::parse("2027-01-01").unwrap())));
    }

    #[test]
    fn a_name_that_no_key_has_is_told() {
        let name = Setting { key: KEY_NAME.to_owned(), value: "Other".to_owned() };
        let settings: Vec<Setting> = settings().into_iter().chain([name]).collect();
        let body = format!(r#"{{"data":[{NEW},{OLD}]}}"#);
        let mut host = Script::new().keys("", answer(200, &body));
        assert_eq!(end(&mut host, &Config::read(&settings).unwrap()), Ok(End::Unnamed));
    }

    #[test]
    fn what_is_not_told_is_nothing() {
        let two = format!(r#"{{"data":[{OLD},{OLD}]}}"#);
        for (told, known) in [
            (answer(401, ""), End::Hidden),
            (answer(401, r#"{"message":"scope"}"#), End::Hidden),
            (answer(403, ""), End::Hidden),
            (answer(404, "failed to match any route"), End::Hidden),
            (answer(200, r#"{"data":[]}"#), End::Unclear),
            (answer(200, r#"{"data":[{"lastActiveAt":"2026-11-01"}]}"#), End::Unclear),
            (answer(200, &two), End::Unclear),
        ] {
            let mut host = Script::new().keys("", told);
            assert_eq!(end(&mut host, &config()), Ok(known));
        }
    }

    #[test]
    fn keys_that_cannot_be_read_are_a_failure() {
        for (odd, kind) in [
            (answer(500, ""), FailureKind::Upstream),
            (answer(429, ""), FailureKind::RateLimited),
            (answer(200, "<html>"), FailureKind::UnexpectedResponse),
            (Err(HttpError::TimedOut), FailureKind::Upstream),
        ] {
            let mut host = Script::new().keys("", odd);
            assert_eq!(end(&mut host, &config()).unwrap_err().kind, kind);
        }
    }

    #[test]
    fn of_pages_without_end_nothing_is_told() {
        let mut host = Script::new();
        for page in 0..MOST_PAGES {
            let asked = if page == 0 { String::new() } else { format!("?cursor={page}") };
            let body = format!(r#"{{"data":[{OLD}],"links":{{"next":"{}"}}}}"#, page + 1);
            host = host.keys(&asked, answer(200, &body));
        }
        assert_eq!(end(&mut host, &config()), Ok(End::Unclear));
    }
}
