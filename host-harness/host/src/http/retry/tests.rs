//! Tests of retries, on a clock that is paused and a scripted transport.

use std::collections::VecDeque;
use std::sync::Mutex;

use super::*;
use crate::failure::Code;
use crate::http::clock::{BoxFuture, SystemClock};
use crate::http::pace::{Rate, Slot, Waited};
use crate::http::transport::Method;
use crate::observer::{Context, Ended, Fault, Observer};

type Answer = Result<Response, TransportError>;

#[derive(Default)]
struct Script {
    answers: Mutex<VecDeque<Answer>>,
    forever: Option<Answer>,
}

impl Transport for Script {
    fn send<'a>(&'a self, _: &'a Request) -> BoxFuture<'a, Answer> {
        let answer = self
            .answers
            .lock()
            .unwrap()
            .pop_front()
            .or_else(|| self.forever.clone())
            .expect("no more answers");
        Box::pin(std::future::ready(answer))
    }
}

fn answer(status: u16, headers: &[(&str, &str)]) -> Answer {
    let headers =
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Ok(Response { status, headers, body: b"[]".to_vec() })
}

fn page(body: &str) -> Answer {
    Ok(Response { status: 200, headers: Vec::new(), body: body.into() })
}

fn retrier(script: Script, budget: Duration) -> Retrier {
    let clock = Arc::new(SystemClock::default());
    Retrier::new(Arc::new(script), clock, None, Events::nowhere(), Jitter::None, budget)
}

fn allowed(repeatable: bool) -> Allowed {
    Allowed {
        endpoint: "GET /x".into(),
        repeatable,
        request_headers: Arc::default(),
        response_headers: Arc::default(),
    }
}

fn request() -> Request {
    Request {
        method: Method::Get,
        path_and_query: "/x".into(),
        body: None,
        headers: Arc::default(),
    }
}

async fn sent(answers: Vec<Answer>, budget_s: u64) -> (Result<u16, GivenUp>, Figures) {
    let mut retrier = retrier(
        Script { answers: Mutex::new(answers.into()), forever: None },
        Duration::from_secs(budget_s),
    );
    let outcome = retrier.send(&request(), &allowed(true)).await.map(|response| response.status);
    (outcome, retrier.figures().now())
}

