//! Components on this host: compiled once ([`compile`], [`cache`], [`engine`]), prepared once
//! ([`plugin`]), and run in a fresh store each time ([`session`], with the contract's [`calls`]).
//!
//! Sessions share no mutable state. A component's records are checked ([`check`]) before they are
//! used.

mod authority;
pub mod cache;
pub mod calls;
pub mod check;
pub mod compile;
mod config;
pub mod engine;
pub mod outline;
pub mod plugin;
mod processor;
pub mod provenance;
pub mod session;
mod usage;
#[cfg(feature = "compile")]
pub mod worker;
