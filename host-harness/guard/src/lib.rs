//! Judges what a SaaS connector hands over: whether its records keep the contract, who was
//! delivered before, whether the pages end, and whether the list is whole.
//!
//! It is pure: no I/O, no clock, no WebAssembly runtime and no generated bindings. Each host has
//! types of its own for the contract's records; it implements [`records::Page`] and
//! [`records::Member`] for them, and no record is copied. So hosts on other runtimes judge alike.
//!
//! A descriptor is checked by the host: most of that is about URLs, path templates and settings,
//! which only the host reads. The rules for texts, lists and names in it are in [`check`].
//!
//! The modules stand in the order in which a page passes them; a module uses only those above it.

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
