//! Tests of `smp-harness check` with the real binary: on the Atlassian connector, on files that are
//! not connectors, and on a connector with one flaw at a time, each of which breaks one rule.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "conformance/careless.rs"]
mod careless;
#[path = "conformance/fair.rs"]
mod fair;
#[path = "conformance/files.rs"]
mod files;
#[path = "conformance/fixtures.rs"]
mod fixtures;
#[path = "conformance/ours.rs"]
mod ours;
#[path = "conformance/page.rs"]
mod page;
#[path = "conformance/setup.rs"]
mod setup;
