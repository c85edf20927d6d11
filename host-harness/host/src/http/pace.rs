//! Pace: at most a number of requests in any period, for all runs of one account together.
//!
//! A request takes a slot, which is released one period after the request's *answer*. The server
//! saw the request before it answered, so it never counts more than the limit in any period,
//! however unevenly the network delays.
//!
//! A pacer keeps the clock of the first run: the clocks of two runs need not agree on their zero.
//!
//! Where several processes serve one account, each request takes a slot of a [`SharedPace`] besides,
//! such as one in their database, by the same rule.

use std::collections::{HashMap, VecDeque};
use std::num::NonZeroU32;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::clock::Clock;
use crate::failure::Failure;

/// At most `requests` in any `period`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Number of requests.
    pub requests: NonZeroU32,
    /// Period.
    pub period: Duration,
}

impl Rate {
    /// A rate per second; below one, a request every few seconds. `None` if the value is not a
    /// rate.
    #[must_use]
    pub fn per_second(rate: f64) -> Option<Self> {
        // The bounds keep the period between a microsecond and a day.
        if !(1.0 / 86_400.0..=1_000_000.0).contains(&rate) {
            return None;
        }
        // A window has a whole number of requests, and is as long as they take at that rate.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 1 and 1,000,000"
        )]
        let requests = NonZeroU32::new(rate.max(1.0).floor() as u32)?;
        Some(Self { requests, period: Duration::from_secs_f64(f64::from(requests.get()) / rate) })
    }
}

/// A pace that several processes keep together. It is asked for each request, after the pacer of
/// this process, and the request is sent only once it gives a slot.
pub trait SharedPace: Send + Sync {
    /// Waits for a slot, of which at most [`Rate::requests`] are given in any period.
    ///
    /// # Errors
    /// Why there is none: the request is not sent, and its run ends with this failure.
    fn slot(&self, rate: Rate) -> Waited<'_>;
}

/// A slot to come.
pub type Waited<'a> = Pin<Box<dyn Future<Output = Result<Slot, Failure>> + Send + 'a>>;

/// A slot of a [`SharedPace`]. When it is dropped, the request was answered or given up, and it
/// comes free one period later.
pub type Slot = Box<dyn Send + Sync>;

/// The pace of one account.
pub struct Pacer {
    rate: Rate,
    clock: Arc<dyn Clock>,
    /// Runs wait in order of arrival.
    turn: tokio::sync::Mutex<()>,
    slots: Mutex<Slots>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct Slots {
    in_flight: u32,
    /// When the slots of answered requests are released, the earliest first.
    cooling: VecDeque<Duration>,
}

/// The permit to send one request. The cooling of its slot begins when it is dropped.
pub struct Permit<'a> {
    pacer: &'a Pacer,
}

impl std::fmt::Debug for Pacer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { rate, slots, .. } = self;
        formatter.debug_struct("Pacer").field("rate", rate).field("slots", slots).finish()
    }
}

impl Pacer {
    /// A pacer without requests so far, by this clock.
    #[must_use]
    pub fn new(rate: Rate, clock: Arc<dyn Clock>) -> Self {
        Self {
            rate,
            clock,
            turn: tokio::sync::Mutex::new(()),
            slots: Mutex::default(),
            freed: Notify::new(),
        }
    }

    /// The rate that it keeps.
    #[must_use]
    pub fn rate(&self) -> Rate {
        self.rate
    }

    /// Waits for a permit to send one request.
    pub async fn permit(&self) -> Permit<'_> {
        let _turn = self.turn.lock().await;
        loop {
            let freed = self.freed.notified();
            match self.take(self.clock.now()) {
                Ok(()) => return Permit { pacer: self },
                Err(Some(wait)) => self.clock.sleep(wait).await,
                Err(None) => freed.await,
            }
        }
    }

    /// Takes a slot, or returns how long until the next one is released, if that is known.
    fn take(&self, now: Duration) -> Result<(), Option<Duration>> {
        let mut slots = self.slots();
        while slots.cooling.front().is_some_and(|free| *free <= now) {
            slots.cooling.pop_front();
        }
        let taken = usize::try_from(slots.in_flight)
            .unwrap_or(usize::MAX)
            .saturating_add(slots.cooling.len());
        if taken < usize::try_from(self.rate.requests.get()).unwrap_or(usize::MAX) {
            slots.in_flight += 1;
            return Ok(());
        }
        Err(slots.cooling.front().map(|free| free.saturating_sub(now)))
    }

    fn is_idle(&self) -> bool {
        let now = self.clock.now();
        let slots = self.slots();
        slots.in_flight == 0 && slots.cooling.back().is_none_or(|free| *free <= now)
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        // Every change is atomic, so the value is valid even if a thread panicked.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut slots = self.pacer.slots();
        slots.in_flight = slots.in_flight.saturating_sub(1);
        slots.cooling.push_back(self.pacer.clock.now() + self.pacer.rate.period);
        drop(slots);
        self.pacer.freed.notify_one();
    }
}

/// The pacers of all accounts in a process.
#[derive(Debug, Default)]
pub struct Pacers {
    by_account: Mutex<HashMap<String, Arc<Pacer>>>,
    /// When this process began, if another one may have sent requests until then.
    succeeded_at: Option<Instant>,
}

impl Pacers {
    /// Pacers of a process that goes on with another one's work, such as after a restart. What that
    /// one sent last is not known, so each account begins as if it had sent as many as permitted.
    #[must_use]
    pub fn succeeding() -> Self {
        Self { succeeded_at: Some(Instant::now()), ..Self::default() }
    }

