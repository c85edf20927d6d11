//! Target `words`: the small readers of untrusted texts, each compared with another reader.
//!
//! An input is a text that each of them reads.
//!
//! Property: instants are those that `jiff` reads. A cursor from a link is the same in the next
//! request, and is refused if it is the current one. An origin is the same after writing and
//! reading, and every path joined to it goes to its host. A text that is cleaned for a message is
//! clean and short.

use smp_connector_kit::cursor::{self, BadLink};
use smp_connector_kit::{text as words, time};
use smp_host::http::origin::Origin;
use smp_host::limits::LONGEST_CURSOR;
use smp_host::text;
use url::Url;

/// Texts with a meaning for one of the readers.
pub const DICTIONARY: &[&str] = &[
    "2026-11-20",
    "T10:15:30",
    "t",
    " ",
    "Z",
    "z",
    ".123456789",
    ".9999999999",
    "+05:30",
    "-0800",
    "+02",
    "-00:00",
    "23:59:60",
    "24:00:00",
    "0000-",
    "9999-12-31",
    "02-29",
    "%",
    "%2",
    "%2F",
    "%25",
    "%C3%A9",
    "%FF",
    "?cursor=",
    "&cursor=",
    "#",
    "https://",
    "http://127.0.0.1:8080",
    "http://[::1]",
    "http://localhost",
    "user:pass@",
    ":443",
    "\\",
    "/",
    "xn--",
    "\u{1b}[31m",
    "\u{202e}",
    "\u{200b}",
    "\u{ff0e}",
];

/// Runs the target.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    a_point_in_time(&text);
    an_escape(&text);
    a_cursor(&text);
    an_origin(&text);
    a_message(&text);
}

fn a_point_in_time(text: &str) {
    let ours = time::parse(text);
    assert!(ours.is_none_or(|instant| instant.nanoseconds < 1_000_000_000), "{text}");
    // A leap second is the next minute here and the second before in `jiff`.
    if let (Some(ours), Ok(theirs)) = (ours, text.parse::<jiff::Timestamp>())
        && !text.contains(":60")
    {
        let nanoseconds = i128::from(ours.seconds) * 1_000_000_000 + i128::from(ours.nanoseconds);
        assert_eq!(nanoseconds, theirs.as_nanosecond(), "{text}");
    }
}

fn an_escape(text: &str) {
    let encoded: String = cursor::encoded(text).collect();
    assert!(
        encoded.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)),
        "{encoded}"
    );
    assert_eq!(
        percent_encoding::percent_decode_str(&encoded).decode_utf8().ok().as_deref(),
        Some(text)
    );
}

fn a_cursor(link: &str) {
    let Ok(Some(cursor)) = cursor::next(Some(link), "cursor", None) else { return };
    assert_eq!(cursor::next(Some(link), "cursor", Some(&cursor)), Err(BadLink::Repeated), "{link}");
    let target =
        cursor::append_to("https://api.example.test/x".to_owned(), "cursor", Some(&cursor));
    let value = cursor.clone().into_string();
    assert!(!value.is_empty() && value.len() <= LONGEST_CURSOR, "{link}");
    let url = Url::parse(&target).unwrap_or_else(|error| panic!("{target}: {error}"));
    assert_eq!(
        (url.host_str(), url.path(), url.fragment()),
        (Some("api.example.test"), "/x", None),
        "{target}"
    );
    assert_eq!(
        url.query_pairs().collect::<Vec<_>>(),
        [("cursor".into(), value.as_str().into())],
        "{target}"
    );
    assert_eq!(cursor::next(Some(&target), "cursor", None), Ok(Some(cursor)), "{target}");
}

fn an_origin(text: &str) {
    let Ok(origin) = Origin::parse(text) else { return };
    let written = origin.to_string();
    assert_eq!(Origin::parse(&written).as_ref(), Ok(&origin), "{written}");
    let home = Url::parse(&written).unwrap_or_else(|error| panic!("{written}: {error}"));
    let here = match home.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    assert!(home.scheme() == "https" || (home.scheme() == "http" && here), "{written}");
    for path in ["/", "/admin/v1/orgs?cursor=a%2Fb", "/@evil.test/", "/:80", "/\\evil.test"] {
        let joined = Url::parse(&origin.join(path))
            .unwrap_or_else(|error| panic!("{written}{path}: {error}"));
        assert_eq!(
            (joined.origin(), joined.username(), joined.password()),
            (home.origin(), "", None),
            "{joined}"
        );
    }
}

fn a_message(message: &str) {
    let texts = [words::label(message), words::note(message), words::domain(message)];
    for (text, most) in texts.iter().zip([100, 300, 253]) {
        assert!(text.chars().count() <= most && !text.chars().any(char::is_control), "{text:?}");
    }
    assert!(
        words::code(message).is_none_or(|code| code == message && code.len() <= 64),
        "{message}"
    );
    assert!(!text::escaped(message).chars().any(text::is_active), "{message:?}");
    let short = text::shortened(message, 20);
    assert!(!short.chars().any(text::is_active), "{short:?}");
    assert!(!text::escaped(&short).contains('\n'), "{short:?}");
}
