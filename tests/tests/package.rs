//! Tests of `smp-harness package`: the content of the folder, its sources, and what is not
//! packaged.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "package/bill.rs"]
mod bill;
#[path = "package/files.rs"]
mod files;
#[path = "package/pages.rs"]
mod pages;
#[path = "package/refused.rs"]
mod refused;
#[path = "package/setup.rs"]
mod setup;
