//! What an embedder, a `tracing` subscriber and a person at the command see of each request, and
//! what none of them sees: the key, settings, paths, queries, and anything of an answer.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "observing/command.rs"]
mod command;
#[path = "observing/library.rs"]
mod library;
#[path = "observing/subscriber.rs"]
mod subscriber;
