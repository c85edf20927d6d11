//! The key goes to the service, and nowhere else.
//!
//! A key that occurs nowhere by chance is given to the real command and to the library, and then
//! looked for in everything that comes out of them. That it did arrive at the service, and that an
//! answer did repeat it, is asserted too: otherwise nothing could be found.

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
