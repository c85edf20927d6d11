//! The faults that are injected into an exchange, each with the class that says what a connector
//! can know of it.
//!
//! | faults | class |
//! |---|---|
//! | no answer: connection failed, timed out, too large, anything else | unreadable |
//! | each error status, with an error as JSON; an empty 200 and 204; a web page with 200 and 503; an error with 200 | unreadable |
//! | the right answer cut at several places, in UTF-16, nested 10,000 deep, or another type at its root | unreadable |
//! | one field left out, null or of another type; invalid UTF-8 in a text; an unknown field nested 10,000 deep | changed |
//! | the right answer after a minute | late |
//! | the right answer with white space up to the host's limit | same |
//!
//! Every made-up text contains the word of [`word_for`]; no other text does.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::fields::{self, Change};
use super::tally::FaultKind;
use smp_host::http::transport::{Response, TransportError};
use smp_replay::player::traffic::{Answer, InjectedFault, MOST_PADDED};

/// The word that marks made-up texts, for the component of this digest. It is the same each time.
/// The component cannot contain it, because it is derived from the digest of the whole file, and no
/// service uses it.
pub(super) fn word_for(digest: &str) -> String {
    let bytes = Sha256::digest(format!("a word that stands in no answer: {digest}"));
    bytes.iter().take(LETTERS).map(|byte| char::from(b'a' + byte % 26)).collect()
}

/// Letters of that word.
const LETTERS: usize = 20;

/// Statuses other than success: all that a standard names, and two that only proxies send.
const STATUSES: [u16; 53] = [
    300, 301, 302, 303, 304, 307, 308, 400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411,
    412, 413, 414, 415, 416, 417, 418, 421, 422, 423, 424, 425, 426, 428, 429, 431, 451, 500, 501,
    502, 503, 504, 505, 506, 507, 508, 510, 511, 520, 521, 522, 524, 530, 599,
];
/// Places at which an answer is cut, in addition to its last byte.
const CUTS: usize = 4;
/// Depth of a nested answer: more than any recursive parser can take.
const NESTED: usize = 10_000;

/// A fault.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    /// Its name, for people.
    pub(super) name: String,
    pub(super) class: Class,
    recipe: Recipe,
}

/// The kind of a fault. Findings of one kind are reported as one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    NoAnswer,
    /// Its class of statuses.
    Status(u16),
    WithoutBody,
    WebPage,
    OtherBody,
    Cut,
    Nested,
    /// The pattern of the field.
    Field(String),
    Bytes,
    Right,
}

/// What a connector can know of a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// No answer that it could have read.
    Unreadable,
    /// A field differs. `removed` has its pattern if the field is removed.
    Changed {
        /// As [`fields::Change::pattern`] writes it.
        removed: Option<String>,
    },
    /// Nothing: the answer is right, and comes late.
    Late,
    /// Nothing: the answer has the same content in other bytes.
    Same,
}

