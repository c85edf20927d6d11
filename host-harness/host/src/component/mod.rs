//! A component on this host: compiled once ([`compile`], [`cache`], [`engine`]), prepared once
//! ([`plugin`]), and run in a fresh store each time ([`session`]).
//!
//! Nothing mutable is shared between two sessions. What a component hands over is checked
//! ([`check`]) before anybody uses it.

pub mod cache;
pub mod check;
pub mod compile;
mod config;
pub mod engine;
pub mod plugin;
pub mod provenance;
pub mod session;
mod usage;
#[cfg(feature = "compile")]
pub mod worker;
