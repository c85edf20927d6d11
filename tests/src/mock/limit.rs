//! The mock's rate limit, and its headers.
//!
//! Time is passed in. A refused request does not count against the limit.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

/// The stated limit if none is enforced: more than any client sends in a minute.
const NOMINAL_LIMIT: u64 = 10_000;
const NOMINAL_PERIOD: Duration = Duration::from_secs(60);
const PERIOD: Duration = Duration::from_secs(1);

/// Counts requests.
#[derive(Debug)]
pub(super) struct Pace {
    per_second: Option<NonZeroU32>,
    /// When the requests of the last second were admitted; at most as many as the limit.
    recent: VecDeque<Instant>,
    /// The current minute if no limit is enforced, and the requests in it.
    minute: Option<(Instant, u64)>,
}

/// The decision about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) admitted: bool,
    pub(super) limit: u64,
    pub(super) remaining: u64,
    /// Whole seconds after which the limit is fresh.
    pub(super) reset_seconds: u64,
}

impl Pace {
    /// Refuses requests beyond this many in any second; `None` sets no limit.
    pub(super) fn new(per_second: Option<NonZeroU32>) -> Pace {
        Pace { per_second, recent: VecDeque::new(), minute: None }
    }

    /// Counts a request at this instant.
    pub(super) fn admit(&mut self, now: Instant) -> Verdict {
        match self.per_second {
            Some(limit) => self.enforce(u64::from(limit.get()), now),
            None => self.count(now),
        }
    }

    fn enforce(&mut self, limit: u64, now: Instant) -> Verdict {
        while self.recent.front().is_some_and(|first| now.duration_since(*first) >= PERIOD) {
            self.recent.pop_front();
        }
        let admitted = (self.recent.len() as u64) < limit;
        if admitted {
            self.recent.push_back(now);
        }
        Verdict {
            admitted,
            limit,
            remaining: limit - self.recent.len() as u64,
            reset_seconds: PERIOD.as_secs(),
        }
    }

    fn count(&mut self, now: Instant) -> Verdict {
        let (begin, used) = match self.minute {
            Some((begin, used)) if now.duration_since(begin) < NOMINAL_PERIOD => (begin, used + 1),
            _ => (now, 1),
        };
        self.minute = Some((begin, used));
        let left = NOMINAL_PERIOD.saturating_sub(now.duration_since(begin));
        Verdict {
            admitted: true,
            limit: NOMINAL_LIMIT,
            remaining: NOMINAL_LIMIT.saturating_sub(used),
            reset_seconds: left.as_secs(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(pace: &mut Pace, start: Instant, at: &[u64]) -> Vec<bool> {
        at.iter().map(|ms| pace.admit(start + Duration::from_millis(*ms)).admitted).collect()
    }

    #[test]
    fn no_second_holds_more_than_the_limit() {
        let mut pace = Pace::new(NonZeroU32::new(2));
        let verdicts =
            admitted(&mut pace, Instant::now(), &[0, 100, 200, 999, 1_000, 1_050, 1_100]);
        assert_eq!(verdicts, [true, true, false, false, true, false, true]);
    }

    #[test]
    fn without_a_limit_everything_is_admitted_and_counted_by_the_minute() {
        let mut pace = Pace::new(None);
        let start = Instant::now();
        assert_eq!(pace.admit(start).remaining, 9_999);
        assert_eq!(pace.admit(start + Duration::from_secs(30)).remaining, 9_998);
        assert_eq!(pace.admit(start + Duration::from_secs(60)).remaining, 9_999);
    }
}
