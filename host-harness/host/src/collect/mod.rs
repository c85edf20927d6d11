//! A collection: pages ▸ guard ▸ destination, and the judgement whether the list is complete.
//!
//! An incomplete list is never called complete, and a stopped collection resumes where it was.

pub mod report;
pub mod shortfall;
pub mod sink;

pub mod destination;

pub(crate) mod blocking;
pub mod in_memory;
pub mod stream;

mod collection;

pub use smp_guard::{guard, records};
