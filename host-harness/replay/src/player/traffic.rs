//! The transport of every run on recorded traffic, strict or lenient by its mode.
//!
//! In a strict run it passes everything to the replay. The rest is about lenient runs.
//!
//! An *exchange* is a request of the component with its final answer; all tries of the host are one
//! exchange. A fault is injected into one exchange and persists: every try gets the fault, and so
//! does the same request if it is sent again later.
//!
//! A component under a fault may send other requests than the recorded ones. If the fixture has no
//! further answer to a request, the last one is repeated; if it has none at all, the connection
//! fails.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Mode;
use crate::fixture::{Phase, Replay};
use smp_host::failure::Failure;
use smp_host::http::clock::{BoxFuture, Clock, VirtualClock};
use smp_host::http::transport::{Request, Response, Transport, TransportError};

/// Delay of a late answer: as long as the most patient servers wait, and longer than the host's
/// default time for a request.
const LATE: Duration = Duration::from_secs(60);

/// Largest size to which an answer is padded, whatever the host accepts: several are in memory at
/// once.
pub const MOST_PADDED: u64 = 16 * 1024 * 1024;

/// An answer, as a transport returns it.
pub type Answer = Result<Response, TransportError>;

/// Traffic for one run.
pub struct Traffic {
    replay: Replay,
    clock: Arc<VirtualClock>,
    mode: Mode,
    state: Mutex<State>,
}

/// A fault and its exchange.
#[derive(Clone, Debug)]
pub struct Injection {
    /// Number of the exchange, from zero.
    pub exchange: usize,
    /// Its request.
    pub request: Request,
    /// The fault.
    pub fault: InjectedFault,
}

/// A fault of an exchange.
#[derive(Clone, Debug)]
pub enum InjectedFault {
    /// The exchange gets this answer.
    Answer(Answer),
    /// The right answer comes late.
    Late,
    /// The right answer is padded with white space to this many bytes.
    Padded(usize),
}

/// A request and its last answer.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The request.
    pub request: Request,
    /// The last answer.
    pub answer: Answer,
    /// Whether the fixture has an answer.
    pub held: bool,
    /// How often the request was sent until then.
    pub tries: usize,
}

#[derive(Default)]
struct State {
    phase: Option<Phase>,
    exchanges: Vec<Exchange>,
    /// Every try, for returning to an earlier one.
    tries: Vec<Request>,
    /// Tries of an earlier run that this one continues.
    before: Vec<Request>,
}

impl Traffic {
    /// The traffic of a replay, on this clock.
    pub(super) fn new(replay: Replay, clock: Arc<VirtualClock>, mode: Mode) -> Self {
        Self { replay, clock, mode, state: Mutex::default() }
    }

