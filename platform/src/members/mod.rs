//! Members over time: as of any whole run, what changed between two of them, the search, and
//! exports.

pub mod changes;
pub(crate) mod deletion;
pub mod export;
pub mod insights;
pub mod list;
pub mod record;
pub mod row;
pub mod search;
pub mod totals;

/// `until` of what is so now.
pub const NOW: i64 = i64::MAX;
