//! What the tests of the whole project stand on: the mock organization, fixtures that are played,
//! and the real binary.
//!
//! The tests themselves are in `tests/`. Nothing here is part of the connector or of its host.

pub mod cases;
pub mod fuzz;
pub mod harness;
pub mod mock;
pub mod registry;
pub mod released;

mod terminal;
