//! Target `recording`: recordings of any answers, unchanged and anonymized.
//!
//! An input is one part for each exchange: a line with the path and query, a line with the status
//! and headers or the reason why there was no answer, and the body.
//!
//! Property: every possible exchange is recorded, and read back unchanged. The anonymized recording
//! has the same requests and statuses, and no e-mail address of an answer.

use std::path::Path;
use std::sync::{Arc, Mutex};

use smp_host::http::clock::{BoxFuture, VirtualClock};
use smp_host::http::transport::{Method, Request, Response, Transport, TransportError};
use smp_replay::fixture::{Anonymizer, Phase, Recorder};

use super::har::{as_recorded, opened};
use super::parts::{first_line, parts};
use super::{policy, scratch};

/// Texts with a meaning in an exchange.
pub const DICTIONARY: &[&str] = &[
    "\u{1e}",
    "/admin/v1/orgs",
    "/admin/v1/orgs/a1/users?cursor=",
    ADDRESS,
    "zqjx%40acme.example",
    "zqjx\\u0040acme.example",
    "200 content-type: application/json",
    "429 retry-after: 7",
    "302 location: /x?y#z",
    "999",
    "timed-out",
    "too-large 7",
    "connection ",
    "other ",
    "; ",
    "x-ratelimit-reset: soon",
    "content-type: text/html",
    "{\"email\":\"",
    "\"nickname\":\"",
    "\"",
    "\\",
    "\\u",
    "%",
    "%2",
    "+",
    "\u{fffd}",
    "\u{e9}",
    "\0",
];

/// The address, which no made-up value contains.
const ADDRESS: &str = "zqjx@acme.example";

/// Most exchanges: more would only repeat what fewer show.
const MOST: usize = 16;

type Answer = Result<Response, TransportError>;

/// Runs the target.
pub fn run(data: &[u8]) {
    let policy = policy::connectors_own("a1");
    let exchanges: Vec<(Request, Answer)> = parts(data)
        .map(exchange)
        .filter(|(request, _)| policy.check(request).is_ok())
        .take(MOST)
        .collect();
    let home = scratch::folder();

    let recorded = recording(&exchanges, &home.path().join("plain"), None);
    assert_eq!(
        recorded,
        exchanges.iter().map(|(_, answer)| as_recorded(answer.clone())).collect::<Vec<_>>()
    );

    // A path that contains the address differs in the recording, so a replay sends what the answers
    // have.
    let unnamed: Vec<_> = exchanges
        .into_iter()
        .filter(|(request, _)| !request.path_and_query.contains(['@', '%']))
        .collect();
    let anonymous = recording(&unnamed, &home.path().join("anonymous"), Some(Anonymizer::new()));
    for (one, (_, other)) in anonymous.iter().zip(&unnamed) {
        assert_eq!(
            one.as_ref().map(|response| response.status).ok(),
            other.as_ref().map(|response| response.status).ok()
        );
        let told = format!(
            "{:?}",
            one.as_ref()
                .map(|response| (&response.headers, String::from_utf8_lossy(&response.body)))
        );
        assert!(!told.contains(ADDRESS), "{told}");
    }
}

/// Records the exchanges, reads the recording, and replays it.
fn recording(
    exchanges: &[(Request, Answer)],
    target: &Path,
    anonymizer: Option<Anonymizer>,
) -> Vec<Answer> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let script =
        Script(Mutex::new(exchanges.iter().map(|(_, answer)| answer.clone()).rev().collect()));
    let recorder = Recorder::new(
        Arc::new(script),
        Arc::new(VirtualClock::default()),
        "https://api.example.test",
        target,
    );
    let recorder = recorder.expect("a recording");
    recorder.enter(Phase::Collect);
    for (request, answer) in exchanges {
        assert_eq!(&runtime.block_on(recorder.send(request)), answer);
    }
    assert_eq!(recorder.exchanges(), exchanges.len());
    let draft = recorder.finish(&Default::default(), anonymizer).expect("a recording");
    let replay = opened(draft.path()).expect("a recording that can be read");
    replay.enter(Phase::Collect);
    let answers =
        exchanges.iter().map(|(request, _)| runtime.block_on(replay.send(request))).collect();
    assert_eq!(replay.left_over(), None);
    answers
}

fn exchange(part: &[u8]) -> (Request, Answer) {
    let (path_and_query, rest) = first_line(part);
    let (line, body) = first_line(rest);
    let (word, rest) = line.split_once(' ').unwrap_or((&line, ""));
    let answer = match word {
        "timed-out" => Err(TransportError::TimedOut),
        "too-large" => Err(TransportError::TooLarge(rest.parse().unwrap_or(7))),
        "connection" => Err(TransportError::Connection(rest.to_owned())),
        "untrusted" => Err(TransportError::Untrusted(rest.into())),
        "other" => Err(TransportError::Other(rest.to_owned())),
        status => {
            let is_name =
                |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            let pair = |text: &str| {
                text.split_once(": ")
                    .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            };
            let header = |text: &str| pair(text).filter(|(name, _)| is_name(name));
            // A valid status: three digits.
            let status =
                status.parse().ok().filter(|status| (100..1_000).contains(status)).unwrap_or(200);
            Ok(Response {
                status,
                headers: rest.split("; ").filter_map(header).collect(),
                body: body.to_vec(),
            })
        }
    };
    (
        Request {
            method: Method::Get,
            path_and_query,
            body: None,
            headers: std::sync::Arc::default(),
        },
        answer,
    )
}

/// A transport that gives these answers, the last of the list first.
struct Script(Mutex<Vec<Answer>>);

impl Transport for Script {
    fn send<'a>(&'a self, _: &'a Request) -> BoxFuture<'a, Answer> {
        let answer = self.0.lock().expect("a lock").pop();
        Box::pin(std::future::ready(answer.unwrap_or(Err(TransportError::TimedOut))))
    }
}
