//! Common parts of all the project's tests: the mock organization, players of fixtures, and the
//! real binary.
//!
//! The tests themselves are in `tests/`. Nothing here is part of the connector or of its host.

pub mod cases;
pub mod fuzz;
pub mod harness;
pub mod line;
pub mod mock;
pub mod postgres;
pub mod registry;
pub mod released;
pub mod temporal;

mod terminal;