#[derive(Clone, Debug)]
enum Recipe {
    NoAnswer(TransportError),
    Page { status: u16, kind: &'static str, body: Vec<u8> },
    Cut(usize),
    Utf16,
    BadText,
    Deep { field: bool },
    Field(Change),
    Padded(u64),
    Late,
}

/// The faults for an exchange with this answer, with this word in made-up texts. `largest` is the
/// largest body that the host accepts; `with_large` adds a fault of that size, which costs as much
/// as a hundred others.
pub(super) fn faults(answer: &Answer, word: &str, largest: u64, with_large: bool) -> Vec<Fault> {
    let mut faults = without_answer(largest);
    let page = |name: String, status, kind, body: &str| Fault {
        name,
        class: Class::Unreadable,
        recipe: Recipe::Page { status, kind, body: body.as_bytes().to_vec() },
    };
    faults.extend(
        STATUSES.map(|status| {
            page(format!("status {status}"), status, JSON, &error_body(status, word))
        }),
    );
    faults.extend(
        [200, 204].map(|status| page(format!("status {status} without a body"), status, JSON, "")),
    );
    faults.extend([200, 503].map(|status| {
        page(
            format!("a web page with status {status}"),
            status,
            "text/html; charset=utf-8",
            &web_page(word),
        )
    }));
    faults.push(page("an error with status 200".into(), 200, JSON, &error_body(500, word)));
    let Some((body, root)) = readable(answer) else { return faults };
    faults.extend(in_place_of(&root, word).into_iter().map(|(what, class, text)| Fault {
        name: format!("{what} in place of the answer"),
        class,
        recipe: Recipe::Page { status: 200, kind: JSON, body: text.into_bytes() },
    }));
    let unreadable = |name: String, recipe| Fault { name, class: Class::Unreadable, recipe };
    faults.extend(
        cuts(body).into_iter().map(|at| {
            unreadable(format!("cut after {at} of {} bytes", body.len()), Recipe::Cut(at))
        }),
    );
    faults.push(unreadable("in UTF-16".into(), Recipe::Utf16));
    faults.push(unreadable(format!("nested {NESTED} deep"), Recipe::Deep { field: false }));
    let changed =
        |name: String, removed, recipe| Fault { name, class: Class::Changed { removed }, recipe };
    if root.is_object() {
        faults.push(changed(
            format!("an unknown field nested {NESTED} deep"),
            None,
            Recipe::Deep { field: true },
        ));
    }
    if bad_text(body).is_some() {
        faults.push(changed("a text that is no UTF-8".into(), None, Recipe::BadText));
    }
    for change in fields::changes(&root, word) {
        let removed = change.removes().then(|| change.pattern.clone());
        faults.push(changed(change.named(), removed, Recipe::Field(change)));
    }
    faults.push(Fault { name: "a minute late".into(), class: Class::Late, recipe: Recipe::Late });
    if with_large {
        let size = largest.min(MOST_PADDED);
        faults.push(Fault {
            name: format!("with white space up to {size} bytes"),
            class: Class::Same,
            recipe: Recipe::Padded(size),
        });
    }
    faults
}

/// The body and its value, if the answer is a success with content in JSON.
pub(super) fn readable(answer: &Answer) -> Option<(&[u8], Value)> {
    let response =
        answer.as_ref().ok().filter(|response| (200..=299).contains(&response.status))?;
    let value: Value = serde_json::from_slice(&response.body).ok()?;
    (value.is_object() || value.is_array()).then_some((response.body.trim_ascii(), value))
}

impl Fault {
    /// Whether it is a success from which nothing can be read: every connector that reads the
    /// answer fails.
    pub(super) fn is_unreadable_success(&self) -> bool {
        let succeeds = match &self.recipe {
            Recipe::Page { status, .. } => *status == 200,
            Recipe::Cut(_) | Recipe::Utf16 | Recipe::Deep { field: false } => true,
            _ => false,
        };
        succeeds && self.class == Class::Unreadable
    }

    /// Its kind.
    pub(super) fn kind(&self) -> Kind {
        match &self.recipe {
            Recipe::NoAnswer(_) => Kind::NoAnswer,
            Recipe::Page { body, .. } if body.is_empty() => Kind::WithoutBody,
            Recipe::Page { kind, .. } if *kind != JSON => Kind::WebPage,
            Recipe::Page { status: 200, .. } => Kind::OtherBody,
            Recipe::Page { status, .. } => Kind::Status(status / 100),
            Recipe::Cut(_) => Kind::Cut,
            Recipe::Deep { .. } => Kind::Nested,
            Recipe::Field(change) => Kind::Field(change.pattern.clone()),
            Recipe::Utf16 | Recipe::BadText => Kind::Bytes,
            Recipe::Padded(_) | Recipe::Late => Kind::Right,
        }
    }

    /// The column of a report that it belongs to.
    pub(super) fn column(&self) -> FaultKind {
        match self.kind() {
            Kind::NoAnswer => FaultKind::NoAnswer,
            Kind::Status(3) => FaultKind::Redirect,
            Kind::Status(4) => FaultKind::Refused,
            Kind::Status(_) => FaultKind::Broken,
            Kind::WithoutBody => FaultKind::Empty,
            Kind::WebPage => FaultKind::WebPage,
            Kind::OtherBody => FaultKind::Other,
            Kind::Cut => FaultKind::Cut,
            Kind::Nested => FaultKind::Nested,
            Kind::Field(_) => FaultKind::Field,
            Kind::Bytes => FaultKind::Bytes,
            Kind::Right => FaultKind::Right,
        }
    }

