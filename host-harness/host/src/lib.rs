//! A host for SaaS connector plugins: WebAssembly components that read an organization's members.
//!
//! This library is what a platform embeds. It is not a vendor's client: everything that it knows
//! about a service comes out of the component's own descriptor.
//!
//! # The modules
//!
//! In the order in which a member passes them, from the request to the line in the output; a
//! module uses only those above it.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`contract`] | the contract as Rust types: descriptor, member, page, report |
//! | [`failure`], [`remedy`] | what went wrong, and as data what to do about it |
//! | [`limits`] | what a component may use, each bound with its default and its reason |
//! | [`observer`] | what a run reports while it goes on: progress, logs, metrics |
//! | [`pasted`] | values as people paste them |
//! | [`secret`], [`text`] | values that are never printed; text that is safe to show |
//! | [`http`] | grants, pace, retry and the transport behind a component's requests |
//! | `live`, by its feature | the transport to the real service: HTTPS by reqwest and rustls |
//! | [`settings`] | what was entered, checked against the connector's form |
//! | [`component`] | a component, compiled once and run in a fresh instance each time |
//! | [`host`] | what the runs of a process share: **a platform begins here** |
//! | [`validation`] | whether settings are ready for a collection, check by check |
//! | [`collect`] | a collection, and `Destination`, the seam to a platform's database |
//! | `files`, by its feature | csv, ndjson and json files, and the checkpoint |
//!
//! # The first example
//!
//! `examples/embed.rs`, whole: it collects into a `Vec`. `examples/embed_database.rs` collects into
//! SQLite and resumes after a kill; `examples/trusted.rs` loads only what a trust file permits. A
//! mock to run them against: `atlassian-mock`, which `make programs` builds.
//!
//! ```no_run
#![doc = include_str!("../examples/embed.rs")]
//! ```

pub mod contract;
pub mod failure;
pub mod instant;
pub mod limits;
pub mod observer;
pub mod pasted;
mod records;
pub mod remedy;
pub mod secret;
pub mod text;

pub mod http;
#[cfg(feature = "live")]
pub mod live;
pub mod settings;

pub mod explained;

pub mod component;
pub mod host;
pub mod validation;

pub mod collect;
#[cfg(feature = "files")]
pub mod files;

#[cfg(any(test, feature = "testing"))]
#[doc(hidden)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
pub mod testing;
