//! The pace of an account across processes: its slots lie in the database. A request takes one in a
//! statement of its own before it is sent, and the slot comes free one period after the answer, by
//! the clock of the database.
//!
//! ```text
//! take (one is free, the run is still ours) ─▶ send ─▶ answer ─▶ free one period later
//!                                               └ the process dies ─▶ free a lease and a period later
//! ```
//! The service counts a request between the two statements, so it never sees more than the rate in
//! any period. What remains: a process that is paused between its slot and its request, for longer
//! than its lease, adds that one request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use smp_host::failure::{Code, Failure};
use smp_host::http::pace::{Rate, SharedPace, Slot, Waited};
use sqlx::{AssertSqlSafe, Row, query};

use super::ledger::unwritten;
use crate::problem::Problem;
use crate::store::Store;

/// Rows of an account at most: a larger rate is kept in parts of its period.
const MOST: u32 = 100;
/// How long a request waits for the database before its run is given back.
const PATIENCE: Duration = Duration::from_secs(30);
/// The wait before the database is asked again.
const AFTER_A_FAULT: Duration = Duration::from_millis(500);

/// The slots of one account, for one run of it or for a person who looks.
pub struct Slots {
    shared: Arc<Shared>,
    /// The run and its epoch: a fenced process gets no slot.
    run: Option<(String, i64)>,
    /// Whether the account has its rows.
    made: AtomicBool,
}

struct Shared {
    store: Store,
    account: String,
    /// How long a slot stays taken if its process dies.
    lease: Duration,
}

/// What the database said.
enum Said {
    /// This slot is taken, until this instant if it is not given back before.
    Taken { place: i64, until: i64 },
    /// None is free before.
    Wait(Duration),
    /// Another process has the run.
    Fenced,
}

/// A slot that is out. Dropping it begins its period.
struct Out {
    shared: Arc<Shared>,
    place: i64,
    until: i64,
    period: i64,
}

impl Slots {
    /// The slots of an account, for the claim of this run.
    #[must_use]
    pub fn new(store: Store, account: String, lease: Duration, run: Option<(String, i64)>) -> Self {
        let shared = Arc::new(Shared { store, account, lease });
        Self { shared, run, made: AtomicBool::new(false) }
    }

    /// Takes all slots as if their requests were answered just now.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn use_up(&self, rate: Rate) -> Result<(), Problem> {
        let (places, period) = parts(rate);
        self.make(places).await?;
        let store = &self.shared.store;
        let sql = format!(
            "UPDATE slots SET free_at = greatest(free_at, {} + $3) \
             WHERE account = $1 AND place <= $2",
            store.clock()
        );
        let used = query(AssertSqlSafe(sql)).bind(self.shared.account.clone()).bind(places);
        used.bind(ms(period)).execute(store.read()).await?;
        Ok(())
    }

    async fn wait(&self, rate: Rate) -> Result<Slot, Failure> {
        let (places, period) = parts(rate);
        let mut failing = None::<Instant>;
        loop {
            let asked = Instant::now();
            match self.take(places, ms(period)).await {
                // A process that was paused meanwhile may have lost it.
                Ok(Said::Taken { .. }) if asked.elapsed() >= self.shared.lease => {}
                Ok(Said::Taken { place, until }) => {
                    let (shared, period) = (Arc::clone(&self.shared), ms(period));
                    return Ok(Box::new(Out { shared, place, until, period }));
                }
                Ok(Said::Wait(wait)) => {
                    failing = None;
                    // What is given back meanwhile comes free a period later.
                    tokio::time::sleep(wait.clamp(Duration::from_millis(1), period)).await;
                }
                Ok(Said::Fenced) => {
                    let text = "another process has taken this run over";
                    return Err(Failure::new(Code::Interrupted, text));
                }
                Err(problem) => {
                    if failing.get_or_insert(asked).elapsed() >= PATIENCE {
                        return Err(unwritten(problem));
                    }
                    tokio::time::sleep(AFTER_A_FAULT).await;
                }
            }
        }
    }

    async fn take(&self, places: i64, period: i64) -> Result<Said, Problem> {
        let Shared { store, account, lease } = &*self.shared;
        if !self.made.load(Ordering::Relaxed) {
            self.make(places).await?;
            self.made.store(true, Ordering::Relaxed);
        }
        let (run, epoch) = self.run.clone().unwrap_or_default();
        let clock = store.clock();
        let ours = "($4 = '' OR EXISTS \
                    (SELECT 1 FROM runs WHERE id = $4 AND epoch = $5 AND state = 'open'))";
        let sql = format!(
            "UPDATE slots SET free_at = {clock} + $3 \
             WHERE account = $1 AND {ours} AND place = (SELECT place FROM slots \
             WHERE account = $1 AND place <= $2 AND free_at <= {clock} ORDER BY free_at LIMIT 1 \
             FOR UPDATE SKIP LOCKED) RETURNING place, free_at"
        );
        let taken = query(AssertSqlSafe(sql))
            .bind(account.clone())
            .bind(places)
            .bind(ms(*lease).saturating_add(period))
            .bind(run.clone())
            .bind(epoch)
            .fetch_optional(store.read())
            .await?;
        if let Some(row) = taken {
            return Ok(Said::Taken {
                place: row.try_get("place")?,
                until: row.try_get("free_at")?,
            });
        }
        let sql = format!(
            "SELECT count(*) AS places, coalesce(min(free_at) - {clock}, 0) AS wait, \
             CAST(CASE WHEN $3 = '' OR EXISTS \
             (SELECT 1 FROM runs WHERE id = $3 AND epoch = $4 AND state = 'open') \
             THEN 1 ELSE 0 END AS BIGINT) AS ours \
             FROM slots WHERE account = $1 AND place <= $2"
        );
        let row = query(AssertSqlSafe(sql)).bind(account.clone()).bind(places);
        let row = row.bind(run).bind(epoch).fetch_one(store.read()).await?;
        if row.try_get::<i64, _>("ours")? == 0 {
            return Ok(Said::Fenced);
        }
        if row.try_get::<i64, _>("places")? < places {
            // What an account has not used for long is dropped.
            self.made.store(false, Ordering::Relaxed);
            return Ok(Said::Wait(Duration::ZERO));
        }
        let wait = u64::try_from(row.try_get::<i64, _>("wait")?).unwrap_or_default();
        Ok(Said::Wait(Duration::from_millis(wait)))
    }

    async fn make(&self, places: i64) -> Result<(), Problem> {
        let sql = "INSERT INTO slots (account, place, free_at) \
                   SELECT $1, place, 0 FROM generate_series(1, $2) AS place \
                   ON CONFLICT (account, place) DO NOTHING";
        let made = query(sql).bind(self.shared.account.clone()).bind(places);
        made.execute(self.shared.store.read()).await?;
        Ok(())
    }
}

