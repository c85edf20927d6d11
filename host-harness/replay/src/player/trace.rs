//! What a call sent, how long it waited, and what each page of its list became: for a report to
//! people.
//!
//! It is kept of undisturbed calls alone; thousands of others differ from them by one answer.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use smp_host::collect::destination::{
    BoxFuture, Delivery, Destination, DestinationError, Ending, Listed, Position, Provenance,
};
use smp_host::collect::guard::Counts;
use smp_host::collect::report::{Note, RunReport};
use smp_host::observer::{Context, Event, Fault, Observer};

use super::log::LogCollector;

/// Most tries that are kept of a call.
const MOST_TRIES: usize = 10_000;

/// What a call sent and what it was given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// The tries, in order.
    pub tries: Vec<Tried>,
    /// The pages of its list, in order.
    pub pages: Vec<Paged>,
    /// The notes on the whole list.
    pub notes: Vec<Note>,
}

/// One try of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tried {
    /// The page of the list that it was sent for, from 1.
    pub page: Option<u64>,
    /// The status of the answer.
    pub status: Option<u16>,
    /// Why there was no answer.
    pub fault: Option<Fault>,
    /// The bytes of the answer's body.
    pub bytes: Option<u64>,
    /// The wait before the next try, if there was one.
    pub waited: Option<Duration>,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paged {
    /// Its number, from 1, in all sweeps.
    pub number: u64,
    /// The records that it added.
    pub added: u64,
    /// The records that were there before.
    pub duplicates: u64,
    /// The total that the service stated by then.
    pub total: Option<u64>,
    /// What the connector noted on it, and on no page before.
    pub notes: Vec<Note>,
    /// Whether the service forgot the cursor before, so that the list began again.
    pub restarted: bool,
}

/// Listens to a call: its log lines, and its tries if they are wanted.
#[derive(Debug, Default)]
pub(super) struct Listener {
    log: LogCollector,
    tries: Option<Mutex<Vec<Tried>>>,
}

impl Listener {
    pub(super) fn new(with_tries: bool) -> Self {
        Self { log: LogCollector::default(), tries: with_tries.then(Mutex::default) }
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.log.lines()
    }

    pub(super) fn tries(&self) -> Vec<Tried> {
        let tries = self.tries.as_ref();
        tries
            .map(|it| it.lock().unwrap_or_else(PoisonError::into_inner).clone())
            .unwrap_or_default()
    }
}

impl Observer for Listener {
    fn event(&self, context: &Context, event: &Event<'_>) {
        self.log.event(context, event);
        if let (Event::Request(tried), Some(tries)) = (event, &self.tries) {
            let mut tries = tries.lock().unwrap_or_else(PoisonError::into_inner);
            if tries.len() < MOST_TRIES {
                tries.push(Tried {
                    page: tried.call.page(),
                    status: tried.ended.status(),
                    fault: tried.ended.fault(),
                    bytes: tried.ended.bytes(),
                    waited: tried.next.map(|next| next.wait),
                });
            }
        }
    }
}

/// A destination that notes what each page became, and passes it on.
pub(super) struct Noting<D> {
    inner: D,
    before: Counts,
    restarted: bool,
    pub(super) pages: Vec<Paged>,
}

impl<D> Noting<D> {
    pub(super) fn new(inner: D) -> Self {
        Self { inner, before: Counts::default(), restarted: false, pages: Vec::new() }
    }
}

impl<P: Listed, D: Destination<P>> Destination<P> for Noting<D> {
    fn resumable(&self) -> bool {
        self.inner.resumable()
    }

    fn position<'a>(
        &'a mut self,
        whose: &'a Provenance,
    ) -> BoxFuture<'a, Result<Position, DestinationError>> {
        self.inner.position(whose)
    }

    fn deliver(&mut self, delivery: Delivery<P>) -> BoxFuture<'_, Result<(), DestinationError>> {
        let (counts, before) = (delivery.mark.counts, self.before);
        self.pages.push(Paged {
            number: delivery.mark.number.saturating_add(1),
            added: counts.members.saturating_sub(before.members),
            duplicates: counts.duplicates.saturating_sub(before.duplicates),
            total: counts.last_total,
            notes: delivery.mark.notes.clone(),
            restarted: std::mem::take(&mut self.restarted),
        });
        self.before = counts;
        self.inner.deliver(delivery)
    }

    fn restart(&mut self, counts: Counts) -> BoxFuture<'_, Result<(), DestinationError>> {
        (self.before, self.restarted) = (counts, true);
        self.inner.restart(counts)
    }

    fn conclude<'a>(
        &'a mut self,
        ending: Ending,
        report: &'a RunReport,
    ) -> BoxFuture<'a, Result<Option<String>, DestinationError>> {
        self.inner.conclude(ending, report)
    }
}

#[cfg(test)]
mod tests {
    use smp_host::observer::{Call, Ended, Next, Try};

    use super::*;

    #[test]
    fn tries_are_kept_where_they_are_wanted() {
        let tried = |number, ended, next| {
            Event::Request(Try {
                endpoint: "GET /a",
                call: Call::Collect { page: 2 },
                number,
                ended,
                elapsed: Duration::ZERO,
                paced: Duration::ZERO,
                next,
            })
        };
        let wait = Next { wait: Duration::from_secs(9), reason: "busy" };
        for (wanted, expected) in [(true, 2), (false, 0)] {
            let listener = Listener::new(wanted);
            let context = Context::default();
            listener.event(&context, &tried(1, Ended::Unanswered(Fault::TimedOut), Some(wait)));
            listener.event(&context, &tried(2, Ended::Answered { status: 200, bytes: 7 }, None));
            let tries = listener.tries();
            assert_eq!(tries.len(), expected);
            if let [first, second] = tries.as_slice() {
                assert_eq!((first.fault, first.waited), (Some(Fault::TimedOut), Some(wait.wait)));
                assert_eq!(
                    (second.page, second.status, second.bytes, second.waited),
                    (Some(2), Some(200), Some(7), None)
                );
            }
        }
    }
}