    /// A new pacer, whose slots another process may have taken just before this one began.
    fn begin(&self, rate: Rate, clock: &Arc<dyn Clock>) -> Pacer {
        let pacer = Pacer::new(rate, Arc::clone(clock));
        let left = self.succeeded_at.and_then(|at| rate.period.checked_sub(at.elapsed()));
        if let Some(left) = left {
            let slots = usize::try_from(rate.requests.get()).unwrap_or(usize::MAX);
            pacer.slots().cooling.resize(slots, clock.now() + left);
        }
        pacer
    }

    /// The pacer that all runs of this account share. The first run sets its rate and its clock. A
    /// pacer without users whose slots are all free is dropped.
    pub fn of(&self, account: &str, rate: Rate, clock: &Arc<dyn Clock>) -> Arc<Pacer> {
        let mut pacers = self.by_account.lock().unwrap_or_else(PoisonError::into_inner);
        pacers.retain(|_, pacer| Arc::strong_count(pacer) > 1 || !pacer.is_idle());
        Arc::clone(
            pacers.entry(account.to_owned()).or_insert_with(|| Arc::new(self.begin(rate, clock))),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::clock::SystemClock;

    fn a_clock() -> Arc<dyn Clock> {
        Arc::new(SystemClock::default())
    }

    fn five_a_second() -> Rate {
        Rate::per_second(5.0).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn never_more_than_the_rate_in_any_period() {
        let clock = a_clock();
        let pacer = Pacer::new(five_a_second(), Arc::clone(&clock));
        let mut sent = Vec::new();
        for request in 0..23_u64 {
            let permit = pacer.permit().await;
            sent.push(clock.now());
            clock.sleep(Duration::from_millis(7 * (request % 5))).await;
            drop(permit);
        }
        for (first, sixth) in sent.iter().zip(sent.iter().skip(5)) {
            assert!(
                *sixth - *first >= Duration::from_secs(1),
                "six requests within {:?}",
                *sixth - *first
            );
        }
        assert!(*sent.last().unwrap() < Duration::from_secs(5), "slower than requested: {sent:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_process_that_goes_on_with_anothers_work_keeps_the_pace_of_both() {
        let clock = a_clock();
        let pacers = Pacers::succeeding();
        clock.sleep(Duration::from_millis(300)).await;
        let first = pacers.of("acme", five_a_second(), &clock);
        let mut sent = Vec::new();
        for _ in 0..6 {
            drop(first.permit().await);
            sent.push(clock.now());
        }
        assert!(sent[0] >= Duration::from_secs(1), "{sent:?}");
        assert!(sent[4] < Duration::from_millis(1_001), "{sent:?}");
        assert!(sent[5] >= Duration::from_secs(2), "{sent:?}");
        let late = pacers.of("late", five_a_second(), &clock);
        drop(late.permit().await);
        assert_eq!(clock.now(), sent[5], "by then, the other one's requests do not count");
    }

    #[tokio::test(start_paused = true)]
    async fn runs_of_one_account_share_the_pace() {
        let clock = a_clock();
        let pacers = Pacers::default();
        let tasks: Vec<_> = (0..10)
            .map(|_| {
                let (pacer, clock) =
                    (pacers.of("acme", five_a_second(), &clock), Arc::clone(&clock));
                tokio::spawn(async move {
                    let permit = pacer.permit().await;
                    let at = clock.now();
                    clock.sleep(Duration::from_millis(50)).await;
                    drop(permit);
                    at
                })
            })
            .collect();
        let mut sent = Vec::new();
        for task in tasks {
            sent.push(task.await.unwrap());
        }
        sent.sort();
        assert!(sent[4] < Duration::from_millis(1));
        assert!(sent[5] >= Duration::from_millis(1050), "{sent:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn runs_whose_clocks_began_at_other_times_share_the_pace() {
        let (first, pacers) = (a_clock(), Pacers::default());
        first.sleep(Duration::from_secs(60)).await;
        for _ in 0..5 {
            drop(pacers.of("acme", five_a_second(), &first).permit().await);
        }
        let sent = first.now();
        // The clock of a later run begins at zero, that of an earlier one is ahead.
        let second = a_clock();
        drop(pacers.of("acme", five_a_second(), &second).permit().await);
        let waited = first.now() - sent;
        assert!(waited >= Duration::from_secs(1), "sooner than the pace permits: {waited:?}");
        assert!(waited < Duration::from_millis(1_100), "longer than the pace asks: {waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_pace_outlives_a_run_that_ended_just_now() {
        let (clock, pacers) = (a_clock(), Pacers::default());
        for _ in 0..5 {
            drop(pacers.of("acme", five_a_second(), &clock).permit().await);
        }
        drop(pacers.of("acme", five_a_second(), &clock).permit().await);
        assert!(clock.now() >= Duration::from_secs(1));
        clock.sleep(Duration::from_secs(2)).await;
        pacers.of("other", five_a_second(), &clock);
        assert_eq!(pacers.by_account.lock().unwrap().len(), 1, "an idle pacer is forgotten");
    }

    #[test]
    fn rates_below_one_and_with_fractions_are_kept() {
        let rate = |text: f64| {
            Rate::per_second(text).map(|rate| (rate.requests.get(), rate.period.as_millis()))
        };
        assert_eq!(rate(5.0), Some((5, 1000)));
        assert_eq!(rate(0.5), Some((1, 2000)));
        assert_eq!(rate(2.5), Some((2, 800)));
        for no_rate in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e9, 1e-9] {
            assert_eq!(rate(no_rate), None, "{no_rate}");
        }
    }
}
