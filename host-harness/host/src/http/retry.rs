//! Bounded retries with back-off and jitter: 429, 5xx, connection faults and bad pages are retried
//! after the wait that the server asks for, within the run's budget.
//!
//! ```text
//! try ─▶ answer ─────────────────────────────────────────────▶ done
//!  ▲  └▶ 429 · 5xx · none · bad page ─▶ may it be retried, are tries and budget left? ─ no ─▶ given up
//!  └──────────── wait ◀──────────────────────────── yes ─┘
//! ```
//! A bad page that stays is handed on for the component to name. Only requests that change nothing
//! are retried. Time comes from a [`Clock`].

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tracing::Instrument;

use super::bad;
use super::clock::Clock;
use super::hint::{self, MUCH_LATER};
use super::pace::Pacer;
use super::policy::Allowed;
use super::sent::Sent;
use super::transport::{Phase, Request, Response, Transport, TransportError};
use crate::failure::Failure;
use crate::observer::{Call, Event, Events, Next};

/// Most tries of one request after 5xx or no answer, if the server names no wait: waits of 0.5, 1,
/// 2, 4 and 8 seconds outlast a restart of a gateway. A longer outage is left to the next run.
const TRIES: u32 = 6;
/// Most tries of one request if the server names its waits. The budget bounds the waits; this bound
/// ends a server that names waits of next to nothing. A 429 is tried on beyond it, after waits of
/// this host's own at least.
const TRIES_WHEN_TOLD: u32 = 10;
/// Most bad pages in a row of a run: after waits of 0.5, 1, 2 and 4 seconds, something stands
/// between here and the service, and the next request meets the same.
const BAD_PAGES: u32 = 5;
/// The first wait. It doubles with each try.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// Longest wait between two tries that the server did not name. Limits are usually counted by the
/// minute.
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);

/// Jitter of waits, so that runs that failed together do not come back together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jitter {
    /// Between half and all of the wait.
    Random,
    /// The whole wait. For replay, where the same traffic must give the same figures.
    None,
}

/// Sends requests of one run until each is answered or given up.
pub struct Retrier {
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    pacer: Option<Arc<Pacer>>,
    events: Events,
    /// The call of the connector that the requests serve.
    call: Call,
    jitter: Jitter,
    /// What is left of the run's budget for waits.
    budget: Duration,
    /// The whole budget for waits.
    whole_budget: Duration,
    /// The budget that would have been enough, if the service asked for a longer wait.
    overrun: Option<Duration>,
    /// How many answers in a row were bad pages.
    bad_pages: u32,
    figures: SharedFigures,
}

/// The figures of a run, shared, because a run may end in the middle of a request.
#[derive(Clone, Debug, Default)]
pub struct SharedFigures(Arc<Mutex<Figures>>);

/// The cost of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Figures {
    /// Requests sent, including retries.
    pub requests: u64,
    /// Retries among them.
    pub retries: u64,
    /// Time waited before retries, in milliseconds, without pacing.
    pub waited_ms: u64,
    /// Bytes of the answers' bodies, decompressed.
    pub bytes: u64,
}

/// Why a request was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GivenUp {
    /// The server kept answering with this 429 or 5xx status.
    Status {
        /// The last status.
        status: u16,
        /// The last wait that the server asked for.
        retry_after: Option<Duration>,
    },
    /// There was no answer.
    NoAnswer(TransportError),
}

