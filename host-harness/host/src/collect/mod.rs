//! A collection: pages ▸ guard ▸ sink ▸ checkpoint, and the judgement whether the list is whole.
//!
//! A list that is not whole is never called complete, and a collection that stopped goes on where it was.

pub mod guard;
pub mod report;
pub mod sink;

pub mod collection;