    /// The exchanges so far. A strict run keeps none.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.state().exchanges.clone()
    }

    /// The tries so far. A strict run keeps none.
    pub fn tries(&self) -> Vec<Request> {
        self.state().tries.clone()
    }

    /// Continues where a run with these tries stopped, with no exchange counted yet.
    pub fn go_on_after(&self, tries: &[Request]) {
        let phase = {
            let mut state = self.state();
            (state.exchanges, state.tries, state.before) = (Vec::new(), Vec::new(), tries.to_vec());
            state.phase
        };
        if let Some(phase) = phase {
            self.enter(phase);
        }
    }

    /// Answers from the fixture, or repeats the last answer if the fixture has no further one.
    fn answer(&self, request: &Request, state: &mut State) -> (Answer, bool) {
        match self.replay.answer(request) {
            Err(TransportError::Fixture(_)) => {
                let before = state
                    .exchanges
                    .iter()
                    .rev()
                    .find(|exchange| exchange.request == *request && exchange.held);
                match before {
                    Some(before) => (before.answer.clone(), true),
                    None => (
                        Err(TransportError::Connection(
                            "the fixture holds no answer to this request".into(),
                        )),
                        false,
                    ),
                }
            }
            answer => (answer, true),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for Traffic {
    fn enter(&self, phase: Phase) {
        self.replay.enter(phase);
        let mut state = self.state();
        state.phase = Some(phase);
        for request in &state.before {
            let _ = self.replay.answer(request);
        }
    }

    fn resume(&self) {
        match self.mode {
            Mode::Strict => self.replay.resume(),
            Mode::Lenient(_) => {}
        }
    }

    fn finish(&self) -> Result<(), Failure> {
        match self.mode {
            Mode::Strict => self.replay.finish(),
            Mode::Lenient(_) => Ok(()),
        }
    }

    fn send<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Answer> {
        let Mode::Lenient(injection) = &self.mode else { return self.replay.send(request) };
        let mut state = self.state();
        state.tries.push(request.clone());
        let goes_on = state
            .exchanges
            .last()
            .is_some_and(|last| last.request == *request && is_asked_again(&last.answer));
        let index =
            if goes_on { state.exchanges.len().saturating_sub(1) } else { state.exchanges.len() };
        let injection = injection
            .as_ref()
            .filter(|injection| index >= injection.exchange && injection.request == *request);
        let (answer, held) = match injection.map(|injection| &injection.fault) {
            Some(InjectedFault::Answer(answer)) => (answer.clone(), true),
            Some(InjectedFault::Late) => {
                // This kind of clock does not wait.
                drop(self.clock.sleep(LATE));
                self.answer(request, &mut state)
            }
            Some(InjectedFault::Padded(size)) => {
                let (mut answer, held) = self.answer(request, &mut state);
                if let Ok(response) = &mut answer {
                    response.body.resize(response.body.len().max(*size), b' ');
                }
                (answer, held)
            }
            None => self.answer(request, &mut state),
        };
        let (request, tries) = (request.clone(), 1);
        let exchange = Exchange { request, answer: answer.clone(), held, tries };
        match state.exchanges.get_mut(index) {
            Some(same) => *same = Exchange { tries: same.tries.saturating_add(1), ..exchange },
            None => state.exchanges.push(exchange),
        }
        Box::pin(std::future::ready(answer))
    }
}

/// Whether the host sends the request again after such an answer.
fn is_asked_again(answer: &Answer) -> bool {
    match answer {
        Ok(response) => response.status == 429 || (500..=599).contains(&response.status),
        Err(error) => matches!(error, TransportError::TimedOut | TransportError::Connection(_)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Fixture;
    use smp_host::http::transport::Method;

    fn traffic(injected: Option<(usize, &str, InjectedFault)>) -> (Traffic, Arc<VirtualClock>) {
        let injection = injected.map(|(exchange, path, fault)| Injection {
            exchange,
            request: get(path),
            fault,
        });
        begun(Mode::Lenient(injection))
    }

    fn begun(mode: Mode) -> (Traffic, Arc<VirtualClock>) {
        let entry = |path: &str, status: u16| serde_json::json!({"request": {"method": "GET", "url": path}, "response": {"status": status, "content": {"text": status.to_string()}}});
        let entries = [entry("/a", 503), entry("/a", 200), entry("/b", 200), entry("/a", 404)];
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("settings.json"), "{}").unwrap();
        std::fs::write(
            folder.path().join("traffic.har"),
            serde_json::json!({"log": {"entries": entries}}).to_string(),
        )
        .unwrap();
        let declared = [(Method::Get, "/a".to_owned()), (Method::Get, "/b".to_owned())];
        let replay = Replay::new(&Fixture::open(folder.path()).unwrap(), &declared).unwrap();
        let clock = Arc::new(VirtualClock::default());
        let traffic = Traffic::new(replay, Arc::clone(&clock), mode);
        traffic.enter(Phase::Collect);
        (traffic, clock)
    }

    fn get(path: &str) -> Request {
        Request {
            method: Method::Get,
            path_and_query: path.into(),
            body: None,
            headers: std::sync::Arc::default(),
        }
    }

    async fn asked(traffic: &Traffic, paths: &[&str]) -> Vec<u16> {
        let mut statuses = Vec::new();
        for path in paths {
            statuses.push(traffic.send(&get(path)).await.map_or(0, |response| response.status));
        }
        statuses
    }

    #[tokio::test]
    async fn a_strict_run_gets_exactly_what_was_recorded_and_must_ask_for_all_of_it() {
        let (strict, _) = begun(Mode::Strict);
        assert_eq!(asked(&strict, &["/a", "/a", "/b"]).await, [503, 200, 200]);
        assert!(
            strict
                .finish()
                .unwrap_err()
                .message
                .contains("an answer that was never requested: entry 3 GET /a")
        );
        assert_eq!(asked(&strict, &["/a"]).await, [404]);
        assert_eq!((strict.finish(), strict.exchanges().len()), (Ok(()), 0));
        assert!(matches!(strict.send(&get("/b")).await, Err(TransportError::Fixture(_))));
    }

    #[tokio::test]
    async fn a_lenient_run_need_not_ask_for_anything() {
        let (lenient, _) = traffic(None);
        assert_eq!((asked(&lenient, &["/a"]).await, lenient.finish()), (vec![503], Ok(())));
    }

    #[tokio::test]
    async fn tries_of_one_request_are_one_exchange() {
        let (traffic, _) = traffic(None);
        assert_eq!(asked(&traffic, &["/a", "/a", "/b", "/a"]).await, [503, 200, 200, 404]);
        let exchanges: Vec<_> = traffic
            .exchanges()
            .into_iter()
            .map(|exchange| (exchange.answer.unwrap().status, exchange.tries))
            .collect();
        assert_eq!(exchanges, [(200, 2), (200, 1), (404, 1)]);
    }

    #[tokio::test]
    async fn an_injected_answer_is_given_at_every_try_from_its_exchange_on() {
        let fault = InjectedFault::Answer(Ok(Response { status: 500, ..Response::default() }));
        let (traffic, _) = traffic(Some((2, "/a", fault)));
        assert_eq!(
            asked(&traffic, &["/a", "/a", "/b", "/a", "/a", "/b", "/a"]).await,
            [503, 200, 200, 500, 500, 200, 500]
        );
    }

    #[tokio::test]
    async fn what_the_fixture_holds_no_more_is_answered_as_before_and_what_it_never_held_fails() {
        let (traffic, _) = traffic(None);
        assert_eq!(asked(&traffic, &["/b", "/b", "/b", "/c"]).await, [200, 200, 200, 0]);
        assert_eq!(
            traffic.exchanges().iter().map(|exchange| exchange.held).collect::<Vec<_>>(),
            [true, true, true, false]
        );
    }

    #[tokio::test]
    async fn a_late_answer_is_the_right_one_a_minute_later() {
        let (traffic, clock) = traffic(Some((0, "/a", InjectedFault::Late)));
        assert_eq!(asked(&traffic, &["/a"]).await, [503]);
        assert_eq!(clock.now(), LATE);
    }

    #[tokio::test]
    async fn a_padded_answer_is_the_right_one_with_white_space() {
        let (traffic, _) = traffic(Some((0, "/b", InjectedFault::Padded(8))));
        assert_eq!(traffic.send(&get("/b")).await.unwrap().body, b"200     ");
    }

    #[tokio::test]
    async fn a_run_that_begins_in_the_middle_gets_the_answers_from_there_on() {
        let (traffic, _) = traffic(None);
        traffic.go_on_after(&[get("/a"), get("/a")]);
        assert_eq!(asked(&traffic, &["/b", "/a"]).await, [200, 404]);
        traffic.go_on_after(&[]);
        assert_eq!(asked(&traffic, &["/a"]).await, [503]);
    }
}
