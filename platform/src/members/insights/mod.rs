//! Counts for facets and charts, of a compact copy of the members of a whole run.
//!
//! The members of a whole run never change, so the copy is read once and kept while somebody
//! looks. Every number of a page comes of the same pass: the facets, the charts and the table
//! cannot disagree. The count beside a value is that of the list behind it: all filters hold, but
//! the one of the value's own kind.
//!
//! | module | what it is |
//! | --- | --- |
//! | `snapshot` | the compact copy |
//! | `look` | a choice of members, and what one pass counts |
//! | `differences` | what differs between two runs |
//! | `seats` | who holds a seat and does not use it |
//! | `records` | the whole records of a page, and the history of a member |

mod differences;
mod look;
mod records;
mod seats;
mod snapshot;
#[cfg(test)]
mod testing;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;

pub use differences::{DIFFERENCES, Differences};
pub use look::{Choice, Found, Order};
pub use records::{Stored, history, read, records, records_of};
pub use seats::{Seat, Seats};
pub use snapshot::{Snapshot, UNKNOWN};

use crate::clock::{HOUR, now};
use crate::problem::Problem;
use crate::store::Store;

/// Memory of all copies together, in bytes: a million members, who take some 200 bytes each.
const MOST_BYTES: usize = 256 << 20;
/// A copy that is not used for so long is dropped.
const UNSEEN: i64 = 10 * 60_000;
/// A copy is read again after so long: who is dropped from the history goes from here, too.
const OLDEST: i64 = HOUR;
/// Copies that are read at the same time: each may take as much as all that are kept.
const READERS: usize = 2;

/// Copies of members, for those who look.
#[derive(Clone)]
pub struct Insights(Arc<Shared>);

struct Shared {
    kept: Mutex<Kept>,
    reading: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
    readers: Semaphore,
}

#[derive(Default)]
struct Kept {
    copies: VecDeque<Copied>,
    /// How often a connection was forgotten.
    forgotten: u64,
}

/// A copy, and when it was read and looked at.
struct Copied {
    snapshot: Arc<Snapshot>,
    read: i64,
    seen: i64,
}

impl Default for Insights {
    fn default() -> Self {
        Self(Arc::new(Shared {
            kept: Mutex::default(),
            reading: Mutex::default(),
            readers: Semaphore::new(READERS),
        }))
    }
}

impl Insights {
    /// The members of a connection as of this run, which is whole. `None` if they are too many to
    /// be kept.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn of(
        &self,
        store: &Store,
        connection: &str,
        seq: i64,
    ) -> Result<Option<Arc<Snapshot>>, Problem> {
        if let Some(found) = self.kept(connection, seq) {
            return Ok(Some(found));
        }
        let turn = self.turn(connection);
        let _turn = turn.lock().await;
        if let Some(found) = self.kept(connection, seq) {
            return Ok(Some(found));
        }
        let _reader = self.0.readers.acquire().await;
        let forgotten = locked(&self.0.kept).forgotten;
        let read = Snapshot::read(store, connection, seq, MOST_BYTES).await?;
        let Some(read) = read.map(Arc::new) else { return Ok(None) };
        self.keep(Arc::clone(&read), forgotten);
        Ok(Some(read))
    }

    /// Keeps a copy, unless a connection was forgotten while it was read: it may have been this one.
    fn keep(&self, snapshot: Arc<Snapshot>, forgotten: u64) {
        let mut kept = locked(&self.0.kept);
        if kept.forgotten != forgotten {
            return;
        }
        kept.copies.push_front(Copied { snapshot, read: now(), seen: now() });
        let mut sum = 0;
        kept.copies.retain(|copy| {
            sum += copy.snapshot.bytes();
            sum <= MOST_BYTES
        });
    }

    /// The lock of a connection: its members are read once, however many wait for them.
    fn turn(&self, connection: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut reading = locked(&self.0.reading);
        reading.retain(|_, turn| Arc::strong_count(turn) > 1);
        Arc::clone(reading.entry(connection.to_owned()).or_default())
    }

    fn kept(&self, connection: &str, seq: i64) -> Option<Arc<Snapshot>> {
        self.sweep(now());
        let mut kept = locked(&self.0.kept);
        let found = kept.copies.iter_mut().find(|copy| copy.snapshot.is_of(connection, seq))?;
        found.seen = now();
        Some(Arc::clone(&found.snapshot))
    }

    /// Drops what is kept of a connection.
    pub fn forget(&self, connection: &str) {
        let mut kept = locked(&self.0.kept);
        kept.forgotten = kept.forgotten.wrapping_add(1);
        kept.copies.retain(|copy| copy.snapshot.connection() != connection);
    }

    #[cfg(test)]
    pub(crate) fn holds(&self, connection: &str) -> bool {
        let kept = locked(&self.0.kept);
        kept.copies.iter().any(|copy| copy.snapshot.connection() == connection)
    }

    /// Drops copies that are not used, and old ones.
    pub fn sweep(&self, at: i64) {
        let is_fresh = |copy: &Copied| at - copy.seen < UNSEEN && at - copy.read < OLDEST;
        locked(&self.0.kept).copies.retain(is_fresh);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copies(insights: &Insights) -> Vec<String> {
        let kept = locked(&insights.0.kept);
        kept.copies.iter().map(|copy| copy.snapshot.connection().to_owned()).collect()
    }

    fn copy(connection: &str, bytes: usize) -> Arc<Snapshot> {
        Arc::new(Snapshot::empty(connection, 1).of_bytes(bytes))
    }

    #[test]
    fn what_was_deleted_is_not_kept_and_not_kept_again_by_who_was_reading() {
        let insights = Insights::default();
        let begun = locked(&insights.0.kept).forgotten;
        insights.keep(copy("a", 1), begun);
        insights.keep(copy("b", 1), begun);
        insights.forget("a");
        assert_eq!(copies(&insights), ["b"]);
        insights.keep(copy("a", 1), begun);
        assert_eq!(copies(&insights), ["b"], "it was read before the connection was deleted");
    }

    #[test]
    fn a_copy_goes_when_it_is_not_used_and_after_an_hour_at_the_latest() {
        let insights = Insights::default();
        insights.keep(copy("a", 1), 0);
        insights.sweep(now() + UNSEEN - 5_000);
        assert_eq!(copies(&insights), ["a"]);
        insights.sweep(now() + UNSEEN);
        assert!(copies(&insights).is_empty());
        insights.keep(copy("a", 1), 0);
        if let Some(copy) = locked(&insights.0.kept).copies.front_mut() {
            copy.seen = now() + OLDEST;
        }
        insights.sweep(now() + OLDEST);
        assert!(copies(&insights).is_empty(), "although somebody looked just now");
    }

    #[test]
    fn copies_together_are_bounded_by_their_bytes() {
        let insights = Insights::default();
        for connection in ["a", "b", "c"] {
            insights.keep(copy(connection, MOST_BYTES / 2), 0);
        }
        assert_eq!(copies(&insights), ["c", "b"]);
    }

    #[tokio::test]
    async fn two_connections_are_read_at_the_same_time_and_one_connection_once() {
        let insights = Insights::default();
        let own = insights.turn("a");
        let held = own.lock().await;
        assert!(insights.turn("a").try_lock().is_err());
        assert!(insights.turn("b").try_lock().is_ok());
        drop(held);
        assert_eq!(locked(&insights.0.reading).len(), 2);
        drop(own);
        insights.turn("c");
        assert_eq!(locked(&insights.0.reading).len(), 1, "locks without a holder are gone");
    }
}
