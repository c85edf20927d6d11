//! Tests that nothing is lost: a stopped collection with `--checkpoint` resumes where it was,
//! whatever stopped it.
//!
//! Each test runs the real command with the mock, stops it, resumes it, and then compares the file
//! with that of an undisturbed run, byte for byte, and the mock's log with what was delivered
//! before the stop.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "resume/setup.rs"]
mod setup;

#[path = "resume/checkpoints.rs"]
mod checkpoints;
#[path = "resume/faults.rs"]
mod faults;
#[path = "resume/owners.rs"]
mod owners;
#[path = "resume/stops.rs"]
mod stops;
