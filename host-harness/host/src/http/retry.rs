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
use super::pace::{Pacer, SharedPace};
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
    /// What other processes keep the pace with.
    shared: Option<Arc<dyn SharedPace>>,
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
    /// It was not sent: the pace that several processes share gave no slot.
    NoSlot(Failure),
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
            shared: None,
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

    /// The same, for a run whose account has a pace that several processes share.
    #[must_use]
    pub fn sharing(mut self, shared: Option<Arc<dyn SharedPace>>) -> Self {
        self.shared = shared;
        self
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
            let (sent, answer) = self.once(request, allowed, tries).await?;
            let given_up = match answer {
                Ok(response)
                    if response.status == 429 || (500..=599).contains(&response.status) =>
                {
                    let retry_after = hint::wait(&response, self.clock.date());
                    GivenUp::Status { status: response.status, retry_after }
                }
                Ok(response)
                    if bad::may_pass(request, &response)
                        || (self.is_within_a_list() && bad::may_pass_within_a_list(&response)) =>
                {
                    let wait = self.wait_after(Some(&response), tries);
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
                // The pages before were smaller.
                Err(error @ TransportError::TooLarge(_)) if self.is_within_a_list() => {
                    let wait = self.wait_after(None, tries);
                    let given_up = GivenUp::NoAnswer(error);
                    match wait.filter(|_| allowed.repeatable) {
                        Some(wait) => {
                            self.wait(sent, wait, &reason(&given_up), tries).await;
                            last = Some(Err(given_up));
                            continue;
                        }
                        None => given_up,
                    }
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

    /// Whether the request is for a page of a list of which a page came before.
    fn is_within_a_list(&self) -> bool {
        self.call.page().is_some_and(|page| page > 1)
    }

    /// Counts a bad page, of which there may be an answer, and gives the wait after it, taken from
    /// the budget. `None` if there must not be one.
    fn wait_after(&mut self, response: Option<&Response>, tries: u32) -> Option<Duration> {
        self.bad_pages = self.bad_pages.saturating_add(1);
        if self.bad_pages >= BAD_PAGES || tries >= BAD_PAGES {
            return None;
        }
        let told = response.filter(|response| !(200..=299).contains(&response.status));
        let told = told.and_then(|response| hint::wait(response, self.clock.date()));
        let wait = told.unwrap_or_else(|| self.backoff(tries));
        self.budget = self.budget.checked_sub(wait).filter(|_| wait <= MUCH_LATER)?;
        Some(wait)
    }

    async fn once(
        &self,
        request: &Request,
        allowed: &Allowed,
        number: u32,
    ) -> Result<(Sent, Result<Response, TransportError>), GivenUp> {
        let asked = self.clock.now();
        let permit = match &self.pacer {
            Some(pacer) => Some(pacer.permit().await),
            None => None,
        };
        let slot = match (&self.pacer, &self.shared) {
            (Some(pacer), Some(shared)) => {
                Some(shared.slot(pacer.rate()).await.map_err(GivenUp::NoSlot)?)
            }
            _ => None,
        };
        self.figures.add(|figures| figures.requests += 1);
        let clock = Arc::clone(&self.clock);
        let (events, paced) = (self.events.clone(), clock.now().saturating_sub(asked));
        let mut sent = Sent::now(events, clock, &allowed.endpoint, self.call, number, paced);
        let answer = self.transport.send(request).instrument(sent.span().clone()).await;
        drop((slot, permit));
        sent.end(&answer);
        if let Ok(response) = &answer {
            self.figures.add(|figures| {
                figures.bytes += u64::try_from(response.body.len()).unwrap_or(u64::MAX)
            });
        }
        Ok((sent, answer))
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
            GivenUp::NoAnswer(TransportError::Proxy(fault)) if fault.may_pass() => {
                (tries < TRIES).then(|| self.backoff(tries))
            }
            GivenUp::NoAnswer(_) | GivenUp::NoSlot(_) => None,
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
        204..=206 => format!("the service answered {}", response.status),
        200..=299 if bad::is_in_part(response) => "the answer may lack a part".into(),
        200..=299 => "the answer is empty, cut short or not what was asked for".into(),
        status => format!("the service answered {status}"),
    }
}

fn reason(given_up: &GivenUp) -> String {
    match given_up {
        GivenUp::Status { status: 429, .. } => "the service asks for fewer requests (429)".into(),
        GivenUp::Status { status, .. } => format!("the service answered {status}"),
        GivenUp::NoAnswer(TransportError::TimedOut) => "the service did not answer in time".into(),
        GivenUp::NoAnswer(TransportError::Connection(text)) => text.clone(),
        GivenUp::NoAnswer(TransportError::Proxy(fault)) => fault.message(),
        GivenUp::NoAnswer(TransportError::TooLarge(_)) => {
            "the answer is larger than it may be".into()
        }
        GivenUp::NoAnswer(_) => "there was no answer".into(),
        GivenUp::NoSlot(failure) => failure.message.clone(),
    }
}

#[cfg(test)]
mod tests;
