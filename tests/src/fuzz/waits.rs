//! Target `waits`: how long a server can make a run wait, and how often it gets requests.
//!
//! An input is the run's budget in seconds, followed by `once` if a request must not be retried,
//! and one part for each answer: a status with headers, or `timed-out`. The last answer is
//! repeated.
//!
//! Property: a request ends after few tries: one a minute of the budget, and twenty more where the
//! service limits; the total wait is within the budget and equals the clock's. A request that must
//! not be retried is sent once. A wait that the server gives in seconds is not shortened.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use smp_host::http::clock::{BoxFuture, Clock, VirtualClock};
use smp_host::http::policy::Allowed;
use smp_host::http::retry::{GivenUp, Jitter, Retrier};
use smp_host::http::transport::{Method, Request, Response, Transport, TransportError};
use smp_host::observer::Events;

use super::parts::{first_line, parts};

/// Texts with a meaning in the headers of a wait.
pub const DICTIONARY: &[&str] = &[
    "\u{1e}",
    "once",
    "200",
    "429 ",
    "503 ",
    "timed-out",
    "retry-after: ",
    "retry-after: 20.5",
    "ratelimit-reset: ",
    "1700000000000",
    "retry-after: 18446744073709551615",
    "retry-after: Wed, 21 Oct 2026 07:28:00 GMT",
    "date: Wed, 21 Oct 2026 07:27:00 GMT",
    "Sunday, 06-Nov-94 08:49:37 GMT",
    "Sun Nov  6 08:49:37 1994",
    "x-ratelimit-reset: ",
    "2026-01-01T00:00:00Z",
    "9999-12-30T22:00:00Z",
    "-009999-01-02T01:59:59Z",
    "; ",
];

/// Most tries of one request, besides one a minute of the budget.
const MOST_TRIES: u64 = 20;

/// Longest budget, in seconds: a day, which is the most that the command takes.
const LONGEST_BUDGET: u64 = 86_400;

type Answer = Result<Response, TransportError>;

/// Runs the target.
pub fn run(data: &[u8]) {
    let mut parts = parts(data);
    let (line, _) = first_line(parts.next().unwrap_or_default());
    let repeatable = !line.contains("once");
    let seconds: u64 = line.split(' ').next().and_then(|word| word.parse().ok()).unwrap_or(900);
    let budget = Duration::from_secs(seconds.min(LONGEST_BUDGET));
    let answers: Vec<Answer> = parts.map(answer).collect();
    let (clock, script) = (
        Arc::new(VirtualClock::default()),
        Arc::new(Script { answers: answers.clone(), sent: Mutex::default() }),
    );
    let mut retrier = Retrier::new(
        Arc::clone(&script) as _,
        Arc::clone(&clock) as _,
        None,
        Events::nowhere(),
        Jitter::None,
        budget,
    );

    let allowed = Allowed {
        endpoint: "GET /x".into(),
        repeatable,
        request_headers: std::sync::Arc::default(),
        response_headers: std::sync::Arc::default(),
    };
    let request = Request {
        method: Method::Get,
        path_and_query: "/x".into(),
        body: None,
        headers: std::sync::Arc::default(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let ended = runtime.block_on(retrier.send(&request, &allowed));
    let figures = retrier.figures().now();

    let sent = *script.sent.lock().expect("a lock");
    assert_eq!((figures.requests, figures.retries), (sent, sent - 1));
    let most = if repeatable { MOST_TRIES + budget.as_secs() / 60 } else { 1 };
    assert!((1..=most).contains(&sent), "{sent} tries");
    assert!(
        u128::from(figures.waited_ms) <= budget.as_millis() + u128::from(sent),
        "waited {} ms",
        figures.waited_ms
    );
    assert!(clock.now().as_millis().abs_diff(figures.waited_ms.into()) <= u128::from(sent));
    let named: u64 = (0..sent - 1)
        .map(|number| script.given(number))
        .filter_map(|answer| named_seconds(&answer))
        .fold(0, u64::saturating_add);
    assert!(clock.now() >= Duration::from_secs(named), "{named} s were asked for");
    match (ended, script.given(sent - 1)) {
        (Ok(response), Ok(last)) => assert_eq!(response, last),
        (Err(GivenUp::Status { status, .. }), Ok(last)) => assert_eq!(status, last.status),
        (Err(GivenUp::NoAnswer(error)), Err(last)) => assert_eq!(error, last),
        other => panic!("another end than the last answer: {other:?}"),
    }
}

/// The seconds of a plain `retry-after` of an answer that has one, and is no success. Larger
/// numbers are Unix time.
fn named_seconds(answer: &Answer) -> Option<u64> {
    let response = answer.as_ref().ok().filter(|answer| !(200..=299).contains(&answer.status))?;
    let value = response.header("retry-after")?;
    let seconds: u64 =
        value.bytes().all(|byte| byte.is_ascii_digit()).then(|| value.parse())?.ok()?;
    (seconds < 100_000_000).then_some(seconds)
}

fn answer(part: &[u8]) -> Answer {
    let (line, _) = first_line(part);
    let (status, rest) = line.split_once(' ').unwrap_or((&line, ""));
    if status == "timed-out" {
        return Err(TransportError::TimedOut);
    }
    let header =
        |text: &str| text.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned()));
    Ok(Response {
        status: status.parse().unwrap_or(429),
        headers: rest.split("; ").filter_map(header).collect(),
        body: Vec::new(),
    })
}

/// A transport that answers from the input.
struct Script {
    answers: Vec<Answer>,
    sent: Mutex<u64>,
}

impl Script {
    fn given(&self, number: u64) -> Answer {
        let number = usize::try_from(number).unwrap_or(usize::MAX);
        self.answers
            .get(number)
            .or(self.answers.last())
            .cloned()
            .unwrap_or(Err(TransportError::TimedOut))
    }
}

impl Transport for Script {
    fn send<'a>(&'a self, _: &'a Request) -> BoxFuture<'a, Answer> {
        let mut sent = self.sent.lock().expect("a lock");
        let answer = self.given(*sent);
        *sent += 1;
        Box::pin(std::future::ready(answer))
    }
}