#[tokio::test(start_paused = true)]
async fn a_fault_that_passes_is_waited_out() {
    for fault in [
        answer(429, &[]),
        answer(500, &[]),
        answer(503, &[]),
        answer(408, &[]),
        answer(425, &[]),
        answer(302, &[]),
        answer(409, &[]),
        answer(206, &[]),
        page(r#"{"data":[],"errors":[{}]}"#),
        page(r#"{"message":"maintenance"}"#),
        page(""),
        page("<html>"),
        page(r#"{"data":[{"#),
        Err(TransportError::TimedOut),
        Err(TransportError::Connection("x".into())),
    ] {
        let (outcome, figures) = sent(vec![fault.clone(), fault, answer(200, &[])], 60).await;
        assert_eq!(outcome, Ok(200));
        assert_eq!((figures.requests, figures.retries, figures.waited_ms), (3, 2, 1500));
    }
}

#[tokio::test(start_paused = true)]
async fn the_wait_is_the_one_that_the_server_names() {
    for (status, value, waited_ms) in [
        (429, "7", 7_000),
        (503, "7", 7_000),
        (429, "20.5", 20_500),
        (429, "0", 500),
        (429, "soon", 500),
    ] {
        let limited = answer(status, &[("retry-after", value)]);
        let (outcome, figures) = sent(vec![limited, answer(200, &[])], 60).await;
        assert_eq!((outcome, figures.waited_ms), (Ok(200), waited_ms), "{status} {value}");
    }
}

#[tokio::test(start_paused = true)]
async fn much_later_ends_the_run_whatever_its_budget() {
    for (value, seconds) in [("86400", None), ("86401", Some(86_401)), (&"9".repeat(99), None)] {
        let limited = answer(429, &[("retry-after", value)]);
        let budget = Duration::MAX;
        let mut retrier = retrier(
            Script { answers: Mutex::new(vec![limited, answer(200, &[])].into()), forever: None },
            budget,
        );
        let outcome = retrier.send(&request(), &allowed(true)).await;
        let ended = matches!(outcome, Err(GivenUp::Status { retry_after: Some(wait), .. })
            if seconds.is_none_or(|seconds| wait == Duration::from_secs(seconds)));
        assert_eq!(ended, value != "86400", "{value}");
        assert_eq!(retrier.overrun(), None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_would_overrun_the_budget_is_not_begun() {
    let (outcome, figures) = sent(vec![answer(429, &[("retry-after", "61")])], 60).await;
    assert_eq!(
        outcome,
        Err(GivenUp::Status { status: 429, retry_after: Some(Duration::from_secs(61)) })
    );
    assert_eq!((figures.requests, figures.waited_ms), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn the_budget_is_of_the_run_and_not_of_one_request() {
    let answers = vec![
        answer(429, &[("retry-after", "40")]),
        answer(200, &[]),
        answer(429, &[("retry-after", "40")]),
    ];
    let mut retrier = retrier(
        Script { answers: Mutex::new(answers.into()), forever: None },
        Duration::from_secs(60),
    );
    assert!(retrier.send(&request(), &allowed(true)).await.is_ok());
    assert!(retrier.send(&request(), &allowed(true)).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn tries_are_bounded() {
    for (forever, tries) in
        [(answer(503, &[]), TRIES), (answer(503, &[("retry-after", "0.001")]), TRIES_WHEN_TOLD)]
    {
        let mut retrier = retrier(
            Script { forever: Some(forever), ..Script::default() },
            Duration::from_secs(3600),
        );
        assert!(retrier.send(&request(), &allowed(true)).await.is_err());
        assert_eq!(retrier.figures().now().requests, u64::from(tries));
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_is_waited_out_as_long_as_the_budget_lasts() {
    let none: &[(&str, &str)] = &[];
    for (headers, budget_s, requests, waited_ms) in [
        (none, 0, 1, 0),
        (none, 1, 3, 1_000),
        (none, 30, 7, 30_000),
        // 0.5 to 32 seconds, 13 times a minute, and the rest.
        (none, 900, 22, 900_000),
        (&[("retry-after", "7")], 30, 5, 28_000),
        // What the server names counts ten times; then the waits grow.
        (&[("retry-after", "0.001")], 1, 12, 1_000),
        (&[("retry-after", "0.001")], 900, 31, 900_000),
        (&[("retry-after", "70")], 900, 13, 840_000),
    ] {
        let limited = answer(429, headers);
        let mut retrier = retrier(
            Script { forever: Some(limited), ..Script::default() },
            Duration::from_secs(budget_s),
        );
        let outcome = retrier.send(&request(), &allowed(true)).await;
        assert!(matches!(outcome, Err(GivenUp::Status { status: 429, .. })), "{outcome:?}");
        let figures = retrier.figures().now();
        assert_eq!(
            (figures.requests, figures.waited_ms),
            (requests, waited_ms),
            "{headers:?} {budget_s}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_bad_page_is_asked_for_again_four_times_and_then_handed_on() {
    let retrier = |answers: Vec<Answer>, forever, budget_s| {
        let answers = Mutex::new(answers.into());
        retrier(Script { answers, forever }, Duration::from_secs(budget_s))
    };
    let mut stays = retrier(vec![], Some(page("<html>")), 60);
    assert_eq!(stays.send(&request(), &allowed(true)).await, Ok(page("<html>").unwrap()));
    assert!(stays.met_bad_page());
    let figures = stays.figures().now();
    assert_eq!((figures.requests, figures.waited_ms), (5, 7_500));
    // The next request meets the same, and costs no wait.
    assert!(stays.send(&request(), &allowed(true)).await.is_ok());
    assert_eq!(stays.figures().now().requests, 6);

    for (budget, requests) in [(0, 1), (1, 2), (3, 3), (4, 4)] {
        let mut short = retrier(vec![], Some(page("")), budget);
        assert_eq!(short.send(&request(), &allowed(true)).await, Ok(page("").unwrap()));
        assert_eq!(short.figures().now().requests, requests, "{budget}");
    }

    let good = || answer(200, &[]);
    let mut passes = retrier(vec![page(""), good(), page(""), good()], None, 60);
    for _ in 0..2 {
        assert_eq!(passes.send(&request(), &allowed(true)).await, good().map_err(|_| panic!()));
        assert!(!passes.met_bad_page());
    }
    assert_eq!(passes.figures().now().waited_ms, 1_000);
}

#[tokio::test(start_paused = true)]
async fn what_refuses_a_page_within_a_list_is_asked_again_and_not_a_first_one() {
    let refusal =
        |status, body: &str| Ok(Response { status, headers: Vec::new(), body: body.into() });
    let large = || Err(TransportError::TooLarge(9));
    for (bad, requests) in [
        (refusal(404, "{}"), 3),
        (refusal(400, "<html>"), 3),
        (refusal(418, r#"{"message":"x"}"#), 3),
        (large(), 3),
        (refusal(400, r#"{"errors":[{"code":"X"}]}"#), 1),
        (refusal(407, ""), 1),
        (refusal(403, "<html>"), 1),
    ] {
        for (page, requests) in [(1, 1), (2, requests), (7, requests)] {
            let answers = vec![bad.clone(), bad.clone(), answer(200, &[])];
            let script = Script { answers: Mutex::new(answers.into()), forever: None };
            let mut retrier = retrier(script, Duration::from_secs(60));
            retrier.serve(Call::Collect { page });
            let outcome = retrier.send(&request(), &allowed(true)).await;
            assert_eq!(retrier.figures().now().requests, requests, "{page} {bad:?}");
            let came = outcome.is_ok_and(|response| response.status == 200);
            assert_eq!(came, requests == 3, "{page} {bad:?}");
        }
    }
    let mut stays =
        retrier(Script { forever: Some(large()), ..Script::default() }, Duration::from_secs(60));
    stays.serve(Call::Usage { page: 2 });
    let ended = stays.send(&request(), &allowed(true)).await;
    assert_eq!(ended, Err(GivenUp::NoAnswer(TransportError::TooLarge(9))));
    assert_eq!(stays.figures().now().requests, 5);
}

#[tokio::test(start_paused = true)]
async fn a_408_waits_as_it_asks_and_a_refusal_by_a_web_page_not_at_all() {
    let asks = answer(408, &[("retry-after", "3")]);
    let (outcome, figures) = sent(vec![asks, answer(200, &[])], 60).await;
    assert_eq!((outcome, figures.waited_ms), (Ok(200), 3_000));
    let refused = Response { status: 403, headers: Vec::new(), body: b"<html>".to_vec() };
    let mut retrier = retrier(
        Script { forever: Some(Ok(refused)), ..Script::default() },
        Duration::from_secs(60),
    );
    assert!(retrier.send(&request(), &allowed(true)).await.is_ok());
    assert_eq!((retrier.figures().now().requests, retrier.met_bad_page()), (1, true));
}

#[tokio::test(start_paused = true)]
async fn a_fixture_that_has_a_bad_page_or_a_limit_once_has_it_for_good() {
    let used_up = || Err(TransportError::Fixture("used up".into()));
    let limited = GivenUp::Status { status: 429, retry_after: None };
    for (answers, outcome) in [
        (vec![page("{"), used_up()], Ok(200)),
        (vec![answer(429, &[]), used_up()], Err(limited)),
        (
            vec![answer(503, &[]), used_up()],
            Err(GivenUp::NoAnswer(TransportError::Fixture("used up".into()))),
        ),
    ] {
        assert_eq!(sent(answers, 60).await.0, outcome);
    }
}

#[tokio::test(start_paused = true)]
async fn what_may_change_something_is_sent_once() {
    let mut retrier = retrier(
        Script { forever: Some(answer(503, &[])), ..Script::default() },
        Duration::from_secs(60),
    );
    assert!(retrier.send(&request(), &allowed(false)).await.is_err());
    assert_eq!(retrier.figures().now().requests, 1);
}

#[tokio::test(start_paused = true)]
async fn other_answers_and_other_faults_are_not_repeated() {
    for (script, outcome) in [
        (answer(404, &[]), Ok(404)),
        (answer(401, &[]), Ok(401)),
        (Err(TransportError::TooLarge(9)), Err(GivenUp::NoAnswer(TransportError::TooLarge(9)))),
        (
            Err(TransportError::Fixture("x".into())),
            Err(GivenUp::NoAnswer(TransportError::Fixture("x".into()))),
        ),
    ] {
        assert_eq!(sent(vec![script], 60).await.0, outcome);
    }
}

#[test]
fn random_waits_stay_between_half_and_the_whole() {
    let mut retrier = retrier(Script::default(), Duration::ZERO);
    retrier.jitter = Jitter::Random;
    for _ in 0..200 {
        let wait = retrier.backoff(3);
        assert!((Duration::from_secs(1)..=Duration::from_secs(2)).contains(&wait), "{wait:?}");
    }
}

/// Notes each request and event, one per line.
#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl Observer for Heard {
    fn event(&self, context: &Context, event: &Event<'_>) {
        assert_eq!((context.run.as_str(), context.account.as_str()), ("r", "a"));
        let line = match event {
            Event::Request(sent) => {
                let Some(next) = sent.next else {
                    return self.note(format!("{} {:?}", sent.number, sent.ended));
                };
                format!("{} {:?} {:?}: {}", sent.number, sent.ended, next.wait, next.reason)
            }
            Event::Waiting { tries, .. } => format!("waits after {tries}"),
            other => format!("{other:?}"),
        };
        self.note(line);
    }
}

impl Heard {
    fn note(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }

    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

fn overheard(script: impl Transport + 'static, budget_s: u64) -> (Retrier, Arc<Heard>) {
    let (clock, heard) = (Arc::new(SystemClock::default()), Arc::<Heard>::default());
    let context = Context { run: "r".into(), account: "a".into(), connector: "c".into() };
    let events = Events::new(Arc::clone(&heard) as _, context);
    let budget = Duration::from_secs(budget_s);
    (Retrier::new(Arc::new(script), clock, None, events, Jitter::None, budget), heard)
}

#[tokio::test(start_paused = true)]
async fn each_try_is_told_with_its_number_its_end_and_the_wait_that_follows() {
    let too_many = "the service asks for fewer requests (429)";
    let late = "the service did not answer in time";
    let ok = "Answered { status: 200, bytes: 2 }";
    let told_429 = answer(429, &[("retry-after", "7")]);
    for (answers, repeatable, lines) in [
        (vec![answer(200, &[])], true, vec![format!("1 {ok}")]),
        (vec![answer(404, &[])], true, vec!["1 Answered { status: 404, bytes: 2 }".into()]),
        (
            vec![told_429.clone(), Err(TransportError::TimedOut), answer(200, &[])],
            true,
            vec![
                format!("1 Answered {{ status: 429, bytes: 2 }} 7s: {too_many}"),
                "waits after 1".into(),
                format!("2 Unanswered(TimedOut) 1s: {late}"),
                "waits after 2".into(),
                format!("3 {ok}"),
            ],
        ),
        (vec![told_429], false, vec!["1 Answered { status: 429, bytes: 2 }".into()]),
        (
            vec![answer(429, &[("retry-after", "61")])],
            true,
            vec!["1 Answered { status: 429, bytes: 2 }".into()],
        ),
    ] {
        let script = Script { answers: Mutex::new(answers.into()), forever: None };
        let (mut retrier, heard) = overheard(script, 60);
        let _answer = retrier.send(&request(), &allowed(repeatable)).await;
        assert_eq!(heard.lines(), lines);
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_without_an_answer_is_told_by_its_fault() {
    for (error, fault) in [
        (TransportError::Untrusted("x".into()), Fault::Untrusted),
        (TransportError::TooLarge(9), Fault::TooLarge),
        (TransportError::Denied("x".into()), Fault::Denied),
        (TransportError::Fixture("x".into()), Fault::Fixture),
        (TransportError::Other("x".into()), Fault::Other),
    ] {
        let (mut retrier, heard) =
            overheard(Script { forever: Some(Err(error)), ..Script::default() }, 60);
        assert!(retrier.send(&request(), &allowed(true)).await.is_err());
        assert_eq!(heard.lines(), [format!("1 {:?}", Ended::Unanswered(fault))]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_dropped_is_told_too() {
    struct Never;
    impl Transport for Never {
        fn send<'a>(&'a self, _: &'a Request) -> BoxFuture<'a, Answer> {
            Box::pin(std::future::pending())
        }
    }
    let (mut retrier, heard) = overheard(Never, 60);
    let (request, allowed) = (request(), allowed(true));
    let sending = retrier.send(&request, &allowed);
    assert!(tokio::time::timeout(Duration::from_secs(1), sending).await.is_err());
    assert_eq!(heard.lines(), ["1 Unanswered(Cancelled)"]);
}

/// Gives slots to so many requests, and counts those that are out.
struct Gate {
    left: Mutex<u32>,
    out: Arc<Mutex<u32>>,
}

struct Out(Arc<Mutex<u32>>);

impl Drop for Out {
    fn drop(&mut self) {
        *self.0.lock().unwrap() -= 1;
    }
}

impl SharedPace for Gate {
    fn slot(&self, _: Rate) -> Waited<'_> {
        Box::pin(async {
            let mut left = self.left.lock().unwrap();
            *left = left
                .checked_sub(1)
                .ok_or_else(|| Failure::new(Code::Output, "the gate is closed"))?;
            *self.out.lock().unwrap() += 1;
            Ok(Box::new(Out(Arc::clone(&self.out))) as Slot)
        })
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_without_a_slot_of_the_shared_pace() {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let pacer = Pacer::new(Rate::per_second(100.0).unwrap(), Arc::clone(&clock));
    let script = Script { forever: Some(answer(503, &[])), ..Script::default() };
    let gate = Gate { left: Mutex::new(2), out: Arc::default() };
    let out = Arc::clone(&gate.out);
    let budget = Duration::from_secs(60);
    let (script, pacer) = (Arc::new(script), Some(Arc::new(pacer)));
    let mut retrier = Retrier::new(script, clock, pacer, Events::nowhere(), Jitter::None, budget)
        .sharing(Some(Arc::new(gate)));
    let ended = retrier.send(&request(), &allowed(true)).await;
    let closed = Failure::new(Code::Output, "the gate is closed");
    assert_eq!(ended, Err(GivenUp::NoSlot(closed)));
    assert_eq!(retrier.figures().now().requests, 2, "the third was not sent");
    assert_eq!(*out.lock().unwrap(), 0, "a slot is given back with the answer");
}
