//! A collection: pages ▸ guard ▸ destination, and the judgement whether the list is whole.
//!
//! A list that is not whole is never called complete, and a collection that stopped goes on where
//! it was.

pub mod report;
pub mod sink;

pub mod destination;

pub(crate) mod blocking;
pub mod in_memory;
pub mod stream;

mod collection;

pub use smp_guard::guard;
