//! Totals of lists, counted once: they are the same until the next whole run of the connection.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Totals that are kept. Beyond them, all are counted again.
const MOST: usize = 4_096;

/// A list: the connection, its last whole run, and the filter.
type List = (String, i64, String);

/// The totals of a process.
#[derive(Clone, Debug, Default)]
pub struct Totals(Arc<Mutex<HashMap<List, i64>>>);

impl Totals {
    /// The total of a list, if it was counted.
    pub(super) fn get(&self, list: &List) -> Option<i64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(list).copied()
    }

    /// Keeps the total of a list.
    pub(super) fn put(&self, list: List, total: i64) {
        let mut totals = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if totals.len() >= MOST {
            totals.clear();
        }
        totals.insert(list, total);
    }
}
