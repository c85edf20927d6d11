//! Judges the records and pages of a SaaS connector: whether records keep the contract, which
//! members were delivered before, whether the pages end, and whether the list is complete.
//!
//! It is pure: no I/O, no clock, no WebAssembly runtime and no generated bindings. A host
//! implements [`records::Page`] and [`records::Member`] for its own types of the contract's
//! records, so no record is copied, and hosts on other runtimes judge alike.
//!
//! It does not check descriptors. Most of that is about URLs, path templates and settings, which
//! only the host reads. The rules for texts, lists and names in a descriptor are in [`check`].
//!
//! The modules are in the order in which a page passes them; a module uses only those above it.

mod bounds;
mod error;

pub mod records;

pub mod check;

mod mark;

pub mod guard;

#[cfg(test)]
mod testing;

pub use bounds::{Bound, Bounds, LONGEST_CURSOR};
pub use error::Error;
