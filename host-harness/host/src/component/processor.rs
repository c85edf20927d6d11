//! The processor time of a call: what it computed, whatever else the machine did meanwhile.
//!
//! A call is a future that one thread at a time polls, so the time of its polls, by that thread's
//! own clock, is what it took. Wall time would count other programs too, and a verdict would depend
//! on the load of the machine.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cpu_time::ThreadTime;

/// The processor time of one call so far. Clones count together.
#[derive(Clone, Debug, Default)]
pub(super) struct ProcessorTime(Arc<Counts>);

/// Nanoseconds. Only the thread that polls the call writes them.
#[derive(Debug, Default)]
struct Counts {
    /// Of polls that have ended.
    ended: AtomicU64,
    /// The thread's clock when the current poll began; zero between polls.
    began: AtomicU64,
    /// What of it does not count.
    exempt: AtomicU64,
    /// Of polls that have ended since a call waited last, also of earlier calls.
    since_it_waited: AtomicU64,
}

impl ProcessorTime {
    /// Begins with nothing.
    pub(super) fn reset(&self) {
        for count in [&self.0.ended, &self.0.began, &self.0.exempt] {
            count.store(0, Ordering::Relaxed);
        }
    }

    /// Counts what this future computes.
    pub(super) async fn counting<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        std::future::poll_fn(|context| {
            self.0.began.store(thread_time(), Ordering::Relaxed);
            let poll = future.as_mut().poll(context);
            let spent = thread_time().saturating_sub(self.0.began.swap(0, Ordering::Relaxed));
            self.0.ended.fetch_add(spent, Ordering::Relaxed);
            if poll.is_pending() {
                self.0.since_it_waited.store(0, Ordering::Relaxed);
            } else {
                self.0.since_it_waited.fetch_add(spent, Ordering::Relaxed);
            }
            poll
        })
        .await
    }

    /// Takes this much out of the count.
    pub(super) fn exempt(&self, nanoseconds: u64) {
        self.0.exempt.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// What the calls have computed since one of them waited last. `None` between polls, and where
    /// the machine does not tell.
    pub(super) fn since_it_waited(&self) -> Option<Duration> {
        let earlier = self.0.since_it_waited.load(Ordering::Relaxed);
        self.of_this_poll().map(|current| Duration::from_nanos(earlier.saturating_add(current)))
    }

    fn of_this_poll(&self) -> Option<u64> {
        let began = self.0.began.load(Ordering::Relaxed);
        (began > 0).then(|| thread_time().saturating_sub(began))
    }

    /// The count so far, also in the middle of a poll.
    pub(super) fn now(&self) -> Duration {
        let current = self.of_this_poll().unwrap_or_default();
        let all = self.0.ended.load(Ordering::Relaxed).saturating_add(current);
        Duration::from_nanos(all.saturating_sub(self.0.exempt.load(Ordering::Relaxed)))
    }
}

/// A future with the nanoseconds of processor time that it took.
pub(super) async fn timed<F: Future>(future: F) -> (F::Output, u64) {
    let mut future = pin!(future);
    let mut nanoseconds = 0;
    let output = std::future::poll_fn(|context| {
        let began = thread_time();
        let poll = future.as_mut().poll(context);
        nanoseconds += thread_time().saturating_sub(began);
        poll
    })
    .await;
    (output, nanoseconds)
}

/// The processor time of this thread, in nanoseconds. Where the machine does not tell it, nothing
/// is counted, and the limit on the time of a call remains.
fn thread_time() -> u64 {
    let now = ThreadTime::try_now().map(|now| now.as_duration().as_nanos());
    now.map_or(0, |now| u64::try_from(now).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_millis(60);

    fn compute() {
        let began = thread_time();
        while u128::from(thread_time() - began) < LONG.as_nanos() {
            std::hint::black_box(began);
        }
    }

    fn now<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    #[test]
    fn what_other_threads_compute_meanwhile_does_not_count() {
        let time = ProcessorTime::default();
        // The call waits inside one poll, as if another program had the processor.
        now(time.counting(async { std::thread::spawn(compute).join().unwrap() }));
        assert!(time.now() < LONG / 2, "{:?}", time.now());
        now(time.counting(async { compute() }));
        assert!(time.now() >= LONG, "{:?}", time.now());
    }

    #[test]
    fn calls_that_wait_for_nothing_compute_one_after_the_other() {
        let time = ProcessorTime::default();
        for calls in 1..3 {
            time.reset();
            now(time.counting(async { compute() }));
            now(time.counting(async { assert!(time.since_it_waited() >= Some(LONG * calls)) }));
        }
        now(time.counting(tokio::task::yield_now()));
        now(time.counting(async { assert!(time.since_it_waited() < Some(LONG)) }));
    }

    #[test]
    fn the_time_in_the_middle_of_a_poll_counts_and_what_is_exempt_does_not() {
        let time = ProcessorTime::default();
        now(time.counting(async {
            compute();
            assert!(time.now() >= LONG);
            assert!(time.since_it_waited() >= Some(LONG));
            let ((), spent) = timed(async { compute() }).await;
            time.exempt(spent);
        }));
        assert!((LONG..LONG * 2).contains(&time.now()), "{:?}", time.now());
        assert_eq!(time.since_it_waited(), None);
        time.reset();
        assert_eq!(time.now(), Duration::ZERO);
    }
}