    /// The injected fault for an exchange with this answer.
    pub(super) fn injected(&self, right: &Answer) -> InjectedFault {
        let page = |status, kind: &str, body| {
            InjectedFault::Answer(Ok(Response {
                status,
                headers: vec![("content-type".to_owned(), kind.to_owned())],
                body,
            }))
        };
        let instead = |change: &dyn Fn(&[u8]) -> Vec<u8>| {
            let body = right
                .as_ref()
                .map(|response| change(response.body.trim_ascii()))
                .unwrap_or_default();
            let (status, headers) = right
                .as_ref()
                .map(|right| (right.status, right.headers.clone()))
                .unwrap_or((200, Vec::new()));
            InjectedFault::Answer(Ok(Response { status, headers, body }))
        };
        let parsed = |body: &[u8]| serde_json::from_slice::<Value>(body).unwrap_or_default();
        match &self.recipe {
            Recipe::NoAnswer(error) => InjectedFault::Answer(Err(error.clone())),
            Recipe::Page { status, kind, body } => page(*status, kind, body.clone()),
            Recipe::Cut(at) => instead(&|body| body.get(..*at).unwrap_or_default().to_vec()),
            Recipe::Utf16 => instead(&|body| {
                let text = String::from_utf8_lossy(body);
                std::iter::once(0xfeff)
                    .chain(text.encode_utf16())
                    .flat_map(u16::to_le_bytes)
                    .collect()
            }),
            Recipe::BadText => instead(&|body| {
                let mut bad = body.to_vec();
                if let Some(byte) = bad_text(body).and_then(|at| bad.get_mut(at)) {
                    *byte = 0xff;
                }
                bad
            }),
            Recipe::Deep { field: false } => instead(&|_| nested()),
            // The body ends with the brace of its root object.
            Recipe::Deep { field: true } => instead(&|body| {
                let open = body.strip_suffix(b"}").unwrap_or(body).trim_ascii_end();
                let comma: &[u8] = if open == b"{" { b"" } else { b"," };
                [open, comma, b"\"unknown\":", &nested(), b"}"].concat()
            }),
            Recipe::Field(change) => instead(&|body| {
                serde_json::to_vec(&change.applied(&parsed(body))).unwrap_or_default()
            }),
            Recipe::Padded(size) => {
                InjectedFault::Padded(usize::try_from(*size).unwrap_or_default())
            }
            Recipe::Late => InjectedFault::Late,
        }
    }
}

const JSON: &str = "application/json";

fn without_answer(largest: u64) -> Vec<Fault> {
    [
        ("the connection failed", TransportError::Connection("the connection was closed".into())),
        ("no answer in time", TransportError::TimedOut),
        ("an answer that is too large", TransportError::TooLarge(largest)),
        (
            "no answer for another reason",
            TransportError::Other("the answer could not be read".into()),
        ),
    ]
    .map(|(name, error)| Fault {
        name: name.to_owned(),
        class: Class::Unreadable,
        recipe: Recipe::NoAnswer(error),
    })
    .into()
}

/// An error in the form that most services use, with made-up texts.
fn error_body(status: u16, word: &str) -> String {
    let text = format!("{word} refused this");
    json!({
        "code": status,
        "error": text,
        "message": text,
        "errors": [{"status": status.to_string(), "code": format!("E-{status}"), "title": text, "detail": text, "message": text}],
    })
    .to_string()
}

fn web_page(word: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html><head><title>{word}</title></head><body><h1>{word}</h1><p>Please \
         sign in, {word}.</p></body></html>\n"
    )
}

/// Other values in place of the whole answer. An empty object or list has little content, but may
/// be a real answer.
fn in_place_of(root: &Value, word: &str) -> Vec<(&'static str, Class, String)> {
    let mut others = vec![
        ("null", Class::Unreadable, "null".to_owned()),
        ("a number", Class::Unreadable, "42".to_owned()),
        ("a text", Class::Unreadable, json!(word).to_string()),
    ];
    if root.is_object() {
        others.push(("an empty list", Class::Unreadable, "[]".to_owned()));
        others.push(("an empty object", Class::Changed { removed: None }, "{}".to_owned()));
    } else {
        others.push(("an empty object", Class::Unreadable, "{}".to_owned()));
    }
    others
}

/// Where the body is cut: before its last byte, and at pseudo-random places that are the same each
/// time.
fn cuts(body: &[u8]) -> Vec<usize> {
    let last = body.len().saturating_sub(1);
    let digest = Sha256::digest(body);
    let random =
        digest.chunks_exact(8).filter_map(|bytes| Some(u64::from_le_bytes(bytes.try_into().ok()?)));
    let places = random
        .filter_map(|random| usize::try_from(random.checked_rem(u64::try_from(last).ok()?)?).ok());
    let mut cuts: Vec<usize> = places.take(CUTS).chain([last]).filter(|at| *at > 0).collect();
    cuts.sort_unstable();
    cuts.dedup();
    cuts
}

