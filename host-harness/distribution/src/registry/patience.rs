//! When a request to a registry is sent again: after 429, a 5xx status and a broken connection, a
//! few times, within a budget of waits for the whole command. Pure but for jitter.
//!
//! Gateways of public registries answer 502 and 429 every now and then. A longer outage is left to
//! the caller, as is a wait that the registry names beyond the budget.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use smp_host::http::transport::TransportError;

/// Most tries of one request.
const TRIES: u32 = 4;
/// The first wait, if the registry names none. It doubles with each try.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// All waits of a command: long enough for the usual limit of a minute to end.
const BUDGET: Duration = Duration::from_secs(60);

/// What is left of the budget.
pub(super) struct Patience(Mutex<Duration>);

impl Default for Patience {
    fn default() -> Self {
        Self(Mutex::new(BUDGET))
    }
}

impl Patience {
    /// The wait after an answer with this status, which may name a wait in seconds. `None` if the
    /// answer stands.
    pub(super) fn after_status(
        &self,
        tries: u32,
        status: u16,
        named: Option<u64>,
    ) -> Option<Duration> {
        let named = named.filter(|seconds| *seconds > 0).map(Duration::from_secs);
        matches!(status, 429 | 500..=599)
            .then(|| self.granted(tries, named.unwrap_or_else(|| backoff(tries))))?
    }

    /// The wait after a request without an answer. `None` if the fault stands: a request that took
    /// all of its time is not sent again.
    pub(super) fn after_fault(&self, tries: u32, fault: &TransportError) -> Option<Duration> {
        let may_pass = match fault {
            TransportError::Connection(_) => true,
            TransportError::Proxy(fault) => fault.may_pass(),
            _ => false,
        };
        may_pass.then(|| self.granted(tries, backoff(tries)))?
    }

    fn granted(&self, tries: u32, wait: Duration) -> Option<Duration> {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *left = left.checked_sub(wait).filter(|_| tries < TRIES)?;
        Some(wait)
    }
}

/// Between half and all of the wait of this try, so that clients that failed together do not come
/// back together.
fn backoff(tries: u32) -> Duration {
    let whole = FIRST_WAIT.saturating_mul(1 << tries.saturating_sub(1).min(16));
    whole.mul_f64(rand::random_range(0.5..=1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_waited_out_and_nothing_else() {
        let wait = |tries, status, named| Patience::default().after_status(tries, status, named);
        for status in [200, 301, 400, 401, 403, 404, 408, 418] {
            assert_eq!(wait(1, status, Some(1)), None, "{status}");
        }
        for status in [429, 500, 502, 503, 504] {
            let first = wait(1, status, None).unwrap();
            assert!(first <= FIRST_WAIT && first >= FIRST_WAIT / 2, "{status}: {first:?}");
            assert_eq!(wait(1, status, Some(7)), Some(Duration::from_secs(7)));
            assert!(wait(1, status, Some(0)).unwrap() <= FIRST_WAIT, "zero is no hint");
            assert_eq!(wait(TRIES, status, None), None);
            assert_eq!(wait(1, status, Some(61)), None, "beyond the budget");
        }
        let after = |fault| Patience::default().after_fault(1, &fault);
        assert!(after(TransportError::Connection("reset".into())).is_some());
        assert_eq!(after(TransportError::TimedOut), None);
        assert_eq!(after(TransportError::Denied("x".into())), None);
    }

    #[test]
    fn the_waits_of_all_requests_share_a_budget() {
        let patience = Patience::default();
        for (named, granted) in [(40, true), (40, false), (20, true), (1, false)] {
            let wait = patience.after_status(1, 429, Some(named));
            assert_eq!(wait.is_some(), granted, "{named}");
        }
    }
}