impl SharedPace for Slots {
    fn slot(&self, rate: Rate) -> Waited<'_> {
        Box::pin(self.wait(rate))
    }
}

impl Drop for Out {
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (shared, place, until) = (Arc::clone(&self.shared), self.place, self.until);
        let period = self.period;
        // If this cannot be written, it comes free when the lease is over.
        runtime.spawn(async move {
            let sql = format!(
                "UPDATE slots SET free_at = {} + $4 \
                 WHERE account = $1 AND place = $2 AND free_at = $3",
                shared.store.clock()
            );
            let given = query(AssertSqlSafe(sql)).bind(shared.account.clone()).bind(place);
            let given = given.bind(until).bind(period).execute(shared.store.read()).await;
            if given.is_err() {
                tracing::debug!("a slot of the pace could not be given back");
            }
        });
    }
}

/// Drops the slots of accounts that were not asked for a day.
///
/// # Errors
/// If the database fails.
pub(super) async fn forget(store: &Store) -> Result<(), Problem> {
    let sql = format!("DELETE FROM slots WHERE free_at < {} - $1", store.clock());
    let mut writing = store.write().await?;
    query(AssertSqlSafe(sql)).bind(crate::clock::DAY).execute(&mut *writing).await?;
    writing.commit().await?;
    Ok(())
}

/// How many slots of which period keep a rate.
fn parts(rate: Rate) -> (i64, Duration) {
    let parts = rate.requests.get().div_ceil(MOST);
    // The database rounds two instants to a millisecond.
    let period = (rate.period / parts).saturating_add(Duration::from_millis(1));
    (i64::from((rate.requests.get() / parts).max(1)), period)
}

/// Milliseconds, rounded up: a slot never comes free too early.
fn ms(duration: Duration) -> i64 {
    let whole =
        duration.as_millis() + u128::from(!duration.subsec_nanos().is_multiple_of(1_000_000));
    i64::try_from(whole).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_large_rate_is_kept_in_parts_of_its_period_and_never_exceeded() {
        for (requests, period_ms, expected) in [
            (5, 1_000, (5, 1_001)),
            (100, 60_000, (100, 60_001)),
            (150, 1_000, (75, 501)),
            (10_000, 60_000, (100, 601)),
        ] {
            let requests = std::num::NonZeroU32::new(requests).unwrap();
            let rate = Rate { requests, period: Duration::from_millis(period_ms) };
            let (places, period) = parts(rate);
            assert_eq!((places, ms(period)), expected);
        }
        assert_eq!(ms(Duration::from_micros(1_500)), 2);
    }
}
