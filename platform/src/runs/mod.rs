//! Runs: their ledger, one run from claim to conclusion, who runs what, and what a page hears of it.
//!
//! ```text
//! scheduler ─▶ claim (epoch + 1, a lease) ─▶ collect ─▶ page ─▶ page ─▶ … ─▶ conclude
//!                                              each one transaction that compares the epoch
//! ```

mod array;
pub mod claims;
pub mod collect;
pub mod conclude;
mod gone;
pub mod ledger;
pub mod live;
mod merge;
pub mod pace;
mod page;
pub mod retention;
pub mod scheduler;
mod staged;
pub mod table;
pub mod trace;
pub mod usage;
