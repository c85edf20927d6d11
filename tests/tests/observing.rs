//! Tests of what an embedder, a `tracing` subscriber and a user of the command see of each request,
//! and of what none of them sees: the key, settings, paths, queries, and the content of answers.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "observing/command.rs"]
mod command;
#[path = "observing/library.rs"]
mod library;
#[path = "observing/subscriber.rs"]
mod subscriber;
