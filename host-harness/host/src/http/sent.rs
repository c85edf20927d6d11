//! One try of a request, from sending to its end, which it reports once, in an event and in a span.
//!
//! It reports even if the answer is no longer awaited: a call that takes too long is dropped
//! in the middle of a request.

use std::sync::Arc;
use std::time::Duration;

use tracing::Span;
use tracing::field::Empty;

use super::clock::Clock;
use super::transport::{Response, TransportError};
use crate::observer::{Call, Ended, Event, Events, Fault, Next, Try};

/// A request that was sent.
pub(crate) struct Sent {
    events: Events,
    clock: Arc<dyn Clock>,
    endpoint: Arc<str>,
    call: Call,
    number: u32,
    paced: Duration,
    began: Duration,
    /// How it ended and how long it took, once it has ended.
    ended: Option<(Ended, Duration)>,
    span: Span,
    is_told: bool,
}

impl Sent {
    /// A request that is being sent now, after it waited so long for the pace.
    pub(crate) fn now(
        events: Events,
        clock: Arc<dyn Clock>,
        endpoint: &Arc<str>,
        call: Call,
        number: u32,
        paced: Duration,
    ) -> Self {
        let span = tracing::debug_span!(
            "request",
            endpoint = &**endpoint,
            call = call.as_str(),
            page = call.page(),
            number,
            status = Empty,
            bytes = Empty,
            fault = Empty,
            elapsed_ms = Empty,
            wait_ms = Empty,
        );
        let (began, endpoint) = (clock.now(), Arc::clone(endpoint));
        let (ended, is_told) = (None, false);
        Self { events, clock, endpoint, call, number, paced, began, ended, span, is_told }
    }

    /// The request's span.
    pub(crate) fn span(&self) -> &Span {
        &self.span
    }

    /// Notes the answer, or why there is none.
    pub(crate) fn end(&mut self, answer: &Result<Response, TransportError>) {
        let ended = match answer {
            Ok(response) => {
                let bytes = u64::try_from(response.body.len()).unwrap_or(u64::MAX);
                Ended::Answered { status: response.status, bytes }
            }
            Err(error) => Ended::Unanswered(error.fault()),
        };
        self.ended = Some((ended, self.elapsed()));
    }

    /// Reports it, with the next try if there is one.
    pub(crate) fn tell(mut self, next: Option<Next<'_>>) {
        self.told(next);
    }

    /// Reports it as the last try without a useful answer.
    pub(crate) fn give_up(mut self) {
        self.told(None);
        if let Some((ended, _)) = self.ended {
            tracing::info!(
                endpoint = &*self.endpoint,
                number = self.number,
                status = ended.status(),
                fault = ended.fault().map(Fault::as_str),
                "a request was given up"
            );
        }
    }

    fn told(&mut self, next: Option<Next<'_>>) {
        self.is_told = true;
        let cancelled = || (Ended::Unanswered(Fault::Cancelled), self.elapsed());
        let (ended, elapsed) = self.ended.unwrap_or_else(cancelled);
        if !self.span.is_disabled() {
            self.span.record("status", ended.status());
            self.span.record("bytes", ended.bytes());
            self.span.record("fault", ended.fault().map(Fault::as_str));
            self.span.record("elapsed_ms", milliseconds(elapsed));
            self.span.record("wait_ms", next.map(|next| milliseconds(next.wait)));
        }
        let (endpoint, call, number) = (&*self.endpoint, self.call, self.number);
        let paced = self.paced;
        let tried = Try { endpoint, call, number, ended, elapsed, paced, next };
        self.events.tell(&Event::Request(tried));
    }

    fn elapsed(&self) -> Duration {
        self.clock.now().saturating_sub(self.began)
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        if !self.is_told {
            self.told(None);
        }
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
