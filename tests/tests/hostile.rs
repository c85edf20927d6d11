//! Tests with hostile components: each does its worst, ends as stated here, and another tenant is
//! served in the same process afterwards.
//!
//! The components are in `tests/hostile/examples/`, one per file. Those that no Rust compiler makes
//! are made here, from text or from the bytes of a valid component.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "hostile/setup.rs"]
mod setup;

#[path = "hostile/made.rs"]
mod made;
#[allow(dead_code, reason = "it serves the tests of the key too")]
#[path = "key/search.rs"]
mod search;

#[path = "key/echo.rs"]
mod echo;

#[path = "hostile/authority.rs"]
mod authority;
#[path = "hostile/command.rs"]
mod command;
#[path = "hostile/crashes.rs"]
mod crashes;
#[path = "hostile/exhaustion.rs"]
mod exhaustion;
#[path = "hostile/files.rs"]
mod files;
#[path = "hostile/floods.rs"]
mod floods;
#[path = "hostile/key.rs"]
mod key;
#[path = "hostile/pages.rs"]
mod pages;
#[path = "hostile/text.rs"]
mod text;