impl SharedFigures {
    /// The figures so far.
    #[must_use]
    pub fn now(&self) -> Figures {
        // Counters are valid even if a thread panicked.
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, count: impl FnOnce(&mut Figures)) {
        count(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Retrier {
    /// A retrier for a new run. `budget` bounds the waits of the whole run; without a pacer there
    /// is no pacing.
    pub fn new(
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
        pacer: Option<Arc<Pacer>>,
        events: Events,
        jitter: Jitter,
        budget: Duration,
    ) -> Self {
        let (figures, call) = (SharedFigures::default(), Call::default());
        let (whole_budget, overrun) = (budget, None);
        Self {
            transport,
            clock,
            pacer,
            events,
            call,
            jitter,
            budget,
            whole_budget,
            overrun,
            bad_pages: 0,
            figures,
        }
    }

    /// The figures of the run so far.
    #[must_use]
    pub fn figures(&self) -> SharedFigures {
        self.figures.clone()
    }

    /// The budget that would have been enough for the last request, if the service asked for a
    /// longer wait.
    #[must_use]
    pub fn overrun(&self) -> Option<Duration> {
        self.overrun
    }

    /// Whether the last answer was a bad page: another try at a later time may bring the right one.
    #[must_use]
    pub fn met_bad_page(&self) -> bool {
        self.bad_pages > 0
    }

    /// Tells the transport which call of the connector later requests belong to.
    pub fn enter(&self, phase: Phase) {
        self.transport.enter(phase);
    }

    /// Tells the transport that the run goes on from an earlier one.
    pub fn resume(&self) {
        self.transport.resume();
    }

    /// Tells the transport that a call has succeeded for which everything was asked, as
    /// [`Transport::finish`] defines it.
    ///
    /// # Errors
    /// The transport's objection.
    pub fn finish(&self) -> Result<(), Failure> {
        self.transport.finish()
    }

    /// Notes which call later requests belong to, for the observer.
    pub fn serve(&mut self, call: Call) {
        self.call = call;
    }

    /// Sends the request, and retries it as long as that is permitted and promising.
    ///
    /// # Errors
    /// Why it was given up.
    pub async fn send(
        &mut self,
        request: &Request,
        allowed: &Allowed,
    ) -> Result<Response, GivenUp> {
        let mut tries = 0;
        let mut last = None;
        self.overrun = None;
        loop {
            tries += 1;
            let (sent, answer) = self.once(request, allowed, tries).await;
            let given_up = match answer {
                Ok(response)
                    if response.status == 429 || (500..=599).contains(&response.status) =>
                {
                    let retry_after = hint::wait(&response, self.clock.date());
                    GivenUp::Status { status: response.status, retry_after }
                }
                Ok(response) if bad::may_pass(&response) => {
                    self.bad_pages = self.bad_pages.saturating_add(1);
                    let wait = self.wait_after(&response, tries);
                    match wait.filter(|_| allowed.repeatable) {
                        Some(wait) => {
                            self.wait(sent, wait, &bad_reason(&response), tries).await;
                            last = Some(Ok(response));
                            continue;
                        }
                        None => {
                            sent.give_up();
                            return Ok(response);
                        }
                    }
                }
                Ok(response) => {
                    self.bad_pages = u32::from(bad::is_of_somebody_else(&response));
                    sent.tell(None);
                    return Ok(response);
                }
                // A fixture may have a bad page or a 429 once, and means that it stays.
                Err(error) => match last.take() {
                    Some(stays) if matches!(error, TransportError::Fixture(_)) => {
                        sent.give_up();
                        return stays;
                    }
                    _ => GivenUp::NoAnswer(error),
                },
            };
            let Some(wait) = self.next_wait(&given_up, tries).filter(|_| allowed.repeatable) else {
                sent.give_up();
                return Err(given_up);
            };
            let is_much_later = wait > MUCH_LATER;
            let Some(left) = self.budget.checked_sub(wait).filter(|_| !is_much_later) else {
                sent.give_up();
                let told = matches!(given_up, GivenUp::Status { retry_after: Some(_), .. })
                    && !is_much_later;
                self.overrun = told.then(|| (self.whole_budget - self.budget).saturating_add(wait));
                return Err(given_up);
            };
            self.budget = left;
            self.wait(sent, wait, &reason(&given_up), tries).await;
            let is_limit = matches!(given_up, GivenUp::Status { status: 429, .. });
            last = is_limit.then_some(Err(given_up));
        }
    }

    /// Waits before the next try, which has its reason.
    async fn wait(&self, sent: Sent, wait: Duration, reason: &str, tries: u32) {
        sent.tell(Some(Next { wait, reason }));
        self.events.tell(&Event::Waiting { wait, reason, tries });
        self.clock.sleep(wait).await;
        self.figures.add(|figures| {
            figures.waited_ms += u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            figures.retries += 1;
        });
    }

    /// The wait after a bad page, taken from the budget. `None` if there must not be one.
    fn wait_after(&mut self, response: &Response, tries: u32) -> Option<Duration> {
        if self.bad_pages >= BAD_PAGES || tries >= BAD_PAGES {
            return None;
        }
        let is_told = !(200..=299).contains(&response.status);
        let told = is_told.then(|| hint::wait(response, self.clock.date())).flatten();
        let wait = told.unwrap_or_else(|| self.backoff(tries));
        self.budget = self.budget.checked_sub(wait).filter(|_| wait <= MUCH_LATER)?;
        Some(wait)
    }

    async fn once(
        &self,
        request: &Request,
        allowed: &Allowed,
        number: u32,
    ) -> (Sent, Result<Response, TransportError>) {
        let permit = match &self.pacer {
            Some(pacer) => Some(pacer.permit().await),
            None => None,
        };
        self.figures.add(|figures| figures.requests += 1);
        let clock = Arc::clone(&self.clock);
        let mut sent = Sent::now(self.events.clone(), clock, &allowed.endpoint, self.call, number);
        let answer = self.transport.send(request).instrument(sent.span().clone()).await;
        drop(permit);
        sent.end(&answer);
        if let Ok(response) = &answer {
            self.figures.add(|figures| {
                figures.bytes += u64::try_from(response.body.len()).unwrap_or(u64::MAX)
            });
        }
        (sent, answer)
    }

    /// The wait before the next try. `None` if there must not be one.
    fn next_wait(&self, given_up: &GivenUp, tries: u32) -> Option<Duration> {
        match given_up {
            // Only the budget ends a limit. What is left of it is waited out, unless the server
            // names a longer wait.
            GivenUp::Status { status: 429, retry_after } => {
                let own = match retry_after {
                    None => self.backoff(tries),
                    Some(_) if tries < TRIES_WHEN_TOLD => Duration::ZERO,
                    Some(_) => self.backoff(tries - TRIES_WHEN_TOLD + 1),
                };
                let wait = own.min(self.budget).max(retry_after.unwrap_or_default());
                (!wait.is_zero()).then_some(wait)
            }
            GivenUp::Status { retry_after: Some(wait), .. } => {
                (tries < TRIES_WHEN_TOLD).then_some(*wait)
            }
            GivenUp::Status { .. }
            | GivenUp::NoAnswer(TransportError::TimedOut | TransportError::Connection(_)) => {
                (tries < TRIES).then(|| self.backoff(tries))
            }
            GivenUp::NoAnswer(_) => None,
        }
    }

    fn backoff(&self, tries: u32) -> Duration {
        let whole = FIRST_WAIT.saturating_mul(1 << tries.saturating_sub(1).min(16));
        let whole = whole.min(LONGEST_BACKOFF);
        match self.jitter {
            Jitter::None => whole,
            Jitter::Random => whole.mul_f64(rand::random_range(0.5..=1.0)),
        }
    }
}

fn bad_reason(response: &Response) -> String {
    match response.status {
        200..=299 => "the answer is empty, cut short or not JSON".into(),
        status => format!("the service answered {status}"),
    }
}

fn reason(given_up: &GivenUp) -> String {
    match given_up {
        GivenUp::Status { status: 429, .. } => "the service asks for fewer requests (429)".into(),
        GivenUp::Status { status, .. } => format!("the service answered {status}"),
        GivenUp::NoAnswer(TransportError::TimedOut) => "the service did not answer in time".into(),
        GivenUp::NoAnswer(TransportError::Connection(text)) => text.clone(),
        GivenUp::NoAnswer(_) => "there was no answer".into(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex;

    use super::*;
    use crate::http::clock::{BoxFuture, SystemClock};
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
        Ok(Response { status, headers, body: b"{}".to_vec() })
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
        let outcome =
            retrier.send(&request(), &allowed(true)).await.map(|response| response.status);
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
        for (value, seconds) in [("86400", None), ("86401", Some(86_401)), (&"9".repeat(99), None)]
        {
            let limited = answer(429, &[("retry-after", value)]);
            let budget = Duration::MAX;
            let mut retrier = retrier(
                Script {
                    answers: Mutex::new(vec![limited, answer(200, &[])].into()),
                    forever: None,
                },
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
            (answer(302, &[]), Ok(302)),
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
    async fn a_request_that_nobody_waits_for_any_more_is_told_too() {
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
}
