//! Tests that the key goes to the service, and nowhere else.
//!
//! A key that occurs nowhere by chance is given to the real command and to the library, and then
//! searched for in all output. The tests also assert that it reached the service, and that an
//! answer repeated it: otherwise nothing could be found.

#![allow(clippy::print_stderr, reason = "a test that is skipped says so")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "key/search.rs"]
mod search;

#[path = "key/echo.rs"]
mod echo;

#[path = "key/command.rs"]
mod command;
#[path = "key/component.rs"]
mod component;
#[path = "key/mistakes.rs"]
mod mistakes;
