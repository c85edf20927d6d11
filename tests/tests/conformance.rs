//! `smp-harness check` in the real binary: on our connector, on files that are none, and on a
//! connector that has one carelessness at a time, each of which breaks the rule that is there for
//! it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "conformance/careless.rs"]
mod careless;
#[path = "conformance/files.rs"]
mod files;
#[path = "conformance/fixtures.rs"]
mod fixtures;
#[path = "conformance/ours.rs"]
mod ours;
#[path = "conformance/setup.rs"]
mod setup;