/// The offset of a byte within a text that is a value.
fn bad_text(body: &[u8]) -> Option<usize> {
    let begin = body
        .windows(3)
        .position(|window| matches!(window, [b':', b'"', sign] if sign.is_ascii_alphanumeric()))?;
    Some(begin + 2)
}

fn nested() -> Vec<u8> {
    [b"[".repeat(NESTED), b"]".repeat(NESTED)].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(body: &str) -> Answer {
        Ok(Response {
            status: 200,
            headers: vec![("content-type".into(), JSON.into())],
            body: body.as_bytes().to_vec(),
        })
    }

    const PAGE: &str = "{\"data\":[{\"id\":\"a\"}],\"total\":1}\n";

    const WORD: &str = "quetzalfeder";

    #[test]
    fn each_component_has_a_word_of_its_own_that_stays() {
        let word = word_for("sha256:00");
        assert!(
            word.len() == LETTERS && word.bytes().all(|byte| byte.is_ascii_lowercase()),
            "{word}"
        );
        assert_eq!(word, word_for("sha256:00"));
        assert_ne!(word, word_for("sha256:01"));
    }

    #[test]
    fn the_largest_answer_is_bounded_whatever_the_limit_is() {
        let names = |largest| {
            faults(&answer(PAGE), WORD, largest, true)
                .into_iter()
                .map(|fault| fault.name)
                .collect::<Vec<_>>()
        };
        assert!(names(u64::MAX).contains(&"with white space up to 16777216 bytes".to_owned()));
        assert!(names(64).contains(&"with white space up to 64 bytes".to_owned()));
    }

    /// The body of the fault with this name.
    fn made(name: &str) -> Vec<u8> {
        let right = answer(PAGE);
        let fault =
            faults(&right, WORD, 64, true).into_iter().find(|fault| fault.name == name).unwrap();
        let InjectedFault::Answer(Ok(response)) = fault.injected(&right) else {
            panic!("{name} is no answer")
        };
        response.body
    }

    #[test]
    fn every_column_of_a_report_has_a_fault() {
        let faults = faults(&answer("{\"a\": \"b\", \"c\": 1}"), "word", 1_000, true);
        let columns: std::collections::BTreeSet<_> = faults.iter().map(Fault::column).collect();
        assert_eq!(columns, FaultKind::ALL.into());
    }

    #[test]
    fn every_fault_of_the_table_is_there_and_has_a_name_of_its_own() {
        let all = faults(&answer(PAGE), WORD, 64, true);
        let mut names: Vec<_> = all.iter().map(|fault| fault.name.clone()).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all.len());
        assert_eq!(
            all.iter().filter(|fault| fault.name.starts_with("status ")).count(),
            STATUSES.len() + 2
        );
        assert_eq!(
            all.iter().filter(|fault| fault.name.starts_with("cut after ")).count(),
            CUTS + 1
        );
        assert_eq!(
            faults(&Err(TransportError::TimedOut), WORD, 64, true).len(),
            4 + STATUSES.len() + 5
        );
    }

    #[test]
    fn the_answers_are_what_their_names_say() {
        assert_eq!(made("status 204 without a body"), b"");
        assert_eq!(made("cut after 30 of 31 bytes"), &PAGE.as_bytes()[..30]);
        assert_eq!(made("in UTF-16")[..4], [0xff, 0xfe, b'{', 0]);
        assert_eq!(made("a text that is no UTF-8"), b"{\"data\":[{\"id\":\"\xff\"}],\"total\":1}");
        assert_eq!(made("`total` left out"), b"{\"data\":[{\"id\":\"a\"}]}");
        let deep = made("an unknown field nested 10000 deep");
        assert!(
            deep.starts_with(b"{\"data\":[{\"id\":\"a\"}],\"total\":1,\"unknown\":[[[")
                && deep.ends_with(b"]]]}")
        );
    }

    #[test]
    fn the_word_stands_in_every_text_that_is_made_up_and_in_no_answer_that_is_not() {
        let right = answer(PAGE);
        for fault in faults(&right, WORD, 64, true) {
            let InjectedFault::Answer(Ok(response)) = fault.injected(&right) else { continue };
            let holds = String::from_utf8_lossy(&response.body).contains(WORD);
            let made_up = fault.name.starts_with("status ") && !fault.name.contains("without")
                || fault.name.contains("web page")
                || fault.name.starts_with("an error")
                || fault.name.ends_with("a text")
                || fault.name.starts_with("a text in place");
            // A number becomes the text of its digits, which is not a made-up text.
            assert_eq!(holds, made_up && fault.name != "`total` a text", "{}", fault.name);
        }
    }
}
